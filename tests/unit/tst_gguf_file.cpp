// SPDX-License-Identifier: GPL-3.0-or-later
// What: GGUF as a container: the page's worked file, metadata of every type there and back, hostile and cut files (export.md 5.1).
#include "checkpoint/gguf_header.h"
#include "expect.h"
#include "formats/gguf_file.h"
#include "test_data.h"

#include <cstring>
#include <set>

using namespace qw;
namespace fs = std::filesystem;

namespace {

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

// The parser over bytes in memory, none of which lie behind the end.
Result<checkpoint::GgufContents> parsed(const std::string& all) {
    return checkpoint::parseGguf(
        [&](uint64_t offset, void* dst, uint64_t size) -> Status {
            if (offset + size > all.size()) return Error{"file.io", "read behind the end", {}, {}, false};
            std::memcpy(dst, all.data() + offset, size);
            return {};
        },
        all.size());
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
    [[nodiscard]] Result<checkpoint::GgufContents> parse() const { return parsed(bytes()); }
};

} // namespace

class GgufFileTest : public QObject {
    Q_OBJECT
    test::TempDir m_folder;

private Q_SLOTS:
    void minimalFile() {
        const ByHand file;
        const std::string bytes = file.bytes();
        QCOMPARE(bytes.size(), size_t{192});
        const std::string first = "47 47 55 46 03 00 00 00 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 14 00 00 00 00 00 00 00";
        QCOMPARE(QByteArray(bytes.data(), 32).toHex(' ').toStdString(), first);
        const auto read = file.parse();
        OK(read);
        QCOMPARE(read->dataStart, uint64_t{160});
        QCOMPARE(read->metadata.at("llama.block_count"), std::string("1"));
        QVERIFY((read->tensors[0].shape == std::vector<int64_t>{1, 32}));

        formats::GgufMetadata metadata; // the writer makes the same file
        metadata.text("general.architecture", "llama");
        metadata.number("llama.block_count", 1);
        const fs::path path = m_folder.path() / "a.gguf";
        std::vector<formats::GgufTensor> tensors{{"t.weight", formats::GgufType::Q4_0, {1, 32}, [](const formats::GgufSink& sink) {
                                                      const std::string zeros(18, '\0');
                                                      return sink(zeros.data(), zeros.size());
                                                  }}};
        OK(formats::writeGguf(path, metadata, tensors, [](uint64_t, uint64_t) { return true; }));
        QCOMPARE(test::readText(path), bytes);
        QCOMPARE(formats::ggufBytes(metadata, tensors), uint64_t{192});
    }

    // The last tensor's name decides before the first byte is written; what stood there stays.
    void namesOverTheLimit() {
        const auto zeros = [](const formats::GgufSink& sink) {
            const std::string bytes(128, '\0');
            return sink(bytes.data(), bytes.size());
        };
        const auto written = [&](const fs::path& path, size_t length) {
            const std::vector<formats::GgufTensor> tensors{{"first.weight", formats::GgufType::F32, {32}, zeros},
                                                           {std::string(length, 'n'), formats::GgufType::F32, {32}, zeros}};
            formats::GgufMetadata metadata;
            metadata.text("general.architecture", "llama");
            return formats::writeGguf(path, metadata, tensors, [](uint64_t, uint64_t) { return true; });
        };
        const fs::path longest = m_folder.path() / "longest.gguf", over = m_folder.path() / "over.gguf";
        OK(written(longest, 63));
        OK(parsed(test::readText(longest)));
        test::writeText(over, "mine");
        for (const fs::path& path : {m_folder.path() / "new.gguf", over}) {
            const auto refused = written(path, 64);
            QVERIFY(!refused.ok());
            QCOMPARE(refused.error().code, std::string("usage"));
            QCOMPARE(refused.error().message, "the name " + std::string(64, 'n') + " has 64 bytes, GGUF holds 63");
            QCOMPARE(refused.error().hint, std::string("choose another format"));
        }
        QCOMPARE(test::readText(over), std::string("mine"));
        std::set<fs::path> left;
        for (const auto& entry : fs::directory_iterator(m_folder.path()))
            if (entry.path().filename() != "a.gguf") left.insert(entry.path());
        QVERIFY((left == std::set{longest, over}));
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
            const auto read = parsed(bytes.substr(0, size));
            QVERIFY2(!read.ok(), std::to_string(size).c_str());
            QCOMPARE(read.error().code, std::string("model.truncated"));
        }
    }
};

QTEST_GUILESS_MAIN(GgufFileTest)
#include "tst_gguf_file.moc"
