// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/tasks_ops.h"

#include "base/clock.h"
#include "base/memory.h"
#include "checkpoint/module_plan.h"
#include "config/recipe_file.h"
#include "config/schedule.h"
#include "engine/device.h"
#include "engine/guard.h"
#include "engine/job_support.h"
#include "engine/process.h"
#include "train/memory_plan.h"
#include "train/trainer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace qw::engine {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// A probe is worth its time when a step costs at most a few seconds: 6 flops per parameter and token (2001.08361).
constexpr double kProbeFlops = 2e11;
constexpr int64_t kProbeSteps = 3;

// What the device can still give; of a GPU the whole memory, whose free part changes with whoever uses it. 0: unknown.
int64_t availableOn(const at::Device& device) {
    if (!device.is_cpu()) {
        const json list = json::parse(devicesJson(), nullptr, false);
        for (const auto& one : list)
            if (one.value("device", "") == device.str()) return one.value("memory_bytes", int64_t{0});
        return 0;
    }
    return static_cast<int64_t>(availableMemory());
}

// Seconds of one step, measured; below 0 with a reason.
double probeStep(const records::Recipe& wanted, const Source& source, records::DType exported, at::Device device, data::Dataset& rows,
                 const fs::path& scratch, const TaskContext& context, std::string& why) {
    records::Recipe recipe = wanted;
    recipe.train.maxSteps = kProbeSteps;
    recipe.eval.every = 0;
    recipe.checkpoint.every = 1e9;
    recipe.checkpoint.atEnd = recipe.checkpoint.atFirstStep = false;
    if (recipe.qat) recipe.qat->fakeQuantAfterSteps.reset();
    const auto working = recipe.precision.mode == "fp32" ? at::kFloat : at::kBFloat16;
    auto seconds = guarded([&]() -> Result<double> {
        QW_TRY(auto decoder, loadDecoder(source, recipe.seeds.front(), working, device));
        std::unique_ptr<quant::Quantizer> quantizer;
        if (recipe.qat) {
            QW_TRY(auto plan, quant::plan(decoder, *recipe.qat));
            quantizer = std::make_unique<quant::Quantizer>(decoder, std::move(plan), exported, recipe.kernels == "reference");
        }
        int64_t first = 0, last = 0, steps = 0;
        train::Job job{recipe,
                       decoder,
                       quantizer.get(),
                       rows,
                       nullptr,
                       scratch,
                       "probe",
                       [](wire::Payload) {},
                       context.cancel,
                       [&](int64_t) {
                           last = monotonicNs();
                           if (++steps == 1) first = last; // the first step warms up
                       },
                       nullptr};
        QW_TRY(const auto outcome, train::train(job));
        if (steps < 2 || outcome.steps < 2) return Error{"train.wont_fit", "fewer than two steps", "", "", false};
        return static_cast<double>(last - first) * 1e-9 / static_cast<double>(steps - 1);
    });
    if (seconds) return *seconds;
    why = seconds.error().message;
    return -1;
}

} // namespace

