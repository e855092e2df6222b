// SPDX-License-Identifier: GPL-3.0-or-later
// What: the long requests of a standard-input engine: JSON parameters in, JSON result out (engine.md 2.3).
#pragma once

#include "base/cancel.h"
#include "base/result.h"
#include "wire/sink.h"

#include <string>

namespace qw::engine {

struct TaskContext {
    wire::Sink emit;
    CancelToken& cancel;
};

// {model, ids, out, device, dtype}: logits of every id list, fp32, as safetensors "logits.<i>" [T, V].
[[nodiscard]] Result<std::string> logitsTask(const std::string& params, const TaskContext& context);
// {model, text | text_file | jsonl, max_new_tokens, temperature, top_k, top_p, seed, stop, scheme, set, device, dtype, threads}:
// "token" events {prompt, id, text} as they come, a "generated" event a prompt, and the speed of all. The job is ended by job.cancel.
[[nodiscard]] Result<std::string> generateTask(const std::string& params, const TaskContext& context);
// {recipe: resolved member as JSON text, scratch: an empty folder, cache, probe: bool}: steps, tokens, memory, time, skipped layers,
// warnings.
[[nodiscard]] Result<std::string> planTask(const std::string& params, const TaskContext& context);
// {reference, exported}: two model folders; how far their logits are apart on a fixed probe.
[[nodiscard]] Result<std::string> exportCheckTask(const std::string& params, const TaskContext& context);
// {run, step, out}: a checkpoint of a run folder as the folders that its training would have ended with: out/model, and out/native of a QAT
// run. {parts: [{kind, hash, bytes, info}]}
[[nodiscard]] Result<std::string> exportTask(const std::string& params, const TaskContext& context);
// {path}: architecture, counts, number types, problems.
[[nodiscard]] Result<std::string> inspectTask(const std::string& params);

} // namespace qw::engine
