// SPDX-License-Identifier: GPL-3.0-or-later
// What: the fused row kernel over a vector class V: minimum and maximum per group, parameters of up to 16 groups at once, then codes and
// values. Why here: AVX-512 and AVX2 share every line of arithmetic, so they cannot disagree. Limits: groups whose scale is not a finite
// number of at least 2^-126 (NaN, infinity, tiny eps) go to the scalar formulas. Included only by the kernel_*.cpp files; nothing of the
// standard library is instantiated here, since these files use instructions others must not get.
#pragma once

#include "numerics/kernels.h"

namespace qw::numerics {

namespace {

template<DType T> struct Storage { using Type = uint16_t; };
template<> struct Storage<DType::F32> { using Type = float; };

// Groups handled together: their elements should stay in L1 between the two looks at them.
constexpr int64_t kBatch = 16;
constexpr int64_t kBatchBytes = 24 * 1024;

template<class V, Family F, DType T, DType S> struct FusedRow {
    using E = typename Storage<T>::Type;
    using Vf = typename V::F;
    using Vi = typename V::I;
    static constexpr int W = V::W;
    static constexpr DType P = T == S ? T : DType::F32;
    static constexpr bool kReal = F == Family::Tinygemm || F == Family::Int4Zp;

    struct Batch {
        alignas(64) float lo[kBatch], hi[kBatch];
        alignas(64) float scale[kBatch], inverse[kBatch], zero[kBatch], minimum[kBatch];
        uint32_t sane = 0; // bit per group
    };
    struct Group { // one group's constants, spread over a vector
        Vf scale, inverse, zero, minimum;
        Vi zeroInt, qmin, qmax;
        Vf below, above;
    };

    template<DType D> static Vf rounded(Vf v) {
        if constexpr (D == DType::BF16)
            return V::roundBf16(v);
        else
            return v;
    }

    static void parameters(const Grid& g, Batch& b, int count) {
        const Vf span = V::broadcast(static_cast<float>(g.qmax - g.qmin));
        const Vf eps =
            V::broadcast(T == DType::BF16 && F != Family::Int4Zp ? V::roundScalar(static_cast<float>(g.eps)) : static_cast<float>(g.eps));
        const Vf nil = V::broadcast(0.0f), one = V::broadcast(1.0f);
        b.sane = 0;
        for (int i = 0; i < count; i += W) {
            Vf lo = V::load(b.lo + i), hi = V::load(b.hi + i), s, zero = nil, minimum = nil;
            Vf inverse = nil;
            if constexpr (F == Family::IntSymmetric) {
                if (g.noClip) {
                    const Vf below = rounded<T>(V::div(V::min(nil, lo), V::broadcast(static_cast<float>(g.qmin))));
                    const Vf above = rounded<T>(V::div(V::max(nil, hi), V::broadcast(static_cast<float>(g.qmax))));
                    s = V::max(below, above);
                } else {
                    s = rounded<T>(V::div(hi, V::broadcast(static_cast<float>(g.qmax - g.qmin) / 2.0f)));
                }
                s = rounded<S>(V::max(eps, s));
                inverse = rounded<S>(V::div(one, s));
            } else if constexpr (F == Family::IntAsymmetric) {
                lo = V::min(nil, lo);
                hi = V::max(nil, hi);
                const Vf fine = V::max(eps, rounded<T>(V::div(rounded<T>(V::sub(hi, lo)), span)));
                const Vf qmin = V::broadcast(static_cast<float>(g.qmin)), qmax = V::broadcast(static_cast<float>(g.qmax));
                zero = V::min(qmax, V::max(qmin, V::sub(qmin, V::nearest(rounded<T>(V::div(lo, fine))))));
                s = rounded<S>(fine);
                inverse = rounded<S>(V::div(one, s));
            } else if constexpr (F == Family::Tinygemm) {
                const Vf mid = V::broadcast(static_cast<float>(g.qmax + 1) / 2.0f);
                const Vf fine = V::max(eps, rounded<T>(V::div(rounded<T>(V::sub(hi, lo)), span)));
                s = rounded<S>(fine);
                zero = rounded<S>(rounded<T>(V::add(lo, rounded<T>(V::mul(fine, mid)))));
                minimum = rounded<S>(V::sub(zero, rounded<S>(V::mul(s, mid))));
            } else {
                s = V::div(V::max(eps, V::sub(hi, lo)), V::broadcast(15.0f));
                zero = V::add(lo, V::mul(s, V::broadcast(8.0f)));
                minimum = lo;
            }
            uint32_t sane = V::sane(s);
            if constexpr (kReal) sane &= V::finite(zero) & V::finite(minimum);
            b.sane |= sane << i;
            V::store(b.scale + i, s);
            V::store(b.inverse + i, inverse);
            V::store(b.zero + i, zero);
            V::store(b.minimum + i, minimum);
        }
    }

    static void storeParameters(const Grid&, const Batch& b, const Row& row, int64_t group, int j) {
        if (row.scale) V::template storeOne<S>(row.scale, group, b.scale[j]);
        if constexpr (F == Family::IntAsymmetric) {
            if (row.zero) static_cast<int32_t*>(row.zero)[group] = static_cast<int32_t>(b.zero[j]);
        } else if constexpr (kReal) {
            if (row.zero) V::template storeOne<S>(row.zero, group, b.zero[j]);
        }
    }

    static Group spread(const Grid& g, const Batch& b, int j) {
        Group p;
        p.scale = V::broadcast(b.scale[j]);
        p.inverse = V::broadcast(b.inverse[j]);
        p.zero = V::broadcast(b.zero[j]);
        p.minimum = V::broadcast(b.minimum[j]);
        p.zeroInt = V::broadcastInt(F == Family::IntAsymmetric ? static_cast<int>(b.zero[j]) : kReal ? 8 : 0);
        p.qmin = V::broadcastInt(kReal ? 0 : g.qmin);
        p.qmax = V::broadcastInt(kReal ? g.qmax - g.qmin : g.qmax);
        if constexpr (kReal) {
            p.zeroInt = V::broadcastInt((g.qmax - g.qmin + 1) / 2);
            p.below = V::broadcast(-1.0f);
            p.above = V::broadcast(static_cast<float>(g.qmax - g.qmin + 1));
        }
        return p;
    }

    // The code before clamping; for real zero points counted from 0 and kept within one step outside the range.
    static Vi raw(const Group& p, Vf x) {
        if constexpr (kReal) {
            const Vf t = rounded<P>(V::div(rounded<P>(V::sub(x, p.minimum)), p.scale));
            return V::toInt(V::min(p.above, V::max(p.below, t)));
        } else {
            const Vi code = V::toInt(rounded<P>(V::mul(x, p.inverse)));
            if constexpr (F == Family::IntAsymmetric)
                return V::addInt(code, p.zeroInt);
            else
                return code;
        }
    }

    // Not yet rounded to T: the store does that.
    static Vf value(const Group& p, Vi q) {
        if constexpr (F == Family::IntSymmetric) return V::mul(V::toFloat(q), p.scale);
        const Vf steps = V::mul(V::toFloat(V::subInt(q, p.zeroInt)), p.scale);
        if constexpr (F == Family::Tinygemm)
            return V::add(rounded<T>(steps), p.zero);
        else if constexpr (F == Family::Int4Zp)
            return V::add(steps, p.zero);
        else
            return steps;
    }

    static void storeValue(E* y, Vf v) {
        if constexpr (T == DType::F32)
            V::storeF32(y, v);
        else if constexpr (kReal)
            V::storeBf16(y, v);
        else
            V::storeBf16Normal(y, v); // |v| is zero or at least 2^-126
    }

    // W elements; returns the mask of values inside the range.
    template<bool OnlyY> static uint32_t step(const Group& p, const E* x, E* y, int8_t* codes) {
        const Vi q0 = raw(p, V::template loadAs<T>(x));
        const Vi q = V::minInt(p.qmax, V::maxInt(p.qmin, q0));
        if (OnlyY || y) storeValue(y, value(p, q));
        if constexpr (OnlyY) return 0;
        if (codes) V::storeCodes(codes, F == Family::Int4Zp ? V::subInt(q, p.zeroInt) : q);
        return V::equalInt(q, q0);
    }

    static void putBits(uint64_t* mask, int64_t bit, uint32_t bits, int count) {
        for (int i = 0; i < count; ++i, ++bit) {
            const uint64_t one = uint64_t{1} << (bit & 63);
            if ((bits >> i) & 1u)
                mask[bit >> 6] |= one;
            else
                mask[bit >> 6] &= ~one;
        }
    }

    template<bool OnlyY> static int64_t tail(const Group& p, const Row& row, int64_t at, int count) {
        E x[W] = {}, y[W] = {};
        int8_t codes[W] = {};
        for (int i = 0; i < count; ++i) x[i] = static_cast<const E*>(row.x)[at + i];
        const uint32_t inside = step<OnlyY>(p, x, y, codes);
        for (int i = 0; i < count; ++i) {
            if (row.y) static_cast<E*>(row.y)[at + i] = y[i];
            if (row.codes) row.codes[at + i] = codes[i];
        }
        if constexpr (OnlyY) return 0;
        if (row.mask) putBits(row.mask, at, inside, count);
        return count - __builtin_popcount(inside & ((1u << count) - 1u));
    }

    template<bool OnlyY> static int64_t quantizeGroup(const Group& p, const Row& row, int64_t begin, int64_t n) {
        const E* x = static_cast<const E*>(row.x) + begin;
        E* y = row.y ? static_cast<E*>(row.y) + begin : nullptr;
        int64_t i = 0, clipped = 0;
        if constexpr (OnlyY) {
            for (; i + W <= n; i += W) step<true>(p, x + i, y + i, nullptr);
        } else {
            int8_t* codes = row.codes ? row.codes + begin : nullptr;
            const bool aligned = begin % W == 0;
            auto* bytes = reinterpret_cast<uint8_t*>(row.mask) + begin / 8;
            for (; i + W <= n; i += W) {
                const uint32_t inside = step<false>(p, x + i, y ? y + i : nullptr, codes ? codes + i : nullptr);
                clipped += W - __builtin_popcount(inside);
                if (!row.mask) continue;
                if (aligned)
                    V::storeMask(bytes + i / 8, inside);
                else
                    putBits(row.mask, begin + i, inside, W);
            }
        }
        if (i < n) clipped += tail<OnlyY>(p, row, begin + i, static_cast<int>(n - i));
        return clipped;
    }

    static void ranges(const Grid& g, const Row& row, int64_t first, int count, Batch& b) {
        const E* x = static_cast<const E*>(row.x) + first * g.group;
        for (int j = 0; j < count; ++j, x += g.group) {
            if (F == Family::IntSymmetric && !g.noClip)
                b.hi[j] = V::template absMax<T>(x, g.group);
            else
                V::template minMax<T>(x, g.group, b.lo[j], b.hi[j]);
        }
        for (int j = count; j < kBatch; ++j) b.lo[j] = b.hi[j] = 0;
    }

    template<bool OnlyY> static int64_t run(const Grid& g, const Row& row) {
        if (!OnlyY && row.mask) row.mask[(g.cols - 1) >> 6] = 0; // bits past the last column
        int64_t batch = kBatchBytes / (g.group * static_cast<int64_t>(sizeof(E)));
        batch = batch < 1 ? 1 : batch > kBatch ? kBatch : batch;
        const int64_t groups = g.groupsPerRow();
        int64_t clipped = 0;
        Batch b;
        for (int64_t first = 0; first < groups; first += batch) {
            const int count = static_cast<int>(groups - first < batch ? groups - first : batch);
            ranges(g, row, first, count, b);
            parameters(g, b, count);
            for (int j = 0; j < count; ++j) {
                const int64_t group = first + j;
                if (!((b.sane >> j) & 1u)) {
                    clipped += quantizeGroupScalar(g, row, group);
                    continue;
                }
                if constexpr (!OnlyY) storeParameters(g, b, row, group, j);
                clipped += quantizeGroup<OnlyY>(spread(g, b, j), row, group * g.group, g.group);
            }
        }
        return clipped;
    }
};

template<class V, Family F> RowKernel pickTypes(const Grid& g, bool onlyY) {
    const auto pick = [&]<DType T, DType S>() -> RowKernel {
        return onlyY ? &FusedRow<V, F, T, S>::template run<true> : &FusedRow<V, F, T, S>::template run<false>;
    };
    if (g.type == DType::F16 || g.scaleType == DType::F16) return nullptr;
    if constexpr (F == Family::Int4Zp) {
        return g.type == DType::F32 ? pick.template operator()<DType::F32, DType::F32>()
                                    : pick.template operator()<DType::BF16, DType::F32>();
    } else {
        if (g.type == DType::F32)
            return g.scaleType == DType::F32 ? pick.template operator()<DType::F32, DType::F32>()
                                             : pick.template operator()<DType::F32, DType::BF16>();
        return g.scaleType == DType::F32 ? pick.template operator()<DType::BF16, DType::F32>()
                                         : pick.template operator()<DType::BF16, DType::BF16>();
    }
}

template<class V> RowKernel pickKernel(const Grid& g, bool onlyY) {
    switch (g.family) {
    case Family::IntSymmetric:
        return pickTypes<V, Family::IntSymmetric>(g, onlyY);
    case Family::IntAsymmetric:
        return pickTypes<V, Family::IntAsymmetric>(g, onlyY);
    case Family::Tinygemm:
        return pickTypes<V, Family::Tinygemm>(g, onlyY);
    case Family::Int4Zp:
        return pickTypes<V, Family::Int4Zp>(g, onlyY);
    }
    return nullptr;
}

} // namespace

} // namespace qw::numerics