Result<std::string> planTask(const std::string& params, const TaskContext& context) {
    const json p = json::parse(params, nullptr, false);
    const fs::path scratch = p.value("scratch", "/tmp");
    QW_TRY(const auto recipe, config::parseRecipe(p.value("recipe", ""), "recipe"));
    QW_TRY(const at::Device device, openDevice(recipe.device));
    configureTorch(recipe.threads, recipe.deterministic.value_or(device.is_cpu()), recipe.precision.tf32);
    QW_TRY(const auto source, openSource(recipe, {}, scratch));
    QW_TRY(const auto tokenizer, tokenizer::Tokenizer::load(source.folder));
    const auto exported = checkpoint::memberType(recipe.precision.exportDtype, recipe.precision.mode);
    std::optional<quant::Plan> plan;
    if (recipe.qat) {
        QW_TRY(plan, quant::plan(source.config, source.tied, *recipe.qat, exported));
    }
    QW_TRY(const auto facts, describe(source, exported, plan ? &*plan : nullptr, 0));
    const fs::path cache = p.value("cache", (scratch / "cache").string());
    std::error_code error;
    fs::create_directories(cache, error);
    QW_TRY(auto rows, data::Dataset::build(recipe.data.train, recipe.data, tokenizer, cache, context.emit, &context.cancel));
    const int64_t steps = config::totalSteps(recipe, rows.rows());
    const int64_t rowsPerStep = recipe.train.microBatch * recipe.train.gradAccum;
    const auto parts = train::memoryPlan(recipe, source.config, facts.parameters, plan ? &*plan : nullptr);
    json warnings = json::array();
    json components = json::array();
    int64_t total = 0, host = 0; // on the device, and beside it
    for (const auto& part : parts) {
        components.push_back({{"name", part.name}, {"bytes", part.bytes}, {"host", part.onHost}});
        (part.onHost && !device.is_cpu() ? host : total) += part.bytes;
    }
    const int64_t available = availableOn(device);
    if (available > 0 && total > available)
        warnings.push_back("about " + std::to_string(total >> 20) + " MiB needed, " + std::to_string(available >> 20) + " MiB free");
    if (const auto memory = static_cast<int64_t>(availableMemory()); memory > 0 && host > memory)
        warnings.push_back("about " + std::to_string(host >> 20) +
                           " MiB of host memory needed for the copy that checkpoints are written from, " + std::to_string(memory >> 20) +
                           " MiB free");
    if (recipe.data.seqLen > source.config.maxPositions)
        warnings.push_back("data.seq_len " + std::to_string(recipe.data.seqLen) + " is above the model's " +
                           std::to_string(source.config.maxPositions) + " positions");
    const double flops = 6.0 * static_cast<double>(facts.parameters) * static_cast<double>(recipe.train.microBatch * recipe.data.seqLen) *
                         static_cast<double>(recipe.train.gradAccum);
    double stepSeconds = -1;
    std::string why = "the model is too large for a quick probe";
    if (!p.value("probe", true))
        why = "not asked for";
    else if (flops * kProbeSteps < kProbeFlops * (device.is_cpu() ? 1 : 100) && (available == 0 || total < available))
        stepSeconds = probeStep(recipe, source, exported, device, rows, scratch, context, why);
    json skipped = json::array();
    if (plan)
        for (const auto& layer : plan->layers)
            if (!layer.skipReason.empty()) skipped.push_back({{"name", layer.name}, {"reason", layer.skipReason}});
    const auto& counts = rows.counts();
    json body{{"device", device.str()},
              {"parameters", facts.parameters},
              {"steps", steps},
              {"rows", rows.rows()},
              {"documents", counts.documents},
              {"tokens", counts.tokens},
              {"tokens_per_step", rowsPerStep * recipe.data.seqLen},
              {"memory", components},
              {"memory_bytes", total},
              {"host_bytes", host},
              {"available_bytes", available},
              {"native_bytes", facts.quantizedBytes},
              {"bits_per_weight", facts.bitsPerWeight},
              {"quantized_layers", plan ? plan->layers.size() - skipped.size() : 0},
              {"skipped", skipped},
              {"warnings", warnings}};
    if (stepSeconds >= 0) {
        body["step_seconds"] = stepSeconds;
        body["train_seconds"] = stepSeconds * static_cast<double>(steps);
    } else
        body["time_unknown"] = why;
    return body.dump();
}

Result<std::string> inspectTask(const std::string& params) {
    const json p = json::parse(params, nullptr, false);
    QW_TRY(const auto files, checkpoint::Checkpoint::open(p.value("path", "")));
    json problems = json::array();
    for (const auto& problem : files.warnings())
        problems.push_back({{"code", problem.code}, {"msg", problem.message}, {"hint", problem.hint}});
    const auto& config = files.config();
    return json{{"architecture", config.modelType},
                {"layers", config.layers},
                {"hidden", config.hidden},
                {"vocab", config.vocab},
                {"parameters", files.parameters()},
                {"bytes", files.bytes()},
                {"tied", files.tied()},
                {"format", files.format()},
                {"dtype", dtypeName(files.dtype())},
                {"tensors", files.tensors().size()},
                {"problems", problems}}
        .dump();
}

} // namespace qw::engine
