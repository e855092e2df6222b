// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/guard.h"

#include "engine/crash.h"
#include "engine/process.h"
#include "model/decoder.h"
#include "train/out_of_memory.h"

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

namespace qw::engine {
namespace {

constexpr size_t kCauseLimit = 4096; // engine.md 2.5

std::string cause(const std::string& text) {
    return nlohmann::json{
        {"cause", text.substr(0, kCauseLimit)}, {"phase", currentPhase()}, {"step", currentStep()}, {"rss_bytes", residentBytes()}}
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

Error outOfMemory(const std::string& text) {
    return Error{"engine.oom", std::string("memory ran out in phase ") + currentPhase(),
                 "lower train.micro_batch (raise train.grad_accum), set memory.activation_checkpointing: layer, or a smaller data.seq_len",
                 cause(text), true};
}

} // namespace

Error currentExceptionError() {
    try {
        throw;
    } catch (const model::Cancelled&) {
        return Error{"engine.cancelled", "stopped on request", "", "", true};
    } catch (const c10::Error& error) {
        const std::string text = error.what_without_backtrace();
        if (train::isOutOfMemory(error)) return outOfMemory(text);
        return Error{"engine.internal", std::string("LibTorch failed in phase ") + currentPhase() + ": " + firstLine(text),
                     "this is a defect: keep the run folder and report it", cause(error.what()), false};
    } catch (const std::exception& error) {
        if (train::isOutOfMemory(error)) return outOfMemory(error.what());
        return Error{"engine.internal", std::string("unexpected failure in phase ") + currentPhase() + ": " + firstLine(error.what()),
                     "this is a defect: keep the run folder and report it", cause(error.what()), false};
    } catch (...) {
        return Error{"engine.internal", std::string("unexpected failure in phase ") + currentPhase(),
                     "this is a defect: keep the run folder and report it", "", false};
    }
}

} // namespace qw::engine
