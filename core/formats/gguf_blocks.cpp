// SPDX-License-Identifier: GPL-3.0-or-later
#include "formats/gguf_blocks.h"

#include "checkpoint/convert.h"
#include "numerics/half.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace qw::formats {
namespace {

using checkpoint::Checkpoint;
using checkpoint::QuantizedModule;
using checkpoint::RowRange;
using numerics::Family;
using numerics::Grid;
using records::DType;

constexpr int64_t kBlock = 32;
constexpr double kInfinite = 65520; // from here on fp16 rounds to infinity

// A module's stored numbers, and both kinds of qparams widened to fp32; widening is exact. zero is empty when the family has none.
struct Stored {
    std::vector<int8_t> codes;
    std::vector<float> rawScale, rawZero; // 4 bytes a group hold any dtype, packed from the front
    std::vector<float> scale, zero;
};

Result<Stored> load(const Checkpoint& source, const QuantizedModule& m, RowRange rows, bool codes) {
    Stored out;
    const int64_t count = m.groupsOf(rows).count;
    const auto groups = static_cast<size_t>(count);
    out.codes.resize(codes ? static_cast<size_t>(rows.count * m.cols) : 0);
    out.rawScale.resize(groups);
    out.rawZero.resize(m.grid.hasZero() ? groups : 0);
    out.scale.resize(groups);
    out.zero.resize(out.rawZero.size());
    QW_CHECK(source.readCodes(m, rows, codes ? out.codes.data() : nullptr, out.rawScale.data(),
                              out.rawZero.empty() ? nullptr : out.rawZero.data()));
    const char* const stored = checkpoint::storedName(m.grid.scaleType);
    checkpoint::convertElements(stored, out.rawScale.data(), count, DType::F32, out.scale.data());
    if (m.grid.family == Family::IntAsymmetric)
        for (size_t i = 0; i < groups; ++i) out.zero[i] = static_cast<float>(std::bit_cast<int32_t>(out.rawZero[i]));
    else if (m.grid.hasZero())
        checkpoint::convertElements(m.grid.family == Family::Int4Zp ? "F32" : stored, out.rawZero.data(), count, DType::F32,
                                    out.zero.data());
    return out;
}

// value = d * n + m in the file, n counted from 0 where the type has an offset.
struct Pair {
    uint16_t d = 0, m = 0;
};

double offsetOf(const Grid& grid, double scale, double zero) {
    switch (grid.family) {
    case Family::IntSymmetric:
        return 0;
    case Family::IntAsymmetric:
        return -(zero - grid.qmin) * scale;
    case Family::Tinygemm:
        return zero - (grid.qmax + 1) / 2 * scale;
    case Family::Int4Zp:
        return zero - 8 * scale;
    }
    return 0;
}

Pair pairOf(const Grid& grid, float scale, float zero) {
    return {numerics::floatToF16(scale), numerics::floatToF16(static_cast<float>(offsetOf(grid, scale, zero)))};
}

// Every value of the group is zero: then d = m = 0 says so, whatever the scale.
bool allZero(const Grid& grid, const int8_t* codes, float zero) {
    if (grid.family == Family::Tinygemm || grid.family == Family::Int4Zp) return false;
    const auto nothing = static_cast<int8_t>(grid.hasZero() ? zero : 0.0f);
    return std::all_of(codes, codes + grid.group, [&](int8_t code) { return code == nothing; });
}

// The 16 values of a group with a zero point, as trained (in T) and as the file gives them, for every code: largest difference in steps.
class Values {
public:
    Values(const Grid& grid, int64_t codes) : m_grid(grid), m_count(codes) {
        m_grid.rows = 1;
        m_grid.cols = m_grid.group = codes;
        for (int64_t n = 0; n < codes; ++n) m_codes.push_back(static_cast<int8_t>(grid.qmin + n));
        m_bytes.resize(static_cast<size_t>(codes * numerics::sizeOf(grid.type)));
        m_trained.resize(static_cast<size_t>(codes));
    }
    double error(const void* scale, const void* zero, double step, Pair pair) {
        numerics::dequantize(m_grid, m_codes.data(), scale, zero, m_bytes.data(), serial());
        checkpoint::convertElements(checkpoint::storedName(m_grid.type), m_bytes.data(), m_count, DType::F32, m_trained.data());
        const float d = numerics::f16ToFloat(pair.d), m = numerics::f16ToFloat(pair.m);
        double worst = 0;
        for (int64_t n = 0; n < m_count; ++n) {
            const float product = d * static_cast<float>(n);
            const float read = numerics::roundTo(m_grid.type, product + m);
            worst = std::max(worst, std::abs(static_cast<double>(read) - static_cast<double>(m_trained[static_cast<size_t>(n)])) / step);
        }
        return worst;
    }

private:
    Grid m_grid;
    int64_t m_count;
    std::vector<int8_t> m_codes;
    std::vector<std::byte> m_bytes;
    std::vector<float> m_trained;
};

} // namespace

BlockChoice chooseBlocks(const QuantizedModule& m) {
    const bool symmetric = m.grid.family == Family::IntSymmetric;
    if (!symmetric && m.grid.bits > 4)
        return {std::nullopt, m.name + " has " + std::to_string(m.grid.bits) + "-bit codes with zero points, GGUF has them for 4 bits"};
    if (m.cols % kBlock != 0 || m.grid.group % kBlock != 0) return {};
    return {symmetric ? m.grid.bits > 4 ? GgufType::Q8_0 : GgufType::Q4_0 : GgufType::Q4_1, {}};
}

