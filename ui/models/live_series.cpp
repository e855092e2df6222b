// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/live_series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace qw::ui {
namespace {

constexpr const char* kLayer = "layer.";
constexpr const char* kWorst = "worst";
constexpr const char* kMedian = "median";

std::string layerCurve(const std::string& kind, const std::string& layer) { return kLayer + kind + ":" + layer; }

void truncate(LiveCurve& curve, int64_t fromStep) {
    const auto at = std::lower_bound(curve.steps.begin(), curve.steps.end(), fromStep) - curve.steps.begin();
    curve.steps.resize(static_cast<size_t>(at));
    curve.values.resize(static_cast<size_t>(at));
}

// Middle value; of an even count the lower one, so that it is a value of a layer.
double middle(std::vector<double> values) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

} // namespace

std::pair<std::string, std::string> layerOf(const std::string& curve) {
    if (!curve.starts_with(kLayer)) return {};
    const size_t colon = curve.find(':');
    if (colon == std::string::npos) return {};
    const size_t start = std::char_traits<char>::length(kLayer);
    return {curve.substr(start, colon - start), curve.substr(colon + 1)};
}

bool highIsBad(const std::string& kind) { return kind.find("sqnr") == std::string::npos; }

void LiveSeries::setHistory(LiveHistory history) {
    clear();
    m_seq = history.seq;
    m_curves = std::move(history.curves);
    // Steps at which any layer of a kind was measured, in order, and the values seen until then.
    std::map<std::string, std::vector<std::tuple<int64_t, std::string, double>>> points;
    for (const auto& [name, curve] : m_curves)
        if (const auto [kind, layer] = layerOf(name); !kind.empty())
            for (size_t i = 0; i < curve.steps.size(); ++i) points[kind].emplace_back(curve.steps[i], layer, curve.values[i]);
    std::vector<LiveEdit> ignored;
    for (auto& [kind, list] : points) {
        std::sort(list.begin(), list.end());
        for (size_t i = 0; i < list.size(); ++i) {
            const auto& [step, layer, value] = list[i];
            m_latest[kind][layer] = value;
            if (i + 1 == list.size() || std::get<0>(list[i + 1]) != step) summarise(kind, step, ignored);
        }
    }
}

void LiveSeries::put(const std::string& name, int64_t step, double value, std::vector<LiveEdit>& edits) {
    LiveCurve& curve = m_curves[name];
    if (!curve.steps.empty() && step <= curve.steps.back()) truncate(curve, step);
    curve.steps.push_back(step);
    curve.values.push_back(value);
    edits.push_back({LiveEdit::Kind::Point, name, step, value});
}

void LiveSeries::cut(int64_t fromStep) {
    for (auto& [name, curve] : m_curves) truncate(curve, fromStep);
    takeLatest(fromStep);
}

void LiveSeries::takeLatest(int64_t upToStep) {
    m_latest.clear();
    for (const auto& [name, curve] : m_curves) {
        const auto [kind, layer] = layerOf(name);
        if (kind.empty() || layer == kWorst || layer == kMedian) continue;
        const auto behind = std::upper_bound(curve.steps.begin(), curve.steps.end(), upToStep) - curve.steps.begin();
        if (behind > 0) m_latest[kind][layer] = curve.values[static_cast<size_t>(behind - 1)];
    }
}

void LiveSeries::summarise(const std::string& kind, int64_t step, std::vector<LiveEdit>& edits) {
    std::vector<double> values;
    for (const auto& [layer, value] : m_latest[kind])
        if (std::isfinite(value)) values.push_back(value);
    if (values.empty()) return;
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    put(layerCurve(kind, kWorst), step, highIsBad(kind) ? *most : *least, edits);
    put(layerCurve(kind, kMedian), step, middle(values), edits);
}

