// SPDX-License-Identifier: GPL-3.0-or-later
// What: runs and studies in the store: what people change, rows of a study, engines that died, finding a run.
#include "store_fixture.h"

#include <cmath>

using namespace qw;
using namespace qw::test;
using store::Store;

class StoreRunsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void userFieldsSurviveARebuild() {
        const TempDir dir;
        const auto folder = writeSampleRun(dir.path());
        std::string uid;
        {
            Store db = *Store::open(dir.path());
            QVERIFY(db.sync().ok());
            uid = db.runs()->front().identity.uid;
            QVERIFY(db.setUserFields(uid, "keep this", {"best"}, "#00ff00").ok());
        }
        QVERIFY(Store::rebuild(dir.path()).ok());
        Store db = *Store::open(dir.path());
        const auto run = *db.run(uid);
        QCOMPARE(run.identity.notes, std::string("keep this"));
        QCOMPARE(run.identity.tags, std::vector<std::string>{"best"});
        QCOMPARE(run.identity.colour, std::string("#00ff00"));
        QCOMPARE(run.state, records::RunState::Completed);
    }

    void studiesAndTheirRows() {
        const TempDir dir;
        std::string studyUid;
        records::RunIdentity identity = sampleIdentity();
        {
            Store db = *Store::open(dir.path());
            const auto study = *db.createStudy("Which scheme?");
            studyUid = study.uid;
            QVERIFY(study.dir.filename().string().ends_with("-which-scheme"));
            identity.studyUid = "another";
            identity.studyName = "Another";
            QVERIFY(wire::createRunFolder(dir.path(), identity).ok());
            QVERIFY(db.putStudyRow({studyUid, records::RowRole::Ptq, "w3", "rtn", "b", 42, "OLD"}).ok());
            QVERIFY(db.putStudyRow({studyUid, records::RowRole::Ptq, "w3", "mse", "b", 42, identity.uid}).ok());
            QVERIFY(db.putStudyRow({studyUid, records::RowRole::Ptq, "w3", "rtn", "b", 42, identity.uid}).ok());
            QVERIFY(db.sync().ok());
        }
        for (int round = 0; round < 2; ++round) {
            Store db = *Store::open(dir.path());
            const auto rows = *db.studyRows(studyUid);
            QCOMPARE(rows.size(), size_t{2});
            QCOMPARE(rows[1].method, std::string("rtn"));
            QCOMPARE(rows[1].runUid, identity.uid);
            store::RunFilter filter;
            filter.study = studyUid; // the run belongs to another study and serves this one
            QCOMPARE(db.runs(filter)->size(), size_t{1});
            QCOMPARE(db.study("Which scheme?")->uid, studyUid);
            QCOMPARE(db.studies()->size(), size_t{2});
            { Store closing = std::move(db); }
            QVERIFY(Store::rebuild(dir.path()).ok());
        }
    }

    void deadEnginesBecomeInterrupted() {
        const TempDir dir;
        OpenRun run(dir.path());
        append(run.log, wire::StateChange{records::RunState::Running, "train", {}});
        append(run.log, wire::Attempt{1, "h", "cpu", "2.11", "b", 1, 0, 1, true});
        append(run.log, wire::Metrics{7, {{"a", 1.0}}, 0, {}});
        QVERIFY(run.log.sync().ok());
        Store db = *Store::open(dir.path());
        {
            const auto lock = wire::takeRunLock(run.folder);
            QVERIFY(lock.ok());
            QVERIFY(db.sync().ok());
            QCOMPARE(db.run(run.uid)->state, records::RunState::Running);
        }
        QVERIFY(writeFileAtomic(run.folder.crash(), "{\"signal\":\"SIGSEGV\",\"phase\":\"train\",\"step\":7}").ok());
        QVERIFY(db.sync().ok());
        const auto info = *db.run(run.uid);
        QCOMPARE(info.state, records::RunState::Interrupted);
        QCOMPARE(info.error->code, std::string("engine.killed"));
        QCOMPARE(info.error->message, std::string("the engine crashed with signal SIGSEGV in phase train at step 7"));
        // It comes back.
        append(run.log, wire::Attempt{2, "h", "cpu", "2.11", "b", 1, 8, 1, true});
        append(run.log, wire::StateChange{records::RunState::Completed, {}, {}});
        QVERIFY(run.log.sync().ok());
        QVERIFY(db.sync().ok());
        QCOMPARE(db.run(run.uid)->state, records::RunState::Completed);
        QVERIFY(!db.run(run.uid)->error.has_value());
    }

    void unreadableItemsKeepTheResult() {
        const TempDir dir;
        OpenRun run(dir.path());
        auto result = sampleResult("r", -1);
        result.itemsPath = "../../etc/passwd";
        append(run.log, wire::EvalDone{result});
        QVERIFY(run.log.sync().ok());
        Store db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        QCOMPARE(db.results(run.uid)->size(), size_t{1});
        QCOMPARE(db.results(run.uid)->front().items, int64_t{0});
        const auto warnings = *db.events(run.uid, 2);
        QCOMPARE(warnings.size(), size_t{1});
        QVERIFY(warnings[0].body.find("not inside the run") != std::string::npos);
    }

    void runsAreFoundByUidPrefixAndName() {
        const TempDir dir;
        records::RunIdentity a = sampleIdentity(), b = sampleIdentity();
        a.name = "one";
        b.name = "two";
        QVERIFY(wire::createRunFolder(dir.path(), a).ok());
        QVERIFY(wire::createRunFolder(dir.path(), b).ok());
        Store db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        QCOMPARE(db.run(a.uid)->identity.uid, a.uid);
        QCOMPARE(db.run("two")->identity.uid, b.uid);
        size_t common = 0;
        while (a.uid[common] == b.uid[common]) ++common;
        QCOMPARE(db.run(b.uid.substr(0, common + 1))->identity.uid, b.uid);
        QVERIFY(db.run(a.uid.substr(0, common)).error().message.find("fits 2 runs") != std::string::npos);
        QCOMPARE(db.run("three").error().code, std::string("file.not_found"));
    }
};

QTEST_GUILESS_MAIN(StoreRunsTest)
#include "tst_store_runs.moc"
