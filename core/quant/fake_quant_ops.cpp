// SPDX-License-Identifier: GPL-3.0-or-later
#include "quant/fake_quant_ops.h"

#include "model/load.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/round.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

namespace qw::quant {

namespace {

using numerics::Family;
using numerics::Grid;

int64_t maskWords(const Grid& g) { return (g.cols + 63) / 64; }

FakeQuantized onCpu(const Grid& g, const at::Tensor& x, const Wanted& wanted) {
    FakeQuantized result;
    numerics::Outputs out;
    if (wanted.y) {
        result.y = at::empty_like(x);
        out.y = result.y.data_ptr();
    }
    if (wanted.codes) {
        result.codes = at::empty(x.sizes(), x.options().dtype(at::kChar));
        out.codes = result.codes.data_ptr<int8_t>();
    }
    if (wanted.params) {
        const at::ScalarType s = torchType(g.scaleType);
        result.scale = at::empty({g.rows, g.groupsPerRow()}, x.options().dtype(s));
        out.scale = result.scale.data_ptr();
        if (g.hasZero()) {
            result.zero = at::empty_like(result.scale, x.options().dtype(g.family == Family::IntAsymmetric ? at::kInt : s));
            out.zero = result.zero.data_ptr();
        }
    }
    if (wanted.mask) {
        result.mask = at::empty({g.rows, maskWords(g)}, x.options().dtype(at::kLong));
        out.mask = reinterpret_cast<uint64_t*>(result.mask.data_ptr<int64_t>());
    }
    out.stats = wanted.stats;
    if (wanted.reference)
        numerics::fakeQuantizeReference(g, x.data_ptr(), out);
    else
        numerics::fakeQuantize(g, x.data_ptr(), out, torchParallel());
    return result;
}

// Formulas of quantization.md 2 as ATen rounds them: one rounding to the operation's dtype after an fp32 operation.
class AtenPath {
public:
    AtenPath(const Grid& grid, const at::Tensor& x) : g(grid), m_x(x.reshape({grid.rows, grid.groupsPerRow(), grid.group})) {}

    FakeQuantized run(const Wanted& wanted, const at::Tensor& shape) {
        parameters();
        at::Tensor raw;
        if (g.family == Family::Tinygemm)
            raw = at::round((m_x - column(m_minimum)) / column(m_scale));
        else if (g.family == Family::Int4Zp)
            raw = at::round((m_x.to(at::kFloat) - column(m_minimum)) / column(m_scale)) - 8;
        else if (g.family == Family::IntAsymmetric)
            raw = at::round(m_x * column(at::reciprocal(m_scale))) + column(m_zero);
        else
            raw = at::round(m_x * column(at::reciprocal(m_scale))) + 0;
        const at::Tensor q = at::clamp(raw, g.qmin, g.qmax);
        FakeQuantized result;
        if (wanted.y || wanted.stats) result.y = values(q).reshape(shape.sizes());
        if (wanted.codes) result.codes = (g.qmin == 0 ? q.to(at::kByte).view(at::kChar) : q.to(at::kChar)).reshape(shape.sizes());
        if (wanted.params) {
            result.scale = m_scale.reshape({g.rows, g.groupsPerRow()});
            if (g.hasZero()) result.zero = m_zero.reshape({g.rows, g.groupsPerRow()});
        }
        const at::Tensor inside = raw.ge(g.qmin).logical_and(raw.le(g.qmax));
        if (wanted.mask) result.mask = inside.reshape(shape.sizes());
        if (wanted.stats) statistics(*wanted.stats, result.y, raw, shape);
        if (!wanted.y) result.y = at::Tensor();
        return result;
    }

    AtenPath(const Grid& grid, const at::Tensor& scale, const at::Tensor& zero) : g(grid), m_scale(scale), m_zero(zero) {}
    [[nodiscard]] at::Tensor values(const at::Tensor& q) const {
        const at::ScalarType T = torchType(g.type);
        if (g.family == Family::IntSymmetric) return (q.to(T) * column(m_scale)).to(T);
        if (g.family == Family::IntAsymmetric) return ((q.to(T) - column(m_zero.to(T))) * column(m_scale)).to(T);
        if (g.family == Family::Int4Zp) return (q * column(m_scale) + column(m_zero)).to(T);
        return (((q - (g.qmax + 1) / 2).to(T) * column(m_scale)).to(T) + column(m_zero)).to(T);
    }

private:
    [[nodiscard]] at::Tensor divisor(double v) const { return at::scalar_tensor(v, m_x.options().dtype(at::kFloat)); }
    static at::Tensor column(const at::Tensor& perGroup) { return perGroup.unsqueeze(-1); }