std::vector<LiveEdit> LiveSeries::apply(const wire::Event& event) {
    std::vector<LiveEdit> edits;
    if (event.seq <= m_seq) return edits;
    m_seq = event.seq;
    if (const auto* metrics = std::get_if<wire::Metrics>(&event.payload)) {
        for (const auto& [name, value] : metrics->values) put(name, metrics->step, value, edits);
    } else if (const auto* stats = std::get_if<wire::LayerStats>(&event.payload)) {
        // An event that is replayed looks back: the other layers are taken as they were then.
        for (const auto& [kind, value] : stats->values)
            if (const LiveCurve* worst = curve(layerCurve(kind, kWorst));
                worst && !worst->steps.empty() && stats->step < worst->steps.back())
                takeLatest(stats->step);
        for (const auto& [kind, value] : stats->values) {
            put(layerCurve(kind, stats->layer), stats->step, value, edits);
            m_latest[kind][stats->layer] = value;
            summarise(kind, stats->step, edits);
        }
    } else if (const auto* attempt = std::get_if<wire::Attempt>(&event.payload)) {
        cut(attempt->fromStep);
        edits.push_back({LiveEdit::Kind::Cut, {}, attempt->fromStep, 0});
    } else if (const auto* done = std::get_if<wire::EvalDone>(&event.payload)) {
        const LiveCurve* loss = curve("train.loss");
        const int64_t last = loss && !loss->steps.empty() ? loss->steps.back() : 0;
        const int64_t step = done->result.atStep >= 0 ? done->result.atStep : last;
        for (const auto& metric : done->result.metrics) put("task." + done->result.task + "." + metric.name, step, metric.value, edits);
    }
    return edits;
}

const LiveCurve* LiveSeries::curve(const std::string& name) const {
    const auto at = m_curves.find(name);
    return at == m_curves.end() ? nullptr : &at->second;
}

double LiveSeries::last(const std::string& name) const {
    const LiveCurve* found = curve(name);
    return found && !found->values.empty() ? found->values.back() : std::numeric_limits<double>::quiet_NaN();
}

std::vector<std::string> LiveSeries::layers() const {
    std::set<std::string> names;
    for (const auto& [kind, layers] : m_latest)
        for (const auto& [layer, value] : layers) names.insert(layer);
    return {names.begin(), names.end()};
}

std::vector<std::pair<int64_t, int64_t>> LiveSeries::fakeQuantSpans() const {
    std::vector<std::pair<int64_t, int64_t>> spans;
    const LiveCurve* state = curve("train.fake_quant");
    if (!state) return spans;
    bool on = false;
    for (size_t i = 0; i < state->steps.size(); ++i) {
        if ((state->values[i] > 0.5) == on) continue;
        on = !on;
        if (on)
            spans.emplace_back(state->steps[i], -1);
        else
            spans.back().second = state->steps[i];
    }
    return spans;
}

std::vector<int64_t> LiveSeries::timesOf(const std::vector<int64_t>& steps) const {
    const LiveCurve* total = curve("time.total");
    if (!total || total->steps.empty()) return {};
    // A logged step stands for those since the one before.
    std::vector<int64_t> times;
    times.reserve(steps.size());
    double ms = 0;
    int64_t before = 0;
    size_t i = 0;
    int64_t last = 0;
    for (const int64_t step : steps) {
        if (step < last) { // behind a cut
            ms = 0;
            before = 0;
            i = 0;
        }
        last = step;
        for (; i < total->steps.size() && total->steps[i] <= step; ++i) {
            if (std::isfinite(total->values[i])) ms += total->values[i] * static_cast<double>(total->steps[i] - before);
            before = total->steps[i];
        }
        times.push_back(static_cast<int64_t>(ms));
    }
    return times;
}

double LiveSeries::tokens() const {
    const LiveCurve* rate = curve("perf.tokens_per_s");
    const LiveCurve* total = curve("time.total");
    if (!rate || !total) return 0;
    double sum = 0;
    int64_t before = 0;
    for (size_t i = 0, j = 0; i < rate->steps.size(); ++i) {
        while (j < total->steps.size() && total->steps[j] < rate->steps[i]) ++j;
        if (j < total->steps.size() && total->steps[j] == rate->steps[i] && std::isfinite(rate->values[i]))
            sum += rate->values[i] * total->values[j] / 1000 * static_cast<double>(rate->steps[i] - before);
        before = rate->steps[i];
    }
    return sum;
}

double LiveSeries::tokensPerStep() const {
    const LiveCurve* rate = curve("perf.tokens_per_s");
    return rate && !rate->steps.empty() && rate->steps.back() > 0 ? tokens() / static_cast<double>(rate->steps.back()) : 0;
}

} // namespace qw::ui
