// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/live/live_header.h"

#include "models/run_row.h"
#include "theme/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QProgressBar>
#include <QSlider>
#include <QStyle>
#include <QToolButton>
#include <QVBoxLayout>
#include <cmath>

namespace qw::ui {
namespace {

constexpr double kMostOnSlider = 0.99; // the box goes to 0.999, ui.md 3
constexpr int kProgressSteps = 1000;   // of the bar

QLabel* label(const char* name, QWidget* parent) {
    auto* made = new QLabel(parent);
    made->setObjectName(QLatin1String(name));
    made->setTextFormat(Qt::PlainText);
    return made;
}

} // namespace

LiveHeader::LiveHeader(Session& session, ActionRegistry& actions, LiveRun& run, ChartGroup& group, QWidget* parent)
    : QWidget(parent), m_session(session), m_run(run), m_group(group) {
    setObjectName(QStringLiteral("liveHeader"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(fontMetrics().height() / 3);
    column->addWidget(buildStatusRow());
    column->addWidget(buildControlRow(actions));
    wire();
}

QWidget* LiveHeader::buildStatusRow() {
    auto* frame = new QWidget(this);
    auto* row = new QHBoxLayout(frame);
    row->setContentsMargins(0, 0, 0, 0);
    m_runPicker = new QComboBox(frame);
    m_runPicker->setObjectName(QStringLiteral("runPicker"));
    m_runPicker->setAccessibleName(tr("Run"));
    m_runPicker->setToolTip(tr("The run whose curves are shown; the first entry follows whatever is running"));
    m_runPicker->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_runPicker->setMinimumContentsLength(18);
    m_overlayButton = new QToolButton(frame);
    m_overlayButton->setObjectName(QStringLiteral("overlayButton"));
    m_overlayButton->setIcon(Theme::instance().icon(QStringLiteral("compare")));
    m_overlayButton->setPopupMode(QToolButton::InstantPopup);
    m_overlayButton->setAccessibleName(tr("Overlay earlier runs"));
    m_overlayButton->setToolTip(tr("Draw earlier runs behind this one"));
    m_overlayMenu = new QMenu(m_overlayButton);
    m_overlayButton->setMenu(m_overlayMenu);
    m_stateIcon = label("liveStateIcon", frame);
    m_state = label("liveState", frame);
    m_state->setProperty("look", QStringLiteral("heading"));
    m_progress = new QProgressBar(frame);
    m_progress->setObjectName(QStringLiteral("liveProgress"));
    m_progress->setAccessibleName(tr("Progress of the phase"));
    m_progress->setRange(0, kProgressSteps);
    m_progress->setMinimumWidth(fontMetrics().averageCharWidth() * 22);
    m_eta = label("etaLabel", frame);
    m_eta->setToolTip(tr("Rest of this phase; in brackets at the pace of the fastest and the slowest stretch of the newest steps"));
    m_tokens = label("tokensLabel", frame);
    m_tokens->setProperty("look", QStringLiteral("muted"));
    m_tokens->setToolTip(tr("Tokens that were trained on, as measured"));
    m_fakeQuant = label("fakeQuantLabel", frame);
    m_fakeQuant->setProperty("look", QStringLiteral("muted"));
    m_fakeQuant->setToolTip(tr("As the engine reports it with each step"));
    row->addWidget(m_runPicker, 1);
    row->addWidget(m_overlayButton);
    row->addSpacing(fontMetrics().averageCharWidth());
    row->addWidget(m_stateIcon);
    row->addWidget(m_state);
    row->addWidget(m_progress, 1);
    row->addWidget(m_eta);
    row->addWidget(m_tokens);
    row->addWidget(m_fakeQuant);
    return frame;
}

void LiveHeader::buildSmoothing() {
    m_smooth = new QSlider(Qt::Horizontal, this);
    m_smooth->setObjectName(QStringLiteral("live.smoothing"));
    m_smooth->setAccessibleName(tr("Smoothing"));
    m_smooth->setToolTip(tr("Weight of the past in the moving average of all charts"));
    m_smooth->setRange(0, static_cast<int>(kMostOnSlider * 100));
    m_smooth->setMaximumWidth(fontMetrics().averageCharWidth() * 16);
    m_smoothBox = new QDoubleSpinBox(this);
    m_smoothBox->setObjectName(QStringLiteral("live.smoothingBox"));
    m_smoothBox->setAccessibleName(tr("Smoothing, number"));
    m_smoothBox->setToolTip(m_smooth->toolTip());
    m_smoothBox->setRange(0, 0.999);
    m_smoothBox->setDecimals(3);
    m_smoothBox->setSingleStep(0.05);
    m_smoothBox->findChild<QLineEdit*>()->setAccessibleName(m_smoothBox->accessibleName());
}

QWidget* LiveHeader::buildControlRow(ActionRegistry& actions) {
    auto* frame = new QWidget(this);
    auto* row = new QHBoxLayout(frame);
    row->setContentsMargins(0, 0, 0, 0);
    const auto button = [&](const char* name, const char* action, bool withText) {
        auto* made = new QToolButton(frame);
        made->setObjectName(QLatin1String(name));
        made->setDefaultAction(actions.find(QLatin1String(action)));
        made->setToolButtonStyle(withText ? Qt::ToolButtonTextBesideIcon : Qt::ToolButtonIconOnly);
        made->setAccessibleName(made->defaultAction()->text().remove(QLatin1Char('&')));
        row->addWidget(made);
        return made;
    };
    m_pause = button("pauseButton", "run.pause", true);
    button("stopButton", "run.stop", true);
    button("checkpointButton", "run.checkpoint", false);
    row->addStretch();
    buildSmoothing();
    auto* smoothLabel = new QLabel(tr("S&mooth"), frame);
    smoothLabel->setBuddy(m_smooth);
    m_xAxis = new QComboBox(frame);
    m_xAxis->setObjectName(QStringLiteral("live.xAxis"));
    m_xAxis->setAccessibleName(tr("Horizontal axis"));
    m_xAxis->setToolTip(tr("Horizontal axis of all charts"));
    m_xAxis->addItem(tr("step"), static_cast<int>(ChartX::Step));
    m_xAxis->addItem(tr("tokens"), static_cast<int>(ChartX::Tokens));
    m_xAxis->addItem(tr("time"), static_cast<int>(ChartX::Time));
    m_logY = new QCheckBox(tr("lo&g y"), frame);
    m_logY->setObjectName(QStringLiteral("live.logY"));
    m_logY->setToolTip(tr("Logarithmic vertical axis of losses and gradient norm"));
    m_follow = new QCheckBox(tr("F&ollow"), frame);
    m_follow->setObjectName(QStringLiteral("live.follow"));
    m_follow->setToolTip(tr("Charts follow new points; a zoom ends it"));
    m_layerButton = new QToolButton(frame);
    m_layerButton->setObjectName(QStringLiteral("layerButton"));
    m_layerButton->setText(tr("Layers"));
    m_layerButton->setPopupMode(QToolButton::InstantPopup);
    m_layerButton->setToolTip(tr("Layers that the layer tiles show beside the worst and the median"));
    m_layerMenu = new QMenu(m_layerButton);
    m_layerButton->setMenu(m_layerMenu);
    m_addTile = new QToolButton(frame);
    m_addTile->setObjectName(QStringLiteral("addTileButton"));
    m_addTile->setIcon(Theme::instance().icon(QStringLiteral("add")));
    m_addTile->setText(tr("Tile"));
    m_addTile->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_addTile->setAccessibleName(tr("Add tile"));
    m_addTile->setToolTip(tr("Add a tile"));
    m_addTile->setPopupMode(QToolButton::InstantPopup);
    m_tileMenu = new QMenu(m_addTile);
    m_addTile->setMenu(m_tileMenu);
    for (QWidget* widget : {static_cast<QWidget*>(smoothLabel), static_cast<QWidget*>(m_smooth), static_cast<QWidget*>(m_smoothBox),
                            static_cast<QWidget*>(m_xAxis), static_cast<QWidget*>(m_logY), static_cast<QWidget*>(m_follow),
                            static_cast<QWidget*>(m_layerButton), static_cast<QWidget*>(m_addTile)})
        row->addWidget(widget);
    return frame;
}

void LiveHeader::wire() {
    connect(m_runPicker, &QComboBox::activated, this, [this](int index) { Q_EMIT runChosen(m_runPicker->itemData(index).toString()); });
    connect(m_smooth, &QSlider::valueChanged, this, [this](int value) {
        if (std::abs(value / 100.0 - m_group.smoothing()) > 0.005) m_group.setSmoothing(value / 100.0);
    });
    connect(m_smoothBox, &QDoubleSpinBox::valueChanged, this, [this](double value) { m_group.setSmoothing(value); });
    const auto showWeight = [this](double weight) {
        const QSignalBlocker one(m_smooth), other(m_smoothBox);
        m_smooth->setValue(static_cast<int>(std::lround(weight * 100)));
        m_smoothBox->setValue(weight);
    };
    connect(&m_group, &ChartGroup::smoothingChanged, this, showWeight);
    showWeight(m_group.smoothing());
    connect(m_xAxis, &QComboBox::activated, this, [this] { m_group.setXAxis(static_cast<ChartX>(m_xAxis->currentData().toInt())); });
    const auto showAxis = [this](ChartX axis) { m_xAxis->setCurrentIndex(m_xAxis->findData(static_cast<int>(axis))); };
    connect(&m_group, &ChartGroup::xAxisChanged, this, showAxis);
    showAxis(m_group.xAxis());
    m_follow->setChecked(m_group.isFollowing());
    connect(m_follow, &QCheckBox::toggled, this, [this](bool on) { m_group.setFollowing(on); });
    connect(&m_group, &ChartGroup::followingChanged, m_follow, &QCheckBox::setChecked);
    connect(m_logY, &QCheckBox::toggled, this, &LiveHeader::logYChanged);
    connect(&Theme::instance(), &Theme::changed, this, [this] {
        m_overlayButton->setIcon(Theme::instance().icon(QStringLiteral("compare")));
        m_addTile->setIcon(Theme::instance().icon(QStringLiteral("add")));
        showStatus();
    });
}

bool LiveHeader::logY() const { return m_logY->isChecked(); }
void LiveHeader::setLogY(bool on) { m_logY->setChecked(on); }

} // namespace qw::ui
