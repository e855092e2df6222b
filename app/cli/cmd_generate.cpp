// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"
#include "engine_request.h"
#include "progress.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

using nlohmann::json;

struct Task {
    std::string model, promptFile, jsonl, scheme, device = "auto", dtype;
    std::vector<std::string> prompt, stops, sets; // prompt: none or one, an empty text is a text too
    int64_t maxNewTokens = 300, topK = 300, seed = 42, threads = 0;
    double temperature = 0, topP = 1;
    bool greedy = false, asJson = false;
};

Error usage(const std::string& what, const std::string& hint) { return {"usage", what, hint, {}, false}; }

Status check(const Task& task) {
    if (task.prompt.size() > 1 || task.prompt.size() + !task.promptFile.empty() + !task.jsonl.empty() != 1)
        return usage("give one of --prompt, --prompt-file and --jsonl", "qatw generate --help");
    if (task.maxNewTokens < 1) return usage("--max-new-tokens is below 1", "give at least 1");
    if (!(task.temperature >= 0) || !std::isfinite(task.temperature)) return usage("--temperature is no number from 0 up", "try 0.8");
    if (task.topK < 0) return usage("--top-k is below 0", "0 means all tokens");
    if (!(task.topP > 0 && task.topP <= 1)) return usage("--top-p is not above 0 and at most 1", "1 means all tokens");
    if (task.seed < 0) return usage("--seed is below 0", "give a whole number from 0 up");
    if (task.greedy && task.temperature > 0) return usage("--greedy and --temperature contradict each other", "leave one of them out");
    if (task.temperature == 0 && (task.topK != 300 || task.topP != 1))
        return usage("--top-k and --top-p change nothing in greedy decoding", "add --temperature 0.8, or leave them out");
    for (const std::string& stop : task.stops)
        if (stop.empty()) return usage("--stop is empty", "name the text that ends the answer");
    if (task.scheme.empty() && !task.sets.empty()) return usage("--set changes a scheme, and there is none", "add --scheme PRESET");
    return {};
}

std::string request(const Task& task) {
    std::error_code error;
    const auto absolute = [&](const std::string& path) { return std::filesystem::absolute(path, error).lexically_normal().string(); };
    json params{{"model", absolute(task.model)},
                {"device", task.device},
                {"dtype", task.dtype},
                {"threads", task.threads},
                {"scheme", task.scheme},
                {"set", task.sets},
                {"max_new_tokens", task.maxNewTokens},
                {"temperature", task.temperature},
                {"top_k", task.topK},
                {"top_p", task.topP},
                {"seed", task.seed},
                {"stop", task.stops}};
    if (!task.prompt.empty())
        params["text"] = task.prompt.front();
    else if (!task.promptFile.empty())
        params["text_file"] = absolute(task.promptFile);
    else
        params["jsonl"] = absolute(task.jsonl);
    return params.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Text as it comes, or a JSON line a prompt; speed on standard error.
class Printer {
public:
    explicit Printer(bool lines) : m_lines(lines) {}
    void event(const wire::Event& event) {
        const auto* raw = std::get_if<wire::RawEvent>(&event.payload);
        if (!raw) return m_progress.event(event);
        const json data = json::parse(raw->data, nullptr, false);
        if (raw->name == "token" && !m_lines) std::cout << data.value("text", "") << std::flush;
        if (raw->name != "generated") return;
        m_finish = data.value("finish", "");
        std::cout << (m_lines ? raw->data : "") << '\n' << std::flush;
        if (m_lines) return;
        std::fprintf(stderr, "%zu tokens, %.4g tokens/s; prompt of %lld tokens in %.3g s; ended by: %s\n",
                     data.value("ids", json::array()).size(), data.value("tokens_per_second", 0.0),
                     static_cast<long long>(data.value("prompt_tokens", int64_t{0})), data.value("prompt_seconds", 0.0), m_finish.c_str());
    }
    [[nodiscard]] bool cancelled() const { return m_finish == "cancelled"; }

private:
    bool m_lines;
    std::string m_finish; // of the last prompt
    Progress m_progress;
};

} // namespace

int cmdGenerate(CommandLine& line) {
    Task task;
    line.positional("MODEL", task.model, "a Hugging Face folder, or one that qatw exported");
    line.option("--prompt", task.prompt, "the text to continue");
    line.option("--prompt-file", task.promptFile, "the same from a file, to its last byte");
    line.option("--jsonl", task.jsonl, "many: one {\"prompt\": …} or {\"ids\": […]} a line; one JSON line each comes out");
    line.option("--max-new-tokens", task.maxNewTokens, "longest answer");
    line.option("--temperature", task.temperature, "0: greedy; above: drawn at random");
    line.option("--top-k", task.topK, "draw from the K most probable tokens; 0: all");
    line.option("--top-p", task.topP, "draw from the most probable tokens that make up this share");
    line.option("--seed", task.seed, "same seed, same draws");
    line.flag("--greedy", task.greedy, "always the most probable token: the default");
    line.option("--stop", task.stops, "text that ends the answer; may be repeated");
    line.option("--scheme", task.scheme, "preset: generate with fake quantization");
    line.option("--set", task.sets, "key of the qat block, e.g. weight.group_size=64; may be repeated");
    line.option("--device", task.device, "auto | cpu | cuda | cuda:N");
    line.option("--dtype", task.dtype, "fp32 | bf16; default: the checkpoint's");
    line.option("--threads", task.threads, "CPU threads; 0: physical cores");
    line.flag("--json", task.asJson, "one JSON object: ids, text, how it ended, speed");
    if (const auto done = line.parse()) return *done;
    if (const auto good = check(task); !good) return fail(good.error(), task.asJson);
    Printer printer(task.asJson || !task.jsonl.empty());
    const auto outputGone = [] { return !std::cout; };
    const auto result = askEngine(
        "generate.start", request(task), [&](const wire::Event& event) { printer.event(event); }, outputGone);
    if (!result) return fail(result.error(), task.asJson);
    if (!std::cout) return fail({"file.io", "cannot write to standard output", "", "", false}, false);
    if (const int code = interruptExitCode(); code != 0 || printer.cancelled()) return code != 0 ? code : 1;
    if (!task.jsonl.empty() && !task.asJson)
        std::fprintf(stderr, "%lld prompts, %.4g tokens/s\n", static_cast<long long>(json::parse(*result).value("prompts", int64_t{0})),
                     json::parse(*result).value("tokens_per_second", 0.0));
    return 0;
}

} // namespace qw::cli
