// SPDX-License-Identifier: GPL-3.0-or-later
// What: models as GGUF: the page's worked blocks, order of q and k rows, codes and edge values there and back, refusals (export.md 5).
#include "checkpoint/gguf_header.h"
#include "expect.h"
#include "formats/format.h"
#include "formats/gguf_file.h"
#include "formats/gguf_model.h"
#include "formats/gguf_tokenizer.h"
#include "quantized_model.h"
#include "tokenizer_files.h"

using namespace qw;
using formats::Fidelity;
using records::Mapping;
namespace fs = std::filesystem;

namespace {

records::QatBlock realZero(bool tinygemm) {
    records::QatBlock block = test::weightScheme(4, 32, Mapping::Asymmetric);
    block.weight->isSigned = false;
    block.weight->zeroDomain = records::ZeroDomain::Float;
    if (!tinygemm) block.weight->format = records::Format::Int4Zp;
    return block;
}

const formats::Format& gguf() { return **formats::findFormat("gguf"); }
bool always(uint64_t, uint64_t) { return true; }

fs::path ggufIn(const fs::path& dir) {
    for (const auto& entry : fs::directory_iterator(dir))
        if (entry.path().extension() == ".gguf") return entry.path();
    return {};
}

const std::string kModule = "model.layers.0.mlp.up_proj";

// First bytes of the module as stored in the file, in hex, without any reader of ours but the header's.
std::string firstBytes(const fs::path& dir, int count) {
    QByteArray out(count, '\0');
    const auto file = checkpoint::TensorFile::openGguf(ggufIn(dir));
    const auto* info = file->find(kModule + checkpoint::kBlocksSuffix);
    if (!info || !file->read(*info, out.data(), 0, static_cast<uint64_t>(count))) return {};
    return out.toHex(' ').toStdString();
}

} // namespace

class GgufTest : public QObject {
    Q_OBJECT
    test::TempFolders m_folders;
    // A native folder with a tokenizer, its first up_proj changed.
    fs::path quantized(const records::QatBlock& block, const std::function<void(test::TinyCodes&)>& change = {},
                       const std::string& dtype = "BF16") {
        const fs::path dir = m_folders.fresh();
        test::writeWorkedTokenizer(dir);
        const auto written = test::writeQuantized(dir, block, dtype, [&](test::TinyCodes& made) {
            if (change && made.module == kModule) change(made);
        });
        if (!written) qFatal("%s", written.error().message.c_str());
        return dir;
    }

private Q_SLOTS:
    void workedBlocks() {
        const auto codes = [](test::TinyCodes& made) {
            for (int i = 0; i < 32; ++i) made.codes[size_t(i)] = int8_t((7 * i + 3 * (i / 16) + 2) % 16 - 8);
        };
        const auto scale = [](test::TinyCodes& made, uint16_t bits) { std::memcpy(made.scale.data(), &bits, 2); };
        const std::string nibbles = "52 c9 30 a7 1e 85 fc 63 da 41 b8 2f 96 0d 74 eb";
        const auto exported = [&](const fs::path& from, int count) {
            const fs::path out = m_folders.fresh() / "out";
            const auto source = checkpoint::Checkpoint::open(from);
            const auto done = formats::exportModel(gguf(), *source, {out}, always, test::equalLogits);
            return done ? firstBytes(out, count) : done.error().message;
        };
        const auto q4 = quantized(test::weightScheme(4, 32), [&](test::TinyCodes& made) { codes(made), scale(made, 0x3C00); }); // 2^-7
        QCOMPARE(exported(q4, 18), "00 20 " + nibbles);
        const auto q41 = quantized(test::weightScheme(4, 32, Mapping::Asymmetric), [&](test::TinyCodes& made) {
            const int32_t zero = -3;
            codes(made), scale(made, 0x3C24);
            std::memcpy(made.zero.data(), &zero, 4);
        });
        QCOMPARE(exported(q41, 20), "20 21 68 aa " + nibbles);
        const auto q8 = quantized(test::weightScheme(8, 32), [&](test::TinyCodes& made) {
            for (int i = 0; i < 32; ++i) made.codes[size_t(i)] = int8_t((37 * i + 11) % 255 - 127);
            scale(made, 0x3C00);
        });
        QCOMPARE(exported(q8, 34),
                 std::string("00 20 8c b1 d6 fb 20 45 6a 90 b5 da ff 24 49 6e 94 b9 de 03 28 4d 72 98 bd e2 07 2c 51 76 9c "
                             "c1 e6 0b"));
    }

