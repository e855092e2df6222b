// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/job.h"

#include "base/build_info.h"
#include "base/files.h"
#include "config/schedule.h"
#include "engine/crash.h"
#include "engine/device.h"
#include "engine/faults.h"
#include "engine/job_eval.h"
#include "engine/loaded_model.h"
#include "engine/process.h"
#include "eval/evaluator.h"
#include "export/folders.h"
#include "train/trainer.h"
#include "wire/run_marks.h"

#include <ATen/core/grad_mode.h>
#include <algorithm>
#include <unistd.h>

namespace qw::engine {
namespace fs = std::filesystem;
namespace {

using records::RunState;

// What every kind of job starts with.
struct Start {
    at::Device device{at::kCPU};
    Source source;
    records::DType exported = records::DType::F32;
    records::DType evaluated = records::DType::F32;
    tokenizer::Tokenizer tokenizer;
};

bool isPtq(const JobInput& input) { return input.identity.kind == "ptq"; }
bool isEvalOnly(const JobInput& input) { return input.identity.kind == "eval"; }

std::string variantOf(const JobInput& input, const Source& source) {
    if (isPtq(input)) return "ptq";
    if (input.identity.kind == "qat") return "quantized";
    if (isEvalOnly(input) && input.recipe.qat) return "fake_quant";
    return source.files && source.files->isQuantized() ? "quantized" : "float";
}

void enter(JobInput& input, const char* phase) {
    setPlace(phase);
    input.emit(wire::StateChange{RunState::Running, phase, ""});
}

// Training tells its own attempt, because it knows the step it continues from. Every other start continues behind the last step.
void tellAttempt(JobInput& input, at::Device device, int threads) {
    const auto model =
        std::ranges::find_if(input.journal.artifacts, [](const wire::Artifact& artifact) { return artifact.kind == "model"; });
    const bool trained = model != input.journal.artifacts.end() && input.journal.hasArtifact(input.runDir, "model");
    if (!isPtq(input) && !isEvalOnly(input) && !trained) return;
    wire::Attempt attempt;
    attempt.attempt = input.journal.attempts + 1;
    attempt.host = hostName();
    attempt.device = device.str();
    attempt.libtorch = libtorchVersion();
    attempt.buildId = std::string(buildId());
    attempt.pid = ::getpid();
    attempt.threads = threads;
    attempt.fromStep = trained ? model->step + 1 : 0;
    if (const auto& before = input.journal.lastAttempt)
        attempt.bitwise = before->bitwise && before->buildId == attempt.buildId && before->threads == threads &&
                          before->device == attempt.device && before->libtorch == attempt.libtorch;
    input.emit(attempt);
}

Result<Start> openStart(JobInput& input) {
    enter(input, "load");
    QW_TRY(const at::Device device, openDevice(input.recipe.device));
    const bool deterministic = input.recipe.deterministic.value_or(device.is_cpu());
    const int threads = configureTorch(input.recipe.threads, deterministic, input.recipe.precision.tf32);
    tellAttempt(input, device, threads);
    const bool fromIdentity = isPtq(input) || isEvalOnly(input);
    QW_TRY(auto source, openSource(input.recipe, fromIdentity ? fs::path(input.identity.modelPath) : fs::path(), input.runDir));
    QW_TRY(auto tokenizer, tokenizer::Tokenizer::load(source.folder));
    reportSource(source, tokenizer, input.emit);
    if (!isEvalOnly(input) && source.files && source.files->isQuantized())
        return Error{"config.conflict",
                     source.folder.string() + " is quantized already (" + source.files->format() +
                         "): there is nothing to train or quantize",
                     "take the unquantized model", "", false};
    const auto exported = exportType(input, source);
    const auto evaluated = dtypeFromName(input.recipe.eval.dtype).value_or(exported);
    return Start{device, std::move(source), exported, evaluated, std::move(tokenizer)};
}

Result<std::optional<data::Dataset>> openData(JobInput& input, const Start& start, const std::vector<records::DataSource>& sources) {
    std::optional<data::Dataset> none;
    if (sources.empty()) return none;
    enter(input, "tokenise");
    const fs::path cache = cacheFolder(input.runDir);
    QW_CHECK(makeDirs(cache));
    QW_TRY(auto dataset, data::Dataset::build(sources, input.recipe.data, start.tokenizer, cache, input.emit, &input.cancel));
    return std::optional<data::Dataset>(std::move(dataset));
}

Status announce(JobInput& input, const std::string& kind, const fs::path& path, const exporter::Written& written, const std::string& info,
                int64_t step = -1) {
    wire::Artifact artifact;
    artifact.kind = kind;
    artifact.path = path.lexically_relative(input.runDir).string();
    artifact.hash = written.hash;
    artifact.bytes = static_cast<int64_t>(written.bytes);
    artifact.info = info;
    artifact.step = step;
    input.journal.artifacts.push_back(artifact);
    input.emit(artifact);
    return {};
}

Status writeNativeFolder(JobInput& input, const model::Decoder& decoder, const quant::Plan& plan, const Start& start,
                         const fs::path& sideFiles) {
    enter(input, "convert");
    const std::string method = input.identity.method.empty() ? "rtn" : input.identity.method;
    const fs::path out = wire::RunFolder{input.runDir}.nativeExport();
    QW_CHECK(makeDirs(out.parent_path()));
    QW_TRY(const auto written, exporter::writeNative(decoder, plan, start.exported, method, sideFiles, out, true));
    return announce(input, "native", out, written, nativeInfo(method, plan, start.exported));
}

Status evaluateFolder(JobInput& input, const Start& start, const fs::path& folder, const std::optional<records::QatBlock>& scheme,
                      const data::Dataset* lossData) {
    const std::string variant = variantOf(input, start.source);
    if (!evaluationMissing(input, variant)) return {};
    QW_TRY(auto files, checkpoint::Checkpoint::open(folder, "auto"));
    QW_TRY(auto decoder, model::Decoder::load(files, scalarType(start.evaluated), start.device));
    std::optional<quant::Plan> plan;
    if (scheme) {
        QW_TRY(plan, quant::plan(decoder, *scheme));
    }
    const bool reference = input.recipe.kernels == "reference";
    const auto hook = plan ? hookActivations(decoder, *plan, start.exported, reference) : nullptr;
    return evaluateAll(input, decoder, start.tokenizer, EvalPlan{variant, start.evaluated, input.identity.scheme}, lossData);
}

Result<JobEnd> endOf(Status status) {
    if (status) return JobEnd::Completed;
    if (status.error().code == "engine.cancelled") return JobEnd::Stopped;
    return std::move(status).error();
}

Status evalJob(JobInput& input, Start& start) {
    std::optional<records::QatBlock> scheme = input.recipe.qat;
    const bool quantized = start.source.files && start.source.files->isQuantized();
    if (quantized && scheme)
        return Error{"config.conflict", start.source.folder.string() + " is already quantized",
                     "leave --scheme out, or take the unquantized model", "", false};
    if (quantized) {
        QW_TRY(scheme, soleScheme(*start.source.files));
    }
    QW_TRY(auto decoder, loadDecoder(start.source, input.recipe.seeds.front(), scalarType(start.evaluated), start.device));
    std::optional<quant::Plan> plan;
    if (scheme) {
        QW_TRY(plan, quant::plan(decoder, *scheme));
    }
    QW_TRY(const auto facts, describe(start.source, start.exported, plan ? &*plan : nullptr, 0));
    input.emit(facts);
    QW_TRY(const auto lossData, openData(input, start, input.recipe.data.eval));
    std::unique_ptr<quant::Quantizer> hook;
    const bool reference = input.recipe.kernels == "reference";
    if (quantized && plan)
        hook = hookActivations(decoder, *plan, start.exported, reference);
    else if (plan) {
        hook = std::make_unique<quant::Quantizer>(decoder, *plan, start.exported, reference);
        decoder.setHook(hook.get());
    }
    const bool rowByRow = quantized && scheme && eval::needsRowByRow(*scheme);
    return evaluateAll(input, decoder, start.tokenizer,
                       EvalPlan{variantOf(input, start.source), start.evaluated, input.identity.scheme, rowByRow},
                       lossData ? &*lossData : nullptr);
}

Status ptqJob(JobInput& input, Start& start) {
    if (!input.recipe.qat) return Error{"config.invalid", "a ptq run needs a scheme", "", "", false};
    const fs::path native = wire::RunFolder{input.runDir}.nativeExport();
    if (!input.journal.hasArtifact(input.runDir, "native")) {
        QW_TRY(auto decoder, loadDecoder(start.source, input.recipe.seeds.front(), scalarType(start.exported), start.device));
        QW_TRY(const auto plan, quant::plan(decoder, *input.recipe.qat));
        QW_TRY(const auto facts, describe(start.source, start.exported, &plan, 0));
        input.emit(facts);
        QW_CHECK(writeNativeFolder(input, decoder, plan, start, start.source.folder));
    }
    QW_TRY(const auto lossData, openData(input, start, input.recipe.data.eval));
    return evaluateFolder(input, start, native, input.recipe.qat, lossData ? &*lossData : nullptr);
}

Status trainModel(JobInput& input, Start& start, const data::Dataset* evalData) {
    const auto& recipe = input.recipe;
    const wire::RunFolder folder{input.runDir};
    const auto working = recipe.precision.mode == "fp32" ? at::kFloat : at::kBFloat16;
    QW_TRY(auto decoder, loadDecoder(start.source, recipe.seeds.front(), working, start.device));
    std::optional<quant::Plan> plan;
    std::unique_ptr<quant::Quantizer> quantizer;
    if (recipe.qat) {
        QW_TRY(plan, quant::plan(decoder, *recipe.qat));
        quantizer = std::make_unique<quant::Quantizer>(decoder, *plan, start.exported, recipe.kernels == "reference");
    }
    QW_TRY(auto trainData, openData(input, start, recipe.data.train));
    if (!trainData) return Error{"config.invalid", "data.train is empty", "name at least one file", "", false};
    QW_TRY(const auto facts,
           describe(start.source, start.exported, plan ? &*plan : nullptr, config::totalSteps(recipe, trainData->rows())));
    input.emit(facts);
    enter(input, "train");
    std::optional<data::Dataset> evalCopy;
    if (evalData) evalCopy = *evalData;
    train::Job job{recipe,
                   decoder,
                   quantizer.get(),
                   *trainData,
                   evalCopy ? &*evalCopy : nullptr,
                   input.runDir,
                   input.configHash,
                   input.emit,
                   input.cancel,
                   [](int64_t step) {
                       setStep(step);
                       faultAtStep(step);
                   },
                   input.checkpointRequested,
                   input.live,
                   input.syncLog,
                   input.journal.attempts + 1,
                   wire::readMarks(folder).extendSchedule,
                   start.source.files ? &*start.source.files : nullptr};
    QW_TRY(const auto outcome, train::train(job));
    if (input.live) input.live->close();
    if (outcome.stopped) return Error{"engine.cancelled", "stopped after step " + std::to_string(outcome.steps), "", "", true};
    enter(input, "export");
    decoder.setHook(nullptr);
    QW_TRY(const auto written, exporter::writeHuggingFace(decoder, start.source.folder, folder.model(), start.exported, true));
    QW_CHECK(announce(input, "model", folder.model(), written, modelInfo(start.exported, outcome.steps), outcome.steps));
    if (!plan) return {};
    return writeNativeFolder(input, decoder, *plan, start, start.source.folder);
}

Status trainJob(JobInput& input, Start& start) {
    const bool qat = input.recipe.qat.has_value();
    const wire::RunFolder folder{input.runDir};
    QW_TRY(const auto evalData, openData(input, start, input.recipe.data.eval));
    const data::Dataset* lossData = evalData ? &*evalData : nullptr;
    if (!input.journal.hasArtifact(input.runDir, "model"))
        QW_CHECK(trainModel(input, start, lossData));
    else if (qat && !input.journal.hasArtifact(input.runDir, "native")) { // killed between the two exports
        QW_TRY(const auto files, checkpoint::Checkpoint::open(folder.model(), "auto"));
        QW_TRY(const auto decoder, model::Decoder::load(files, scalarType(start.exported), start.device));
        QW_TRY(const auto plan, quant::plan(decoder, *input.recipe.qat));
        QW_CHECK(writeNativeFolder(input, decoder, plan, start, folder.model()));
    }
    return evaluateFolder(input, start, qat ? folder.nativeExport() : folder.model(), input.recipe.qat, lossData);
}

} // namespace

Result<JobEnd> runJob(JobInput& input) {
    auto start = openStart(input);
    if (!start) return std::move(start).error();
    if (isEvalOnly(input)) return endOf(evalJob(input, *start));
    if (isPtq(input)) return endOf(ptqJob(input, *start));
    if (input.identity.kind == "train" || input.identity.kind == "qat") return endOf(trainJob(input, *start));
    return Error{"config.invalid", "run.json: kind '" + input.identity.kind + "' is no job of this engine", "", "", false};
}

} // namespace qw::engine
