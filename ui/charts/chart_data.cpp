// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/chart_data.h"

#include "stats/seed_band.h"

#include <algorithm>

namespace qw::ui {

ChartData::ChartData(QObject* parent) : QObject(parent) {}
ChartData::~ChartData() = default;

ChartData::Entry* ChartData::find(const QString& id) const {
    const auto at = std::find_if(m_entries.begin(), m_entries.end(), [&](const auto& e) { return e->spec.id == id; });
    return at == m_entries.end() ? nullptr : at->get();
}

void ChartData::changed() {
    m_stale = true;
    Q_EMIT curvesChanged();
}

void ChartData::addSeries(const SeriesSpec& spec) {
    Entry* entry = find(spec.id);
    if (!entry) {
        m_entries.push_back(std::make_unique<Entry>());
        entry = m_entries.back().get();
    }
    entry->spec = spec;
    entry->points.setSmoothing(spec.smooth ? m_smoothing : 0);
    m_means.clear();
    changed();
}

void ChartData::removeSeries(const QString& id) {
    if (std::erase_if(m_entries, [&](const auto& e) { return e->spec.id == id; }) == 0) return;
    m_means.clear();
    changed();
}

void ChartData::clear() {
    m_entries.clear();
    m_means.clear();
    changed();
}

QStringList ChartData::ids() const {
    QStringList out;
    for (const auto& entry : m_entries) out << entry->spec.id;
    return out;
}

const SeriesSpec* ChartData::spec(const QString& id) const {
    const Entry* entry = find(id);
    return entry ? &entry->spec : nullptr;
}

const ChartSeries* ChartData::points(const QString& id) const {
    const Entry* entry = find(id);
    return entry ? &entry->points : nullptr;
}

void ChartData::setPoints(const QString& id, std::span<const int64_t> steps, std::span<const double> values,
                          std::span<const int64_t> tsMs) {
    Entry* entry = find(id);
    if (!entry) return;
    entry->points.clear();
    const int64_t start = entry->spec.startMs != 0 || tsMs.empty() ? entry->spec.startMs : tsMs.front();
    if (entry->spec.startMs == 0) entry->spec.startMs = start;
    entry->points.append(steps, values, tsMs, start);
    touch(*entry);
}

void ChartData::append(const QString& id, std::span<const int64_t> steps, std::span<const double> values, std::span<const int64_t> tsMs) {
    Entry* entry = find(id);
    if (!entry || steps.empty()) return;
    if (entry->spec.startMs == 0 && !tsMs.empty()) entry->spec.startMs = tsMs.front();
    entry->points.append(steps, values, tsMs, entry->spec.startMs);
    touch(*entry);
}

void ChartData::truncate(const QString& id, double fromStep) {
    Entry* entry = find(id);
    if (!entry) return;
    entry->points.truncate(fromStep);
    touch(*entry);
}

void ChartData::setTokensPerStep(const QString& id, double tokens) {
    Entry* entry = find(id);
    if (!entry || entry->spec.tokensPerStep == tokens) return;
    entry->spec.tokensPerStep = tokens;
    changed();
}

void ChartData::touch(Entry& entry) {
    if (!entry.spec.group.isEmpty() && m_seedBands != SeedBands::Off) {
        for (const auto& mean : m_means)
            if (mean->group == entry.spec.group) mean->stale = true;
        m_stale = true;
    }
    Q_EMIT pointsChanged();
}

void ChartData::setVisible(const QString& curveId, bool visible) {
    if (visible == !m_hidden.contains(curveId)) return;
    if (visible)
        m_hidden.remove(curveId);
    else
        m_hidden.insert(curveId);
    changed();
}

void ChartData::setHidden(const QSet<QString>& curveIds) {
    if (curveIds == m_hidden) return;
    m_hidden = curveIds;
    changed();
}

void ChartData::setSmoothing(double weight) {
    weight = std::clamp(weight, 0.0, 0.999);
    if (weight == m_smoothing) return;
    m_smoothing = weight;
    for (const auto& entry : m_entries)
        if (entry->spec.smooth) entry->points.setSmoothing(weight);
    for (const auto& mean : m_means) mean->stale = true;
    changed();
}

void ChartData::setXAxis(ChartX axis) {
    if (axis == m_xAxis) return;
    m_xAxis = axis;
    changed();
}

void ChartData::setSeedBands(SeedBands bands) {
    if (bands == m_seedBands) return;
    m_seedBands = bands;
    m_means.clear();
    changed();
}

ChartData::Mean& ChartData::meanOf(const QString& group) const {
    const auto at = std::find_if(m_means.begin(), m_means.end(), [&](const auto& m) { return m->group == group; });
    if (at != m_means.end()) return **at;
    m_means.push_back(std::make_unique<Mean>());
    m_means.back()->group = group;
    return *m_means.back();
}

void ChartData::compute(Mean& mean) const {
    std::vector<stats::SeedRun> runs;
    const ChartSeries* clock = nullptr; // the longest member tells the time of a step
    bool smooth = true;
    for (const auto& entry : m_entries) {
        if (entry->spec.group != mean.group) continue;
        runs.push_back({entry->points.steps(), entry->points.values(Values::Raw)});
        smooth = smooth && entry->spec.smooth;
        if (entry->points.hasAxis(ChartX::Time, 0) && (!clock || entry->points.size() > clock->size())) clock = &entry->points;
    }
    stats::SeedBand band = stats::seedBand(runs, m_seedBands == SeedBands::MinMax ? stats::Spread::MinMax : stats::Spread::StandardError);
    std::vector<double> seconds;
    if (clock && !clock->empty())
        for (const double step : band.x) seconds.push_back(clock->seconds()[clock->nearest(step, ChartX::Step, 0)]);
    mean.line.assign(band.x, seconds, std::move(band.mean));
    mean.low.assign(band.x, seconds, std::move(band.low));
    mean.high.assign(std::move(band.x), std::move(seconds), std::move(band.high));
    // The average is linear and keeps order: the smoothed mean lies between the smoothed edges.
    for (ChartSeries* line : {&mean.line, &mean.low, &mean.high}) line->setSmoothing(smooth ? m_smoothing : 0);
    mean.stale = false;
}

const std::vector<ChartCurve>& ChartData::curves() const {
    if (!m_stale) return m_curves;
    m_curves.clear();
    QSet<QString> done;
    for (const auto& entry : m_entries) {
        const QString& group = entry->spec.group;
        const auto members =
            group.isEmpty() ? 1 : std::count_if(m_entries.begin(), m_entries.end(), [&](const auto& e) { return e->spec.group == group; });
        ChartCurve curve;
        curve.spec = entry->spec;
        curve.line = &entry->points;
        if (m_seedBands != SeedBands::Off && members > 1) {
            if (done.contains(group)) continue;
            done.insert(group);
            Mean& mean = meanOf(group);
            if (mean.stale) compute(mean);
            curve.spec.id = QStringLiteral("group:") + group;
            if (!entry->spec.groupLabel.isEmpty()) curve.spec.label = entry->spec.groupLabel;
            curve.members = static_cast<int>(members);
            curve.line = &mean.line;
            curve.low = &mean.low;
            curve.high = &mean.high;
        }
        curve.visible = !m_hidden.contains(curve.spec.id);
        m_curves.push_back(std::move(curve));
    }
    m_stale = false;
    return m_curves;
}

const ChartCurve* ChartData::curve(const QString& id) const {
    const auto& all = curves();
    const auto at = std::find_if(all.begin(), all.end(), [&](const ChartCurve& c) { return c.spec.id == id; });
    return at == all.end() ? nullptr : &*at;
}

ChartData::Range ChartData::xRange() const {
    Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
    for (const ChartCurve& curve : curves()) {
        if (!drawn(curve, m_xAxis)) continue;
        range.lower = std::min(range.lower, curve.x(0, m_xAxis));
        range.upper = std::max(range.upper, curve.x(curve.line->size() - 1, m_xAxis));
    }
    return range;
}

stats::Extent ChartData::yExtent(double xLower, double xUpper) const {
    stats::Extent extent;
    for (const ChartCurve& curve : curves()) {
        if (!drawn(curve, m_xAxis)) continue;
        const size_t from = curve.lowerBound(xLower, m_xAxis);
        size_t to = curve.lowerBound(xUpper, m_xAxis);
        if (to < curve.line->size() && curve.x(to, m_xAxis) <= xUpper) ++to;
        extent.add(curve.line->extent(Values::Raw, from, to));
        for (const ChartSeries* edge : {curve.low, curve.high})
            if (edge) extent.add(edge->extent(Values::Smoothed, from, to));
    }
    return extent;
}

size_t ChartData::hiddenOnLog() const {
    size_t count = 0;
    for (const ChartCurve& curve : curves())
        if (drawn(curve, m_xAxis)) count += curve.line->notPositive();
    return count;
}

} // namespace qw::ui
