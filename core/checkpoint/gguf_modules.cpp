// SPDX-License-Identifier: GPL-3.0-or-later
// What: the quantized matrices of a GGUF file: Q4_0 and Q8_0 as symmetric groups of 32, Q4_1 with a real zero point (export.md 5.2).
#include "checkpoint/convert.h"
#include "checkpoint/gguf_header.h"
#include "checkpoint/module_plan.h"
#include "checkpoint/native.h"
#include "checkpoint/quantized_modules.h"
#include "numerics/half.h"

#include <algorithm>
#include <cstring>

namespace qw::checkpoint {
namespace {

using records::DType;
using records::QuantBlock;

constexpr int64_t kBlock = 32;

QuantBlock blockOf(std::string_view type) {
    QuantBlock block;
    block.bits = type == "Q8_0" ? 8 : 4;
    block.groupSize = kBlock;
    block.scaleDtype = records::ScaleDtype::Float16;
    if (type == "Q4_1") {
        block.format = records::Format::Int4Zp;
        block.isSigned = false;
        block.mapping = records::Mapping::Asymmetric;
        block.zeroDomain = records::ZeroDomain::Float;
        block.scaleDtype = records::ScaleDtype::Float32;
    }
    return block;
}

float halfAt(const uint8_t* bytes) {
    uint16_t bits = 0;
    std::memcpy(&bits, bytes, sizeof bits);
    return numerics::f16ToFloat(bits);
}

// Byte j of the 16 holds element j low and element j + 16 high.
void nibbles(const uint8_t* packed, int8_t* out, int subtract) {
    for (int j = 0; j < 16; ++j) {
        out[j] = static_cast<int8_t>((packed[j] & 0x0f) - subtract);
        out[j + 16] = static_cast<int8_t>((packed[j] >> 4) - subtract);
    }
}

class GgufModules : public QuantizedModules {
public:
    std::map<std::string, const BlockType*> types; // of modules

    [[nodiscard]] Status check(const WeightFiles& files, const QuantizedModule& m) const override {
        return readPart(files, m.name + kBlocksSuffix, types.at(m.name)->name, {m.rows, m.cols}, nullptr);
    }

    // Scales as fp16, for Q4_1 as fp32 with the zero point m + 8 d: the value of code 0 of -8 to 7.
    [[nodiscard]] Status read(const WeightFiles& files, const QuantizedModule& m, RowRange rows, int8_t* codes, void* scale,
                              void* zero) const override {
        QW_TRY(const auto raw, blocks(files, m, rows));
        const std::string_view type = types.at(m.name)->name;
        const int64_t width = types.at(m.name)->bytes, count = rows.count * m.cols / kBlock;
        for (int64_t b = 0; b < count; ++b) {
            const uint8_t* at = raw.data() + b * width;
            if (type == "Q4_1") {
                const float d = halfAt(at), low = halfAt(at + 2);
                if (codes) nibbles(at + 4, codes + b * kBlock, 8);
                if (scale) static_cast<float*>(scale)[b] = d;
                if (zero) static_cast<float*>(zero)[b] = low + 8.0f * d;
                continue;
            }
            if (scale) std::memcpy(static_cast<uint16_t*>(scale) + b, at, 2);
            if (codes && type == "Q4_0") nibbles(at + 2, codes + b * kBlock, 8);
            if (codes && type == "Q8_0") std::memcpy(codes + b * kBlock, at + 2, kBlock);
        }
        return {};
    }

    [[nodiscard]] std::vector<std::string> parts(const QuantizedModule& m) const override { return {m.name + kBlocksSuffix}; }

