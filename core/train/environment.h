// SPDX-License-Identifier: GPL-3.0-or-later
// What: what a run's bits depend on: the machine side (threads, build, LibTorch, instruction set, flags) and the recipe side (training.md
// 12).
#pragma once

#include "train/train_state.h"
#include "train/trainer.h"

namespace qw::train {

inline constexpr const char* kFrozenFact = "model (frozen weights)"; // of fixedFacts

[[nodiscard]] int physicalCores(); // that this process may run on
// Fixed thread count, deterministic algorithms, TF32; before the first kernel of the run.
void applyEnvironment(const records::Recipe& recipe, at::Device device);
[[nodiscard]] Facts environmentFacts(const records::Recipe& recipe, at::Device device);
// What a resume must find unchanged, as short texts by recipe key. frozen: digest over the parameters that are not trained.
[[nodiscard]] Facts fixedFacts(const Job& job, int64_t totalSteps, const std::string& frozen);
// train.resume_refused naming the keys that differ. Steps may grow where the schedule does not depend on them, or with extendSchedule.
[[nodiscard]] Status checkResume(const Facts& stored, const Facts& now, const Job& job);
[[nodiscard]] std::string libtorchVersion();
[[nodiscard]] std::string hostName();

} // namespace qw::train
