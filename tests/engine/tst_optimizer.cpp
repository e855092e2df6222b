// SPDX-License-Identifier: GPL-3.0-or-later
#include "test_data.h"
#include "train/optimizer.h"
#include "train/update_kernels.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/zeros_like.h>
#include <bit>
#include <cmath>
#include <limits>

using namespace qw;

namespace {

// Deterministic numbers around scale, no generator involved.
at::Tensor wave(int64_t count, double speed, double scale) { return at::sin(at::arange(count, at::kFloat) * speed + speed) * scale; }

std::vector<model::Parameter> oneMatrix(const at::Tensor& weight, const std::string& name = "model.layers.0.mlp.up_proj.weight") {
    return {{name, weight, checkpoint::TensorRole::Linear, 0}};
}

train::Optimizer make(const records::OptimBlock& optim, std::vector<model::Parameter>& parameters, const char* mode = "fp32",
                      const char* grad = "auto") {
    records::PrecisionBlock precision;
    precision.mode = mode;
    precision.gradDtype = grad;
    auto made = train::Optimizer::create(optim, precision, parameters);
    if (!made) qFatal("%s", made.error().message.c_str());
    return *std::move(made);
}

// Distance in units in the last place of fp32, for values of one sign.
int64_t ulps(const at::Tensor& a, const at::Tensor& b) {
    int64_t most = 0;
    const at::Tensor x = a.contiguous(), y = b.contiguous();
    for (int64_t i = 0; i < x.numel(); ++i) {
        const auto u = std::bit_cast<int32_t>(x.const_data_ptr<float>()[i]), v = std::bit_cast<int32_t>(y.const_data_ptr<float>()[i]);
        most = std::max<int64_t>(most, std::abs(static_cast<int64_t>(u) - v));
    }
    return most;
}

// training.md 4 in double precision.
struct Reference {
    std::vector<double> w, m, v, top, buffer;
};

} // namespace

class OptimizerTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { at::set_num_threads(2); }

    void adamwEqualsTorchsFusedKernel() {
        const int64_t n = 70001; // odd tail, several pieces
        records::OptimBlock optim;
        optim.weightDecay = 0.01;
        at::Tensor ours = wave(n, 0.37, 0.02).view({1, n});
        at::Tensor theirs = ours.clone(), m = at::zeros_like(theirs), v = at::zeros_like(theirs);
        auto parameters = oneMatrix(ours);
        train::Optimizer optimizer = make(optim, parameters);
        for (int64_t t = 0; t < 5; ++t) {
            const at::Tensor grad = wave(n, 0.11 + 0.05 * static_cast<double>(t), 1e-3).view({1, n});
            ours.mutable_grad() = grad.clone();
            optimizer.update(t, 1e-3, 1.0);
            at::Tensor step = at::zeros_like(theirs).sum() + static_cast<double>(t + 1);
            const at::NoGradGuard noGrad;
            std::vector<at::Tensor> w{theirs}, g{grad}, ms{m}, vs{v}, none, steps{step};
            at::_fused_adamw_(w, g, ms, vs, none, steps, 1e-3, 0.9, 0.999, 0.01, 1e-8, false, false);
        }
        const double most = (ours - theirs).abs().max().item<double>(); // one unit in the last place of 0.02 is 1.9e-9
        QVERIFY2(most <= 5 * 1.9e-9, qPrintable(QString::number(most)));
        QVERIFY((optimizer.slots()[0].first - m).abs().max().item<double>() <= 1e-10);
        QVERIFY(ulps(optimizer.slots()[0].second, v) <= 4);
    }
    void formula_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("amsgrad");
        QTest::addColumn<double>("momentum");
        QTest::addColumn<double>("dampening");
        QTest::addColumn<bool>("nesterov");
        QTest::addColumn<double>("weightDecay");
        QTest::newRow("training.md 4, adamw") << QStringLiteral("adamw") << false << 0.0 << 0.0 << false << 0.0;
        QTest::newRow("training.md 4, adamw, decay") << QStringLiteral("adamw") << false << 0.0 << 0.0 << false << 0.1;
        QTest::newRow("training.md 4, amsgrad") << QStringLiteral("adamw") << true << 0.0 << 0.0 << false << 0.1;
        QTest::newRow("training.md 4, sgd") << QStringLiteral("sgd") << false << 0.0 << 0.0 << false << 0.0;
        QTest::newRow("training.md 4, sgd momentum 0.9 wd 1e-5") << QStringLiteral("sgd") << false << 0.9 << 0.0 << false << 1e-5;
        QTest::newRow("training.md 4, sgd dampening") << QStringLiteral("sgd") << false << 0.9 << 0.3 << false << 1e-2;
        QTest::newRow("training.md 4, sgd nesterov") << QStringLiteral("sgd") << false << 0.9 << 0.0 << true << 1e-2;
    }
    void formula() {
        QFETCH(QString, name);
        QFETCH(bool, amsgrad);
        QFETCH(double, momentum);
        QFETCH(double, dampening);
        QFETCH(bool, nesterov);
        QFETCH(double, weightDecay);
        records::OptimBlock optim;
        optim.name = name.toStdString();
        optim.amsgrad = amsgrad;
        optim.momentum = momentum;
        optim.dampening = dampening;
        optim.nesterov = nesterov;
        optim.weightDecay = weightDecay;
        const size_t n = 331;
        at::Tensor weight = wave(static_cast<int64_t>(n), 0.7, 0.5).view({1, -1});
        Reference r{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
        for (size_t i = 0; i < n; ++i) r.w[i] = weight.const_data_ptr<float>()[i];
        auto parameters = oneMatrix(weight);
        train::Optimizer optimizer = make(optim, parameters);
        const double lr = 0.01, scale = 0.5;
        for (int t = 0; t < 4; ++t) {
            const at::Tensor grad = wave(static_cast<int64_t>(n), 0.3 + 0.2 * t, t == 2 ? 0.1 : 1.0).view({1, -1});
            weight.mutable_grad() = grad.clone();
            optimizer.update(t, lr, scale);
            for (size_t i = 0; i < n; ++i) {
                const double g0 = static_cast<double>(grad.const_data_ptr<float>()[i]) * scale;
                if (optim.name == "adamw") {
                    r.m[i] = 0.9 * r.m[i] + 0.1 * g0;
                    r.v[i] = 0.999 * r.v[i] + 0.001 * g0 * g0;
                    r.top[i] = std::max(r.top[i], r.v[i]);
                    const double mean = r.m[i] / (1 - std::pow(0.9, t + 1)),
                                 square = (amsgrad ? r.top[i] : r.v[i]) / (1 - std::pow(0.999, t + 1));
                    r.w[i] = r.w[i] * (1 - lr * weightDecay) - lr * mean / (std::sqrt(square) + 1e-8);
                } else {
                    const double g = g0 + weightDecay * r.w[i];
                    r.buffer[i] = t == 0 ? g : momentum * r.buffer[i] + (1 - dampening) * g;
                    const double d = momentum == 0 ? g : (nesterov ? g + momentum * r.buffer[i] : r.buffer[i]);
                    r.w[i] -= lr * d;
                }
            }
        }
        for (size_t i = 0; i < n; ++i) {
            const double got = weight.const_data_ptr<float>()[i];
            QVERIFY2(std::abs(got - r.w[i]) <= 3e-7, qPrintable(QStringLiteral("element %1: %2 and %3").arg(i).arg(got).arg(r.w[i])));
        }
    }
    void threadsDoNotMatter() {
        records::OptimBlock optim;
        const int64_t n = 200003;
        std::vector<at::Tensor> results;
        std::vector<double> norms;
        for (const int threads : {1, 2}) {
            at::set_num_threads(threads);
            at::Tensor weight = wave(n, 0.37, 0.02).view({1, n});
            auto parameters = oneMatrix(weight);
            train::Optimizer optimizer = make(optim, parameters);
            weight.mutable_grad() = wave(n, 0.91, 1.0).view({1, n});
            norms.push_back(optimizer.norm().norm);
            optimizer.update(0, 1e-3, 0.25);
            results.push_back(weight.detach());
        }
        QVERIFY(at::equal(results[0], results[1]));
        QCOMPARE(norms[0], norms[1]);
        const double want = at::linalg_vector_norm(wave(n, 0.91, 1.0).to(at::kDouble)).item<double>();
        QVERIFY(std::abs(norms[0] - want) <= 1e-7 * want);
    }
    void masterKeepsWhatBf16Loses() {
        records::OptimBlock optim;
        optim.name = "sgd";
        optim.lr = 1;
        at::Tensor weight = at::zeros_like(wave(64, 1, 1)).add(1.0).to(at::kBFloat16).view({1, 64});
        auto parameters = oneMatrix(weight);
        train::Optimizer optimizer = make(optim, parameters, "bf16_master");
        for (int i = 0; i < 8; ++i) {
            weight.mutable_grad() = at::zeros_like(weight).add(1e-3);
            optimizer.update(i, 1.0, 1.0); // 1e-3 is below the half ulp of 1 in bf16
        }
        QVERIFY(std::abs(optimizer.slots()[0].master[0][0].item<double>() - (1 - 8e-3)) < 1e-4);
        QCOMPARE(weight[0][0].item<double>(), 0.9921875); // nearest bf16 to 0.992
        at::Tensor pure = at::zeros_like(weight).add(1.0);
        auto pureParameters = oneMatrix(pure);
        train::Optimizer lossy = make(optim, pureParameters, "bf16_pure");
        for (int i = 0; i < 8; ++i) {
            pure.mutable_grad() = at::zeros_like(pure).add(1e-3);
            lossy.update(i, 1.0, 1.0);
        }
        QCOMPARE(pure[0][0].item<double>(), 1.0);
    }
    void wideGradientsAreSummedInFp32() {
        records::OptimBlock optim;
        optim.name = "sgd";
        at::Tensor weight = at::zeros_like(wave(32, 1, 1)).to(at::kBFloat16).view({1, 32});
        auto parameters = oneMatrix(weight);
        train::Optimizer optimizer = make(optim, parameters, "bf16_master", "fp32");
        optimizer.clearGradients();
        for (const double g : {1.0, 1e-3, 1e-3, 1e-3}) {
            weight.mutable_grad() = at::zeros_like(weight).add(g);
            optimizer.collectMicroBatch();
        }
        const double sum = optimizer.norm().norm / std::sqrt(32.0);
        QVERIFY2(std::abs(sum - 1.003) < 1e-5, qPrintable(QString::number(sum)));
    }
    void hostAndDevicePathsAgree() {
        // A tensor that is not contiguous takes the path of operations, as CUDA tensors do.
        records::OptimBlock optim;
        optim.weightDecay = 0.05;
        at::Tensor fused = wave(600, 0.37, 0.02).view({20, 30});
        at::Tensor plain = fused.t().contiguous().t();
        QVERIFY(!plain.is_contiguous());
        auto a = oneMatrix(fused), b = oneMatrix(plain);
        train::Optimizer first = make(optim, a), second = make(optim, b);
        for (int t = 0; t < 3; ++t) {
            const at::Tensor grad = wave(600, 0.2 + t, 1e-2).view({20, 30});
            fused.mutable_grad() = grad.clone();
            plain.mutable_grad() = grad.clone();
            first.update(t, 1e-3, 0.5);
            second.update(t, 1e-3, 0.5);
        }
        QVERIFY((fused - plain).abs().max().item<double>() <= 4e-9);
    }
    void groupsFollowRoles() {
        records::OptimBlock optim;
        optim.weightDecay = 0.1;
        optim.decayEmbeddings = false;
        optim.freeze = {"layers\\.1\\."};
        optim.lrGroups = {{"embed_tokens", 0.5}};
        const auto tensor = [] { return wave(8, 1, 1).view({2, 4}); };
        std::vector<model::Parameter> parameters{{"model.embed_tokens.weight", tensor(), checkpoint::TensorRole::Embedding, -1},
                                                 {"model.layers.0.mlp.up_proj.weight", tensor(), checkpoint::TensorRole::Linear, 0},
                                                 {"model.layers.1.mlp.up_proj.weight", tensor(), checkpoint::TensorRole::Linear, 1},
                                                 {"model.norm.weight", tensor(), checkpoint::TensorRole::Norm, -1}};
        train::Optimizer optimizer = make(optim, parameters);
        QCOMPARE(optimizer.slots().size(), size_t(3));
        QCOMPARE(optimizer.frozen(), std::vector<std::string>{"model.layers.1.mlp.up_proj.weight"});
        QVERIFY(!parameters[2].tensor.requires_grad());
        QCOMPARE(optimizer.slots()[0].weightDecay, 0.0);
        QCOMPARE(optimizer.slots()[0].lrScale, 0.5);
        QCOMPARE(optimizer.slots()[1].weightDecay, 0.1);
        QCOMPARE(optimizer.slots()[2].weightDecay, 0.0);
        optim.decayRule = "all";
        train::Optimizer all = make(optim, parameters);
        QCOMPARE(all.slots()[2].weightDecay, 0.1);
    }
    void refusesWhatItCannotDo() {
        records::PrecisionBlock precision;
        std::vector<model::Parameter> parameters = oneMatrix(wave(8, 1, 1).view({2, 4}));
        records::OptimBlock optim;
        optim.freeze = {"["};
        auto bad = train::Optimizer::create(optim, precision, parameters);
        QVERIFY(!bad && bad.error().code == "config.invalid" && bad.error().message.find("optim.freeze") != std::string::npos);
        optim.freeze = {".*"};
        auto empty = train::Optimizer::create(optim, precision, parameters);
        QVERIFY(!empty && empty.error().message.find("no parameter") != std::string::npos);
    }
    void clipping() {
        QCOMPARE(train::clipCoefficient(1.0, 0.5), 1.0);
        QCOMPARE(train::clipCoefficient(1.0, 4.0), 1.0 / (4.0 + 1e-6));
        QCOMPARE(train::clipCoefficient(std::numeric_limits<double>::infinity(), 4.0), 1.0);
        QCOMPARE(train::clipCoefficient(std::nullopt, 4.0), 1.0);
    }
    void oneInfinityIsSeen() {
        records::OptimBlock optim;
        at::Tensor weight = wave(10000, 1, 1).view({1, -1});
        auto parameters = oneMatrix(weight);
        train::Optimizer optimizer = make(optim, parameters);
        weight.mutable_grad() = wave(10000, 0.3, 1).view({1, -1});
        QVERIFY(optimizer.norm().finite);
        weight.mutable_grad()[0][9999] = std::numeric_limits<float>::infinity();
        QVERIFY(!optimizer.norm().finite);
    }
    void bf16Rounding() {
        // Ties to even, carry into the exponent, infinity, NaN: against ATen's own conversion.
        const at::Tensor from = at::cat({wave(4000, 0.37, 3e4), wave(4000, 0.77, 1e-38)}).contiguous();
        std::vector<float> edge{1.00390625F, 1.01171875F, 3.3961775e38F, std::numeric_limits<float>::infinity(), -0.0F};
        std::vector<uint16_t> to(static_cast<size_t>(from.numel()));
        train::roundToBf16(from.numel(), from.const_data_ptr<float>(), to.data());
        const at::Tensor want = from.to(at::kBFloat16);
        QVERIFY(std::equal(to.begin(), to.end(), static_cast<const uint16_t*>(want.const_data_ptr())));
        uint16_t out[5];
        train::roundToBf16(5, edge.data(), out);
        QCOMPARE(out[0], uint16_t(0x3f80));
        QCOMPARE(out[1], uint16_t(0x3f82));
        QCOMPARE(out[2], uint16_t(0x7f80));
        QCOMPARE(out[3], uint16_t(0x7f80));
        QCOMPARE(out[4], uint16_t(0x8000));
        const float nan = std::numeric_limits<float>::quiet_NaN();
        train::roundToBf16(1, &nan, out);
        QCOMPARE(out[0], uint16_t(0x7fc0));
    }
};

QTEST_GUILESS_MAIN(OptimizerTest)
#include "tst_optimizer.moc"
