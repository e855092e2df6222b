// SPDX-License-Identifier: GPL-3.0-or-later
#include "quant/fake_quant_ops.h"
#include "quant/grids.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

namespace qw::quant {

numerics::Grid gridOf(const records::QuantBlock& block, records::Role role, records::DType type, int64_t rows, int64_t cols) {
    auto grid = numerics::resolveGrid(block, role, type, rows, cols);
    TORCH_CHECK(grid.ok(), "a planned block does not fit its matrix: ", grid.ok() ? "" : grid.error().message);
    return *grid;
}

namespace {

FakeQuantized search(const numerics::Grid& grid, const at::Tensor& w) {
    const at::Tensor onHost = w.cpu();
    FakeQuantized q;
    q.codes = at::empty(w.sizes(), onHost.options().dtype(at::kChar));
    q.scale = at::empty({grid.rows, grid.groupsPerRow()}, onHost.options().dtype(torchType(grid.scaleType)));
    numerics::Outputs out;
    out.codes = q.codes.data_ptr<int8_t>();
    out.scale = q.scale.data_ptr();
    if (grid.hasZero()) {
        const bool integer = grid.family == numerics::Family::IntAsymmetric;
        q.zero = at::empty(q.scale.sizes(), q.scale.options().dtype(integer ? at::kInt : torchType(grid.scaleType)));
        out.zero = q.zero.data_ptr();
    }
    numerics::rangeSearchQuantize(grid, {}, onHost.const_data_ptr(), out, torchParallel());
    return q;
}

} // namespace

Converted convert(const model::Decoder& decoder, const Plan& plan, int module, records::DType exportType, const std::string& method) {
    const at::NoGradGuard noGrad;
    const model::Module& m = decoder.modules()[static_cast<size_t>(module)];
    const at::Tensor& weight = decoder.parameters()[static_cast<size_t>(m.parameter)].tensor;
    const records::DType type = quantizedType(recordType(weight.scalar_type()), exportType);
    const at::Tensor w = weight.detach().to(torchType(type)).contiguous();

    Converted result;
    result.module = module;
    result.block = matrixBlock(plan, module);
    result.grid = gridOf(result.block, matrixRole(plan, module), type, w.size(0), w.size(1));
    Wanted wanted;
    wanted.y = false;
    wanted.codes = wanted.params = true;
    const FakeQuantized q = method == "mse" ? search(result.grid, w) : fakeQuantize(result.grid, w, wanted);
    result.codes = q.codes;
    result.scale = q.scale;
    result.zero = q.zero;
    return result;
}

} // namespace qw::quant
