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

RowRange QuantizedModule::groupsOf(RowRange some) const {
    if (oneScale()) return {0, 1};
    return {some.first * grid.groupsPerRow(), some.count * grid.groupsPerRow()};
}

numerics::Grid QuantizedModule::gridOf(RowRange some) const {
    numerics::Grid out = grid;
    if (oneScale())
        out.cols = out.group = some.count * cols;
    else
        out.rows = some.count;
    return out;
}

Status readPart(const WeightFiles& files, const std::string& name, const std::string& dtype, const std::vector<int64_t>& shape, void* dst) {
    return readPart(files, name, dtype, shape, {0, shape.front()}, dst);
}

Status readPart(const WeightFiles& files, const std::string& name, const std::string& dtype, const std::vector<int64_t>& shape,
                RowRange rows, void* dst) {
    const auto* at = files.find(name);
    if (!at) return shapeError(name + " is missing, expected " + dtype + " " + shapeWords(shape), "write the quantized folder again");
    if (at->info->dtype != dtype || at->info->shape != shape)
        return shapeError(name + ": expected " + dtype + " " + shapeWords(shape) + ", file has " + at->info->dtype + " " +
                              shapeWords(at->info->shape),
                          "write the quantized folder again");
    if (!dst) return {};
    const uint64_t row = at->info->bytes() / static_cast<uint64_t>(shape.front());
    return files.files[at->file].read(*at->info, dst, static_cast<uint64_t>(rows.first) * row, static_cast<uint64_t>(rows.count) * row);
}

const QuantizedModule* QuantizedModules::find(std::string_view name) const {
    for (const QuantizedModule& module : list)
        if (module.name == name) return &module;
    return nullptr;
}

Status QuantizedModules::dequantize(const WeightFiles& files, const QuantizedModule& module, RowRange rows, records::DType as,
                                    void* dst) const {
    const int64_t count = rows.count * module.cols;
    const numerics::Grid grid = module.gridOf(rows);
    std::vector<int8_t> codes(static_cast<size_t>(count));
    std::vector<float> scale(static_cast<size_t>(module.groupsOf(rows).count)),
        zero(grid.hasZero() ? scale.size() : 0); // 4 bytes hold any dtype
    QW_CHECK(read(files, module, rows, codes.data(), scale.data(), zero.empty() ? nullptr : zero.data()));
    if (as == type) {
        numerics::dequantize(grid, codes.data(), scale.data(), zero.data(), dst, serial());
        return {};
    }
    std::vector<std::byte> inType(static_cast<size_t>(count * numerics::sizeOf(type)));
    numerics::dequantize(grid, codes.data(), scale.data(), zero.data(), inType.data(), serial());
    convertElements(storedName(type), inType.data(), count, as, dst);
    return {};
}

} // namespace qw::checkpoint
