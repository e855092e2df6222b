// SPDX-License-Identifier: GPL-3.0-or-later
// What: GGUF: the page's worked blocks and file, order of q and k rows, codes and edge values there and back, hostile files (export.md 5).
#include "checkpoint/gguf_header.h"
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

#define OK(expression)                                                                                                                     \
    do {                                                                                                                                   \
        const auto& checked = (expression);                                                                                                \
        QVERIFY2(checked.ok(), checked.ok() ? "" : checked.error().message.c_str());                                                       \
    } while (false)

namespace {

records::QatBlock scheme(int bits, int64_t group, Mapping mapping = Mapping::Symmetric) {
    records::QatBlock block;
    block.weight = records::QuantBlock{};
    block.weight->bits = bits;
    block.weight->groupSize = group;
    block.weight->mapping = mapping;
    block.weight->granularity = group > 0 ? records::Granularity::PerGroup : records::Granularity::PerChannel;
    block.weight->scaleDtype = records::ScaleDtype::Input;
    return block;
}
records::QatBlock realZero(bool tinygemm) {
    records::QatBlock block = scheme(4, 32, Mapping::Asymmetric);
    block.weight->isSigned = false;
    block.weight->zeroDomain = records::ZeroDomain::Float;
    if (!tinygemm) block.weight->format = records::Format::Int4Zp;
    return block;
}

const formats::Format& gguf() { return **formats::findFormat("gguf"); }
bool always(uint64_t, uint64_t) { return true; }

// The worked example of tokenizers.md 6.1 with an end token.
void writeTokenizer(const fs::path& dir) {
    auto file = test::worked(false);
    file["added_tokens"] = {test::added("</s>", {"special"})};
    test::writeText(dir / "tokenizer.json", file.dump());
    test::writeText(dir / "tokenizer_config.json", "{\"eos_token\": \"</s>\"}");
}

fs::path ggufIn(const fs::path& dir) {
    for (const auto& entry : fs::directory_iterator(dir))
        if (entry.path().extension() == ".gguf") return entry.path();
    return {};
}

std::string hex(const std::vector<uint8_t>& bytes) {
    std::string out;
    for (const uint8_t b : bytes) {
        char text[4];
        std::snprintf(text, sizeof text, "%02x", static_cast<unsigned>(b));
        out.append(out.empty() ? "" : " ").append(text);
    }
    return out;
}

const std::string kModule = "model.layers.0.mlp.up_proj";

// First bytes of the module as stored in the file, without any reader of ours but the header's.
std::vector<uint8_t> firstBytes(const fs::path& dir, uint64_t count) {
    std::vector<uint8_t> out(count);
    const auto file = checkpoint::TensorFile::openGguf(ggufIn(dir));
    const auto* info = file->find(kModule + checkpoint::kBlocksSuffix);
    if (!info || !file->read(*info, out.data(), 0, count)) return {};
    return out;
}

template<class T> void put(std::string& to, T value) { to.append(reinterpret_cast<const char*>(&value), sizeof value); }
template<class T> std::string raw(T value) {
    std::string out;
    put(out, value);
    return out;
}
void putText(std::string& to, const std::string& text) {
    put(to, uint64_t{text.size()});
    to += text;
}

// A file made by hand, so that each field can be wrong.
struct ByHand {
    std::string magic = "GGUF";
    uint32_t version = 3;
    uint64_t tensors = 1, entries = 2;
    std::string keys, places;
    uint64_t data = 32;

    ByHand() {
        key("general.architecture", 8);
        putText(keys, "llama");
        key("llama.block_count", 4);
        put(keys, uint32_t{1});
        place("t.weight", {32, 1}, 2, 0);
    }
    void key(const std::string& name, uint32_t type) {
        putText(keys, name);
        put(keys, type);
    }
    void place(const std::string& name, const std::vector<int64_t>& ne, uint32_t type, uint64_t offset) {
        putText(places, name);
        put(places, static_cast<uint32_t>(ne.size()));
        for (const int64_t n : ne) put(places, n);
        put(places, type);
        put(places, offset);
    }
    [[nodiscard]] std::string bytes() const {
        std::string out = magic;
        put(out, version);
        put(out, tensors);
        put(out, entries);
        out += keys + places;
        if (data > 0) out.resize((out.size() + 31) / 32 * 32 + data, '\0');
        return out;
    }
    [[nodiscard]] Result<checkpoint::GgufContents> parse() const {
        const std::string all = bytes();
        return checkpoint::parseGguf(
            [&](uint64_t offset, void* dst, uint64_t size) -> Status {
                if (offset + size > all.size()) return Error{"file.io", "read behind the end", {}, {}, false};
                std::memcpy(dst, all.data() + offset, size);
                return {};
            },
            all.size());
    }
};

} // namespace

