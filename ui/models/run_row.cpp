// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/run_row.h"

#include "client/project.h"
#include "stats/compare.h"
#include "stats/recovered.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QSet>
#include <array>
#include <limits>
#include <map>
#include <tuple>

namespace qw::ui {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
using records::RowRole;
using records::RunState;

struct WordLook {
    const char *token, *text, *icon;
};
constexpr std::array<WordLook, 12> kWords{{{"draft", QT_TRANSLATE_NOOP("RunState", "Draft"), "edit"},
                                           {"queued", QT_TRANSLATE_NOOP("RunState", "Queued"), "clock"},
                                           {"preparing", QT_TRANSLATE_NOOP("RunState", "Preparing"), "refresh"},
                                           {"training", QT_TRANSLATE_NOOP("RunState", "Training"), "play"},
                                           {"evaluating", QT_TRANSLATE_NOOP("RunState", "Evaluating"), "chart"},
                                           {"exporting", QT_TRANSLATE_NOOP("RunState", "Exporting"), "export"},
                                           {"paused", QT_TRANSLATE_NOOP("RunState", "Paused"), "pause"},
                                           {"stopping", QT_TRANSLATE_NOOP("RunState", "Stopping"), "stop"},
                                           {"done", QT_TRANSLATE_NOOP("RunState", "Done"), "check"},
                                           {"stopped", QT_TRANSLATE_NOOP("RunState", "Stopped"), "stop"},
                                           {"failed", QT_TRANSLATE_NOOP("RunState", "Failed"), "error"},
                                           {"interrupted", QT_TRANSLATE_NOOP("RunState", "Interrupted"), "warning"}}};
const WordLook& look(RunWord word) { return kWords[static_cast<size_t>(word)]; }

bool isQuantized(RowRole role) { return role == RowRole::Ptq || role == RowRole::Qat; }

// The newest final result of a task kind that counts for the row, as in the comparison: stored codes for quantized rows.
const records::EvalResult* resultOf(const RunFacts& run, const char* kind) {
    const bool quantized = isQuantized(run.info.identity.role), any = run.info.identity.role == RowRole::Exported;
    for (auto at = run.results.rbegin(); at != run.results.rend(); ++at) {
        const auto& r = at->result;
        if (r.kind == kind && r.atStep < 0 && r.variant != "fake_quant" && (any || (r.variant != "float") == quantized)) return &r;
    }
    return nullptr;
}

double metricOf(const records::EvalResult* result, const char* name) {
    if (!result) return kNone;
    for (const auto& metric : result->metrics)
        if (metric.name == name) return metric.value;
    return kNone;
}

const store::MetricSummary* seriesOf(const RunFacts& run, const char* name) {
    for (const auto& metric : run.metrics)
        if (metric.name == name) return &metric;
    return nullptr;
}

// Choice tasks say acc_norm where the file has it, else acc.
std::pair<double, const char*> choiceMetric(const records::EvalResult* result) {
    const double norm = metricOf(result, "acc_norm");
    return norm == norm ? std::pair{norm, "acc_norm"} : std::pair{metricOf(result, "acc"), "acc"};
}

void fillNumbers(RunRow& row, const RunFacts& run, qint64 nowMs) {
    const auto& info = run.info;
    const bool quantized = isQuantized(info.identity.role);
    row.bits = row.bytes = row.loss = row.bestEval = row.seconds = kNone;
    const int64_t written = quantized ? run.nativeBytes : run.modelBytes;
    if (info.model) {
        const int64_t forecast = quantized ? info.model->quantizedBytes : info.model->bytes;
        if (info.identity.role != RowRole::Float && info.model->bitsPerWeight > 0) row.bits = info.model->bitsPerWeight;
        if (written <= 0 && forecast > 0) {
            row.bytes = static_cast<double>(forecast);
            row.bytesForecast = quantized;
        }
    }
    if (written > 0) row.bytes = static_cast<double>(written);
    row.totalSteps = info.totalSteps > 0 ? static_cast<double>(info.totalSteps) : kNone;
    row.step = info.totalSteps > 0 || info.step > 0 ? static_cast<double>(info.step) : kNone;
    if (const auto* loss = seriesOf(run, "train.loss")) row.loss = loss->value;
    if (const auto* eval = seriesOf(run, "eval.loss")) row.bestEval = eval->min;
    row.hellaswag = choiceMetric(resultOf(run, "hellaswag")).first;
    row.wordPpl = metricOf(resultOf(run, "wikitext"), "word_perplexity");
    row.recovered = kNone;
    if (info.startedMs > 0) {
        const int64_t end = info.endedMs > 0 ? info.endedMs : isActive(row.state) ? nowMs : info.lastEventMs;
        if (end >= info.startedMs) row.seconds = static_cast<double>(end - info.startedMs) / 1000;
    }
}

RunRow rowOf(const RunFacts& run, int number, bool driven, qint64 nowMs) {
    const auto& info = run.info;
    RunRow row;
    row.uid = text(info.identity.uid);
    row.name = text(info.identity.name);
    row.study = text(info.identity.studyName);
    row.scheme = text(info.identity.scheme);
    row.model = QFileInfo(text(info.identity.modelPath)).fileName();
    row.notes = text(info.identity.notes);
    for (const auto& tag : info.identity.tags) row.tagList << text(tag);
    row.tags = row.tagList.join(QLatin1Char(' '));
    row.role = QString::fromLatin1(records::roleName(info.identity.role));
    row.state = runWord(info, driven);
    if (info.error && row.state != RunWord::Done) row.error = text(info.error->message);
    row.colour = number;
    row.seed = static_cast<double>(info.identity.seed);
    row.createdMs = info.identity.createdMs;
    row.trashedMs = info.trashedMs;
    fillNumbers(row, run, nowMs);
    return row;
}

// Of each QAT run, from its float reference and its PTQ twin: same study, block and seed (recipe.md 2).
void fillRecovered(std::vector<RunRow>& rows, const Snapshot& snapshot) {
    using Place = std::tuple<std::string, RowRole, std::string, std::string, uint64_t>; // study, role, scheme, block, seed
    std::map<Place, const RunFacts*> at;
    for (const RunFacts& run : snapshot.runs) {
        const auto& id = run.info.identity;
        if (run.info.trashedMs > 0 || (id.role == RowRole::Ptq && id.method != "rtn")) continue;
        const bool start = id.role == RowRole::Float;
        at[{id.studyUid, id.role, id.scheme, start ? std::string() : id.block, start ? 0 : id.seed}] = &run;
    }
    const auto find = [&](const Place& place) -> const RunFacts* {
        const auto found = at.find(place);
        return found == at.end() ? nullptr : found->second;
    };
    for (size_t i = 0; i < snapshot.runs.size(); ++i) {
        const auto& id = snapshot.runs[i].info.identity;
        if (id.role != RowRole::Qat) continue;
        const RunFacts* ptq = find({id.studyUid, RowRole::Ptq, id.scheme, id.block, id.seed});
        const RunFacts* reference = find({id.studyUid, RowRole::FloatTrained, {}, id.block, id.seed});
        if (!reference) reference = find({id.studyUid, RowRole::Float, {}, {}, 0});
        if (!ptq || !reference) continue;
        const auto share = [&](const char* kind, const char* metric) {
            const auto *f = resultOf(*reference, kind), *p = resultOf(*ptq, kind), *q = resultOf(snapshot.runs[i], kind);
            const auto* known = stats::metricKind(metric);
            if (!f || !p || !q || !known || f->taskDigest != q->taskDigest || p->taskDigest != q->taskDigest || f->n != q->n ||
                p->n != q->n)
                return false;
            const double values[] = {metricOf(f, metric), metricOf(p, metric), metricOf(q, metric)};
            for (const double value : values)
                if (value != value) return false;
            const auto recovered = stats::recovered(values[0], values[1], values[2], known->higherIsBetter);
            if (recovered.percent) rows[i].recovered = *recovered.percent;
            rows[i].recoveredMetric = text(q->task + " " + metric);
            return true;
        };
        if (share("hellaswag", "acc_norm") || share("hellaswag", "acc")) continue;
        static_cast<void>(share("wikitext", "word_perplexity"));
    }
}

bool same(double a, double b) { return a == b || (a != a && b != b); }

} // namespace

