// SPDX-License-Identifier: GPL-3.0-or-later
// What: every fused kernel against the scalar reference, bit for bit, on the edge values of performance.md 11; masks, bit packing, halves.
#include "numerics/bitpack.h"
#include "numerics/formulas.h"
#include "numerics/kernels.h"
#include "test_data.h"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>

using namespace qw;
using namespace qw::numerics;

namespace {

struct All {
    std::vector<char> y, scale, zero;
    std::vector<int8_t> codes;
    std::vector<uint64_t> mask;
    Stats stats;
    explicit All(const Grid& g)
        : y(static_cast<size_t>(g.rows * g.cols * sizeOf(g.type))),
          scale(static_cast<size_t>(g.rows * g.groupsPerRow() * 4)),
          zero(scale.size()),
          codes(static_cast<size_t>(g.rows * g.cols)),
          mask(static_cast<size_t>(g.rows * ((g.cols + 63) / 64)), ~uint64_t{0}) {}
    Outputs outputs() { return {y.data(), codes.data(), scale.data(), zero.data(), mask.data(), &stats}; }
};

// Equal bits; any NaN equals any NaN.
bool same(DType type, const std::vector<char>& a, const std::vector<char>& b) {
    for (int64_t i = 0; i < static_cast<int64_t>(a.size()) / sizeOf(type); ++i) {
        const float x = loadAs(type, a.data(), i), y = loadAs(type, b.data(), i);
        if (std::isnan(x) && std::isnan(y)) continue;
        if (std::bit_cast<uint32_t>(x) != std::bit_cast<uint32_t>(y)) return false;
    }
    return true;
}

Grid gridOf(int kind, DType type, DType scale, int64_t group, int64_t rows, int64_t cols) {
    Grid g;
    g.type = type;
    g.scaleType = scale;
    g.rows = rows;
    g.cols = cols;
    g.group = group;
    g.eps = type == DType::F16 ? 0x1p-14 : 0x1p-126;
    const auto range = [&](int bits, int low) { g.bits = bits, g.qmin = low, g.qmax = low + (1 << bits) - 1; };
    switch (kind) {
    case 0:
        range(4, -8);
        break;
    case 1:
        range(2, -2);
        break;
    case 2:
        range(8, -128), g.eps = 0x1p-23;
        break;
    case 3:
        range(4, -8), g.noClip = true;
        break;
    case 4:
        g.family = Family::IntAsymmetric, range(8, -128);
        break;
    case 5:
        g.family = Family::IntAsymmetric, range(4, 0), g.eps = 1e-6;
        break;
    case 6:
        g.family = Family::Tinygemm, range(4, 0), g.eps = 1e-6;
        break;
    case 7:
        g.family = Family::Tinygemm, range(8, 0), g.eps = 1e-6;
        break;
    default:
        g.family = Family::Int4Zp, range(4, -8), g.eps = 1e-6, g.scaleType = DType::F32;
        break;
    }
    return g;
}
constexpr int kKinds = 9;
const char* kindName(int kind) {
    static const char* names[]{"2.1 int4", "2.1 int2", "2.7 int8", "2.1 no clip", "2.2 int8", "2.3 uint4", "2.4 uint4", "2.4 uint8", "2.5"};
    return names[kind];
}

// Rows: random, zeros, subnormals, ±inf and NaN, an outlier, ties, equal values, negative only, huge, tiny scale next to zero.
std::vector<float> edgeRow(int row, int64_t cols, std::mt19937& random) {
    std::vector<float> x(static_cast<size_t>(cols));
    for (int64_t i = 0; i < cols; ++i) {
        const float noise = (static_cast<float>(random() >> 8) / 8388608.0f) - 1.0f; // [-1, 1)
        float v = noise * 0.05f;
        switch (row) {
        case 1:
            v = i % 2 ? 0.0f : -0.0f;
            break;
        case 2:
            v = noise * 0x1p-130f;
            break;
        case 3:
            v = i == 5 ? std::numeric_limits<float>::infinity() : v;
            break;
        case 4:
            v = i == 3 ? -std::numeric_limits<float>::infinity() : v;
            break;
        case 5:
            v = i == 7 ? std::numeric_limits<float>::quiet_NaN() : v;
            break;
        case 6:
            v = i == cols - 1 ? 1000.0f : v;
            break;
        case 7:
            v = static_cast<float>(static_cast<int>(random() % 31) - 15) * 0.125f;
            break;
        case 8:
            v = 0.7f;
            break;
        case 9:
            v = -std::abs(noise);
            break;
        case 10:
            v = noise * 3e38f;
            break;
        case 11:
            v = 1000.0f + noise * 0x1p-10f;
            break;
        case 12:
            v = i % 3 ? 0.0f : noise * 0x1p-126f;
            break;
        case 13:
            v = i == 0 ? -std::numeric_limits<float>::quiet_NaN() : -v;
            break;
        case 14:
            v = std::abs(noise) + 0.5f;
            break;
        default:
            break;
        }
        x[static_cast<size_t>(i)] = v;
    }
    return x;
}
constexpr int kRows = 16;

} // namespace

class KernelsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void fusedEqualsReference_data() {
        QTest::addColumn<int>("isa");
        QTest::addColumn<int>("kind");
        for (const Isa isa : {Isa::Avx2, Isa::Avx512, Isa::Avx512Bf16})
            for (int kind = 0; kind < kKinds; ++kind)
                if (isaAvailable(isa)) QTest::addRow("isa %d, %s", int(isa), kindName(kind)) << int(isa) << kind;
    }
    void fusedEqualsReference() {
        QFETCH(int, isa);
        QFETCH(int, kind);
        for (const DType type : {DType::F32, DType::BF16, DType::F16})
            for (const DType scale : {DType::F32, DType::BF16, DType::F16})
                for (const auto& [group, cols] : std::vector<std::pair<int64_t, int64_t>>{{32, 96},
                                                                                          {32, 1056},
                                                                                          {64, 2048},
                                                                                          {64, 128},
                                                                                          {128, 256},
                                                                                          {256, 256},
                                                                                          {12, 60},
                                                                                          {17, 51},
                                                                                          {80, 80},
                                                                                          {333, 333},
                                                                                          {7000, 7000}}) {
                    const Grid grid = gridOf(kind, type, scale, group, kRows, cols);
                    std::mt19937 random(7);
                    std::vector<char> x(static_cast<size_t>(grid.rows * cols * sizeOf(type)));
                    for (int r = 0; r < kRows; ++r) {
                        const auto row = edgeRow(r, cols, random);
                        for (int64_t c = 0; c < cols; ++c) storeAs(type, x.data(), r * cols + c, row[static_cast<size_t>(c)]);
                    }
                    All expected(grid), got(grid), onlyY(grid);
                    fakeQuantizeReference(grid, x.data(), expected.outputs());
                    fakeQuantizeWith(static_cast<Isa>(isa), grid, x.data(), got.outputs(), serial());
                    fakeQuantizeWith(static_cast<Isa>(isa), grid, x.data(), Outputs{onlyY.y.data()}, serial());
                    const std::string where =
                        "T " + std::to_string(int(type)) + " S " + std::to_string(int(grid.scaleType)) + " g " + std::to_string(group);
                    QVERIFY2(same(type, expected.y, got.y), ("y " + where).c_str());
                    QVERIFY2(same(type, expected.y, onlyY.y), ("only y " + where).c_str());
                    QVERIFY2(same(grid.scaleType, expected.scale, got.scale), ("scale " + where).c_str());
                    if (grid.family == Family::IntAsymmetric)
                        QVERIFY2(expected.zero == got.zero, ("zero " + where).c_str());
                    else
                        QVERIFY2(same(grid.scaleType, expected.zero, got.zero), ("zero " + where).c_str());
                    QVERIFY2(expected.codes == got.codes, ("codes " + where).c_str());
                    QVERIFY2(expected.mask == got.mask, ("mask " + where).c_str());
                    QCOMPARE(got.stats.clipped, expected.stats.clipped);
                    QCOMPARE(got.stats.underflow, expected.stats.underflow);
                    QCOMPARE(got.stats.count, grid.rows * cols);
                    std::vector<char> back(expected.y.size());
                    dequantize(grid, got.codes.data(), got.scale.data(), got.zero.data(), back.data(), serial());
                    QVERIFY2(rowsEqualWhereFinite(grid, x, back, expected.y), ("dequantize " + where).c_str());
                }
    }
    // Large results are written past the caches; 17 groups a row leave one outside the batch of 16.
    void streamedRowsAreTheSame() {
        for (const DType type : {DType::F32, DType::BF16})
            for (const Isa isa : {Isa::Avx2, Isa::Avx512, Isa::Avx512Bf16}) {
                if (!isaAvailable(isa)) continue;
                const int64_t cols = 17 * 32;
                const Grid grid = gridOf(0, type, DType::F32, 32, 1, cols);
                const std::unique_ptr<char, decltype(&std::free)> y(static_cast<char*>(std::aligned_alloc(64, 4096)), &std::free);
                std::mt19937 random(11);
                for (int r = 0; r < kRows; ++r) {
                    const auto values = edgeRow(r, cols, random);
                    std::vector<char> x(static_cast<size_t>(cols * sizeOf(type)));
                    for (int64_t c = 0; c < cols; ++c) storeAs(type, x.data(), c, values[static_cast<size_t>(c)]);
                    All expected(grid);
                    fakeQuantizeReference(grid, x.data(), expected.outputs());
                    Row row;
                    row.x = x.data();
                    row.y = y.get();
                    row.stream = true;
                    rowKernel(isa, grid, true)(grid, row);
                    QVERIFY(same(type, expected.y, std::vector<char>(y.get(), y.get() + x.size())));
                }
            }
    }
    void inPlaceWithStatistics() {
        const Grid grid = gridOf(0, DType::BF16, DType::F32, 32, 4, 64);
        std::mt19937 random(3);
        std::vector<char> x(4 * 64 * 2);
        for (int64_t i = 0; i < 4 * 64; ++i) storeAs(DType::BF16, x.data(), i, edgeRow(0, 1, random)[0]);
        All expected(grid);
        fakeQuantize(grid, x.data(), expected.outputs(), serial());
        Stats stats;
        Outputs inPlace;
        inPlace.y = x.data();
        inPlace.stats = &stats;
        fakeQuantize(grid, x.data(), inPlace, serial());
        QVERIFY(x == expected.y);
        QCOMPARE(stats.sumSquaredError, expected.stats.sumSquaredError);
        QVERIFY(stats.sumSquaredError > 0);
    }
    void resultsDoNotDependOnTheSplit() {
        const Grid grid = gridOf(4, DType::F32, DType::F32, 96, kRows, 96);
        std::mt19937 random(5);
        std::vector<float> x;
        for (int r = 0; r < kRows; ++r) {
            const auto row = edgeRow(0, 96, random);
            x.insert(x.end(), row.begin(), row.end());
        }
        const ParallelFor pieces = [](int64_t count, int64_t, const std::function<void(int64_t, int64_t)>& body) {
            for (int64_t i = count; i-- > 0;) body(i, i + 1);
        };
        All whole(grid), split(grid);
        fakeQuantize(grid, x.data(), whole.outputs(), serial());
        fakeQuantize(grid, x.data(), split.outputs(), pieces);
        QVERIFY(whole.y == split.y);
        QCOMPARE(whole.stats.sumSquaredError, split.stats.sumSquaredError);
    }
    void maskClearsGradients() {
        std::vector<float> g(2 * 70, 1.0f);
        std::vector<uint64_t> mask(4, ~uint64_t{0});
        mask[0] &= ~(uint64_t{1} << 5);
        mask[3] &= ~(uint64_t{1} << 2); // row 1, column 66
        applyMask(DType::F32, 2, 70, mask.data(), g.data(), serial());
        for (int i = 0; i < 140; ++i) QCOMPARE(g[static_cast<size_t>(i)], i == 5 || i == 70 + 66 ? 0.0f : 1.0f);
    }

    void packing_data() {
        QTest::addColumn<int>("bits");
        for (int bits = 2; bits <= 8; ++bits) QTest::addRow("%d bits, every width up to 21", bits) << bits;
    }
    void packing() {
        QFETCH(int, bits);
        std::mt19937 random(static_cast<unsigned>(bits));
        for (const bool isSigned : {true, false})
            for (int64_t cols = 1; cols <= 21; ++cols) {
                std::vector<int8_t> codes(static_cast<size_t>(3 * cols));
                for (auto& c : codes) {
                    const int value = static_cast<int>(random() % (1u << bits)) - (isSigned ? 1 << (bits - 1) : 0);
                    c = static_cast<int8_t>(value);
                }
                std::vector<uint8_t> packed(static_cast<size_t>(3 * packedRowBytes(bits, cols)));
                packCodes(bits, 3, cols, codes.data(), packed.data());
                // Bit i of a row is bit i & 7 of its byte i / 8.
                for (int64_t r = 0; r < 3; ++r)
                    for (int64_t c = 0; c < cols; ++c)
                        for (int i = 0; i < bits; ++i) {
                            const int64_t at = c * bits + i;
                            const int stored = packed[static_cast<size_t>(r * packedRowBytes(bits, cols) + at / 8)] >> (at % 8) & 1;
                            QCOMPARE(stored, codes[static_cast<size_t>(r * cols + c)] >> i & 1);
                        }
                std::vector<int8_t> back(codes.size());
                unpackCodes(bits, isSigned, 3, cols, packed.data(), back.data());
                QVERIFY(back == codes);
            }
    }
    void fourBitsPutTheEvenColumnLow() {
        const int8_t codes[]{-8, -7, -1, 0, 1, 2, 6, 7};
        uint8_t packed[4];
        packCodes(4, 1, 8, codes, packed);
        QCOMPARE(packed[0], uint8_t{0x98});
        QCOMPARE(packed[1], uint8_t{0x0f});
        QCOMPARE(packed[2], uint8_t{0x21});
        QCOMPARE(packed[3], uint8_t{0x76}); // the two's-complement word 0x76210F98 of export.md 4.3
    }
    void halves() {
        for (uint32_t bits = 0; bits < 65536; ++bits) {
            const auto h = static_cast<uint16_t>(bits);
            const float bf = bf16ToFloat(h), f16 = f16ToFloat(h);
            QVERIFY(std::isnan(bf) ? std::isnan(bf16ToFloat(floatToBf16(bf))) : floatToBf16(bf) == h);
            QVERIFY(std::isnan(f16) ? std::isnan(f16ToFloat(floatToF16(f16))) : floatToF16(f16) == h);
            // The midpoint to the next magnitude goes to the even neighbour; just above it goes up.
            const float next = f16ToFloat(static_cast<uint16_t>(h + 1));
            if ((h & 0x7fff) < 0x7bff) {
                const float middle = 0.5f * (f16 + next);
                QCOMPARE(floatToF16(middle), static_cast<uint16_t>(h & 1 ? h + 1 : h));
                QCOMPARE(floatToF16(std::nextafter(middle, next)), static_cast<uint16_t>(h + 1));
            }
        }
        QCOMPARE(floatToF16(65519.0f), uint16_t{0x7bff});
        QCOMPARE(floatToF16(65520.0f), uint16_t{0x7c00});
        QCOMPARE(floatToBf16(std::bit_cast<float>(0x3f808000u)), uint16_t{0x3f80}); // tie to even
        QCOMPARE(floatToBf16(std::bit_cast<float>(0x3f818000u)), uint16_t{0x3f82});
    }

private:
    static bool rowsEqualWhereFinite(const Grid& g, const std::vector<char>& x, const std::vector<char>& a, const std::vector<char>& b) {
        for (int64_t i = 0; i < g.rows * g.cols; i += g.group) {
            bool finite = true;
            for (int64_t j = i; j < i + g.group; ++j)
                finite = finite && std::isfinite(loadAs(g.type, x.data(), j)) && std::isfinite(loadAs(g.type, b.data(), j));
            for (int64_t j = i; finite && j < i + g.group; ++j)
                if (loadAs(g.type, a.data(), j) != loadAs(g.type, b.data(), j)) return false;
        }
        return true;
    }
};

QTEST_GUILESS_MAIN(KernelsTest)
#include "tst_kernels.moc"
