// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/native.h"
#include "checkpoint/quantized_modules.h"
#include "numerics/bitpack.h"

#include <algorithm>

namespace qw::checkpoint {
namespace {

class NativeModules : public QuantizedModules {
public:
    std::map<std::string, NativeLayout> layouts;

    [[nodiscard]] Status check(const WeightFiles& files, const QuantizedModule& module) const override {
        const NativeLayout& layout = layouts.at(module.name);
        QW_CHECK(readPart(files, module.name + kCodesSuffix, layout.codesDtype, layout.codesShape, nullptr));
        QW_CHECK(readPart(files, module.name + kScaleSuffix, layout.scaleDtype, layout.scaleShape, nullptr));
        return layout.zeroDtype.empty() ? Status{} : readZero(files, module, layout, {}, nullptr);
    }

    [[nodiscard]] Status read(const WeightFiles& files, const QuantizedModule& module, RowRange rows, int8_t* codes, void* scale,
                              void* zero) const override {
        const NativeLayout& layout = layouts.at(module.name);
        if (codes && layout.packed) {
            std::vector<uint8_t> packed(static_cast<size_t>(rows.count * layout.codesShape[1]));
            QW_CHECK(readPart(files, module.name + kCodesSuffix, layout.codesDtype, layout.codesShape, rows, packed.data()));
            numerics::unpackCodes(module.block.bits, layout.isSigned, rows.count, module.cols, packed.data(), codes);
        } else if (codes) {
            QW_CHECK(readPart(files, module.name + kCodesSuffix, layout.codesDtype, layout.codesShape, rows, codes));
        }
        const RowRange params = module.oneScale() ? RowRange{0, 1} : rows;
        if (scale) QW_CHECK(readPart(files, module.name + kScaleSuffix, layout.scaleDtype, layout.scaleShape, params, scale));
        if (zero && !layout.zeroDtype.empty()) QW_CHECK(readZero(files, module, layout, params, zero));
        return {};
    }

    [[nodiscard]] std::vector<std::string> parts(const QuantizedModule& module) const override {
        return {module.name + kCodesSuffix, module.name + kScaleSuffix, module.name + kZeroSuffix};
    }

private:
    // Integer zero points are stored as I8 when they fit and given back as int32.
    static Status readZero(const WeightFiles& files, const QuantizedModule& module, const NativeLayout& layout, RowRange rows, void* zero) {
        const std::string name = module.name + kZeroSuffix;
        const auto* at = files.find(name);
        if (layout.zeroDtype != "I32" || !at || at->info->dtype != "I8")
            return readPart(files, name, layout.zeroDtype, layout.scaleShape, rows, zero);
        if (!zero) return readPart(files, name, "I8", layout.scaleShape, nullptr);
        std::vector<int8_t> small(static_cast<size_t>(rows.count * (layout.groups() / layout.scaleShape.front())));
        QW_CHECK(readPart(files, name, "I8", layout.scaleShape, rows, small.data()));
        std::ranges::copy(small, static_cast<int32_t*>(zero));
        return {};
    }
};

Error again(const std::string& what) { return {"model.format", what, "write the folder again", {}, false}; }

} // namespace

Result<std::unique_ptr<QuantizedModules>> openNativeModules(const WeightFiles& files) {
    const std::string* text = nullptr;
    for (const TensorFile& file : files.files)
        if (const auto at = file.metadata().find(kNativeKey); at != file.metadata().end()) text = &at->second;
    if (!text) return again("no weight file has __metadata__.qat_workbench");
    QW_TRY(auto info, nativeFromJson(*text));
    auto out = std::make_unique<NativeModules>();
    out->type = info.type;
    out->skipped = std::move(info.skipped);
    for (const auto& m : info.modules) {
        const records::QuantBlock* block = blockFor(info.schemes[m.scheme], m.name);
        if (!block) return again("module " + m.name + " has no block in its scheme");
        auto layout = nativeLayout(*block, m.name, info.type, m.rows, m.cols);
        if (!layout) {
            Error error = std::move(layout).error();
            error.code = "model.format";
            return error;
        }
        if (layout->packed != m.packed) return again("module " + m.name + " contradicts its own packing");
        out->layouts.emplace(m.name, *layout);
        out->list.push_back({m.name, *block, m.rows, m.cols, layout->grid});
    }
    out->schemes = std::move(info.schemes);
    return std::unique_ptr<QuantizedModules>(std::move(out));
}

} // namespace qw::checkpoint
