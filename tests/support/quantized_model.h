// SPDX-License-Identifier: GPL-3.0-or-later
// What: a small native folder quantized by the product's own kernels, for tests of what happens to codes afterwards.
#pragma once

#include "formats/format.h"
#include "formats/native_tensors.h"
#include "tiny_model.h"

#include "checkpoint/module_plan.h"

#include <set>

namespace qw::test {

// What the probe says of a folder that computes the same.
inline Result<formats::LogitsCheck> equalLogits(const std::filesystem::path&) { return formats::LogitsCheck{0, 0, 1, 1, 64}; }

// group: columns of a group; 0: per channel.
inline records::QatBlock weightScheme(int bits, int64_t group, records::Mapping mapping = records::Mapping::Symmetric) {
    records::QatBlock block;
    block.weight = records::QuantBlock{};
    block.weight->bits = bits;
    block.weight->groupSize = group;
    block.weight->mapping = mapping;
    block.weight->granularity = group > 0 ? records::Granularity::PerGroup : records::Granularity::PerChannel;
    block.weight->scaleDtype = records::ScaleDtype::Input;
    return block;
}

// Every matrix that the scheme is aimed at and divides; the others stay as they are. codes: called with each quantized matrix before it is
// written, to place known values.
struct TinyCodes {
    std::string module;
    std::vector<int8_t> codes;
    std::vector<char> scale, zero;
};
inline Status writeQuantized(const std::filesystem::path& dir, const records::QatBlock& scheme, const std::string& dtype = "BF16",
                             const std::function<void(TinyCodes&)>& change = {}) {
    const std::string config = tinyConfig("llama", "\"torch_dtype\":\"" + std::string(dtype == "F32" ? "float32" : "bfloat16") +
                                                       "\",\"quantization_config\":" + formats::nativeConfig() + ",");
    const auto type = dtype == "F32" ? records::DType::F32 : records::DType::BF16;
    QW_TRY(const auto parsed, checkpoint::parseModelConfig(config));
    QW_TRY(const auto plan, checkpoint::planModules(scheme, checkpoint::matricesOf(parsed, false), type));
    const auto matrices = checkpoint::matricesOf(parsed, false);
    const std::vector<TinyTensor> tensors = tinyTensors(config, false, dtype);
    std::vector<checkpoint::TensorSource> sources;
    checkpoint::NativeInfo info;
    info.type = type;
    info.schemes = {scheme};
    std::set<std::string> quantized;
    for (const int index : plan.weight) {
        const checkpoint::Matrix& m = matrices[static_cast<size_t>(index)];
        const auto tensor = std::ranges::find_if(tensors, [&](const TinyTensor& t) { return t.name == m.tensor; });
        QW_TRY(const auto layout, checkpoint::nativeLayout(*scheme.weight, m.name, type, m.rows, m.cols));
        auto made = std::make_shared<TinyCodes>();
        made->module = m.name;
        made->codes.resize(static_cast<size_t>(m.rows * m.cols));
        made->scale.resize(static_cast<size_t>(layout.groups() * numerics::sizeOf(layout.grid.scaleType)));
        if (!layout.zeroDtype.empty())
            made->zero.resize(static_cast<size_t>(layout.groups() * *checkpoint::dtypeBits(layout.zeroDtype) / 8));
        numerics::Outputs out;
        out.codes = made->codes.data();
        out.scale = made->scale.data();
        out.zero = layout.zeroDtype.empty() ? nullptr : made->zero.data();
        numerics::fakeQuantize(layout.grid, tensor->bytes.data(), out, serial());
        if (change) change(*made);
        QW_CHECK(formats::addNativeModule(
            sources, m.name, layout, [made, cols = m.cols](checkpoint::RowRange rows, int8_t* codes, void* scale, void* zero) -> Status {
                if (codes) std::copy_n(made->codes.begin() + rows.first * cols, rows.count * cols, codes);
                if (scale) std::ranges::copy(made->scale, static_cast<char*>(scale));
                if (zero) std::ranges::copy(made->zero, static_cast<char*>(zero));
                return {};
            }));
        info.modules.push_back({m.name, 0, layout.packed, m.rows, m.cols});
        quantized.insert(m.tensor);
    }
    for (const auto& layer : plan.layers)
        if (!layer.skipReason.empty()) info.skipped.emplace_back(layer.name, layer.skipReason);
    for (const TinyTensor& t : tensors)
        if (!quantized.contains(t.name)) sources.push_back(checkpoint::bytesSource(t.name, t.dtype, t.shape, t.bytes.data()));
    writeText(dir / "config.json", config);
    auto written = checkpoint::writeSafetensors(dir / "model.safetensors", std::move(sources),
                                                {{checkpoint::kNativeKey, checkpoint::nativeToJson(info)}});
    return written ? Status{} : Status{written.error()};
}

// Changes the lowest bit of the byte at an offset of a tensor in a folder with a single weight file.
inline void flipBit(const std::filesystem::path& folder, const std::string& tensor, uint64_t offset = 0) {
    const auto path = folder / "model.safetensors";
    const auto file = checkpoint::TensorFile::open(path);
    if (!file || !file->find(tensor)) qFatal("no tensor %s", tensor.c_str());
    uint64_t data = 0;
    for (const auto& t : file->tensors()) data = std::max(data, t.end);
    std::fstream raw(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(std::filesystem::file_size(path) - data + file->find(tensor)->begin + offset);
    raw.seekg(at);
    const char byte = static_cast<char>(raw.get() ^ 1);
    raw.seekp(at);
    raw.put(byte);
}

} // namespace qw::test
