// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/quantized_modules.h"

#include "checkpoint/convert.h"

namespace qw::checkpoint {

std::string shapeWords(const std::vector<int64_t>& shape) {
    std::string out = "[";
    for (size_t i = 0; i < shape.size(); ++i) out.append(i ? "," : "").append(std::to_string(shape[i]));
    return out + "]";
}

Error shapeError(const std::string& what, const std::string& hint) { return {"model.shape", what, hint, {}, false}; }

Status readPart(const WeightFiles& files, const std::string& name, const std::string& dtype, const std::vector<int64_t>& shape, void* dst) {
    const auto* at = files.find(name);
    if (!at) return shapeError(name + " is missing, expected " + dtype + " " + shapeWords(shape), "write the quantized folder again");
    if (at->info->dtype != dtype || at->info->shape != shape)
        return shapeError(name + ": expected " + dtype + " " + shapeWords(shape) + ", file has " + at->info->dtype + " " +
                              shapeWords(at->info->shape),
                          "write the quantized folder again");
    return dst ? files.files[at->file].read(*at->info, dst) : Status{};
}

const QuantizedModule* QuantizedModules::find(std::string_view name) const {
    for (const QuantizedModule& module : list)
        if (module.name == name) return &module;
    return nullptr;
}

Status QuantizedModules::dequantize(const WeightFiles& files, const QuantizedModule& module, records::DType as, void* dst) const {
    const int64_t count = module.rows * module.cols;
    std::vector<int8_t> codes(static_cast<size_t>(count));
    std::vector<float> scale(static_cast<size_t>(module.groups())),
        zero(module.grid.hasZero() ? scale.size() : 0); // 4 bytes hold any dtype
    QW_CHECK(read(files, module, codes.data(), scale.data(), zero.empty() ? nullptr : zero.data()));
    if (as == type) {
        numerics::dequantize(module.grid, codes.data(), scale.data(), zero.data(), dst, serial());
        return {};
    }
    std::vector<std::byte> inType(static_cast<size_t>(count * numerics::sizeOf(type)));
    numerics::dequantize(module.grid, codes.data(), scale.data(), zero.data(), inType.data(), serial());
    convertElements(storedName(type), inType.data(), count, as, dst);
    return {};
}

} // namespace qw::checkpoint
