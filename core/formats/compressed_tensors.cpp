// SPDX-License-Identifier: GPL-3.0-or-later
// What: compressed-tensors for vLLM and transformers: pack-quantized of 2 to 8 bits and int-quantized (export.md 4).
#include "checkpoint/convert.h"
#include "checkpoint/module_plan.h"
#include "formats/registry.h"
#include "formats/tensors.h"
#include "numerics/bitpack.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace qw::formats {
namespace {

using checkpoint::Checkpoint;
using checkpoint::QuantizedModule;
using checkpoint::TensorSource;
using records::Granularity;
using records::Mapping;
using Bytes = std::vector<uint8_t>;
using Json = nlohmann::ordered_json;

constexpr int64_t kWidestGroup = 128; // Marlin kernels have no 256: written as 128 with each scale twice
// The release whose schema config.json follows. Widths that do not divide a word lie across words since a later one (0.12 leaves bits
// free).
constexpr const char* kSchema = "0.12.2";
constexpr const char* kSchemaAcross = "0.20.0";

enum class Storage : uint8_t { Packed, Int8 };
struct Layout {
    Storage storage = Storage::Packed;
    bool activation = false; // declared in the file
    int64_t group = 0;       // as written; 0: per channel
    int64_t repeat = 1;      // scales written for each stored one
};

bool perChannel(const records::QuantBlock& b) { return b.granularity == Granularity::PerChannel; }

// What the file cannot hold, in one sentence; empty when it can.
std::string refusal(const Checkpoint& source, const Layout& layout) {
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

Layout portable(const Checkpoint& source) {
    Layout layout;
    if (source.schemes().empty() || !source.schemes().front().weight) return layout;
    const records::QatBlock& scheme = source.schemes().front();
    const records::QuantBlock& w = *scheme.weight;
    const bool a8 = scheme.activation && scheme.activation->bits == 8;
    if (w.bits == 8 && a8 && perChannel(w) && w.mapping != Mapping::Asymmetric) layout = {Storage::Int8, true, 0, 1};
    if (w.granularity != Granularity::PerGroup) return layout;
    layout.group = w.groupSize;
    if (w.groupSize > kWidestGroup && w.groupSize % kWidestGroup == 0) {
        layout.group = kWidestGroup;
        layout.repeat = w.groupSize / kWidestGroup;
    }
    return layout;
}

// The file counts codes and zero points from 0: signed ones are shifted, also where reduce_range leaves the lowest ones out.
int offsetOf(const QuantizedModule& m) { return m.grid.qmin < 0 ? 1 << (m.block.bits - 1) : 0; }

// Little-endian stream of offset-binary codes, every row padded to whole words.
Result<Bytes> packedRows(const Checkpoint& source, const QuantizedModule& m) {
    const int bits = m.block.bits;
    std::vector<int8_t> codes(static_cast<size_t>(m.rows * m.cols));
    QW_CHECK(source.readCodes(m, codes.data(), nullptr, nullptr));
    for (int8_t& code : codes) code = static_cast<int8_t>(code + offsetOf(m));
    const int64_t rowBytes = numerics::packedRowBytes(bits, m.cols), padded = (rowBytes + 3) / 4 * 4;
    Bytes out(static_cast<size_t>(m.rows * padded));
    for (int64_t r = 0; r < m.rows; ++r) numerics::packCodes(bits, 1, m.cols, codes.data() + r * m.cols, out.data() + r * padded);
    return out;
}

// Packed down the rows of one group column: word w of column j lies at [w, j].
Result<Bytes> packedZeros(const Checkpoint& source, const QuantizedModule& m, int64_t repeat) {
    const int64_t groups = m.grid.groupsPerRow(), bits = m.block.bits, words = (m.rows * bits + 31) / 32;
    std::vector<int32_t> zero(static_cast<size_t>(m.groups()));
    QW_CHECK(source.readCodes(m, nullptr, nullptr, zero.data()));
    std::vector<uint32_t> out(static_cast<size_t>(words * groups * repeat));
    for (int64_t r = 0; r < m.rows; ++r)
        for (int64_t g = 0; g < groups * repeat; ++g) {
            const auto code = static_cast<uint64_t>(zero[static_cast<size_t>(r * groups + g / repeat)] + offsetOf(m));
            const int64_t first = r * bits;
            const uint64_t placed = code << (first % 32);
            out[static_cast<size_t>(first / 32 * groups * repeat + g)] |= static_cast<uint32_t>(placed);
            if (placed >> 32) out[static_cast<size_t>((first / 32 + 1) * groups * repeat + g)] |= static_cast<uint32_t>(placed >> 32);
        }
    const auto* bytes = reinterpret_cast<const uint8_t*>(out.data());
    return Bytes(bytes, bytes + out.size() * sizeof(uint32_t));
}

Result<Bytes> scalesIn(const Checkpoint& source, const QuantizedModule& m, int64_t repeat) {
    QW_TRY(const auto scales, readScales(source, m));
    std::vector<float> wide;
    for (const float s : scales) wide.insert(wide.end(), static_cast<size_t>(repeat), s);
    Bytes out(wide.size() * static_cast<size_t>(numerics::sizeOf(source.dtype())));
    checkpoint::convertElements("F32", wide.data(), static_cast<int64_t>(wide.size()), source.dtype(), out.data());
    return out;
}

void addLinear(std::vector<TensorSource>& out, const Checkpoint& source, const QuantizedModule& m, const Layout& layout) {
    const int64_t groups = m.grid.groupsPerRow() * layout.repeat, bits = m.block.bits;
    out.push_back(madeTensor(m.name + ".weight_scale", checkpoint::storedName(source.dtype()), {m.rows, groups},
                             [source, m, layout] { return scalesIn(source, m, layout.repeat); }));
    if (layout.storage == Storage::Int8) {
        out.push_back(madeTensor(m.name + ".weight", "I8", {m.rows, m.cols}, [source, m]() -> Result<Bytes> {
            Bytes codes(static_cast<size_t>(m.rows * m.cols));
            QW_CHECK(source.readCodes(m, reinterpret_cast<int8_t*>(codes.data()), nullptr, nullptr));
            return codes;
        }));
        return;
    }
    out.push_back(
        madeTensor(m.name + ".weight_packed", "I32", {m.rows, (m.cols * bits + 31) / 32}, [source, m] { return packedRows(source, m); }));
    out.push_back(madeTensor(m.name + ".weight_shape", "I64", {2}, [m]() -> Result<Bytes> {
        const int64_t shape[2] = {m.rows, m.cols};
        const auto* bytes = reinterpret_cast<const uint8_t*>(shape);
        return Bytes(bytes, bytes + sizeof shape);
    }));
    if (m.grid.hasZero())
        out.push_back(madeTensor(m.name + ".weight_zero_point", "I32", {(m.rows * bits + 31) / 32, groups},
                                 [source, m, layout] { return packedZeros(source, m, layout.repeat); }));
}

std::vector<TensorSource> tensorsOf(const Checkpoint& source, const Layout& layout) {
    std::vector<TensorSource> out;
    for (const QuantizedModule& m : linears(source)) addLinear(out, source, m, layout);
    addOthers(out, source);
    return out;
}

bool acrossWords(const Checkpoint& source) { return 32 % linears(source).front().block.bits != 0; }

// Both inner objects refuse keys they do not know, so they hold exactly those of the schema's release.
Json weightArgs(const Checkpoint& source, const Layout& layout) {
    const records::QuantBlock& w = linears(source).front().block;
    return {{"num_bits", w.bits},
            {"type", "int"},
            {"symmetric", w.mapping != Mapping::Asymmetric},
            {"group_size", layout.group > 0 ? Json(layout.group) : Json()},
            {"strategy", layout.group > 0 ? "group" : "channel"},
            {"block_structure", nullptr},
            {"dynamic", false},
            {"actorder", nullptr},
            {"observer", "minmax"},
            {"observer_kwargs", Json::object()}};
}

Json activationArgs(const records::QuantBlock& a) {
    return {{"num_bits", a.bits},
            {"type", "int"},
            {"symmetric", a.mapping != Mapping::Asymmetric},
            {"group_size", nullptr},
            {"strategy", "token"},
            {"block_structure", nullptr},
            {"dynamic", true},
            {"actorder", nullptr},
            {"observer", nullptr},
            {"observer_kwargs", Json::object()}};
}

std::string configOf(const Checkpoint& source, const Layout& layout) {
    std::set<std::string> quantized;
    for (const QuantizedModule& m : linears(source)) quantized.insert(m.name);
    Json ignore = Json::array();
    for (const auto& matrix : checkpoint::matricesOf(source.config(), source.tied()))
        if (!matrix.isEmbedding && !quantized.contains(matrix.name)) ignore.push_back(matrix.name); // lm_head even when tied
    const char* format = layout.storage == Storage::Int8 ? "int-quantized" : "pack-quantized";
    Json group{{"targets", {"Linear"}},
               {"weights", weightArgs(source, layout)},
               {"input_activations", layout.activation ? activationArgs(*source.schemes().front().activation) : Json()},
               {"output_activations", nullptr},
               {"format", format}};
    return Json{{"quant_method", "compressed-tensors"},
                {"version", acrossWords(source) ? kSchemaAcross : kSchema},
                {"format", format},
                {"quantization_status", "compressed"},
                {"config_groups", {{"group_0", std::move(group)}}},
                {"ignore", std::move(ignore)},
                {"kv_cache_scheme", nullptr},
                {"global_compression_ratio", nullptr},
                {"sparsity_config", Json::object()},
                {"transform_config", Json::object()}}
        .dump();
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

void addNotes(const Checkpoint& source, const Layout& layout, Verdict& verdict) {
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
    if (layout.repeat > 1) verdict.notes.push_back("groups of " + std::to_string(w.groupSize) + " are written as 128, each scale repeated");
    if (layout.group > 0 && layout.group != 32 && layout.group != 64 && layout.group != 128)
        verdict.notes.push_back("vLLM's kernels take groups of 32, 64 and 128");
    const bool odd = std::ranges::any_of(modules, [](const QuantizedModule& m) { return m.rows % 64 != 0 || m.cols % 128 != 0; });
    if (odd && layout.storage == Storage::Packed)
        verdict.notes.push_back("layers are not multiples of 64 x 128: vLLM has to pad them, which recent releases do");
    if (splitsFusedLayers(source))
        verdict.notes.push_back("q, k, v or gate, up are quantized in part: vLLM fuses them and refuses the folder");
    noteOthers(source, verdict);
}

Result<Verdict> judge(const Checkpoint& source, const Layout& layout, const char* runsOn) {
    if (std::string why = refusal(source, layout); !why.empty()) return unsupported(std::move(why));
    Verdict verdict;
    verdict.runsOn = runsOn;
    verdict.bytes = bytesOf(tensorsOf(source, layout));
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
    const Layout layout = portable(source);
    return judge(source, layout,
                 layout.storage == Storage::Int8 ? "vLLM (CUDA from SM75), transformers" : "vLLM (CUDA from Ampere), transformers");
}
Status write(const Checkpoint& source, const std::filesystem::path& dir, const Progress& progress) {
    const Layout layout = portable(source);
    return writeFolder(source, dir, tensorsOf(source, layout), {}, configOf(source, layout), progress);
}

// 4-bit weights with their 8-bit activations declared.
std::string notW4A8(const Checkpoint& source) {
    if (source.schemes().empty()) return "the weights are not quantized";
    const records::QatBlock& scheme = source.schemes().front();
    if (!scheme.activation || scheme.activation->bits != 8 || !scheme.weight || scheme.weight->bits != 4)
        return "the scheme is not 4-bit weights with 8-bit activations";
    return {};
}
template<Storage storage> Layout withActivations(const Checkpoint& source) {
    Layout layout = portable(source);
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
    const Layout layout = withActivations<storage>(source);
    return writeFolder(source, dir, tensorsOf(source, layout), {}, configOf(source, layout), progress);
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
