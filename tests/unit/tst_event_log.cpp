// SPDX-License-Identifier: GPL-3.0-or-later
// What: events.qlog: what is written comes back, damage ends reading, a torn tail costs only itself.
#include "base/clock.h"
#include "base/files.h"
#include "test_data.h"
#include "wire/event_log.h"
#include "wire/json_events.h"

#include <csignal>
#include <fstream>
#include <random>
#include <sys/resource.h>

using namespace qw;
using namespace qw::wire;
using qw::test::TempDir;

namespace {

Event make(Payload payload) {
    Event e;
    e.run = "01J";
    e.tsMs = 1767225600123;
    e.monoNs = 5;
    e.payload = std::move(payload);
    return e;
}
// Of one size for steps of one digit.
Event metric(int64_t step) { return make(Metrics{step, {{"train.loss", static_cast<double>(step % 10)}}, 0, {}}); }

void writeFile(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

} // namespace

class EventLogTest : public QObject {
    Q_OBJECT
    // A log of n metrics.
    static std::string logOf(const std::filesystem::path& path, int n) {
        auto log = *EventLogWriter::open(path);
        for (int i = 1; i <= n; ++i) {
            Event e = metric(i);
            if (!log.append(e)) qFatal("append failed");
        }
        if (!log.sync()) qFatal("sync failed");
        return *readFile(path);
    }
    static size_t countGood(const std::filesystem::path& path) {
        EventLogReader reader(path);
        size_t n = 0;
        for (;;) {
            const auto part = reader.read(3); // small pieces, to cross them
            if (!part) return SIZE_MAX;
            if (part->empty()) return n;
            n += part->size();
        }
    }

private Q_SLOTS:
    void checksum_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<uint32_t>("want");
        QTest::newRow("RFC 3720 B.4: 32 bytes of zeroes") << QByteArray(32, '\0') << 0x8A9136AAu;
        QTest::newRow("RFC 3720 B.4: 32 bytes of ones") << QByteArray(32, '\xFF') << 0x62A8AB43u;
        QTest::newRow("check value of CRC-32C") << QByteArray("123456789") << 0xE3069283u;
    }
    void checksum() {
        QFETCH(QByteArray, bytes);
        QFETCH(uint32_t, want);
        const std::string_view text(bytes.data(), static_cast<size_t>(bytes.size()));
        QCOMPARE(crc32c(text), want);
        QCOMPARE(crc32c(text.substr(5), crc32c(text.substr(0, 5))), want);
    }
    void recordLayout() {
        const TempDir dir;
        const std::string bytes = logOf(dir.path() / "events.qlog", 1);
        QCOMPARE(bytes.substr(0, 4), std::string("QWLG"));
        QCOMPARE(static_cast<uint8_t>(bytes[8]), uint8_t{1}); // u64 seq
        QCOMPARE(bytes.size() - kLogHeaderBytes, static_cast<size_t>(static_cast<uint8_t>(bytes[4])));
        QCOMPARE(bytes[kLogHeaderBytes], '{');
    }
    void comesBackInOrder() {
        const TempDir dir;
        const auto path = dir.path() / "events.qlog";
        logOf(path, 500);
        EventLogReader reader(path);
        const auto events = reader.readAfter(123);
        QCOMPARE(events->size(), size_t{377});
        QCOMPARE(events->front().seq, int64_t{124});
        QCOMPARE(std::get<Metrics>(events->back().payload).step, int64_t{500});
        QCOMPARE(reader.readAfter(0)->size(), size_t{0}); // remembers its place
        QVERIFY(!reader.atBadRecord());
    }
    void readsWhatIsAppended() {
        const TempDir dir;
        const auto path = dir.path() / "events.qlog";
        auto log = *EventLogWriter::open(path);
        EventLogReader reader(path);
        for (int i = 1; i <= 50; ++i) {
            Event e = metric(i);
            QVERIFY(log.append(e).ok());
            QVERIFY(log.flush().ok());
            const auto events = reader.readAfter(0);
            QCOMPARE(events->size(), size_t{1});
            QCOMPARE(events->front().seq, int64_t{i});
        }
        EventLogReader other(path, reader.place());
        QCOMPARE(other.read()->size(), size_t{0});
        Event e = metric(51);
        QVERIFY(log.append(e).ok());
        QVERIFY(log.flush().ok());
        QCOMPARE(other.read()->size(), size_t{1});
        QVERIFY(!other.placeLost());
    }
    void losslessIsOnDiskAtOnceMetricsWhenDue() {
        const TempDir dir;
        const auto path = dir.path() / "events.qlog";
        auto log = *EventLogWriter::open(path);
        Event e = metric(1);
        QVERIFY(log.append(e).ok());
        QCOMPARE(std::filesystem::file_size(path), uintmax_t{0});
        QVERIFY(log.bufferedBytes() > 0);
        const int64_t start = monotonicNs();
        QTRY_VERIFY_WITH_TIMEOUT(log.tick().ok() && log.bufferedBytes() == 0, 2000);
        QVERIFY(monotonicNs() - start > 200'000'000);
        Event s = make(StateChange{records::RunState::Running, "train", {}});
        QVERIFY(log.append(s).ok());
        QCOMPARE(log.bufferedBytes(), uint64_t{0});
        QCOMPARE(countGood(path), size_t{2});
    }
    void tornTailAtEveryByte() {
        const TempDir dir;
        const auto path = dir.path() / "events.qlog";
        const std::string whole = logOf(path, 5);
        const std::string four = logOf(dir.path() / "four", 4);
        QVERIFY(whole.starts_with(four));
        for (size_t cut = four.size(); cut < whole.size(); ++cut) {
            writeFile(path, std::string_view(whole).substr(0, cut));
            EventLogReader reader(path);
            QCOMPARE(reader.read()->size(), size_t{4});
            QCOMPARE(reader.atBadRecord(), cut > four.size());
            {
                auto log = *EventLogWriter::open(path);
                QCOMPARE(log.cutBytes(), uint64_t{cut - four.size()});
                QCOMPARE(log.lastSeq(), int64_t{4});
                Event e = metric(5);
                QCOMPARE(*log.append(e), int64_t{5});
            }
            QCOMPARE(*readFile(path), whole);
            QCOMPARE(reader.read()->size(), size_t{1}); // the reader that stopped goes on
        }
        QCOMPARE(std::distance(std::filesystem::directory_iterator(dir.path()), {}), std::ptrdiff_t{2}); // a torn tail is not worth keeping
    }
    void aFlippedBitEndsReading() {
        const TempDir dir;
        const auto path = dir.path() / "events.qlog";
        const std::string whole = logOf(path, 6);
        const size_t record = whole.size() / 6;
        std::mt19937 random(42);
        for (int i = 0; i < 300; ++i) {
            std::string bytes = whole;
            const size_t at = random() % bytes.size();
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
            writeFile(path, bytes);
            QCOMPARE(countGood(path), at / record);
        }
    }
    void goodRecordsBehindDamageAreKeptAside() {
        const TempDir dir;
        const auto path = dir.path() / "events.qlog";
        std::string bytes = logOf(path, 6);
        bytes[bytes.size() / 2 + 30] ^= 1;
        writeFile(path, bytes);
        {
            auto log = *EventLogWriter::open(path);
            QCOMPARE(log.lastSeq(), int64_t{3});
            QVERIFY(log.cutBytes() > 0);
        }
        int kept = 0;
        for (const auto& entry : std::filesystem::directory_iterator(dir.path()))
            if (entry.path().filename().string().starts_with("events.qlog.cut-")) {
                ++kept;
                QCOMPARE(*readFile(entry.path()), bytes.substr(bytes.size() / 2));
            }
        QCOMPARE(kept, 1);
    }
    void aRecordLargerThanTheWindow() {
        const TempDir dir;
        const auto path = dir.path() / "events.qlog";
        {
            auto log = *EventLogWriter::open(path);
            for (const size_t size : {10u, 3u << 20, 10u}) {
                Event e = make(LogLine{3, std::string(size, 'x'), 0});
                QVERIFY(log.append(e).ok());
            }
        }
        const auto events = EventLogReader(path).readAfter(0);
        QCOMPARE(events->size(), size_t{3});
        QCOMPARE(std::get<LogLine>(events->at(1).payload).text.size(), size_t{3u << 20});
    }
    void aPlaceThatIsGoneIsSeen() {
        const TempDir dir;
        const auto path = dir.path() / "events.qlog";
        logOf(path, 20);
        EventLogReader reader(path);
        QCOMPARE(reader.read()->size(), size_t{20});
        std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
        {
            auto log = *EventLogWriter::open(path);
            for (int i = 0; i < 30; ++i) {
                Event e = make(Metrics{100 + i, {{"train.loss", 9.5}}, 0, {}});
                QVERIFY(log.append(e).ok());
            }
        }
        QVERIFY(!reader.placeLost());
        QCOMPARE(reader.read()->size(), size_t{40});
        QVERIFY(reader.placeLost());
    }
    // A limit on file size stands for a full disk: the write stops in the middle of a record.
    void aDiskThatIsFullForAWhile() {
        const TempDir dir;
        const auto path = dir.path() / "events.qlog";
        auto log = *EventLogWriter::open(path);
        Event first = make(Bye{1, "x"});
        QVERIFY(log.append(first).ok());
        const auto size = std::filesystem::file_size(path);
        ::signal(SIGXFSZ, SIG_IGN);
        rlimit before{};
        ::getrlimit(RLIMIT_FSIZE, &before);
        rlimit tight = before;
        tight.rlim_cur = size + 50;
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &tight), 0);
        Event second = make(Bye{2, "y"});
        const auto refused = log.append(second);
        ::setrlimit(RLIMIT_FSIZE, &before);
        QVERIFY(!refused.ok());
        QVERIFY(refused.error().message.find("events.qlog") != std::string::npos);
        QCOMPARE(std::filesystem::file_size(path), size); // nothing half-written
        QVERIFY(log.bufferedBytes() > 0);
        QVERIFY(log.flush().ok()); // nothing lost
        QCOMPARE(EventLogReader(path).readAfter(0)->back().seq, int64_t{2});
    }
    void mutatedLogsNeverCrash() {
        const TempDir dir;
        const auto path = dir.path() / "events.qlog";
        const std::string whole = logOf(path, 8);
        std::mt19937 random(7);
        for (int round = 0; round < 500; ++round) {
            std::string bytes = whole;
            for (int edits = 0; edits < 4; ++edits) {
                const size_t at = random() % bytes.size();
                switch (random() % 3) {
                case 0:
                    bytes[at] = static_cast<char>(random());
                    break;
                case 1:
                    bytes.erase(at, random() % 40);
                    break;
                default:
                    bytes.insert(at, whole.substr(random() % whole.size(), random() % 60));
                }
                if (bytes.empty()) bytes.push_back('x');
            }
            writeFile(path, bytes);
            const size_t good = countGood(path);
            QVERIFY(good <= 8);
            auto log = EventLogWriter::open(path);
            QVERIFY(log.ok());
            QCOMPARE(log->lastSeq(), static_cast<int64_t>(good));
        }
    }
};

QTEST_GUILESS_MAIN(EventLogTest)
#include "tst_event_log.moc"