    void permutation() {
        checkpoint::ModelConfig config;
        config.modelType = "llama";
        config.heads = 2;
        config.kvHeads = 1;
        config.headDim = 8;
        const std::vector<int64_t> one{0, 4, 1, 5, 2, 6, 3, 7}; // export.md 5.6
        QVERIFY(formats::ggufRows(config, "model.layers.0.self_attn.k_proj.weight") == one);
        const auto q = formats::ggufRows(config, "model.layers.0.self_attn.q_proj.bias");
        QCOMPARE(q.size(), size_t{16});
        QCOMPARE(q[9], int64_t{12});
        QVERIFY(formats::ggufRows(config, "model.layers.0.self_attn.v_proj.weight").empty());
        config.modelType = "qwen2";
        QVERIFY(formats::ggufRows(config, "model.layers.0.self_attn.k_proj.weight").empty());
        QCOMPARE(checkpoint::ggufTensorName("model.layers.10.post_attention_layernorm.weight"), std::string("blk.10.ffn_norm.weight"));
        QCOMPARE(checkpoint::ggufTensorName("model.layers.1.self_attn.q_proj.bias"), std::string("blk.1.attn_q.bias"));
        QCOMPARE(checkpoint::ggufTensorName("lm_head.weight"), std::string("output.weight"));
    }

    void thereAndBack_data() {
        QTest::addColumn<int>("bits");
        QTest::addColumn<int>("group");
        QTest::addColumn<bool>("asymmetric");
        QTest::addColumn<QString>("dtype");
        QTest::addColumn<int>("fidelity");
        const int exact = int(Fidelity::Exact), near = int(Fidelity::NearExact);
        QTest::newRow("int2") << 2 << 32 << false << "BF16" << exact;
        QTest::newRow("int3 g64") << 3 << 64 << false << "BF16" << exact;
        QTest::newRow("int4") << 4 << 32 << false << "BF16" << exact;
        QTest::newRow("int4 channel") << 4 << 0 << false << "BF16" << exact; // 96 and 64 columns: d repeated 3 and 2 times
        QTest::newRow("int5") << 5 << 32 << false << "BF16" << exact;
        QTest::newRow("int8") << 8 << 0 << false << "BF16" << exact;
        QTest::newRow("int4 zero points") << 4 << 32 << true << "BF16" << near;
        QTest::newRow("int3 zero points") << 3 << 32 << true << "BF16" << exact; // u up to 8: every offset is an fp16 number
        QTest::newRow("int4 fp32") << 4 << 32 << false << "F32" << near;
        QTest::newRow("int4 zero points fp32") << 4 << 32 << true << "F32" << near;
    }
    void thereAndBack() {
        QFETCH(const int, bits);
        QFETCH(const int, group);
        QFETCH(const bool, asymmetric);
        QFETCH(const QString, dtype);
        QFETCH(const int, fidelity);
        const auto block = test::weightScheme(bits, group, asymmetric ? Mapping::Asymmetric : Mapping::Symmetric);
        // Random codes with both ends in every group, and one group of zeros.
        const auto from = quantized(
            block,
            [&](test::TinyCodes& made) {
                std::mt19937 random(7);
                const int low = -(1 << (bits - 1)), high = (1 << (bits - 1)) - 1, width = group > 0 ? group : 64;
                for (size_t i = 0; i < made.codes.size(); ++i)
                    made.codes[i] = int8_t(i % size_t(width) == 0   ? low
                                           : i % size_t(width) == 1 ? high
                                                                    : low + int(random() % unsigned(high - low + 1)));
                int32_t zero = 0;
                if (asymmetric) std::memcpy(&zero, made.zero.data(), 4);
                for (int i = 0; i < width; ++i) made.codes[size_t(i)] = int8_t(zero);
            },
            dtype.toStdString());
        const auto source = checkpoint::Checkpoint::open(from);
        OK(source);
        const auto verdict = gguf().check(*source);
        OK(verdict);
        QCOMPARE(int(verdict->fidelity), fidelity);
        const fs::path out = m_folders.fresh() / "out";
        const auto done = formats::exportModel(gguf(), *source, {out}, always, test::equalLogits);
        OK(done);
        QCOMPARE(done->bytes, verdict->bytes); // the forecast is the file's size
        QVERIFY(done->sheet.different <= verdict->inexact);
        if (fidelity == int(Fidelity::Exact)) QCOMPARE(done->sheet.equal, done->sheet.tensors);
        QCOMPARE(firstBytes(out, 2), std::string("00 00")); // d of the group of zeros

        const auto written = checkpoint::Checkpoint::open(ggufIn(out)); // the bare file is a MODEL too
        OK(written);
        QCOMPARE(written->format(), std::string("gguf"));
        QCOMPARE(written->dtype(), source->dtype());
        QCOMPARE(written->quantizedModules().size(), source->quantizedModules().size());
        const fs::path again = m_folders.fresh() / "out";
        const auto second = formats::exportModel(gguf(), *written, {again}, always, test::equalLogits);
        OK(second);
        QCOMPARE(int(second->verdict.fidelity), int(Fidelity::Exact));
        QCOMPARE(test::readText(ggufIn(again)) == test::readText(ggufIn(out)), true); // re-export is byte-identical
    }

