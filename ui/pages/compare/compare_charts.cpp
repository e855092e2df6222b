// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/compare/compare_charts.h"

#include "charts/bar_chart.h"
#include "charts/qat_chart.h"
#include "charts/scatter_chart.h"
#include "models/run_texts.h"
#include "pages/compare/metric_box.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>

namespace qw::ui {
namespace {

constexpr size_t kCurvePoints = 20'000; // a run; more are merged with their extremes

QString metricName(const study::Column& column) { return text(column.task + " " + column.metric); }
double shown(const study::Column& column, double value) { return column.accuracy ? 100 * value : value; }

int colourOfLine(const Comparison& comparison, const study::Line& line) {
    return line.rows.empty() ? 0 : comparison.runs[line.rows.front()].colour;
}

QHBoxLayout* labelled(QVBoxLayout* column, const std::vector<std::pair<QString, QWidget*>>& fields) {
    auto* row = new QHBoxLayout;
    for (const auto& [words, widget] : fields) {
        auto* label = new QLabel(words);
        label->setProperty("look", QStringLiteral("muted"));
        label->setBuddy(widget);
        row->addWidget(label);
        row->addWidget(widget);
    }
    row->addStretch(1);
    column->addLayout(row);
    return row;
}

QString pointTip(const study::Column& column, const study::Line& line, const study::Cell& cell) {
    const QLocale locale;
    const int digits = column.accuracy ? 2 : 3;
    QString words = text(line.label) + QLatin1Char('\n') + metricName(column) + QLatin1Char(' ') +
                    locale.toString(shown(column, *cell.value), 'f', digits);
    if (cell.whisker)
        words += QLatin1Char('\n') + BarsView::tr("95 %: %1 to %2")
                                         .arg(locale.toString(shown(column, cell.whisker->lower), 'f', digits),
                                              locale.toString(shown(column, cell.whisker->upper), 'f', digits));
    if (line.bytes > 0) words += QLatin1Char('\n') + sizeText(static_cast<double>(line.bytes));
    if (line.bitsPerWeight > 0)
        words += QLatin1Char('\n') + BarsView::tr("%1 bits a weight").arg(locale.toString(line.bitsPerWeight, 'f', 2));
    if (!cell.notComparable.empty()) words += QLatin1Char('\n') + BarsView::tr("not comparable: %1").arg(text(cell.notComparable));
    return words;
}

} // namespace

BarsView::BarsView(QWidget* parent) : QWidget(parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    m_metric = new MetricBox(this);
    m_metric->setObjectName(QStringLiteral("barsMetric"));
    labelled(column, {{tr("Metric"), m_metric}});
    m_chart = new BarChart(QStringLiteral("compareBars"), this);
    column->addWidget(m_chart, 1);
    connect(m_metric, &QComboBox::currentIndexChanged, this, &BarsView::draw);
    connect(m_chart, &BarChart::barClicked, this, &BarsView::runClicked);
}

void BarsView::setComparison(const ComparisonPtr& comparison) {
    m_comparison = comparison;
    m_metric->fill(*comparison);
    draw();
}

void BarsView::draw() {
    if (!m_comparison || m_metric->column() < 0) return;
    const auto at = static_cast<size_t>(m_metric->column());
    const auto& metric = m_comparison->table.columns[at];
    std::vector<Bar> bars;
    double reference = std::numeric_limits<double>::quiet_NaN();
    QString referenceName;
    for (size_t i = 0; i < m_comparison->table.lines.size(); ++i) {
        const auto& line = m_comparison->table.lines[i];
        const auto& cell = line.cells[at];
        if (!cell.value) continue;
        Bar bar;
        bar.id = m_comparison->runOfLine(static_cast<int>(i));
        bar.label = text(line.label);
        bar.value = shown(metric, *cell.value);
        if (cell.whisker) {
            bar.lower = shown(metric, cell.whisker->lower);
            bar.upper = shown(metric, cell.whisker->upper);
        }
        bar.colour = colourOfLine(*m_comparison, line);
        bar.faint = !cell.notComparable.empty();
        bar.tip = pointTip(metric, line, cell);
        bars.push_back(bar);
        if (line.reference >= 0 && referenceName.isEmpty()) {
            const auto& held = m_comparison->table.lines[static_cast<size_t>(line.reference)];
            if (held.cells[at].value) {
                reference = shown(metric, *held.cells[at].value);
                referenceName = text(held.label);
            }
        }
    }
    m_chart->setTitle(metricName(metric) + (metric.higherIsBetter ? tr(" (higher is better)") : tr(" (lower is better)")) +
                      tr(", whiskers 95 %"));
    m_chart->setUnit(metric.accuracy ? QStringLiteral("%") : QString());
    m_chart->setFromZero(false);
    m_chart->setBars(std::move(bars));
    m_chart->setReference(reference, referenceName);
}

ParetoView::ParetoView(QWidget* parent) : QWidget(parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    m_x = new QComboBox(this);
    m_x->setObjectName(QStringLiteral("paretoX"));
    m_x->addItems({tr("Size"), tr("Bits a weight"), tr("Speed")});
    m_x->setAccessibleName(tr("Cost"));
    m_x->setToolTip(tr("What the quality costs"));
    m_metric = new MetricBox(this);
    m_metric->setObjectName(QStringLiteral("paretoMetric"));
    labelled(column, {{tr("Cost"), m_x}, {tr("Quality"), m_metric}});
    m_chart = new ScatterChart(QStringLiteral("paretoChart"), this);
    column->addWidget(m_chart, 1);
    connect(m_x, &QComboBox::currentIndexChanged, this, &ParetoView::draw);
    connect(m_metric, &QComboBox::currentIndexChanged, this, &ParetoView::draw);
    connect(m_chart, &ScatterChart::pointClicked, this, &ParetoView::runClicked);
    connect(m_chart, &ScatterChart::pointActivated, this, &ParetoView::runClicked);
}

void ParetoView::setComparison(const ComparisonPtr& comparison) {
    m_comparison = comparison;
    m_metric->fill(*comparison);
    draw();
}

void ParetoView::draw() {
    if (!m_comparison || m_metric->column() < 0) return;
    const auto at = static_cast<size_t>(m_metric->column());
    const auto& metric = m_comparison->table.columns[at];
    const auto axis = static_cast<ParetoX>(m_x->currentIndex());
    std::vector<ScatterPoint> points;
    for (size_t i = 0; i < m_comparison->table.lines.size(); ++i) {
        const auto& line = m_comparison->table.lines[i];
        const auto& cell = line.cells[at];
        const double x = paretoValue(line, axis);
        if (!cell.value || !cell.notComparable.empty() || !(x == x)) continue;
        ScatterPoint point;
        point.id = m_comparison->runOfLine(static_cast<int>(i));
        point.label = text(line.label);
        point.x = axis == ParetoX::Size ? x / 1e6 : x;
        point.y = shown(metric, *cell.value);
        if (cell.whisker) {
            point.yLower = shown(metric, cell.whisker->lower);
            point.yUpper = shown(metric, cell.whisker->upper);
        }
        point.colour = colourOfLine(*m_comparison, line);
        point.tip = pointTip(metric, line, cell);
        points.push_back(point);
    }
    const QString names[] = {tr("size of the weights (MB)"), tr("bits a weight"), tr("evaluation tokens a second")};
    m_chart->setAxes(names[m_x->currentIndex()], axis == ParetoX::Speed ? stats::Better::Higher : stats::Better::Lower,
                     metricName(metric) + (metric.accuracy ? QStringLiteral(" (%)") : QString()),
                     metric.higherIsBetter ? stats::Better::Higher : stats::Better::Lower);
    m_chart->setPoints(std::move(points));
}

CurvesView::CurvesView(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    m_series = new QComboBox(this);
    m_series->setObjectName(QStringLiteral("curvesSeries"));
    m_series->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_series->setAccessibleName(tr("Curve"));
    m_series->setToolTip(tr("The measured series that is drawn"));
    labelled(column, {{tr("Curve"), m_series}});
    m_chart = new QatChart(QStringLiteral("curvesOverlay"), this);
    m_chart->setEmptyText(tr("None of these runs measured this."));
    column->addWidget(m_chart, 1);
    connect(m_series, &QComboBox::currentIndexChanged, this, &CurvesView::draw);
}

void CurvesView::setComparison(const ComparisonPtr& comparison) {
    m_comparison = comparison;
    const QString before = m_series->currentText();
    QStringList names;
    for (const auto& run : comparison->runs)
        for (const auto& name : run.series) names << name;
    names.removeDuplicates();
    names.sort();
    const QSignalBlocker quiet(m_series);
    m_series->clear();
    m_series->addItems(names);
    const qsizetype kept = names.indexOf(before), loss = names.indexOf(QStringLiteral("train.loss"));
    m_series->setCurrentIndex(static_cast<int>(kept >= 0 ? kept : std::max<qsizetype>(loss, names.isEmpty() ? -1 : 0)));
    draw();
}

void CurvesView::draw() {
    const QString name = m_series->currentText();
    m_chart->clearSeries();
    m_chart->setTitle(name);
    if (!m_comparison || name.isEmpty()) return;
    using Curves = std::vector<std::pair<size_t, store::SeriesData>>;
    m_session.project.query<Curves>(
        QStringLiteral("compareCurves"),
        [comparison = m_comparison, name](store::Store& store) -> Result<Curves> {
            Curves curves;
            for (size_t i = 0; i < comparison->runs.size(); ++i) {
                const auto& run = comparison->runs[i];
                if (std::ranges::find(run.series, name) == run.series.end()) continue;
                QW_TRY(auto data, store.series(utf8(run.uid), utf8(name), INT64_MIN, INT64_MAX, kCurvePoints));
                curves.emplace_back(i, std::move(data));
            }
            return curves;
        },
        this,
        [this, comparison = m_comparison, name](Result<Curves> curves) {
            if (!curves || comparison != m_comparison || name != m_series->currentText()) return;
            m_chart->clearSeries();
            for (const auto& [i, data] : *curves) {
                SeriesSpec spec;
                spec.id = comparison->runs[i].uid;
                spec.label = text(comparison->rows[i].label);
                spec.colour = comparison->runs[i].colour;
                spec.points = name.startsWith(QLatin1String("eval."));
                m_chart->addSeries(spec);
                m_chart->setPoints(spec.id, data.step, data.mean);
            }
        });
}

} // namespace qw::ui
