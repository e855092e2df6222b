// SPDX-License-Identifier: GPL-3.0-or-later
// What: reads the integer formats of compressed-tensors: pack-quantized of 2 to 8 bits and int-quantized (export.md 4.1 - 4.3).
#include "checkpoint/convert.h"
#include "checkpoint/json_value.h"
#include "checkpoint/module_plan.h"
#include "checkpoint/quantized_modules.h"

#include <algorithm>
#include <regex>

namespace qw::checkpoint {
namespace {

using records::Granularity;
using records::Mapping;
using records::QuantBlock;

Error refused(const std::string& what) {
    return {"model.format", "quantization_config: " + what, "export the model in an integer format of compressed-tensors", {}, false};
}

struct Group {
    std::vector<std::string> targets; // "Linear", module names, "re:" patterns
    QuantBlock weight;
    std::optional<QuantBlock> activation;
};

// `bits` bits of a little-endian stream of words that lie `stride` words apart; words begins with word `from` of the stream.
uint32_t bitsAt(const uint32_t* words, int64_t stride, int64_t from, int64_t element, int bits) {
    const int64_t first = element * bits, word = first / 32 - from, shift = first % 32;
    uint64_t both = words[word * stride];
    if (shift + bits > 32) both |= static_cast<uint64_t>(words[(word + 1) * stride]) << 32;
    return static_cast<uint32_t>(both >> shift) & ((1u << bits) - 1);
}

int64_t wordsFor(int64_t elements, int bits) { return (elements * bits + 31) / 32; }

class CompressedModules : public QuantizedModules {
public:
    [[nodiscard]] Status check(const WeightFiles& files, const QuantizedModule& m) const override {
        QW_CHECK(readPart(files, m.name + ".weight_scale", storedName(type), {m.rows, m.grid.groupsPerRow()}, nullptr));
        if (!m.grid.hasZero()) QW_CHECK(checkNoZero(files, m));
        if (!isPacked(files, m)) {
            QW_CHECK(readPart(files, m.name + ".weight", "I8", {m.rows, m.cols}, nullptr));
            return m.grid.hasZero() ? readPart(files, m.name + ".weight_zero_point", "I8", {m.rows, m.grid.groupsPerRow()}, nullptr)
                                    : Status{};
        }
        QW_CHECK(readPart(files, m.name + ".weight_packed", "I32", {m.rows, wordsFor(m.cols, m.block.bits)}, nullptr));
        std::array<int64_t, 2> shape{};
        QW_CHECK(readPart(files, m.name + ".weight_shape", "I64", {2}, shape.data()));
        if (shape != std::array{m.rows, m.cols})
            return shapeError(m.name + ".weight_shape says " + shapeWords({shape[0], shape[1]}) + ", the model needs " +
                              shapeWords({m.rows, m.cols}));
        return m.grid.hasZero() ? readPart(files, m.name + ".weight_zero_point", "I32", zeroShape(m), nullptr) : Status{};
    }

    [[nodiscard]] Status read(const WeightFiles& files, const QuantizedModule& m, RowRange rows, int8_t* codes, void* scale,
                              void* zero) const override {
        const bool packed = isPacked(files, m);
        if (codes)
            QW_CHECK(packed ? readPacked(files, m, rows, codes) : readPart(files, m.name + ".weight", "I8", {m.rows, m.cols}, rows, codes));
        if (scale) QW_CHECK(readPart(files, m.name + ".weight_scale", storedName(type), {m.rows, m.grid.groupsPerRow()}, rows, scale));
        if (zero && m.grid.hasZero()) QW_CHECK(readZero(files, m, packed, rows, static_cast<int32_t*>(zero)));
        return {};
    }

    [[nodiscard]] std::vector<std::string> parts(const QuantizedModule& m) const override {
        std::vector<std::string> out;
        for (const char* suffix : {".weight", ".weight_packed", ".weight_scale", ".weight_shape", ".weight_zero_point"})
            out.push_back(m.name + suffix);
        return out;
    }

private:
    static bool isPacked(const WeightFiles& files, const QuantizedModule& m) { return files.find(m.name + ".weight_packed") != nullptr; }
    static std::vector<int64_t> zeroShape(const QuantizedModule& m) { return {wordsFor(m.rows, m.block.bits), m.grid.groupsPerRow()}; }

