// SPDX-License-Identifier: GPL-3.0-or-later
#include "formats/native_tensors.h"

#include "formats/tensors.h"
#include "numerics/bitpack.h"

#include <algorithm>
#include <cstring>

namespace qw::formats {
namespace {

using checkpoint::NativeLayout;
using checkpoint::RowRange;

RowRange all(const NativeLayout& layout) { return {0, layout.codesShape[0]}; }

Result<Bytes> codeBytes(const NativeLayout& layout, RowRange rows, const ModuleRead& read) {
    const int64_t cols = layout.grid.rows * layout.grid.cols / layout.codesShape[0];
    std::vector<int8_t> codes(static_cast<size_t>(rows.count * cols));
    QW_CHECK(read(rows, codes.data(), nullptr, nullptr));
    Bytes out(static_cast<size_t>(rows.count * layout.codesShape[1]));
    if (layout.packed)
        numerics::packCodes(layout.grid.bits, rows.count, cols, codes.data(), out.data());
    else
        std::memcpy(out.data(), codes.data(), out.size());
    return out;
}

Result<std::vector<int32_t>> integerZeros(const NativeLayout& layout, const ModuleRead& read) {
    std::vector<int32_t> zero(static_cast<size_t>(layout.groups()));
    QW_CHECK(read(all(layout), nullptr, nullptr, zero.data()));
    return zero;
}

Status addZeros(std::vector<checkpoint::TensorSource>& out, const std::string& name, const NativeLayout& layout, const ModuleRead& read) {
    if (layout.zeroDtype != "I32") {
        out.push_back(madeTensor(name, layout.zeroDtype, layout.scaleShape, [layout, read]() -> Result<Bytes> {
            Bytes bytes(static_cast<size_t>(layout.groups() * *checkpoint::dtypeBits(layout.zeroDtype) / 8));
            QW_CHECK(read(all(layout), nullptr, nullptr, bytes.data()));
            return bytes;
        }));
        return {};
    }
    QW_TRY(const auto zeros, integerZeros(layout, read));
    const bool fits = std::ranges::all_of(zeros, [](int32_t z) { return z >= -128 && z <= 127; });
    out.push_back(madeTensor(name, fits ? "I8" : "I32", layout.scaleShape, [layout, read, fits]() -> Result<Bytes> {
        QW_TRY(const auto values, integerZeros(layout, read));
        Bytes bytes(values.size() * (fits ? 1 : sizeof(int32_t)));
        if (fits)
            std::ranges::transform(values, bytes.begin(), [](int32_t z) { return static_cast<uint8_t>(z); });
        else
            std::memcpy(bytes.data(), values.data(), bytes.size());
        return bytes;
    }));
    return {};
}

} // namespace

Status addNativeModule(std::vector<checkpoint::TensorSource>& out, const std::string& module, const NativeLayout& layout,
                       const ModuleRead& read) {
    out.push_back(madeRows(module + checkpoint::kCodesSuffix, layout.codesDtype, layout.codesShape,
                           [layout, read](RowRange rows) { return codeBytes(layout, rows, read); }));
    out.push_back(madeTensor(module + checkpoint::kScaleSuffix, layout.scaleDtype, layout.scaleShape, [layout, read]() -> Result<Bytes> {
        Bytes bytes(static_cast<size_t>(layout.groups() * numerics::sizeOf(layout.grid.scaleType)));
        QW_CHECK(read(all(layout), nullptr, bytes.data(), nullptr));
        return bytes;
    }));
    return layout.zeroDtype.empty() ? Status{} : addZeros(out, module + checkpoint::kZeroSuffix, layout, read);
}

} // namespace qw::formats
