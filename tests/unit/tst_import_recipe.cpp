// SPDX-License-Identifier: GPL-3.0-or-later
// What: recipes of axolotl, torchtune and the Hugging Face trainer: every key is reported once, with its line and what became of it.
#include "config/import_recipe.h"
#include "config/import_table.h"
#include "config/presets.h"
#include "config/recipe_file.h"
#include "test_data.h"

#include <set>

using namespace qw;
using config::Fate;

namespace {

const config::ImportedKey* keyOf(const config::ImportedRecipe& r, const std::string& key) {
    const auto at = std::ranges::find(r.keys, key, &config::ImportedKey::key);
    return at == r.keys.end() ? nullptr : &*at;
}

const std::string kAxolotl = "base_model: model\n"                   // 1
                             "datasets:\n"                           // 2
                             "  - path: text.jsonl\n"                // 3
                             "    type: completion\n"                // 4
                             "    field: body\n"                     // 5
                             "  - path: tatsu-lab/alpaca\n"          // 6
                             "    type: alpaca\n"                    // 7
                             "sequence_len: 2048\n"                  // 8
                             "sample_packing: true\n"                // 9
                             "qat:\n"                                // 10
                             "  activation_dtype: int8\n"            // 11
                             "  weight_dtype: int4\n"                // 12
                             "  group_size: 256\n"                   // 13
                             "  fake_quant_after_n_steps: 1000\n"    // 14
                             "micro_batch_size: 2\n"                 // 15
                             "gradient_accumulation_steps: 4\n"      // 16
                             "max_steps: 2000\n"                     // 17
                             "optimizer: adamw_torch_fused\n"        // 18
                             "lr_scheduler: cosine\n"                // 19
                             "learning_rate: 2e-5\n"                 // 20
                             "cosine_min_lr_ratio: 0.1\n"            // 21
                             "bf16: true\n"                          // 22
                             "gradient_checkpointing: true\n"        // 23
                             "fsdp_config:\n  fsdp_version: 2\n"     // 24, 25
                             "adapter: lora\n"                       // 26
                             "wandb_project: x\n"                    // 27
                             "special_tokens: {pad_token: <pad>}\n"; // 28

} // namespace

class ImportRecipeTest : public QObject {
    Q_OBJECT
    test::TempDir m_dir;

