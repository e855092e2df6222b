// SPDX-License-Identifier: GPL-3.0-or-later
// What: facts about one run as they lie in its folder and in the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qw::records {

// Lifecycle (engine.md 1). Names on the wire and in the store are the lower-case words.
enum class RunState : uint8_t { Created, Queued, Starting, Running, Pausing, Paused, Stopping, Completed, Stopped, Failed, Interrupted };
[[nodiscard]] const char* stateName(RunState state);
[[nodiscard]] std::optional<RunState> stateFromName(const std::string& name);
[[nodiscard]] inline bool isEnded(RunState s) { return s >= RunState::Completed; }

// "float", "float_trained", "ptq", "qat", "exported": a folder that a run was written to for others, evaluated as they read it.
enum class RowRole : uint8_t { Float, FloatTrained, Ptq, Qat, Exported };
[[nodiscard]] const char* roleName(RowRole role);
[[nodiscard]] std::optional<RowRole> roleFromName(const std::string& name);

// run.json: who a run is. Written by whoever creates the folder, before the engine starts; user fields are mirrored here.
struct RunIdentity {
    std::string uid;                 // ULID
    std::string name;                // shown to people
    std::string kind;                // train | qat | ptq | eval
    std::string studyUid, studyName; // empty for single commands
    RowRole role = RowRole::Float;
    std::string scheme; // scheme name; empty for float rows
    std::string method; // ptq: rtn | mse; exported: role of the run it was written from and format, "qat · compressed-tensors"
    std::string block;  // digest of the training block (study/keys.h)
    std::string key;    // digest of everything that decides the result (study/keys.h)
    uint64_t seed = 42;
    std::string modelPath; // the start model, or the folder that a ptq run quantizes
    std::string parentUid; // ptq of a trained model: that run; exported: the run that was written
    std::string buildId;
    int64_t createdMs = 0;
    std::string notes, colour;
    std::vector<std::string> tags;
};

struct MetricPoint {
    std::string name;
    int64_t step = 0;
    int64_t tsMs = 0;
    double value = 0;
};

// One scored item: a multiple-choice row, or a document.
struct EvalItem {
    int64_t item = 0;       // zero-based position in the file
    std::vector<double> ll; // natural log; multiple choice: one per choice; document: one
    int correct = -1;       // arg-max of ll is gold; -1 for documents
    int correctNorm = -1;   // arg-max of ll per character is gold
    int64_t words = 0;      // documents only
    int64_t bytes = 0;      // documents: UTF-8 bytes before detokenising; multiple choice: 0
    int64_t tokens = 0;     // scored tokens
};

struct EvalMetric {
    std::string name; // acc, acc_norm, word_perplexity, byte_perplexity, bits_per_byte, loss, perplexity
    double value = 0;
    std::optional<double> stderror; // nothing: not available
};

// One task's result on one model variant.
struct EvalResult {
    std::string uid;
    std::string task;        // name in the recipe
    std::string kind;        // hellaswag | wikitext | plain | jsonl | loss
    std::string taskVersion; // lm-eval's: hellaswag 1.0, wikitext 2.0
    std::string variant;     // float | fake_quant | ptq | quantized
    int64_t atStep = -1;     // -1: final
    double limit = 0;
    int64_t n = 0;
    std::vector<EvalMetric> metrics;
    std::string taskDigest;     // of the task file
    std::string settingsHash;   // of everything of evaluation.md 1 that changes numbers
    std::string settings;       // JSON object: bos, prefix_id, max_length, dtype, softmax dtype, truncated, known_file …
    std::string itemsPath;      // JSON lines, one EvalItem each, relative to the run folder; empty when there are none
    double tokensPerSecond = 0; // measured over the whole task
    int64_t createdMs = 0;
};

// A linear or embedding that the scheme was aimed at.
struct LayerInfo {
    std::string name;
    int64_t rows = 0, cols = 0;
    std::string scheme;       // short words, e.g. "int4 g32 sym"; empty when skipped
    std::string skipReason;   // empty when quantized
    double bitsPerWeight = 0; // scales and zero points included; skipped: its own width
};

} // namespace qw::records
