// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/telemetry.h"

#include "base/clock.h"
#include "base/files.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace qw::train {
namespace {

constexpr int64_t kUnderflowSample = 1 << 16; // training.md 6
constexpr int64_t kThrottleWindow = 100;      // steps
constexpr double kBudget = 0.01;              // share of the time of a run

double ms(int64_t ns) { return static_cast<double>(ns) / 1e6; }

// A line "Name:  1234 kB" of /proc/self/status in bytes.
std::pair<double, double> residentBytes() {
    std::ifstream in("/proc/self/status");
    double now = 0, peak = 0;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("VmRSS:")) now = std::strtod(line.c_str() + 6, nullptr) * 1024;
        if (line.starts_with("VmHWM:")) peak = std::strtod(line.c_str() + 6, nullptr) * 1024;
    }
    return {now, peak};
}

const at::Tensor& weightOf(const Slot& slot) { return slot.master.defined() ? slot.master : slot.param; }

} // namespace

PhaseClock::Scope::Scope(int64_t& sum) : m_sum(sum), m_start(monotonicNs()) {}
PhaseClock::Scope::~Scope() { m_sum += monotonicNs() - m_start; }

Telemetry::Telemetry(const Job& job, Optimizer& optimizer)
    : m_job(job),
      m_optimizer(optimizer),
      m_logEvery(std::max<int64_t>(1, job.recipe.logEvery)),
      m_layerWanted(job.recipe.telemetry ? std::max<int64_t>(0, job.recipe.layerEvery) : 0),
      m_layerEvery(m_layerWanted) {
    for (const Slot& slot : optimizer.slots())
        if (slot.param.dim() == 2 && std::find(m_layers.begin(), m_layers.end(), slot.layer) == m_layers.end())
            m_layers.push_back(slot.layer);
    std::sort(m_layers.begin(), m_layers.end());
}

void Telemetry::setCadences(int64_t logEvery, int64_t layerEvery) {
    m_logEvery = std::max<int64_t>(1, logEvery);
    if (!m_job.recipe.telemetry || layerEvery == m_layerWanted) return;
    m_layerWanted = m_layerEvery = layerEvery;
}

bool Telemetry::layerTurn(int64_t step) const { return m_layerEvery > 0 && !m_layers.empty() && step % m_layerEvery == 0; }

void Telemetry::beforeUpdate(int64_t step) {
    if (!m_job.recipe.telemetry) return;
    const PhaseClock::Scope scope = m_clock.in(Phase::Telemetry);
    const at::NoGradGuard noGrad;
    if (m_job.recipe.precision.mode == "bf16_pure" && !m_underflowTold) {
        for (const Slot& slot : m_optimizer.slots()) {
            if (slot.param.dim() != 2) continue;
            m_sampled = slot.param.detach().flatten().slice(0, 0, kUnderflowSample).clone();
            break;
        }
    }
    if (!layerTurn(step)) return;
    m_before.clear();
    for (const Slot& slot : m_optimizer.slots())
        if (slot.param.dim() == 2 && slot.layer == layerAt(step)) m_before.emplace_back(&slot, weightOf(slot).detach().clone());
}

void Telemetry::watchUnderflow() {
    for (const Slot& slot : m_optimizer.slots()) {
        if (slot.param.dim() != 2) continue;
        const at::Tensor now = slot.param.detach().flatten().slice(0, 0, kUnderflowSample);
        const double same = now.eq(m_sampled).sum().item<double>() / static_cast<double>(now.numel());
        m_sampled.reset();
        if (same <= 0.5) return;
        m_underflowTold = true;
        wire::Notice notice;
        notice.code = "warning.bf16_update_underflow";
        notice.message = std::to_string(std::lround(same * 100)) + " % of the sampled weights of " + slot.name +
                         " did not change in an update: in bf16 a step much smaller than the weight is rounded away";
        notice.hint = "use precision.mode: bf16_master, or a larger learning rate";
        m_job.emit(std::move(notice));
        return;
    }
}

void Telemetry::afterUpdate(int64_t step) {
    if (!m_job.recipe.telemetry) return;
    const PhaseClock::Scope scope = m_clock.in(Phase::Telemetry);
    const at::NoGradGuard noGrad;
    if (m_sampled.defined()) watchUnderflow();
    if (!layerTurn(step)) return;
    sampleLayer(step);
}

