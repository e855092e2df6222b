// SPDX-License-Identifier: GPL-3.0-or-later
#include "single_job.h"

#include "config/presets.h"
#include "drive/queue.h"
#include "drive/run_driver.h"
#include "drive/single_run.h"
#include "progress.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

namespace qw::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::array kKinds{"hellaswag", "wikitext", "plain", "jsonl"};
bool isKind(const std::string& word) { return std::ranges::find(kKinds, word) != kKinds.end(); }

// NAME=FILE with NAME a kind, or NAME:KIND=FILE.
Result<records::EvalTask> parseTask(const std::string& text, double limit) {
    const size_t equals = text.find('=');
    const std::string left = text.substr(0, equals);
    const size_t colon = left.find(':');
    records::EvalTask task;
    task.name = left.substr(0, colon);
    task.mode = colon == std::string::npos ? task.name : left.substr(colon + 1);
    if (equals == std::string::npos || task.name.empty() || !isKind(task.mode))
        return Error{"usage", "--task " + text + " is not understood",
                     "write hellaswag=FILE, wikitext=FILE, plain=FILE, jsonl=FILE, or NAME:KIND=FILE", "", false};
    std::error_code error;
    task.path = fs::absolute(text.substr(equals + 1), error).lexically_normal().string();
    if (!fs::is_regular_file(task.path, error))
        return Error{"file.not_found", "task file " + task.path + " does not exist", "correct --task", "", false};
    task.limit = limit;
    return task;
}

Status checkWord(const std::string& option, const std::string& value, std::initializer_list<const char*> allowed) {
    std::string words;
    for (const char* word : allowed) {
        if (value == word) return {};
        words += (words.empty() ? "" : ", ") + std::string(word);
    }
    return Error{"usage", option + " is '" + value + "'", "use one of: " + words, "", false};
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

} // namespace

void SingleJob::declareEval(CommandLine& line) {
    line.option("--task", tasks, "hellaswag=FILE, wikitext=FILE, plain=FILE, jsonl=FILE, or NAME:KIND=FILE; may be repeated");
    line.option("--limit", limit, "first N items of every task; below 1: a share; 0: all");
    line.option("--bos", bos, "auto | on | off: put BOS in front");
    line.option("--max-length", maxLength, "longest context in tokens; 0: the model's");
    line.option("--batch-tokens", batchTokens, "tokens in one forward pass; 0: chosen");
}

void SingleJob::declareCommon(CommandLine& line) {
    line.option("--set", sets, "key of the qat block, e.g. weight.group_size=64; may be repeated");
    line.option("--device", device, "auto | cpu | cuda | cuda:N");
    line.option("--dtype", dtype, "fp32 | bf16; default: the checkpoint's");
    line.option("--threads", threads, "CPU threads; 0: physical cores");
    line.option("--project", project, "project folder");
    line.flag("--json", json, "one JSON object");
}

Result<records::Recipe> recipeOf(const SingleJob& job) {
    records::Recipe recipe;
    std::error_code error;
    recipe.model.path = fs::absolute(job.model, error).lexically_normal().string();
    if (!fs::is_directory(recipe.model.path, error))
        return Error{"file.not_found", "model folder " + recipe.model.path + " does not exist",
                     "name a folder with config.json and safetensors files", "", false};
    QW_CHECK(checkWord("--bos", job.bos, {"auto", "on", "off"}));
    if (!job.dtype.empty()) QW_CHECK(checkWord("--dtype", job.dtype, {"auto", "fp32", "bf16"}));
    if (job.limit < 0 || job.maxLength < 0 || job.batchTokens < 0)
        return Error{"usage", "a limit below 0 makes no sense", "use 0 for no limit", "", false};
    recipe.device = job.device;
    recipe.threads = job.threads;
    recipe.eval.bos = job.bos;
    recipe.eval.maxLength = job.maxLength;
    recipe.eval.batchTokens = job.batchTokens;
    if (!job.dtype.empty()) recipe.eval.dtype = job.dtype;
    for (const std::string& text : job.tasks) {
        QW_TRY(auto task, parseTask(text, job.limit));
        if (std::ranges::any_of(recipe.eval.tasks, [&](const auto& other) { return other.name == task.name; }))
            return Error{"usage", "two tasks are called '" + task.name + "'",
                         "give one of them a name of its own: NAME:" + task.mode + "=FILE", "", false};
        recipe.eval.tasks.push_back(std::move(task));
    }
    if (job.scheme.empty() && !job.sets.empty())
        return Error{"usage", "--set changes a scheme, and there is none", "add --scheme PRESET", "", false};
    if (!job.scheme.empty()) {
        QW_TRY(recipe.qat, config::schemePreset(job.scheme));
        QW_CHECK(config::applySets(*recipe.qat, job.sets));
    }
    return recipe;
}

