// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/qat_chart.h"

#include "charts/chart_data.h"
#include "charts/chart_group.h"
#include "theme/theme.h"

#include <QLabel>
#include <QVBoxLayout>
#include <cmath>

namespace qw::ui {

class ChartParts {
public:
    QLabel* title = nullptr;
    QString unit;
    double crosshair = std::nan("");
};

QatChart::QatChart(const QString& name, QWidget* parent)
    : QWidget(parent), m_data(std::make_unique<ChartData>()), m_parts(std::make_unique<ChartParts>()) {
    setObjectName(name);
    auto* layout = new QVBoxLayout(this);
    m_parts->title = new QLabel(this);
    layout->addWidget(m_parts->title);
}
QatChart::~QatChart() = default;

void QatChart::setTitle(const QString& title) { m_parts->title->setText(title); }
void QatChart::setUnit(const QString& unit) { m_parts->unit = unit; }
void QatChart::addSeries(const SeriesSpec& spec) { m_data->addSeries(spec); }
void QatChart::removeSeries(const QString& id) { m_data->removeSeries(id); }
void QatChart::clearSeries() { m_data->clear(); }
QStringList QatChart::seriesIds() const { return m_data->ids(); }
bool QatChart::hasSeries(const QString& id) const { return m_data->has(id); }
void QatChart::setPoints(const QString& id, std::span<const int64_t> steps, std::span<const double> values, std::span<const int64_t> tsMs) {
    m_data->setPoints(id, steps, values, tsMs);
}
void QatChart::append(const QString& id, std::span<const int64_t> steps, std::span<const double> values, std::span<const int64_t> tsMs) {
    m_data->append(id, steps, values, tsMs);
}
void QatChart::changeEvent(QEvent* event) { QWidget::changeEvent(event); }
void QatChart::showEvent(QShowEvent* event) { QWidget::showEvent(event); }
void QatChart::keyPressEvent(QKeyEvent* event) { QWidget::keyPressEvent(event); }

} // namespace qw::ui
