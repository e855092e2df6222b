// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"
#include "project_store.h"

#include "wire/json_events.h"

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Facts {
    store::RunInfo run;
    std::vector<records::LayerInfo> layers;
    std::vector<store::StoredResult> results;
    std::vector<store::ArtifactInfo> artifacts;
    std::vector<store::AttemptInfo> attempts;
    std::vector<store::EventInfo> warnings;
    std::vector<store::MetricSummary> metrics;
};

Result<Facts> gather(const store::Store& store, const std::string& token) {
    QW_TRY(store::RunInfo run, store.run(token));
    const std::string uid = run.identity.uid;
    QW_TRY(auto layers, store.layers(uid));
    QW_TRY(auto results, store.results(uid));
    QW_TRY(auto artifacts, store.artifacts(uid));
    std::erase_if(artifacts, [&](const auto& file) { return file.kind != "export" && !store::isOnDisk(run, file); });
    QW_TRY(auto attempts, store.attempts(uid));
    QW_TRY(auto warnings, store.events(uid, 2));
    QW_TRY(auto metrics, store.metrics(uid));
    return Facts{std::move(run),      std::move(layers),   std::move(results), std::move(artifacts),
                 std::move(attempts), std::move(warnings), std::move(metrics)};
}

// JSON text of the store as JSON, null when it is none.
Json parsed(const std::string& text) {
    Json json = Json::parse(text, nullptr, false);
    return json.is_discarded() ? Json() : json;
}

Json number(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return value;
}

Json resultJson(const store::StoredResult& stored) {
    const records::EvalResult& r = stored.result;
    Json metrics = Json::object();
    for (const auto& m : r.metrics) {
        metrics[m.name] = number(m.value);
        if (m.stderror) metrics[m.name + "_stderr"] = number(*m.stderror);
    }
    return {{"uid", r.uid},
            {"task", r.task},
            {"kind", r.kind},
            {"task_version", r.taskVersion},
            {"variant", r.variant},
            {"at_step", r.atStep},
            {"limit", r.limit},
            {"n", r.n},
            {"metrics", metrics},
            {"task_digest", r.taskDigest},
            {"settings_hash", r.settingsHash},
            {"settings", parsed(r.settings)},
            {"tokens_per_second", number(r.tokensPerSecond)},
            {"items", stored.items},
            {"created_ms", r.createdMs}};
}

Json toJson(const Facts& f) {
    const auto& run = f.run;
    Json json = parsed(wire::toJson(run.identity));
    json["dir"] = run.dir.string();
    json["state"] = records::stateName(run.state);
    json["phase"] = run.phase;
    json["step"] = run.step;
    json["total_steps"] = run.totalSteps;
    json["started_ms"] = run.startedMs;
    json["ended_ms"] = run.endedMs;
    json["bitwise"] = run.bitwise;
    json["exit_code"] = run.exitCode ? Json(*run.exitCode) : Json();
    json["error"] =
        run.error
            ? Json{{"code", run.error->code}, {"msg", run.error->message}, {"hint", run.error->hint}, {"detail", parsed(run.error->detail)}}
            : Json();
    json["env"] = parsed(run.env);
    json["config_hash"] = run.configHash;
    json["config"] = parsed(run.config);
    json["model"] = run.model ? parsed(wire::payloadJson(*run.model)) : Json();
    if (run.model) json["model"].erase("layers");
    Json& layers = json["layers"] = Json::array();
    for (const auto& l : f.layers)
        layers.push_back({{"name", l.name},
                          {"rows", l.rows},
                          {"cols", l.cols},
                          {"scheme", l.scheme},
                          {"skip_reason", l.skipReason},
                          {"bits_per_weight", l.bitsPerWeight}});
    Json& results = json["results"] = Json::array();
    for (const auto& r : f.results) results.push_back(resultJson(r));
    Json& artifacts = json["artifacts"] = Json::array();
    for (const auto& a : f.artifacts)
        artifacts.push_back({{"kind", a.kind},
                             {"path", a.path},
                             {"step", a.step},
                             {"bytes", a.bytes},
                             {"hash", a.hash},
                             {"info", parsed(a.info)},
                             {"created_ms", a.createdMs}});
    Json& attempts = json["attempts"] = Json::array();
    for (const auto& a : f.attempts)
        attempts.push_back({{"attempt", a.attempt},
                            {"host", a.host},
                            {"pid", a.pid},
                            {"from_step", a.fromStep},
                            {"to_step", a.toStep},
                            {"started_ms", a.startedMs},
                            {"ended_ms", a.endedMs},
                            {"reason", a.reason}});
    Json& warnings = json["warnings"] = Json::array();
    for (const auto& w : f.warnings) warnings.push_back({{"seq", w.seq}, {"ts", w.tsMs}, {"kind", w.kind}, {"body", parsed(w.body)}});
    Json& metrics = json["metrics"] = Json::array();
    for (const auto& m : f.metrics)
        metrics.push_back({{"name", m.name},
                           {"n", m.n},
                           {"step", m.step},
                           {"last", number(m.value)},
                           {"min", number(m.min)},
                           {"min_step", m.minStep},
                           {"max", number(m.max)},
                           {"max_step", m.maxStep}});
    return json;
}