    void realZeroPoints() {
        for (const bool tinygemm : {true, false}) {
            const auto from = quantized(realZero(tinygemm));
            const auto source = checkpoint::Checkpoint::open(from);
            OK(source);
            const auto verdict = gguf().check(*source);
            OK(verdict);
            QCOMPARE(int(verdict->fidelity), int(Fidelity::NearExact));
            QVERIFY2(verdict->why.find("of a step") != std::string::npos, verdict->why.c_str());
            OK(formats::exportModel(gguf(), *source, {m_folders.fresh() / "out"}, always, test::equalLogits));
        }
    }

    void refusals_data() {
        QTest::addColumn<int>("what");
        QTest::addColumn<QString>("part");
        const char* parts[] = {"fp16 ends at 65504", "has no tokenizer.json", "no pre-tokenizer", "names no end token",
                               "8-bit codes with zero points"};
        for (int i = 0; i < int(std::size(parts)); ++i) QTest::newRow(parts[i]) << i << QString::fromLatin1(parts[i]);
    }
    void refusals() {
        QFETCH(const int, what);
        QFETCH(const QString, part);
        const uint16_t large = numerics::floatToBf16(70000);
        const auto from = quantized(test::weightScheme(what == 4 ? 8 : 4, 32, what == 4 ? Mapping::Asymmetric : Mapping::Symmetric),
                                    [&](test::TinyCodes& made) {
                                        if (what == 0) std::memcpy(made.scale.data(), &large, 2);
                                    });
        auto odd = test::worked(false);
        odd["pre_tokenizer"] = {{"type", "WhitespaceSplit"}};
        if (what == 1) fs::remove(from / "tokenizer.json");
        if (what == 2) test::writeText(from / "tokenizer.json", odd.dump());
        if (what == 3) {
            test::writeText(from / "tokenizer.json", test::worked(false).dump());
            fs::remove(from / "tokenizer_config.json");
            std::string config = test::readText(from / "config.json");
            const std::string end = "\"eos_token_id\":2";
            test::writeText(from / "config.json", config.replace(config.find(end), end.size(), "\"eos_token_id\":null"));
        }
        const auto source = checkpoint::Checkpoint::open(from);
        OK(source);
        const auto verdict = gguf().check(*source);
        OK(verdict);
        QCOMPARE(int(verdict->fidelity), int(Fidelity::Unsupported));
        QVERIFY2(verdict->why.find(part.toStdString()) != std::string::npos, verdict->why.c_str());
        const fs::path out = m_folders.fresh() / "out";
        const auto done = formats::exportModel(gguf(), *source, {out}, always, test::equalLogits);
        QVERIFY(!done.ok());
        QCOMPARE(done.error().code, std::string("usage"));
        QVERIFY(!fs::exists(out));
    }