void Telemetry::sampleLayer(int64_t step) {
    const auto ratio = [&](int parameter) -> std::optional<double> {
        const std::string& name = m_job.decoder.parameters()[static_cast<size_t>(parameter)].name;
        for (const auto& [slot, before] : m_before) {
            if (slot->name != name) continue;
            const double weight = at::linalg_vector_norm(before.to(at::kFloat)).item<double>();
            if (weight > 0)
                return at::linalg_vector_norm(weightOf(*slot).detach().to(at::kFloat).sub(before.to(at::kFloat))).item<double>() / weight;
        }
        return std::nullopt;
    };
    const std::vector<model::Module>& modules = m_job.decoder.modules();
    for (size_t i = 0; i < modules.size(); ++i) {
        if (modules[i].layer != layerAt(step) || modules[i].parameter < 0) continue;
        wire::LayerStats stats;
        stats.step = step;
        stats.layer = modules[i].name;
        if (const auto moved = ratio(modules[i].parameter)) stats.values.emplace_back("update_ratio", *moved);
        const bool quantized = m_job.quantizer && m_job.quantizer->enabled() &&
                               std::find(m_job.quantizer->plan().weightModules.begin(), m_job.quantizer->plan().weightModules.end(),
                                         static_cast<int>(i)) != m_job.quantizer->plan().weightModules.end();
        if (quantized) {
            const quant::LayerTelemetry t = m_job.quantizer->telemetry(static_cast<int>(i), step);
            stats.values.insert(stats.values.end(), {{"w_sqnr", t.wSqnrDb},
                                                     {"clip_frac", t.clipFraction},
                                                     {"scale_drift_mean", t.scaleDriftMean},
                                                     {"scale_drift_max", t.scaleDriftMax},
                                                     {"flip_rate", t.flipRate}});
        }
        if (!stats.values.empty()) m_job.emit(std::move(stats));
    }
    m_before.clear();
}

void Telemetry::addMemory(wire::Metrics& metrics) {
    const int64_t now = monotonicNs();
    if (m_lastMemoryNs != 0 && now - m_lastMemoryNs < 1'000'000'000) return;
    m_lastMemoryNs = now;
    const auto [rss, peak] = residentBytes();
    metrics.values.emplace_back("mem.rss", rss);
    metrics.values.emplace_back("mem.rss_peak", peak);
    metrics.values.emplace_back("mem.free_disk", static_cast<double>(freeBytes(m_job.runDir)));
}

void Telemetry::stepDone(const StepFacts& facts) {
    const bool logs = facts.step % m_logEvery == 0;
    wire::Metrics metrics;
    metrics.step = facts.step;
    if (logs) {
        metrics.values = {{"train.loss", facts.loss}, {"train.lr", facts.lr}, {"train.epoch", facts.epoch}};
        if (facts.gradNorm) metrics.values.emplace_back("train.grad_norm", *facts.gradNorm);
        if (facts.clip) metrics.values.emplace_back("train.clip_coef", *facts.clip);
        // What the forward pass really did in this step, for the band "fake quant on".
        if (m_job.quantizer) metrics.values.emplace_back("train.fake_quant", m_job.quantizer->enabled() ? 1 : 0);
    }
    if (logs && m_job.recipe.telemetry) {
        const double seconds = static_cast<double>(facts.totalNs) / 1e9;
        metrics.values.insert(metrics.values.end(), {{"perf.tokens_per_s", static_cast<double>(facts.tokens) / seconds},
                                                     {"perf.label_tokens_per_s", static_cast<double>(facts.labels) / seconds},
                                                     {"time.data", ms(m_clock.ns(Phase::Data))},
                                                     {"time.forward", ms(m_clock.ns(Phase::Forward))},
                                                     {"time.backward", ms(m_clock.ns(Phase::Backward))},
                                                     {"time.optimizer", ms(m_clock.ns(Phase::Optimizer))},
                                                     {"time.telemetry", ms(m_clock.ns(Phase::Telemetry))},
                                                     {"time.total", ms(facts.totalNs)}});
        const PhaseClock::Scope scope = m_clock.in(Phase::Telemetry);
        addMemory(metrics);
    }
    if (logs) {
        const PhaseClock::Scope scope = m_clock.in(Phase::Telemetry);
        m_job.emit(std::move(metrics));
    }
    throttle(facts.step, facts.totalNs);
    m_clock.reset();
}

void Telemetry::throttle(int64_t step, int64_t totalNs) {
    m_spentNs += m_clock.ns(Phase::Telemetry);
    m_windowNs += totalNs;
    if (++m_windowSteps < std::max(kThrottleWindow, m_layerEvery)) return;
    const double share = static_cast<double>(m_spentNs) / static_cast<double>(std::max<int64_t>(1, m_windowNs));
    m_spentNs = m_windowNs = m_windowSteps = 0;
    if (share <= kBudget || m_layerEvery == 0) return;
    m_layerEvery *= 2;
    wire::Notice notice;
    notice.code = "telemetry.throttled";
    notice.message = "telemetry took " + std::to_string(std::lround(share * 1000)) + " thousandths of the time up to step " +
                     std::to_string(step) + "; layer statistics now come every " + std::to_string(m_layerEvery) + " steps";
    m_job.emit(std::move(notice));
}

} // namespace qw::train
