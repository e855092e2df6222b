// SPDX-License-Identifier: GPL-3.0-or-later
// What: the real engine process: hello, requests and bad lines on its standard input, locks, crashes, broken folders (engine.md 1-4, 11).
#include "base/build_info.h"
#include "engine_run.h"

#include <csignal>

using namespace qw;
namespace fs = std::filesystem;

class EngineProcessTest : public QObject {
    Q_OBJECT

    test::EngineRuns m_runs;

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(fs::exists(fs::path(QW_BIN_DIR) / "qat-engine-faults"));
        QVERIFY(m_runs.prepare().ok());
    }

    void helloNamesBuildAndDevices() {
        auto process = test::startProgram("qat-engine", {QStringLiteral("--stdio")});
        QVERIFY(process->waitForReadyRead(20'000));
        const auto first = wire::parseMessage(process->readLine().trimmed().toStdString());
        QVERIFY(first);
        const auto* hello = std::get_if<wire::Hello>(&std::get<wire::Event>(*first).payload);
        QVERIFY(hello);
        QCOMPARE(hello->buildId, std::string(buildId()));
        QCOMPARE(hello->libtorch, std::string("2.11.0"));
        QVERIFY(!hello->devices.empty() && hello->devices.front() == "cpu");
        process->closeWriteChannel(); // a client that goes away ends the engine
        QVERIFY(process->waitForFinished(10'000));
    }

    void requestsAreAnsweredOneByOne_data() {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("want"); // part of the answer
        const auto request = [](const char* op, const char* params = "{}") {
            return QByteArray("{\"v\":1,\"t\":\"req\",\"id\":7,\"op\":\"") + op + "\",\"p\":" + params + "}";
        };
        QTest::newRow("ping") << request("ping") << QByteArray("uptime_ms");
        QTest::newRow("device list") << request("device.list") << QByteArray("cores");
        QTest::newRow("unknown operation") << request("train.levitate") << QByteArray("proto.unknown_op");
        QTest::newRow("of a run, without a run") << request("train.pause") << QByteArray("proto.unknown_op");
        QTest::newRow("no JSON") << QByteArray("this is no JSON") << QByteArray("proto.bad_line");
        QTest::newRow("too deep") << QByteArray(200, '[') << QByteArray("proto.bad_line");
        QTest::newRow("too long") << QByteArray(1100 * 1024, 'x') << QByteArray("proto.bad_line");
    }
    void requestsAreAnsweredOneByOne() {
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, want);
        auto process = test::startProgram("qat-engine", {QStringLiteral("--stdio")});
        process->write(QByteArray::fromStdString(wire::format(wire::helloRequest(1))) + "\n" + line + "\n" +
                       "{\"v\":1,\"t\":\"req\",\"id\":8,\"op\":\"ping\",\"p\":{}}" + "\n");
        QByteArray all;
        QVERIFY(test::waitUntil(
            [&] {
                process->waitForReadyRead(10);
                return (all += process->readAll()).contains("\"id\":8");
            },
            20'000));
        QVERIFY2(all.contains(want), all.constData()); // and the connection lives on: the ping behind it was answered
        process->closeWriteChannel();
        QVERIFY(process->waitForFinished(10'000));
    }

    void threeBadLinesInARowClose() {
        auto process = test::startProgram("qat-engine", {QStringLiteral("--stdio")});
        process->write("a\nb\nc\n");
        QVERIFY(process->waitForFinished(20'000));
        QCOMPARE(process->readAll().count("proto.bad_line"), 3);
    }

    void anotherProtocolVersionIsRefused() {
        auto process = test::startProgram("qat-engine", {QStringLiteral("--stdio")});
        process->write("{\"v\":1,\"t\":\"req\",\"id\":1,\"op\":\"hello\",\"p\":{\"proto\":[99,99],\"build_id\":\"x\"}}"
                       "\n");
        const auto result = test::finish(*process, 20'000);
        QVERIFY(result.out.contains("proto.version"));
        QCOMPARE(result.code, 78);
    }

    void aSecondEngineIsRefusedAndTheFirstGoesOn() {
        const auto folder = m_runs.make("second", 400);
        const auto first = test::engine(folder);
        QVERIFY(test::waitUntil([&] { return test::stepOf(folder) >= 2; }, 30'000));
        const auto second = test::engine(folder);
        const auto refused = test::finish(*second, 20'000);
        QCOMPARE(refused.code, 75);
        QVERIFY(refused.err.contains("engine.busy"));
        const int64_t before = test::stepOf(folder);
        QVERIFY(test::waitUntil([&] { return test::stepOf(folder) > before; }, 10'000));
        first->terminate(); // SIGTERM: checkpoint, then exit 0
        const auto ended = test::finish(*first, 30'000);
        QCOMPARE(ended.code, 0);
        const auto events = test::eventsOf(folder);
        QVERIFY(test::countOf<wire::CheckpointSaved>(events) > 0);
        QCOMPARE(drive::runEnd(folder, 0).state, records::RunState::Stopped);
    }

    void libraryOutputDoesNotHurt() {
        const auto folder = m_runs.make("noise", 8);
        const auto result = test::finish(*test::engine(folder, QStringLiteral("print@step=3")), 60'000);
        QCOMPARE(result.code, 0);
        const auto events = test::eventsOf(folder);
        const bool logged = std::ranges::any_of(events, [](const wire::Event& event) {
            const auto* line = std::get_if<wire::LogLine>(&event.payload);
            return line && line->text.find("prints to standard output") != std::string::npos;
        });
        QVERIFY(logged);
        QVERIFY(test::readText(folder.logs() / "engine.stderr").find("prints to standard output") != std::string::npos);
    }

    void theShippedEngineIgnoresFaults() {
        const auto folder = m_runs.make("shipped", 6);
        const auto result = test::finish(*test::engine(folder, QStringLiteral("segv@step=2"), "qat-engine"), 60'000);
        QCOMPARE(result.code, 0);
        const auto events = test::eventsOf(folder);
        QVERIFY(std::ranges::any_of(events, [](const wire::Event& event) {
            const auto* line = std::get_if<wire::LogLine>(&event.payload);
            return line && line->text.find("QATW_FAULT is set and ignored") != std::string::npos;
        }));
    }

    void aCrashLeavesARecordAndIsContinued_data() {
        QTest::addColumn<QString>("fault");
        QTest::addColumn<int>("code");
        QTest::addColumn<bool>("record");
        QTest::newRow("SIGSEGV") << QStringLiteral("segv@step=9") << 128 + SIGSEGV << true;
        QTest::newRow("abort") << QStringLiteral("abort@step=9") << 128 + SIGABRT << true;
        QTest::newRow("exception of a library") << QStringLiteral("throw@step=9") << 70 << false;
        QTest::newRow("memory ran out") << QStringLiteral("oom@step=9") << 6 << false;
    }
    void aCrashLeavesARecordAndIsContinued() {
        QFETCH(QString, fault);
        QFETCH(int, code);
        QFETCH(bool, record);
        const auto whole = m_runs.make("whole", 16);
        QCOMPARE(test::finish(*test::engine(whole), 60'000).code, 0);
        const auto folder = m_runs.make("crash", 16);
        QCOMPARE(test::finish(*test::engine(folder, fault), 60'000).code, code);
        QCOMPARE(fs::exists(folder.crash()), record);
        if (record) {
            const auto crash = test::Json::parse(test::readText(folder.crash()));
            QCOMPARE(crash["thread"].get<std::string>(), std::string("job"));
            QCOMPARE(crash["phase"].get<std::string>(), std::string("train"));
            QCOMPARE(crash["step"].get<int>(), 9);
            QVERIFY(!crash["backtrace"].empty());
            QCOMPARE(drive::runEnd(folder, code).state, records::RunState::Interrupted);
        }
        QCOMPARE(test::finish(*test::engine(folder), 60'000).code, 0);
        QCOMPARE(test::lossesOf(folder), test::lossesOf(whole)); // bit for bit
        QCOMPARE(test::readText(folder.model() / "model.safetensors"), test::readText(whole.model() / "model.safetensors"));
    }

    void stacksOfAHangingEngine() {
        const auto folder = m_runs.make("hang", 16);
        const auto process = test::engine(folder, QStringLiteral("hang@step=3"));
        QVERIFY(test::waitUntil([&] { return test::stepOf(folder) >= 3; }, 30'000));
        ::kill(static_cast<pid_t>(process->processId()), SIGQUIT);
        const fs::path stacks = folder.logs() / "stacks.txt";
        QVERIFY(test::waitUntil([&] { return fs::exists(stacks) && test::readText(stacks).find(" job\n") != std::string::npos; }, 10'000));
        process->kill();
        process->waitForFinished(5000);
    }

    void aBrokenRunFolderIsOneClearError_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<int>("code");
        QTest::newRow("recipe with an unknown key")
            << QStringLiteral("config.resolved.json") << QByteArray("{\"recipe\":1,\"optimiser\":3}") << 3;
        QTest::newRow("no recipe") << QStringLiteral("config.resolved.json") << QByteArray("\x01\x02") << 3;
    }
    void aBrokenRunFolderIsOneClearError() {
        QFETCH(QString, file);
        QFETCH(QByteArray, content);
        QFETCH(int, code);
        const auto folder = m_runs.make("broken", 4);
        test::writeText(folder.dir / file.toStdString(), content.toStdString());
        QCOMPARE(test::finish(*test::engine(folder), 30'000).code, code);
        const auto end = drive::runEnd(folder, code);
        QCOMPARE(end.state, records::RunState::Failed);
        QVERIFY(end.error && !end.error->message.empty());
    }
};

QTEST_GUILESS_MAIN(EngineProcessTest)
#include "tst_engine_process.moc"