    void parameters() {
        const at::ScalarType S = torchType(g.scaleType);
        const double span = g.qmax - g.qmin;
        const at::Tensor x = g.family == Family::Int4Zp ? m_x.to(at::kFloat) : m_x;
        const at::Tensor lo = at::amin(x, {-1}), hi = at::amax(x, {-1});
        const at::Tensor nil = at::zeros_like(lo);
        switch (g.family) {
        case Family::IntSymmetric: {
            at::Tensor s;
            if (g.noClip) {
                const at::Tensor below = at::minimum(lo, nil) / divisor(g.qmin), above = at::maximum(hi, nil) / divisor(g.qmax);
                s = at::where(below.gt(above).logical_or(below.isnan()), below, above);
            } else {
                s = at::maximum(at::maximum(hi, nil), -at::minimum(lo, nil)) / divisor(span / 2);
            }
            m_scale = at::clamp_min(s, g.eps).to(S);
            return;
        }
        case Family::IntAsymmetric: {
            const at::Tensor low = at::minimum(lo, nil);
            const at::Tensor s = at::clamp_min((at::maximum(hi, nil) - low) / divisor(span), g.eps);
            m_zero = at::clamp(-at::round(low / s) + g.qmin, g.qmin, g.qmax).to(at::kInt);
            m_scale = s.to(S);
            return;
        }
        case Family::Tinygemm: {
            const double mid = (span + 1) / 2;
            const at::Tensor s = at::clamp_min((hi - lo) / divisor(span), g.eps);
            m_zero = (lo + s * mid).to(S);
            m_scale = s.to(S);
            m_minimum = m_zero - m_scale * mid;
            return;
        }
        case Family::Int4Zp:
            m_scale = at::clamp_min(hi - lo, g.eps) / divisor(15);
            m_zero = lo + m_scale * 8;
            m_minimum = lo;
            return;
        }
    }

    void statistics(numerics::Stats& stats, const at::Tensor& y, const at::Tensor& raw, const at::Tensor& x) const {
        const at::Tensor from = x.to(at::kDouble), error = from - y.to(at::kDouble);
        stats.sumSquares += (from * from).sum().item<double>();
        stats.sumSquaredError += (error * error).sum().item<double>();
        stats.clipped += raw.lt(g.qmin).logical_or(raw.gt(g.qmax)).sum().item<int64_t>();
        stats.underflow += x.ne(0).logical_and(y.eq(0)).sum().item<int64_t>();
        stats.nonfinite += x.isfinite().logical_not().sum().item<int64_t>();
        stats.count += x.numel();
    }

    const Grid& g;
    at::Tensor m_x, m_scale, m_zero, m_minimum;
};

// Rounds; the gradient passes unchanged (quantization.md 0.5).
struct RoundStraight : torch::autograd::Function<RoundStraight> {
    static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& x) { return at::round(x); }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext*, const torch::autograd::variable_list& grads) {
        return grads;
    }
};

} // namespace

ParallelFor torchParallel() {
    return [](int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
        at::parallel_for(0, count, grain, [&](int64_t begin, int64_t end) { body(begin, end); });
    };
}

at::ScalarType torchType(records::DType type) { return model::toTorch(type); }
records::DType recordType(at::ScalarType type) { return model::toRecord(type); }

FakeQuantized fakeQuantize(const Grid& grid, const at::Tensor& x, const Wanted& wanted) {
    const at::Tensor dense = x.contiguous();
    if (dense.is_cpu() && !wanted.aten) return onCpu(grid, dense, wanted);
    return AtenPath(grid, dense).run(wanted, dense);
}

at::Tensor valuesOf(const Grid& grid, const at::Tensor& codes, const at::Tensor& scale, const at::Tensor& zero, bool aten) {
    if (codes.is_cpu() && !aten) {
        at::Tensor y = at::empty({grid.rows, grid.cols}, codes.options().dtype(torchType(grid.type)));
        numerics::dequantize(grid, codes.const_data_ptr<int8_t>(), scale.const_data_ptr(), zero.defined() ? zero.const_data_ptr() : nullptr,
                             y.data_ptr(), torchParallel());
        return y;
    }
    const at::Tensor q = (grid.qmin == 0 ? codes.view(at::kByte) : codes).reshape({grid.rows, grid.groupsPerRow(), grid.group});
    return AtenPath(grid, scale, zero).values(q.to(at::kFloat)).reshape({grid.rows, grid.cols});
}

at::Tensor masked(const Grid& grid, const at::Tensor& mask, const at::Tensor& gradient) {
    if (mask.scalar_type() == at::kBool) return at::where(mask, gradient, at::zeros_like(gradient));
    const at::Tensor dense = gradient.contiguous();
    at::Tensor out = at::empty_like(dense);
    numerics::maskGradient(recordType(dense.scalar_type()), grid.rows, grid.cols,
                           reinterpret_cast<const uint64_t*>(mask.const_data_ptr<int64_t>()), dense.const_data_ptr(), out.data_ptr(),
                           torchParallel());
    return out;
}

at::Tensor maskedInPlace(const Grid& grid, const at::Tensor& mask, const at::Tensor& gradient) {
    if (mask.scalar_type() == at::kBool || !gradient.is_contiguous()) return masked(grid, mask, gradient);
    numerics::applyMask(recordType(gradient.scalar_type()), grid.rows, grid.cols,
                        reinterpret_cast<const uint64_t*>(mask.const_data_ptr<int64_t>()), gradient.data_ptr(), torchParallel());
    return gradient;
}

at::Tensor int4ZpThroughRange(const Grid& grid, const at::Tensor& x) {
    const at::Tensor w = x.to(at::kFloat).reshape({grid.rows, grid.groupsPerRow(), grid.group});
    const at::Tensor hi = at::amax(w, {-1}, true), lo = at::amin(w, {-1}, true);
    const at::Tensor scale = at::clamp_min(hi - lo, grid.eps) / at::scalar_tensor(15.0, w.options());
    const at::Tensor zero = lo + scale * 8;
    const at::Tensor q = at::clamp(RoundStraight::apply((w - lo) / scale), 0, 15) - 8;
    return (q * scale + zero).reshape(x.sizes()).to(x.scalar_type());
}

} // namespace qw::quant
