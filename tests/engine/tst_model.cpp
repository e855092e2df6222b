// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/decoder.h"
#include "model/philox.h"
#include "model/rope.h"
#include "test_data.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace qw;

namespace {

checkpoint::ModelConfig tinyConfig() {
    const nlohmann::json json{{"model_type", "llama"},
                              {"architectures", {"LlamaForCausalLM"}},
                              {"vocab_size", 96},
                              {"hidden_size", 32},
                              {"intermediate_size", 48},
                              {"num_hidden_layers", 2},
                              {"num_attention_heads", 4},
                              {"num_key_value_heads", 2},
                              {"max_position_embeddings", 64}};
    auto config = checkpoint::parseModelConfig(json.dump());
    if (!config) qFatal("%s", config.error().message.c_str());
    return *config;
}

model::Decoder tinyModel(uint64_t seed = 7) { return *model::Decoder::random(tinyConfig(), false, seed, at::kFloat, at::kCPU); }

at::Tensor ids(std::vector<int64_t> values) { return at::tensor(values, at::TensorOptions().dtype(at::kLong)); }

double maxDifference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

} // namespace

class ModelTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void philoxIsThePublishedOne() {
        // Known-answer test of Random123, philox4x32 with 10 rounds: all counters and keys zero.
        const auto zero = model::philox(0, static_cast<model::Stream>(0), 0, 0);
        QCOMPARE(zero[0], 0x6627e8d5u);
        QCOMPARE(zero[1], 0xe169c58du);
        QCOMPARE(zero[2], 0xbc57ac4cu);
        QCOMPARE(zero[3], 0x9b00dbd8u);
    }
    void randomStartIsAFunctionOfTheSeed() {
        const auto a = tinyModel(1), b = tinyModel(1), c = tinyModel(2);
        QVERIFY(at::equal(a.parameters()[0].tensor, b.parameters()[0].tensor));
        QVERIFY(!at::equal(a.parameters()[0].tensor, c.parameters()[0].tensor));
        const double deviation = a.parameters()[0].tensor.std().item<double>();
        QVERIFY(deviation > 0.018 && deviation < 0.022); // initializer_range 0.02
    }
    void documentsInAPackDoNotSeeEachOther() {
        const auto decoder = tinyModel();
        const at::NoGradGuard guard;
        const at::Tensor pack = ids({5, 6, 7, 8, 9, 10, 11, 12}).unsqueeze(0);
        const at::Tensor both = decoder.hidden({pack, {{0, 3}}})[0];
        const at::Tensor first = decoder.hidden({pack.narrow(1, 0, 3), {}})[0];
        const at::Tensor second = decoder.hidden({pack.narrow(1, 3, 5), {}})[0];
        QVERIFY(maxDifference(both.narrow(0, 0, 3), first) < 1e-6);
        QVERIFY(maxDifference(both.narrow(0, 3, 5), second) < 1e-6);
        QVERIFY(maxDifference(decoder.hidden({pack, {{0}}})[0].narrow(0, 3, 5), second) > 1e-4); // without the cut it does
    }
    void endingsContinueTheirContexts_data() {
        QTest::addColumn<int>("window");
        QTest::newRow("full attention") << 0;
        QTest::newRow("sliding window of 3") << 3;
    }
    void endingsContinueTheirContexts() {
        QFETCH(int, window);
        auto config = tinyConfig();
        for (int64_t& w : config.window) w = window;
        const auto decoder = *model::Decoder::random(config, false, 7, at::kFloat, at::kCPU);
        const at::NoGradGuard guard;
        model::Context context;
        const std::vector<at::Tensor> heads{ids({5, 6, 7, 8}), ids({9, 10})},
            tails{ids({20, 21, 22}), ids({30, 31, 32}), ids({40, 41, 42})};
        const at::Tensor padded = at::stack({heads[0], at::cat({heads[1], ids({0, 0})})});
        const at::Tensor shared = decoder.contextHidden(padded, {4, 2}, context);
        const std::vector<int64_t> owner{1, 0, 1};
        const at::Tensor continued = decoder.continueHidden(context, owner, at::stack(tails));
        for (int64_t e = 0; e < 3; ++e) {
            const auto c = static_cast<size_t>(owner[static_cast<size_t>(e)]);
            const int64_t length = heads[c].size(0);
            const at::Tensor whole = decoder.hidden({at::cat({heads[c], tails[static_cast<size_t>(e)]}).unsqueeze(0), {}})[0];
            QVERIFY(maxDifference(whole.narrow(0, 0, length), shared[static_cast<int64_t>(c)].narrow(0, 0, length)) < 1e-6);
            QVERIFY(maxDifference(whole.narrow(0, length, 3), continued[e]) < 1e-6);
        }
    }
    void recomputedLayersGiveTheSameGradients() {
        auto plain = tinyModel(), checkpointed = tinyModel();
        const model::Rows rows{ids({1, 2, 3, 4, 5, 6}).unsqueeze(0), {{0, 2}}};
        for (auto* decoder : {&plain, &checkpointed}) {
            for (auto& parameter : decoder->parameters()) parameter.tensor.requires_grad_(true);
            model::ForwardOptions options;
            options.checkpointLayers = decoder == &checkpointed;
            decoder->logits(decoder->hidden(rows, options)).square().sum().backward();
        }
        for (size_t i = 0; i < plain.parameters().size(); ++i) {
            QVERIFY2(checkpointed.parameters()[i].tensor.grad().defined(), plain.parameters()[i].name.c_str());
            QVERIFY2(at::equal(plain.parameters()[i].tensor.grad(), checkpointed.parameters()[i].tensor.grad()),
                     plain.parameters()[i].name.c_str());
        }
    }
    void checkpointingWorksWithFrozenEmbeddings() {
        auto decoder = tinyModel();
        for (auto& parameter : decoder.parameters()) parameter.tensor.requires_grad_(parameter.layer >= 0);
        model::ForwardOptions options;
        options.checkpointLayers = true;
        decoder.hidden({ids({1, 2, 3}).unsqueeze(0), {}}, options).sum().backward();
        for (const auto& parameter : decoder.parameters()) QCOMPARE(parameter.tensor.grad().defined(), parameter.layer >= 0);
    }
    void cancelStopsBetweenLayers() {
        const auto decoder = tinyModel();
        CancelToken cancel;
        cancel.raise(CancelLevel::Now);
        model::ForwardOptions options;
        options.cancel = &cancel;
        QVERIFY_EXCEPTION_THROWN((void)decoder.hidden({ids({1, 2}).unsqueeze(0), {}}, options), model::Cancelled);
    }
    void goldenLogits() {
        QW_NEEDS_REFERENCE_DATA();
        const auto dir = test::referenceData() / "stories260K";
        const auto opened = checkpoint::Checkpoint::open(dir);
        QVERIFY2(opened.ok(), opened ? "" : opened.error().message.c_str());
        const auto decoder = model::Decoder::load(*opened, at::kFloat, at::kCPU);
        QVERIFY(decoder.ok());
        const at::NoGradGuard guard;
        std::ifstream in(dir / "golden.json");
        const auto golden = nlohmann::json::parse(in);
        for (const auto& row : golden["logits"]) {
            const at::Tensor logits =
                decoder->logits(decoder->hidden({ids(row["ids"].get<std::vector<int64_t>>()).unsqueeze(0), {}}))[0][-1];
            for (const auto& pair : row["top5"])
                QVERIFY(std::abs(logits[pair[0].get<int64_t>()].item<double>() - pair[1].get<double>()) < 1e-4);
        }
    }
    void goldenGreedyContinuation() {
        QW_NEEDS_REFERENCE_DATA();
        const auto dir = test::referenceData() / "stories260K";
        const auto decoder = model::Decoder::load(*checkpoint::Checkpoint::open(dir), at::kFloat, at::kCPU);
        QVERIFY(decoder.ok());
        const at::NoGradGuard guard;
        std::ifstream in(dir / "golden.json");
        const auto golden = nlohmann::json::parse(in);
        const auto want = golden["greedy"]["ids"].get<std::vector<int64_t>>();
        std::vector<int64_t> text(want.begin(), want.begin() + 5); // BOS and the four tokens of the prompt
        while (text.size() < want.size())
            text.push_back(decoder->logits(decoder->hidden({ids(text).unsqueeze(0), {}}))[0][-1].argmax().item<int64_t>());
        QCOMPARE(text, want);
    }
};

QTEST_GUILESS_MAIN(ModelTest)
#include "tst_model.moc"
