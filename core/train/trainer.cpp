// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/trainer.h"

#include "train/loop.h"

#include <c10/util/Exception.h>
#include <new>

namespace qw::train {
namespace {

// The first line of a LibTorch message; what follows is a backtrace.
std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

} // namespace

Result<Outcome> train(Job& job) {
    try {
        return Loop(job).run();
    } catch (const c10::OutOfMemoryError& error) {
        return Error{"engine.oom",
                     "the device has not enough memory for a training step: " + firstLine(error.what_without_backtrace()),
                     "lower train.micro_batch or data.seq_len, or set memory.activation_checkpointing: layer",
                     {},
                     false};
    } catch (const std::bad_alloc&) {
        return Error{"engine.host_oom",
                     "there is not enough memory for a training step",
                     "lower train.micro_batch or data.seq_len, or set memory.activation_checkpointing: layer",
                     {},
                     false};
    } catch (const c10::Error& error) {
        const std::string text = firstLine(error.what_without_backtrace());
        if (text.find("not enough memory") != std::string::npos || text.find("can't allocate memory") != std::string::npos)
            return Error{"engine.host_oom",
                         "there is not enough memory for a training step: " + text,
                         "lower train.micro_batch or data.seq_len, or set memory.activation_checkpointing: layer",
                         {},
                         false};
        return Error{"engine.internal",
                     "a tensor operation failed in training: " + text,
                     "this is a defect; please report it with the run's folder",
                     {},
                     false};
    } catch (const std::exception& error) {
        return Error{"engine.internal",
                     std::string("training failed: ") + error.what(),
                     "this is a defect; please report it with the run's folder",
                     {},
                     false};
    }
}

} // namespace qw::train
