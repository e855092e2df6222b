// SPDX-License-Identifier: GPL-3.0-or-later
// What: qatw inspect as people call it: table, JSON, exit codes.
#include "test_data.h"
#include "tiny_model.h"

#include <QProcess>
#include <nlohmann/json.hpp>

using namespace qw;

class InspectTest : public QObject {
    Q_OBJECT
    test::TempDir m_dir;
    const std::string m_config = test::tinyConfig("llama", "\"tie_word_embeddings\":true,");
    struct Answer {
        int code = -1;
        QByteArray out, error;
    };
    Answer run(const QStringList& arguments) const {
        QProcess tool;
        tool.setWorkingDirectory(QString::fromStdString(m_dir.path().string()));
        tool.start(QStringLiteral(QW_BIN_DIR "/qatw"), QStringList{QStringLiteral("inspect")} + arguments);
        if (!tool.waitForFinished(60000)) return {};
        return {tool.exitCode(), tool.readAllStandardOutput(), tool.readAllStandardError()};
    }

private Q_SLOTS:
    void initTestCase() { QVERIFY(test::writeTinyModel(m_dir.path() / "tiny", m_config, test::tinyTensors(m_config, true, "BF16")).ok()); }

    void facts() {
        const auto [code, out, error] =
            run({QStringLiteral("tiny"), QStringLiteral("--json"), QStringLiteral("--tensors"), QStringLiteral("--scan")});
        QVERIFY2(code == 0, error.constData());
        const auto json = nlohmann::json::parse(out.toStdString());
        // By hand: 96*64; two layers of (64+32+32+64)*64 + 3*64*96; 5 norms of 64.
        QVERIFY(json["parameters"]["embedding"] == 6144 && json["parameters"]["linear"] == 61440 && json["parameters"]["other"] == 320);
        QVERIFY(json["parameters"]["total"] == 67904 && json["parameters"]["lm_head"] == 0);
        QVERIFY(json["architecture"] == "llama" && json["dtype"] == "bfloat16" && json["tied"] == true && json["quantized_by"].is_null());
        QVERIFY(json["tensors"].size() == 20 && json["tensors"][0]["nan"] == 0);
        QVERIFY(json["problems"].size() == 1 && json["problems"][0]["level"] == "warning"); // there is no tokenizer
    }
    void table() {
        const auto [code, out, error] = run({QStringLiteral("tiny"), QStringLiteral("--tensors")});
        QCOMPARE(code, 0);
        QVERIFY(out.contains("llama, 2 layers, width 64") && out.contains("67 904") && out.contains("model.layers.1.mlp.up_proj.weight"));
    }
    void errors() {
        QCOMPARE(run({QStringLiteral("nowhere")}).code, 4);
        QCOMPARE(run({}).code, 2);
        const auto folder = m_dir.path() / "gemma";
        QVERIFY(test::writeTinyModel(folder, test::tinyConfig("gemma2"), test::tinyTensors(m_config, true)).ok());
        const auto unsupported = run({QStringLiteral("gemma"), QStringLiteral("--json")});
        QCOMPARE(unsupported.code, 4);
        const auto json = nlohmann::json::parse(unsupported.out.toStdString());
        QVERIFY(json["error"]["code"] == "model.unsupported_arch");
        const auto said = run({QStringLiteral("gemma")});
        QVERIFY(said.error.contains("gemma2") && said.error.contains("llama, mistral, qwen2, qwen3"));
        std::filesystem::resize_file(folder / "model.safetensors", 1000);
        test::writeText(folder / "config.json", m_config);
        QVERIFY(run({QStringLiteral("gemma")}).error.contains("model.truncated"));
    }
    void brokenTokenizerIsAProblem() {
        test::writeText(m_dir.path() / "tiny/tokenizer.json", "{\"model\":{\"type\":\"Unigram\"}}");
        const auto [code, out, error] = run({QStringLiteral("tiny")});
        std::filesystem::remove(m_dir.path() / "tiny/tokenizer.json");
        QCOMPARE(code, 4);
        QVERIFY(out.contains("error: tokenizer:") && out.contains("Unigram"));
    }
    void foreignQuantizationIsShown() {
        const std::string config =
            test::tinyConfig("llama", "\"tie_word_embeddings\":true,\"quantization_config\":{\"quant_method\":\"awq\"},");
        QVERIFY(test::writeTinyModel(m_dir.path() / "awq", config, test::tinyTensors(m_config, true)).ok());
        const auto [code, out, error] = run({QStringLiteral("awq")});
        QCOMPARE(code, 0);
        QVERIFY(out.contains("quantized by    awq") && out.contains("not used as MODEL"));
    }
};

QTEST_GUILESS_MAIN(InspectTest)
#include "tst_inspect.moc"
