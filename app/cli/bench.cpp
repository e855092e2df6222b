// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench.h"

#include "bench_fake_quant.h"
#include "bench_peer.h"
#include "bench_store.h"
#include "bench_tokenize.h"
#include "engine_request.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

namespace qw::cli {
namespace {

using records::BenchResult;

constexpr double kGateReadyMs = 1500; // performance.md 10, CPU

Result<BenchResult> benchEngineReady(const BenchOptions& options, const std::string& /*peers*/) {
    std::vector<double> times;
    for (int i = 0; i < (options.quick ? 1 : 3); ++i) {
        QW_TRY(const double ms, timeToHello());
        times.push_back(ms);
    }
    std::ranges::sort(times);
    const double median = times[times.size() / 2];
    BenchResult result;
    result.name = "engine_ready";
    result.gate = "<= 1500 ms from start to hello on CPU";
    result.figures = {{.name = "start to hello", .value = median, .unit = "ms", .most = kGateReadyMs}};
    return result;
}

BenchResult fromJson(const nlohmann::json& json) {
    BenchResult result;
    result.name = json.value("name", "");
    result.gate = json.value("gate", "");
    result.peer = json.value("peer", "");
    result.note = json.value("note", "");
    if (json.contains("met") && json["met"].is_boolean()) result.met = json["met"].get<bool>();
    const auto number = [](const nlohmann::json& figure, const char* key) -> std::optional<double> {
        const auto found = figure.find(key);
        return found != figure.end() && found->is_number() ? std::optional<double>(found->get<double>()) : std::nullopt;
    };
    for (const auto& figure : json.value("figures", nlohmann::json::array()))
        result.figures.push_back({figure.value("name", ""), number(figure, "value").value_or(0), figure.value("unit", ""),
                                  number(figure, "least"), number(figure, "most")});
    return result;
}

// One of core/engine/benches.h, in an engine of its own: what one measurement leaves behind in memory does not reach the next.
template<const char* Name> Result<BenchResult> inEngine(const BenchOptions& options, const std::string& peerJson) {
    const nlohmann::json params{{"name", Name},
                                {"data", options.data.string()},
                                {"scratch", options.scratch.string()},
                                {"threads", options.threads},
                                {"quick", options.quick},
                                {"peers", nlohmann::json::parse(peerJson, nullptr, false)}};
    QW_TRY(const std::string text, askEngine("bench", params.dump(), {}));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return Error{"engine.internal", "the engine did not answer with a result", {}, {}, false};
    return fromJson(json);
}
constexpr char kStepOverhead[] = "step_overhead", kLossMem[] = "loss_mem", kHellaswag[] = "hellaswag", kWikitext[] = "wikitext",
               kLoad8b[] = "load_8b_shape";

constexpr std::array kBenches{
    Bench{"fq_w_fwd", 5, "fake quantization of weights, forward", "fake_quant.py", "fwd", benchFqWFwd},
    Bench{"fq_w_fwdbwd", 5, "fake quantization of weights, forward and backward", "fake_quant.py", "fwdbwd", benchFqWFwdBwd},
    Bench{"fq_act", 7, "fake quantization of activations per token", "fake_quant.py", "act", benchFqAct},
    Bench{"step_overhead", 3, "a QAT training step against a plain one", "step_overhead.py", nullptr, inEngine<kStepOverhead>},
    Bench{"loss_mem", 3, "chunked linear and cross-entropy: memory and time", nullptr, nullptr, inEngine<kLossMem>},
    Bench{"hellaswag", 3, "scoring HellaSwag items", "eval_peer.py", "hellaswag", inEngine<kHellaswag>},
    Bench{"wikitext", 3, "scoring WikiText documents", "eval_peer.py", "wikitext", inEngine<kWikitext>},
    Bench{"tokenize", 7, "encoding text", "tokenize_peer.py", nullptr, benchTokenize},
    Bench{"engine_ready", 7, "from the start of an engine to its hello", nullptr, nullptr, benchEngineReady},
    Bench{"store_ingest", 3, "a million metric points into the store", nullptr, nullptr, benchStoreIngest},
    Bench{"load_8b_shape", 7, "reading a checkpoint of 8B shapes", "load_peer.py", nullptr, inEngine<kLoad8b>},
};

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

bool meets(const records::BenchFigure& figure) {
    return (!figure.least || figure.value >= *figure.least) && (!figure.most || figure.value <= *figure.most);
}

BenchResult merge(std::vector<BenchResult> pairs) {
    BenchResult result = pairs.back(); // a peer may need our first measurement to start with
    for (records::BenchFigure& figure : result.figures) {
        std::vector<double> values;
        for (const BenchResult& pair : pairs)
            for (const records::BenchFigure& other : pair.figures)
                if (other.name == figure.name) values.push_back(other.value);
        figure.value = median(values);
        const auto [low, high] = std::ranges::minmax(values);
        if (values.size() > 1) figure.low = low, figure.high = high;
    }
    const bool wrong = std::ranges::any_of(pairs, [](const BenchResult& pair) { return pair.met == false; });
    const bool gated = std::ranges::any_of(result.figures, [](const auto& figure) { return figure.least || figure.most; });
    if (wrong || gated) result.met = !wrong && std::ranges::all_of(result.figures, meets);
    for (const BenchResult& pair : pairs)
        if (pair.note != result.note && !pair.note.empty()) result.note += (result.note.empty() ? "" : "; ") + pair.note;
    return result;
}

} // namespace

std::span<const Bench> benches() { return kBenches; }

Result<BenchResult> runBench(const Bench& bench, const BenchOptions& options) {
    std::optional<Peer> peer;
    std::error_code missing;
    const bool hasPeer = bench.script && !options.python.empty() && std::filesystem::exists(options.scripts / bench.script, missing);
    if (hasPeer) {
        std::vector<std::string> arguments{std::to_string(options.threads), options.data.string(), options.scratch.string(),
                                           options.quick ? "quick" : "full"};
        if (bench.kind) arguments.insert(arguments.begin(), bench.kind);
        QW_TRY(Peer started, Peer::start(bench.script, options, arguments));
        peer.emplace(std::move(started));
    }
    std::vector<BenchResult> pairs;
    for (int i = 0; i < (options.quick ? 1 : bench.pairs); ++i) {
        std::string answer = "{}";
        if (peer) {
            QW_TRY(answer, peer->ask());
        }
        QW_TRY(BenchResult result, bench.once(options, answer));
        pairs.push_back(std::move(result));
    }
    BenchResult result = merge(std::move(pairs));
    if (bench.script && !hasPeer) result.note += std::string(result.note.empty() ? "" : "; ") + "the Python peer is not at hand";
    if (options.quick) {
        result.met.reset();
        result.note += std::string(result.note.empty() ? "" : "; ") + "smallest size, the gate was not judged";
    }
    return result;
}

} // namespace qw::cli