    // Offset binary: code + 2^(bits-1), row by row.
    static Status readPacked(const WeightFiles& files, const QuantizedModule& m, RowRange rows, int8_t* codes) {
        const int bits = m.block.bits;
        const int64_t words = wordsFor(m.cols, bits);
        std::vector<uint32_t> packed(static_cast<size_t>(rows.count * words));
        QW_CHECK(readPart(files, m.name + ".weight_packed", "I32", {m.rows, words}, rows, packed.data()));
        for (int64_t r = 0; r < rows.count; ++r)
            for (int64_t c = 0; c < m.cols; ++c)
                *codes++ = static_cast<int8_t>(static_cast<int>(bitsAt(packed.data() + r * words, 1, 0, c, bits)) - (1 << (bits - 1)));
        return {};
    }

    // Some writers store the zeros of symmetric weights; others than zeros mean that the config says the wrong thing.
    static Status checkNoZero(const WeightFiles& files, const QuantizedModule& m) {
        const std::string name = m.name + ".weight_zero_point";
        const auto* stored = files.find(name);
        if (!stored) return {};
        std::vector<int32_t> zero(static_cast<size_t>(m.groups()));
        QW_CHECK(readZero(files, m, stored->info->dtype == "I32", m.all(), zero.data()));
        const auto other = std::ranges::find_if(zero, [](int32_t z) { return z != 0; });
        if (other == zero.end()) return {};
        return Error{"file.corrupt",
                     name + " holds " + std::to_string(*other) + ", but quantization_config says symmetric",
                     "write or fetch the folder again",
                     {},
                     false};
    }

