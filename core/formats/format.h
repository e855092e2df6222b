// SPDX-License-Identifier: GPL-3.0-or-later
// What: the formats in which a model leaves the workbench, one row each: verdict before writing, then the writing (export.md 1, 10).
// Why here: from stored codes, never from floats, and without LibTorch: the tool and the window ask the same table.
#pragma once

#include "checkpoint/checkpoint.h"

#include <functional>

namespace qw::formats {

enum class Fidelity : uint8_t { Exact, NearExact, Lossy, Unsupported };
[[nodiscard]] const char* word(Fidelity fidelity); // "exact" | "near-exact" | "lossy" | "unsupported"

struct Verdict {
    Fidelity fidelity = Fidelity::Exact; // of the weights that a reader computes, against those that were trained
    std::string why;                     // one sentence
    std::string runsOn;                  // programs that load it
    std::vector<std::string> notes;      // what some of them do not do
    bool sameActivations = true;         // its readers round activations as training did; else a note says what they do
    int64_t groups = 0, inexact = 0;     // scales in the file, and those that it cannot hold bit for bit
    uint64_t bytes = 0;                  // forecast of the weight files
};
[[nodiscard]] Verdict unsupported(std::string why);

// Bytes of weights done so far; false cancels (engine.cancelled).
using Progress = std::function<bool(uint64_t done, uint64_t total)>;

struct Format {
    const char* name;  // of `qatw export --format`
    const char* title; // in a list
    const char* about; // what is in it
    bool latent;       // takes the weights that training left, not the quantized ones
    Result<Verdict> (*check)(const checkpoint::Checkpoint& source);
    // All files of the folder; dir is empty and not yet visible to others. Null: never written, check says what to take instead.
    Status (*write)(const checkpoint::Checkpoint& source, const std::filesystem::path& dir, const Progress& progress);
};
[[nodiscard]] const std::vector<const Format*>& formats();
[[nodiscard]] Result<const Format*> findFormat(const std::string& name); // usage names the known ones

struct Wanted {
    std::filesystem::path out;
    bool overwrite = false;
    bool lossy = false; // write although the verdict is lossy
};
// Logits of a written folder against those of its source, on a fixed probe.
struct LogitsCheck {
    double max = 0, mean = 0; // absolute differences
    double scale = 0;         // largest logit of the source
    double sameTop = 0;       // share of positions
    int64_t tokens = 0;
};
using ProbeLogits = std::function<Result<LogitsCheck>(const std::filesystem::path& written)>;
// check, write beside the target, read back, compare weights and logits, rename: a folder in sight was looked at completely. usage when
// the verdict forbids it; file.corrupt names the first layer that reads back otherwise than the verdict allows.
struct Exported;
[[nodiscard]] Result<Exported> exportModel(const Format& format, const checkpoint::Checkpoint& source, const Wanted& wanted,
                                           const Progress& progress, const ProbeLogits& probe);

// What reading the written folder back gave, against the source.
struct WeightSheet {
    int64_t tensors = 0, equal = 0;
    int64_t groups = 0, different = 0; // of the quantized matrices
    double maxAbs = 0;
    std::string firstDifferent; // name of a tensor, empty when all are equal
};
struct Exported {
    Verdict verdict;
    WeightSheet sheet;
    LogitsCheck logits;
    uint64_t bytes = 0; // of the weight files
    std::string hash;   // XXH3-128 over config and weights as read back
};
// Every weight of both in the source's T, bit by bit. progress: bytes of the source's T.
[[nodiscard]] Result<WeightSheet> compareWeights(const checkpoint::Checkpoint& source, const checkpoint::Checkpoint& written,
                                                 const Progress& progress = {});

} // namespace qw::formats
