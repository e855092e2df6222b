// SPDX-License-Identifier: GPL-3.0-or-later
// What: reads 4-bit GPTQ checkpoints without reordering, versions 1 and 2 of the zero points (export.md 7).
#include "checkpoint/convert.h"
#include "checkpoint/json_value.h"
#include "checkpoint/module_plan.h"
#include "checkpoint/quantized_modules.h"

#include <algorithm>

namespace qw::checkpoint {
namespace {

using records::Granularity;
using records::Mapping;

Error refused(const std::string& what) {
    return {
        "model.format", "quantization_config: " + what, "export the model with 4 bits, without desc_act, as gptq or gptq_v2", {}, false};
}

class GptqModules : public QuantizedModules {
public:
    int stored = 1; // v1 stores zero points less one

    [[nodiscard]] Status check(const WeightFiles& files, const QuantizedModule& m) const override {
        const int64_t groups = m.grid.groupsPerRow();
        QW_CHECK(readPart(files, m.name + ".qweight", "I32", {m.cols / 8, m.rows}, nullptr));
        QW_CHECK(readPart(files, m.name + ".scales", "F16", {groups, m.rows}, nullptr));
        QW_CHECK(readPart(files, m.name + ".qzeros", "I32", {groups, m.rows / 8}, nullptr));
        if (!files.find(m.name + ".g_idx")) return {};
        std::vector<int32_t> order(static_cast<size_t>(m.cols));
        QW_CHECK(readPart(files, m.name + ".g_idx", "I32", {m.cols}, order.data()));
        for (int64_t k = 0; k < m.cols; ++k)
            if (order[static_cast<size_t>(k)] != k / m.grid.group) return refused(m.name + ".g_idx reorders columns, which is not read");
        return {};
    }

    [[nodiscard]] Status read(const WeightFiles& files, const QuantizedModule& m, RowRange rows, int8_t* codes, void* scale,
                              void* zero) const override {
        const int64_t groups = m.grid.groupsPerRow();
        if (codes) {
            QW_TRY(const auto words, columns<uint32_t>(files, m.name + ".qweight", m.cols / 8, rows));
            for (int64_t n = 0; n < rows.count; ++n)
                for (int64_t k = 0; k < m.cols; ++k)
                    *codes++ =
                        static_cast<int8_t>(static_cast<int>(words[static_cast<size_t>(k / 8 * rows.count + n)] >> (4 * (k % 8)) & 15) - 8);
        }
        if (scale) {
            QW_TRY(const auto turned, columns<uint16_t>(files, m.name + ".scales", groups, rows));
            auto* out = static_cast<uint16_t*>(scale);
            for (int64_t n = 0; n < rows.count; ++n)
                for (int64_t g = 0; g < groups; ++g) *out++ = turned[static_cast<size_t>(g * rows.count + n)];
        }
        return checkZeros(files, m, rows, static_cast<int32_t*>(zero));
    }

    [[nodiscard]] std::vector<std::string> parts(const QuantizedModule& m) const override {
        return {m.name + ".qweight", m.name + ".qzeros", m.name + ".scales", m.name + ".g_idx"};
    }

private:
    // Everything lies transposed: some outputs are a stretch of every stored row, one behind the other here. check() has seen the shapes.
    template<class T>
    static Result<std::vector<T>> columns(const WeightFiles& files, const std::string& name, int64_t stored, RowRange some) {
        const auto* at = files.find(name);
        if (!at) return shapeError(name + " is missing", "fetch the folder again");
        const uint64_t width = at->info->bytes() / static_cast<uint64_t>(stored);
        std::vector<T> out(static_cast<size_t>(stored * some.count));
        for (int64_t k = 0; k < stored; ++k)
            QW_CHECK(files.files[at->file].read(*at->info, out.data() + k * some.count,
                                                static_cast<uint64_t>(k) * width + static_cast<uint64_t>(some.first) * sizeof(T),
                                                static_cast<uint64_t>(some.count) * sizeof(T)));
        return out;
    }

