// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/trainer.h"

#include "train/loop.h"
#include "train/out_of_memory.h"

#include <c10/util/Exception.h>

namespace qw::train {
namespace {

// The first line of a LibTorch message; what follows is a backtrace.
std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

} // namespace

Result<Outcome> train(Job& job) {
    try {
        return Loop(job).run();
    } catch (const std::exception& error) {
        if (isOutOfMemory(error))
            return Error{job.decoder.device().is_cpu() ? "engine.host_oom" : "engine.oom",
                         "memory ran out between two steps: " + firstLine(error.what()),
                         "lower train.micro_batch or data.seq_len, or set memory.activation_checkpointing: layer",
                         {},
                         false};
        const auto* torch = dynamic_cast<const c10::Error*>(&error);
        return Error{"engine.internal",
                     torch ? "a tensor operation failed in training: " + firstLine(torch->what_without_backtrace())
                           : std::string("training failed: ") + error.what(),
                     "this is a defect; please report it with the run's folder",
                     {},
                     false};
    }
}

} // namespace qw::train
