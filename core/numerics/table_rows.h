// SPDX-License-Identifier: GPL-3.0-or-later
// What: symmetric grids of 2 to 4 bits on AVX-512: a group has at most 17 values, so they are computed once and looked up by code.
// Why here: with the table a bf16 element costs a third of the general kernel's instructions, and int4 weights are what is mostly trained.
// Limits: groups of whole 64-byte lines. |x·(1/s)| <= 8 however scale and reciprocal were rounded, so codes before clamping lie in -8 … 8
// and only the largest can be outside the range; the general kernel's parameters and its rule for groups without a sound scale are used.
#pragma once

#include "numerics/avx512.h"

namespace qw::numerics {

namespace {

template<DType T, DType S, bool Native> struct TableRow {
    using V = Avx512<Native>;
    using General = FusedRow<V, Family::IntSymmetric, T, S>;
    using E = typename Storage<T>::Type;
    using Batch = typename General::Batch;
    static constexpr int W = 64 / static_cast<int>(sizeof(E)); // elements of one line
    static constexpr bool kHalf = T == DType::BF16;

    // A batch, the next one on its way and the results fit into 32 KiB of L1 together.
    static constexpr int64_t kTableBytes = 8 * 1024;
    static constexpr int64_t kAhead = 4096 / static_cast<int64_t>(sizeof(E)); // elements

    struct Table {
        __m512 inverse;
        __m512i low, high; // values of codes 0 … 15 and -16 … -1; bf16: all in `low`
        __m512i qmax;
    };
    struct Codes { // what a table is multiplied from
        __m512 low, high;
        __m512i qmax;
        explicit Codes(const Grid& g) {
            const __m512i count = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            const __m512i top = _mm512_set1_epi32(g.qmax);
            low = _mm512_cvtepi32_ps(_mm512_min_epi32(count, top));
            high = _mm512_cvtepi32_ps(_mm512_sub_epi32(count, _mm512_set1_epi32(16)));
            qmax = kHalf ? _mm512_set1_epi16(static_cast<short>(g.qmax)) : top;
        }
    };

    static Table table(const Codes& codes, float scale, float inverse) {
        const __m512 s = _mm512_set1_ps(scale);
        const __m512 low = _mm512_mul_ps(codes.low, s), high = _mm512_mul_ps(codes.high, s);
        Table t{_mm512_set1_ps(inverse), _mm512_castps_si512(low), _mm512_castps_si512(high), codes.qmax};
        if constexpr (kHalf) {
            if constexpr (Native)
                t.low = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
            else {
                const __m256i a = _mm512_cvtepi32_epi16(_mm512_srli_epi32(V::bf16Bits(low), 16));
                t.low = _mm512_inserti64x4(_mm512_castsi256_si512(a), _mm512_cvtepi32_epi16(_mm512_srli_epi32(V::bf16Bits(high), 16)), 1);
            }
        }
        return t;
    }

    // The codes before clamping of one line: 16-bit words for bf16, else 32-bit.
    static __m512i raw(const Table& t, const E* x) {
        if constexpr (!kHalf) return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x), t.inverse));
        const __m512i v = _mm512_loadu_si512(x);
        __m512 even = _mm512_mul_ps(_mm512_castsi512_ps(_mm512_slli_epi32(v, 16)), t.inverse);
        __m512 odd = _mm512_mul_ps(_mm512_castsi512_ps(_mm512_and_si512(v, _mm512_set1_epi32(static_cast<int>(0xffff0000u)))), t.inverse);
        if constexpr (S == T) even = V::roundBf16(even), odd = V::roundBf16(odd);
        return _mm512_mask_blend_epi16(0xaaaaaaaau, _mm512_cvtps_epi32(even), _mm512_slli_epi32(_mm512_cvtps_epi32(odd), 16));
    }
    static __m512i value(const Table& t, __m512i code) {
        if constexpr (kHalf)
            return _mm512_permutexvar_epi16(code, t.low);
        else
            return _mm512_permutex2var_epi32(t.low, code, t.high);
    }

    template<bool Stream> static void put(E* y, __m512i v) {
        if constexpr (Stream)
            _mm512_stream_si512(reinterpret_cast<__m512i*>(y), v);
        else
            _mm512_storeu_si512(y, v);
    }

    template<bool Stream> static void valuesOnly(const Table& t, const E* x, E* y, int64_t n) {
        for (int64_t i = 0; i < n; i += W) put<Stream>(y + i, value(t, raw(t, x + i)));
    }

    // All sound: nothing to ask per group. The lines of the next batches are asked for early, reading and writing.
    template<bool Stream> static void batchValues(const Grid& g, const Codes& codes, const Batch& b, int count, const E* x, E* y) {
        const int64_t ahead = count * g.group > kAhead ? count * g.group : kAhead;
        for (int j = 0; j < count; ++j, x += g.group, y += g.group) {
            const Table t = table(codes, b.scale[j], b.inverse[j]);
            for (int64_t i = 0; i < g.group; i += W) {
                __builtin_prefetch(x + i + ahead, 0);
                if constexpr (!Stream) __builtin_prefetch(y + i + kAhead, 1);
                put<Stream>(y + i, value(t, raw(t, x + i)));
            }
        }
    }

    template<bool Stream> static int64_t all(const Table& t, const Row& row, int64_t begin, int64_t n) {
        const E* x = static_cast<const E*>(row.x);
        E* y = static_cast<E*>(row.y);
        auto* bytes = reinterpret_cast<uint8_t*>(row.mask);
        int64_t clipped = 0;
        for (int64_t c = begin; c < begin + n; c += W) {
            const __m512i code = raw(t, x + c);
            if (y) put<Stream>(y + c, value(t, code));
            uint32_t outside;
            if constexpr (kHalf)
                outside = _mm512_cmpgt_epi16_mask(code, t.qmax);
            else
                outside = _mm512_cmpgt_epi32_mask(code, t.qmax);
            clipped += __builtin_popcount(outside);
            if (bytes) {
                const uint32_t inside = ~outside;
                __builtin_memcpy(bytes + c / 8, &inside, W / 8);
            }
            if (!row.codes) continue;
            if constexpr (kHalf)
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(row.codes + c), _mm512_cvtepi16_epi8(_mm512_min_epi16(code, t.qmax)));
            else
                _mm_storeu_si128(reinterpret_cast<__m128i*>(row.codes + c), _mm512_cvtepi32_epi8(_mm512_min_epi32(code, t.qmax)));
        }
        return clipped;
    }

    static __m512i larger(__m512i a, __m512i b) {
        if constexpr (kHalf)
            return _mm512_max_epu16(a, b);
        else
            return _mm512_max_epu32(a, b);
    }
    static __m512i magnitude(const E* x) {
        return _mm512_and_si512(_mm512_loadu_si512(x), kHalf ? _mm512_set1_epi16(0x7fff) : _mm512_set1_epi32(0x7fffffff));
    }
    static __m512i mostOf(const E* x, int64_t n) {
        __m512i m = magnitude(x);
        for (int64_t i = W; i < n; i += W) m = larger(m, magnitude(x + i));
        return m;
    }

    // The largest magnitude of 16 groups: halves, quarters, eighths and words of several groups are folded at once.
    static void ranges(const Grid& g, const E* x, Batch& b) {
        __m512i eight[2];
        for (int h = 0; h < 2; ++h) {
            __m512i four[2];
            for (int q = 0; q < 2; ++q) {
                __m512i two[2];
                for (int p = 0; p < 2; ++p) {
                    const E* at = x + (h * 8 + q * 4 + p * 2) * g.group;
                    const __m512i a = mostOf(at, g.group), c = mostOf(at + g.group, g.group);
                    two[p] = larger(_mm512_shuffle_i64x2(a, c, 0x44), _mm512_shuffle_i64x2(a, c, 0xee));
                }
                four[q] = larger(_mm512_shuffle_i64x2(two[0], two[1], 0x88), _mm512_shuffle_i64x2(two[0], two[1], 0xdd));
            }
            // Lane k of `eight` holds group k of four[0] in its low half and of four[1] in its high half.
            eight[h] = larger(_mm512_unpacklo_epi64(four[0], four[1]), _mm512_unpackhi_epi64(four[0], four[1]));
        }
        const __m512 first = _mm512_castsi512_ps(eight[0]), second = _mm512_castsi512_ps(eight[1]);
        __m512i m = larger(_mm512_castps_si512(_mm512_shuffle_ps(first, second, 0x88)),
                           _mm512_castps_si512(_mm512_shuffle_ps(first, second, 0xdd)));
        if constexpr (kHalf) m = _mm512_slli_epi32(larger(m, _mm512_srli_epi32(m, 16)), 16);
        // Word 4k + j now belongs to group 4j + k.
        const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        _mm512_store_si512(b.hi, _mm512_permutexvar_epi32(order, m));
    }

    template<bool OnlyY, bool Stream> static int64_t rows(const Grid& g, const Row& row) {
        if (!OnlyY && row.mask) row.mask[(g.cols - 1) >> 6] = 0; // bits past the last column
        const Codes codes(g);
        const int64_t groups = g.groupsPerRow(), line = g.group * static_cast<int64_t>(sizeof(E));
        int64_t batch = kTableBytes / line;
        batch = batch < 1 ? 1 : batch > kBatch ? kBatch : batch;
        int64_t clipped = 0;
        Batch b;
        for (int64_t first = 0; first < groups; first += batch) {
            const int count = static_cast<int>(groups - first < batch ? groups - first : batch);
            const E* x = static_cast<const E*>(row.x) + first * g.group;
            if (count == kBatch && !g.noClip)
                ranges(g, x, b);
            else
                General::ranges(g, row, first, count, b);
            General::parameters(g, b, count);
            if constexpr (OnlyY) {
                if ((b.sane & ((1u << count) - 1u)) == (1u << count) - 1u) {
                    batchValues<Stream>(g, codes, b, count, x, static_cast<E*>(row.y) + first * g.group);
                    continue;
                }
            }
            for (int j = 0; j < count; ++j) {
                const int64_t group = first + j, begin = group * g.group;
                if (!((b.sane >> j) & 1u)) {
                    clipped += quantizeGroupScalar(g, row, group);
                    continue;
                }
                const Table t = table(codes, b.scale[j], b.inverse[j]);
                if constexpr (OnlyY) {
                    valuesOnly<Stream>(t, x + j * g.group, static_cast<E*>(row.y) + begin, g.group);
                } else {
                    General::storeParameters(g, b, row, group, j);
                    clipped += all<Stream>(t, row, begin, g.group);
                }
            }
        }
        if constexpr (Stream) _mm_sfence();
        return clipped;
    }

    template<bool OnlyY> static int64_t run(const Grid& g, const Row& row) {
        const bool aligned = row.y && reinterpret_cast<uintptr_t>(row.y) % 64 == 0;
        if (row.stream && aligned) return rows<OnlyY, true>(g, row);
        return rows<OnlyY, false>(g, row);
    }
};

template<bool Native> RowKernel pickTable(const Grid& g, bool onlyY) {
    if (g.family != Family::IntSymmetric || g.bits > 4 || g.type == DType::F16 || g.scaleType == DType::F16) return nullptr;
    if (g.group * sizeOf(g.type) % 64 != 0) return nullptr;
    const auto pick = [&]<DType T, DType S>() -> RowKernel {
        return onlyY ? &TableRow<T, S, Native>::template run<true> : &TableRow<T, S, Native>::template run<false>;
    };
    if (g.type == DType::F32)
        return g.scaleType == DType::F32 ? pick.template operator()<DType::F32, DType::F32>()
                                         : pick.template operator()<DType::F32, DType::BF16>();
    return g.scaleType == DType::F32 ? pick.template operator()<DType::BF16, DType::F32>()
                                     : pick.template operator()<DType::BF16, DType::BF16>();
}

} // namespace

} // namespace qw::numerics
