// SPDX-License-Identifier: GPL-3.0-or-later
// What: what the loop does when a step does not fit into memory (engine.md 7): the same step again, then cut smaller.
// Why here: weights and optimizer change only after all micro-batches, so a step can be begun again at any point before.
#include "base/memory.h"
#include "train/loop.h"
#include "train/loss.h"
#include "train/memory_plan.h"
#include "train/out_of_memory.h"

#include <algorithm>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/Exception.h>
#include <new>
#include <nlohmann/json.hpp>

namespace qw::train {
namespace {

constexpr int64_t kFewestLossRows = 64; // performance.md 3

std::string mib(int64_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

} // namespace

bool isOutOfMemory(const std::exception& error) {
    if (dynamic_cast<const std::bad_alloc*>(&error) || dynamic_cast<const c10::OutOfMemoryError*>(&error)) return true;
    const auto* torch = dynamic_cast<const c10::Error*>(&error);
    if (!torch) return false;
    const std::string text = torch->what_without_backtrace(); // the CPU allocator throws no type of its own
    return text.find("DefaultCPUAllocator") != std::string::npos || text.find("not enough memory") != std::string::npos ||
           text.find("can't allocate memory") != std::string::npos || text.find("out of memory") != std::string::npos;
}

void Loop::freeMemory() {
    m_optimizer->clearGradients();
    if (m_job.quantizer) m_job.quantizer->dropCaches();
    const at::Device device = m_job.decoder.device();
    if (!device.is_cpu()) c10::getDeviceAllocator(device.type())->emptyCache();
}

Result<StepLoss> Loop::gradients(StepData& data) {
    for (bool again = true;; again = false) {
        std::string cause;
        try {
            return computeGradients(m_job, *m_optimizer, data, m_state.fit, m_telemetry->clock(), m_beforePause);
        } catch (const std::exception& error) {
            if (!isOutOfMemory(error)) throw;
            cause = error.what();
        }
        freeMemory();
        if (again) continue; // what else was held may be gone now
        if (!m_job.recipe.oomAuto || !shrink(data)) return doesNotFit(cause);
        data = {}; // the old rows go before the new ones come
        data = m_order.load(m_state.sample, m_state.skips, m_job.decoder.device(), m_state.fit.microBatch);
    }
}

bool Loop::shrink(const StepData& data) {
    Fit& fit = m_state.fit;
    const int64_t rows = fit.microBatch > 0 ? fit.microBatch : m_job.recipe.train.microBatch;
    const bool layers = fit.checkpointLayers || m_job.recipe.activationCheckpointing == "layer";
    size_t labels = 0; // of the largest micro-batch
    for (const Batch& batch : data.batches) labels = std::max(labels, batch.labels.size());
    const at::Tensor head =
        m_job.decoder.parameters()[static_cast<size_t>(m_job.decoder.modules()[static_cast<size_t>(m_job.decoder.headModule())].parameter)]
            .tensor;
    const int64_t lossRows =
        std::min<int64_t>(fit.lossRows > 0 ? fit.lossRows : chunkRows(head.size(0), head.scalar_type()), static_cast<int64_t>(labels));
    std::string now;
    // With loss.normalise: micro the size of a micro-batch is part of what is optimised.
    if (rows > 1 && m_job.recipe.lossNormalise == "token") {
        fit.microBatch = (rows + 1) / 2;
        now = "micro-batches of " + std::to_string(fit.microBatch) + " rows in place of " + std::to_string(rows);
    } else if (!layers) {
        fit.checkpointLayers = true;
        now = "layers are computed again in backward, as with memory.activation_checkpointing: layer";
    } else if (lossRows > kFewestLossRows) {
        fit.lossRows = std::max(kFewestLossRows, (lossRows + 1) / 2);
        now = "the loss takes " + std::to_string(fit.lossRows) + " rows at a time";
    } else {
        return false;
    }
    notice("warning.oom_adapted",
           "step " + std::to_string(m_state.step) + " did not fit into memory; from here on " + now + ", still " +
               std::to_string(data.next - data.first) + " rows a step",
           "the result differs only by rounding; a smaller train.micro_batch in the recipe avoids the search");
    return true;
}

// engine.oom with what the memory went to, largest first.
Error Loop::doesNotFit(const std::string& cause) const {
    records::Recipe recipe = m_job.recipe;
    if (m_state.fit.microBatch > 0) recipe.train.microBatch = m_state.fit.microBatch;
    if (m_state.fit.checkpointLayers) recipe.activationCheckpointing = "layer";
    int64_t parameters = 0, total = 0;
    for (const model::Parameter& parameter : m_job.decoder.parameters()) parameters += parameter.tensor.numel();
    std::vector<MemoryPart> parts =
        memoryPlan(recipe, m_job.decoder.config(), parameters, m_job.quantizer ? &m_job.quantizer->plan() : nullptr);
    std::ranges::stable_sort(parts, [](const MemoryPart& a, const MemoryPart& b) { return a.bytes > b.bytes; });
    std::string largest;
    nlohmann::json table = nlohmann::json::array();
    for (const MemoryPart& part : parts) {
        if (part.bytes <= 0) continue;
        table.push_back({{"name", part.name}, {"bytes", part.bytes}});
        total += part.bytes;
        if (table.size() <= 3) largest += (largest.empty() ? "" : ", ") + part.name + " " + mib(part.bytes);
    }
    const bool cpu = m_job.decoder.device().is_cpu();
    const nlohmann::json detail{{"components", table},
                                {"bytes", total},
                                {"available_bytes", cpu ? availableMemory() : 0},
                                {"micro_batch", recipe.train.microBatch},
                                {"activation_checkpointing", recipe.activationCheckpointing},
                                {"cause", cause.substr(0, cause.find('\n'))}};
    const std::string tried = m_job.recipe.oomAuto ? " even in its smallest form" : " (oom.auto is off)";
    return Error{cpu ? "engine.host_oom" : "engine.oom",
                 "step " + std::to_string(m_state.step) + " does not fit into memory" + tried + ": about " + mib(total) + " are needed, " +
                     largest,
                 "set data.seq_len: " + std::to_string(std::max<int64_t>(1, recipe.data.seqLen / 2)) +
                     (recipe.precision.mode == "bf16_pure" ? "" : " or precision.mode: bf16_pure") +
                     (recipe.train.microBatch > 1 ? ", or train.micro_batch: 1" : "") + ", or take a smaller model",
                 detail.dump(), false};
}

} // namespace qw::train
