// SPDX-License-Identifier: GPL-3.0-or-later
// What: the safetensors reader against one crafted file per rule of models.md 1.2, its writer, and mutated headers.
#include "checkpoint/safetensors.h"
#include "checkpoint/safetensors_header.h"
#include "test_data.h"
#include "tiny_model.h"

#include <random>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace qw;
using namespace qw::checkpoint;

namespace {

std::string prefix(uint64_t n) {
    std::string out;
    for (int i = 0; i < 8; ++i) out += static_cast<char>(n >> (8 * i));
    return out;
}

std::string file(const std::string& header, size_t dataBytes) { return prefix(header.size()) + header + std::string(dataBytes, '\1'); }

std::string repeat(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

const std::string kW = "\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";

} // namespace

class SafetensorsTest : public QObject {
    Q_OBJECT
    test::TempDir m_dir;
    Result<TensorFile> openBytes(const std::string& bytes) const {
        const auto path = m_dir.path() / "t.safetensors";
        std::filesystem::remove(path); // truncating an existing file would wait for the disk
        test::writeText(path, bytes);
        return TensorFile::open(path);
    }

private Q_SLOTS:
    void workedFile() { // models.md 1
        const float w[2] = {1, -2};
        const auto path = m_dir.path() / "worked.safetensors";
        QVERIFY(writeSafetensors(path, {bytesSource("w", "F32", {2}, w)}, {{"format", "pt"}}).ok());
        const std::string json = "{\"__metadata__\":{\"format\":\"pt\"},\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}   ";
        const std::string wanted = prefix(88) + json + std::string("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8);
        QCOMPARE(wanted.size(), size_t{104});
        QCOMPARE(QByteArray::fromStdString(test::readText(path)), QByteArray::fromStdString(wanted));
        const auto opened = TensorFile::open(path);
        QVERIFY(opened.ok());
        QCOMPARE(opened->tensors().size(), size_t{1});
        QCOMPARE(opened->metadata().at("format"), std::string("pt"));
        float back[2] = {};
        QVERIFY(opened->read(*opened->find("w"), back).ok());
        QCOMPARE(back[0], 1.0f);
        QCOMPARE(back[1], -2.0f);
        QVERIFY(opened->find("v") == nullptr);
    }

    void accepted_data() {
        QTest::addColumn<QByteArray>("bytes");
        const auto row = [](const char* name, const std::string& header, size_t data) {
            QTest::newRow(name) << QByteArray::fromStdString(file(header, data));
        };
        row("no tensors at all", "{}", 0);
        row("rank 0", "{\"s\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,2]}}", 2);
        row("zero-size tensors share an offset",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[0,0]}," + kW +
                ",\"z\":{\"dtype\":\"I8\",\"shape\":[0],\"data_offsets\":[8,8]}}",
            8);
        row("sub-byte dtype that fills bytes", "{\"q\":{\"dtype\":\"F4\",\"shape\":[2,3],\"data_offsets\":[0,3]}}", 3);
        row("odd address of F16",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"b\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[1,3]}"
            "}",
            3);
        row("header order differs from data order",
            "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
            2);
        row("spaces behind the header", "{" + kW + "}     ", 8);
        row("escaped name", "{\"\\u00e9\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    }
    void accepted() {
        QFETCH(QByteArray, bytes);
        const auto opened = openBytes(bytes.toStdString());
        QVERIFY2(opened.ok(), opened.ok() ? "" : opened.error().message.c_str());
        uint64_t sum = 0;
        for (const TensorInfo& t : opened->tensors()) {
            std::vector<char> data(t.bytes() + 1);
            QVERIFY(opened->read(t, data.data()).ok());
            sum += t.bytes();
        }
        QVERIFY(sum <= static_cast<uint64_t>(bytes.size()));
    }

    void refused_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("words"); // both must occur, separated by '|'
        const auto raw = [](const char* name, const std::string& bytes, const char* code, const char* words) {
            QTest::newRow(name) << QByteArray::fromStdString(bytes) << QString::fromLatin1(code) << QString::fromLatin1(words);
        };
        const auto head = [&](const char* name, const std::string& header, size_t data, const char* words) {
            raw(name, file(header, data), "model.format", words);
        };
        const auto tensor = [&](const char* name, const std::string& body, size_t data, const char* words) {
            head(name, "{\"w\":{" + body + "}}", data, words);
        };
        raw("rule 1: empty file", "", "model.truncated", "at least 8");
        raw("rule 1: 7 bytes", std::string(7, '\0'), "model.truncated", "7 bytes");
        raw("rule 1: header of 0 bytes", prefix(0) + "{}", "model.format", "0-7");
        raw("rule 1: header of 1 byte", prefix(1) + "{}", "model.format", "0-7");
        raw("rule 1: header above the cap", prefix(100000001) + "{}", "model.format", "100000001");
        raw("rule 1: header length that overflows", prefix(~uint64_t{0}) + "{}", "model.format", "18446744073709551615");
        raw("rule 1: header longer than the file", prefix(50) + "{}", "model.truncated", "50|2 behind");
        head("rule 2: not UTF-8", "{\"\xff\":1}", 0, "byte 10|UTF-8");
        head("rule 2: not JSON", "{\"w\" 1}", 0, "byte 13|syntax error");
        head("rule 2: starts with a space", " {}", 0, "byte 8|'{'");
        head("rule 2: byte order mark", "\xef\xbb\xbf{}", 0, "byte 8|'{'");
        head("rule 2: newline behind the brace", "{}\n", 0, "byte 10|spaces");
        head("rule 2: second object behind the brace", "{}{}", 0, "byte 10|spaces");
        head("rule 3: top level is a list", "[]", 0, "byte 8|'{'");
        head("rule 3: too deep", "{\"w\":{\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]}}", 8, "list");
        head("rule 3: very deep", "{\"w\":" + repeat("{\"a\":", 100000) + "1" + repeat("}", 100000) + "}", 0, "unexpected key");
        head("rule 3: NaN", "{\"w\":NaN}", 0, "byte 13|syntax error");
        head("rule 3: Infinity", "{\"w\":{\"dtype\":\"F32\",\"shape\":[Infinity],\"data_offsets\":[0,8]}}", 8, "syntax error");
        head("rule 3: tensor twice", "{" + kW + "," + kW + "}", 8, "\"w\" occurs twice");
        head("rule 3: tensor twice, one escaped", "{" + kW + ",\"\\u0077\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
             "\"w\" occurs twice");
        head("rule 3: key twice inside", "{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
             "\"dtype\" occurs twice");
        head("rule 3: metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "occurs twice");
        head("rule 3: metadata key twice", "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "\"a\" occurs twice");
        head("rule 4: metadata is a list", "{\"__metadata__\":[]}", 0, "__metadata__|list");
        head("rule 4: metadata value is a number", "{\"__metadata__\":{\"a\":1}}", 0, "only strings");
        head("rule 4: metadata value is an object", "{\"__metadata__\":{\"a\":{}}}", 0, "only strings");
        head("rule 4: metadata above 1 MiB", "{\"__metadata__\":{\"a\":\"" + std::string(1 << 20, 'x') + "\"}}", 0, "1 MiB");
        tensor("rule 5: no dtype", "\"shape\":[2],\"data_offsets\":[0,8]", 8, "\"w\"|no dtype");
        tensor("rule 5: no shape", "\"dtype\":\"F32\",\"data_offsets\":[0,8]", 8, "no shape");
        tensor("rule 5: no offsets", "\"dtype\":\"F32\",\"shape\":[2]", 8, "no data_offsets");
        tensor("rule 5: extra key", "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"stride\":[1]", 8,
               "unexpected key \"stride\"");
        head("rule 5: entry is null", "{\"w\":null}", 0, "\"w\" is null");
        tensor("rule 5: dtype is a number", "\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]", 8, "dtype");
        tensor("unknown dtype", "\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]", 8, "\"w\"|\"F33\"");
        tensor("rule 6: negative", "\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]", 8, "negative");
        tensor("rule 6: float", "\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]", 8, "2.0");
        tensor("rule 6: exponent", "\"dtype\":\"F32\",\"shape\":[2e0],\"data_offsets\":[0,8]", 8, "2e0");
        tensor("rule 6: string", "\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]", 8, "string");
        tensor("rule 6: shape is a number", "\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]", 8, "shape");
        tensor("rule 6: above 2^63-1", "\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,8]", 8, "2^63-1");
        tensor("rule 6: above 2^64", "\"dtype\":\"F32\",\"shape\":[18446744073709551617],\"data_offsets\":[0,8]", 8,
               "18446744073709551617");
        tensor("rule 6: rank 9", "\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]", 8, "dimensions");
        tensor("rule 7: product overflows", "\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]", 8, "overflow");
        tensor("rule 7: product times width overflows", "\"dtype\":\"F32\",\"shape\":[1152921504606846976],\"data_offsets\":[0,8]", 8,
               "overflow");
        tensor("rule 7: half bytes", "\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]", 2, "whole bytes");
        tensor("rule 8: one offset", "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8]", 8, "two numbers");
        tensor("rule 8: three offsets", "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]", 8, "two numbers");
        tensor("rule 8: begin behind end", "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]", 8, "behind their end");
        tensor("rule 8: span is not the size", "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,7]", 7, "7 bytes|need 8");
        raw("rule 8: end behind the file", file("{" + kW + "}", 7), "model.truncated", "\"w\"|data byte 8 of 7");
        tensor("rule 9: hole in front", "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]", 12, "hole");
        head("rule 9: hole between", "{" + kW + ",\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,10]}}", 10, "\"x\"|hole");
        head("rule 9: overlap", "{" + kW + ",\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[7,9]}}", 9, "inside its neighbour");
        head("rule 9: bytes behind the last tensor", "{" + kW + "}", 9, "1 bytes follow");
        head("rule 9: data without tensors", "{}", 1, "1 bytes follow");
        head("rule 10: empty name", "{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "empty name");
        head("rule 10: name of 1025 bytes", "{\"" + std::string(1025, 'n') + "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
             1, "1025");
        head("rule 10: control character", "{\"a\\u0007\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "control");
        head("rule 10: NUL", "{\"a\\u0000\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "control");
        std::string many = "{";
        for (int i = 0; i <= 200000; ++i)
            many += (i ? ",\"" : "\"") + std::to_string(i) + "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
        head("rule 10: 200001 tensors", many + "}", 0, "200000");
    }
    void refused() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, code);
        QFETCH(QString, words);
        const auto opened = openBytes(bytes.toStdString());
        QVERIFY(!opened.ok());
        const QString message = QString::fromStdString(opened.error().message);
        QCOMPARE(QString::fromStdString(opened.error().code), code);
        QVERIFY2(message.contains(QLatin1String("t.safetensors")), qPrintable(message));
        QVERIFY(!opened.error().hint.empty());
        for (const QString& word : words.split(QLatin1Char('|'))) QVERIFY2(message.contains(word), qPrintable(message));
    }

    void notARegularFile() {
        const auto fifo = m_dir.path() / "pipe.safetensors";
        QCOMPARE(::mkfifo(fifo.c_str(), 0600), 0);
        const auto opened = TensorFile::open(fifo);
        QVERIFY(!opened.ok());
        QCOMPARE(opened.error().code, std::string("file.unsafe"));
        QCOMPARE(TensorFile::open(m_dir.path() / "nothing").error().code, std::string("file.not_found"));
    }

    void shrinkingFile() { // rule 12
        const auto opened = openBytes(file("{" + kW + "}", 8));
        QVERIFY(opened.ok());
        std::filesystem::resize_file(opened->path(), 12);
        float back[2];
        const Status status = opened->read(*opened->find("w"), back);
        QVERIFY(!status.ok());
        QCOMPARE(status.error().code, std::string("file.io"));
    }

    void readsStayInside() {
        const auto opened = openBytes(file("{" + kW + "}", 8));
        char buffer[16];
        QVERIFY(!opened->read(*opened->find("w"), buffer, 4, 8).ok());
        QVERIFY(!opened->read(*opened->find("w"), buffer, ~uint64_t{0}, 2).ok());
        QVERIFY(opened->read(*opened->find("w"), buffer, 4, 4).ok());
    }

    void writerOrdersAndRepeats() {
        const std::vector<char> data(64, 'x');
        const auto sources = [&] {
            return std::vector{bytesSource("b", "U8", {3}, data.data()), bytesSource("a", "BF16", {2, 2}, data.data()),
                               bytesSource("z", "F32", {1}, data.data()), bytesSource("c", "F16", {0}, data.data()),
                               bytesSource("m", "I64", {2}, data.data())};
        };
        const auto one = m_dir.path() / "one", two = m_dir.path() / "two";
        const auto first = writeSafetensors(one, sources(), {{"k", "v\"\n"}});
        const auto second = writeSafetensors(two, sources(), {{"k", "v\"\n"}});
        QVERIFY(first.ok() && second.ok());
        QCOMPARE(*first, *second);
        QCOMPARE(test::readText(one), test::readText(two));
        const auto opened = TensorFile::open(one);
        QVERIFY2(opened.ok(), opened.ok() ? "" : opened.error().message.c_str());
        std::string order;
        for (const TensorInfo& t : opened->tensors()) order += t.name;
        QVERIFY(order == "mzacb" || order == "mzcab"); // c has no bytes and shares its place with a neighbour
        QCOMPARE(opened->metadata().at("k"), std::string("v\"\n"));
        QCOMPARE(opened->metadata().at("format"), std::string("pt"));
    }

    void writerRefusesBadInput() {
        const char data[8] = {};
        const auto path = m_dir.path() / "bad";
        QVERIFY(!writeSafetensors(path, {bytesSource("a", "F99", {1}, data)}, {}).ok());
        QVERIFY(!writeSafetensors(path, {bytesSource("a", "U8", {1}, data), bytesSource("a", "U8", {1}, data)}, {}).ok());
        TensorSource shortSource{"s", "U8", {4}, [&](const auto& sink) { return sink(data, 3); }};
        QVERIFY(!writeSafetensors(path, {shortSource}, {}).ok());
        TensorSource longSource{"s", "U8", {4}, [&](const auto& sink) { return sink(data, 5); }};
        QVERIFY(!writeSafetensors(path, {longSource}, {}).ok());
        QVERIFY(!std::filesystem::exists(path));
        const auto full = writeSafetensors(m_dir.path() / "no such folder" / "f", {bytesSource("a", "U8", {1}, data)}, {});
        QCOMPARE(full.error().code, std::string("file.not_found"));
    }

    void fullDisk() {
        const char data[1] = {};
        const auto path = m_dir.path() / "huge";
        const TensorSource huge{"a", "U8", {int64_t{1} << 60}, [&](const auto& sink) { return sink(data, 1); }};
        const auto written = writeSafetensors(path, {huge}, {});
        QVERIFY(!written.ok());
        QCOMPARE(written.error().code, std::string("disk.full"));
        QVERIFY(!std::filesystem::exists(path));
        const auto link = m_dir.path() / "full"; // every write behind it fails with ENOSPC
        QVERIFY(std::filesystem::is_character_file("/dev/full"));
        std::filesystem::create_symlink("/dev/full", link);
        const std::vector<char> bytes(100000);
        const auto onFull = writeSafetensors(link, {bytesSource("a", "U8", {100000}, bytes.data())}, {});
        QVERIFY(!onFull.ok());
        QCOMPARE(onFull.error().code, std::string("disk.full"));
        QVERIFY(std::filesystem::is_symlink(link) && std::filesystem::is_character_file("/dev/full"));
    }

    // Mutated headers: open must come back, and what it allocates stays small.
    void mutatedHeaders() {
        const std::string good = file(
            "{\"__metadata__\":{\"format\":\"pt\"}," + kW + ",\"v\":{\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[8,16]}}  ", 16);
        std::mt19937 random(20240611);
        const std::string interesting = "{}[]\",:0123456789-eE.\\u \x00\x7f\xff";
        rusage before{};
        getrusage(RUSAGE_SELF, &before);
        int opened = 0;
        for (int round = 0; round < 8000; ++round) {
            std::string bytes = good;
            for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
                const size_t at = random() % bytes.size();
                switch (random() % 5) {
                case 0:
                    bytes[at] = static_cast<char>(random());
                    break;
                case 1:
                    bytes[at] = interesting[random() % interesting.size()];
                    break;
                case 2:
                    bytes.erase(at, 1 + random() % 9);
                    break;
                case 3:
                    bytes.insert(at, bytes.substr(random() % bytes.size(), 1 + random() % 30));
                    break;
                default:
                    bytes[random() % 8] = static_cast<char>(random());
                    break;
                }
                if (bytes.empty()) bytes = "x";
            }
            if (round % 16 != 0) { // most rounds in memory: a file each would only measure the disk
                const size_t header = std::min(good.size() - 16, bytes.size());
                const auto parsed =
                    parseHeader(std::string_view(bytes).substr(std::min<size_t>(8, header), header - std::min<size_t>(8, header)), 16);
                QVERIFY(parsed.ok() || !parsed.error().message.empty());
                opened += parsed.ok() ? 1 : 0;
                continue;
            }
            const auto result = openBytes(bytes);
            if (!result) {
                QVERIFY(!result.error().message.empty());
                continue;
            }
            ++opened;
            for (const TensorInfo& t : result->tensors()) {
                std::vector<char> data(t.bytes());
                QVERIFY(result->read(t, data.data()).ok());
            }
        }
        rusage after{};
        getrusage(RUSAGE_SELF, &after);
        QVERIFY(opened > 0 && opened < 8000);
        QVERIFY2(after.ru_maxrss - before.ru_maxrss < 100 * 1024, qPrintable(QString::number(after.ru_maxrss - before.ru_maxrss))); // KiB
    }
};

QTEST_GUILESS_MAIN(SafetensorsTest)
#include "tst_safetensors.moc"
