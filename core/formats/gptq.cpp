// SPDX-License-Identifier: GPL-3.0-or-later
// What: GPTQ checkpoints, checkpoint_format "gptq" (v1): 4-bit symmetric codes packed down the columns of each output (export.md 7).
#include "checkpoint/convert.h"
#include "checkpoint/module_plan.h"
#include "formats/registry.h"
#include "formats/tensors.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

namespace qw::formats {
namespace {

using checkpoint::Checkpoint;
using checkpoint::QuantizedModule;
using checkpoint::RowRange;
using checkpoint::TensorSource;
using Json = nlohmann::ordered_json;

constexpr int64_t kPerWord = 8;            // 4-bit codes in an int32
constexpr uint32_t kZeroWord = 0x77777777; // zero point 8 everywhere; v1 stores one less

// Word [k, n] holds rows 8k … 8k+7 of column n of the transposed matrix, lowest first, counted from 0. The words of a matrix, a quarter of
// its size in 16 bits, are the one thing that exists as a whole.
Result<Bytes> packedColumns(const Checkpoint& source, const QuantizedModule& m) {
    Bytes bytes(static_cast<size_t>(m.cols / kPerWord * m.rows) * sizeof(uint32_t));
    auto* words = reinterpret_cast<uint32_t*>(bytes.data());
    QW_CHECK(checkpoint::forRowBlocks(m.rows, m.cols, [&](RowRange rows) -> Status {
        std::vector<int8_t> codes(static_cast<size_t>(rows.count * m.cols));
        QW_CHECK(source.readCodes(m, rows, codes.data(), nullptr, nullptr));
        for (int64_t r = 0; r < rows.count; ++r)
            for (int64_t k = 0; k < m.cols; ++k)
                words[k / kPerWord * m.rows + rows.first + r] |= static_cast<uint32_t>(codes[static_cast<size_t>(r * m.cols + k)] + 8)
                                                                 << (4 * (k % kPerWord));
        return {};
    }));
    return bytes;
}

Result<Bytes> transposedScales(const Checkpoint& source, const QuantizedModule& m) {
    QW_TRY(const auto stored, readScales(source, m, m.all()));
    const std::vector<float> scales = repeated(stored, writtenGroup(m.block).repeat);
    const int64_t groups = static_cast<int64_t>(scales.size()) / m.rows;
    std::vector<float> turned(scales.size());
    for (int64_t n = 0; n < m.rows; ++n)
        for (int64_t g = 0; g < groups; ++g) turned[static_cast<size_t>(g * m.rows + n)] = scales[static_cast<size_t>(n * groups + g)];
    Bytes out(turned.size() * 2);
    checkpoint::convertElements("F32", turned.data(), static_cast<int64_t>(turned.size()), records::DType::F16, out.data());
    return out;
}

void addLinear(std::vector<TensorSource>& out, const Checkpoint& source, const QuantizedModule& m) {
    const int64_t groups = m.grid.groupsPerRow() * writtenGroup(m.block).repeat;
    out.push_back(madeTensor(m.name + ".qweight", "I32", {m.cols / kPerWord, m.rows}, [source, m] { return packedColumns(source, m); }));
    out.push_back(madeTensor(m.name + ".qzeros", "I32", {groups, m.rows / kPerWord}, [m, groups]() -> Result<Bytes> {
        return bytesFrom(std::vector<uint32_t>(static_cast<size_t>(groups * m.rows / kPerWord), kZeroWord));
    }));
    out.push_back(madeTensor(m.name + ".scales", "F16", {groups, m.rows}, [source, m] { return transposedScales(source, m); }));
    out.push_back(madeTensor(m.name + ".g_idx", "I32", {m.cols}, [m, groups]() -> Result<Bytes> {
        std::vector<int32_t> group(static_cast<size_t>(m.cols));
        for (int64_t k = 0; k < m.cols; ++k) group[static_cast<size_t>(k)] = static_cast<int32_t>(k / (m.cols / groups));
        return bytesFrom(group);
    }));
}

std::vector<TensorSource> tensorsOf(const Checkpoint& source) {
    std::vector<TensorSource> out;
    for (const QuantizedModule& m : linears(source)) addLinear(out, source, m);
    addOthers(out, source);
    return out;
}

// "self_attn.q_proj" of "model.layers.0.self_attn.q_proj".
std::string insideBlock(const std::string& module) {
    constexpr std::string_view prefix = "model.layers.";
    return module.substr(module.find('.', prefix.size()) + 1);
}

std::string configOf(const Checkpoint& source) {
    const auto modules = linears(source);
    const int64_t group = writtenGroup(modules.front().block).columns;
    std::set<std::string> inside;
    for (const QuantizedModule& m : modules) inside.insert(insideBlock(m.name));
    Json names = Json::array();
    for (const std::string& name : inside) names.push_back(Json::array({name}));
    return Json{{"quant_method", "gptq"},
                {"bits", 4},
                {"group_size", group > 0 ? group : -1},
                {"sym", true},
                {"desc_act", false},
                {"checkpoint_format", "gptq"},
                {"lm_head", false},
                {"modules_in_block_to_quantize", std::move(names)}}
        .dump();
}

std::string refusal(const Checkpoint& source) {
    if (!source.isQuantized()) return "the weights are not quantized";
    const auto modules = linears(source);
    if (modules.empty()) return "no linear layer is quantized, only the embedding";
    std::map<std::string, int64_t> layers;
    for (const QuantizedModule& m : modules) {
        if (m.block.bits != 4 || m.grid.family != numerics::Family::IntSymmetric)
            return "only 4-bit symmetric weights are written: v1 cannot store every zero point";
        if (m.rows % kPerWord != 0 || m.cols % kPerWord != 0) return m.name + " is not a multiple of 8 in both directions";
        ++layers[insideBlock(m.name)];
    }
    for (const auto& [name, count] : layers)
        if (count != source.config().layers) return name + " is quantized in some blocks only, and the format names modules for all blocks";
    return {};
}

Result<Verdict> check(const Checkpoint& source) {
    if (std::string why = refusal(source); !why.empty()) return unsupported(std::move(why));
    Verdict verdict;
    verdict.runsOn = "GPTQModel, vLLM, transformers with gptqmodel";
    verdict.bytes = bytesOf(tensorsOf(source));
    for (const QuantizedModule& m : linears(source)) {
        QW_TRY(const auto fit, judgeScales(source, m, records::DType::F16));
        if (fit.outside > 0) return unsupported(m.name + " has scales outside fp16, in which the format keeps them");
        verdict.groups += m.groups();
        verdict.inexact += fit.inexact;
    }
    verdict.why = verdict.inexact == 0 ? "codes and scales are written as they were trained"
                                       : std::to_string(verdict.inexact) + " of " + std::to_string(verdict.groups) +
                                             " scales are rounded to fp16, in which the format keeps them";
    if (verdict.inexact > 0) verdict.fidelity = Fidelity::NearExact;
    if (source.schemes().front().activation) {
        verdict.sameActivations = false;
        verdict.notes.push_back("activations are not rounded by its readers: the format has no words for them");
    }
    if (source.dtype() != records::DType::F16) verdict.notes.push_back("most of its readers compute in fp16, training did not");
    const records::QuantBlock w = linears(source).front().block;
    if (const WrittenGroup group = writtenGroup(w); group.repeat > 1)
        verdict.notes.push_back("groups of " + std::to_string(w.groupSize) + " are written as " + std::to_string(group.columns) +
                                ", each scale repeated");
    noteOthers(source, verdict);
    return verdict;
}

Status write(const Checkpoint& source, const std::filesystem::path& dir, const Progress& progress) {
    return writeFolder(source, dir, tensorsOf(source), {}, configOf(source), progress);
}

} // namespace

const Format kGptq{"gptq", "GPTQ v1", "4-bit symmetric codes packed as AutoGPTQ and GPTQModel read them.", false, check, write};

} // namespace qw::formats
