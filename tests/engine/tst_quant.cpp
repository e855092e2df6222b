// SPDX-License-Identifier: GPL-3.0-or-later
// What: the quantizer as the decoder's hook: forward as numerics, gradients zero exactly where clamped, delay, convert, the ATen path, the
// plan.
#include "quant/fake_quant_ops.h"
#include "quant/grids.h"
#include "quant/straight_through.h"
#include "quant_fixture.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <bit>
#include <torch/csrc/autograd/autograd.h>

using namespace qw;
using namespace qw::quant;
using namespace qw::test;

class QuantTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { at::globalContext().setDeterministicAlgorithms(true, false); }

    void atenPathEqualsKernels_data() {
        QTest::addColumn<int>("family");
        QTest::addColumn<int>("type");
        const auto all = families();
        for (size_t i = 0; i < all.size(); ++i)
            for (const DType t : {DType::F32, DType::BF16}) QTest::addRow("%s, T %d", all[i].name, int(t)) << int(i) << int(t);
    }
    void atenPathEqualsKernels() {
        QFETCH(int, family);
        QFETCH(int, type);
        const Named f = families()[static_cast<size_t>(family)];
        at::Tensor x = at::randn({24, 64}, at::TensorOptions(at::kFloat)) * 0.1;
        x[0].zero_();
        x[1] *= 1e-42;
        x[2][5] = 1000;
        x[3].fill_(0.7);
        x[4] = at::arange(64, at::TensorOptions(at::kFloat)) * 0.125 - 4;
        x[5].abs_();
        x = x.to(torchType(static_cast<DType>(type)));
        const auto grid = numerics::resolveGrid(f.block, f.role, static_cast<DType>(type), 24, 64);
        QVERIFY(grid);
        numerics::Stats kernelStats, atenStats;
        Wanted wanted;
        wanted.codes = wanted.params = wanted.mask = true;
        wanted.stats = &kernelStats;
        const FakeQuantized kernel = fakeQuantize(*grid, x, wanted);
        wanted.stats = &atenStats;
        wanted.aten = true;
        const FakeQuantized aten = fakeQuantize(*grid, x, wanted);
        QVERIFY(equalBits(kernel.y, aten.y));
        QVERIFY(equalBits(kernel.codes, aten.codes));
        QVERIFY(equalBits(kernel.scale, aten.scale));
        QCOMPARE(kernel.zero.defined(), aten.zero.defined());
        if (kernel.zero.defined()) QVERIFY(equalBits(kernel.zero, aten.zero));
        const at::Tensor ones = at::ones_like(x);
        QVERIFY(equalBits(masked(*grid, kernel.mask, ones), masked(*grid, aten.mask, ones)));
        QCOMPARE(kernelStats.clipped, atenStats.clipped);
        QVERIFY(std::abs(kernelStats.sumSquaredError - atenStats.sumSquaredError) <= 1e-9 * atenStats.sumSquaredError);
        QVERIFY(equalBits(fakeQuantize(*grid, x, {.reference = true}).y, kernel.y));
    }

    void weightGradientIsMaskedExactly() {
        const model::Decoder d = decoder();
        const auto p = plan(d, scheme(groups(4, 32), false));
        QVERIFY(p);
        Quantizer q(d, *p, DType::F32);
        const int module = moduleNamed(d, "model.layers.0.mlp.up_proj");
        at::Tensor w = weightOf(d, module).detach().clone().requires_grad_(true);
        const at::Tensor y = q.weight(module, w);
        const at::Tensor g = at::randn(w.sizes(), w.options().requires_grad(false));
        torch::autograd::backward({y}, {g});
        const auto grid = numerics::resolveGrid(*p->block.weight, Role::Weight, DType::F32, w.size(0), w.size(1));
        Wanted wanted;
        wanted.mask = true;
        const FakeQuantized expected = fakeQuantize(*grid, w.detach(), wanted);
        QVERIFY(equalBits(y.detach(), expected.y));
        QVERIFY(equalBits(w.grad(), masked(*grid, expected.mask, g)));
        QVERIFY(w.grad().eq(0).sum().item<int64_t>() > 0);
        QVERIFY(w.grad().eq(g).sum().item<int64_t>() > w.numel() / 2);
    }
    void identitySteLeavesTheGradientAlone() {
        const model::Decoder d = decoder();
        records::QatBlock s = scheme(groups(4, 32), true);
        s.ste = records::Ste::Identity;
        Quantizer q(d, *plan(d, s), DType::F32);
        const int module = moduleNamed(d, "model.layers.1.mlp.up_proj");
        at::Tensor w = weightOf(d, module).detach().clone().requires_grad_(true);
        at::Tensor x = at::randn({3, 64}, at::TensorOptions(at::kFloat)).requires_grad_(true);
        torch::autograd::backward({q.weight(module, w), q.input(module, x)}, {at::ones_like(w), at::ones_like(x)});
        QVERIFY(w.grad().eq(1).all().item<bool>());
        QVERIFY(x.grad().eq(1).all().item<bool>());
        QVERIFY(!q.input(module, x).equal(x));
    }
    void activationIsQuantizedOncePerInput() {
        const model::Decoder d = decoder();
        Quantizer q(d, *plan(d, scheme(groups(4, 32), true)), DType::F32);
        const int a = moduleNamed(d, "model.layers.0.self_attn.q_proj"), b = moduleNamed(d, "model.layers.0.self_attn.k_proj");
        at::Tensor x = at::randn({2, 5, 64}, at::TensorOptions(at::kFloat)).requires_grad_(true);
        const at::Tensor first = q.input(a, x);
        QVERIFY(q.input(b, x).is_same(first));
        {
            const at::NoGradGuard off;
            QVERIFY(!q.input(a, x).requires_grad()); // never the one with a graph
        }
        const at::Tensor other = x.detach() * 1.5;
        QVERIFY(!q.input(a, other).is_same(first));
        // The gradient is the mask of the per-token grid.
        const at::Tensor y = q.input(a, x);
        torch::autograd::backward({y}, {at::ones_like(y)});
        const auto grid = numerics::resolveGrid(tokens(), Role::Activation, DType::F32, 10, 64);
        Wanted wanted;
        wanted.mask = true;
        const FakeQuantized expected = fakeQuantize(*grid, x.detach(), wanted);
        QVERIFY(equalBits(y.detach(), expected.y));
        QVERIFY(equalBits(x.grad(), masked(*grid, expected.mask, at::ones_like(y))));
    }
    void cacheFollowsTheWeight() {
        const model::Decoder d = decoder();
        Quantizer q(d, *plan(d, scheme(groups(4, 32), false)), DType::F32);
        const int module = moduleNamed(d, "model.layers.0.mlp.down_proj");
        const at::NoGradGuard off;
        at::Tensor w = weightOf(d, module).detach().clone();
        const at::Tensor before = q.weight(module, w);
        QVERIFY(q.weight(module, w).is_same(before));
        w.data_ptr<float>()[0] += 1; // as an optimizer kernel on raw memory does
        q.weightsChanged();
        QVERIFY(!q.weight(module, w).equal(before));
    }
    void offIsTheIdentity() {
        model::Decoder d = decoder();
        for (auto& p : d.parameters()) p.tensor.requires_grad_(true);
        const auto run = [&] {
            const at::Tensor logits = d.logits(d.hidden(someRows()));
            torch::autograd::backward({logits.square().sum()});
            std::vector<at::Tensor> all{logits.detach()};
            for (auto& p : d.parameters()) {
                all.push_back(p.tensor.grad().clone());
                p.tensor.mutable_grad() = at::Tensor();
            }
            return all;
        };
        const auto plain = run();
        records::QatBlock s = scheme(groups(4, 32), true);
        s.embedding = groups(8, 32);
        Quantizer q(d, *plan(d, s), DType::F32);
        d.setHook(&q);
        q.setEnabled(false);
        const auto off = run();
        q.setEnabled(true);
        const auto on = run();
        d.setHook(nullptr);
        QCOMPARE(off.size(), plain.size());
        for (size_t i = 0; i < plain.size(); ++i) QVERIFY(equalBits(plain[i], off[i]));
        QVERIFY(!on[0].equal(plain[0]));
    }
    void exportTypeIsCastToFirst() {
        const model::Decoder d = decoder();
        Quantizer q(d, *plan(d, scheme(groups(4, 32), false), DType::BF16), DType::BF16);
        const int module = moduleNamed(d, "model.layers.0.mlp.up_proj");
        at::Tensor w = weightOf(d, module).detach().clone().requires_grad_(true);
        const at::Tensor y = q.weight(module, w);
        QCOMPARE(y.scalar_type(), at::kFloat);
        const auto grid = numerics::resolveGrid(groups(4, 32), Role::Weight, DType::BF16, w.size(0), w.size(1));
        QVERIFY(equalBits(y.detach(), fakeQuantize(*grid, w.detach().to(at::kBFloat16), {}).y.to(at::kFloat)));
        const at::Tensor g = at::randn(w.sizes(), at::TensorOptions(at::kFloat));
        torch::autograd::backward({y}, {g});
        QVERIFY(w.grad().ne(0).logical_and(w.grad().ne(g)).sum().item<int64_t>() == 0); // exact, not rounded to bf16
    }
    void embeddingRowsEqualTheTable() {
        const model::Decoder d = decoder();
        records::QatBlock s;
        s.embedding = groups(4, 32);
        const auto p = plan(d, s);
        QVERIFY(p);
        QVERIFY(p->embeddingModule >= 0);
        Quantizer q(d, *p, DType::F32);
        const at::Tensor table = weightOf(d, p->embeddingModule);
        const auto grid = numerics::resolveGrid(groups(4, 32), Role::Embedding, DType::F32, table.size(0), table.size(1));
        const at::Tensor ids = someRows().ids;
        const at::NoGradGuard off;
        QVERIFY(equalBits(q.embed(p->embeddingModule, ids, table, -1), fakeQuantize(*grid, table, {}).y.index({ids})));
    }
    void convertGivesTheTrainedBits_data() { atenPathEqualsKernels_data(); }
    void convertGivesTheTrainedBits() {
        QFETCH(int, family);
        QFETCH(int, type);
        const Named f = families()[static_cast<size_t>(family)];
        if (f.role == Role::Activation) return;
        const model::Decoder d = decoder(true, torchType(static_cast<DType>(type)));
        const auto p = plan(d, scheme(f.block, false));
        QVERIFY(p);
        Quantizer q(d, *p, static_cast<DType>(type));
        const at::NoGradGuard off;
        for (const int m : p->weightModules) {
            const Converted c = convert(d, *p, m, static_cast<DType>(type), "rtn");
            at::Tensor y = at::empty(c.codes.sizes(), at::TensorOptions(torchType(c.grid.type)));
            numerics::dequantize(c.grid, c.codes.const_data_ptr<int8_t>(), c.scale.const_data_ptr(),
                                 c.zero.defined() ? c.zero.const_data_ptr() : nullptr, y.data_ptr(), serial());
            QVERIFY(equalBits(y, q.weight(m, weightOf(d, m))));
        }
    }
    void mseNeverHasMoreErrorThanRounding() {
        const model::Decoder d = decoder();
        const auto p = plan(d, scheme(groups(3, 32), false));
        const int m = p->weightModules.front();
        const auto error = [&](const std::string& method) {
            const Converted c = convert(d, *p, m, DType::F32, method);
            at::Tensor y = at::empty(c.codes.sizes(), at::TensorOptions(at::kFloat));
            numerics::dequantize(c.grid, c.codes.const_data_ptr<int8_t>(), c.scale.const_data_ptr(), nullptr, y.data_ptr(), serial());
            return (y - weightOf(d, m).detach()).square().sum().item<double>();
        };
        QVERIFY(error("mse") < error("rtn"));
    }
    void qparamGradientFlowsThroughTheRange() {
        const model::Decoder d = decoder();
        QuantBlock zp = groups(4, 32);
        zp.format = Format::Int4Zp;
        records::QatBlock s = scheme(zp, false);
        s.qparamGrad = true;
        Quantizer q(d, *plan(d, s), DType::F32);
        const int module = moduleNamed(d, "model.layers.0.mlp.up_proj");
        at::Tensor w = weightOf(d, module).detach().clone().requires_grad_(true);
        const at::Tensor y = q.weight(module, w);
        const auto grid = numerics::resolveGrid(zp, Role::Weight, DType::F32, w.size(0), w.size(1));
        QVERIFY(equalBits(y.detach(), fakeQuantize(*grid, w.detach(), {}).y));
        const at::Tensor g = at::randn(w.sizes(), at::TensorOptions(at::kFloat));
        torch::autograd::backward({y}, {g});
        QVERIFY(w.grad().ne(0).logical_and(w.grad().ne(g)).sum().item<int64_t>() > 0);
    }

    // torchao 0.18.0, Int4WeightFakeQuantizer, group 8, fp32, upstream gradient as below: printed bits.
    void qparamGradientIsTorchaos() {
        const std::vector<float> values{.11f, -.26f, .05f, .33f, -.19f, .07f, .29f, -1}, upstream{1, 2, -3, .5f, .25f, -1, 4, 1.5f};
        const std::vector<uint32_t> expected{0x3f800000, 0x40000000, 0xc0400000, 0x3f13b27c,
                                             0x3e800000, 0xbf800000, 0x40800000, 0x3fb626c2};
        const auto tensor = [](const std::vector<float>& from) {
            at::Tensor t = at::empty({1, 8}, at::TensorOptions(at::kFloat));
            std::copy(from.begin(), from.end(), t.data_ptr<float>());
            return t;
        };
        QuantBlock zp = groups(4, 8);
        zp.format = Format::Int4Zp;
        at::Tensor w = tensor(values).requires_grad_(true);
        torch::autograd::backward({int4ZpThroughRange(*numerics::resolveGrid(zp, Role::Weight, DType::F32, 1, 8), w)}, {tensor(upstream)});
        for (size_t i = 0; i < 8; ++i) QCOMPARE(std::bit_cast<uint32_t>(w.grad().data_ptr<float>()[i]), expected[i]);
    }
};

QTEST_GUILESS_MAIN(QuantTest)
#include "tst_quant.moc"
