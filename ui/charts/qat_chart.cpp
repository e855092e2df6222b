// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/qat_chart.h"

#include "charts/chart_export.h"
#include "charts/chart_parts.h"

#include <QClipboard>
#include <QGuiApplication>
#include <cmath>

namespace qw::ui {

void QatChart::addSeries(const SeriesSpec& spec) { m_data->addSeries(spec); }
void QatChart::removeSeries(const QString& id) { m_data->removeSeries(id); }
void QatChart::clearSeries() { m_data->clear(); }
QStringList QatChart::seriesIds() const { return m_data->ids(); }
bool QatChart::hasSeries(const QString& id) const { return m_data->has(id); }

void QatChart::setPoints(const QString& id, std::span<const int64_t> steps, std::span<const double> values, std::span<const int64_t> tsMs) {
    m_data->setPoints(id, steps, values, tsMs);
}

void QatChart::append(const QString& id, int64_t step, double value, int64_t tsMs) {
    m_data->append(id, {&step, 1}, {&value, 1}, tsMs == 0 ? std::span<const int64_t>() : std::span<const int64_t>(&tsMs, 1));
}

void QatChart::append(const QString& id, std::span<const int64_t> steps, std::span<const double> values, std::span<const int64_t> tsMs) {
    m_data->append(id, steps, values, tsMs);
}

void QatChart::truncate(const QString& id, int64_t fromStep) { m_data->truncate(id, static_cast<double>(fromStep)); }
void QatChart::setTokensPerStep(const QString& id, double tokens) { m_data->setTokensPerStep(id, tokens); }
void QatChart::setSeriesVisible(const QString& id, bool visible) { m_data->setVisible(id, visible); }
bool QatChart::isSeriesVisible(const QString& id) const { return !m_data->hidden().contains(id); }

int64_t QatChart::lastStep(const QString& id) const {
    const ChartSeries* points = m_data->points(id);
    return points && !points->empty() ? static_cast<int64_t>(points->steps().back()) : -1;
}

QColor QatChart::colourOf(const QString& id) const {
    const SeriesSpec* spec = m_data->spec(id);
    return spec ? lineStyle(*spec, Theme::instance().table()).colour : QColor();
}

void QatChart::setBand(const ChartBand& band) {
    m_parts->plot->change([&](ChartPicture& picture) {
        std::erase_if(picture.bands, [&](const ChartBand& b) { return b.id == band.id; });
        picture.bands.push_back(band);
    });
}

void QatChart::removeBand(const QString& id) {
    m_parts->plot->change([&](ChartPicture& picture) { std::erase_if(picture.bands, [&](const ChartBand& b) { return b.id == id; }); });
}

void QatChart::setFlags(const std::vector<ChartFlag>& flags) {
    m_parts->plot->change([&](ChartPicture& picture) { picture.flags = flags; });
}

void QatChart::addFlag(const ChartFlag& flag) {
    m_parts->plot->change([&](ChartPicture& picture) { picture.flags.push_back(flag); });
}

void QatChart::setSmoothing(double weight) {
    if (std::clamp(weight, 0.0, 0.999) == m_data->smoothing()) return;
    m_data->setSmoothing(weight);
    m_parts->controls->showSmoothing(m_data->smoothing());
    if (m_parts->group) m_parts->group->setSmoothing(weight);
    Q_EMIT viewStateChanged();
}
double QatChart::smoothing() const { return m_data->smoothing(); }

void QatChart::setLogY(bool on) {
    if (on == logY()) return;
    m_parts->plot->setLogY(on);
    m_parts->controls->showLogY(on);
    Q_EMIT viewStateChanged();
}
bool QatChart::logY() const { return m_parts->plot->logY(); }

void QatChart::setXAxis(ChartX axis) {
    if (axis == m_data->xAxis()) return;
    m_data->setXAxis(axis);
    m_parts->plot->axisChanged();
    m_parts->controls->showXAxis(axis);
    if (m_parts->group) m_parts->group->setXAxis(axis);
    Q_EMIT viewStateChanged();
}
ChartX QatChart::xAxis() const { return m_data->xAxis(); }

void QatChart::setSeedBands(SeedBands bands) {
    if (bands == m_data->seedBands()) return;
    m_data->setSeedBands(bands);
    m_parts->controls->showSeedBands(bands);
    Q_EMIT viewStateChanged();
}

void QatChart::setLook(double lineWidth, bool rawBehindSmoothed) {
    m_parts->plot->change([&](ChartPicture& picture) {
        picture.lineWidth = lineWidth;
        picture.rawBehind = rawBehindSmoothed;
    });
}

void QatChart::setFollowing(bool on) { m_parts->plot->setFollowing(on); }
bool QatChart::isFollowing() const { return m_parts->plot->range().isFollowing(); }

void QatChart::setReadoutOrder(ReadoutOrder order) {
    if (order == m_parts->readout->order()) return;
    m_parts->readout->setOrder(order);
    Q_EMIT viewStateChanged();
}

void QatChart::resetZoom() { m_parts->plot->resetZoom(); }
void QatChart::zoomBack() { m_parts->plot->zoomBack(); }
void QatChart::zoomBy(double factor) { m_parts->plot->zoomBy(factor); }
double QatChart::xLower() const { return m_parts->plot->range().window().xLower; }
double QatChart::xUpper() const { return m_parts->plot->range().window().xUpper; }
double QatChart::yLower() const { return m_parts->plot->range().window().yLower; }
double QatChart::yUpper() const { return m_parts->plot->range().window().yUpper; }
void QatChart::setRange(double xLower, double xUpper, double yLower, double yUpper) {
    m_parts->plot->setWindow({xLower, xUpper, yLower, yUpper});
}

void QatChart::setCrosshair(double step) {
    m_parts->plot->setCrosshair(step);
    m_parts->readout->refresh();
}
double QatChart::crosshair() const { return m_parts->plot->picture().crosshair; }
std::vector<ReadoutRow> QatChart::readout() const { return readoutAt(*m_parts->plot, crosshair(), m_parts->readout->order()); }
void QatChart::togglePin(double step) { m_parts->plot->togglePin(step); }
std::vector<double> QatChart::pins() const { return m_parts->plot->picture().pins; }

QImage QatChart::image(double scale) const { return chartImage(*m_parts->plot, m_parts->title, scale, Theme::instance().table()); }

Status QatChart::exportPng(const QString& file, const ExportOptions& options) const { return writePng(file, image(options.scale)); }
Status QatChart::exportPdf(const QString& file, const ExportOptions&) const { return writePdf(file, *m_parts->plot, m_parts->title); }

Status QatChart::exportCsv(const QString& file, const ExportOptions& options) const {
    ChartTableModel rows(*m_data);
    const double all = std::numeric_limits<double>::infinity();
    m_parts->plot->replotNow(); // the range that new points ask for
    rows.rebuild(options.visibleRange ? xLower() : -all, options.visibleRange ? xUpper() : all, options.smoothed);
    return writeBytes(file, rows.csv());
}

void QatChart::copyToClipboard() const { QGuiApplication::clipboard()->setImage(image(2)); }

QVariantMap QatChart::viewState() const {
    QStringList hidden(m_data->hidden().cbegin(), m_data->hidden().cend());
    hidden.sort();
    return {{QStringLiteral("smoothing"), smoothing()},
            {QStringLiteral("logY"), logY()},
            {QStringLiteral("xAxis"), static_cast<int>(xAxis())},
            {QStringLiteral("seedBands"), static_cast<int>(m_data->seedBands())},
            {QStringLiteral("readoutOrder"), static_cast<int>(m_parts->readout->order())},
            {QStringLiteral("hidden"), hidden}};
}

void QatChart::restoreViewState(const QVariantMap& state) {
    const auto number = [&](const char* key, int most) { return std::clamp(state.value(QLatin1String(key)).toInt(), 0, most); };
    if (const auto weight = state.value(QStringLiteral("smoothing")); weight.canConvert<double>()) setSmoothing(weight.toDouble());
    setLogY(state.value(QStringLiteral("logY")).toBool());
    setXAxis(static_cast<ChartX>(number("xAxis", 2)));
    setSeedBands(static_cast<SeedBands>(number("seedBands", 2)));
    setReadoutOrder(static_cast<ReadoutOrder>(number("readoutOrder", 3)));
    const QStringList hidden = state.value(QStringLiteral("hidden")).toStringList();
    m_data->setHidden({hidden.cbegin(), hidden.cend()});
}

double QatChart::replotTime() const { return m_parts->plot->replotTime(); }
void QatChart::replotNow() { m_parts->plot->replotNow(); }

} // namespace qw::ui
