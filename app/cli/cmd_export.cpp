// SPDX-License-Identifier: GPL-3.0-or-later
// What: writes a finished run's weights for other programs, then reads them back and prints the sheet that proves the folder.
#include "command_line.h"
#include "drive/supervisor.h"
#include "engine_request.h"
#include "progress.h"
#include "project_store.h"
#include "store/store.h"

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

struct Wanted {
    std::string run, format, out, project;
    bool overwrite = false, json = false;
};

// The run's folders by kind; "" where it has none.
struct Folders {
    fs::path native, model, start;
    int64_t nativeBytes = 0, modelBytes = 0, floatBytes = 0;
    bool activations = false; // the scheme rounds activations too, which no plain folder can say
};

Result<Folders> foldersOf(const store::Store& store, const store::RunInfo& run) {
    Folders folders;
    QW_TRY(const auto artifacts, store.artifacts(run.identity.uid));
    for (const auto& artifact : artifacts) {
        if (artifact.kind == "native") folders.native = run.dir / artifact.path, folders.nativeBytes = artifact.bytes;
        if (artifact.kind == "model") folders.model = run.dir / artifact.path, folders.modelBytes = artifact.bytes;
    }
    folders.start = run.identity.modelPath;
    if (run.model) folders.floatBytes = run.model->bytes;
    const auto config = nlohmann::json::parse(run.config, nullptr, false);
    if (config.is_object() && config.contains("qat") && config["qat"].is_object())
        folders.activations = config["qat"].contains("activation") && !config["qat"]["activation"].is_null();
    return folders;
}

Error missing(const store::RunInfo& run, const std::string& what) {
    return Error{"usage", "run " + run.identity.name + " has no " + what,
                 "'qatw show " + run.identity.uid + "' lists what it has; a run must be completed", "", false};
}

// Copies must not replace a folder silently; the engine's own writer has the same rule.
Status makeRoom(const Wanted& wanted) {
    std::error_code error;
    if (!fs::exists(wanted.out, error) || fs::is_empty(wanted.out, error)) return {};
    if (!wanted.overwrite)
        return Error{"file.unsafe", wanted.out + " exists and is not empty", "choose another --out, or say --overwrite", "", false};
    return {};
}

Status copyInto(const fs::path& from, const Wanted& wanted) {
    // The old folder stays until the new one is complete.
    const fs::path out = fs::absolute(wanted.out).lexically_normal();
    const fs::path staged = out.string() + ".new";
    std::error_code error;
    fs::remove_all(staged, error);
    QW_CHECK(drive::copyFolder(from, staged, false));
    fs::remove_all(out, error);
    fs::rename(staged, out, error);
    if (error)
        return Error{"file.io", "cannot rename " + staged.string() + ": " + error.message(), "look at the folder's permissions", "", false};
    return {};
}

Result<std::string> write(const Folders& folders, const store::RunInfo& run, const Wanted& wanted, const fs::path& out,
                          Progress& progress) {
    QW_CHECK(makeRoom(wanted));
    if (wanted.format == "native") {
        if (folders.native.empty()) return missing(run, "quantized weights");
        QW_CHECK(copyInto(folders.native, wanted));
        return folders.native.string();
    }
    if (wanted.format == "hf-latent") {
        if (folders.model.empty()) return missing(run, "trained weights");
        QW_CHECK(copyInto(folders.model, wanted));
        return folders.model.string();
    }
    if (wanted.format != "hf") return Error{"usage", "--format is '" + wanted.format + "'", "use hf, hf-latent or native", "", false};
    if (folders.native.empty()) return missing(run, "quantized weights");
    std::error_code error;
    const fs::path sides = folders.model.empty() ? folders.start : folders.model;
    const nlohmann::json params{{"source", folders.native.string()},
                                {"sides", fs::exists(sides / "config.json", error) ? sides.string() : folders.native.string()},
                                {"out", out.string()},
                                {"overwrite", wanted.overwrite}};
    QW_TRY(const auto written, askEngine("export", params.dump(), [&](const wire::Event& event) { progress.event(event); }));
    return folders.native.string();
}

