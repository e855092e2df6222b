// SPDX-License-Identifier: GPL-3.0-or-later
// What: config.json in both writers' dialects: class defaults of every row, null against absent, rope parameters, everything refused.
#include "checkpoint/model_config.h"
#include "test_data.h"

#include <fstream>

using namespace qw;
using namespace qw::checkpoint;

namespace {

Result<ModelConfig> parse(const char* type, const std::string& members = {}) {
    return parseModelConfig(std::string("{\"model_type\":\"") + type + "\"" + (members.empty() ? "" : ",") + members + "}");
}

std::string shapeOf(const std::vector<ExpectedTensor>& tensors, const std::string& name) {
    for (const ExpectedTensor& t : tensors)
        if (t.name == name) {
            std::string out;
            for (const int64_t d : t.shape) out.append(out.empty() ? "" : "x").append(std::to_string(d));
            return out;
        }
    return "none";
}

} // namespace

class ModelConfigTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void defaults_data() { // models.md 5.1-5.4
        QTest::addColumn<QString>("type");
        QTest::addColumn<QList<int>>("sizes");  // V H I L A K D max_pos window of layer 0, of layer 28
        QTest::addColumn<QList<bool>>("flags"); // bias qkv, bias o, bias mlp, head norm, tied
        const QList<bool> none{false, false, false, false, false};
        QTest::newRow("llama") << QStringLiteral("llama") << QList<int>{32000, 4096, 11008, 32, 32, 32, 128, 2048, 0, 0} << none;
        QTest::newRow("mistral") << QStringLiteral("mistral") << QList<int>{32000, 4096, 14336, 32, 32, 8, 128, 131072, 4096, 4096} << none;
        QTest::newRow("ministral, alias of mistral")
            << QStringLiteral("ministral") << QList<int>{32000, 4096, 14336, 32, 32, 8, 128, 131072, 4096, 4096} << none;
        QTest::newRow("qwen2") << QStringLiteral("qwen2") << QList<int>{151936, 4096, 22016, 32, 32, 32, 128, 32768, 0, 0}
                               << QList<bool>{true, false, false, false, false};
        QTest::newRow("qwen3") << QStringLiteral("qwen3") << QList<int>{151936, 4096, 22016, 32, 32, 32, 128, 32768, 0, 0}
                               << QList<bool>{false, false, false, true, false};
    }
    void defaults() {
        QFETCH(QString, type);
        QFETCH(QList<int>, sizes);
        QFETCH(QList<bool>, flags);
        const auto c = parse(type.toLatin1().constData());
        QVERIFY2(c.ok(), c.ok() ? "" : c.error().message.c_str());
        const QList<int> have{int(c->vocab),   int(c->hidden),  int(c->intermediate), int(c->layers),    int(c->heads),
                              int(c->kvHeads), int(c->headDim), int(c->maxPositions), int(c->window[0]), int(c->window[28])};
        QCOMPARE(have, sizes);
        QCOMPARE((QList<bool>{c->biasQkv, c->biasO, c->biasMlp, c->headNorm, c->tied}), flags);
        QCOMPARE(c->rmsEps, 1e-6);
        QCOMPARE(c->rope.theta, 1e4);
        QCOMPARE(c->rope.type, std::string("default"));
        QCOMPARE(c->activation, std::string("silu"));
        QCOMPARE(c->initializerRange, 0.02);
        const bool llamaLike = type == QStringLiteral("llama") || type.endsWith(QStringLiteral("stral"));
        QCOMPARE(c->bosId.has_value(), llamaLike);
        QCOMPARE(c->eosIds.size(), size_t(llamaLike ? 1 : 0));
        QVERIFY(!c->padId.has_value());
    }

    void bothDialectsAreOneModel() {
        // SmolLM2-like, as 4.x writes it (defaults dropped, rope at the top) and as 5.x does (everything, rope_parameters).
        const auto old = parse(
            "llama",
            "\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":576,\"intermediate_size\":1536,\"num_hidden_layers\":30,"
            "\"num_attention_heads\":9,\"num_key_value_heads\":3,\"max_position_embeddings\":8192,\"rope_theta\":100000,"
            "\"rope_scaling\":null,\"rms_norm_eps\":1e-05,\"vocab_size\":49152,\"tie_word_embeddings\":true,\"torch_dtype\":\"bfloat16\"");
        const auto fresh =
            parse("llama",
                  "\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":576,\"intermediate_size\":1536,\"num_hidden_layers\":30,"
                  "\"num_attention_heads\":9,\"num_key_value_heads\":3,\"head_dim\":64,\"max_position_embeddings\":8192,"
                  "\"rope_parameters\":{\"rope_type\":\"default\",\"rope_theta\":100000},\"rms_norm_eps\":1e-05,\"vocab_size\":49152,"
                  "\"tie_word_embeddings\":true,\"pad_token_id\":null,\"attention_bias\":false,\"mlp_bias\":false,\"dtype\":\"bfloat16\"");
        QVERIFY(old.ok() && fresh.ok());
        for (const auto* c : {&*old, &*fresh}) {
            QCOMPARE(c->headDim, int64_t{64});
            QCOMPARE(c->rope.theta, 1e5);
            QCOMPARE(c->rope.originalMaxPositions, int64_t{8192});
            QCOMPARE(c->dtypeHint, std::string("bfloat16"));
            QVERIFY(c->tied);
            QVERIFY(!c->padId);
        }
        QCOMPARE(parse("llama", "\"dtype\":\"float16\",\"torch_dtype\":\"bfloat16\"")->dtypeHint, std::string("float16"));
        QCOMPARE(parse("llama", "\"torch_dtype\":\"torch.float32\"")->dtypeHint, std::string("float32"));
    }

    void nullDiffersFromAbsent() {
        QCOMPARE(parse("mistral", "\"sliding_window\":null")->window[0], int64_t{0});
        QCOMPARE(parse("mistral", "\"sliding_window\":7")->window[31], int64_t{7});
        QCOMPARE(parse("mistral", "\"num_key_value_heads\":null")->kvHeads, int64_t{32});
        QCOMPARE(parse("llama", "\"num_attention_heads\":16")->kvHeads, int64_t{16});
        QCOMPARE(parse("llama", "\"head_dim\":null")->headDim, int64_t{128});
        QCOMPARE(parse("qwen3", "\"head_dim\":null,\"hidden_size\":1024,\"num_attention_heads\":16,\"num_key_value_heads\":8")->headDim,
                 int64_t{128});
        QCOMPARE(parse("llama", "\"bos_token_id\":null")->bosId.has_value(), false);
        QCOMPARE(parse("llama", "\"eos_token_id\":null")->eosIds.size(), size_t{0});
        QCOMPARE(parse("llama", "\"pad_token_id\":-1")->padId.has_value(), false);
        QCOMPARE(*parse("llama", "\"pad_token_id\":0")->padId, int64_t{0});
        const auto eos = parse("llama", "\"eos_token_id\":[128001,128009]");
        QCOMPARE(eos->eosIds, (std::vector<int64_t>{128001, 128009}));
    }

    void windows() {
        const auto q = parse("qwen2", "\"num_hidden_layers\":4,\"use_sliding_window\":true,\"sliding_window\":16,\"max_window_layers\":2");
        QCOMPARE(q->window, (std::vector<int64_t>{0, 0, 16, 16}));
        QCOMPARE(parse("qwen2", "\"num_hidden_layers\":30,\"use_sliding_window\":true")->window[28], int64_t{4096});
        QCOMPARE(parse("qwen2", "\"num_hidden_layers\":30,\"use_sliding_window\":true,\"sliding_window\":null")->window[29], int64_t{0});
        const std::string types = "\"num_hidden_layers\":2,\"layer_types\":[\"sliding_attention\",\"full_attention\"]";
        QCOMPARE(parse("mistral", types + ",\"sliding_window\":8")->window, (std::vector<int64_t>{8, 0}));
        QCOMPARE(parse("qwen3", types + ",\"sliding_window\":8,\"use_sliding_window\":true,\"max_window_layers\":9")->window,
                 (std::vector<int64_t>{8, 0}));
        const auto ignored = parse("llama", types + ",\"sliding_window\":8");
        QCOMPARE(ignored->window, (std::vector<int64_t>{0, 0}));
        QCOMPARE(ignored->notes.size(), size_t{2});
    }

    void biases() {
        const auto llama = parse("llama", "\"attention_bias\":true,\"mlp_bias\":true");
        QVERIFY(llama->biasQkv && llama->biasO && llama->biasMlp);
        const auto mistral = parse("mistral", "\"attention_bias\":true,\"mlp_bias\":true");
        QVERIFY(!mistral->biasQkv && !mistral->biasO && !mistral->biasMlp);
        const auto qwen2 = parse("qwen2", "\"attention_bias\":true");
        QVERIFY(qwen2->biasQkv && !qwen2->biasO);
        const auto qwen3 = parse("qwen3", "\"attention_bias\":true");
        QVERIFY(qwen3->biasQkv && qwen3->biasO && !qwen3->biasMlp);
    }

    void rope() {
        const auto llama31 = parse(
            "llama", "\"max_position_embeddings\":131072,\"rope_theta\":500000.0,\"rope_scaling\":{\"factor\":8.0,\"low_freq_factor\":1.0,"
                     "\"high_freq_factor\":4.0,\"original_max_position_embeddings\":8192,\"rope_type\":\"llama3\"}");
        QVERIFY(llama31.ok());
        QCOMPARE(llama31->rope.type, std::string("llama3"));
        QCOMPARE(llama31->rope.theta, 5e5);
        QCOMPARE(llama31->rope.originalMaxPositions, int64_t{8192});
        // value inside the object > top level > class default; a non-empty rope_scaling replaces rope_parameters as a whole
        const auto both = parse("llama", "\"rope_theta\":7,\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":3,\"rope_theta\":5},"
                                         "\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2}");
        QCOMPARE(both->rope.type, std::string("dynamic"));
        QCOMPARE(both->rope.theta, 7.0);
        QCOMPARE(both->rope.factor, 2.0);
        const auto empty = parse(
            "llama", "\"rope_theta\":7,\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":3,\"rope_theta\":5},\"rope_scaling\":{}");
        QCOMPARE(empty->rope.type, std::string("linear"));
        QCOMPARE(empty->rope.theta, 5.0);
        // both spellings present and different: rope_type wins, with a note
        const auto twice = parse("llama", "\"rope_scaling\":{\"type\":\"linear\",\"rope_type\":\"dynamic\",\"factor\":2}");
        QCOMPARE(twice->rope.type, std::string("dynamic"));
        QCOMPARE(twice->notes.size(), size_t{1});
        // O: top level wins, with a note; absent: max_position_embeddings
        const std::string yarn = "\"max_position_embeddings\":64,\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":4";
        QCOMPARE(parse("qwen2", yarn + "}")->rope.originalMaxPositions, int64_t{64});
        const auto differ = parse("qwen2", "\"original_max_position_embeddings\":32," + yarn + ",\"original_max_position_embeddings\":16}");
        QCOMPARE(differ->rope.originalMaxPositions, int64_t{32});
        QCOMPARE(differ->notes.size(), size_t{2}); // and factor x O is not max_position_embeddings
        const auto full =
            parse("qwen2",
                  yarn + ",\"original_max_position_embeddings\":16,\"beta_fast\":30,\"beta_slow\":2,\"mscale\":0.7,\"mscale_all_dim\":0.5,"
                         "\"attention_factor\":1.5,\"truncate\":false}");
        QCOMPARE(full->rope.betaFast, 30.0);
        QCOMPARE(full->rope.betaSlow, 2.0);
        QCOMPARE(*full->rope.mscale, 0.7);
        QCOMPARE(*full->rope.mscaleAllDim, 0.5);
        QCOMPARE(*full->rope.attentionFactor, 1.5);
        QVERIFY(!full->rope.truncate);
        QCOMPARE(full->notes.size(), size_t{0});
        const auto su =
            parse("llama", "\"head_dim\":4,\"rope_scaling\":{\"type\":\"su\",\"short_factor\":[1,2],\"long_factor\":[3,4.5],\"factor\":2}");
        QCOMPARE(su->rope.type, std::string("longrope"));
        QCOMPARE(su->rope.longFactor, (std::vector<double>{3, 4.5}));
        QCOMPARE(*su->rope.longropeFactor, 2.0);
    }

    void aliasesAndNotes() {
        QCOMPARE(parse("llama", "\"hidden_act\":\"swish\"")->activation, std::string("silu"));
        QCOMPARE(parse("llama", "\"hidden_act\":\"gelu_pytorch_tanh\"")->activation, std::string("gelu_pytorch_tanh"));
        QCOMPARE(parse("llama", "\"partial_rotary_factor\":0.5")->notes.size(), size_t{1});
        QCOMPARE(parse("llama", "\"attention_dropout\":0.1,\"auto_map\":{},\"pretraining_tp\":2")->notes.size(), size_t{2});
        QCOMPARE(parse("ministral")->modelType, std::string("mistral"));
        QCOMPARE(parse("llama", "\"quantization_config\":{\"quant_method\":\"gptq\",\"bits\":4}")->quantMethod, std::string("gptq"));
        QCOMPARE(parse("llama", "\"compression_config\":{}")->quantMethod, std::string("unknown (compression_config)"));
        QCOMPARE(parse("llama", "\"quantization_config\":{\"quant_method\":\"qat_workbench\",\"format\":1}")->quantFormat, int64_t{1});
    }

    void refused_data() {
        QTest::addColumn<QString>("type");
        QTest::addColumn<QString>("members");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("words"); // all must occur, separated by '|'
        const auto row = [](const char* name, const char* type, const char* members, const char* code, const char* words) {
            QTest::newRow(name) << QString::fromLatin1(type) << QString::fromLatin1(members) << QString::fromLatin1(code)
                                << QString::fromLatin1(words);
        };
        const char* arch = "model.unsupported_arch";
        const char* format = "model.format";
        row("unknown model_type", "gemma2", "", arch, "\"gemma2\"|llama, mistral, qwen2, qwen3");
        row("no model_type", "", "", arch, "model_type");
        row("mixture of experts by name", "mixtral", "", arch, "mixture-of-experts not supported|llama");
        row("mixture of experts by suffix", "qwen3_moe", "", arch, "mixture-of-experts not supported");
        row("mixture of experts by key", "llama", "\"num_local_experts\":8", arch, "mixture-of-experts not supported");
        row("another head", "llama", "\"architectures\":[\"LlamaForSequenceClassification\"]", arch,
            "LlamaForSequenceClassification|LlamaForCausalLM");
        row("activation", "llama", "\"hidden_act\":\"mish\"", format, "hidden_act|\"mish\"|silu");
        row("rope type", "llama", "\"rope_scaling\":{\"rope_type\":\"mrope\",\"factor\":2}", format,
            "rope_scaling.rope_type|\"mrope\"|llama3");
        row("rope type, old spelling", "llama", "\"rope_scaling\":{\"type\":\"ntk\",\"factor\":2}", format, "rope_scaling.type|\"ntk\"");
        row("rope without factor", "llama", "\"rope_scaling\":{\"rope_type\":\"linear\"}", format, "rope_scaling.factor|needed");
        row("rope factor 0", "llama", "\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":0}", format, "rope_scaling.factor is 0");
        row("llama3 without low_freq_factor", "llama", "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"high_freq_factor\":4}",
            format, "low_freq_factor");
        row("llama3 with high below low", "llama",
            "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"high_freq_factor\":1,\"low_freq_factor\":4}", format,
            "high_freq_factor is 1");
        row("longrope lists of another length", "llama",
            "\"head_dim\":8,\"rope_scaling\":{\"rope_type\":\"longrope\",\"short_factor\":[1],\"long_factor\":[1,1,1,1]}", format,
            "short_factor|4 numbers");
        row("nested rope parameters", "llama", "\"rope_parameters\":{\"full_attention\":{},\"sliding_attention\":{}}", format,
            "full_attention");
        row("rope_scaling is a list", "llama", "\"rope_scaling\":[1]", format, "rope_scaling is a list");
        row("scaled partial rotary", "llama", "\"partial_rotary_factor\":0.5,\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":2}",
            format, "partial_rotary_factor is 0.5");
        row("heads do not divide hidden", "llama", "\"hidden_size\":100,\"num_attention_heads\":7", format, "hidden_size is 100|7");
        row("kv heads do not divide heads", "llama", "\"num_attention_heads\":8,\"num_key_value_heads\":3", format,
            "num_key_value_heads is 3|8");
        row("odd head width", "llama", "\"head_dim\":7", format, "head_dim is 7|even");
        row("too many layers", "llama", "\"num_hidden_layers\":1025", format, "num_hidden_layers is 1025|1024");
        row("no layers", "llama", "\"num_hidden_layers\":0", format, "num_hidden_layers is 0");
        row("hidden above 2^17", "llama", "\"hidden_size\":131073", format, "hidden_size is 131073");
        row("vocabulary above 2^22", "llama", "\"vocab_size\":4194305", format, "vocab_size is 4194305");
        row("negative size", "llama", "\"intermediate_size\":-1", format, "intermediate_size is -1");
        row("number as string", "llama", "\"hidden_size\":\"64\"", format, "hidden_size is \"64\"|whole number");
        row("fraction", "llama", "\"hidden_size\":64.5", format, "hidden_size is 64.5");
        row("null size", "llama", "\"hidden_size\":null", format, "hidden_size is null");
        row("boolean as number", "llama", "\"tie_word_embeddings\":1", format, "tie_word_embeddings is 1|true or false");
        row("zero eps", "llama", "\"rms_norm_eps\":0", format, "rms_norm_eps is 0");
        row("pad outside", "llama", "\"pad_token_id\":32000", format, "pad_token_id is 32000");
        row("layer_types of another length", "qwen3", "\"layer_types\":[\"full_attention\"]", format,
            "layer_types|1 entries for 32 layers");
        row("layer_types with another kind", "qwen2", "\"num_hidden_layers\":1,\"layer_types\":[\"chunked_attention\"]", format,
            "layer_types|chunked_attention");
        row("sliding layer without window", "mistral",
            "\"num_hidden_layers\":1,\"sliding_window\":null,\"layer_types\":[\"sliding_attention\"]", format,
            "layer_types|sliding_window is null");
        row("sliding layer, window switched off", "qwen2", "\"num_hidden_layers\":1,\"layer_types\":[\"sliding_attention\"]", format,
            "use_sliding_window");
        row("cross attention", "llama", "\"add_cross_attention\":true", format, "add_cross_attention is true");
        row("both directions", "llama", "\"use_bidirectional_attention\":true", format, "use_bidirectional_attention is true");
        row("key twice", "llama", "\"vocab_size\":5,\"vocab_size\":6", format, "line 1|\"vocab_size\" occurs twice");
        row("not JSON", "llama", "\"vocab_size\":", format, "line 1, column|syntax error");
        row("NaN", "llama", "\"rms_norm_eps\":NaN", format, "syntax error");
    }
    void refused() {
        QFETCH(QString, type);
        QFETCH(QString, members);
        QFETCH(QString, code);
        QFETCH(QString, words);
        const auto c = parse(type.toLatin1().constData(), members.toStdString());
        QVERIFY(!c.ok());
        const QString message = QString::fromStdString(c.error().message + " " + c.error().hint);
        QCOMPARE(QString::fromStdString(c.error().code), code);
        for (const QString& word : words.split(QLatin1Char('|'))) QVERIFY2(message.contains(word), qPrintable(message));
    }
    void refusedText() {
        QVERIFY(!parseModelConfig("").ok());
        QVERIFY(!parseModelConfig("[]").ok());
        QVERIFY(!parseModelConfig("{\"model_type\":\"ll\xff\"}").ok());
        std::string deep;
        for (int i = 0; i < 100; ++i) deep += "{\"a\":";
        const auto nested = parseModelConfig(deep + "1" + std::string(100, '}'));
        QVERIFY(!nested.ok());
        QVERIFY(nested.error().message.find("deeper than 64") != std::string::npos);
        std::string wide = "{\"a\":[0";
        for (int i = 0; i < 600000; ++i) wide += ",0";
        QVERIFY(!parseModelConfig(wide + "]}").ok());
    }

    void tensors() {
        const auto c =
            parse("qwen3",
                  "\"num_hidden_layers\":2,\"hidden_size\":64,\"intermediate_size\":96,\"num_attention_heads\":4,\"num_key_value_heads\":2,"
                  "\"head_dim\":32,\"vocab_size\":10,\"attention_bias\":true");
        QVERIFY(c.ok());
        const auto all = expectedTensors(*c, false);
        QCOMPARE(all.size(), size_t{3 + 2 * 15});
        QCOMPARE(all.front().name, std::string("model.embed_tokens.weight"));
        QCOMPARE(all.back().name, std::string("lm_head.weight"));
        QCOMPARE(shapeOf(all, "model.layers.1.self_attn.q_proj.weight"), std::string("128x64")); // A*D is not H here
        QCOMPARE(shapeOf(all, "model.layers.1.self_attn.q_proj.bias"), std::string("128"));
        QCOMPARE(shapeOf(all, "model.layers.0.self_attn.k_proj.weight"), std::string("64x64"));
        QCOMPARE(shapeOf(all, "model.layers.0.self_attn.o_proj.weight"), std::string("64x128"));
        QCOMPARE(shapeOf(all, "model.layers.0.self_attn.o_proj.bias"), std::string("64"));
        QCOMPARE(shapeOf(all, "model.layers.0.self_attn.q_norm.weight"), std::string("32"));
        QCOMPARE(shapeOf(all, "model.layers.0.mlp.down_proj.weight"), std::string("64x96"));
        QCOMPARE(shapeOf(all, "lm_head.weight"), std::string("10x64"));
        QCOMPARE(shapeOf(expectedTensors(*c, true), "lm_head.weight"), std::string("none"));
        QCOMPARE(expectedTensors(*parse("llama", "\"num_hidden_layers\":1"), false).size(), size_t{12});
    }

    void referenceModel() {
        QW_NEEDS_REFERENCE_DATA();
        std::ifstream in(test::referenceData() / "stories260K/config.json");
        const auto c = parseModelConfig(std::string(std::istreambuf_iterator<char>(in), {}));
        QVERIFY(c.ok());
        QCOMPARE(c->layers, int64_t{5});
        QCOMPARE(c->rmsEps, 1e-5);
        QVERIFY(c->tied);
        QCOMPARE(expectedTensors(*c, c->tied).size(), size_t{47});
    }
};

QTEST_GUILESS_MAIN(ModelConfigTest)
#include "tst_model_config.moc"
