// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/live_history.h"

#include "base/files.h"
#include "drive/go_on.h"
#include "wire/json_events.h"

#include <algorithm>
#include <deque>
#include <sstream>

namespace qw::ui {
namespace {

constexpr size_t kOutputBytes = 64 << 10;

LiveCurve toCurve(store::SeriesData data) { return {std::move(data.step), std::move(data.mean)}; }

// Steps are not kept with events; a warning's step is that of the newest checkpoint or attempt before it, unless it names one itself.
int64_t stepInText(const std::string& text, int64_t otherwise) {
    constexpr std::string_view kWord = "step ";
    const size_t at = text.find(kWord);
    if (at == std::string::npos) return otherwise;
    const char* digits = text.c_str() + at + kWord.size();
    return *digits >= '0' && *digits <= '9' ? std::strtoll(digits, nullptr, 10) : otherwise;
}

} // namespace

std::optional<LiveMark> markOf(const wire::Payload& payload, int64_t step) {
    if (const auto* saved = std::get_if<wire::CheckpointSaved>(&payload))
        return LiveMark{LiveMark::Kind::Checkpoint, saved->step, {}, saved->best};
    if (const auto* attempt = std::get_if<wire::Attempt>(&payload); attempt && attempt->attempt > 1)
        return LiveMark{LiveMark::Kind::Attempt, attempt->fromStep, {}};
    if (const auto* notice = std::get_if<wire::Notice>(&payload))
        return LiveMark{notice->isError ? LiveMark::Kind::Error : LiveMark::Kind::Warning, stepInText(notice->message, step),
                        notice->message};
    return std::nullopt;
}

Result<LiveRead> readLive(store::Store& store, const std::string& uid) {
    LiveRead read;
    QW_TRY(read.info, store.run(uid));
    read.history.seq = read.info.ingestSeq; // first: whatever is projected meanwhile is replayed
    QW_TRY(const auto metrics, store.metrics(uid));
    for (const auto& metric : metrics) {
        QW_TRY(auto data, store.series(uid, metric.name));
        read.history.curves[metric.name] = toCurve(std::move(data));
    }
    QW_TRY(const auto stats, store.layerStats(uid));
    for (const auto& stat : stats) {
        QW_TRY(auto data, store.layerSeries(uid, stat.layer, stat.kind));
        read.history.curves["layer." + stat.kind + ":" + stat.layer] = toCurve(std::move(data));
    }
    QW_TRY(const auto results, store.results(uid));
    for (const auto& stored : results)
        for (const auto& metric : stored.result.metrics) {
            LiveCurve& curve = read.history.curves["task." + stored.result.task + "." + metric.name];
            const int64_t step = stored.result.atStep >= 0 ? stored.result.atStep : read.info.step;
            while (!curve.steps.empty() && curve.steps.back() >= step) {
                curve.steps.pop_back();
                curve.values.pop_back();
            }
            curve.steps.push_back(step);
            curve.values.push_back(metric.value);
        }
    QW_TRY(const auto events, store.events(uid));
    int64_t step = 0;
    for (const auto& event : events) {
        const auto payload = wire::payloadFromJson(event.kind, event.body);
        if (!payload) continue;
        if (const auto* saved = std::get_if<wire::CheckpointSaved>(&*payload)) step = saved->step;
        if (const auto* attempt = std::get_if<wire::Attempt>(&*payload)) step = attempt->fromStep;
        if (auto mark = markOf(*payload, step)) read.marks.push_back(*std::move(mark));
    }
    QW_TRY(read.layers, store.layers(uid));
    read.checkpoints = wire::checkpointSteps(wire::RunFolder{read.info.dir}.checkpoints());
    return read;
}

Result<LastWords> lastWords(store::Store& store, const std::string& uid, size_t lines) {
    QW_TRY(const auto run, store.run(uid));
    const wire::RunFolder folder{run.dir};
    std::deque<std::string> kept;
    const auto add = [&](const std::string& line) {
        if (line.empty()) return;
        kept.push_back(line);
        if (kept.size() > lines) kept.pop_front();
    };
    if (const auto events = store.events(uid))
        for (const auto& event : *events) {
            const auto payload = wire::payloadFromJson(event.kind, event.body);
            if (!payload) continue;
            if (const auto* line = std::get_if<wire::LogLine>(&*payload)) add(line->text);
            if (const auto* notice = std::get_if<wire::Notice>(&*payload))
                add((notice->isError ? "error: " : "warning: ") + notice->message);
            if (const auto* state = std::get_if<wire::StateChange>(&*payload))
                add(std::string("state: ") + records::stateName(state->state) + (state->phase.empty() ? "" : ", " + state->phase) +
                    (state->reason.empty() ? "" : " (" + state->reason + ")"));
        }
    // What a dying process wrote last never came to its log.
    if (const auto output = readFile(folder.logs() / "engine.stderr", 16 << 20)) {
        std::istringstream tail(output->size() > kOutputBytes ? output->substr(output->size() - kOutputBytes) : *output);
        for (std::string line; std::getline(tail, line);)
            if (std::find(kept.begin(), kept.end(), line) == kept.end()) add(line);
    }
    LastWords last;
    for (const std::string& line : kept) last.text += (last.text.empty() ? "" : "\n") + line;
    if (const auto steps = wire::checkpointSteps(folder.checkpoints()); !steps.empty()) last.checkpoint = steps.back();
    return last;
}

} // namespace qw::ui