namespace {

// Adds some rows to the verdict over a module.
Status judgeRows(const Checkpoint& source, const QuantizedModule& m, RowRange rows, GgufType type, BlockVerdict& out) {
    QW_TRY(Stored stored, load(source, m, rows, false));
    const auto scaleBytes = numerics::sizeOf(m.grid.scaleType);
    const int64_t zeroBytes = m.grid.family == Family::Tinygemm ? scaleBytes : 4;
    Values values(m.grid, int64_t{1} << m.grid.bits);
    for (int64_t g = 0; g < m.groupsOf(rows).count; ++g) {
        const auto i = static_cast<size_t>(g);
        const float s = stored.scale[i], z = stored.zero.empty() ? 0 : stored.zero[i];
        const Pair pair = pairOf(m.grid, s, z);
        const double largest = std::max(std::abs(static_cast<double>(s)), std::abs(offsetOf(m.grid, s, z)));
        const bool fits = largest < kInfinite;
        double worst = 0;
        if (fits && type == GgufType::Q4_1)
            worst = values.error(reinterpret_cast<const char*>(stored.rawScale.data()) + g * scaleBytes,
                                 reinterpret_cast<const char*>(stored.rawZero.data()) + g * zeroBytes, std::abs(s), pair);
        else if (fits)
            worst = std::abs(static_cast<double>(numerics::f16ToFloat(pair.d)) / static_cast<double>(s) - 1) * -m.grid.qmin;
        if (fits && !(worst > 0)) continue;
        if (stored.codes.empty()) { // most files need no look at their codes
            stored.codes.resize(static_cast<size_t>(rows.count * m.cols));
            QW_CHECK(source.readCodes(m, rows, stored.codes.data(), nullptr, nullptr));
        }
        if (allZero(m.grid, stored.codes.data() + g * m.grid.group, z)) continue;
        if (!fits) out.tooLarge = std::max(out.tooLarge, std::isnan(largest) ? HUGE_VAL : largest);
        ++out.inexact;
        out.worst = std::max(out.worst, worst);
    }
    return {};
}

} // namespace

Result<BlockVerdict> judgeBlocks(const Checkpoint& source, const QuantizedModule& m, GgufType type) {
    BlockVerdict out;
    out.groups = m.groups();
    if (m.oneScale()) { // one group: it is looked at as a whole
        QW_CHECK(judgeRows(source, m, m.all(), type, out));
        return out;
    }
    QW_CHECK(checkpoint::forRowBlocks(m.rows, m.cols, [&](RowRange rows) { return judgeRows(source, m, rows, type, out); }));
    return out;
}

RowRange sourceRows(const std::vector<int64_t>& rowOf, RowRange rows) {
    if (rowOf.empty()) return rows;
    const auto [least, most] = std::minmax_element(rowOf.begin() + rows.first, rowOf.begin() + rows.first + rows.count);
    return {*least, *most - *least + 1};
}

void packQ4(const uint8_t* n, uint8_t* out16) {
    for (int j = 0; j < 16; ++j) out16[j] = static_cast<uint8_t>(n[j] | n[j + 16] << 4);
}

namespace {

// Rows of the file as bytes; stored holds the source's rows from `from` on.
void packRows(const QuantizedModule& m, GgufType type, const std::vector<int64_t>& rowOf, RowRange rows, RowRange from,
              const Stored& stored, std::vector<uint8_t>& bytes) {
    const Grid grid = m.gridOf(from);
    std::vector<Pair> pairs(stored.scale.size());
    for (size_t g = 0; g < pairs.size(); ++g) {
        const float zero = stored.zero.empty() ? 0 : stored.zero[g];
        if (!allZero(grid, stored.codes.data() + static_cast<int64_t>(g) * grid.group, zero))
            pairs[g] = pairOf(grid, stored.scale[g], zero);
    }
    const auto lowest = static_cast<uint8_t>(type == GgufType::Q4_0 ? -8 : grid.qmin);
    const uint64_t head = type == GgufType::Q4_1 ? 4 : 2, block = rowBytes(type, kBlock);
    bytes.resize(static_cast<size_t>(rowBytes(type, m.cols)) * static_cast<size_t>(rows.count));
    uint8_t* out = bytes.data();
    for (int64_t r = rows.first; r < rows.first + rows.count; ++r) {
        const int64_t first = ((rowOf.empty() ? r : rowOf[static_cast<size_t>(r)]) - from.first) * m.cols;
        for (int64_t c = 0; c < m.cols; c += kBlock, out += block) {
            const Pair& pair = pairs[static_cast<size_t>((first + c) / grid.group)];
            std::memcpy(out, &pair.d, 2);
            if (head == 4) std::memcpy(out + 2, &pair.m, 2);
            const int8_t* q = stored.codes.data() + first + c;
            if (type == GgufType::Q8_0) {
                std::memcpy(out + 2, q, kBlock);
                continue;
            }
            uint8_t n[kBlock];
            for (int j = 0; j < kBlock; ++j) n[j] = static_cast<uint8_t>((static_cast<uint8_t>(q[j]) - lowest) & 15);
            packQ4(n, out + head);
        }
    }
}

} // namespace

// A matrix of one scale whose codes are all zero in a block of rows gets d = 0 there: the values are the same.
Status writeBlocks(const Checkpoint& source, const QuantizedModule& m, GgufType type, const std::vector<int64_t>& rowOf,
                   const GgufSink& sink) {
    std::vector<uint8_t> bytes;
    return checkpoint::forRowBlocks(m.rows, m.cols, [&](RowRange rows) -> Status {
        const RowRange from = sourceRows(rowOf, rows);
        QW_TRY(const Stored stored, load(source, m, from, true));
        packRows(m, type, rowOf, rows, from, stored, bytes);
        return sink(bytes.data(), bytes.size());
    });
}

} // namespace qw::formats