    // Packed zero points run down the rows of one group column.
    static Status readZero(const WeightFiles& files, const QuantizedModule& m, bool packed, RowRange rows, int32_t* zero) {
        const std::string name = m.name + ".weight_zero_point";
        const int64_t groups = m.grid.groupsPerRow();
        if (!packed) {
            std::vector<int8_t> bytes(static_cast<size_t>(rows.count * groups));
            QW_CHECK(readPart(files, name, "I8", {m.rows, groups}, rows, bytes.data()));
            std::ranges::copy(bytes, zero);
            return {};
        }
        const int bits = m.block.bits;
        const int64_t firstWord = rows.first * bits / 32;
        const RowRange covered{firstWord, wordsFor(rows.first + rows.count, bits) - firstWord};
        std::vector<uint32_t> words(static_cast<size_t>(covered.count * groups));
        QW_CHECK(readPart(files, name, "I32", zeroShape(m), covered, words.data()));
        for (int64_t r = rows.first; r < rows.first + rows.count; ++r)
            for (int64_t g = 0; g < groups; ++g)
                *zero++ = static_cast<int32_t>(bitsAt(words.data() + g, groups, firstWord, r, bits)) - (1 << (bits - 1));
        return {};
    }
};

Result<QuantBlock> readArgs(const JsonValue& args, bool activation) {
    const auto number = [&](const char* key) {
        const JsonValue* v = args.find(key);
        return v && v->is(JsonValue::Kind::Int) ? v->integer : 0;
    };
    const auto word = [&](const char* key) {
        const JsonValue* v = args.find(key);
        return v && v->is(JsonValue::Kind::String) ? v->text : std::string();
    };
    const auto is = [&](const char* key) {
        const JsonValue* v = args.find(key);
        return v && v->is(JsonValue::Kind::Bool) && v->boolean;
    };
    if (word("type") != "int") return refused("type '" + word("type") + "' is not read, only int is");
    if (!word("actorder").empty()) return refused("actorder '" + word("actorder") + "' is not read");
    QuantBlock block;
    block.bits = static_cast<int>(number("num_bits"));
    if (block.bits < 2 || block.bits > 8) return refused("num_bits " + std::to_string(block.bits) + " is not 2 to 8");
    const JsonValue* symmetric = args.find("symmetric");
    block.mapping = symmetric && !is("symmetric") ? Mapping::Asymmetric : Mapping::Symmetric; // the package's default is true
    block.scaleDtype = records::ScaleDtype::Input;
    const std::string strategy = word("strategy");
    if (activation) {
        if (strategy != "token" || !is("dynamic"))
            return refused("activations of strategy '" + strategy + "' are not read, only dynamic per token");
        block.granularity = Granularity::PerToken;
        if (block.mapping == Mapping::Symmetric) block.format = records::Format::Int8;
        return block;
    }
    block.granularity = strategy == "group" ? Granularity::PerGroup : Granularity::PerChannel;
    block.groupSize = number("group_size");
    if (strategy != "channel" && (strategy != "group" || block.groupSize <= 0))
        return refused("strategy '" + strategy + "' of the weights is not read, only group and channel are");
    return block;
}

Result<std::vector<Group>> readGroups(const JsonValue& config) {
    const JsonValue* groups = config.find("config_groups");
    if (!groups || !groups->is(JsonValue::Kind::Object) || groups->members.empty()) return refused("it has no config_groups");
    std::vector<Group> out;
    for (const auto& [name, value] : groups->members) {
        Group group;
        const JsonValue* weights = value.find("weights");
        const JsonValue* inputs = value.find("input_activations");
        const JsonValue* targets = value.find("targets");
        if (!weights || weights->isNull() || !targets || !targets->is(JsonValue::Kind::Array))
            return refused(name + " has no weights or no targets");
        QW_TRY(group.weight, readArgs(*weights, false));
        if (inputs && !inputs->isNull()) {
            QW_TRY(group.activation, readArgs(*inputs, true));
        }
        for (const JsonValue& target : targets->items) group.targets.push_back(target.text);
        out.push_back(std::move(group));
    }
    return out;
}

bool targets(const std::string& pattern, const std::string& module) {
    if (pattern == "Linear" || pattern == module) return true;
    if (!pattern.starts_with("re:") || pattern.size() > 512) return false;
    try {
        return std::regex_search(module, std::regex(pattern.substr(3)), std::regex_constants::match_continuous); // as re.match
    } catch (const std::regex_error&) {
        return false;
    }
}

} // namespace

Result<std::unique_ptr<QuantizedModules>> openCompressedTensors(const WeightFiles& files, std::string_view config,
                                                                const ModelConfig& model) {
    QW_TRY(const JsonValue root, parseJson(config, "model.format"));
    const JsonValue* section = root.find("quantization_config");
    if (!section) section = root.find("compression_config");
    QW_TRY(const auto groups, readGroups(*section));
    auto out = std::make_unique<CompressedModules>();
    const Group* used = nullptr;
    for (const Matrix& matrix : matricesOf(model, false)) {
        if (matrix.isEmbedding) continue;
        const auto* scale = files.find(matrix.name + ".weight_scale");
        if (!scale) {
            if (!matrix.isHead) out->skipped.emplace_back(matrix.name, "stored in the weights' own type");
            continue;
        }
        const auto group = std::ranges::find_if(groups, [&](const Group& g) {
            return std::ranges::any_of(g.targets, [&](const std::string& target) { return targets(target, matrix.name); });
        });
        if (group == groups.end()) return refused(matrix.name + " is quantized, but no group targets it");
        if (used && used != &*group) return refused("several groups with different schemes are not read");
        used = &*group;
        const std::string& stored = scale->info->dtype;
        const auto type = stored == "F32" ? records::DType::F32 : stored == "BF16" ? records::DType::BF16 : records::DType::F16;
        if (stored != storedName(type)) return refused(matrix.name + ".weight_scale is " + stored);
        if (!out->list.empty() && type != out->type) return refused("the scales have several dtypes");
        out->type = type;
        auto grid = numerics::resolveGrid(group->weight, records::Role::Weight, type, matrix.rows, matrix.cols);
        if (!grid) return refused(matrix.name + ": " + grid.error().message);
        out->list.push_back({matrix.name, group->weight, matrix.rows, matrix.cols, *grid});
    }
    if (!used) return refused("no linear layer of the folder is quantized");
    records::QatBlock scheme;
    scheme.weight = used->weight;
    scheme.activation = used->activation;
    scheme.modules.lmHead = out->list.back().name == "lm_head";
    for (const auto& [name, reason] : out->skipped) scheme.modules.exclude.push_back(name);
    out->schemes = {std::move(scheme)};
    return std::unique_ptr<QuantizedModules>(std::move(out));
}

} // namespace qw::checkpoint
