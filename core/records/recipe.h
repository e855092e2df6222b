// SPDX-License-Identifier: GPL-3.0-or-later
// What: a recipe (recipe.md 1) as plain structs. Defaults are those of training.md and recipe.md.
// The same struct is a study's recipe (schemes, several seeds) and, resolved for one run, a member's (no schemes, one seed).
#pragma once

#include "records/quant_block.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qw::records {

struct ModelBlock {
    std::string path;         // a model folder; or, to train from a random start:
    std::string config;       //   a config.json …
    std::string tokenizer;    //   … a folder with tokenizer.json …
    std::string init;         //   … and "random"
    std::string tie = "auto"; // auto | true | false
    bool operator==(const ModelBlock&) const = default;
};

struct DataSource {
    std::string path;
    std::string format = "jsonl_text"; // text | jsonl_text
    std::string column = "text";
    std::string document = "file"; // text only: file | line
    std::array<double, 2> splitRange{0, 1};
    int64_t maxSamples = 0; // 0: all
    bool operator==(const DataSource&) const = default;
};

struct DataBlock {
    std::vector<DataSource> train, eval;
    int64_t seqLen = 2048;
    std::string packing = "greedy"; // none | greedy | bfd
    std::string excess = "split";   // split | truncate | drop | error
    bool addBos = true, addEos = true, matchSpecials = false;
    bool documentMask = true; // attention stays inside a document; false: plain causal over the pack
    bool shuffle = true, dropLast = true;
    int64_t padMultiple = 8, packWindow = 100000;
    double maxBad = 0.001; // share of malformed JSON lines that is skipped and counted; above: error
    bool operator==(const DataBlock&) const = default;
};

struct TrainBlock {
    int64_t maxSteps = 0; // 0: by epochs
    double epochs = 1;
    int64_t microBatch = 1, gradAccum = 1;
    std::string partialAccumulation = "step"; // step | drop
    bool operator==(const TrainBlock&) const = default;
};

struct LrGroup {
    std::string pattern; // ECMAScript regex on parameter names
    double lrScale = 1;
    bool operator==(const LrGroup&) const = default;
};

struct OptimBlock {
    std::string name = "adamw"; // adamw | sgd
    double lr = 1e-4;
    std::array<double, 2> betas{0.9, 0.999};
    double eps = 1e-8, weightDecay = 0;
    bool amsgrad = false;
    double momentum = 0, dampening = 0;
    bool nesterov = false;
    std::optional<double> clipNorm = 1.0; // infinity: measure, do not clip; empty (null): neither
    std::string decayRule = "hf";         // hf | all
    bool decayEmbeddings = true;
    std::vector<LrGroup> lrGroups;
    std::vector<std::string> freeze; // regexes
    bool operator==(const OptimBlock&) const = default;
};

struct ScheduleBlock {
    std::string name = "cosine"; // constant | constant_warmup | linear | cosine | cosine_min | wsd
    int64_t warmupSteps = 0;
    double warmupRatio = 0.03;
    double cycles = 0.5, minLrRatio = 0;
    int64_t decaySteps = 0;
    std::string warmupFrom = "zero"; // zero | one
    bool operator==(const ScheduleBlock&) const = default;
};

struct PrecisionBlock {
    std::string mode = "bf16_master"; // fp32 | bf16_pure | bf16_master
    std::string exportDtype = "auto"; // auto | fp32 | bf16
    std::string gradDtype = "auto";   // auto | fp32 | bf16
    bool tf32 = false;
    bool operator==(const PrecisionBlock&) const = default;
};

struct EvalTask {
    std::string name; // hellaswag | wikitext; a second task of one kind gets its own name and says its mode
    std::string path;
    double limit = 0; // 0 all, n first n documents, below 1 a share
    std::string mode; // hellaswag | wikitext | plain | jsonl
    bool operator==(const EvalTask&) const = default;
};

struct EvalBlock {
    double every = 0;         // loss on data.eval, in steps (below 1: share of all steps); always at the end too
    int64_t batch = 0;        // rows; 0: micro_batch
    std::string bos = "auto"; // auto | on | off
    int64_t maxLength = 0;    // 0: auto
    std::string dtype = "auto";
    int64_t batchTokens = 0; // token budget of one forward pass; 0: auto
    std::vector<EvalTask> tasks;
    bool operator==(const EvalBlock&) const = default;
};

struct CheckpointBlock {
    double every = 500;
    int64_t keep = 2;
    bool atEnd = true, atFirstStep = false, weightsOnly = false, loadBestAtEnd = false;
    bool async = true; // written by a thread of its own from a copy in host memory
    std::string bestMetric = "eval_loss", bestMode = "min";
    std::string onDiskFull = "pause"; // pause | continue | stop
    bool operator==(const CheckpointBlock&) const = default;
};

struct Watchdog {
    std::optional<double> lossAbove;
    int64_t patience = 3;
    std::string nonfinite = "rollback"; // skip | rollback | stop
    bool operator==(const Watchdog&) const = default;
};

struct Verdict {
    std::string metric;   // "<task>.<metric>"; empty: hellaswag.acc_norm if there, else the first task's main metric
    double maxLoss = 1.0; // percentage points for accuracies, percent for perplexities
    bool operator==(const Verdict&) const = default;
};

struct ExportEntry {
    std::string scheme = "verdict"; // verdict | a scheme's name | all
    std::string format = "native";
    bool operator==(const ExportEntry&) const = default;
};

struct Recipe;

// A scheme entry: what it adds to the recipe, kept as text so that the round trip is the identity; resolve() in config applies it.
struct SchemeEntry {
    std::string name;
    std::string yaml; // the entry's own map, flow or block style, as one YAML document
    bool operator==(const SchemeEntry&) const = default;
};

struct Recipe {
    int version = 1;
    std::string name, preset;
    ModelBlock model;
    std::string device = "auto"; // auto | cpu | cuda | cuda:N
    std::vector<uint64_t> seeds{42};
    std::optional<bool> deterministic; // empty: on for CPU, off for CUDA
    int64_t threads = 0;               // 0: physical cores
    DataBlock data;
    TrainBlock train;
    OptimBlock optim;
    ScheduleBlock schedule;
    PrecisionBlock precision;
    std::string activationCheckpointing = "layer"; // memory.activation_checkpointing: none | layer
    std::string lossNormalise = "token";           // loss.normalise: token | micro
    bool oomAuto = true;                           // oom.auto: a step that does not fit is cut smaller
    std::optional<QatBlock> qat;
    std::vector<SchemeEntry> schemes;
    std::string baselineFloat = "trained";       // trained | start
    std::vector<std::string> baselinePtq{"rtn"}; // rtn | mse
    EvalBlock eval;
    CheckpointBlock checkpoint;
    int64_t earlyStopPatience = 0;
    Watchdog watchdog;
    int64_t logEvery = 1, layerEvery = 50; // log.every, log.layer_every
    bool telemetry = true;                 // log.telemetry
    std::string kernels = "fused";         // fused | reference
    Verdict verdict;
    std::vector<ExportEntry> exports;
    bool operator==(const Recipe&) const = default;
};

} // namespace qw::records