    // The fp32 value that a reader of the file computes, rounded once to T.
    [[nodiscard]] Status dequantize(const WeightFiles& files, const QuantizedModule& m, RowRange rows, DType as, void* dst) const override {
        QW_TRY(const auto raw, blocks(files, m, rows));
        std::vector<float> values(static_cast<size_t>(rows.count * m.cols));
        const std::string_view name = types.at(m.name)->name;
        const int64_t width = types.at(m.name)->bytes, count = rows.count * m.cols / kBlock;
        for (int64_t b = 0; b < count; ++b) {
            const uint8_t* at = raw.data() + b * width;
            float* out = values.data() + b * kBlock;
            int8_t n[kBlock];
            const float d = halfAt(at);
            if (name == "Q8_0") {
                std::memcpy(n, at + 2, kBlock);
                for (int j = 0; j < kBlock; ++j) out[j] = d * static_cast<float>(n[j]);
            } else if (name == "Q4_0") {
                nibbles(at + 2, n, 8);
                for (int j = 0; j < kBlock; ++j) out[j] = d * static_cast<float>(n[j]);
            } else {
                nibbles(at + 4, n, 0);
                const float low = halfAt(at + 2);
                for (int j = 0; j < kBlock; ++j) {
                    const float product = d * static_cast<float>(n[j]); // exact: 11 bits by 4
                    out[j] = product + low;
                }
            }
        }
        if (type != DType::F32 && as != type)
            for (float& v : values) v = numerics::roundTo(type, v);
        convertElements("F32", values.data(), rows.count * m.cols, as, dst);
        return {};
    }

private:
    [[nodiscard]] Result<std::vector<uint8_t>> blocks(const WeightFiles& files, const QuantizedModule& m, RowRange rows) const {
        const BlockType* type = types.at(m.name);
        std::vector<uint8_t> raw(static_cast<size_t>(rows.count * (m.cols / kBlock) * type->bytes));
        QW_CHECK(readPart(files, m.name + kBlocksSuffix, type->name, {m.rows, m.cols}, rows, raw.data()));
        return raw;
    }
};

// T: config.json names it; else what most of the plain matrices are stored in.
DType typeOf(const WeightFiles& files, const ModelConfig& model) {
    if (const auto hint = dtypeFromConfigName(model.dtypeHint)) return *hint;
    std::map<std::string, int64_t> counts;
    for (const auto& [name, place] : files.where)
        if (place.info->shape.size() > 1 && isWeightDtype(place.info->dtype)) counts[place.info->dtype] += place.info->elements();
    const auto most = std::ranges::max_element(counts, {}, [](const auto& one) { return one.second; });
    if (most == counts.end() || most->first == "F32") return DType::F32;
    return most->first == "BF16" ? DType::BF16 : DType::F16;
}

} // namespace

Result<std::unique_ptr<QuantizedModules>> openGgufModules(const WeightFiles& files, const ModelConfig& model) {
    auto out = std::make_unique<GgufModules>();
    out->type = typeOf(files, model);
    std::map<std::string, int64_t> weights; // elements a type, of linear layers
    const BlockType *weight = nullptr, *embedding = nullptr;
    for (const Matrix& matrix : matricesOf(model, false)) {
        const auto* at = files.find(matrix.name + kBlocksSuffix);
        if (!at) {
            if (!matrix.isEmbedding && !matrix.isHead) out->skipped.emplace_back(matrix.name, "stored in the weights' own type");
            continue;
        }
        const BlockType* type = blockType(at->info->dtype);
        const QuantBlock block = blockOf(type->name);
        auto grid = numerics::resolveGrid(block, roleOfModule(matrix.name), out->type, matrix.rows, matrix.cols);
        if (!grid) return shapeError(matrix.name + ": " + grid.error().message);
        out->list.push_back({matrix.name, block, matrix.rows, matrix.cols, *grid});
        out->types.emplace(matrix.name, type);
        if (matrix.isEmbedding)
            embedding = type;
        else if (auto& count = weights[type->name]; (count += matrix.rows * matrix.cols) >= weights[weight ? weight->name : type->name])
            weight = type;
    }
    if (out->list.empty()) return std::unique_ptr<QuantizedModules>();
    records::QatBlock scheme;
    if (weight) scheme.weight = blockOf(weight->name);
    if (embedding) scheme.embedding = blockOf(embedding->name);
    scheme.modules.lmHead = out->find("lm_head") != nullptr;
    for (const auto& [name, reason] : out->skipped) scheme.modules.exclude.push_back(name);
    out->schemes = {std::move(scheme)};
    return std::unique_ptr<QuantizedModules>(std::move(out));
}

} // namespace qw::checkpoint