QString wordText(RunWord word) { return QCoreApplication::translate("RunState", look(word).text); }
QString wordIcon(RunWord word) { return QString::fromLatin1(look(word).icon); }
QString wordToken(RunWord word) { return QString::fromLatin1(look(word).token); }
bool isActive(RunWord word) { return word >= RunWord::Preparing && word <= RunWord::Stopping; }

RunWord runWord(const store::RunInfo& run, bool studyDriven) {
    switch (run.state) {
    case RunState::Created:
        return studyDriven ? RunWord::Queued : RunWord::Draft;
    case RunState::Queued:
        return RunWord::Queued;
    case RunState::Starting:
        return RunWord::Preparing;
    case RunState::Running:
        return run.phase == "train"    ? RunWord::Training
               : run.phase == "eval"   ? RunWord::Evaluating
               : run.phase == "export" ? RunWord::Exporting
                                       : RunWord::Preparing;
    case RunState::Pausing:
    case RunState::Paused:
        return RunWord::Paused;
    case RunState::Stopping:
        return RunWord::Stopping;
    case RunState::Completed:
        return RunWord::Done;
    case RunState::Stopped:
        return RunWord::Stopped;
    case RunState::Failed:
        return RunWord::Failed;
    case RunState::Interrupted:
        return RunWord::Interrupted;
    }
    return RunWord::Draft;
}

bool RunRow::operator==(const RunRow& o) const {
    return uid == o.uid && name == o.name && study == o.study && scheme == o.scheme && model == o.model && notes == o.notes &&
           tagList == o.tagList && role == o.role && state == o.state && error == o.error && colour == o.colour && same(bits, o.bits) &&
           same(bytes, o.bytes) && same(step, o.step) && same(totalSteps, o.totalSteps) && same(loss, o.loss) &&
           same(bestEval, o.bestEval) && same(hellaswag, o.hellaswag) && same(wordPpl, o.wordPpl) && same(recovered, o.recovered) &&
           same(seconds, o.seconds) && bytesForecast == o.bytesForecast && createdMs == o.createdMs && trashedMs == o.trashedMs;
}

RunRows runRows(const Snapshot& snapshot, qint64 nowMs) {
    QSet<QString> driven;
    for (const StudyFacts& study : snapshot.studies)
        if (study.driven) driven.insert(text(study.info.uid));
    auto rows = std::make_shared<std::vector<RunRow>>();
    rows->reserve(snapshot.runs.size());
    for (const RunFacts& run : snapshot.runs)
        rows->push_back(rowOf(run, colourOf(snapshot, run), driven.contains(text(run.info.identity.studyUid)), nowMs));
    fillRecovered(*rows, snapshot);
    return rows;
}

} // namespace qw::ui
