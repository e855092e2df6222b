// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/chart_controls.h"

#include "charts/chart_group.h"
#include "theme/theme.h"

#include <QActionGroup>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QSignalBlocker>
#include <QSlider>
#include <QToolButton>

namespace qw::ui {
namespace {

QToolButton* makeButton(QWidget* parent, const QString& name, const QString& text, const QString& tip) {
    auto* button = new QToolButton(parent);
    button->setObjectName(name);
    button->setText(text);
    button->setAccessibleName(text);
    button->setToolTip(tip);
    button->setAutoRaise(true);
    return button;
}

} // namespace

ChartControls::ChartControls(const QString& name, QWidget* parent) : QWidget(parent) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    m_title = new QLabel(this);
    m_title->setProperty("look", QStringLiteral("heading"));
    m_title->hide();
    row->addWidget(m_title);
    row->addStretch(1);
    buildSmoothing(name);
    buildChoices(name);
    m_follow = makeButton(this, QStringLiteral("followButton"), tr("Follow"),
                          tr("Let the x axis follow new points again. A zoom turns this off. Key: Home"));
    m_follow->setCheckable(true);
    m_follow->setAutoRaise(false);
    m_follow->setChecked(true);
    m_follow->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    connect(m_follow, &QToolButton::clicked, this, &ChartControls::followChosen);
    row->addWidget(m_follow);
    m_table = makeButton(this, QStringLiteral("chartTableButton"), tr("Data table"), tr("Show the points as a table"));
    m_table->setCheckable(true);
    connect(m_table, &QToolButton::clicked, this, &ChartControls::tableChosen);
    row->addWidget(m_table);
    buildExport();
    const auto tint = [this] {
        m_follow->setIcon(Theme::instance().icon(QStringLiteral("live")));
        m_table->setIcon(Theme::instance().icon(QStringLiteral("table")));
        m_export->setIcon(Theme::instance().icon(QStringLiteral("export")));
    };
    connect(&Theme::instance(), &Theme::changed, this, tint);
    tint();
    arrange();
}

void ChartControls::buildSmoothing(const QString& name) {
    m_smoothingLabel = new QLabel(tr("Smooth&ing"), this);
    m_smoothing = new QSlider(Qt::Horizontal, this);
    m_smoothing->setObjectName(name + QStringLiteral(".smoothing"));
    m_smoothing->setRange(0, 99); // hundredths
    m_smoothing->setFixedWidth(fontMetrics().averageCharWidth() * 14);
    m_smoothingBox = new QDoubleSpinBox(this);
    m_smoothingBox->setObjectName(name + QStringLiteral(".smoothingBox"));
    m_smoothingBox->setRange(0, 0.999);
    m_smoothingBox->setDecimals(3);
    m_smoothingBox->setSingleStep(0.05);
    m_smoothingLabel->setBuddy(m_smoothingBox);
    const QString tip = tr("Weight of the past in the moving average; 0 shows the raw values. Key in the chart: S");
    layout()->addWidget(m_smoothingLabel);
    for (QWidget* widget : {static_cast<QWidget*>(m_smoothing), static_cast<QWidget*>(m_smoothingBox)}) {
        widget->setToolTip(tip);
        widget->setAccessibleName(tr("Smoothing"));
        layout()->addWidget(widget);
    }
    connect(m_smoothing, &QSlider::valueChanged, this, [this](int hundredths) { m_smoothingBox->setValue(hundredths / 100.0); });
    connect(m_smoothingBox, &QDoubleSpinBox::valueChanged, this, [this](double weight) {
        showSmoothing(weight);
        Q_EMIT smoothingChosen(weight);
    });
}

void ChartControls::buildChoices(const QString& name) {
    m_xAxis = new QComboBox(this);
    m_xAxis->setObjectName(name + QStringLiteral(".xAxis"));
    m_xAxis->setAccessibleName(tr("x axis"));
    m_xAxis->setToolTip(tr("What the x axis counts"));
    m_xAxis->addItem(tr("x: step"), QVariant::fromValue(static_cast<int>(ChartX::Step)));
    m_xAxis->addItem(tr("x: tokens"), QVariant::fromValue(static_cast<int>(ChartX::Tokens)));
    m_xAxis->addItem(tr("x: time"), QVariant::fromValue(static_cast<int>(ChartX::Time)));
    connect(m_xAxis, &QComboBox::activated, this, [this](int i) { Q_EMIT xAxisChosen(static_cast<ChartX>(i)); });
    layout()->addWidget(m_xAxis);
    m_seedBands = new QComboBox(this);
    m_seedBands->setObjectName(name + QStringLiteral(".seedBands"));
    m_seedBands->setAccessibleName(tr("Seeds"));
    m_seedBands->setToolTip(tr("Runs that differ only in their seed: each by itself, or their mean with a band"));
    m_seedBands->addItem(tr("each seed"));
    m_seedBands->addItem(tr("mean, min–max"));
    m_seedBands->addItem(tr("mean ± error"));
    connect(m_seedBands, &QComboBox::activated, this, [this](int i) { Q_EMIT seedBandsChosen(static_cast<SeedBands>(i)); });
    layout()->addWidget(m_seedBands);
    m_logY = makeButton(this, name + QStringLiteral(".logY"), tr("log y"), tr("Logarithmic y axis; values up to 0 are hidden. Key: L"));
    m_logY->setCheckable(true);
    m_logY->setAutoRaise(false); // words without a frame would pass for a label
    connect(m_logY, &QToolButton::clicked, this, &ChartControls::logYChosen);
    layout()->addWidget(m_logY);
}

