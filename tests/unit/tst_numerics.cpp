// SPDX-License-Identifier: GPL-3.0-or-later
// What: the worked vectors of quantization.md 8.1-8.3 and 8.5 that need no learned range, on every instruction set of this machine.
#include "numerics/formulas.h"
#include "numerics/kernels.h"
#include "test_data.h"

#include <bit>
#include <cmath>

using namespace qw;
using namespace qw::numerics;
using records::Format;
using records::Granularity;
using records::Mapping;
using records::QuantBlock;
using records::Role;
using records::ScaleDtype;
using records::ZeroDomain;

namespace {

constexpr DType F = DType::F32, B = DType::BF16;

struct Vector {
    const char* name;
    QuantBlock block;
    Role role;
    DType type;
    std::vector<double> x;
    uint32_t scale; // IEEE bits in S
    double zero;    // integer zero point, or IEEE bits of a real one
    std::vector<int> codes;
    std::vector<int> clipped;   // positions with mask 0
    std::vector<double> y;      // decimal, rounded to T here
    std::vector<uint32_t> bits; // IEEE bits of y in T, where the page gives them; used instead of y when not empty
};

QuantBlock symmetric(int bits, ScaleDtype s = ScaleDtype::Float32) {
    QuantBlock b;
    b.bits = bits;
    b.granularity = Granularity::PerChannel;
    b.scaleDtype = s;
    return b;
}
QuantBlock asymmetric(int bits, bool isSigned = true, ScaleDtype s = ScaleDtype::Float32) {
    QuantBlock b = symmetric(bits, s);
    b.mapping = Mapping::Asymmetric;
    b.isSigned = isSigned;
    return b;
}
QuantBlock token(int bits, ScaleDtype s = ScaleDtype::Float32) {
    QuantBlock b = asymmetric(bits, true, s);
    b.granularity = Granularity::PerToken;
    return b;
}
QuantBlock withEps(QuantBlock b, double eps) {
    b.eps = eps;
    return b;
}
QuantBlock tinygemm(ScaleDtype s) {
    QuantBlock b = asymmetric(4, false, s);
    b.zeroDomain = ZeroDomain::Float;
    return b;
}
QuantBlock format(Format f, int bits) {
    QuantBlock b = symmetric(bits);
    b.format = f;
    return b;
}

const std::vector<Vector>& vectors() {
    const auto w = Role::Weight, a = Role::Activation;
    const auto bf = ScaleDtype::BFloat16;
    static const std::vector<double> five{1.25, -0.76171875, -0.75, -1.703125}, widths{0.3, -1.27, 0.635, 1.2699},
        three{0.3, -1.5, 0.75, 1.5};
    static const std::vector<double> seven{-1, 0, 0.5, 2, 1.55}, eight{2.875, 3.953125, -3.34375, -2.375}, nine{-0.3, 0, 0.15, 1.2};
    static const std::vector<Vector> all{
        {"X1",
         symmetric(4),
         w,
         F,
         {0, 0.1, -0.25, 0.5, 0.75, -0.9, 1.5, -1.5},
         0x3e4ccccd,
         0,
         {0, 0, -1, 2, 4, -4, 7, -8},
         {6},
         {},
         {0, 0, 0xbe4ccccd, 0x3ecccccd, 0x3f4ccccd, 0xbf4ccccd, 0x3fb33333, 0xbfcccccd}},
        {"X2a",
         symmetric(4),
         w,
         F,
         {.125, .375, -.125, -.375, .625, 1.875, -1.875, 0},
         0x3e800000,
         0,
         {0, 2, 0, -2, 2, 7, -8, 0},
         {5},
         {0, .5, 0, -.5, .5, 1.75, -2, 0},
         {}},
        {"X2b", symmetric(4), w, F, {0, 0, 0, 0}, 0x00800000, 0, {0, 0, 0, 0}, {}, {}, {0, 0, 0, 0}},
        {"X2c", symmetric(4), w, F, {0.01, -0.02, 0.3, 8}, 0x3f888889, 0, {0, 0, 0, 7}, {}, {}, {0, 0, 0, 0x40eeeef0}},
        {"X2d", symmetric(4), w, F, {-0.017, 0.0051}, 0x3b148c5c, 0, {-7, 2}, {}, {}, {0xbc81fad0, 0x3b948c5c}},
        {"X3",
         symmetric(4),
         w,
         F,
         {-0.1, -0.7, -0.35, -0.05},
         0x3dbf258c,
         0,
         {-1, -8, -4, -1},
         {},
         {},
         {0xbdbf258c, 0xbf3f258c, 0xbebf258c, 0xbdbf258c}},
        {"X4 int8",
         symmetric(8),
         w,
         F,
         widths,
         0x3c23328f,
         0,
         {30, -128, 64, 127},
         {},
         {},
         {0x3e98ff66, 0xbfa3328f, 0x3f23328f, 0x3fa1ec2a}},
        {"X4 int3", symmetric(3), w, F, three, 0x3edb6db7, 0, {1, -4, 2, 3}, {3}, {}, {0x3edb6db7, 0xbfdb6db7, 0x3f5b6db7, 0x3fa49249}},
        {"X4 int2", symmetric(2), w, F, three, 0x3f800000, 0, {0, -2, 1, 1}, {3}, {0, -2, 1, 1}, {}},
        {"X5a", symmetric(4), w, B, five, 0x3e690000, 0, {5, -3, -3, -7}, {}, {}, {0x3f92, 0xbf2f, 0xbf2f, 0xbfcc}},
        {"X5b", symmetric(4, bf), w, B, five, 0x3e69, 0, {6, -3, -3, -8}, {}, {}, {0x3faf, 0xbf2f, 0xbf2f, 0xbfe9}},
        {"X6", format(Format::Int8, 8), w, B, widths, 0x3c240000, 0, {30, -127, 64, 127}, {}, {}, {0x3e9a, 0xbfa3, 0x3f24, 0x3fa3}},
        {"X7a",
         token(8),
         a,
         F,
         seven,
         0x3c40c0c1,
         -43,
         {-128, -43, -1, 127, 89},
         {},
         {},
         {0xbf800000, 0, 0x3efcfcfd, 0x40000000, 0x3fc6c6c7}},
        {"X7b",
         token(8),
         a,
         F,
         {-32, 95.5, .25, .75, -.25, 1.25},
         0x3f000000,
         -64,
         {-128, 127, -64, -62, -64, -62},
         {},
         {-32, 95.5, 0, 1, 0, 1},
         {}},
        {"X7c", token(8), a, F, {0.5, 1, 2.55, 0.005}, 0x3c23d70a, -128, {-78, -28, 127, -128}, {}, {0.5, 1, 2.55, 0}, {}},
        {"X7d", token(8), a, F, {-0.5, -1, -2.55}, 0x3c23d70a, 127, {77, 27, -128}, {}, {-0.5, -1, -2.55}, {}},
        {"X7e explicit", token(8), a, F, {0, 0, 0}, 0x00800000, -128, {-128, -128, -128}, {}, {0, 0, 0}, {}},
        {"X7e legacy", withEps(token(8), 0x1p-23), a, F, {0, 0, 0}, 0x34000000, -128, {-128, -128, -128}, {}, {0, 0, 0}, {}},
        {"X7f", token(8), a, F, {0.01, -0.02, 0.5, 100}, 0x3ec8d310, -128, {-128, -128, -127, 127}, {}, {}, {0, 0, 0x3ec8d310, 0x42c80a3d}},
        {"X7g", token(4), a, F, seven, 0x3e4ccccd, -3, {-8, -3, -1, 7, 5}, {}, {}, {0xbf800000, 0, 0x3ecccccd, 0x40000000, 0x3fcccccd}},
        {"X8a", token(8), a, B, eight, 0x3ceb0000, -12, {88, 126, -128, -95}, {2}, {}, {0x4038, 0x407d, 0xc055, 0xc018}},
        {"X8b", token(8, bf), a, B, eight, 0x3ceb, -12, {88, 125, -128, -94}, {}, {}, {0x4038, 0x407c, 0xc055, 0xc017}},
        {"X9a", asymmetric(4), w, F, nine, 0x3dcccccd, -5, {-8, -5, -3, 7}, {}, {}, {0xbe99999a, 0, 0x3e4ccccd, 0x3f99999a}},
        {"X9b", asymmetric(4, false), w, F, nine, 0x3dcccccd, 3, {0, 3, 5, 15}, {}, {}, {0xbe99999a, 0, 0x3e4ccccd, 0x3f99999a}},
        {"X10a",
         tinygemm(ScaleDtype::Float32),
         w,
         F,
         nine,
         0x3dcccccd,
         0x3f000000,
         {0, 3, 4, 15},
         {},
         {},
         {0xbe99999a, 0, 0x3dcccccc, 0x3f99999a}},
        {"X10b", tinygemm(bf), w, B, nine, 0x3dcd, 0x3f00, {0, 3, 4, 15}, {}, {}, {0xbe9a, 0, 0x3dcc, 0x3f9a}},
        {"X10c", tinygemm(bf), w, B, {0, 0, 0, 0}, 0x3586, 0x3706, {0, 0, 0, 0}, {}, {0, 0, 0, 0}, {}},
        {"X10d",
         tinygemm(ScaleDtype::Float32),
         w,
         F,
         {1, 1.1, 1.3, 1.75},
         0x3d4ccccd,
         0x3fb33333,
         {0, 2, 6, 15},
         {},
         {},
         {0x3f800000, 0x3f8ccccc, 0x3fa66666, 0x3fe00000}},
        {"X10e", tinygemm(bf), w, B, {-0.5, -0.75, -2, -0.501}, 0x3dcd, 0xbf9a, {15, 12, 0, 15}, {}, {}, {0xbf01, 0xbf4e, 0xc000, 0xbf01}},
        {"X11a", format(Format::Int4Zp, 4), w, B, nine, 0x3dcd5555, 0x3f005555, {-8, -5, -4, 7}, {}, {}, {0xbe9a, 0, 0x3dcd, 0x3f9a}},
        {"X11b", format(Format::Int4Zp, 4), w, B, {0, 0, 0, 0}, 0x338f2a63, 0x350f2a63, {-8, -8, -8, -8}, {}, {0, 0, 0, 0}, {}},
        {"X11c",
         format(Format::Int4Zp, 4),
         w,
         B,
         {0.01, -0.02, 0.03, 4},
         0x3e893777,
         0x4007ef77,
         {-8, -8, -8, 7},
         {},
         {},
         {0xbca4, 0xbca4, 0xbca4, 0x4080}},
    };
    return all;
}

uint32_t bitsAt(DType type, const void* data, int64_t i) {
    return type == F ? std::bit_cast<uint32_t>(static_cast<const float*>(data)[i]) : static_cast<const uint16_t*>(data)[i];
}

struct Answer {
    std::vector<float> y, scale, zero; // wide enough for every dtype
    std::vector<int8_t> codes;
    uint64_t mask = 0;
    Stats stats;
};

Answer answer(Isa isa, const Grid& grid, const std::vector<float>& x) {
    Answer a;
    a.y.resize(x.size());
    a.scale.resize(1);
    a.zero.resize(1);
    a.codes.resize(x.size());
    fakeQuantizeWith(isa, grid, x.data(), Outputs{a.y.data(), a.codes.data(), a.scale.data(), a.zero.data(), &a.mask, &a.stats}, serial());
    return a;
}

} // namespace

class NumericsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void workedVectors_data() {
        QTest::addColumn<int>("index");
        QTest::addColumn<int>("isa");
        for (size_t i = 0; i < vectors().size(); ++i)
            for (const Isa isa : {Isa::Scalar, Isa::Avx2, Isa::Avx512, Isa::Avx512Bf16})
                if (isaAvailable(isa)) QTest::addRow("quantization.md %s, isa %d", vectors()[i].name, int(isa)) << int(i) << int(isa);
    }
    void workedVectors() {
        QFETCH(int, index);
        QFETCH(int, isa);
        const Vector& v = vectors()[static_cast<size_t>(index)];
        const auto n = static_cast<int64_t>(v.x.size());
        const auto grid = resolveGrid(v.block, v.role, v.type, 1, n);
        QVERIFY2(grid, grid ? "" : grid.error().message.c_str());
        std::vector<float> x(v.x.size());
        for (int64_t i = 0; i < n; ++i) storeAs(v.type, x.data(), i, static_cast<float>(v.x[static_cast<size_t>(i)]));
        const Answer a = answer(static_cast<Isa>(isa), *grid, x);

        QCOMPARE(bitsAt(grid->scaleType, a.scale.data(), 0), v.scale);
        if (grid->family == Family::IntAsymmetric)
            QCOMPARE(std::bit_cast<int32_t>(a.zero[0]), static_cast<int32_t>(v.zero));
        else if (grid->hasZero())
            QCOMPARE(bitsAt(grid->scaleType, a.zero.data(), 0), static_cast<uint32_t>(v.zero));
        uint64_t mask = (uint64_t{1} << n) - 1;
        for (const int c : v.clipped) mask &= ~(uint64_t{1} << c);
        QCOMPARE(a.mask, mask);
        QCOMPARE(a.stats.clipped, static_cast<int64_t>(v.clipped.size()));
        std::vector<float> back(x.size());
        dequantize(*grid, a.codes.data(), a.scale.data(), a.zero.data(), back.data(), serial());
        for (int64_t i = 0; i < n; ++i) {
            const auto at = static_cast<size_t>(i);
            QCOMPARE(static_cast<int>(grid->qmin == 0 ? static_cast<uint8_t>(a.codes[at]) : a.codes[at]), v.codes[at]);
            uint32_t expected;
            if (!v.bits.empty())
                expected = v.bits[at];
            else {
                float wide = 0;
                storeAs(v.type, &wide, 0, static_cast<float>(v.y[at]));
                expected = bitsAt(v.type, &wide, 0);
            }
            QCOMPARE(bitsAt(v.type, a.y.data(), i), expected);
            QCOMPARE(bitsAt(v.type, back.data(), i), expected);
        }
    }

    void refusedBlocks_data() {
        QTest::addColumn<int>("bits");
        QTest::addColumn<bool>("isSigned");
        QTest::addColumn<int>("mapping");
        QTest::newRow("D11: int1 rounds all to zero") << 1 << true << int(Mapping::Symmetric);
        QTest::newRow("2.1: unsigned with symmetric") << 4 << false << int(Mapping::Symmetric);
        QTest::newRow("nine bits") << 9 << true << int(Mapping::Symmetric);
    }
    void refusedBlocks() {
        QFETCH(int, bits);
        QFETCH(bool, isSigned);
        QFETCH(int, mapping);
        QuantBlock block = symmetric(bits);
        block.isSigned = isSigned;
        block.mapping = static_cast<Mapping>(mapping);
        const auto grid = resolveGrid(block, Role::Weight, F, 4, 64);
        QVERIFY(!grid);
        QCOMPARE(grid.error().code, std::string("config.invalid"));
        QVERIFY(!grid.error().hint.empty());
    }
    void groupThatDoesNotDivide() {
        QuantBlock block = symmetric(4);
        block.granularity = Granularity::PerGroup;
        block.groupSize = 64;
        const auto grid = resolveGrid(block, Role::Weight, F, 4, 96);
        QVERIFY(!grid);
        QCOMPARE(grid.error().code, std::string("config.conflict"));
        QVERIFY2(grid.error().hint.find("group_size: 48") != std::string::npos, grid.error().hint.c_str());
    }
    void perTensorIsOneGroup() {
        QuantBlock block = symmetric(8);
        block.granularity = Granularity::PerTensor;
        const auto grid = resolveGrid(block, Role::Weight, F, 3, 5);
        QVERIFY(grid);
        QCOMPARE(grid->rows * grid->groupsPerRow(), int64_t{1});
        QCOMPARE(grid->group, int64_t{15});
    }
    void bitsPerWeightOfThePage() {
        QuantBlock block = symmetric(4);
        block.granularity = Granularity::PerGroup;
        QCOMPARE(bitsPerWeight(*resolveGrid(block, Role::Weight, B, 1, 128)), 5.0); // int4 g32, fp32 scale
        block.scaleDtype = ScaleDtype::Input;
        QCOMPARE(bitsPerWeight(*resolveGrid(block, Role::Weight, B, 1, 128)), 4.5);
        block = tinygemm(ScaleDtype::BFloat16);
        QCOMPARE(bitsPerWeight(*resolveGrid(block, Role::Weight, B, 1, 128)), 4.25); // g128
    }
    void rangeSearchX24_data() {
        QTest::addColumn<double>("norm");
        QTest::addColumn<double>("scale");
        QTest::addColumn<double>("error");
        QTest::newRow("quantization.md X24, nu 2: p .92") << 2.0 << 0.92 / 7.5 << 0.00156233;
        QTest::newRow("quantization.md X24, nu 2.4: p .91") << 2.4 << 0.91 / 7.5 << -1.0;
    }
    void rangeSearchX24() {
        QFETCH(double, norm);
        QFETCH(double, scale);
        QFETCH(double, error);
        const std::vector<float> x{.11f, -.26f, .05f, .33f, -.19f, .07f, .29f, -1};
        const auto grid = resolveGrid(symmetric(4), Role::Weight, F, 1, 8);
        float found = 0;
        Stats stats;
        RangeSearch search;
        search.norm = norm;
        rangeSearchQuantize(*grid, search, x.data(), Outputs{nullptr, nullptr, &found, nullptr, nullptr, &stats}, serial());
        QVERIFY(std::abs(found / scale - 1) < 1e-6);
        if (error > 0) QVERIFY(std::abs(stats.sumSquaredError / 8 / error - 1) < 1e-5); // the page gives six digits
    }
    void rangeSearchIsRoundToNearestWhereThatIsBest() {
        const std::vector<float> x{-8, -7, -3, 0, 1, 2, 5, 7.4f};
        const auto grid = resolveGrid(symmetric(4), Role::Weight, F, 1, 8);
        float plain = 0, found = 0;
        fakeQuantize(*grid, x.data(), Outputs{nullptr, nullptr, &plain, nullptr, nullptr, nullptr}, serial());
        RangeSearch search;
        search.candidates = 1;
        rangeSearchQuantize(*grid, search, x.data(), Outputs{nullptr, nullptr, &found, nullptr, nullptr, nullptr}, serial());
        QCOMPARE(found, plain);
    }
    void sqnrOfX25() {
        Stats stats;
        for (const auto& [r, t] : {std::pair{1.0, .9}, {-2.0, -2.1}, {3.0, 3.2}, {.5, .5}})
            stats.sumSquares += r * r, stats.sumSquaredError += (r - t) * (r - t);
        QVERIFY(std::abs(stats.sqnrDb() - 23.7566) < 1e-4);
        QVERIFY(std::isinf(Stats{}.sqnrDb()));
    }
};

QTEST_GUILESS_MAIN(NumericsTest)
#include "tst_numerics.moc"
