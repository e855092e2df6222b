// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/bench_eval.h"

#include "base/clock.h"
#include "eval/evaluator.h"

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

namespace qw::engine {
namespace {

struct Subject {
    const char *name, *kind, *file, *unit, *gate;
    double limit, quickLimit, minRatio;
};

// Of all threads; beside the wall time because it stays the same on a busy machine.
double cpuSeconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

Result<records::BenchResult> run(const Subject& subject, const BenchOptions& options) {
    if (options.data.empty())
        return Error{"file.not_found", "the reference data is not at hand", "set QATW_TEST_DATA to its folder", {}, false};
    const auto folder = options.data / "stories260K";
    QW_TRY(const auto from, checkpoint::Checkpoint::open(folder));
    QW_TRY(const auto decoder, model::Decoder::load(from, at::kFloat, at::kCPU));
    QW_TRY(const auto tokenizer, tokenizer::Tokenizer::load(folder));
    QW_TRY(const auto task, tasks::loadTask(subject.kind, options.data / subject.file, options.quick ? subject.quickLimit : subject.limit));
    const int64_t begin = monotonicNs();
    const double cpuBegin = cpuSeconds();
    QW_TRY(const eval::Scored scored, eval::score(decoder, tokenizer, task, {}, nullptr, {}));
    const double ours = static_cast<double>(monotonicNs() - begin) * 1e-9;
    const double cpu = cpuSeconds() - cpuBegin;
    double sum = 0;
    for (const auto& item : scored.items)
        for (const double ll : item.ll) sum += ll;
    const auto n = static_cast<double>(task.rows.size() + task.documents.size());
    records::BenchResult result;
    result.name = subject.name;
    result.gate = subject.gate;
    result.figures = {{"ours", ours, "s"}, {"ours, CPU time", cpu, "s"}, {"ours, items", n / ours, subject.unit}};
    const auto peers = nlohmann::json::parse(options.peers, nullptr, false);
    if (!peers.is_object() || !peers.contains("seconds")) return result;
    const double theirs = peers["seconds"].get<double>(), difference = std::abs(sum / peers["sum"].get<double>() - 1);
    result.peer = "lm_eval " + peers.value("version", "") + " HFLM, batch 8";
    result.figures.push_back({"lm_eval", theirs, "s"});
    result.figures.push_back({"lm_eval, CPU time", peers.value("cpu", 0.0), "s"});
    result.figures.push_back({"ratio", theirs / ours, "x", subject.minRatio});
    const bool same = difference < 1e-5; // a faster wrong answer meets no gate
    if (!same) {
        result.note = "the summed log-likelihoods differ from lm_eval's";
        result.met = false;
    }
    return result;
}

} // namespace

Result<records::BenchResult> benchHellaswag(const BenchOptions& options) {
    return run({"hellaswag", "hellaswag", "hellaswag/hellaswag_val.jsonl", "items/s", "ratio to lm_eval at batch 8 >= 1.8", 500, 20, 1.8},
               options);
}
Result<records::BenchResult> benchWikitext(const BenchOptions& options) {
    return run({"wikitext", "wikitext", "wikitext-2-raw/wiki.test.raw", "documents/s", "ratio to lm_eval >= 1.1", 10, 1, 1.1}, options);
}

} // namespace qw::engine
