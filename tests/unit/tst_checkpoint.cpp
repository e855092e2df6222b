// SPDX-License-Identifier: GPL-3.0-or-later
// What: model folders: whole, sharded, tied, linked like the Hugging Face cache, hostile, contradicting; weights read with one rounding.
#include "checkpoint/checkpoint.h"
#include "checkpoint/convert.h"
#include "checkpoint/inspect.h"
#include "checkpoint/shards.h"
#include "test_data.h"
#include "tiny_model.h"

#include <cstring>
#include <random>
#include <sys/stat.h>

using namespace qw;
using namespace qw::checkpoint;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string warningsOf(const Checkpoint& c) {
    std::string all;
    for (const Problem& p : c.warnings()) all += p.message + "\n";
    return all;
}

} // namespace

#define OPEN(variable, ...)                                                                                                                \
    const auto variable##Result = Checkpoint::open(__VA_ARGS__);                                                                           \
    QVERIFY2(variable##Result.ok(), variable##Result.ok() ? "" : variable##Result.error().message.c_str());                                \
    const Checkpoint& variable = *variable##Result
#define REFUSED(wantedCode, part, ...)                                                                                                     \
    do {                                                                                                                                   \
        const auto refused = Checkpoint::open(__VA_ARGS__);                                                                                \
        QVERIFY(!refused.ok());                                                                                                            \
        QCOMPARE(refused.error().code, std::string(wantedCode));                                                                           \
        QVERIFY2(contains(refused.error().message, part), refused.error().message.c_str());                                                \
        QVERIFY(!refused.error().hint.empty());                                                                                            \
    } while (false)

class CheckpointTest : public QObject {
    Q_OBJECT
    test::TempDir m_temp;
    int m_count = 0;
    fs::path freshDir() {
        const fs::path dir = m_temp.path() / std::to_string(++m_count);
        fs::create_directories(dir);
        return dir;
    }
    const std::string m_tied = test::tinyConfig("llama", "\"tie_word_embeddings\":true,");
    const std::string m_untied = test::tinyConfig("llama");
    // An untied two-shard llama whose index text can be replaced.
    fs::path sharded() {
        const fs::path dir = freshDir();
        if (!test::writeTinyModel(dir, m_untied, test::tinyTensors(m_untied, false), 2)) qFatal("cannot write the model");
        return dir;
    }
    static constexpr const char* kIndex = "model.safetensors.index.json";
    static constexpr const char* kSecond = "model-00002-of-00002.safetensors";
    fs::path hostileIndex(const std::string& file) {
        const fs::path dir = freshDir();
        test::writeText(dir / "config.json", m_untied);
        test::writeText(dir / kIndex, "{\"weight_map\":{\"model.norm.weight\":\"" + file + "\"}}");
        return dir;
    }

private Q_SLOTS:
    void referenceModel() {
        QW_NEEDS_REFERENCE_DATA();
        OPEN(model, test::referenceData() / "stories260K");
        QCOMPARE(model.parameters(), int64_t{260032}); // its README
        QCOMPARE(model.tensors().size(), size_t{47});
        QVERIFY(model.tied());
        QVERIFY(!model.isQuantized());
        QCOMPARE(model.dtype(), records::DType::F32);
        QCOMPARE(model.bytes(), uint64_t{1044992});
        QCOMPARE(model.warnings().size(), size_t{0});
        const auto first = model.fingerprint(), second = Checkpoint::open(test::referenceData() / "stories260K")->fingerprint();
        QVERIFY(first.ok() && second.ok());
        QCOMPARE(first->size(), size_t{32});
        QCOMPARE(*first, *second);
    }

    void wholeAndSharded() {
        const auto tensors = test::tinyTensors(m_untied, false, "BF16");
        const fs::path whole = freshDir(), parts = freshDir();
        QVERIFY(test::writeTinyModel(whole, m_untied, tensors).ok());
        QVERIFY(test::writeTinyModel(parts, m_untied, tensors, 3).ok());
        OPEN(a, whole);
        OPEN(b, parts);
        QCOMPARE(b.shards().size(), size_t{3});
        QCOMPARE(a.dtype(), records::DType::BF16);
        QCOMPARE(a.parameters(), b.parameters());
        QVERIFY(a.find("lm_head.weight") != nullptr);
        for (const test::TinyTensor& t : tensors) {
            std::vector<char> one(t.bytes.size()), two(t.bytes.size());
            QVERIFY(a.read(t.name, one.data()).ok());
            QVERIFY(b.read(t.name, two.data()).ok());
            QVERIFY(one == t.bytes && two == t.bytes);
        }
        QVERIFY(*a.fingerprint() != *b.fingerprint());
        QVERIFY(!a.read("no.such", nullptr).ok());
    }

    void ourShards() {
        const auto tensors = test::tinyTensors(m_untied, false);
        const fs::path dir = freshDir();
        test::writeText(dir / "config.json", m_untied);
        std::vector<TensorSource> sources;
        for (const auto& t : tensors) sources.push_back(bytesSource(t.name, t.dtype, t.shape, t.bytes.data()));
        const auto written = writeShards(dir, std::move(sources), {}, 60000);
        QVERIFY2(written.ok(), written.ok() ? "" : written.error().message.c_str());
        OPEN(model, dir);
        QVERIFY(model.shards().size() > 2);
        QCOMPARE(model.bytes(), written->bytes);
        QVERIFY(contains(model.shards().front().path().filename().string(), "model-00001-of-0000"));
        QCOMPARE(warningsOf(model), std::string());
    }

    void tieRule() {
        const auto tied = test::tinyTensors(m_tied, true);
        auto both = tied;
        both.push_back(tied.front());
        both.back().name = "lm_head.weight";
        const fs::path a = freshDir(), b = freshDir(), c = freshDir(), d = freshDir();
        QVERIFY(test::writeTinyModel(a, m_tied, tied).ok());
        OPEN(plain, a);
        QVERIFY(plain.tied());
        QVERIFY(test::writeTinyModel(b, m_tied, both).ok());
        OPEN(equal, b);
        QVERIFY(equal.tied());
        QCOMPARE(warningsOf(equal), std::string());
        QVERIFY(!Checkpoint::open(b, "false")->tied());
        both.back().bytes[0] ^= 1;
        QVERIFY(test::writeTinyModel(c, m_tied, both).ok());
        OPEN(different, c);
        QVERIFY(contains(warningsOf(different), "lm_head.weight differs"));
        QVERIFY(test::writeTinyModel(d, m_untied, tied).ok());
        REFUSED("model.shape", "lm_head.weight is missing", d);
        QVERIFY(contains(Checkpoint::open(d).error().hint, "model.tie"));
        QVERIFY(Checkpoint::open(d, "true")->tied());
    }

    void readAsRoundsOnce() {
        const fs::path dir = freshDir();
        auto tensors = test::tinyTensors(m_tied, true);
        // The norm as F64: 1 + 2^-8 + 2^-40 lies above the middle of two BF16 values; through fp32 it would sit on it and round down.
        const std::vector<double> wide(64, 1.0 + 0x1p-8 + 0x1p-40);
        for (auto& t : tensors)
            if (t.name == "model.norm.weight") {
                t.dtype = "F64";
                t.bytes.assign(reinterpret_cast<const char*>(wide.data()), reinterpret_cast<const char*>(wide.data() + wide.size()));
            }
        QVERIFY(test::writeTinyModel(dir, m_tied, tensors).ok());
        OPEN(model, dir);
        QVERIFY(contains(warningsOf(model), "F64"));
        std::vector<uint16_t> half(64);
        QVERIFY(model.readAs("model.norm.weight", records::DType::BF16, half.data()).ok());
        QCOMPARE(half[0], numerics::floatToBf16(1.0f + 0x1p-7f));
        const std::string name = "model.embed_tokens.weight";
        std::vector<float> exact(96 * 64);
        std::vector<uint16_t> bf16(exact.size()), f16(exact.size());
        QVERIFY(model.readAs(name, records::DType::F32, exact.data()).ok());
        QVERIFY(model.readAs(name, records::DType::BF16, bf16.data()).ok());
        QVERIFY(model.readAs(name, records::DType::F16, f16.data()).ok());
        QCOMPARE(std::memcmp(exact.data(), tensors.front().bytes.data(), tensors.front().bytes.size()), 0);
        for (size_t i = 0; i < exact.size(); ++i) {
            QCOMPARE(bf16[i], numerics::floatToBf16(exact[i]));
            QCOMPARE(f16[i], numerics::floatToF16(exact[i]));
        }
    }

    void missingThings() {
        REFUSED("file.not_found", "nowhere", m_temp.path() / "nowhere");
        const fs::path empty = freshDir();
        REFUSED("file.not_found", "config.json", empty);
        test::writeText(empty / "config.json", m_tied);
        REFUSED("file.not_found", "model.safetensors", empty);
        test::writeText(empty / "pytorch_model.bin", "pickle");
        REFUSED("file.unsafe", "pytorch_model.bin", empty);
        const fs::path file = m_temp.path() / "a file";
        test::writeText(file, "x");
        REFUSED("file.not_found", "not a folder", file);
        const fs::path shards = sharded();
        fs::remove(shards / kSecond);
        REFUSED("model.shard_missing", kSecond, shards);
    }

    void hostileIndex_data() {
        QTest::addColumn<QString>("file");
        for (const char* name : {"../model.safetensors", "/etc/passwd.safetensors", "a/b.safetensors", "a\\\\b.safetensors", "..",
                                 "C:evil.safetensors", "x\\u0000.safetensors", "weights.bin", ""})
            QTest::newRow(*name ? name : "empty") << QString::fromLatin1(name);
    }
    void hostileIndex() {
        QFETCH(QString, file);
        REFUSED("file.unsafe", "model.norm.weight", hostileIndex(file.toStdString()));
    }
    void brokenIndex() {
        const fs::path dir = sharded();
        test::writeText(dir / kIndex, "{\"weight_map\":[]}");
        REFUSED("model.format", "weight_map", dir);
        test::writeText(dir / kIndex, "{\"weight_map\":{\"a\":3}}");
        REFUSED("model.format", "\"a\" is 3", dir);
        test::writeText(dir / kIndex, "{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}");
        REFUSED("model.format", "occurs twice", dir);
        test::writeText(dir / kIndex,
                        "{\"weight_map\":{\"model.norm.weight\":\"" + std::string(kSecond) + "\",\"nothing.weight\":\"" + kSecond + "\"}}");
        REFUSED("model.format", "does not hold tensor", dir);
    }

    void links() {
        const fs::path dir = sharded(), outside = freshDir() / "outside.safetensors";
        fs::rename(dir / kSecond, outside);
        fs::create_symlink(outside, dir / kSecond);
        REFUSED("file.unsafe", "outside of the model folder", dir);
        fs::remove(dir / kSecond);
        fs::rename(outside, dir / "real.safetensors");
        fs::create_symlink("real.safetensors", dir / kSecond);
        QVERIFY(Checkpoint::open(dir).ok());
        fs::remove(dir / kSecond);
        fs::create_symlink("nothing.safetensors", dir / kSecond);
        REFUSED("model.shard_missing", kSecond, dir);
        fs::remove(dir / kSecond);
        QCOMPARE(::mkfifo((dir / kSecond).c_str(), 0600), 0);
        REFUSED("file.unsafe", "not a regular file", dir);
    }
    void huggingFaceCache() {
        const fs::path repo = freshDir(), snapshot = repo / "snapshots/abc", blobs = repo / "blobs";
        QVERIFY(test::writeTinyModel(blobs, m_tied, test::tinyTensors(m_tied, true)).ok());
        fs::create_directories(snapshot);
        for (const char* name : {"config.json", "model.safetensors"}) {
            fs::rename(blobs / name, blobs / (std::string("digest-of-") + name));
            fs::create_symlink(std::string("../../blobs/digest-of-") + name, snapshot / name);
        }
        OPEN(model, snapshot);
        QVERIFY(model.tied());
        OPEN(relative, fs::relative(snapshot));
        QCOMPARE(*relative.fingerprint(), *model.fingerprint());
    }

    void configContradictsTensors() {
        const fs::path dir = freshDir();
        auto tensors = test::tinyTensors(m_tied, true);
        for (auto& t : tensors)
            if (t.name == "model.layers.1.self_attn.k_proj.weight") t.shape = {64, 32};
        QVERIFY(test::writeTinyModel(dir, m_tied, tensors).ok());
        REFUSED("model.shape", "model.layers.1.self_attn.k_proj.weight: expected [32,64] ([K*D, H]), file has [64,32]", dir);
        const fs::path missing = freshDir();
        tensors = test::tinyTensors(m_tied, true);
        std::erase_if(tensors, [](const auto& t) { return t.name.ends_with("up_proj.weight"); });
        QVERIFY(test::writeTinyModel(missing, m_tied, tensors).ok());
        REFUSED("model.shape", "model.layers.0.mlp.up_proj.weight is missing", missing);
        QVERIFY(contains(Checkpoint::open(missing).error().message, "1 more"));
        const fs::path dtype = freshDir();
        tensors = test::tinyTensors(m_tied, true);
        tensors[0].dtype = "I32";
        QVERIFY(test::writeTinyModel(dtype, m_tied, tensors).ok());
        REFUSED("model.format", "dtype I32 is not supported for weights", dtype);
    }

    void tensorInTwoShards() {
        const fs::path dir = sharded();
        auto extra = test::tinyTensors(m_untied, false);
        std::vector<test::TinyTensor> second;
        for (size_t i = 1; i < extra.size(); i += 2) second.push_back(extra[i]);
        second.push_back(extra[0]);
        QVERIFY(test::writeTensors(dir / kSecond, second).ok());
        REFUSED("model.format", "is in two shards", dir);
    }

    void leftovers() {
        const fs::path dir = freshDir();
        auto tensors = test::tinyTensors(m_tied, true);
        test::TinyTensor extra{"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {1}, {0, 0, 0, 0}};
        tensors.push_back(extra);
        QVERIFY(test::writeTinyModel(dir, m_tied, tensors).ok());
        OPEN(known, dir);
        QCOMPARE(warningsOf(known), std::string());
        extra.name = "vision_tower.weight";
        tensors.push_back(extra);
        QVERIFY(test::writeTinyModel(dir, m_tied, tensors).ok());
        OPEN(strange, dir);
        QVERIFY(contains(warningsOf(strange), "vision_tower.weight"));
        const fs::path shards = sharded();
        auto part = test::tinyTensors(m_untied, false);
        std::vector<test::TinyTensor> second{extra};
        for (size_t i = 1; i < part.size(); i += 2) second.push_back(part[i]);
        QVERIFY(test::writeTensors(shards / kSecond, second).ok());
        OPEN(unlisted, shards);
        QVERIFY(contains(warningsOf(unlisted), "not in the index"));
    }

    void alreadyQuantised() {
        const fs::path dir = freshDir();
        const std::string config =
            test::tinyConfig("llama", "\"quantization_config\":{\"quant_method\":\"awq\"},\"tie_word_embeddings\":true,");
        QVERIFY(test::writeTinyModel(dir, config, test::tinyTensors(m_tied, true)).ok());
        REFUSED("model.format", "already quantised (awq)", dir);
        const auto shown = inspectFolder(dir, false);
        QVERIFY(shown.ok());
        QCOMPARE(shown->quantMethod, std::string("awq"));
        QVERIFY(shown->parameters > 0 && !shown->tensors.empty());
        const std::string ours = test::tinyConfig("llama", "\"quantization_config\":{\"quant_method\":\"qat_workbench\",\"format\":2},");
        test::writeText(dir / "config.json", ours);
        REFUSED("model.format", "format 2 is not known", dir);
        test::writeText(dir / "config.json",
                        test::tinyConfig("llama", "\"quantization_config\":{\"quant_method\":\"qat_workbench\",\"format\":1},"));
        REFUSED("model.format", "__metadata__.qat_workbench", dir);
    }

    void scan() {
        const fs::path dir = freshDir();
        auto tensors = test::tinyTensors(m_tied, true, "BF16");
        const uint16_t bad[3] = {0x7f80, 0xff80, 0x7fc1}; // +inf, -inf, NaN
        std::memcpy(tensors[2].bytes.data() + 10, bad, sizeof bad);
        QVERIFY(test::writeTinyModel(dir, m_tied, tensors).ok());
        const auto seen = inspectFolder(dir, true);
        QVERIFY(seen.ok());
        int64_t nan = 0, inf = 0;
        for (const auto& t : seen->tensors) {
            if (t.name != tensors[2].name) QCOMPARE(t.nan + t.inf, int64_t{0});
            nan += t.nan;
            inf += t.inf;
        }
        QCOMPARE(nan, int64_t{1});
        QCOMPARE(inf, int64_t{2});
        QCOMPARE(seen->problems.size(), size_t{1});
        QCOMPARE(seen->parameters, seen->embedding + seen->linear + seen->other);
    }

    // Mutated indexes: always an answer, never a crash.
    void mutatedIndexes() {
        const fs::path dir = sharded();
        const std::string good = test::readText(dir / kIndex);
        std::mt19937 random(7);
        int refused = 0;
        for (int round = 0; round < 300; ++round) {
            std::string text = good;
            text[random() % text.size()] = static_cast<char>(random() % 128);
            fs::remove(dir / kIndex);
            test::writeText(dir / kIndex, text);
            refused += Checkpoint::open(dir).ok() ? 0 : 1;
        }
        QVERIFY(refused > 50 && refused < 300);
    }
};

QTEST_GUILESS_MAIN(CheckpointTest)
#include "tst_checkpoint.moc"
