// SPDX-License-Identifier: GPL-3.0-or-later
// What: compressed-tensors for vLLM and transformers: what it can hold, how well, what its readers make of it (export.md 4).
#include "checkpoint/convert.h"
#include "checkpoint/module_plan.h"
#include "formats/compressed_layout.h"
#include "formats/registry.h"
#include "formats/tensors.h"

#include <algorithm>
#include <map>
#include <set>

namespace qw::formats {
namespace {

using checkpoint::Checkpoint;
using checkpoint::QuantizedModule;
using records::Mapping;
using Storage = CompressedLayout::Storage;

// What the file cannot hold, in one sentence; empty when it can.
std::string refusal(const Checkpoint& source, const CompressedLayout& layout) {
    if (!source.isQuantized()) return "the weights are not quantized";
    const auto modules = linears(source);
    if (modules.empty()) return "no linear layer is quantized, only the embedding";
    for (const QuantizedModule& m : modules) {
        if (m.grid.family != numerics::Family::IntSymmetric && m.grid.family != numerics::Family::IntAsymmetric)
            return "the zero points are real numbers and the format holds integers: train or quantize with an integer zero point";
        if (!(m.block == modules.front().block)) return "the layers have different schemes";
    }
    const bool asymmetric = modules.front().grid.hasZero();
    if (layout.storage == Storage::Int8 && asymmetric) return "int8 storage has no zero points: its readers take symmetric weights";
    if (modules.front().block.bits == 8 && asymmetric) return "8-bit weights with zero points are read by no kernel";
    return {};
}

// vLLM fuses q, k, v and gate, up: within one of them all are quantized or none.
bool splitsFusedLayers(const Checkpoint& source) {
    std::map<std::string, std::set<bool>> states;
    for (const auto& matrix : checkpoint::matricesOf(source.config(), source.tied())) {
        std::string key;
        for (const auto& [suffix, group] :
             {std::pair{".q_proj", ".qkv"}, {".k_proj", ".qkv"}, {".v_proj", ".qkv"}, {".gate_proj", ".gate_up"}, {".up_proj", ".gate_up"}})
            if (matrix.name.ends_with(suffix)) key = matrix.name.substr(0, matrix.name.rfind('.')) + group;
        if (key.empty()) continue;
        const auto& list = source.quantizedModules();
        states[key].insert(std::ranges::any_of(list, [&](const QuantizedModule& m) { return m.name == matrix.name; }));
    }
    return std::ranges::any_of(states, [](const auto& state) { return state.second.size() > 1; });
}

void addNotes(const Checkpoint& source, const CompressedLayout& layout, Verdict& verdict) {
    const auto modules = linears(source);
    const records::QuantBlock& w = modules.front().block;
    const auto& activation = source.schemes().front().activation;
    if (activation && !layout.activation) {
        verdict.sameActivations = false;
        verdict.notes.push_back("the file says nothing about activations: its readers keep them in the model's type");
    } else if (activation && activation->scaleDtype == records::ScaleDtype::Float32 && source.dtype() != records::DType::F32) {
        verdict.sameActivations = false;
        verdict.notes.push_back("its readers round the activations' scales to the model's type, training kept them in float32");
    } else if (activation && activation->mapping != Mapping::Asymmetric) {
        verdict.sameActivations = false;
        verdict.notes.push_back(
            "its readers divide activations by their scale where training multiplies by its inverse: ties round otherwise");
    }
    if (modules.front().grid.hasZero())
        verdict.notes.push_back(
            "transformers cannot load packed zero points with compressed-tensors 0.20; vLLM and the package's own decompressor can");
    if (layout.storage == Storage::Packed && w.bits != 4 && w.bits != 8)
        verdict.notes.push_back("vLLM's kernels take 4 and 8 bits; transformers unpacks the other widths");
    if (acrossWords(source))
        verdict.notes.push_back("codes of this width lie across words, as compressed-tensors 0.20 packs them; 0.12 does it otherwise");
    if (layout.repeat > 1)
        verdict.notes.push_back("groups of " + std::to_string(w.groupSize) + " are written as " + std::to_string(layout.group) +
                                ", each scale repeated");
    if (layout.group > 0 && layout.group != 32 && layout.group != 64 && layout.group != 128)
        verdict.notes.push_back("vLLM's kernels take groups of 32, 64 and 128");
    const bool odd = std::ranges::any_of(modules, [](const QuantizedModule& m) { return m.rows % 64 != 0 || m.cols % 128 != 0; });
    if (odd && layout.storage == Storage::Packed)
        verdict.notes.push_back("layers are not multiples of 64 x 128: vLLM has to pad them, which recent releases do");
    if (splitsFusedLayers(source))
        verdict.notes.push_back("q, k, v or gate, up are quantized in part: vLLM fuses them and refuses the folder");
    noteOthers(source, verdict);
}

Result<Verdict> judge(const Checkpoint& source, const CompressedLayout& layout, const char* runsOn) {
    if (std::string why = refusal(source, layout); !why.empty()) return unsupported(std::move(why));
    Verdict verdict;
    verdict.runsOn = runsOn;
    verdict.bytes = bytesOf(compressedTensors(source, layout));
    for (const QuantizedModule& m : linears(source)) {
        QW_TRY(const auto fit, judgeScales(source, m, source.dtype()));
        if (fit.outside > 0)
            return unsupported(m.name + " has scales outside " + checkpoint::configName(source.dtype()) + ", the model's type");
        verdict.groups += m.groups();
        verdict.inexact += fit.inexact;
    }
    if (verdict.inexact > 0) {
        verdict.fidelity = Fidelity::NearExact;
        verdict.why = std::to_string(verdict.inexact) + " of " + std::to_string(verdict.groups) + " scales are rounded to " +
                      checkpoint::configName(source.dtype()) + ", the model's type";
    } else {
        verdict.why = "codes and scales are written as they were trained";
    }
    addNotes(source, layout, verdict);
    return verdict;
}

Result<Verdict> check(const Checkpoint& source) {
    const CompressedLayout layout = portableLayout(source);
    return judge(source, layout,
                 layout.storage == Storage::Int8 ? "vLLM (CUDA from SM75), transformers" : "vLLM (CUDA from Ampere), transformers");
}
Status write(const Checkpoint& source, const std::filesystem::path& dir, const Progress& progress) {
    const CompressedLayout layout = portableLayout(source);
    return writeFolder(source, dir, compressedTensors(source, layout), {}, compressedConfig(source, layout), progress);
}

// 4-bit weights with their 8-bit activations declared.
std::string notW4A8(const Checkpoint& source) {
    if (source.schemes().empty()) return "the weights are not quantized";
    const records::QatBlock& scheme = source.schemes().front();
    if (!scheme.activation || scheme.activation->bits != 8 || !scheme.weight || scheme.weight->bits != 4)
        return "the scheme is not 4-bit weights with 8-bit activations";
    return {};
}
template<Storage storage> CompressedLayout withActivations(const Checkpoint& source) {
    CompressedLayout layout = portableLayout(source);
    layout.storage = storage;
    layout.activation = true;
    return layout;
}
template<Storage storage> Result<Verdict> checkW4A8(const Checkpoint& source) {
    if (std::string why = notW4A8(source); !why.empty()) return unsupported(std::move(why));
    auto verdict = judge(source, withActivations<storage>(source),
                         storage == Storage::Int8 ? "vLLM on Arm CPUs, transformers"
                                                  : "recent vLLM with Humming kernels (CUDA from SM75), transformers");
    if (verdict && storage == Storage::Int8 && verdict->fidelity != Fidelity::Unsupported)
        verdict->notes.push_back("codes take a byte each: the file is about twice as large as the packed one");
    return verdict;
}
template<Storage storage> Status writeW4A8(const Checkpoint& source, const std::filesystem::path& dir, const Progress& progress) {
    const CompressedLayout layout = withActivations<storage>(source);
    return writeFolder(source, dir, compressedTensors(source, layout), {}, compressedConfig(source, layout), progress);
}

} // namespace

const Format kCompressedTensors{
    "compressed-tensors",
    "compressed-tensors, for vLLM and transformers",
    "Packed codes and scales as vLLM wants them. 8-bit activations are declared where the weights have 8 bits too.",
    false,
    check,
    write};
const Format kCompressedTensorsW4A8{
    "compressed-tensors-w4a8",  "compressed-tensors W4A8, packed", "4-bit weights and 8-bit activations declared, codes packed.", false,
    checkW4A8<Storage::Packed>, writeW4A8<Storage::Packed>};
const Format kCompressedTensorsW4A8Int8{"compressed-tensors-w4a8-int8",
                                        "compressed-tensors W4A8, a byte each",
                                        "4-bit weights and 8-bit activations declared, codes in bytes.",
                                        false,
                                        checkW4A8<Storage::Int8>,
                                        writeW4A8<Storage::Int8>};

} // namespace qw::formats