void ChartControls::buildExport() {
    m_export =
        makeButton(this, QStringLiteral("chartExportButton"), tr("Export chart"), tr("Save this chart as a picture, a page or numbers"));
    m_export->setPopupMode(QToolButton::InstantPopup);
    auto* menu = new QMenu(m_export);
    const auto add = [&](const QString& text, const QString& kind, double scale) {
        connect(menu->addAction(text), &QAction::triggered, this, [this, kind, scale] { Q_EMIT exportChosen(kind, scale); });
    };
    add(tr("PNG, size of the screen…"), QStringLiteral("png"), 1);
    add(tr("PNG, 2×…"), QStringLiteral("png"), 2);
    add(tr("PNG, 4×…"), QStringLiteral("png"), 4);
    add(tr("PDF…"), QStringLiteral("pdf"), 1);
    add(tr("CSV…"), QStringLiteral("csv"), 1);
    add(tr("Copy picture"), QStringLiteral("copy"), 2);
    menu->addSeparator();
    m_visibleOnly = menu->addAction(tr("Visible range only"));
    m_visibleOnly->setCheckable(true);
    m_visibleOnly->setChecked(true);
    m_smoothed = menu->addAction(tr("Smoothed values in CSV"));
    m_smoothed->setCheckable(true);
    menu->addSeparator();
    auto* order = menu->addMenu(tr("Order of the readout"));
    auto* group = new QActionGroup(order);
    const QStringList names{tr("As in the legend"), tr("By name"), tr("Lowest first"), tr("Highest first")};
    for (int i = 0; i < names.size(); ++i) {
        QAction* action = order->addAction(names[i]);
        action->setCheckable(true);
        action->setChecked(i == 0);
        group->addAction(action);
        connect(action, &QAction::triggered, this, [this, i] { Q_EMIT readoutOrderChosen(static_cast<ReadoutOrder>(i)); });
    }
    m_export->setMenu(menu);
    layout()->addWidget(m_export);
}

void ChartControls::bind(ChartGroup* group) {
    m_single = false;
    showSmoothing(group->smoothing());
    showXAxis(group->xAxis());
    showFollowing(group->isFollowing());
    connect(this, &ChartControls::smoothingChosen, group, &ChartGroup::setSmoothing);
    connect(this, &ChartControls::xAxisChosen, group, &ChartGroup::setXAxis);
    connect(this, &ChartControls::followChosen, group, &ChartGroup::setFollowing);
    connect(group, &ChartGroup::smoothingChanged, this, &ChartControls::showSmoothing);
    connect(group, &ChartGroup::xAxisChanged, this, &ChartControls::showXAxis);
    connect(group, &ChartGroup::followingChanged, this, &ChartControls::showFollowing);
    arrange();
}

void ChartControls::arrange() {
    for (QWidget* widget : {static_cast<QWidget*>(m_smoothingLabel), static_cast<QWidget*>(m_smoothing),
                            static_cast<QWidget*>(m_smoothingBox), static_cast<QWidget*>(m_xAxis)})
        widget->setVisible(!m_compact);
    m_seedBands->setVisible(!m_compact && m_seeds);
    m_logY->setVisible(!m_compact && m_single);
    m_table->setVisible(!m_compact && m_single);
    m_export->setVisible(m_single && (!m_floating || m_hovered));
    m_follow->setVisible(!m_compact || !m_follow->isChecked());
    if (m_floating) adjustSize();
    m_title->setVisible(!m_title->text().isEmpty());
}

void ChartControls::setCompact(bool compact) {
    m_compact = compact;
    arrange();
}

void ChartControls::setFloating(bool floating) {
    m_floating = floating;
    arrange();
}

void ChartControls::setHovered(bool hovered) {
    if (hovered == m_hovered) return;
    m_hovered = hovered;
    arrange();
    Q_EMIT arranged();
}

QMenu* ChartControls::exportMenu() const { return m_export->menu(); }

void ChartControls::setTitle(const QString& title) {
    m_title->setText(title);
    arrange();
}

void ChartControls::showSmoothing(double weight) {
    const QSignalBlocker quietSlider(m_smoothing), quietBox(m_smoothingBox);
    m_smoothing->setValue(qRound(weight * 100));
    m_smoothingBox->setValue(weight);
}

void ChartControls::showLogY(bool on) { m_logY->setChecked(on); }
void ChartControls::showXAxis(ChartX axis) { m_xAxis->setCurrentIndex(static_cast<int>(axis)); }
void ChartControls::showSeedBands(SeedBands bands) { m_seedBands->setCurrentIndex(static_cast<int>(bands)); }

void ChartControls::offerSeedBands(bool on) {
    if (on == m_seeds) return;
    m_seeds = on;
    arrange();
}

void ChartControls::showFollowing(bool on) {
    m_follow->setChecked(on);
    arrange();
    Q_EMIT arranged();
}

void ChartControls::showTable(bool on) { m_table->setChecked(on); }

void ChartControls::focusSmoothing() {
    if (m_compact) setCompact(false); // the row comes out when it is asked for
    m_smoothingBox->setFocus(Qt::ShortcutFocusReason);
    m_smoothingBox->selectAll();
}

bool ChartControls::exportVisibleRange() const { return m_visibleOnly->isChecked(); }
bool ChartControls::exportSmoothed() const { return m_smoothed->isChecked(); }

} // namespace qw::ui