    Result<config::ImportedRecipe> import(const std::string& text) { return config::importRecipe(text, m_dir.path() / "peer.yaml"); }

private Q_SLOTS:
    void initTestCase() {
        test::writeText(m_dir.path() / "text.jsonl", "{\"text\": \"a\"}\n");
        test::writeText(m_dir.path() / "model/config.json", "{}");
    }
    void axolotl() {
        const auto got = import(kAxolotl);
        QVERIFY2(got.ok(), got ? "" : got.error().message.c_str());
        QVERIFY(got->peer == "axolotl");
        const auto& r = got->recipe;
        QVERIFY(r.model.path == (m_dir.path() / "model").string());
        QVERIFY(r.data.train.size() == 1 && r.data.train[0].column == "body" && r.data.seqLen == 2048 && r.data.packing == "greedy");
        QVERIFY(r.train.microBatch == 2 && r.train.gradAccum == 4 && r.train.maxSteps == 2000);
        QVERIFY(r.optim.name == "adamw" && r.optim.lr == 2e-5 && r.schedule.name == "cosine_min" && r.schedule.minLrRatio == 0.1);
        QVERIFY(r.precision.mode == "bf16_master" && r.activationCheckpointing == "layer");
        QVERIFY(r.qat && r.qat->fakeQuantAfterSteps == 1000);
        QCOMPARE(r.schemes.size(), size_t(1));
        const auto member = config::resolveMember(r, "imported", 42);
        QVERIFY(member.ok() && member->qat->preset == "8da4w" && member->qat->weight->groupSize == 256);
        const auto fate = [&](const char* key) { return keyOf(*got, key)->fate; };
        QVERIFY(fate("sequence_len") == Fate::Mapped && fate("qat.weight_dtype") == Fate::Changed && fate("adapter") == Fate::Unsupported);
        QVERIFY(fate("datasets[1].type") == Fate::Unsupported && fate("datasets[1].path") == Fate::Changed);
        QVERIFY(fate("special_tokens.pad_token") == Fate::Unknown && fate("fsdp_config.fsdp_version") == Fate::Unsupported);
        QVERIFY(fate("wandb_project") == Fate::Changed);
        QCOMPARE(keyOf(*got, "qat.group_size")->line, 13);
        QCOMPARE(keyOf(*got, "special_tokens.pad_token")->line, 28);
    }
    void noKeyIsDropped() {
        const auto got = import(kAxolotl);
        QVERIFY(got.ok());
        std::multiset<std::string> keys;
        for (const auto& key : got->keys)
            if (key.line > 0) keys.insert(key.key);
        QCOMPARE(keys.size(), size_t(25)); // scalars of the text above
        QVERIFY(std::set<std::string>(keys.begin(), keys.end()).size() == keys.size());
        for (const auto& key : got->keys)
            QVERIFY2(key.fate == Fate::Mapped || !key.note.empty(), key.key.c_str()); // anything else says why
    }
    void torchtune() {
        const auto got = import("tokenizer:\n  _component_: torchtune.models.llama3.llama3_tokenizer\n  max_seq_len: null\n"
                                "dataset:\n  _component_: torchtune.datasets.text_completion_dataset\n  source: text\n"
                                "  data_files: text.jsonl\n  column: text\n  packed: false\n"
                                "batch_size: 2\nepochs: 3\noptimizer:\n  _component_: torch.optim.AdamW\n  lr: 2e-5\n"
                                "clip_grad_norm: null\ndtype: bf16\nquantizer:\n"
                                "  _component_: torchtune.training.quantization.Int8DynActInt4WeightQATQuantizer\n  groupsize: 256\n"
                                "fake_quant_after_n_steps: 1000\nenable_activation_checkpointing: true\noptimizer_in_bwd: false\n");
        QVERIFY2(got.ok(), got ? "" : got.error().message.c_str());
        QVERIFY(got->peer == "torchtune");
        const auto& r = got->recipe;
        QVERIFY(r.schedule.name == "constant" && r.optim.weightDecay == 0.01 && !r.optim.clipNorm && r.precision.mode == "bf16_pure");
        QVERIFY(r.data.train.size() == 1 && r.data.packing == "none" && r.train.microBatch == 2 && r.train.epochs == 3);
        QVERIFY(r.schemes.size() == 1);
        const auto* fallback = keyOf(*got, "lr_scheduler");
        QVERIFY(fallback && fallback->line == 0 && fallback->ours == "schedule.name = constant");
        QVERIFY(keyOf(*got, "optimizer_in_bwd")->fate == Fate::Mapped);
    }
    void huggingFace() {
        const auto got = import("model_name_or_path: meta-llama/Llama-3.1-8B\nper_device_train_batch_size: 4\nnum_train_epochs: 2.0\n"
                                "learning_rate: 1.0e-5\nlr_scheduler_type: linear\nwarmup_ratio: 0.1\nbf16: true\nmax_steps: -1\n"
                                "save_steps: 3000\neval_steps: 3000\nsave_total_limit: 2\nload_best_model_at_end: true\n"
                                "optim: adamw_bnb_8bit\nquant_scheme: MXFP4\nlora: false\n");
        QVERIFY2(got.ok(), got ? "" : got.error().message.c_str());
        const auto& r = got->recipe;
        QVERIFY(r.train.microBatch == 4 && r.train.epochs == 2 && r.train.maxSteps == 0 && r.schedule.name == "linear");
        QVERIFY(r.checkpoint.every == 3000 && r.checkpoint.keep == 2 && r.checkpoint.loadBestAtEnd && r.eval.every == 3000);
        QVERIFY(r.model.path.empty() && keyOf(*got, "model_name_or_path")->fate == Fate::Changed);
        QVERIFY(keyOf(*got, "optim")->fate == Fate::Unsupported && keyOf(*got, "quant_scheme")->fate == Fate::Unsupported);
        QVERIFY(keyOf(*got, "lora")->fate == Fate::Mapped);
        QVERIFY(r.optim.name == "adamw");
    }
    void everyRuleNamesAKeyOfOurs() { // a rule whose key our reader does not know could never map
        for (const auto& rule : config::importRules()) {
            if (rule.how != config::Import::Set && rule.how != config::Import::Words) continue;
            records::Recipe recipe;
            const std::string ours = rule.ours;
            std::string value = ours == "optim.betas" ? "[0.9, 0.99]" : ours == "device" ? "cpu" : ours == "data.seq_len" ? "64" : "1";
            if (rule.how == config::Import::Words) value = rule.words.front().second;
            const auto status = config::applySets(recipe, {ours + "=" + value});
            QVERIFY2(status.ok(), status ? "" : (std::string(rule.key) + ": " + status.error().message).c_str());
        }
    }
    void ours_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<bool>("ours");
        QTest::newRow("ours") << QStringLiteral("recipe: 1\nname: x\n") << true;
        QTest::newRow("comment first") << QStringLiteral("# hello\n\nrecipe: 1\n") << true;
        QTest::newRow("json") << QStringLiteral("{\n  \"recipe\": 1\n}") << true;
        QTest::newRow("axolotl") << QStringLiteral("base_model: x\n") << false;
        QTest::newRow("recipes") << QStringLiteral("recipes: x\n") << false;
        QTest::newRow("empty") << QString() << false;
    }
    void ours() {
        QFETCH(QString, text);
        QFETCH(bool, ours);
        QCOMPARE(config::looksLikeOurs(text.toStdString()), ours);
    }
    void refused() {
        for (const char* text : {"", "a: 1\n", "- 1\n", "base_model: [\n"}) {
            const auto got = import(text);
            QVERIFY2(!got.ok(), text);
            QVERIFY2(got.error().code == "config.invalid" && got.error().message.find("peer.yaml:") != std::string::npos,
                     got.error().message.c_str());
        }
    }
};

QTEST_APPLESS_MAIN(ImportRecipeTest)
#include "tst_import_recipe.moc"