class GgufTest : public QObject {
    Q_OBJECT
    test::TempDir m_temp;
    int m_count = 0;
    fs::path fresh() {
        const fs::path dir = m_temp.path() / std::to_string(++m_count);
        fs::create_directories(dir);
        return dir;
    }
    // A native folder with a tokenizer, its first up_proj changed.
    fs::path quantized(const records::QatBlock& block, const std::function<void(test::TinyCodes&)>& change = {},
                       const std::string& dtype = "BF16") {
        const fs::path dir = fresh();
        writeTokenizer(dir);
        const auto written = test::writeQuantized(dir, block, dtype, [&](test::TinyCodes& made) {
            if (change && made.module == kModule) change(made);
        });
        if (!written) qFatal("%s", written.error().message.c_str());
        return dir;
    }

private Q_SLOTS:
    void minimalFile() {
        const ByHand file;
        const std::string bytes = file.bytes();
        QCOMPARE(bytes.size(), size_t{192});
        const std::string first = "47 47 55 46 03 00 00 00 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 14 00 00 00 00 00 00 00";
        QCOMPARE(hex({bytes.begin(), bytes.begin() + 32}), first);
        const auto read = file.parse();
        OK(read);
        QCOMPARE(read->dataStart, uint64_t{160});
        QCOMPARE(read->metadata.at("llama.block_count"), std::string("1"));
        QVERIFY((read->tensors[0].shape == std::vector<int64_t>{1, 32}));

        formats::GgufMetadata metadata; // the writer makes the same file
        metadata.text("general.architecture", "llama");
        metadata.number("llama.block_count", 1);
        const fs::path path = fresh() / "a.gguf";
        std::vector<formats::GgufTensor> tensors{{"t.weight", formats::GgufType::Q4_0, {1, 32}, [](const formats::GgufSink& sink) {
                                                      const std::string zeros(18, '\0');
                                                      return sink(zeros.data(), zeros.size());
                                                  }}};
        OK(formats::writeGguf(path, metadata, tensors, always));
        QCOMPARE(test::readText(path), bytes);
        QCOMPARE(formats::ggufBytes(metadata, tensors), uint64_t{192});
        tensors[0].name = std::string(64, 'x');
        const auto refused = formats::writeGguf(fresh() / "b.gguf", metadata, tensors, always);
        QVERIFY(!refused.ok() && refused.error().message.find("64 bytes, GGUF holds 63") != std::string::npos);
    }