    // What llama.cpp computes otherwise than the model asks, or not at all: said before anything is written.
    void modelsThatItCannotHold_data() {
        QTest::addColumn<QString>("modelType");
        QTest::addColumn<QString>("extra");
        QTest::addColumn<QString>("why");
        const auto row = [](const char* type, const char* extra, const char* why) { QTest::newRow(why) << type << extra << why; };
        row("llama", "\"hidden_act\":\"gelu\",", "llama.cpp computes llama with silu, the model has gelu");
        row("qwen2", "\"use_sliding_window\":true,\"sliding_window\":8,\"max_window_layers\":0,",
            "llama.cpp knows no sliding window of qwen2, the model has one");
        row("qwen3", "\"attention_bias\":true,", "GGUF has no biases of o_proj or the MLP for qwen3");
        row("llama", "\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":2.0,\"beta_fast\":16},",
            "yarn with its own betas, truncation or attention factor has no words in GGUF");
        row("llama",
            "\"rope_scaling\":{\"rope_type\":\"longrope\",\"factor\":2.0,\"short_factor\":[1,1,1,1,1,1,1,1],\"long_factor\":[2,2,2,2,2,2,2,"
            "2]},",
            "rotary embeddings of type longrope have no words in GGUF for this architecture");
    }
    void modelsThatItCannotHold() {
        QFETCH(const QString, modelType);
        QFETCH(const QString, extra);
        QFETCH(const QString, why);
        const fs::path dir = m_folders.fresh(), work = m_folders.fresh();
        const std::string config = test::tinyConfig(modelType.toStdString(), extra.toStdString());
        OK(test::writeTinyModel(dir, config, test::tinyTensors(config, false, "BF16")));
        test::writeWorkedTokenizer(dir);
        const auto source = checkpoint::Checkpoint::open(dir);
        OK(source);
        for (const char* name : {"gguf", "gguf-f32"}) {
            const formats::Format& format = **formats::findFormat(name);
            const auto verdict = format.check(*source);
            OK(verdict);
            QCOMPARE(int(verdict->fidelity), int(Fidelity::Unsupported));
            QCOMPARE(QString::fromStdString(verdict->why), why);
            const auto done = formats::exportModel(format, *source, {work / "out"}, always, test::equalLogits);
            QVERIFY(!done.ok());
            QCOMPARE(done.error().code, std::string("usage"));
            QVERIFY2(done.error().message.find(why.toStdString()) != std::string::npos, done.error().message.c_str());
            QVERIFY(!done.error().hint.empty());
            QVERIFY(fs::is_empty(work));
        }
    }

    // No folder of another architecture opens, so the writer is asked without one; files of others are refused by name.
    void otherArchitectures() {
        checkpoint::ModelConfig config;
        config.modelType = "gemma3";
        QCOMPARE(formats::refusedByGguf(config),
                 std::string("architecture gemma3 has no row in the GGUF writer: llama, mistral, qwen2 and qwen3 have"));
        for (const char* known : {"llama", "mistral", "qwen2", "qwen3"}) {
            config.modelType = known;
            config.activation = "silu";
            QCOMPARE(formats::refusedByGguf(config), std::string());
        }
        const auto source = checkpoint::Checkpoint::open(quantized(test::weightScheme(4, 32)));
        OK(source);
        const fs::path out = m_folders.fresh() / "out";
        OK(formats::exportModel(gguf(), *source, {out}, always, test::equalLogits));
        std::string bytes = test::readText(ggufIn(out));
        const std::string key = "general.architecture";
        bytes.replace(bytes.find(key) + key.size() + 4 + 8, 5, "gemma");
        test::writeText(ggufIn(out), bytes);
        const auto other = checkpoint::Checkpoint::open(out);
        QVERIFY(!other.ok());
        QCOMPARE(other.error().code, std::string("model.unsupported_arch"));
        QVERIFY2(other.error().message.find("\"gemma\" is not supported") != std::string::npos, other.error().message.c_str());
        QVERIFY2(other.error().hint.find("llama (also Mistral), qwen2 and qwen3") != std::string::npos, other.error().hint.c_str());
    }

