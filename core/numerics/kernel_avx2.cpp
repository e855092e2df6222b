// SPDX-License-Identifier: GPL-3.0-or-later
// What: the fused kernels with AVX2.
#include "numerics/fused_rows.h"

#include <immintrin.h>

namespace qw::numerics {

namespace {

struct Avx2 {
    using F = __m256;
    using I = __m256i;
    static constexpr int W = 8;

    static F broadcast(float v) { return _mm256_set1_ps(v); }
    static I broadcastInt(int v) { return _mm256_set1_epi32(v); }
    static F load(const float* p) { return _mm256_loadu_ps(p); }
    static void store(float* p, F v) { _mm256_storeu_ps(p, v); }
    static void storeF32(float* p, F v) { _mm256_storeu_ps(p, v); }
    static F add(F a, F b) { return _mm256_add_ps(a, b); }
    static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
    static F div(F a, F b) { return _mm256_div_ps(a, b); }
    static F min(F a, F b) { return _mm256_min_ps(a, b); } // b when either is NaN
    static F max(F a, F b) { return _mm256_max_ps(a, b); }
    static F nearest(F a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    static I toInt(F a) { return _mm256_cvtps_epi32(a); }
    static F toFloat(I a) { return _mm256_cvtepi32_ps(a); }
    static I addInt(I a, I b) { return _mm256_add_epi32(a, b); }
    static I subInt(I a, I b) { return _mm256_sub_epi32(a, b); }
    static I minInt(I a, I b) { return _mm256_min_epi32(a, b); }
    static I maxInt(I a, I b) { return _mm256_max_epi32(a, b); }
    static uint32_t bitsOf(F mask) { return static_cast<uint32_t>(_mm256_movemask_ps(mask)); }
    static uint32_t equalInt(I a, I b) { return bitsOf(_mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b))); }
    static uint32_t sane(F s) {
        return bitsOf(
            _mm256_and_ps(_mm256_cmp_ps(s, broadcast(0x1p-126f), _CMP_GE_OQ), _mm256_cmp_ps(s, broadcast(__builtin_inff()), _CMP_LT_OQ)));
    }
    static uint32_t finite(F v) {
        const F magnitude = _mm256_and_ps(v, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff)));
        return bitsOf(_mm256_cmp_ps(magnitude, broadcast(__builtin_inff()), _CMP_LT_OQ));
    }

    static I bf16Bits(F v) {
        const I bits = _mm256_castps_si256(v);
        const I odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
        return _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    }
    static F roundBf16(F v) { return _mm256_castsi256_ps(_mm256_and_si256(bf16Bits(v), _mm256_set1_epi32(static_cast<int>(0xffff0000u)))); }
    static float roundScalar(float v) { return _mm256_cvtss_f32(roundBf16(broadcast(v))); }
    static void storeBf16(uint16_t* p, F v) {
        const I words = _mm256_srli_epi32(bf16Bits(v), 16);
        const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), packed);
    }
    static void storeBf16Normal(uint16_t* p, F v) { storeBf16(p, v); }
    template<DType D> static void storeOne(void* to, int64_t index, float v) {
        if constexpr (D == DType::F32)
            static_cast<float*>(to)[index] = v;
        else
            static_cast<uint16_t*>(to)[index] =
                static_cast<uint16_t>(static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_castps_si128(_mm_set_ss(v)))) >> 16);
    }
    template<DType D> static F loadAs(const typename Storage<D>::Type* p) {
        if constexpr (D == DType::F32)
            return _mm256_loadu_ps(p);
        else
            return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16));
    }
    static void storeCodes(int8_t* p, I q) {
        // The low byte of every word, then the two halves beside each other.
        const I pick = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12, -1, -1, -1, -1, -1, -1,
                                        -1, -1, -1, -1, -1, -1);
        const I bytes = _mm256_shuffle_epi8(q, pick);
        const __m128i both = _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(p), both);
    }
    static void storeMask(uint8_t* p, uint32_t mask) { *p = static_cast<uint8_t>(mask); }

    template<DType D> static F one(const typename Storage<D>::Type* x) {
        if constexpr (D == DType::F32)
            return broadcast(*x);
        else
            return _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(static_cast<uint32_t>(*x) << 16)));
    }
    static float smallestOf(F v) {
        __m128 m = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        m = _mm_min_ps(m, _mm_movehl_ps(m, m));
        return _mm_cvtss_f32(_mm_min_ss(m, _mm_shuffle_ps(m, m, 1)));
    }
    static float largestOf(F v) {
        __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        m = _mm_max_ps(m, _mm_movehl_ps(m, m));
        return _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
    }
    template<DType D> static void minMax(const typename Storage<D>::Type* x, int64_t n, float& lo, float& hi) {
        const F first = one<D>(x);
        F low = first, high = first, nan = _mm256_setzero_ps();
        int64_t i = 0;
        for (; i < n; i += 8) {
            if (i + 8 > n) break;
            const F v = loadAs<D>(x + i);
            low = _mm256_min_ps(low, v);
            high = _mm256_max_ps(high, v);
            nan = _mm256_or_ps(nan, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
        }
        for (; i < n; ++i) {
            const F v = one<D>(x + i);
            low = _mm256_min_ps(low, v);
            high = _mm256_max_ps(high, v);
            nan = _mm256_or_ps(nan, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
        }
        const bool bad = bitsOf(nan) != 0;
        lo = bad ? __builtin_nanf("") : smallestOf(low);
        hi = bad ? __builtin_nanf("") : largestOf(high);
    }
    template<DType D> static float absMax(const typename Storage<D>::Type* x, int64_t n) {
        const F magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
        F a = _mm256_setzero_ps(), b = a;
        int64_t i = 0;
        // Magnitudes compare as integers, a NaN above all numbers.
        const auto larger = [&](F most, F v) {
            return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(most), _mm256_castps_si256(_mm256_and_ps(v, magnitude))));
        };
        for (; i + 16 <= n; i += 16) {
            a = larger(a, loadAs<D>(x + i));
            b = larger(b, loadAs<D>(x + i + 8));
        }
        for (; i + 8 <= n; i += 8) a = larger(a, loadAs<D>(x + i));
        for (; i < n; ++i) b = larger(b, one<D>(x + i));
        const I both = _mm256_max_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b));
        __m128i m = _mm_max_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
        m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
        m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1));
        return _mm_cvtss_f32(_mm_castsi128_ps(m));
    }
};

} // namespace

RowKernel fusedAvx2(const Grid& grid, bool onlyY) { return pickKernel<Avx2>(grid, onlyY); }

} // namespace qw::numerics