void printHead(const store::RunInfo& run) {
    const auto& id = run.identity;
    std::vector<std::vector<std::string>> rows{
        {"run", id.uid + "  " + id.name},
        {"kind", id.kind + (id.scheme.empty() ? "" : ", scheme " + id.scheme) + (id.method.empty() ? "" : ", " + id.method)}};
    const auto add = [&](const std::string& name, const std::string& value) {
        if (!value.empty()) rows.push_back({name, value});
    };
    add("study", id.studyName);
    add("state", std::string(records::stateName(run.state)) + (run.phase.empty() ? "" : " (" + run.phase + ")") +
                     (run.exitCode ? ", exit code " + std::to_string(*run.exitCode) : ""));
    if (run.totalSteps > 0) add("steps", std::to_string(run.step) + " of " + std::to_string(run.totalSteps));
    add("started", timeText(run.startedMs) + (run.endedMs > run.startedMs && run.startedMs > 0
                                                  ? ", " + numberText(static_cast<double>(run.endedMs - run.startedMs) / 1000) + " s"
                                                  : ""));
    add("seed", std::to_string(id.seed));
    add("start model", id.modelPath);
    if (run.model) {
        add("model", run.model->arch + ", " + std::to_string(run.model->parameters) + " parameters, " + run.model->dtype + ", " +
                         bytesText(run.model->bytes));
        if (run.model->quantizedBytes > 0)
            add("quantized",
                "≈ " + bytesText(run.model->quantizedBytes) + ", " + numberText(run.model->bitsPerWeight) + " bits per weight");
    }
    if (!run.bitwise) add("resume", "in another build or with other settings: not bit for bit the same");
    add("notes", id.notes);
    add("folder", run.dir.string());
    if (run.error) {
        add("error", run.error->message + "  [" + run.error->code + "]");
        add("next", run.error->hint);
    }
    std::cout << textTable(rows, {false, false});
}

void printLayers(const std::vector<records::LayerInfo>& layers) {
    if (layers.empty()) return;
    size_t skipped = 0;
    for (const auto& l : layers) skipped += !l.skipReason.empty();
    std::cout << "\nlayers: " << layers.size() - skipped << " quantized, " << skipped << " skipped\n";
    std::vector<std::vector<std::string>> rows;
    for (const auto& l : layers)
        rows.push_back({"  " + l.name, std::to_string(l.rows) + " x " + std::to_string(l.cols), numberText(l.bitsPerWeight),
                        l.skipReason.empty() ? l.scheme : "skipped: " + l.skipReason});
    std::cout << textTable(rows, {false, true, true, false});
}

void printResults(const std::vector<store::StoredResult>& results) {
    if (results.empty()) return;
    std::cout << "\nresults\n";
    std::vector<std::vector<std::string>> rows;
    for (const auto& stored : results) {
        const records::EvalResult& r = stored.result;
        for (const auto& m : r.metrics)
            rows.push_back({"  " + r.task, r.variant, r.atStep < 0 ? "final" : "step " + std::to_string(r.atStep), m.name,
                            numberText(m.value), m.stderror ? "± " + numberText(*m.stderror) : "", "n " + std::to_string(r.n)});
    }
    std::cout << textTable(rows, {false, false, false, false, true, false, true});
}

void printRest(const Facts& f) {
    if (!f.metrics.empty()) {
        std::cout << "\nseries (qatw series " << f.run.identity.uid << " NAME)\n";
        std::vector<std::vector<std::string>> rows;
        for (const auto& m : f.metrics)
            rows.push_back({"  " + m.name, std::to_string(m.n), numberText(m.value), numberText(m.min), numberText(m.max)});
        rows.insert(rows.begin(), {"  name", "points", "last", "min", "max"});
        std::cout << textTable(rows, {false, true, true, true, true});
    }
    if (!f.artifacts.empty()) {
        std::cout << "\nfiles\n";
        std::vector<std::vector<std::string>> rows;
        for (const auto& a : f.artifacts)
            rows.push_back(
                {"  " + a.kind, a.path, a.bytes > 0 ? bytesText(a.bytes) : "", a.step >= 0 ? "step " + std::to_string(a.step) : ""});
        std::cout << textTable(rows, {false, false, true, false});
    }
    if (f.attempts.size() > 1) {
        std::cout << "\nattempts\n";
        for (const auto& a : f.attempts)
            std::cout << "  " << a.attempt << ": " << timeText(a.startedMs) << ", from step " << a.fromStep
                      << (a.endedMs ? " to " + std::to_string(a.toStep) : "") << (a.reason.empty() ? "" : ", " + a.reason) << '\n';
    }
    if (!f.warnings.empty()) {
        std::cout << "\nwarnings\n";
        for (const auto& w : f.warnings) {
            const Json body = parsed(w.body);
            const char* key = body.contains("msg") ? "msg" : "text";
            std::cout << "  " << timeText(w.tsMs) << "  "
                      << (body.contains(key) && body[key].is_string() ? body[key].get<std::string>() : w.body) << '\n';
        }
    }
}

} // namespace

int cmdShow(CommandLine& line) {
    std::string token, project;
    bool json = false;
    line.positional("RUN", token, "run by id, start of an id, or name");
    line.flag("--json", json, "one JSON object");
    line.option("--project", project, "project folder");
    if (const auto done = line.parse()) return *done;
    const auto store = openProject(project);
    if (!store) return fail(store.error(), json);
    const auto facts = gather(*store, token);
    if (!facts) return fail(facts.error(), json);
    if (json) {
        std::cout << toJson(*facts).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
        return 0;
    }
    printHead(facts->run);
    printLayers(facts->layers);
    printResults(facts->results);
    printRest(*facts);
    return 0;
}

} // namespace qw::cli
