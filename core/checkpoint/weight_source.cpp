// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/weight_source.h"

#include "checkpoint/checkpoint.h"
#include "checkpoint/convert.h"
#include "checkpoint/weight_files.h"
#include "numerics/fake_quant.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <optional>
#include <vector>

namespace qw::checkpoint {

using records::DType;

struct WeightSource::State {
    WeightFiles files;
    std::optional<Checkpoint> quantized;
    bool synthetic = false;
    std::string whole; // quantized module that `values` holds in `type`
    DType type = DType::F32;
    std::vector<std::byte> values;
    std::vector<std::byte> bytes;
};

namespace {

uint64_t mixed(uint64_t z) { // SplitMix64's output function (Steele, Lea and Flood 2014)
    z = (z + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// Box and Muller 1958, one number of each pair.
float normal(int64_t index) {
    const auto seed = static_cast<uint64_t>(index) * 2;
    const double u = (static_cast<double>(mixed(seed) >> 11) + 1.0) * 0x1p-53, v = static_cast<double>(mixed(seed + 1) >> 11) * 0x1p-53;
    return static_cast<float>(0.02 * std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v));
}

Error notNumbers(const std::string& tensor, const std::string& dtype) {
    return {"model.format", tensor + " is " + dtype + ": these are no numbers that can be shown", "choose another tensor", {}, false};
}

} // namespace

Result<WeightSource> WeightSource::open(const std::filesystem::path& dir) {
    WeightSource source;
    source.m_state = std::make_shared<State>();
    QW_TRY(source.m_state->files, openWeightFiles(dir));
    if (auto opened = Checkpoint::open(dir); opened && opened->isQuantized()) source.m_state->quantized = *std::move(opened);
    return source;
}

WeightSource WeightSource::synthetic() {
    WeightSource source;
    source.m_state = std::make_shared<State>();
    source.m_state->synthetic = true;
    return source;
}

Status WeightSource::read(const std::string& tensor, DType type, int64_t first, int64_t count, void* out) {
    State& s = *m_state;
    const auto size = static_cast<size_t>(numerics::sizeOf(type));
    if (s.synthetic) {
        std::vector<float> values(static_cast<size_t>(count));
        for (int64_t i = 0; i < count; ++i) values[static_cast<size_t>(i)] = normal(first + i);
        convertElements("F32", values.data(), count, type, out);
        return {};
    }
    if (const auto* place = s.files.find(tensor)) {
        const TensorFile& file = s.files.files[place->file];
        const bool codes = place->info->dtype == "I8" || place->info->dtype == "U8";
        if (!isWeightDtype(place->info->dtype) && !codes) return notNumbers(tensor, place->info->dtype);
        const uint64_t each = static_cast<uint64_t>(*dtypeBits(place->info->dtype)) / 8;
        s.bytes.resize(each * static_cast<size_t>(count));
        QW_CHECK(file.read(*place->info, s.bytes.data(), each * static_cast<uint64_t>(first), s.bytes.size()));
        if (!codes) {
            convertElements(place->info->dtype, s.bytes.data(), count, type, out);
            return {};
        }
        std::vector<float> values(static_cast<size_t>(count));
        for (size_t i = 0; i < values.size(); ++i)
            values[i] = place->info->dtype == "I8" ? static_cast<float>(static_cast<int8_t>(s.bytes[i]))
                                                   : static_cast<float>(static_cast<uint8_t>(s.bytes[i]));
        convertElements("F32", values.data(), count, type, out);
        return {};
    }
    if (!s.quantized) return Error{"model.format", "the model has no tensor " + tensor, "reload the model", {}, false};
    if (s.whole != tensor || s.type != type) {
        const auto& modules = s.quantized->quantizedModules();
        const auto module = std::ranges::find_if(modules, [&](const QuantizedModule& m) { return m.name + ".weight" == tensor; });
        if (module == modules.end()) return Error{"model.format", "the model has no tensor " + tensor, "reload the model", {}, false};
        s.values.resize(static_cast<size_t>(module->rows * module->cols) * size);
        s.whole.clear();
        QW_CHECK(s.quantized->readAs(tensor, type, s.values.data()));
        s.whole = tensor;
        s.type = type;
    }
    std::memcpy(out, s.values.data() + static_cast<size_t>(first) * size, static_cast<size_t>(count) * size);
    return {};
}

} // namespace qw::checkpoint
