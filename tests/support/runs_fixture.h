// SPDX-License-Identifier: GPL-3.0-or-later
// What: runs of every kind on disk, for a project that a window's session opens.
#pragma once

#include "desk.h"
#include "store_fixture.h"

namespace qw::test {

struct RunPlan {
    std::string name;
    records::RowRole role = records::RowRole::Qat;
    std::string scheme = "s";
    records::RunState state = records::RunState::Completed;
    double loss = 1;
    int right = 0; // of 100 items of the task hellaswag
    double limit = 0;
    std::vector<std::string> tags = {};
};

constexpr int kItems = 100;

// Item i is right when i < right; the losses of the choices say so too.
inline records::EvalResult writeItems(const wire::RunFolder& folder, const RunPlan& plan, int64_t createdMs) {
    records::EvalResult result;
    result.uid = newUlid();
    result.task = result.kind = "hellaswag";
    result.taskVersion = "1.0";
    const bool quantized = plan.role == records::RowRole::Ptq || plan.role == records::RowRole::Qat;
    result.variant = quantized ? "quantized" : "float";
    result.n = kItems;
    result.limit = plan.limit;
    const double acc = plan.right / double(kItems);
    result.metrics = {{"acc", acc, std::sqrt(acc * (1 - acc) / (kItems - 1))}};
    result.taskDigest = "digest";
    result.settings = "{\"bos\":\"auto\"}";
    result.settingsHash = "settings";
    result.tokensPerSecond = 1000;
    result.createdMs = createdMs;
    result.itemsPath = "eval/" + result.uid + ".jsonl";
    std::filesystem::create_directories(folder.eval());
    std::ofstream items(folder.dir / result.itemsPath);
    for (int i = 0; i < kItems; ++i) {
        const bool hit = i < plan.right;
        items << wire::toJson(records::EvalItem{i, hit ? std::vector<double>{-1, -2} : std::vector<double>{-2, -1}, hit, hit, 0, 0, 3})
              << '\n';
    }
    return result;
}

inline std::string writeRun(const std::filesystem::path& project, const RunPlan& plan, const std::string& study = "STUDY",
                            const std::string& config = "{\"recipe\":1,\"name\":\"r\",\"model\":{\"path\":\"/m\"}}") {
    records::RunIdentity identity;
    identity.name = plan.name;
    identity.kind = plan.role == records::RowRole::Ptq ? "ptq" : plan.role == records::RowRole::Qat ? "qat" : "train";
    identity.role = plan.role;
    identity.scheme = plan.role == records::RowRole::Qat || plan.role == records::RowRole::Ptq ? plan.scheme : "";
    identity.method = plan.role == records::RowRole::Ptq ? "rtn" : "";
    identity.block = plan.role == records::RowRole::Float ? "" : "B";
    identity.studyUid = study;
    identity.studyName = "study";
    identity.tags = plan.tags;
    identity.modelPath = "/models/tiny";
    const wire::RunFolder folder = *wire::createRunFolder(project, identity);
    std::ofstream(folder.resolvedConfig()) << config;
    auto log = *wire::EventLogWriter::open(folder.events());
    append(log, wire::Attempt{1, "host", "cpu", "2.11.0", "build", 77, 0, 2, true});
    const bool quantized = !identity.scheme.empty();
    wire::ModelFacts facts;
    facts.dtype = facts.exportDtype = "bfloat16";
    facts.bytes = 8000;
    facts.quantizedBytes = quantized ? 2000 : 0;
    facts.bitsPerWeight = quantized ? 4.5 : 0;
    facts.totalSteps = 10;
    append(log, facts);
    append(log, wire::StateChange{records::RunState::Running, "train", {}});
    for (int64_t s = 1; s <= 10; ++s) append(log, wire::Metrics{s, {{"train.loss", plan.loss + 1.0 / double(s)}}, 0, {}});
    append(log, wire::Metrics{10, {{"eval.loss", plan.loss}}, 0, {}});
    for (const int64_t step : {5, 10}) {
        const std::string name = "checkpoints/" + wire::checkpointName(step);
        writeText(folder.dir / name / "MANIFEST.json", "{}");
        append(log, wire::CheckpointSaved{step, 4096, name, false});
    }
    if (plan.right > 0) append(log, wire::EvalDone{writeItems(folder, plan, 1767225600000)});
    if (plan.state == records::RunState::Failed) append(log, wire::Notice{true, "train.nonfinite", "the loss is not finite", {}, {}});
    append(log, wire::StateChange{plan.state, {}, {}});
    return identity.uid;
}

} // namespace qw::test