Result<std::string> driveAgain(store::Store& store, const wire::RunFolder& folder, bool wait) {
    QW_TRY(const auto identity, wire::readIdentity(folder));
    watchInterrupts();
    Progress progress;
    const drive::Watch watch = progress.watch();
    QW_TRY(const drive::RunEnd end, drive::driveRun(store, folder, watch, wait));
    progress.clear();
    if (end.error) return *end.error;
    return Json{{"run", identity.uid}, {"state", records::stateName(end.state)}}.dump();
}

Result<FinishedJob> runSingle(store::Store& store, records::RunIdentity identity, const records::Recipe& recipe, bool quiet) {
    if (store.readOnly())
        return Error{"file.permission", "the project " + store.project().string() + " is read-only", "use another --project", "", false};
    QW_TRY(const wire::RunFolder folder, drive::makeRun(store.project(), identity, recipe, ""));
    return driveSingle(store, folder, identity.uid, quiet, false);
}

Result<FinishedJob> driveSingle(store::Store& store, const wire::RunFolder& folder, const std::string& uid, bool quiet, bool wait) {
    watchInterrupts();
    Progress progress(quiet);
    const drive::Watch watch = progress.watch();
    const Error stopped{"engine.cancelled", "stopped on request", "'qatw resume " + uid + "' continues", "", true};
    for (std::string told; wait;) {
        QW_TRY(std::string why, drive::whyWait(store, ""));
        if (why.empty()) break;
        if (interruptWish() != drive::Wish::GoOn) return stopped;
        if (why != told) progress.note("waiting: " + why);
        told = std::move(why);
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    QW_TRY(const drive::RunEnd end, drive::driveRun(store, folder, watch, wait));
    progress.clear();
    if (end.error) return *end.error;
    if (end.left || end.state != records::RunState::Completed) return stopped;
    QW_TRY(auto run, store.run(uid));
    QW_TRY(auto results, store.results(uid));
    return FinishedJob{std::move(run), std::move(results)};
}

std::string resultsJson(const FinishedJob& job, const std::string& extraKey, const std::string& extraJson) {
    Json out;
    if (!extraKey.empty()) out[extraKey] = Json::parse(extraJson);
    out["tasks"] = Json::object();
    Json settings = Json::object();
    for (const auto& [runUid, result, items] : job.results) {
        Json task = Json::object();
        for (const auto& metric : result.metrics) {
            task[metric.name] = metric.value;
            if (metric.stderror) task[metric.name + "_stderr"] = *metric.stderror;
        }
        task["n"] = result.n;
        out["tasks"][result.task] = std::move(task);
        const auto own = Json::parse(result.settings, nullptr, false);
        if (own.is_object()) settings[result.task] = own;
    }
    // What all tasks agree on stands at the top.
    Json common = Json::object();
    if (!settings.empty()) {
        const Json first = settings.begin().value();
        for (const auto& [key, value] : first.items()) {
            const bool everywhere =
                std::ranges::all_of(settings, [&, k = key, v = value](const Json& own) { return own.contains(k) && own[k] == v; });
            if (!everywhere) continue;
            common[key] = value;
            for (auto& own : settings) own.erase(key);
        }
        for (const auto& [task, own] : settings.items())
            if (!own.empty()) common[task] = own;
    }
    out["settings"] = std::move(common);
    out["run"] = job.run.identity.uid;
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void printResults(const FinishedJob& job) {
    for (const auto& stored : job.results) {
        const auto& result = stored.result;
        std::cout << result.task << "  (" << result.variant << ", n = " << result.n << ")\n";
        for (const auto& metric : result.metrics) {
            std::string name = metric.name;
            name.resize(std::max<size_t>(name.size(), 18), ' ');
            std::cout << "  " << name << number(metric.value) << (metric.stderror ? " ± " + number(*metric.stderror) : std::string())
                      << '\n';
        }
    }
    std::cout << "recorded as run " << job.run.identity.uid << '\n';
}

} // namespace qw::cli
