// SPDX-License-Identifier: GPL-3.0-or-later
// What: builds the parts of a QatChart, connects them, keeps what stands beside the plot.
#include "charts/chart_parts.h"
#include "charts/qat_chart.h"

#include <QHeaderView>
#include <QLocale>
#include <QMenu>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

constexpr int kTablePauseMs = 500;

QString dotted(const QString& name, const char* part) { return name + QLatin1Char('.') + QLatin1String(part); }

} // namespace

QatChart::QatChart(const QString& name, QWidget* parent)
    : QWidget(parent), m_data(std::make_unique<ChartData>()), m_parts(std::make_unique<ChartParts>()) {
    setObjectName(name);
    build(name);
    wire();
    updateLayout();
}

QatChart::~QatChart() {
    if (m_parts->group) m_parts->group->report(this, true);
}

void QatChart::build(const QString& name) {
    ChartParts& p = *m_parts;
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    p.controls = new ChartControls(name, this);
    column->addWidget(p.controls);
    p.stack = new QStackedWidget(this);
    p.splitter = new QSplitter(Qt::Horizontal, p.stack);
    p.splitter->setChildrenCollapsible(false);
    p.plot = new ChartPlot(*m_data, p.splitter);
    p.plot->setObjectName(dotted(name, "plot"));
    p.plot->setToolTip({});
    p.legend = new ChartLegend(dotted(name, "legend"), *m_data, p.splitter);
    p.splitter->setStretchFactor(0, 1);
    p.splitter->setStretchFactor(1, 0);
    p.stack->addWidget(p.splitter);
    p.model = new ChartTableModel(*m_data, this);
    p.table = new QTableView(p.stack);
    p.table->setObjectName(QStringLiteral("chartDataTable"));
    p.table->setAccessibleName(tr("Points of the chart"));
    p.table->setToolTip(tr("The points of the visible range"));
    p.table->setTabKeyNavigation(false);
    p.table->setAlternatingRowColors(true);
    p.table->setModel(p.model);
    p.table->verticalHeader()->hide();
    p.table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() * 3 / 2);
    p.table->horizontalHeader()->setResizeContentsPrecision(100); // rows looked at for the width
    p.stack->addWidget(p.table);
    column->addWidget(p.stack, 1);
    p.note = new QLabel(this);
    p.note->setProperty("look", QStringLiteral("muted"));
    p.note->hide();
    column->addWidget(p.note);
    p.readout = new ChartReadout(dotted(name, "readout"), *p.plot);
    p.tableTimer.setSingleShot(true);
    p.tableTimer.setInterval(kTablePauseMs);
    setFocusProxy(p.plot);
}

void QatChart::wire() {
    ChartParts& p = *m_parts;
    connect(m_data.get(), &ChartData::pointsChanged, p.plot, &ChartPlot::scheduleReplot);
    connect(m_data.get(), &ChartData::curvesChanged, this, [this] {
        m_parts->plot->scheduleReplot();
        updateLayout();
    });
    connect(p.plot, &ChartPlot::drawn, this, &QatChart::updateWords);
    connect(p.plot, &ChartPlot::followingChanged, this, [this](bool on) {
        m_parts->controls->showFollowing(on);
        if (m_parts->group) m_parts->group->report(this, on);
        Q_EMIT followingChanged(on);
    });
    connect(p.plot, &ChartPlot::crosshairMoved, this, [this](double step) {
        m_parts->readout->refresh();
        if (m_parts->group) m_parts->group->setCrosshair(step);
        Q_EMIT crosshairMoved(step);
    });
    connect(p.splitter, &QSplitter::splitterMoved, this, [this] { m_parts->legendMoved = true; });
    connect(p.plot, &ChartPlot::pinsChanged, p.readout, &ChartReadout::refresh);
    connect(p.plot, &ChartPlot::windowChanged, this, [this] {
        if (isTableShown()) m_parts->tableTimer.start();
    });
    connect(&p.tableTimer, &QTimer::timeout, this, &QatChart::updateTable);
    connect(p.legend, &ChartLegend::lifted, this, [this](const QString& id) {
        if (id != m_parts->plot->picture().lifted) m_parts->plot->change([&](ChartPicture& picture) { picture.lifted = id; });
    });
    connect(p.legend, &ChartLegend::clicked, this, [this](const QString& id) {
        Q_EMIT seriesClicked(id);
        Q_EMIT viewStateChanged();
    });
    connect(p.controls, &ChartControls::smoothingChosen, this, &QatChart::setSmoothing);
    connect(p.controls, &ChartControls::logYChosen, this, &QatChart::setLogY);
    connect(p.controls, &ChartControls::xAxisChosen, this, &QatChart::setXAxis);
    connect(p.controls, &ChartControls::seedBandsChosen, this, &QatChart::setSeedBands);
    connect(p.controls, &ChartControls::followChosen, this, &QatChart::setFollowing);
    connect(p.controls, &ChartControls::tableChosen, this, &QatChart::setTableShown);
    connect(p.controls, &ChartControls::readoutOrderChosen, this, &QatChart::setReadoutOrder);
    connect(p.controls, &ChartControls::exportChosen, this, &QatChart::askExport);
    connect(p.controls, &ChartControls::arranged, this, &QatChart::placeControls);
    connect(p.plot, &QCustomPlot::afterLayout, this, &QatChart::placeControls);
    connect(&Theme::instance(), &Theme::changed, this, [this] { m_parts->plot->applyTheme(Theme::instance().table()); });
}

