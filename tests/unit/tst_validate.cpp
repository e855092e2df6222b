// SPDX-License-Identifier: GPL-3.0-or-later
// What: qatw validate as people call it: exit codes, lines, JSON, resolved members that parse back.
#include "config/recipe_file.h"
#include "test_data.h"

#include <QProcess>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace qw;

namespace {

constexpr const char* kConfig =
    "{\"model_type\": \"llama\", \"architectures\": [\"LlamaForCausalLM\"], \"vocab_size\": 64, \"hidden_size\": 64, "
    "\"intermediate_size\": 96, \"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"num_key_value_heads\": 2, "
    "\"max_position_embeddings\": 512, \"rms_norm_eps\": 1e-5, \"tie_word_embeddings\": true}";
constexpr const char* kRecipe =
    "recipe: 1\nname: here\nmodel: {path: m}\ndata: {train: [{path: t.jsonl}], eval: [{path: v.jsonl}], seq_len: 64}\n"
    "train: {max_steps: 10}\noptim: {lr: 1.0e-3}\ncheckpoint: {every: 5}\n"
    "schemes:\n  - {name: a, preset: 8da4w}\n  - {name: b, preset: intx_weight_only, weight: {dtype: int2}}\n";

} // namespace

class ValidateTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_dir = std::make_unique<test::TempDir>();
        std::filesystem::create_directories(m_dir->path() / "m");
        write("m/config.json", kConfig);
        write("t.jsonl", "{\"text\": \"train\"}\n");
        write("v.jsonl", "{\"text\": \"valid\"}\n");
        write("r.yaml", kRecipe);
    }
    void aGoodRecipe() {
        const auto [code, out, error] = run({QStringLiteral("r.yaml")});
        QVERIFY2(code == 0 && error.isEmpty(), error.constData());
        QVERIFY(out.contains("a valid recipe; it runs 6 members") && out.contains("  float trained\n") && out.contains("  b QAT\n"));
    }
    void resolvedMembersParseBack() {
        const auto [code, out, error] = run({QStringLiteral("r.yaml"), QStringLiteral("--resolved"), QStringLiteral("--json"),
                                             QStringLiteral("--set"), QStringLiteral("train.max_steps=7")});
        QCOMPARE(code, 0);
        const auto json = nlohmann::ordered_json::parse(out.toStdString());
        QVERIFY(json["ok"] == true && json["members"].size() == 6);
        const auto recipe = config::parseRecipe(json["members"][5]["recipe"].dump(), "member");
        QVERIFY(recipe.ok() && recipe->train.maxSteps == 7 && recipe->qat->weight->bits == 2 &&
                recipe->model.path == (m_dir->path() / "m").string());
    }
    void problems_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<int>("code");
        QTest::addColumn<QByteArray>("says");
        const auto s = [](const char* t) { return QString::fromLatin1(t); };
        QTest::newRow("unknown key") << QStringList{s("bad.yaml")} << 3
                                     << QByteArray("bad.yaml:3: train.max_step: unknown key; did you mean 'max_steps'?");
        QTest::newRow("unknown key in --set") << QStringList{s("r.yaml"), s("--set"), s("optim.lrr=1")} << 3
                                              << QByteArray("--set: optim.lrr: unknown key; did you mean 'lr'?");
        QTest::newRow("missing files, all named")
            << QStringList{s("gone.yaml")} << 4 << QByteArray("gone.yaml:3: data.eval[0].path: there is no ");
        QTest::newRow("a rule of training") << QStringList{s("r.yaml"), s("--set"), s("data.seq_len=1024")} << 3
                                            << QByteArray("--set: data.seq_len: 1024 is longer than the 512 positions");
        QTest::newRow("no such recipe") << QStringList{s("nothere.yaml")} << 4 << QByteArray("nothere.yaml");
        QTest::newRow("a folder") << QStringList{s("m")} << 4 << QByteArray("m");
        QTest::newRow("no argument") << QStringList{} << 2 << QByteArray("RECIPE");
    }
    void problems() {
        QFETCH(QStringList, arguments);
        QFETCH(int, code);
        QFETCH(QByteArray, says);
        write("bad.yaml", "recipe: 1\ntrain:\n  max_step: 5\n");
        write("gone.yaml", "recipe: 1\nmodel: {path: nowhere}\ndata: {train: [{path: no.jsonl}], eval: [{path: none.jsonl}]}\noptim: {lr: "
                           "1}\ntrain: {max_steps: 1}\ncheckpoint: {every: 0}\n");
        const auto [got, out, error] = run(arguments);
        QVERIFY2(got == code, error.constData());
        QVERIFY2(error.contains(says), error.constData());
        if (arguments.isEmpty()) return;
        const auto [jsonCode, text, unused] = run(arguments << QStringLiteral("--json"));
        QCOMPARE(jsonCode, code);
        const auto json = nlohmann::json::parse(text.toStdString());
        QVERIFY(json.contains("error") || json["ok"] == false);
    }

private:
    struct Ended {
        int code;
        QByteArray out, error;
    };
    std::unique_ptr<test::TempDir> m_dir;

    void write(const char* name, const char* text) { std::ofstream(m_dir->path() / name) << text; }
    Ended run(QStringList arguments) {
        QProcess tool;
        arguments.prepend(QStringLiteral("validate"));
        tool.setWorkingDirectory(QString::fromStdString(m_dir->path().string()));
        tool.start(QStringLiteral(QW_BIN_DIR "/qatw"), arguments);
        if (!tool.waitForFinished(60000)) qFatal("qatw validate did not end");
        return {tool.exitCode(), tool.readAllStandardOutput(), tool.readAllStandardError()};
    }
};

QTEST_GUILESS_MAIN(ValidateTest)
#include "tst_validate.moc"
