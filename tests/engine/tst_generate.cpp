// SPDX-License-Identifier: GPL-3.0-or-later
// What: decoding with a key-value cache against the whole forward pass, sampling, text as it streams out.
#include "eval/generator.h"
#include "eval/text_stream.h"
#include "model/philox.h"
#include "test_data.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace qw;
using nlohmann::json;

namespace {

checkpoint::ModelConfig config(const json& changes) {
    json all{{"model_type", "llama"},    {"vocab_size", 96},           {"hidden_size", 32},        {"intermediate_size", 48},
             {"num_hidden_layers", 2},   {"num_attention_heads", 4},   {"num_key_value_heads", 2}, {"max_position_embeddings", 64},
             {"initializer_range", 0.3}, {"tie_word_embeddings", true}};
    all.update(changes);
    const std::map<std::string, std::string> classes{
        {"llama", "LlamaForCausalLM"}, {"mistral", "MistralForCausalLM"}, {"qwen2", "Qwen2ForCausalLM"}, {"qwen3", "Qwen3ForCausalLM"}};
    all["architectures"] = {classes.at(all["model_type"].get<std::string>())};
    auto parsed = checkpoint::parseModelConfig(all.dump());
    if (!parsed) qFatal("%s", parsed.error().message.c_str());
    return *std::move(parsed);
}

json rope(const char* type, json rest) {
    rest["rope_type"] = type;
    return {{"rope_parameters", rest}};
}

std::vector<std::pair<const char*, json>> variants() {
    const json factors{1.0, 1.1, 1.2, 1.3}, longer{1.0, 2.0, 3.0, 4.0};
    json dynamic = rope("dynamic", {{"factor", 2.0}});
    dynamic["max_position_embeddings"] = 16;
    return {
        {"llama", json::object()},
        {"llama, a key head each", {{"num_key_value_heads", 4}}},
        {"llama, one key head", {{"num_key_value_heads", 1}}},
        {"llama, biases", {{"attention_bias", true}, {"mlp_bias", true}}},
        {"mistral", {{"model_type", "mistral"}, {"sliding_window", nullptr}}},
        {"mistral, window", {{"model_type", "mistral"}, {"sliding_window", 8}}},
        {"qwen2", {{"model_type", "qwen2"}}},
        {"qwen2, window", {{"model_type", "qwen2"}, {"use_sliding_window", true}, {"sliding_window", 8}, {"max_window_layers", 1}}},
        {"qwen3", {{"model_type", "qwen3"}, {"head_dim", 16}}},
        {"rope linear", rope("linear", {{"factor", 4.0}})},
        {"rope dynamic", dynamic},
        {"rope llama3",
         rope("llama3", {{"factor", 8.0}, {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 16}})},
        {"rope yarn", rope("yarn", {{"factor", 4.0}, {"original_max_position_embeddings", 16}})},
        {"rope longrope",
         rope("longrope", {{"short_factor", factors}, {"long_factor", longer}, {"factor", 4.0}, {"original_max_position_embeddings", 16}})},
    };
}

// Random parts of 1 to 12 tokens, many of one.
std::vector<int64_t> cuts(int64_t total, uint64_t seed) {
    std::vector<int64_t> parts;
    for (uint64_t i = 0; total > 0; ++i) {
        const auto bits = model::philox(seed, model::Stream::Sampling, 0, i);
        parts.push_back(std::min<int64_t>(total, bits[0] % 2 ? 1 : 1 + bits[1] % 12));
        total -= parts.back();
    }
    return parts;
}

tokenizer::Tokenizer stories() { return *tokenizer::Tokenizer::load(test::referenceData() / "stories260K"); }

} // namespace

class GenerateTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void cachedDecodingIsTheWholeForward_data() {
        QTest::addColumn<int>("variant");
        int index = 0;
        for (const auto& [name, unused] : variants()) QTest::newRow(name) << index++;
    }
    void cachedDecodingIsTheWholeForward() {
        QFETCH(int, variant);
        const auto decoder =
            *model::Decoder::random(config(variants()[static_cast<size_t>(variant)].second), true, 7, at::kFloat, at::kCPU);
        const at::NoGradGuard guard;
        std::vector<int64_t> text;
        for (uint64_t i = 0; i < 40; ++i) text.push_back(model::philox(11, model::Stream::Sampling, 0, i)[0] % 96);
        const at::Tensor ids = at::tensor(text, at::TensorOptions().dtype(at::kLong)).unsqueeze(0);
        const auto whole = [&](int64_t length) { // what a text of this length ends with; some ropes depend on it
            return decoder.logits(decoder.hidden({ids.narrow(1, 0, length), {}}))[0][length - 1];
        };
        double worst = 0, changed = 0;
        for (uint64_t seed = 1; seed <= 3; ++seed) {
            model::KvCache cache;
            for (const int64_t part : cuts(40, seed)) {
                const at::Tensor got = decoder.logits(decoder.extendHidden(cache, ids.narrow(1, cache.length(), part)))[0][part - 1];
                const at::Tensor want = whole(cache.length());
                worst = std::max(worst, ((got - want).abs().max() / want.abs().max()).item<double>());
                if (cache.length() > 20) { // the past matters: otherwise the comparison would say nothing
                    model::KvCache empty;
                    const at::Tensor forgot = decoder.logits(decoder.extendHidden(empty, ids.narrow(1, cache.length() - 1, 1)))[0][0];
                    changed = std::max(changed, ((forgot - want).abs().max() / want.abs().max()).item<double>());
                }
            }
            QCOMPARE(cache.length(), int64_t{40});
        }
        QVERIFY2(worst <= 2e-5, qPrintable(QString::number(worst)));
        QVERIFY2(changed > 1e-2, qPrintable(QString::number(changed)));
    }
    void candidatesFollowTheRules() {
        const std::vector<float> logits{1.0f, 3.0f, -INFINITY, 2.0f, 2.0f, 0.0f};
        const auto ids = [&](const eval::Sampling& sampling) {
            std::vector<int32_t> out;
            for (const auto& one : eval::candidates(logits, sampling)) out.push_back(one.id);
            return out;
        };
        QCOMPARE(ids({1.0, 0, 1.0, 0}), (std::vector<int32_t>{1, 3, 4, 0, 5}));
        QCOMPARE(ids({1.0, 2, 1.0, 0}), (std::vector<int32_t>{1, 3, 4})); // equals of the last one stay
        // e^3, e^2, e^2, e^1, 1: shares 0.514, 0.189, 0.189, 0.070, 0.026 and so on
        QCOMPARE(ids({1.0, 0, 0.50, 0}), (std::vector<int32_t>{1}));
        QCOMPARE(ids({1.0, 0, 0.60, 0}), (std::vector<int32_t>{1, 3}));
        QCOMPARE(ids({1.0, 0, 0.01, 0}), (std::vector<int32_t>{1}));
        const auto all = eval::candidates(logits, {0.5, 0, 1.0, 0});
        const double sum = std::exp(6.0) + 2 * std::exp(4.0) + std::exp(2.0) + 1;
        QVERIFY(std::abs(all[0].probability - std::exp(6.0) / sum) < 1e-12);
        QVERIFY(std::abs(all[4].probability - 1 / sum) < 1e-12);
        QCOMPARE(eval::nextToken(logits, {}, 0, 0), 1);
    }
    void drawsAreAFunctionOfSeedPromptAndToken() {
        std::vector<float> logits(64, 0.0f);
        const eval::Sampling one{1.0, 0, 1.0, 1}, two{1.0, 0, 1.0, 2};
        std::vector<int32_t> a, b, c, d;
        for (uint64_t t = 0; t < 50; ++t) {
            a.push_back(eval::nextToken(logits, one, 0, t));
            b.push_back(eval::nextToken(logits, one, 0, t));
            c.push_back(eval::nextToken(logits, two, 0, t));
            d.push_back(eval::nextToken(logits, one, 1, t));
        }
        QCOMPARE(a, b);
        QVERIFY(a != c && a != d);
        QVERIFY(std::set<int32_t>(a.begin(), a.end()).size() > 20);
    }
    void textComesInWholeCharacters() {
        QW_NEEDS_REFERENCE_DATA();
        const auto tokenizer = stories();
        const std::string text = "Zoë said: “κόσμε” 日本 👍 twice 👍👍.";
        const auto all = tokenizer.encode("Once upon" + text).ids;
        const auto prompt = tokenizer.encode("Once upon").ids;
        QVERIFY(std::equal(prompt.begin(), prompt.end(), all.begin()));
        eval::TextStream stream(&tokenizer, prompt, {});
        std::string got;
        for (size_t i = prompt.size(); i < all.size(); ++i) {
            const std::string piece = stream.add(all[i]);
            QCOMPARE(QString::fromStdString(piece).toStdString(), piece); // whole characters, none replaced
            QVERIFY(piece.find("\xEF\xBF\xBD") == std::string::npos);
            got += piece;
        }
        got += stream.rest();
        QCOMPARE(got, text);
    }
    void stopTextsAreNeverShown() {
        QW_NEEDS_REFERENCE_DATA();
        const auto tokenizer = stories();
        const auto ids = tokenizer.encode("One day, a dog ran. The dog sat. The end", {.addSpecial = false}).ids;
        const auto run = [&](std::vector<std::string> stops) {
            eval::TextStream stream(&tokenizer, {}, std::move(stops));
            std::string text;
            for (const int32_t id : ids) {
                if (stream.stopped()) break;
                text += stream.add(id);
            }
            return text + stream.rest() + (stream.stopped() ? "|" : "");
        };
        QCOMPARE(run({}), "One day, a dog ran. The dog sat. The end");
        QCOMPARE(run({". The d"}), "One day, a dog ran|");
        QCOMPARE(run({"sat.", "dog sat"}), "One day, a dog ran. The |");
        QCOMPARE(run({"The end!"}), "One day, a dog ran. The dog sat. The end"); // began, did not come: shown at the end
    }
    void greedyStoryIsTheGoldenOne() {
        QW_NEEDS_REFERENCE_DATA();
        const auto dir = test::referenceData() / "stories260K";
        const auto decoder = *model::Decoder::load(*checkpoint::Checkpoint::open(dir), at::kFloat, at::kCPU);
        const auto tokenizer = stories();
        std::ifstream in(dir / "golden.json");
        const auto want = json::parse(in)["greedy"]["ids"].get<std::vector<int32_t>>();
        eval::GenerateOptions options;
        options.maxNewTokens = static_cast<int64_t>(want.size()) - 5;
        std::string streamed;
        const auto got = eval::generate(decoder, &tokenizer, {want.begin(), want.begin() + 5}, options,
                                        [&](int32_t, const std::string& text) { streamed += text; });
        QVERIFY(got.ok());
        QCOMPARE(got->ids, (std::vector<int32_t>(want.begin() + 5, want.end())));
        QCOMPARE(got->finish, "length");
        QCOMPARE(streamed, got->text);
        QCOMPARE(tokenizer.decode(std::span(want).first(5)) + got->text, tokenizer.decode(want));
        options.endIds = {want[9]};
        const auto ended = eval::generate(decoder, &tokenizer, {want.begin(), want.begin() + 5}, options, {});
        QVERIFY(ended.ok());
        QCOMPARE(ended->finish, "eos");
        QCOMPARE(ended->ids.back(), want[9]);
    }
    void cancelKeepsWhatIsThere() {
        const auto decoder = *model::Decoder::random(config(json::object()), true, 7, at::kFloat, at::kCPU);
        CancelToken cancel;
        eval::GenerateOptions options;
        options.cancel = &cancel;
        size_t seen = 0;
        const auto got = eval::generate(decoder, nullptr, {1, 2, 3}, options, [&](int32_t, const std::string&) {
            if (++seen == 4) cancel.raise(CancelLevel::StopWithCheckpoint);
        });
        QVERIFY(got.ok());
        QCOMPARE(got->finish, "cancelled");
        QCOMPARE(got->ids.size(), size_t{4});
    }
    void brokenWeightsAreSaid() {
        auto decoder = *model::Decoder::random(config(json::object()), true, 7, at::kFloat, at::kCPU);
        decoder.parameters()[3].tensor.fill_(std::nan(""));
        const auto got = eval::generate(decoder, nullptr, {1, 2, 3}, {}, {});
        QVERIFY(!got.ok());
        QCOMPARE(got.error().code, "train.nonfinite");
    }
};

QTEST_GUILESS_MAIN(GenerateTest)
#include "tst_generate.moc"