    void metadataTypes() {
        formats::GgufMetadata metadata;
        metadata.number("n", 4'000'000'000u);
        metadata.real("r", 0.1);
        metadata.flag("f", true);
        metadata.text("t", "a\xC3\xA9");
        metadata.texts("ts", {"", "b"});
        metadata.numbers("ns", {-1, 2});
        metadata.reals("rs", {1.5f});
        ByHand file;
        file.entries = metadata.count();
        file.keys = metadata.bytes();
        const auto read = file.parse();
        OK(read);
        QCOMPARE(read->metadata.size(), size_t{4}); // arrays are stepped over
        QCOMPARE(read->metadata.at("n"), std::string("4000000000"));
        QCOMPARE(std::stof(read->metadata.at("r")), 0.1f);
        QCOMPARE(read->metadata.at("f"), std::string("true"));
        QCOMPARE(read->metadata.at("t"), std::string("a\xC3\xA9"));
    }

    void hostileFiles() {
        using Damage = std::function<void(ByHand&)>;
        const auto only = [](const std::string& name, const std::vector<int64_t>& ne, uint32_t type, uint64_t offset) {
            return [=](ByHand& f) {
                f.places.clear();
                f.place(name, ne, type, offset);
            };
        };
        const auto more = [](const std::string& name, uint32_t type, const std::string& value) {
            return [=](ByHand& f) {
                ++f.entries;
                f.key(name, type);
                f.keys += value;
            };
        };
        const auto array = [](uint32_t type, uint64_t count) { return raw(type) + raw(count); };
        const std::vector<std::pair<const char*, Damage>> table{
            {"does not begin with", [](ByHand& f) { f.magic = "GGML"; }},
            {"version 1", [](ByHand& f) { f.version = 1; }},
            {"announces 300000 tensors", [](ByHand& f) { f.tensors = 300'000; }},
            {"announces 99999999 metadata", [](ByHand& f) { f.entries = 99'999'999; }},
            {"announces 281474976710656 bytes", [](ByHand& f) { f.entries = 5; }},
            {"stands twice", more("llama.block_count", 4, raw(1u))},
            {"unknown type 13", more("x", 13, {})},
            {"neither true nor false", more("x", 7, raw(uint8_t{2}))},
            {"too short for them", more("x", 9, array(8, uint64_t{1} << 60))},
            {"too short for them", more("x", 9, array(4, uint64_t{1} << 61))},
            {"array of type 9", more("x", 9, array(9, 1))},
            {"announces 9223", more("x", 8, raw(uint64_t{1} << 63))},
            {"general.alignment is 24", more("general.alignment", 4, raw(24u))},
            {"has 5 dimensions", only("t", {32, 1, 1, 1, 1}, 2, 0)},
            {"dimension of 0", only("t", {32, 0}, 2, 0)},
            {"larger than any file", only("t", {int64_t{1} << 62, int64_t{1} << 40}, 0, 0)},
            {"stored as Q6_K", only("t", {256, 1}, 14, 0)},
            {"needs whole blocks of 32", only("t", {33, 1}, 2, 0)},
            {"begins at byte 16", only("t", {32, 1}, 2, 16)},
            {"announces 64 bytes", only(std::string(64, 'n'), {32, 1}, 2, 0)},
            {"has no name", only("", {32, 1}, 2, 0)},
            {"the tensors need", only("t", {32, 3}, 2, 0)},
            {"begins at byte 0 of",
             [](ByHand& f) {
                 f.tensors = 2;
                 f.place("u", {32, 1}, 2, 0);
             }},
            {"bytes follow", [](ByHand& f) { f.data = 96; }}};
        for (const auto& [part, damage] : table) {
            ByHand file;
            damage(file);
            const auto read = file.parse();
            QVERIFY2(!read.ok(), part);
            QVERIFY2(read.error().message.find(part) != std::string::npos, (part + (": " + read.error().message)).c_str());
            QVERIFY2(!read.error().hint.empty(), part);
        }
    }

    void everyTruncationIsRefused() {
        const ByHand whole;
        const std::string bytes = whole.bytes();
        for (size_t size = 0; size < 178; ++size) { // the last block needs 18 bytes behind 160; its padding may be missing
            const auto read = checkpoint::parseGguf(
                [&](uint64_t offset, void* dst, uint64_t n) -> Status {
                    std::memcpy(dst, bytes.data() + offset, n);
                    return {};
                },
                size);
            QVERIFY2(!read.ok(), std::to_string(size).c_str());
            QCOMPARE(read.error().code, std::string("model.truncated"));
        }
    }

    void workedBlocks() {
        const auto codes = [](test::TinyCodes& made) {
            for (int i = 0; i < 32; ++i) made.codes[size_t(i)] = int8_t((7 * i + 3 * (i / 16) + 2) % 16 - 8);
        };
        const auto scale = [](test::TinyCodes& made, uint16_t bits) { std::memcpy(made.scale.data(), &bits, 2); };
        const std::string nibbles = "52 c9 30 a7 1e 85 fc 63 da 41 b8 2f 96 0d 74 eb";
        const auto exported = [&](const fs::path& from, uint64_t count) {
            const fs::path out = fresh() / "out";
            const auto source = checkpoint::Checkpoint::open(from);
            const auto done = formats::exportModel(gguf(), *source, {out}, always, test::equalLogits);
            return done ? hex(firstBytes(out, count)) : done.error().message;
        };
        const auto q4 = quantized(scheme(4, 32), [&](test::TinyCodes& made) { codes(made), scale(made, 0x3C00); }); // 2^-7
        QCOMPARE(exported(q4, 18), "00 20 " + nibbles);
        const auto q41 = quantized(scheme(4, 32, Mapping::Asymmetric), [&](test::TinyCodes& made) {
            const int32_t zero = -3;
            codes(made), scale(made, 0x3C24);
            std::memcpy(made.zero.data(), &zero, 4);
        });
        QCOMPARE(exported(q41, 20), "20 21 68 aa " + nibbles);
        const auto q8 = quantized(scheme(8, 32), [&](test::TinyCodes& made) {
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
        QCOMPARE(formats::ggufTensorName("model.layers.10.post_attention_layernorm.weight"), std::string("blk.10.ffn_norm.weight"));
        QCOMPARE(formats::ggufTensorName("model.layers.1.self_attn.q_proj.bias"), std::string("blk.1.attn_q.bias"));
        QCOMPARE(formats::ggufTensorName("lm_head.weight"), std::string("output.weight"));
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
        const auto block = scheme(bits, group, asymmetric ? Mapping::Asymmetric : Mapping::Symmetric);
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
        const fs::path out = fresh() / "out";
        const auto done = formats::exportModel(gguf(), *source, {out}, always, test::equalLogits);
        OK(done);
        QCOMPARE(done->bytes, verdict->bytes); // the forecast is the file's size
        QVERIFY(done->sheet.different <= verdict->inexact);
        if (fidelity == int(Fidelity::Exact)) QCOMPARE(done->sheet.equal, done->sheet.tensors);
        QCOMPARE(hex(firstBytes(out, 2)), std::string("00 00")); // d of the group of zeros

        const auto written = checkpoint::Checkpoint::open(ggufIn(out)); // the bare file is a MODEL too
        OK(written);
        QCOMPARE(written->format(), std::string("gguf"));
        QCOMPARE(written->dtype(), source->dtype());
        QCOMPARE(written->quantizedModules().size(), source->quantizedModules().size());
        const fs::path again = fresh() / "out";
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
            OK(formats::exportModel(gguf(), *source, {fresh() / "out"}, always, test::equalLogits));
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
        const auto from =
            quantized(scheme(what == 4 ? 8 : 4, 32, what == 4 ? Mapping::Asymmetric : Mapping::Symmetric), [&](test::TinyCodes& made) {
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
        const fs::path out = fresh() / "out";
        const auto done = formats::exportModel(gguf(), *source, {out}, always, test::equalLogits);
        QVERIFY(!done.ok());
        QCOMPARE(done.error().code, std::string("usage"));
        QVERIFY(!fs::exists(out));
    }

    // Scales below 2^-17 and rows that are no whole blocks.
    void smallScalesAndOddRows() {
        const uint16_t small = numerics::floatToBf16(0x1.02p-19f); // 8 bits, 2^-24 ends fp16's grid
        const auto from = quantized(scheme(4, 32), [&](test::TinyCodes& made) { std::memcpy(made.scale.data(), &small, 2); });
        const auto source = checkpoint::Checkpoint::open(from);
        OK(source);
        const auto verdict = gguf().check(*source);
        OK(verdict);
        QCOMPARE(int(verdict->fidelity), int(Fidelity::NearExact));
        QCOMPARE(verdict->inexact, int64_t{1});
        const auto narrow = checkpoint::Checkpoint::open(quantized(scheme(4, 16)));
        OK(narrow);
        const auto plain = gguf().check(*narrow);
        OK(plain);
        QCOMPARE(int(plain->fidelity), int(Fidelity::Exact));
        QCOMPARE(plain->groups, int64_t{0});
        QVERIFY(!plain->notes.empty());
    }

    void damageIsNoticed() {
        const auto source = checkpoint::Checkpoint::open(quantized(scheme(4, 32)));
        OK(source);
        const fs::path out = fresh() / "out";
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
        const auto source = checkpoint::Checkpoint::open(quantized(scheme(4, 32)));
        OK(source);
        const fs::path out = fresh() / "out", bare = fresh();
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
