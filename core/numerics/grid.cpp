// SPDX-License-Identifier: GPL-3.0-or-later
#include "numerics/fake_quant.h"

#include <cmath>
#include <limits>

namespace qw::numerics {

namespace {

using records::Format;
using records::Granularity;
using records::Mapping;
using records::QuantBlock;
using records::Role;
using records::ScaleDtype;
using records::ZeroDomain;

const char* roleWord(Role role) {
    switch (role) {
    case Role::Weight:
        return "weight";
    case Role::Activation:
        return "activation";
    case Role::Embedding:
        return "embedding";
    }
    return "";
}

Error invalid(Role role, const std::string& what, std::string hint) {
    return Error{"config.invalid", std::string("qat.") + roleWord(role) + ": " + what, std::move(hint), {}, false};
}

double smallestNormal(DType type) { return type == DType::F16 ? 0x1p-14 : 0x1p-126; }

DType scaleTypeOf(ScaleDtype scale, DType type) {
    switch (scale) {
    case ScaleDtype::Float32:
        return DType::F32;
    case ScaleDtype::BFloat16:
        return DType::BF16;
    case ScaleDtype::Float16:
        return DType::F16;
    case ScaleDtype::Input:
        return type;
    }
    return type;
}

int bitsOf(DType type) { return type == DType::F32 ? 32 : 16; }

Status checkBlock(const QuantBlock& b, Role role) {
    if (b.bits == 1) return invalid(role, "int1 rounds every value to zero", "use 2 to 8 bits");
    if (b.bits < 2 || b.bits > 8) return invalid(role, std::to_string(b.bits) + " bits are out of range", "use 2 to 8 bits");
    if (b.eps && !(std::isfinite(*b.eps) && *b.eps > 0))
        return invalid(role, "eps must be a positive number", "leave eps out to get the family's own");
    if (b.reduceRange && b.format != Format::Int8)
        return invalid(role, "reduce_range belongs to format int8", "set format: int8 or drop reduce_range");
    if (role == Role::Activation ? b.granularity == Granularity::PerChannel : b.granularity == Granularity::PerToken)
        return invalid(role, role == Role::Activation ? "per_channel has no meaning for activations" : "per_token belongs to activations",
                       role == Role::Activation ? "use per_token" : "use per_channel or per_group");
    if (b.granularity == Granularity::PerGroup && b.groupSize < 2)
        return invalid(role, "group_size " + std::to_string(b.groupSize) + " is too small", "use 2 or more, e.g. 32");
    if (b.format == Format::Int4Zp) {
        if (role == Role::Activation) return invalid(role, "format int4_zp quantizes weights only", "use format: intx for activations");
        if (b.bits != 4) return invalid(role, "format int4_zp has 4 bits", "use dtype: int4");
        return {};
    }
    if (b.format == Format::Int8 && (b.bits != 8 || !b.isSigned || b.zeroDomain == ZeroDomain::Float))
        return invalid(role, "format int8 is signed, 8 bits wide and has an integer zero point", "use dtype: int8, or format: intx");
    if (b.zeroDomain == ZeroDomain::Float) {
        if (role == Role::Activation) return invalid(role, "zero_point_domain float is for weights", "use zero_point_domain: int");
        if (b.mapping != Mapping::Asymmetric || b.isSigned)
            return invalid(role, "zero_point_domain float needs mapping asymmetric and an unsigned dtype",
                           "use mapping: asymmetric, dtype: uint4");
        return {};
    }
    if (b.mapping != Mapping::Asymmetric && !b.isSigned)
        return invalid(role, "an unsigned dtype with a symmetric mapping would lose all negative values",
                       "use int" + std::to_string(b.bits) + " or mapping: asymmetric");
    if (b.mapping == Mapping::Asymmetric && b.zeroDomain == ZeroDomain::None)
        return invalid(role, "an asymmetric mapping needs a zero point", "use zero_point_domain: int or float");
    return {};
}

Status setGroup(Grid& grid, const QuantBlock& b, Role role) {
    if (b.granularity == Granularity::PerTensor) {
        // One scale for all: the matrix lies in memory as one long row, so that row is the group.
        grid.cols = grid.rows * grid.cols;
        grid.rows = grid.cols > 0 ? 1 : 0;
        grid.group = grid.cols;
    } else if (b.granularity == Granularity::PerGroup) {
        if (grid.cols % b.groupSize != 0) {
            int64_t fits = b.groupSize < grid.cols ? b.groupSize : grid.cols;
            while (fits > 1 && grid.cols % fits != 0) --fits;
            return Error{"config.conflict",
                         std::string("qat.") + roleWord(role) + ": group_size " + std::to_string(b.groupSize) + " does not divide " +
                             std::to_string(grid.cols) + " columns",
                         fits > 1 ? "use group_size: " + std::to_string(fits) + ", or granularity: per_channel"
                                  : "use granularity: per_channel",
                         {},
                         false};
        }
        grid.group = b.groupSize;
    } else {
        grid.group = grid.cols;
    }
    if (role != Role::Activation && grid.group < 2) return invalid(role, "a matrix with one column has no groups", "exclude it");
    return {};
}

} // namespace

Result<Grid> resolveGrid(const QuantBlock& block, Role role, DType type, int64_t rows, int64_t cols) {
    QW_CHECK(checkBlock(block, role));
    Grid grid;
    grid.bits = block.bits;
    grid.qmin = block.isSigned ? -(1 << (block.bits - 1)) : 0;
    grid.qmax = grid.qmin + (1 << block.bits) - 1;
    grid.type = type;
    grid.scaleType = scaleTypeOf(block.scaleDtype, type);
    grid.rows = rows;
    grid.cols = cols;
    QW_CHECK(setGroup(grid, block, role));
    if (block.format == Format::Int4Zp) {
        grid.family = Family::Int4Zp;
        grid.qmin = -8;
        grid.qmax = 7;
        grid.scaleType = DType::F32;
        grid.eps = 1e-6;
    } else if (block.zeroDomain == ZeroDomain::Float) {
        grid.family = Family::Tinygemm;
        grid.eps = 1e-6;
    } else if (block.mapping == Mapping::Asymmetric) {
        grid.family = Family::IntAsymmetric;
        grid.eps = role == Role::Activation ? smallestNormal(type) : 1e-6;
    } else {
        grid.family = Family::IntSymmetric;
        grid.noClip = block.mapping == Mapping::SymmetricNoClip;
        grid.eps = smallestNormal(type);
    }
    if (block.format == Format::Int8) {
        grid.scaleType = DType::F32;
        grid.eps = 0x1p-23;
        if (block.reduceRange) grid.qmin = -64, grid.qmax = 63;
    }
    if (block.eps) grid.eps = *block.eps;
    return grid;
}

double bitsPerWeight(const Grid& grid) {
    if (grid.group == 0) return grid.bits;
    int perGroup = bitsOf(grid.scaleType);
    if (grid.family == Family::IntAsymmetric)
        perGroup += grid.bits;
    else if (grid.hasZero())
        perGroup += bitsOf(grid.scaleType);
    return grid.bits + static_cast<double>(perGroup) / static_cast<double>(grid.group);
}

Stats& Stats::operator+=(const Stats& part) {
    sumSquares += part.sumSquares;
    sumSquaredError += part.sumSquaredError;
    clipped += part.clipped;
    underflow += part.underflow;
    nonfinite += part.nonfinite;
    count += part.count;
    return *this;
}

double Stats::sqnrDb() const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (sumSquaredError == 0) return kInfinity;
    if (sumSquares == 0) return -kInfinity;
    return 10.0 * std::log10(sumSquares / sumSquaredError);
}

} // namespace qw::numerics