void QatChart::setTitle(const QString& title) {
    m_parts->title = title;
    m_parts->controls->setTitle(title);
    placeControls();
    m_parts->plot->setAccessibleName(title.isEmpty() ? tr("Chart") : tr("Chart: %1").arg(title));
    setAccessibleName(m_parts->plot->accessibleName());
}

void QatChart::setUnit(const QString& unit) {
    m_parts->unit = unit;
    m_parts->plot->setUnit(unit);
}

void QatChart::setEmptyText(const QString& text) {
    m_parts->plot->change([&](ChartPicture& picture) { picture.emptyText = text; });
}

void QatChart::setCompact(bool compact) {
    m_parts->compact = compact;
    m_parts->controls->setCompact(compact);
    placeControls();
    updateLayout();
}

QMenu* QatChart::exportMenu() const { return m_parts->controls->exportMenu(); }

void QatChart::placeControls() {
    ChartControls& controls = *m_parts->controls;
    const bool floating = m_parts->compact && m_parts->title.isEmpty() && !controls.hasWholeRow();
    if (floating != (controls.parentWidget() == m_parts->plot)) {
        auto* column = static_cast<QVBoxLayout*>(layout());
        if (floating)
            controls.setParent(m_parts->plot);
        else
            column->insertWidget(0, &controls);
        controls.setFloating(floating);
        controls.show();
    }
    if (!floating) return;
    controls.adjustSize();
    const QRect inside = m_parts->plot->axisRect()->rect();
    controls.move(inside.right() - controls.width(), inside.top());
}

void QatChart::setLegendShown(bool shown) {
    m_parts->legendShown = shown;
    updateLayout();
}

void QatChart::setGroup(ChartGroup* group) {
    if (m_parts->group) {
        m_parts->group->disconnect(this);
        m_parts->group->report(this, true);
    }
    m_parts->group = group;
    if (!group) return;
    setSmoothing(group->smoothing());
    setXAxis(group->xAxis());
    connect(group, &ChartGroup::smoothingChanged, this, &QatChart::setSmoothing);
    connect(group, &ChartGroup::xAxisChanged, this, &QatChart::setXAxis);
    connect(group, &ChartGroup::followingChosen, this, &QatChart::setFollowing);
    connect(group, &ChartGroup::crosshairMoved, this, &QatChart::setCrosshair);
}

void QatChart::updateLayout() {
    const auto& curves = m_data->curves();
    m_parts->legend->setVisible(m_parts->legendShown.value_or(curves.size() > 1 && !m_parts->compact));
    const QStringList ids = m_data->ids();
    QSet<QString> groups;
    bool seeds = false;
    for (const QString& id : ids)
        if (const QString& group = m_data->spec(id)->group; !group.isEmpty()) {
            seeds = seeds || groups.contains(group);
            groups.insert(group);
        }
    m_parts->controls->offerSeedBands(seeds);
    m_parts->legend->refresh();
    if (m_parts->legendMoved || !m_parts->legend->isVisibleTo(this)) return;
    const int wanted = m_parts->legend->sizeHint().width(), width = m_parts->splitter->width();
    m_parts->splitter->setSizes({std::max(width - wanted, width / 2), wanted});
}

void QatChart::updateWords() {
    ChartParts& p = *m_parts;
    p.legend->refresh();
    p.readout->refresh();
    QStringList last;
    for (const ChartCurve& curve : m_data->curves())
        if (curve.visible && !curve.line->empty()) last << numberText(curve.line->values(Values::Smoothed).back(), 4);
    const QString name = p.title.isEmpty() ? tr("chart") : p.title;
    const QString words =
        last.isEmpty()
            ? tr("%1, no data").arg(name)
            : (last.size() == 1 ? tr("%1, 1 run, last value %2").arg(name, last.front())
                                : tr("%1, %2 runs, last values %3").arg(name).arg(last.size()).arg(last.join(QStringLiteral(", "))));
    if (words != p.plot->accessibleDescription()) {
        p.plot->setAccessibleDescription(words);
        setAccessibleDescription(words);
    }
    const size_t hidden = logY() ? m_data->hiddenOnLog() : 0;
    p.note->setVisible(hidden > 0);
    if (hidden > 0)
        p.note->setText(hidden == 1 ? tr("1 value up to 0 is hidden on the logarithmic axis")
                                    : tr("%1 values up to 0 are hidden on the logarithmic axis").arg(hidden));
    if (isTableShown() && !p.tableTimer.isActive()) p.tableTimer.start();
}

void QatChart::setTableShown(bool shown) {
    m_parts->controls->showTable(shown);
    m_parts->stack->setCurrentIndex(shown ? 1 : 0);
    if (!shown) return;
    m_parts->plot->replotNow();
    updateTable();
}
bool QatChart::isTableShown() const { return m_parts->stack->currentIndex() == 1; }

void QatChart::updateTable() {
    if (!isTableShown()) return;
    m_parts->model->rebuild(xLower(), xUpper(), true);
    m_parts->table->resizeColumnsToContents();
}

} // namespace qw::ui
