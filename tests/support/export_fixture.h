// SPDX-License-Identifier: GPL-3.0-or-later
// What: a project with a finished run whose quantized folder is real, and exports of it as the tool makes them.
#pragma once

#include "checkpoint/shards.h"
#include "drive/export_run.h"
#include "formats/sheet.h"
#include "quantized_model.h"
#include "runs_fixture.h"

namespace qw::test {

inline wire::RunFolder folderOf(const std::filesystem::path& project, const std::string& uid) {
    for (const auto& folder : wire::listRunFolders(project))
        if (folder.dir.filename().string().starts_with(uid)) return folder;
    qFatal("no folder of run %s", uid.c_str());
    return {};
}

// A completed QAT run with its quantized folder; no latent weights.
inline std::string writeQuantizedRun(const std::filesystem::path& project, const RunPlan& plan, const records::QatBlock& scheme,
                                     const std::string& study = "STUDY") {
    const std::string uid =
        writeRun(project, plan, study,
                 "{\"recipe\":1,\"name\":\"r\",\"model\":{\"path\":\"/m\"},\"eval\":{\"tasks\":[{\"name\":\"hellaswag\","
                 "\"path\":\"/h.jsonl\"}]}}");
    const wire::RunFolder folder = folderOf(project, uid);
    if (const auto written = writeQuantized(folder.nativeExport(), scheme); !written) qFatal("%s", written.error().message.c_str());
    const auto native = *checkpoint::Checkpoint::open(folder.nativeExport());
    auto log = *wire::EventLogWriter::open(folder.events());
    append(log, wire::Artifact{"native", "exports/native", *checkpoint::weightsHash(native.shards()), "{}",
                               static_cast<int64_t>(native.bytes()), -1});
    return uid;
}

// What `qatw export RUN --format F --out DIR --json` does and prints; the probe's logits are taken as equal.
inline Result<std::string> exportRun(const std::filesystem::path& project, const std::string& run, const std::string& name,
                                     const std::filesystem::path& out, bool overwrite = false, int64_t step = drive::kEndOfRun) {
    QW_TRY(auto store, store::Store::open(project));
    QW_CHECK(store.sync());
    QW_TRY(const auto info, store.run(run));
    QW_TRY(const auto* format, formats::findFormat(name));
    QW_TRY(const auto from, drive::exportSource(store, info, *format, step));
    QW_TRY(const auto source, checkpoint::Checkpoint::open(from));
    QW_TRY(const auto exported, formats::exportModel(
                                    *format, source, {out, overwrite, false}, [](uint64_t, uint64_t) { return true; }, equalLogits));
    const auto sheet = formats::sheetOf(*format, exported, out, step);
    QW_CHECK(drive::recordExport(store, info, out, exported, sheet.json, step));
    return sheet.json;
}

} // namespace qw::test