    // Scales below 2^-17 and rows that are no whole blocks.
    void smallScalesAndOddRows() {
        const uint16_t small = numerics::floatToBf16(0x1.02p-19f); // 8 bits, 2^-24 ends fp16's grid
        const auto from = quantized(test::weightScheme(4, 32), [&](test::TinyCodes& made) { std::memcpy(made.scale.data(), &small, 2); });
        const auto source = checkpoint::Checkpoint::open(from);
        OK(source);
        const auto verdict = gguf().check(*source);
        OK(verdict);
        QCOMPARE(int(verdict->fidelity), int(Fidelity::NearExact));
        QCOMPARE(verdict->inexact, int64_t{1});
        const auto narrow = checkpoint::Checkpoint::open(quantized(test::weightScheme(4, 16)));
        OK(narrow);
        const auto plain = gguf().check(*narrow);
        OK(plain);
        QCOMPARE(int(plain->fidelity), int(Fidelity::Exact));
        QCOMPARE(plain->groups, int64_t{0});
        QVERIFY(!plain->notes.empty());
    }

    void damageIsNoticed() {
        const auto source = checkpoint::Checkpoint::open(quantized(test::weightScheme(4, 32)));
        OK(source);
        const fs::path out = m_folders.fresh() / "out";
        OK(formats::exportModel(gguf(), *source, {out}, always, test::equalLogits));
        const std::string whole = test::readText(ggufIn(out));
        const auto flipped = [&](size_t at) {
            std::string bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ 1);
            test::writeText(ggufIn(out), bytes);
            return checkpoint::Checkpoint::open(out);
        };
        const auto file = checkpoint::TensorFile::openGguf(ggufIn(out));
        const auto* info = file->find(kModule + checkpoint::kBlocksSuffix);
        uint64_t data = 0;
        for (const auto& t : file->tensors()) data = std::max(data, t.end);
        const size_t block = whole.size() - (data + 31) / 32 * 32 + info->begin;
        for (const size_t at : {block + 1, block + 2}) { // of d (its last bits vanish in T), of a code
            const auto damaged = flipped(at);
            OK(damaged);
            const auto sheet = formats::compareWeights(*source, *damaged);
            OK(sheet);
            QCOMPARE(sheet->different, int64_t{1});
            QCOMPARE(sheet->firstDifferent, kModule + ".weight");
        }
        const size_t key = whole.find("llama.rope.freq_base") + 20 + 4;
        const auto damaged = flipped(key);
        QVERIFY(!damaged.ok());
        QVERIFY2(damaged.error().message.find("rope.freq_base") != std::string::npos, damaged.error().message.c_str());
    }

    void filesBesideIt() {
        const auto source = checkpoint::Checkpoint::open(quantized(test::weightScheme(4, 32)));
        OK(source);
        const fs::path out = m_folders.fresh() / "out", bare = m_folders.fresh();
        OK(formats::exportModel(gguf(), *source, {out}, always, test::equalLogits));
        fs::copy(ggufIn(out), bare / "a.gguf");
        const auto alone = checkpoint::Checkpoint::open(bare / "a.gguf");
        QVERIFY(!alone.ok());
        QVERIFY2(alone.error().message.find("config.json") != std::string::npos, alone.error().message.c_str());
        QVERIFY2(alone.error().hint.find("beside the GGUF") != std::string::npos, alone.error().hint.c_str());
        fs::copy(bare / "a.gguf", out / "z.gguf");
        const auto two = checkpoint::Checkpoint::open(out);
        QVERIFY(!two.ok());
        QVERIFY2(two.error().message.find("2 GGUF files") != std::string::npos, two.error().message.c_str());
        OK(checkpoint::Checkpoint::open(out / "z.gguf"));
        test::writeText(bare / "config.json", test::tinyConfig("llama", "\"rope_theta\":5000.0,"));
        const auto other = checkpoint::Checkpoint::open(bare / "a.gguf");
        QVERIFY(!other.ok());
        QVERIFY2(other.error().message.find("rope.freq_base") != std::string::npos, other.error().message.c_str());
    }
};

QTEST_GUILESS_MAIN(GgufTest)
#include "tst_gguf.moc"
