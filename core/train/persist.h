// SPDX-License-Identifier: GPL-3.0-or-later
// What: a run's tensors and scalars to and from its checkpoints (training.md 12).
#pragma once

#include "train/checkpoints.h"
#include "train/optimizer.h"
#include "train/train_state.h"
#include "train/trainer.h"

namespace qw::train {

// Everything of a checkpoint, the tensors where they live and shared with training.
[[nodiscard]] Snapshot liveSnapshot(const Job& job, const Optimizer& optimizer, const StoredState& stored);
[[nodiscard]] Snapshot onHost(Snapshot live); // still shared where it was there already: good until the next update
// In memory of its own: in `buffers` where they fit.
[[nodiscard]] Snapshot copyOf(Snapshot live, const Snapshot& buffers);
// Weights and optimizer state from a checkpoint; file.corrupt names the tensor that does not fit. weightsOnly leaves the optimizer alone.
[[nodiscard]] Status restoreTensors(const Loaded& from, Optimizer& optimizer, bool weightsOnly);
// What layer statistics are measured against, when the checkpoint has it.
[[nodiscard]] Status restoreTelemetry(const Loaded& from, quant::Quantizer& quantizer);
// XXH3-128 over names and bytes of the parameters that are not trained; "none" when all are.
[[nodiscard]] std::string frozenDigest(const model::Decoder& decoder, const std::vector<std::string>& frozen);
// The weights of a checkpoint into the model that its run began with. file.corrupt names the tensor that does not fit;
// train.resume_refused when what is not in the checkpoint, because it was not trained, is no longer what the run began with.
[[nodiscard]] Status restoreWeights(const Loaded& from, const model::Decoder& decoder);

} // namespace qw::train
