// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/update_kernels.h"

#include <bit>
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define QW_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define QW_CLONES
#endif
#define QW_INLINE inline __attribute__((always_inline))

namespace qw::train {
namespace {

QW_INLINE float widen(float x) { return x; }
QW_INLINE float widen(uint16_t x) { return std::bit_cast<float>(static_cast<uint32_t>(x) << 16); }
// Round to nearest, ties to even; NaN becomes the quiet NaN 0x7fc0.
QW_INLINE uint16_t narrow(float x) {
    const uint32_t bits = std::bit_cast<uint32_t>(x);
    const uint32_t rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
    return static_cast<uint16_t>((bits & 0x7fffffffU) > 0x7f800000U ? 0x7fc0U : rounded);
}
QW_INLINE void store(float* to, float x) { *to = x; }
QW_INLINE void store(uint16_t* to, float x) { *to = narrow(x); }

template<class W, class G, class S>
QW_INLINE void adamwLoop(const AdamWStep s, int64_t n, W* __restrict w, const G* __restrict g, S* __restrict m, S* __restrict v) {
    for (int64_t i = 0; i < n; ++i) {
        const float grad = widen(g[i]) * s.gradScale;
        const float mean = s.beta1 * widen(m[i]) + s.beta1Rest * grad;
        const float square = s.beta2 * widen(v[i]) + s.beta2Rest * (grad * grad);
        store(m + i, mean);
        store(v + i, square);
        const float kept = widen(w[i]) * s.keep;
        store(w + i, kept - s.lr * (mean / s.bias1) / (std::sqrt(square / s.bias2) + s.eps));
    }
}

template<class W, class G, class S> QW_INLINE void amsgradLoop(const AdamWStep s, int64_t n, W* __restrict w, const G* __restrict g,
                                                               S* __restrict m, S* __restrict v, S* __restrict top) {
    for (int64_t i = 0; i < n; ++i) {
        const float grad = widen(g[i]) * s.gradScale;
        const float mean = s.beta1 * widen(m[i]) + s.beta1Rest * grad;
        const float square = s.beta2 * widen(v[i]) + s.beta2Rest * (grad * grad);
        const float old = widen(top[i]);
        const float largest = square > old ? square : old;
        store(m + i, mean);
        store(v + i, square);
        store(top + i, largest);
        const float kept = widen(w[i]) * s.keep;
        store(w + i, kept - s.lr * (mean / s.bias1) / (std::sqrt(largest / s.bias2) + s.eps));
    }
}

template<class W, class G, class S> QW_INLINE void adamw(const AdamWStep& s, int64_t n, W* w, const G* g, S* m, S* v, S* top) {
    if (top)
        amsgradLoop(s, n, w, g, m, v, top);
    else
        adamwLoop(s, n, w, g, m, v);
}

template<class W, class G, class S>
QW_INLINE void sgd(const SgdStep s, int64_t n, W* __restrict w, const G* __restrict g, S* __restrict buffer) {
    if (!buffer) {
        for (int64_t i = 0; i < n; ++i) {
            const float weight = widen(w[i]);
            store(w + i, weight - s.lr * (widen(g[i]) * s.gradScale + s.weightDecay * weight));
        }
        return;
    }
    const float old = s.first ? 0.0F : s.momentum;
    const float fresh = s.first ? 1.0F : s.dampRest;
    const float look = s.nesterov ? s.momentum : 0.0F;
    for (int64_t i = 0; i < n; ++i) {
        const float weight = widen(w[i]);
        const float grad = widen(g[i]) * s.gradScale + s.weightDecay * weight;
        const float next = s.first ? grad : old * widen(buffer[i]) + fresh * grad;
        store(buffer + i, next);
        const float direction = s.nesterov ? grad + look * next : next;
        store(w + i, weight - s.lr * direction);
    }
}

template<class G> QW_INLINE double squares(int64_t n, const G* __restrict g) {
    float part[16] = {};
    int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (int lane = 0; lane < 16; ++lane) part[lane] += widen(g[i + lane]) * widen(g[i + lane]);
    double sum = 0;
    for (const float p : part) sum += p;
    for (; i < n; ++i) sum += static_cast<double>(widen(g[i])) * widen(g[i]);
    return sum;
}

} // namespace

QW_CLONES void adamwF32(const AdamWStep& s, int64_t n, float* w, const float* g, float* m, float* v, float* max) {
    adamw(s, n, w, g, m, v, max);
}
QW_CLONES void adamwF32Bf16Grad(const AdamWStep& s, int64_t n, float* w, const uint16_t* g, float* m, float* v, float* max) {
    adamw(s, n, w, g, m, v, max);
}
QW_CLONES void adamwBf16(const AdamWStep& s, int64_t n, uint16_t* w, const uint16_t* g, uint16_t* m, uint16_t* v, uint16_t* max) {
    adamw(s, n, w, g, m, v, max);
}
QW_CLONES void sgdF32(const SgdStep& s, int64_t n, float* w, const float* g, float* momentum) { sgd(s, n, w, g, momentum); }
QW_CLONES void sgdF32Bf16Grad(const SgdStep& s, int64_t n, float* w, const uint16_t* g, float* momentum) { sgd(s, n, w, g, momentum); }
QW_CLONES void sgdBf16(const SgdStep& s, int64_t n, uint16_t* w, const uint16_t* g, uint16_t* momentum) { sgd(s, n, w, g, momentum); }

QW_CLONES void roundToBf16(int64_t n, const float* from, uint16_t* to) {
    for (int64_t i = 0; i < n; ++i) to[i] = narrow(from[i]);
}
QW_CLONES double squaresF32(int64_t n, const float* g) { return squares(n, g); }
QW_CLONES double squaresBf16(int64_t n, const uint16_t* g) { return squares(n, g); }

} // namespace qw::train
