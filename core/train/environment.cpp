// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/environment.h"

#include "base/build_info.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <cstdlib>
#include <fstream>
#include <sched.h>
#include <set>
#include <sstream>
#include <torch/headeronly/version.h>
#include <unistd.h>

namespace qw::train {
namespace {

std::string text(double value) {
    std::ostringstream out;
    out.precision(17);
    out << value;
    return out.str();
}
std::string text(const std::optional<double>& value) { return value ? text(*value) : "none"; }

std::string blockText(const std::optional<records::QuantBlock>& block) {
    if (!block) return "none";
    std::ostringstream out;
    out << "format " << int(block->format) << " bits " << block->bits << (block->isSigned ? " signed" : " unsigned") << " granularity "
        << int(block->granularity) << " group " << (block->granularity == records::Granularity::PerGroup ? block->groupSize : 0)
        << " mapping " << int(block->mapping) << " scale " << int(block->scaleDtype) << " zero " << int(block->zeroDomain) << " eps "
        << text(block->eps) << (block->reduceRange ? " reduced" : "");
    return out.str();
}

std::string schemeText(const Job& job) {
    if (!job.quantizer) return "none";
    const records::QatBlock& q = job.quantizer->plan().block;
    std::string modules;
    for (const int module : job.quantizer->plan().weightModules) modules.append(1, ' ').append(std::to_string(module));
    return "weight {" + blockText(q.weight) + "} activation {" + blockText(q.activation) + "} embedding {" + blockText(q.embedding) +
           "} after " + (q.fakeQuantAfterSteps ? std::to_string(*q.fakeQuantAfterSteps) : "none") + " ste " + std::to_string(int(q.ste)) +
           (q.qparamGrad ? " qparam_grad" : "") + " modules" + modules;
}

std::string optimText(const records::OptimBlock& o) {
    std::string out = "lr " + text(o.lr) + " betas " + text(o.betas[0]) + " " + text(o.betas[1]) + " eps " + text(o.eps) + " wd " +
                      text(o.weightDecay) + " amsgrad " + std::to_string(o.amsgrad) + " momentum " + text(o.momentum) + " dampening " +
                      text(o.dampening) + " nesterov " + std::to_string(o.nesterov) + " clip " + text(o.clipNorm) + " rule " + o.decayRule +
                      " embeddings " + std::to_string(o.decayEmbeddings);
    for (const records::LrGroup& group : o.lrGroups) out += " lr_group " + group.pattern + " " + text(group.lrScale);
    for (const std::string& pattern : o.freeze) out += " freeze " + pattern;
    return out;
}

std::string scheduleText(const records::ScheduleBlock& s) {
    return s.name + " warmup " + std::to_string(s.warmupSteps) + " ratio " + text(s.warmupRatio) + " cycles " + text(s.cycles) + " min " +
           text(s.minLrRatio) + " decay " + std::to_string(s.decaySteps) + " from " + s.warmupFrom;
}

bool dependsOnLength(const records::ScheduleBlock& s) {
    if (s.name == "constant") return false;
    return !(s.name == "constant_warmup" && s.warmupSteps > 0);
}

bool isDeterministic(const records::Recipe& recipe, at::Device device) { return recipe.deterministic.value_or(device.is_cpu()); }

} // namespace

int physicalCores() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
    std::set<std::string> cores;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        std::ifstream in("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
        std::string siblings;
        std::getline(in, siblings);
        cores.insert(siblings.empty() ? std::to_string(cpu) : siblings);
    }
    return std::max(1, static_cast<int>(cores.size()));
}

void applyEnvironment(const records::Recipe& recipe, at::Device device) {
    at::set_num_threads(recipe.threads > 0 ? static_cast<int>(recipe.threads) : physicalCores());
    at::Context& context = at::globalContext();
    const bool deterministic = isDeterministic(recipe, device);
    if (deterministic && device.is_cuda()) ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    context.setDeterministicAlgorithms(deterministic, false);
    context.setDeterministicFillUninitializedMemory(false); // we never read memory that we did not write
    context.setBenchmarkCuDNN(false);
    context.setAllowTF32CuBLAS(recipe.precision.tf32 && !deterministic);
    context.setAllowTF32CuDNN(recipe.precision.tf32 && !deterministic);
}

std::string libtorchVersion() { return TORCH_VERSION; }

std::string hostName() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

Facts environmentFacts(const records::Recipe& recipe, at::Device device) {
    return {{"build", std::string(buildId())},
            {"libtorch", libtorchVersion()},
            {"device", device.str()},
            {"isa", at::get_cpu_capability()},
            {"threads", std::to_string(at::get_num_threads())},
            {"deterministic", isDeterministic(recipe, device) ? "on" : "off"},
            {"kernels", recipe.kernels}};
}

Facts fixedFacts(const Job& job, int64_t totalSteps, const std::string& frozen) {
    const records::Recipe& r = job.recipe;
    return {{"seed", std::to_string(r.seeds.empty() ? 42 : r.seeds.front())},
            {"data.train", job.trainData.digest()},
            {"data.packing", r.data.packing},
            {"data.seq_len", std::to_string(r.data.seqLen)},
            {"data.shuffle", r.data.shuffle ? "true" : "false"},
            {"data.drop_last", r.data.dropLast ? "true" : "false"},
            {"train.micro_batch", std::to_string(r.train.microBatch)},
            {"train.grad_accum", std::to_string(r.train.gradAccum)},
            {"train.partial_accumulation", r.train.partialAccumulation},
            {"train.max_steps", std::to_string(totalSteps)},
            {"optim.name", r.optim.name},
            {"optim", optimText(r.optim)},
            {"schedule", scheduleText(r.schedule)},
            {"precision.mode", r.precision.mode},
            {"precision.export_dtype", r.precision.exportDtype},
            {"precision.grad_dtype", r.precision.gradDtype},
            {"loss.normalise", r.lossNormalise},
            {"qat", schemeText(job)},
            {kFrozenFact, frozen}};
}

Status checkResume(const Facts& stored, const Facts& now, const Job& job) {
    std::string keys, detail;
    for (const auto& [key, value] : now) {
        const auto before = stored.find(key);
        const std::string old = before == stored.end() ? "unknown" : before->second;
        if (old == value) continue;
        if (key == "train.max_steps" && std::atoll(value.c_str()) > std::atoll(old.c_str()) &&
            (job.extendSchedule || !dependsOnLength(job.recipe.schedule)))
            continue;
        keys += (keys.empty() ? "" : ", ") + key;
        if (value.size() + old.size() < 120) keys += " (was " + old + ", is " + value + ")";
    }
    if (keys.empty()) return {};
    return Error{"train.resume_refused",
                 "the checkpoint in " + job.runDir.string() + " was made with another recipe: " + keys,
                 "restore these keys, or start a new run",
                 {},
                 false};
}

} // namespace qw::train