uint64_t weightBytes(const fs::path& folder) {
    uint64_t bytes = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
        if (entry.path().extension() == ".safetensors") bytes += entry.file_size(error);
    return bytes;
}

Result<Json> exportRun(const Wanted& wanted, Progress& progress) {
    QW_TRY(auto store, openProject(wanted.project));
    QW_TRY(const auto run, store.run(wanted.run));
    QW_TRY(const Folders folders, foldersOf(store, run));
    std::error_code error;
    const fs::path out = fs::absolute(wanted.out, error).lexically_normal();
    QW_TRY(const std::string reference, write(folders, run, wanted, out, progress));
    const nlohmann::json params{{"reference", reference}, {"exported", out.string()}};
    QW_TRY(const auto text, askEngine("export.check", params.dump(), [&](const wire::Event& event) { progress.event(event); }));
    const auto check = nlohmann::json::parse(text);
    const auto tensors = check["tensors"].get<int64_t>(), equal = check["equal"].get<int64_t>();
    const double logitsMax = check["logits_max"];
    const bool sameForward = !(wanted.format == "hf" && folders.activations);
    const uint64_t bytes = weightBytes(out);
    const int64_t forecast = wanted.format == "native" ? folders.nativeBytes
                             : wanted.format == "hf"   ? folders.floatBytes
                                                       : folders.modelBytes;
    Json checks = Json::array();
    const auto add = [&](const std::string& name, const std::string& value, bool ok) {
        checks.push_back({{"name", name}, {"value", value}, {"ok", ok}});
    };
    add("tensors equal bit for bit",
        std::to_string(equal) + " of " + std::to_string(tensors) +
            (equal == tensors ? "" : ", first different: " + check["different"].get<std::string>()),
        equal == tensors);
    add(wanted.format == "hf-latent" ? "logits against the trained model" : "logits against the quantized model",
        "max " + numberText(logitsMax) + ", mean " + numberText(check["logits_mean"]) + " on " +
            std::to_string(check["tokens"].get<int64_t>()) + " tokens" +
            (sameForward ? "" : " (this format cannot say that activations are rounded)"),
        !sameForward || logitsMax == 0);
    add("weight files", bytesText(static_cast<int64_t>(bytes)) + ", forecast " + bytesText(forecast),
        forecast <= 0 ||
            std::abs(static_cast<double>(bytes) - static_cast<double>(forecast)) <= 0.1 * static_cast<double>(forecast) + 65536);
    bool verified = true;
    for (const auto& one : checks) verified = verified && one["ok"].get<bool>();
    return Json{{"run", run.identity.uid}, {"format", wanted.format}, {"dir", out.string()},
                {"bytes", bytes},          {"verified", verified},    {"checks", checks}};
}

} // namespace

int cmdExport(CommandLine& line) {
    Wanted wanted;
    wanted.format = "native";
    line.positional("RUN", wanted.run, "run, by id, start of an id, or name");
    line.option("--format", wanted.format, "hf (dequantized weights) | hf-latent (trained float weights) | native (codes and scales)");
    line.option("--out", wanted.out, "folder to write; must be new or empty", true);
    line.flag("--overwrite", wanted.overwrite, "replace what the folder holds");
    line.option("--project", wanted.project, "project folder");
    line.flag("--json", wanted.json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    Progress progress;
    const auto sheet = exportRun(wanted, progress);
    progress.clear();
    if (!sheet) return fail(sheet.error(), wanted.json);
    if (wanted.json)
        std::cout << sheet->dump() << '\n';
    else {
        std::cout << ((*sheet)["verified"].get<bool>() ? "verified: " : "UNVERIFIED: ") << (*sheet)["dir"].get<std::string>() << '\n';
        for (const auto& check : (*sheet)["checks"])
            std::cout << "  " << (check["ok"].get<bool>() ? "ok   " : "FAIL ") << check["name"].get<std::string>() << ": "
                      << check["value"].get<std::string>() << '\n';
    }
    return (*sheet)["verified"].get<bool>() ? 0 : exitCode("file.corrupt");
}

} // namespace qw::cli
