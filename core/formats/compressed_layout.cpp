// SPDX-License-Identifier: GPL-3.0-or-later
#include "formats/compressed_layout.h"

#include "checkpoint/convert.h"
#include "checkpoint/module_plan.h"
#include "formats/tensors.h"
#include "numerics/bitpack.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace qw::formats {
namespace {

using checkpoint::Checkpoint;
using checkpoint::QuantizedModule;
using checkpoint::RowRange;
using checkpoint::TensorSource;
using records::Granularity;
using records::Mapping;
using Storage = CompressedLayout::Storage;
using Json = nlohmann::ordered_json;

// The release whose schema config.json follows. Widths that do not divide a word lie across words since a later one (0.12 leaves bits
// free).
constexpr const char* kSchema = "0.12.2";
constexpr const char* kSchemaAcross = "0.20.0";

// The file counts codes and zero points from 0: signed ones are shifted, also where reduce_range leaves the lowest ones out.
int offsetOf(const QuantizedModule& m) { return m.grid.qmin < 0 ? 1 << (m.block.bits - 1) : 0; }

// Little-endian stream of offset-binary codes, every row padded to whole words.
Result<Bytes> packedRows(const Checkpoint& source, const QuantizedModule& m, RowRange rows) {
    const int bits = m.block.bits;
    std::vector<int8_t> codes(static_cast<size_t>(rows.count * m.cols));
    QW_CHECK(source.readCodes(m, rows, codes.data(), nullptr, nullptr));
    for (int8_t& code : codes) code = static_cast<int8_t>(code + offsetOf(m));
    const int64_t rowBytes = numerics::packedRowBytes(bits, m.cols), padded = (rowBytes + 3) / 4 * 4;
    Bytes out(static_cast<size_t>(rows.count * padded));
    for (int64_t r = 0; r < rows.count; ++r) numerics::packCodes(bits, 1, m.cols, codes.data() + r * m.cols, out.data() + r * padded);
    return out;
}

// Packed down the rows of one group column: word w of column j lies at [w, j].
Result<Bytes> packedZeros(const Checkpoint& source, const QuantizedModule& m, int64_t repeat) {
    const int64_t groups = m.grid.groupsPerRow(), bits = m.block.bits, words = (m.rows * bits + 31) / 32;
    std::vector<int32_t> zero(static_cast<size_t>(m.groups()));
    QW_CHECK(source.readCodes(m, nullptr, nullptr, zero.data()));
    if (m.oneScale()) zero.resize(static_cast<size_t>(m.rows), zero.front());
    std::vector<uint32_t> out(static_cast<size_t>(words * groups * repeat));
    for (int64_t r = 0; r < m.rows; ++r)
        for (int64_t g = 0; g < groups * repeat; ++g) {
            const auto code = static_cast<uint64_t>(zero[static_cast<size_t>(r * groups + g / repeat)] + offsetOf(m));
            const int64_t first = r * bits;
            const uint64_t placed = code << (first % 32);
            out[static_cast<size_t>(first / 32 * groups * repeat + g)] |= static_cast<uint32_t>(placed);
            if (placed >> 32) out[static_cast<size_t>((first / 32 + 1) * groups * repeat + g)] |= static_cast<uint32_t>(placed >> 32);
        }
    return bytesFrom(out);
}

Result<Bytes> scalesIn(const Checkpoint& source, const QuantizedModule& m, RowRange rows, int64_t repeat) {
    QW_TRY(const auto scales, readScales(source, m, rows));
    const std::vector<float> wide = repeated(scales, repeat);
    Bytes out(wide.size() * static_cast<size_t>(numerics::sizeOf(source.dtype())));
    checkpoint::convertElements("F32", wide.data(), static_cast<int64_t>(wide.size()), source.dtype(), out.data());
    return out;
}

void addLinear(std::vector<TensorSource>& out, const Checkpoint& source, const QuantizedModule& m, const CompressedLayout& layout) {
    const int64_t groups = m.grid.groupsPerRow() * layout.repeat, bits = m.block.bits;
    out.push_back(madeRows(m.name + ".weight_scale", checkpoint::storedName(source.dtype()), {m.rows, groups},
                           [source, m, layout](RowRange rows) { return scalesIn(source, m, rows, layout.repeat); }));
    if (layout.storage == Storage::Int8) {
        out.push_back(madeRows(m.name + ".weight", "I8", {m.rows, m.cols}, [source, m](RowRange rows) -> Result<Bytes> {
            Bytes codes(static_cast<size_t>(rows.count * m.cols));
            QW_CHECK(source.readCodes(m, rows, reinterpret_cast<int8_t*>(codes.data()), nullptr, nullptr));
            return codes;
        }));
        return;
    }
    out.push_back(madeRows(m.name + ".weight_packed", "I32", {m.rows, (m.cols * bits + 31) / 32},
                           [source, m](RowRange rows) { return packedRows(source, m, rows); }));
    out.push_back(madeTensor(m.name + ".weight_shape", "I64", {2}, [m]() -> Result<Bytes> {
        return bytesFrom(std::vector{m.rows, m.cols});
    }));
    if (m.grid.hasZero())
        out.push_back(madeTensor(m.name + ".weight_zero_point", "I32", {(m.rows * bits + 31) / 32, groups},
                                 [source, m, layout] { return packedZeros(source, m, layout.repeat); }));
}

// Both inner objects refuse keys they do not know, so they hold exactly those of the schema's release.
Json weightArgs(const Checkpoint& source, const CompressedLayout& layout) {
    const records::QuantBlock w = linears(source).front().block;
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

} // namespace

bool acrossWords(const Checkpoint& source) { return 32 % linears(source).front().block.bits != 0; }

CompressedLayout portableLayout(const Checkpoint& source) {
    CompressedLayout layout;
    if (source.schemes().empty() || !source.schemes().front().weight) return layout;
    const records::QatBlock& scheme = source.schemes().front();
    const records::QuantBlock& w = *scheme.weight;
    const bool a8 = scheme.activation && scheme.activation->bits == 8;
    if (w.bits == 8 && a8 && w.granularity == Granularity::PerChannel && w.mapping != Mapping::Asymmetric)
        layout = {Storage::Int8, true, 0, 1};
    const WrittenGroup written = writtenGroup(w);
    layout.group = written.columns;
    layout.repeat = written.repeat;
    return layout;
}

std::vector<TensorSource> compressedTensors(const Checkpoint& source, const CompressedLayout& layout) {
    std::vector<TensorSource> out;
    for (const QuantizedModule& m : linears(source)) addLinear(out, source, m, layout);
    addOthers(out, source);
    return out;
}

std::string compressedConfig(const Checkpoint& source, const CompressedLayout& layout) {
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

} // namespace qw::formats
