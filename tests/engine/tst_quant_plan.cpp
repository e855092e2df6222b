// SPDX-License-Identifier: GPL-3.0-or-later
// What: which matrices a scheme is aimed at, which are left out and why; what telemetry says of them.
#include "quant/fake_quant_ops.h"
#include "quant/grids.h"
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

class QuantPlanTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { at::globalContext().setDeterministicAlgorithms(true, false); }

    void planSelectsTheDefaultModules() {
        const model::Decoder d = decoder(false);
        const auto p = plan(d, scheme(groups(4, 32), true));
        QVERIFY(p);
        QCOMPARE(p->weightModules.size(), size_t{14}); // 7 linears in each of 2 layers, no lm_head
        QVERIFY(p->activationModules == p->weightModules);
        QCOMPARE(p->embeddingModule, -1);
        QCOMPARE(p->bitsPerWeight, 5.0);
        QCOMPARE(p->layers.front().scheme, std::string("int4 g32 sym + activation int8 per-token asym"));
        records::QatBlock s = scheme(groups(4, 32), false);
        s.modules.lmHead = true;
        s.modules.exclude = {"*.self_attn.*"};
        QCOMPARE(plan(d, s)->weightModules.size(), size_t{7});
        // The same decision from shapes alone.
        const auto shapes = plan(tiny(), false, s, DType::F32);
        QVERIFY(shapes);
        QVERIFY(shapes->weightModules == plan(d, s)->weightModules);
    }

    void tiedHeadIsAMatrixOfItsOwn() {
        const model::Decoder d = decoder(true);
        records::QatBlock s = scheme(groups(4, 32), false);
        s.modules.include = {"lm_head"};
        s.modules.lmHead = true;
        const auto p = plan(d, s);
        QVERIFY(p);
        QCOMPARE(p->weightModules.size(), size_t{1});
        QVERIFY(plan(tiny(), true, s, DType::F32)->weightModules == p->weightModules);
        Quantizer q(d, *p, DType::F32);
        const int table = moduleNamed(d, "model.embed_tokens");
        const at::Tensor ids = someRows().ids;
        const at::NoGradGuard off;
        QVERIFY(
            equalBits(q.embed(table, ids, weightOf(d, table), -1), weightOf(d, table).index({ids}))); // the embedding side stays as it is
        QVERIFY(!q.weight(p->weightModules.front(), weightOf(d, table)).equal(weightOf(d, table)));
    }

    void indivisibleGroups() {
        const model::Decoder d = decoder();
        records::QatBlock s = scheme(groups(4, 64), false); // 96 columns of down_proj are no multiple of 64
        const auto p = plan(d, s);
        QVERIFY(p);
        QCOMPARE(p->weightModules.size(), size_t{12});
        const auto skipped = std::ranges::count_if(p->layers, [](const records::LayerInfo& l) { return !l.skipReason.empty(); });
        QCOMPARE(skipped, 2);
        s.modules.onIndivisible = records::OnIndivisible::Error;
        const auto refused = plan(d, s);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, std::string("config.conflict"));
        QVERIFY(refused.error().message.find("model.layers.0.mlp.down_proj") != std::string::npos);
        s = scheme(groups(4, 7), false);
        const auto none = plan(d, s);
        QVERIFY(!none);
        QCOMPARE(none.error().code, std::string("config.invalid"));
    }

    void nothingMatches() {
        const model::Decoder d = decoder();
        records::QatBlock s = scheme(groups(4, 32), false);
        s.modules.include = {"encoder.*"};
        QCOMPARE(plan(d, s).error().code, std::string("config.invalid"));
        QCOMPARE(plan(d, records::QatBlock{}).error().code, std::string("config.invalid"));
    }

    void telemetryMeasuresMovement() {
        const model::Decoder d = decoder();
        const auto p = plan(d, scheme(groups(4, 32), false));
        Quantizer q(d, *p, DType::F32);
        const int m = p->weightModules.front();
        LayerTelemetry t = q.telemetry(m, 0);
        QCOMPARE(t.flipRate, 0.0);
        QCOMPARE(t.scaleDriftMax, 0.0);
        QVERIFY(t.wSqnrDb > 10 && t.wSqnrDb < 40);
        QVERIFY(t.clipFraction > 0 && t.clipFraction < 0.1);
        const auto kept = q.telemetryState();
        {
            const at::NoGradGuard off;
            at::Tensor w = weightOf(d, m);
            w.mul_(2);
            w[0][0] = -w[0][0];
        }
        q.weightsChanged();
        t = q.telemetry(m, 4);
        QVERIFY(std::abs(t.scaleDriftMean - 1) < 1e-6); // twice the scale: one octave
        QVERIFY(t.flipRate > 0 && t.flipRate < 1);
        Quantizer resumed(d, *p, DType::F32);
        resumed.restoreTelemetry(kept);
        const LayerTelemetry again = resumed.telemetry(m, 4);
        QCOMPARE(again.flipRate, t.flipRate);
        QCOMPARE(again.scaleDriftMean, t.scaleDriftMean);
    }
};

QTEST_GUILESS_MAIN(QuantPlanTest)
#include "tst_quant_plan.moc"
