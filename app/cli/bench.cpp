// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench.h"

#include "bench_fake_quant.h"
#include "bench_store.h"
#include "engine_request.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ; // NOLINT: POSIX

namespace qw::cli {
namespace {

constexpr double kGateReadyMs = 1500; // performance.md 10, CPU

Result<records::BenchResult> benchEngineReady(const BenchOptions& options) {
    std::vector<double> times;
    for (int i = 0; i < (options.quick ? 1 : 8); ++i) {
        QW_TRY(const double ms, timeToHello());
        times.push_back(ms);
    }
    const double first = times.front(); // files may not be in memory yet
    std::ranges::sort(times);
    records::BenchResult result;
    result.name = "engine_ready";
    result.gate = "<= 1500 ms from start to hello on CPU";
    result.peer = "none";
    result.figures = {{"median", times[times.size() / 2], "ms"}, {"first", first, "ms"}, {"slowest", times.back(), "ms"}};
    result.met = times[times.size() / 2] <= kGateReadyMs;
    return result;
}

template<const char* Name> Result<records::BenchResult> inEngine(const BenchOptions& options) { return engineBench(Name, options); }
constexpr char kStepOverhead[] = "step_overhead", kLossMem[] = "loss_mem", kHellaswag[] = "hellaswag", kWikitext[] = "wikitext",
               kTokenize[] = "tokenize", kLoad8b[] = "load_8b_shape";

constexpr std::array kBenches{
    Bench{"fq_w_fwd", "fake quantization of weights, forward", benchFqWFwd},
    Bench{"fq_w_fwdbwd", "fake quantization of weights, forward and backward", benchFqWFwdBwd},
    Bench{"fq_act", "fake quantization of activations per token", benchFqAct},
    Bench{"step_overhead", "a QAT training step against a plain one", inEngine<kStepOverhead>},
    Bench{"loss_mem", "chunked linear and cross-entropy: memory and time", inEngine<kLossMem>},
    Bench{"hellaswag", "scoring HellaSwag items", inEngine<kHellaswag>},
    Bench{"wikitext", "scoring WikiText documents", inEngine<kWikitext>},
    Bench{"tokenize", "encoding text", inEngine<kTokenize>},
    Bench{"engine_ready", "from the start of an engine to its hello", benchEngineReady},
    Bench{"store_ingest", "a million metric points into the store", benchStoreIngest},
    Bench{"load_8b_shape", "reading a checkpoint of 8B shapes", inEngine<kLoad8b>},
};

records::BenchResult fromJson(const nlohmann::json& json) {
    records::BenchResult result;
    result.name = json.value("name", "");
    result.gate = json.value("gate", "");
    result.peer = json.value("peer", "");
    result.note = json.value("note", "");
    if (json.contains("met") && json["met"].is_boolean()) result.met = json["met"].get<bool>();
    for (const auto& figure : json.value("figures", nlohmann::json::array()))
        result.figures.push_back(
            {figure.value("name", ""), figure["value"].is_number() ? figure["value"].get<double>() : 0, figure.value("unit", "")});
    return result;
}

std::string lastLine(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    const size_t start = text.rfind('\n');
    return start == std::string::npos ? text : text.substr(start + 1);
}

} // namespace

std::span<const Bench> benches() { return kBenches; }

Result<records::BenchResult> engineBench(const std::string& name, const BenchOptions& options) {
    nlohmann::json peers = nlohmann::json::object();
    const auto script = options.scripts / (name + ".py");
    std::error_code missing;
    if (!options.python.empty() && !options.scripts.empty() && std::filesystem::exists(script, missing)) {
        QW_TRY(const std::string answer,
               peerScript(name, options, {std::to_string(options.threads), options.data.string(), options.quick ? "quick" : "full"}));
        peers = nlohmann::json::parse(answer, nullptr, false);
        if (!peers.is_object())
            return Error{"engine.internal", script.string() + " did not answer with a JSON object", "run it by hand", {}, false};
    }
    const nlohmann::json params{{"name", name},
                                {"data", options.data.string()},
                                {"scratch", options.scratch.string()},
                                {"threads", options.threads},
                                {"quick", options.quick},
                                {"peers", peers}};
    QW_TRY(const std::string text, askEngine("bench", params.dump(), {}));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return Error{"engine.internal", "the engine did not answer with a result", {}, {}, false};
    return fromJson(json);
}

Result<std::string> runProgram(const std::vector<std::string>& words) {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return Error{"engine.internal", "cannot make a pipe", {}, {}, true};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const int failed = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(fds[1]);
    std::string output;
    char buffer[4096];
    for (ssize_t n = 0; failed == 0 && ((n = ::read(fds[0], buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR));)
        if (n > 0) output.append(buffer, static_cast<size_t>(n));
    ::close(fds[0]);
    if (failed != 0) return Error{"file.not_found", "cannot start " + words[0], {}, {}, false};
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return Error{
            "engine.internal", words[0] + (words.size() > 1 ? " " + words[1] : "") + " failed", "run it by hand to see why", {}, false};
    return output;
}

Result<std::string> peerScript(const std::string& name, const BenchOptions& options, const std::vector<std::string>& arguments) {
    std::vector<std::string> words{options.python.string(), (options.scripts / (name + ".py")).string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    ::setenv("HF_HUB_OFFLINE", "1", 1); // peers must not reach for the network
    ::setenv("OMP_NUM_THREADS", std::to_string(options.threads).c_str(), 1);
    QW_TRY(std::string output, runProgram(words));
    return lastLine(std::move(output));
}

} // namespace qw::cli