    // Symmetric weights have 8 everywhere; anything else is damage.
    [[nodiscard]] Status checkZeros(const WeightFiles& files, const QuantizedModule& m, RowRange rows, int32_t* zero) const {
        const int64_t groups = m.grid.groupsPerRow(), firstWord = rows.first / 8;
        const RowRange covered{firstWord, (rows.first + rows.count + 7) / 8 - firstWord};
        QW_TRY(const auto words, columns<uint32_t>(files, m.name + ".qzeros", groups, covered));
        for (int64_t n = rows.first; n < rows.first + rows.count; ++n)
            for (int64_t g = 0; g < groups; ++g) {
                const uint32_t word = words[static_cast<size_t>(g * covered.count + n / 8 - firstWord)];
                const int value = static_cast<int>(word >> (4 * (n % 8)) & 15) + stored;
                if (m.grid.hasZero() && zero) *zero++ = value - 8;
                if (!m.grid.hasZero() && value != 8)
                    return Error{"file.corrupt",
                                 m.name + ".qzeros holds zero point " + std::to_string(value) + " in a symmetric model",
                                 "fetch the folder again",
                                 {},
                                 false};
            }
        return {};
    }
};

} // namespace

Result<std::unique_ptr<QuantizedModules>> openGptq(const WeightFiles& files, std::string_view config, const ModelConfig& model) {
    QW_TRY(const JsonValue root, parseJson(config, "model.format"));
    const JsonValue& section = *root.find("quantization_config");
    const auto number = [&](const char* key) {
        const JsonValue* v = section.find(key);
        return v && v->is(JsonValue::Kind::Int) ? v->integer : 0;
    };
    const auto is = [&](const char* key) {
        const JsonValue* v = section.find(key);
        return v && v->is(JsonValue::Kind::Bool) && v->boolean;
    };
    if (number("bits") != 4) return refused("bits " + std::to_string(number("bits")) + " is not read, only 4 is");
    if (is("desc_act")) return refused("desc_act true is not read");
    auto out = std::make_unique<GptqModules>();
    if (const JsonValue* version = section.find("checkpoint_format")) { // absent: older than the second version
        if (version->text != "gptq" && version->text != "gptq_v2")
            return refused("checkpoint_format " + jsonQuoted(version->text) + " is not read, only gptq and gptq_v2 are");
        if (version->text == "gptq_v2") out->stored = 0;
    }
    const auto type = dtypeFromConfigName(model.dtypeHint);
    out->type = type.value_or(records::DType::F16);
    records::QuantBlock block;
    block.bits = 4;
    block.groupSize = number("group_size");
    block.granularity = block.groupSize > 0 ? Granularity::PerGroup : Granularity::PerChannel;
    block.mapping = is("sym") ? Mapping::Symmetric : Mapping::Asymmetric;
    block.scaleDtype = records::ScaleDtype::Float16;
    for (const Matrix& matrix : matricesOf(model, false)) {
        if (matrix.isEmbedding) continue;
        if (!files.find(matrix.name + ".qweight")) {
            if (!matrix.isHead) out->skipped.emplace_back(matrix.name, "stored in the weights' own type");
            continue;
        }
        if (matrix.rows % 8 != 0 || matrix.cols % 8 != 0) return refused(matrix.name + " is not a multiple of 8 in both directions");
        auto grid = numerics::resolveGrid(block, records::Role::Weight, out->type, matrix.rows, matrix.cols);
        if (!grid) return refused(matrix.name + ": " + grid.error().message);
        out->list.push_back({matrix.name, block, matrix.rows, matrix.cols, *grid});
    }
    if (out->list.empty()) return refused("no linear layer of the folder is quantized");
    records::QatBlock scheme;
    scheme.weight = block;
    for (const auto& [name, reason] : out->skipped) scheme.modules.exclude.push_back(name);
    out->schemes = {std::move(scheme)};
    return std::unique_ptr<QuantizedModules>(std::move(out));
}

} // namespace qw::checkpoint
