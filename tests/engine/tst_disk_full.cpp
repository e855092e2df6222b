// SPDX-License-Identifier: GPL-3.0-or-later
// What: the disk fills up, or fails, under a real engine at work (engine.md 5; 11 rows 7 to 9), and has room again.
#include "engine_run.h"

#include <set>

namespace fs = std::filesystem;
using namespace qw;

class DiskFullTest : public QObject {
    Q_OBJECT

    static constexpr int kSteps = 300;
    test::EngineRuns m_runs;
    test::TempDir m_dir;
    std::map<int64_t, double> m_losses; // of a run that was never disturbed
    std::string m_weights;

    // An engine that trains, behind its second checkpoint, and the file that makes its disk full.
    struct Working {
        wire::RunFolder folder;
        fs::path full;
        std::unique_ptr<QProcess> process;
        std::optional<drive::EngineClient> client;
    };
    wire::RunFolder make(const std::string& name, const char* policy) const {
        return m_runs.make(name, kSteps, {{"every", 4}, {"keep", 2}, {"on_disk_full", policy}});
    }
    Working work(const std::string& name, const char* policy) {
        Working w{make(name, policy), m_dir.path() / (name + ".full"), nullptr, std::nullopt};
        qputenv("QATW_FAULT_DISK", w.full.string().c_str());
        w.process = test::engine(w.folder);
        qunsetenv("QATW_FAULT_DISK");
        w.client = test::connect(w.folder);
        if (w.client && !w.client->request("attach", "{\"after_seq\":0}", 5000)) w.client.reset();
        if (!test::waitUntil([&] { return test::countOf<wire::CheckpointSaved>(test::eventsOf(w.folder)) >= 2; }, 30'000)) w.client.reset();
        return w;
    }
    // The first event that fits, from the protocol: the log may be what cannot be written.
    template<class T, class Fits> static bool sees(drive::EngineClient& client, const Fits& fits) {
        QElapsedTimer timer;
        timer.start();
        while (timer.elapsed() < 30'000) {
            const auto event = client.next(1000);
            if (!event) return false;
            if (!*event) continue;
            if (const auto* one = std::get_if<T>(&(*event)->payload); one && fits(*one)) return true;
        }
        return false;
    }
    static bool isPaused(const wire::StateChange& change) { return change.state == records::RunState::Paused; }
    static bool isFull(const wire::Notice& notice) { return notice.code == "disk.full"; }
    static bool told(const wire::RunFolder& folder, const std::string& code) {
        return std::ranges::any_of(test::eventsOf(folder), [&](const wire::Event& event) {
            const auto* notice = std::get_if<wire::Notice>(&event.payload);
            return notice && notice->code == code;
        });
    }
    // Whole checkpoints and nothing else; beside them, while training goes on, the folder of the one being written or removed.
    static bool onlyWholeCheckpoints(const wire::RunFolder& folder, bool goesOn = false) {
        size_t whole = 0;
        for (const auto& entry : fs::directory_iterator(folder.dir / "checkpoints")) {
            const auto name = entry.path().filename().string();
            if (name == "LATEST" || name == "best.json") continue;
            if (goesOn && (name.find(".tmp.") != std::string::npos || name.find(".trash-") != std::string::npos)) continue;
            if (!name.starts_with("step_") || name.find('.') != std::string::npos) return false;
            if (!fs::exists(entry.path() / "MANIFEST.json")) {
                if (goesOn && !fs::exists(entry.path())) continue; // pruned meanwhile
                return false;
            }
            ++whole;
        }
        return whole > 0;
    }
    void isAsUndisturbed(const wire::RunFolder& folder) {
        QCOMPARE(test::lossesOf(folder), m_losses); // bit for bit
        QVERIFY(test::readText(folder.model() / "model.safetensors") == m_weights);
    }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_runs.prepare().ok());
        const auto folder = make("calm", "pause");
        QCOMPARE(test::finish(*test::engine(folder), 60'000).code, 0);
        m_losses = test::lossesOf(folder);
        m_weights = test::readText(folder.model() / "model.safetensors");
        QCOMPARE(m_losses.size(), size_t(kSteps));
    }

    void theRunWaitsUntilThereIsRoom_data() {
        QTest::addColumn<QByteArray>("what");
        QTest::newRow("engine.md 11.7: checkpoints") << QByteArray("checkpoints full");
        QTest::newRow("engine.md 11.8: the event log too") << QByteArray("run full");
    }
    void theRunWaitsUntilThereIsRoom() {
        QFETCH(QByteArray, what);
        auto w = work(what.startsWith("run") ? "log" : "checkpoints", "pause");
        QVERIFY(w.client);
        test::writeText(w.full, what.toStdString());
        QVERIFY(sees<wire::StateChange>(*w.client, isPaused));
        QVERIFY(onlyWholeCheckpoints(w.folder));
        QVERIFY(!fs::exists(w.folder.ballast())); // given back for the log
        fs::remove(w.full);
        QVERIFY(w.client->request("train.resume", "{}", 5000));
        QCOMPARE(test::finish(*w.process, 60'000).code, 0);
        QVERIFY(told(w.folder, "disk.full"));
        isAsUndisturbed(w.folder);
    }

    void stopEndsTheRunAndItGoesOnLater() {
        auto w = work("stop", "stop");
        QVERIFY(w.client);
        test::writeText(w.full, "checkpoints full");
        QVERIFY(sees<wire::Notice>(*w.client, isFull));
        QCOMPARE(test::finish(*w.process, 30'000).code, 7);
        const auto end = drive::runEnd(w.folder, 7);
        QCOMPARE(end.state, records::RunState::Failed);
        QVERIFY(end.error && end.error->code == "disk.full" && !end.error->hint.empty());
        QVERIFY(onlyWholeCheckpoints(w.folder));
        fs::remove(w.full);
        QCOMPARE(test::finish(*test::engine(w.folder), 60'000).code, 0);
        isAsUndisturbed(w.folder);
    }

    void continueTrainsOnWithTheOldCheckpoint() {
        auto w = work("continue", "continue");
        QVERIFY(w.client);
        test::writeText(w.full, "checkpoints full");
        QVERIFY(sees<wire::Notice>(*w.client, isFull));
        QVERIFY(onlyWholeCheckpoints(w.folder, true));
        fs::remove(w.full);
        QCOMPARE(test::finish(*w.process, 60'000).code, 0);
        QVERIFY(onlyWholeCheckpoints(w.folder));
        isAsUndisturbed(w.folder);
    }

    void aFailedSyncIsToldAndTrainingGoesOn() { // engine.md 11.9
        auto w = work("sync", "pause");
        QVERIFY(w.client);
        test::writeText(w.full, "checkpoints sync");
        QVERIFY(sees<wire::Notice>(*w.client, [](const wire::Notice& notice) { return notice.code == "file.io"; }));
        QVERIFY(onlyWholeCheckpoints(w.folder, true));
        fs::remove(w.full);
        QCOMPARE(test::finish(*w.process, 60'000).code, 0);
        QVERIFY(onlyWholeCheckpoints(w.folder));
        isAsUndisturbed(w.folder);
    }
};

QTEST_GUILESS_MAIN(DiskFullTest)
#include "tst_disk_full.moc"
