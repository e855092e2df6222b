// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/checkpoint_state.h"
#include "checkpoint/convert.h"
#include "numerics/bitpack.h"

#include <algorithm>

namespace qw::checkpoint {

std::string shapeWords(const std::vector<int64_t>& shape) {
    std::string out = "[";
    for (size_t i = 0; i < shape.size(); ++i) out.append(i ? "," : "").append(std::to_string(shape[i]));
    return out + "]";
}

Error shapeError(const std::string& what, const std::string& hint) { return {"model.shape", what, hint, {}, false}; }

Status Checkpoint::State::readNative() {
    const std::string* text = nullptr;
    for (const SafetensorsFile& file : weights.files)
        if (const auto at = file.metadata().find(kNativeKey); at != file.metadata().end()) text = &at->second;
    if (!text)
        return Error{"model.format", dir.string() + ": no weight file has __metadata__.qat_workbench", "write the folder again", {}, false};
    auto info = nativeFromJson(*text);
    if (!info) return std::move(info).error().at(dir.string());
    type = info->type;
    schemes = schemesToJson(info->schemes);
    skipped = std::move(info->skipped);
    for (const auto& m : info->modules) {
        const records::QuantBlock* block = blockFor(info->schemes[m.scheme], m.name);
        if (!block)
            return Error{
                "model.format", dir.string() + ": module " + m.name + " has no block in its scheme", "write the folder again", {}, false};
        auto layout = nativeLayout(*block, m.name, type, m.rows, m.cols);
        if (!layout) {
            Error error = std::move(layout).error();
            error.code = "model.format";
            return std::move(error).at(dir.string());
        }
        if (layout->packed != m.packed)
            return Error{
                "model.format", dir.string() + ": module " + m.name + " contradicts its own packing", "write the folder again", {}, false};
        layouts.emplace(m.name, std::pair(modules.size(), *layout));
        modules.push_back({m.name, *block, m.rows, m.cols, m.packed});
    }
    return {};
}

// One stored part of a quantized matrix; with dst null only dtype and shape are checked.
Status Checkpoint::State::readPart(const std::string& name, const std::string& dtype, const std::vector<int64_t>& shape, void* dst) const {
    const auto* at = weights.find(name);
    if (!at) return shapeError(name + " is missing, expected " + dtype + " " + shapeWords(shape), "write the quantized folder again");
    if (at->info->dtype != dtype || at->info->shape != shape)
        return shapeError(name + ": expected " + dtype + " " + shapeWords(shape) + ", file has " + at->info->dtype + " " +
                              shapeWords(at->info->shape),
                          "write the quantized folder again");
    return dst ? weights.files[at->file].read(*at->info, dst) : Status{};
}

// Integer zero points are stored as I8 when they fit and given back as int32.
Status Checkpoint::State::readZero(const std::string& module, const NativeLayout& layout, void* zero) const {
    const std::string name = module + kZeroSuffix;
    const auto* at = weights.find(name);
    if (layout.zeroDtype != "I32" || !at || at->info->dtype != "I8") return readPart(name, layout.zeroDtype, layout.scaleShape, zero);
    if (!zero) return readPart(name, "I8", layout.scaleShape, nullptr);
    std::vector<int8_t> small(static_cast<size_t>(layout.groups()));
    QW_CHECK(readPart(name, "I8", layout.scaleShape, small.data()));
    std::ranges::copy(small, static_cast<int32_t*>(zero));
    return {};
}

Status Checkpoint::State::readModule(const NativeModule& module, const NativeLayout& layout, int8_t* codes, void* scale, void* zero) const {
    if (codes && layout.packed) {
        std::vector<uint8_t> packed(static_cast<size_t>(layout.codesShape[0] * layout.codesShape[1]));
        QW_CHECK(readPart(module.name + kCodesSuffix, layout.codesDtype, layout.codesShape, packed.data()));
        numerics::unpackCodes(module.block.bits, layout.isSigned, module.rows, module.cols, packed.data(), codes);
    } else if (codes) {
        QW_CHECK(readPart(module.name + kCodesSuffix, layout.codesDtype, layout.codesShape, codes));
    }
    if (scale) QW_CHECK(readPart(module.name + kScaleSuffix, layout.scaleDtype, layout.scaleShape, scale));
    if (zero && !layout.zeroDtype.empty()) QW_CHECK(readZero(module.name, layout, zero));
    return {};
}

Status Checkpoint::State::dequantizeAs(const NativeModule& module, const NativeLayout& layout, records::DType as, void* dst) const {
    const int64_t count = module.rows * module.cols;
    std::vector<int8_t> codes(static_cast<size_t>(count));
    std::vector<float> scale(static_cast<size_t>(layout.groups())),
        zero(layout.zeroDtype.empty() ? 0 : scale.size()); // 4 bytes hold every dtype
    QW_CHECK(readModule(module, layout, codes.data(), scale.data(), zero.empty() ? nullptr : zero.data()));
    if (as == type) {
        numerics::dequantize(layout.grid, codes.data(), scale.data(), zero.data(), dst, serial());
        return {};
    }
    std::vector<std::byte> inType(static_cast<size_t>(count * numerics::sizeOf(type)));
    numerics::dequantize(layout.grid, codes.data(), scale.data(), zero.data(), inType.data(), serial());
    convertElements(storedName(type), inType.data(), count, as, dst);
    return {};
}

} // namespace qw::checkpoint
