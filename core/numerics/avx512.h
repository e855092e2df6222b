// SPDX-License-Identifier: GPL-3.0-or-later
// What: the vector class of the fused kernels on AVX-512 (F, BW, DQ, VL); conversions to bf16 by AVX512_BF16 where that machine has it.
// Limits: VCVTNEPS2BF16 flushes subnormals, so only values that are zero or normal go through it; its rounding is the same there.
#pragma once

#include "numerics/fused_rows.h"

#include <immintrin.h>

namespace qw::numerics {

namespace {

template<bool Native> struct Avx512 {
    using F = __m512;
    using I = __m512i;
    static constexpr int W = 16;

    static F broadcast(float v) { return _mm512_set1_ps(v); }
    static I broadcastInt(int v) { return _mm512_set1_epi32(v); }
    static F load(const float* p) { return _mm512_loadu_ps(p); }
    static void store(float* p, F v) { _mm512_storeu_ps(p, v); }
    static void storeF32(float* p, F v) { _mm512_storeu_ps(p, v); }
    static F add(F a, F b) { return _mm512_add_ps(a, b); }
    static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
    static F div(F a, F b) { return _mm512_div_ps(a, b); }
    static F min(F a, F b) { return _mm512_min_ps(a, b); } // b when either is NaN
    static F max(F a, F b) { return _mm512_max_ps(a, b); }
    static F nearest(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    static I toInt(F a) { return _mm512_cvtps_epi32(a); }
    static F toFloat(I a) { return _mm512_cvtepi32_ps(a); }
    static I addInt(I a, I b) { return _mm512_add_epi32(a, b); }
    static I subInt(I a, I b) { return _mm512_sub_epi32(a, b); }
    static I minInt(I a, I b) { return _mm512_min_epi32(a, b); }
    static I maxInt(I a, I b) { return _mm512_max_epi32(a, b); }
    static uint32_t equalInt(I a, I b) { return _mm512_cmpeq_epi32_mask(a, b); }
    static uint32_t sane(F s) {
        return _mm512_cmp_ps_mask(s, broadcast(0x1p-126f), _CMP_GE_OQ) & _mm512_cmp_ps_mask(s, broadcast(__builtin_inff()), _CMP_LT_OQ);
    }
    static uint32_t finite(F v) { return _mm512_cmp_ps_mask(_mm512_abs_ps(v), broadcast(__builtin_inff()), _CMP_LT_OQ); }

    // Bits of the bf16 value nearest to v, in the high half; a NaN stays one because it never has low bits here or is quiet.
    static I bf16Bits(F v) {
        const I bits = _mm512_castps_si512(v);
        const I odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
        return _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    }
    static F roundBf16(F v) { return _mm512_castsi512_ps(_mm512_and_si512(bf16Bits(v), _mm512_set1_epi32(static_cast<int>(0xffff0000u)))); }
    static float roundScalar(float v) { return _mm512_cvtss_f32(roundBf16(broadcast(v))); }
    static void storeBf16(uint16_t* p, F v) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(_mm512_srli_epi32(bf16Bits(v), 16)));
    }
    static void storeBf16Normal(uint16_t* p, F v) {
        if constexpr (Native)
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
        else
            storeBf16(p, v);
    }
    template<DType D> static void storeOne(void* to, int64_t index, float v) {
        if constexpr (D == DType::F32)
            static_cast<float*>(to)[index] = v;
        else
            static_cast<uint16_t*>(to)[index] =
                static_cast<uint16_t>(static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_castps_si128(_mm_set_ss(v)))) >> 16);
    }
    template<DType D> static F loadAs(const typename Storage<D>::Type* p) {
        if constexpr (D == DType::F32)
            return _mm512_loadu_ps(p);
        else
            return _mm512_castsi512_ps(
                _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16));
    }
    static void storeCodes(int8_t* p, I q) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(q)); }
    static void storeMask(uint8_t* p, uint32_t mask) {
        const auto bits = static_cast<uint16_t>(mask);
        __builtin_memcpy(p, &bits, sizeof bits);
    }

    // Magnitudes compare as integers, a NaN above all numbers.
    template<DType D> static float absMax(const typename Storage<D>::Type* x, int64_t n) {
        int64_t i = 0;
        if constexpr (D == DType::F32) {
            const I magnitude = _mm512_set1_epi32(0x7fffffff);
            I a = _mm512_setzero_si512(), b = a;
            for (; i + 32 <= n; i += 32) {
                a = _mm512_max_epi32(a, _mm512_and_si512(_mm512_loadu_si512(x + i), magnitude));
                b = _mm512_max_epi32(b, _mm512_and_si512(_mm512_loadu_si512(x + i + 16), magnitude));
            }
            for (; i < n; i += 16) {
                const __mmask16 valid = n - i >= 16 ? __mmask16(0xffff) : __mmask16((1u << (n - i)) - 1u);
                a = _mm512_max_epi32(a, _mm512_and_si512(_mm512_maskz_loadu_epi32(valid, x + i), magnitude));
            }
            return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(_mm512_reduce_max_epi32(_mm512_max_epi32(a, b)))));
        } else {
            const I magnitude = _mm512_set1_epi16(0x7fff);
            I a = _mm512_setzero_si512(), b = a;
            for (; i + 64 <= n; i += 64) {
                a = _mm512_max_epu16(a, _mm512_and_si512(_mm512_loadu_si512(x + i), magnitude));
                b = _mm512_max_epu16(b, _mm512_and_si512(_mm512_loadu_si512(x + i + 32), magnitude));
            }
            for (; i < n; i += 32) {
                const __mmask32 valid = n - i >= 32 ? ~__mmask32{0} : __mmask32((uint32_t{1} << (n - i)) - 1u);
                a = _mm512_max_epu16(a, _mm512_and_si512(_mm512_maskz_loadu_epi16(valid, x + i), magnitude));
            }
            a = _mm512_max_epu16(a, b);
            const __m256i half = _mm256_max_epu16(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
            const __m128i quarter = _mm_max_epu16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
            // PHMINPOSUW finds the smallest of eight words; complements turn it into the largest.
            const __m128i smallest = _mm_minpos_epu16(_mm_xor_si128(quarter, _mm_set1_epi16(-1)));
            const uint32_t bits = (~static_cast<uint32_t>(_mm_cvtsi128_si32(smallest)) & 0x7fffu) << 16;
            return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(static_cast<int>(bits))));
        }
    }

    template<DType D> static void minMax(const typename Storage<D>::Type* x, int64_t n, float& lo, float& hi) {
        const F first = broadcast(_mm512_cvtss_f32(one<D>(x)));
        F low = first, high = first;
        __mmask16 nan = 0;
        int64_t i = 0;
        for (; i + 16 <= n; i += 16) {
            const F v = loadAs<D>(x + i);
            low = _mm512_min_ps(low, v);
            high = _mm512_max_ps(high, v);
            nan |= _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
        }
        for (; i < n; ++i) {
            const F v = one<D>(x + i);
            low = _mm512_min_ps(low, broadcast(_mm512_cvtss_f32(v)));
            high = _mm512_max_ps(high, broadcast(_mm512_cvtss_f32(v)));
            nan |= _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
        }
        lo = nan ? __builtin_nanf("") : _mm512_reduce_min_ps(low);
        hi = nan ? __builtin_nanf("") : _mm512_reduce_max_ps(high);
    }
    template<DType D> static F one(const typename Storage<D>::Type* x) {
        if constexpr (D == DType::F32)
            return _mm512_maskz_loadu_ps(1, x);
        else
            return _mm512_castsi512_ps(_mm512_castsi128_si512(_mm_cvtsi32_si128(static_cast<int>(static_cast<uint32_t>(*x) << 16))));
    }
};

} // namespace

} // namespace qw::numerics
