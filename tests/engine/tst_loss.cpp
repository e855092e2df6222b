// SPDX-License-Identifier: GPL-3.0-or-later
#include "test_data.h"
#include "train/loss.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tensor.h>
#include <cmath>

using namespace qw;

namespace {

struct Problem {
    at::Tensor hidden, weight; // leaves
    std::vector<int64_t> keep, labels;
};

Problem problem(int64_t rows, int64_t vocab, int64_t width, at::ScalarType type = at::kFloat) {
    Problem p;
    p.hidden = at::cos(at::arange(rows * width, at::kFloat) * 0.713).view({2, rows / 2, width}).to(type).requires_grad_(true);
    p.weight = (at::cos(at::arange(vocab * width, at::kFloat) * 0.317) * 0.5).view({vocab, width}).to(type).requires_grad_(true);
    for (int64_t i = 0; i < rows; ++i) {
        if (i % 5 == 3) continue; // ignored rows
        p.keep.push_back(i);
        p.labels.push_back((i * 37 + 11) % vocab);
    }
    return p;
}

// The same sum from full logits, by ATen's own cross-entropy.
at::Tensor reference(const Problem& p, double scale) {
    const at::Tensor flat = p.hidden.reshape({-1, p.hidden.size(-1)});
    const at::Tensor logits = at::linear(at::index_select(flat, 0, at::tensor(p.keep)), p.weight).to(at::kFloat);
    return at::cross_entropy_loss(logits, at::tensor(p.labels), {}, at::Reduction::Sum) * scale;
}

double relative(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).to(at::kDouble).norm() / b.to(at::kDouble).norm()).item<double>();
}

} // namespace

class LossTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { at::set_num_threads(2); }

    void equalsFullLogits_data() {
        QTest::addColumn<int>("rows");
        QTest::addColumn<int>("chunk");
        QTest::addColumn<bool>("bf16");
        QTest::addColumn<double>("bound");
        QTest::newRow("one chunk") << 40 << 0 << false << 1e-6;
        QTest::newRow("chunks of 7, uneven tail") << 40 << 7 << false << 1e-6;
        QTest::newRow("chunks of 1") << 40 << 1 << false << 1e-6;
        QTest::newRow("bf16") << 40 << 0 << true << 1e-2;
    }
    void equalsFullLogits() {
        QFETCH(int, rows);
        QFETCH(int, chunk);
        QFETCH(bool, bf16);
        QFETCH(double, bound);
        const at::ScalarType type = bf16 ? at::kBFloat16 : at::kFloat;
        const double scale = 1.0 / 32;
        const Problem ours = problem(rows, 301, 48, type), theirs = problem(rows, 301, 48, type);
        const at::Tensor loss = train::linearCrossEntropy(ours.hidden, ours.weight, ours.keep, ours.labels, scale, chunk);
        const at::Tensor want = reference(theirs, scale);
        QVERIFY(std::abs(loss.item<double>() - want.item<double>()) <= 1e-6 * want.item<double>());
        loss.backward();
        want.backward();
        QVERIFY2(relative(ours.hidden.grad(), theirs.hidden.grad()) <= bound, "gradient of the hidden states");
        QVERIFY2(relative(ours.weight.grad(), theirs.weight.grad()) <= bound, "gradient of the head");
        QCOMPARE(ours.hidden.grad().sizes(), ours.hidden.sizes());
    }
    void incomingGradientScales() {
        const Problem a = problem(20, 50, 16), b = problem(20, 50, 16);
        train::linearCrossEntropy(a.hidden, a.weight, a.keep, a.labels, 1.0).backward();
        (train::linearCrossEntropy(b.hidden, b.weight, b.keep, b.labels, 1.0) * 3.0).backward();
        QVERIFY(relative(b.weight.grad(), a.weight.grad() * 3.0) < 1e-6);
        QVERIFY(relative(b.hidden.grad(), a.hidden.grad() * 3.0) < 1e-6);
    }
    void ignoredRowsGetNoGradient() {
        const Problem p = problem(20, 50, 16);
        train::linearCrossEntropy(p.hidden, p.weight, p.keep, p.labels, 1.0, 4).backward();
        const at::Tensor flat = p.hidden.grad().view({20, 16});
        for (int64_t i = 0; i < 20; ++i) QCOMPARE(flat[i].abs().sum().item<double>() > 0, i % 5 != 3);
    }
    void nothingToLearnFrom() {
        const Problem p = problem(20, 50, 16);
        const at::Tensor loss = train::linearCrossEntropy(p.hidden, p.weight, {}, {}, 1.0);
        QCOMPARE(loss.item<double>(), 0.0);
        loss.backward();
        QCOMPARE(p.weight.grad().abs().sum().item<double>(), 0.0);
    }
    void frozenHead() {
        Problem p = problem(20, 50, 16);
        p.weight = p.weight.detach();
        train::linearCrossEntropy(p.hidden, p.weight, p.keep, p.labels, 1.0).backward();
        QVERIFY(p.hidden.grad().defined());
        QVERIFY(!p.weight.grad().defined());
    }
    void gradientReachesBehindAComputedHead() {
        // As with a fake-quantized or tied head: the matrix is a function of the leaf.
        const Problem a = problem(20, 50, 16), b = problem(20, 50, 16);
        train::linearCrossEntropy(a.hidden, a.weight * 2.0, a.keep, a.labels, 1.0).backward();
        const Problem scaled{b.hidden, b.weight * 2.0, b.keep, b.labels};
        reference(scaled, 1.0).backward();
        QVERIFY(relative(a.weight.grad(), b.weight.grad()) < 1e-6);
    }
    void rowsWithoutGradients() {
        const Problem p = problem(20, 50, 16);
        const at::Tensor rows = train::crossEntropyRows(p.hidden, p.weight, p.keep, p.labels, 3);
        QVERIFY(!rows.requires_grad());
        QCOMPARE(rows.numel(), static_cast<int64_t>(p.keep.size()));
        QVERIFY(std::abs(rows.sum().item<double>() - reference(p, 1.0).item<double>()) < 1e-4);
    }
    void sameBitsTwice() {
        const Problem a = problem(60, 301, 48), b = problem(60, 301, 48);
        train::linearCrossEntropy(a.hidden, a.weight, a.keep, a.labels, 0.1, 16).backward();
        train::linearCrossEntropy(b.hidden, b.weight, b.keep, b.labels, 0.1, 16).backward();
        QVERIFY(at::equal(a.weight.grad(), b.weight.grad()));
        QVERIFY(at::equal(a.hidden.grad(), b.hidden.grad()));
    }
    void chunkFollowsTheBudget() {
        QCOMPARE(train::chunkRows(128256, at::kFloat), (256LL << 20) / (128256 * 8));
        QCOMPARE(train::chunkRows(1 << 24, at::kFloat), 64);
    }
};

QTEST_GUILESS_MAIN(LossTest)
#include "tst_loss.moc"
