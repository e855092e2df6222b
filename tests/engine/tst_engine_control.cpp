// SPDX-License-Identifier: GPL-3.0-or-later
// What: an engine at work and its clients: latencies of pause, stop and checkpoint, signals, heartbeats, the gap of a re-attaching
// client, clients that never read or send rubbish (engine.md 2, 3).
#include "base/clock.h"
#include "engine_run.h"

#include <csignal>
#include <random>
#include <set>

using namespace qw;

class EngineControlTest : public QObject {
    Q_OBJECT

    static constexpr int64_t kAckMs = 100, kEffectMs = 2000; // engine.md 3
    test::EngineRuns m_runs;

    // An engine that trains and a client that watches it.
    struct Working {
        wire::RunFolder folder;
        std::unique_ptr<QProcess> process;
        std::optional<drive::EngineClient> client;
    };
    Working work(const std::string& project, int steps, const QString& fault = {}) {
        Working w{m_runs.make(project, steps), nullptr, std::nullopt};
        w.process = test::engine(w.folder, fault);
        w.client = test::connect(w.folder);
        if (w.client && !w.client->request("attach", "{\"after_seq\":0}", 5000)) w.client.reset();
        if (!test::waitUntil([&] { return test::stepOf(w.folder) >= 2; }, 30'000)) w.client.reset();
        return w;
    }
    // Milliseconds until the state comes, -1 if it does not.
    static int64_t until(drive::EngineClient& client, records::RunState state) {
        QElapsedTimer timer;
        timer.start();
        while (timer.elapsed() < 20'000) {
            const auto event = client.next(1000);
            if (!event) return -1;
            if (!*event) continue;
            if (const auto* change = std::get_if<wire::StateChange>(&(*event)->payload); change && change->state == state)
                return timer.elapsed();
        }
        return -1;
    }
    static int64_t lastCheckpoint(const wire::RunFolder& folder) {
        int64_t step = -1;
        for (const auto& event : test::eventsOf(folder))
            if (const auto* saved = std::get_if<wire::CheckpointSaved>(&event.payload)) step = saved->step;
        return step;
    }

private Q_SLOTS:
    void initTestCase() { QVERIFY(m_runs.prepare().ok()); }

    void pauseResumeCheckpointAreQuick() {
        auto w = work("pause", 2000);
        QVERIFY(w.client);
        std::vector<int64_t> answers; // while the job thread works
        for (int i = 0; i < 9; ++i) {
            const int64_t start = monotonicNs();
            QVERIFY(w.client->request("ping", "{}", 5000));
            answers.push_back((monotonicNs() - start) / 1'000'000);
        }
        std::ranges::sort(answers);
        QVERIFY2(answers[4] <= kAckMs, qPrintable(QString::number(answers[4])));

        QElapsedTimer timer;
        timer.start();
        QVERIFY(w.client->request("train.pause", "{}", 5000));
        const auto acknowledged = timer.elapsed();
        QVERIFY2(acknowledged <= kAckMs, qPrintable(QString::number(acknowledged)));
        const auto paused = until(*w.client, records::RunState::Paused);
        QVERIFY2(paused >= 0 && paused <= kEffectMs, qPrintable(QString::number(paused)));
        const auto pong = test::Json::parse(*w.client->request("ping", "{}", 5000));
        QCOMPARE(pong["state"].get<std::string>(), std::string("paused"));
        const int64_t step = pong["step"].get<int64_t>();
        int beats = 0; // they go on, and say where it waits
        while (beats < 2) {
            const auto event = w.client->next(5000);
            QVERIFY(event && *event);
            if (const auto* beat = std::get_if<wire::Heartbeat>(&(*event)->payload)) {
                QCOMPARE(beat->step, step);
                QVERIFY(beat->rssBytes > 0);
                ++beats;
            }
        }
        QVERIFY(w.client->request("train.resume", "{}", 5000));
        QVERIFY(test::waitUntil([&] { return test::stepOf(w.folder) > step; }, 10'000));

        auto saved = test::countOf<wire::CheckpointSaved>(test::eventsOf(w.folder));
        QVERIFY(w.client->request("train.checkpoint", "{}", 5000));
        QVERIFY(test::waitUntil([&] { return test::countOf<wire::CheckpointSaved>(test::eventsOf(w.folder)) > saved; }, 10'000));
        saved = test::countOf<wire::CheckpointSaved>(test::eventsOf(w.folder));
        ::kill(static_cast<pid_t>(w.process->processId()), SIGUSR1);
        QVERIFY(test::waitUntil([&] { return test::countOf<wire::CheckpointSaved>(test::eventsOf(w.folder)) > saved; }, 10'000));
        w.process->kill();
        w.process->waitForFinished(5000);
    }

    void settingsHoldFromTheirStepOnAndAfterAKill() {
        constexpr int kSteps = 420;
        const auto stepsWith = [](const wire::RunFolder& folder, const std::string& metric) {
            std::set<int64_t> steps;
            for (const auto& event : test::eventsOf(folder))
                if (const auto* metrics = std::get_if<wire::Metrics>(&event.payload))
                    for (const auto& [name, value] : metrics->values)
                        if (name == metric) steps.insert(metrics->step);
            return steps;
        };
        auto w = work("set", kSteps, QStringLiteral("segv@step=401"));
        QVERIFY(w.client);
        const auto echo = w.client->request("train.set", R"({"checkpoint.every":10,"log.every":3,"eval.every":7})", 5000);
        QVERIFY(echo);
        QCOMPARE(test::Json::parse(*echo)["values"]["log.every"].get<int>(), 3);
        w.process->waitForFinished(60'000);
        QCOMPARE(w.process->exitCode(), SIGSEGV);
        QCOMPARE(test::finish(*test::engine(w.folder), 60'000).code, 0);

        std::vector<wire::Settings> told;
        std::set<int64_t> saved;
        int64_t from = 0;
        for (const auto& event : test::eventsOf(w.folder)) {
            if (const auto* settings = std::get_if<wire::Settings>(&event.payload)) told.push_back(*settings);
            if (const auto* checkpoint = std::get_if<wire::CheckpointSaved>(&event.payload)) saved.insert(checkpoint->step);
            if (const auto* attempt = std::get_if<wire::Attempt>(&event.payload)) from = attempt->fromStep;
        }
        QCOMPARE(told.size(), size_t(1)); // the resumed run knows it from the log
        QCOMPARE(told[0].values.size(), size_t(3));
        QVERIFY(told[0].step >= 2 && told[0].step < kSteps);
        QVERIFY(from > told[0].step);
        std::set<int64_t> wantSaved, wantLogged, wantEvaluated;
        for (int64_t step = 1; step <= kSteps; ++step) {
            const bool behind = step > told[0].step;
            if (step % (behind ? 10 : 4) == 0) wantSaved.insert(step);
            if (!behind || step % 3 == 0) wantLogged.insert(step);
            if (behind && step % 7 == 0) wantEvaluated.insert(step);
        }
        wantEvaluated.insert(kSteps);
        if (!saved.contains(400)) wantSaved.erase(400); // it was being written when the engine died
        QCOMPARE(saved, wantSaved);
        QCOMPARE(stepsWith(w.folder, "train.loss"), wantLogged);
        QCOMPARE(stepsWith(w.folder, "eval.loss"), wantEvaluated);
        const auto late = test::engine(w.folder); // completed: it only says so again
        QCOMPARE(test::finish(*late, 20'000).code, 0);
    }

    void endings_data() {
        QTest::addColumn<QByteArray>("op"); // empty: the signal
        QTest::addColumn<QByteArray>("params");
        QTest::addColumn<int>("signal");
        QTest::addColumn<bool>("checkpoint"); // one of the last step
        QTest::newRow("stop, finish the step") << QByteArray("train.stop") << QByteArray(R"({"mode":"finish_step"})") << 0 << false;
        QTest::newRow("stop with checkpoint") << QByteArray("train.stop") << QByteArray(R"({"mode":"checkpoint"})") << 0 << true;
        QTest::newRow("stop now") << QByteArray("train.stop") << QByteArray(R"({"mode":"now"})") << 0 << false;
        QTest::newRow("cancel") << QByteArray("job.cancel") << QByteArray("{}") << 0 << false;
        QTest::newRow("pause and free the memory") << QByteArray("train.pause") << QByteArray(R"({"release":true})") << 0 << true;
        QTest::newRow("shutdown") << QByteArray("shutdown") << QByteArray("{}") << 0 << true;
        QTest::newRow("SIGTERM") << QByteArray() << QByteArray() << SIGTERM << true;
        QTest::newRow("SIGINT") << QByteArray() << QByteArray() << SIGINT << true;
    }
    void endings() {
        QFETCH(QByteArray, op);
        QFETCH(QByteArray, params);
        QFETCH(int, signal);
        QFETCH(bool, checkpoint);
        auto w = work("ending", 3000);
        QVERIFY(w.client);
        QElapsedTimer timer;
        timer.start();
        if (op.isEmpty())
            ::kill(static_cast<pid_t>(w.process->processId()), signal);
        else {
            QVERIFY(w.client->request(op.toStdString(), params.toStdString(), 5000));
            QVERIFY2(timer.elapsed() <= kAckMs, qPrintable(QString::number(timer.elapsed())));
        }
        const auto stopped = until(*w.client, records::RunState::Stopped);
        QVERIFY2(stopped >= 0 && stopped <= kEffectMs, qPrintable(QString::number(stopped)));
        QVERIFY(w.process->waitForFinished(10'000));
        QCOMPARE(w.process->exitStatus(), QProcess::NormalExit);
        QCOMPARE(w.process->exitCode(), 0);
        const auto events = test::eventsOf(w.folder);
        QVERIFY(std::holds_alternative<wire::Bye>(events.back().payload)); // the last word
        QCOMPARE(drive::runEnd(w.folder, 0).state, records::RunState::Stopped);
        if (checkpoint) QCOMPARE(lastCheckpoint(w.folder), test::stepOf(w.folder));
        QVERIFY(!wire::isLive(w.folder));
    }

    void aHangingEngineEndsAfterTheStopDeadline() {
        qputenv("QATW_STOP_DEADLINE_MS", "600");
        auto w = work("hang", 16, QStringLiteral("hang@step=3"));
        qunsetenv("QATW_STOP_DEADLINE_MS");
        QVERIFY(w.client);
        QElapsedTimer timer;
        timer.start();
        w.process->terminate();
        QVERIFY(w.process->waitForFinished(10'000));
        QCOMPARE(w.process->exitCode(), 70);
        QVERIFY(timer.elapsed() >= 600);
    }

    void reattachingGetsTheGapOnceAndInOrder() {
        const auto folder = m_runs.make("attach", 120);
        const auto process = test::engine(folder);
        QVERIFY(test::waitUntil([&] { return test::stepOf(folder) >= 10; }, 30'000));
        auto client = test::connect(folder);
        QVERIFY(client);
        constexpr int64_t kSeen = 5;
        const auto answer = client->request("attach", "{\"after_seq\":5}", 5000);
        QVERIFY(answer);
        const int64_t logged = test::Json::parse(*answer)["last_seq"].get<int64_t>();
        QVERIFY(logged > 10);
        std::set<int64_t> seen;
        int64_t lossless = kSeen, metrics = kSeen;
        for (bool bye = false; !bye;) {
            const auto event = client->next(30'000);
            QVERIFY(event && *event);
            const int64_t seq = (*event)->seq;
            if (seq == 0) continue; // heartbeats have no number
            QVERIFY2(seen.insert(seq).second, "an event came twice");
            const auto place = kSeen + static_cast<int64_t>(seen.size());
            if (place <= logged) QCOMPARE(seq, place); // what lay in the log is complete
            const bool isMetrics = std::holds_alternative<wire::Metrics>((*event)->payload);
            if (isMetrics || !wire::isCoalescable((*event)->payload)) {
                int64_t& before = isMetrics ? metrics : lossless;
                QVERIFY2(seq > before, "an event came out of order");
                before = seq;
            }
            bye = std::holds_alternative<wire::Bye>((*event)->payload);
        }
        QVERIFY(process->waitForFinished(20'000));
        for (const auto& event : test::eventsOf(folder))
            if (event.seq > kSeen && !wire::isCoalescable(event.payload)) QVERIFY(seen.contains(event.seq));
    }

    void aClientThatNeverReadsHoldsNothingUp() {
        const auto folder = m_runs.make("deaf", 60);
        const auto process = test::engine(folder);
        auto deaf = test::connect(folder);
        QVERIFY(deaf);
        QVERIFY(deaf->request("attach", "{\"after_seq\":0}", 5000));
        const auto result = test::finish(*process, 60'000);
        QCOMPARE(result.code, 0);
        QCOMPARE(drive::runEnd(folder, 0).state, records::RunState::Completed);
    }

    void requestsOfWrongShapeAreRefused_data() {
        QTest::addColumn<QByteArray>("op");
        QTest::addColumn<QByteArray>("params");
        QTest::addColumn<QString>("code");
        const auto row = [](const char* op, const char* params, const char* code) {
            QTest::addRow("%s %s", op, params) << QByteArray(op) << QByteArray(params) << QString::fromLatin1(code);
        };
        row("train.stop", R"({"mode":3})", "config.invalid");
        row("train.stop", R"({"mode":"softly"})", "config.invalid");
        row("train.pause", R"({"release":"yes"})", "config.invalid");
        row("attach", R"({"after_seq":"x"})", "proto.bad_line");
        row("train.stop", R"({"run":"another"})", "engine.state");
        row("train.set", R"({"optim.lr":1})", "config.unknown_key");
        row("train.set", R"({"log.every":0})", "config.invalid");
        row("train.set", R"({"checkpoint.every":2.5})", "config.invalid");
        row("train.set", R"({"eval.every":"often"})", "config.invalid");
        row("train.set", "{}", "config.invalid");
        row("train.set", R"({"run":"another","log.every":2})", "engine.state");
        row("train.levitate", "{}", "proto.unknown_op");
    }
    void requestsOfWrongShapeAreRefused() {
        QFETCH(QByteArray, op);
        QFETCH(QByteArray, params);
        QFETCH(QString, code);
        static Working w; // one engine for all rows; it must live through them
        if (!w.process) w = work("shapes", 3000);
        QVERIFY(w.client);
        const auto answer = w.client->request(op.toStdString(), params.toStdString(), 5000);
        QVERIFY(!answer.ok());
        QCOMPARE(QString::fromStdString(answer.error().code), code);
        QVERIFY(w.client->request("ping", "{}", 5000));
        if (op == "train.levitate") { // the last row
            w.client.reset();
            w.process->kill();
            w.process->waitForFinished(5000);
            w.process.reset();
        }
    }

    void rubbishOnTheSocketHarmsNobody() {
        const auto whole = m_runs.make("quiet", 150);
        QCOMPARE(test::finish(*test::engine(whole), 60'000).code, 0);
        const auto folder = m_runs.make("rubbish", 150);
        const auto process = test::engine(folder);
        auto friendly = test::connect(folder);
        QVERIFY(friendly);
        const auto talk = [&](const std::string& bytes) { // what the engine says to it until it closes, or for a while
            std::string answer;
            auto transport = wire::connectLocal(folder.socket());
            if (!transport) return answer;
            size_t sent = 0;
            for (int i = 0; i < 200; ++i) {
                if (sent < bytes.size()) {
                    const auto n = (*transport)->write(std::string_view(bytes).substr(sent));
                    sent = n ? sent + *n : bytes.size();
                }
                if (!(*transport)->read(answer)) return answer + "<closed>";
                if (sent == bytes.size() && answer.find("\"id\":77") != std::string::npos) return answer;
                (*transport)->wait(sent < bytes.size(), 5);
            }
            return answer;
        };
        const std::string hello = wire::format(wire::helloRequest(1)) + "\n", ping = R"({"v":1,"t":"req","id":77,"op":"ping","p":{}})"
                                                                                     "\n";
        const auto three = talk("a\nb\nc\n");
        QVERIFY2(three.ends_with("<closed>") && three.find("proto.bad_line") != std::string::npos, three.c_str());
        const auto two = talk(hello + "a\nb\n" + ping + "c\n");
        QVERIFY2(two.find("uptime_ms") != std::string::npos && !two.ends_with("<closed>"), two.c_str());
        const auto stranger = talk(R"({"v":1,"t":"req","id":1,"op":"hello","p":{"proto":[98,99],"build_id":"x"}})"
                                   "\n");
        QVERIFY2(stranger.ends_with("<closed>") && stranger.find("proto.version") != std::string::npos, stranger.c_str());
        QVERIFY(talk(ping).find("hello") != std::string::npos); // who has not said hello may ask nothing
        std::mt19937 random(11);
        const std::string good = R"({"v":1,"t":"req","id":77,"op":"attach","p":{"after_seq":3,"run":""}})"
                                 "\n";
        for (int round = 0; round < 40; ++round) {
            std::string bytes = hello + good + good;
            for (int n = 0; n < 4; ++n) bytes[hello.size() + random() % (bytes.size() - hello.size())] = static_cast<char>(random());
            static_cast<void>(talk(bytes + ping));
        }
        static_cast<void>(talk(std::string(3 << 20, 'x'))); // a line without an end
        QCOMPARE(test::finish(*process, 60'000).code, 0);
        QCOMPARE(test::lossesOf(folder), test::lossesOf(whole));
    }
};

QTEST_GUILESS_MAIN(EngineControlTest)
#include "tst_engine_control.moc"
