// SPDX-License-Identifier: GPL-3.0-or-later
// What: what people do to runs in the store: rename, Trash and back, delete for good; everything read in one go; the queue's order.
#include "store_fixture.h"

#include <chrono>

using namespace qw;
using namespace qw::test;
using store::Store;

class TrashTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aNameSurvivesARebuild() {
        const TempDir dir;
        const auto folder = writeSampleRun(dir.path(), 5);
        const std::string uid = wire::readIdentity(folder)->uid;
        {
            auto db = *Store::open(dir.path());
            QVERIFY(db.sync().ok());
            QVERIFY(db.setName(uid, "the good one").ok());
            QCOMPARE(db.run(uid)->identity.name, std::string("the good one"));
            QCOMPARE(db.run(uid)->identity.tags, (std::vector<std::string>{"a", "b"}));
            QVERIFY(db.sync().ok()); // our own write is no news
            QCOMPARE(db.run("the good one")->identity.uid, uid);
            QCOMPARE(db.setName(uid, "").error().code, std::string("config.invalid"));
            QCOMPARE(db.setName("nobody", "x").error().code, std::string("file.not_found"));
        }
        QVERIFY(Store::rebuild(dir.path()).ok());
        QCOMPARE(Store::open(dir.path())->run(uid)->identity.name, std::string("the good one"));
    }

    void trashAndBack() {
        const TempDir dir;
        const auto folder = writeSampleRun(dir.path(), 5);
        auto db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        const std::string uid = db.runs()->front().identity.uid;
        QVERIFY(db.setTrashed(uid, true).ok());
        QVERIFY(db.runs()->empty() && db.run(uid)->trashedMs > 0);
        QVERIFY(db.sync().ok());
        QVERIFY(db.runs()->empty()); // a look at the folders does not bring it back
        QVERIFY(!db.findCompleted("key-1")->has_value());
        const auto trash = db.trash();
        QCOMPARE(trash->size(), size_t{1});
        QCOMPARE(trash->front().dir, folder.dir);
        int64_t bytes = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.dir))
            if (entry.is_regular_file()) bytes += int64_t(entry.file_size());
        QCOMPARE(trash->front().bytes, bytes);
        QVERIFY(db.setTrashed(uid, false).ok());
        QCOMPARE(db.runs()->size(), size_t{1});
        QVERIFY(db.trash()->empty() && std::filesystem::exists(folder.events()));
    }

    void trashSurvivesARebuild() {
        const TempDir dir;
        const auto kept = writeSampleRun(dir.path(), 5), thrown = writeSampleRun(dir.path(), 3), back = writeSampleRun(dir.path(), 2);
        int64_t since = 0;
        {
            auto db = *Store::open(dir.path());
            QVERIFY(db.sync().ok());
            for (const auto& folder : {thrown, back}) QVERIFY(db.setTrashed(wire::readIdentity(folder)->uid, true).ok());
            QVERIFY(db.setTrashed(wire::readIdentity(back)->uid, false).ok());
            since = db.run(wire::readIdentity(thrown)->uid)->trashedMs;
        }
        QVERIFY(Store::rebuild(dir.path()).ok());
        auto db = *Store::open(dir.path());
        QCOMPARE(db.runs()->size(), size_t{2});
        const auto trash = *db.trash();
        QCOMPARE(trash.size(), size_t{1});
        QCOMPARE(trash[0].dir, thrown.dir);
        QCOMPARE(trash[0].trashedMs, since);
        QVERIFY(db.setName(trash[0].uid, "renamed").ok()); // stays where it is
        QVERIFY(db.sync().ok());
        QCOMPARE(db.trash()->size(), size_t{1});
        QCOMPARE(db.run(wire::readIdentity(kept)->uid)->trashedMs, int64_t{0});
    }

    void onlyWhatIsInTrashIsDeleted() {
        const TempDir dir;
        const auto first = writeSampleRun(dir.path(), 5), second = writeSampleRun(dir.path(), 5);
        auto db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        const std::string gone = wire::readIdentity(first)->uid, kept = wire::readIdentity(second)->uid;
        QCOMPARE(db.deleteTrashed(gone).error().code, std::string("engine.state"));
        QVERIFY(db.setTrashed(gone, true).ok());
        {
            const auto lock = wire::takeRunLock(first); // an engine holds it
            QCOMPARE(db.deleteTrashed(gone).error().code, std::string("engine.busy"));
            QCOMPARE(db.setTrashed(gone, true).error().code, std::string("engine.busy"));
        }
        QVERIFY(db.deleteTrashed(gone).ok());
        QVERIFY(!std::filesystem::exists(first.dir) && std::filesystem::exists(second.events()));
        QCOMPARE(db.run(gone).error().code, std::string("file.not_found"));
        QVERIFY(db.sync().ok());
        QCOMPARE(db.runs()->size(), size_t{1});
        QCOMPARE(db.runs()->front().identity.uid, kept);
        QVERIFY(db.check()->empty());
        for (const auto& entry : std::filesystem::directory_iterator(wire::runsDir(dir.path()))) QCOMPARE(entry.path(), second.dir);
    }

    void recordsEqualTheSingleQueries() {
        const TempDir dir;
        writeSampleRun(dir.path(), 7);
        writeSampleRun(dir.path(), 3);
        auto db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        QVERIFY(db.setTrashed(db.runs()->back().identity.uid, true).ok());
        const auto all = db.records();
        QCOMPARE(all->size(), size_t{2});
        QVERIFY(all->at(0).info.trashedMs == 0 && all->at(1).info.trashedMs > 0);
        for (const auto& record : *all) {
            const std::string uid = record.info.identity.uid;
            const auto metrics = *db.metrics(uid);
            QCOMPARE(record.metrics.size(), metrics.size());
            for (size_t i = 0; i < metrics.size(); ++i) {
                QCOMPARE(record.metrics[i].name, metrics[i].name);
                QCOMPARE(record.metrics[i].step, metrics[i].step);
                QCOMPARE(record.metrics[i].value, metrics[i].value);
                QCOMPARE(record.metrics[i].min, metrics[i].min);
                QCOMPARE(record.metrics[i].maxStep, metrics[i].maxStep);
            }
            const auto results = *db.results(uid);
            QCOMPARE(record.results.size(), size_t{1});
            QCOMPARE(record.results[0].result.uid, results[0].result.uid);
            QCOMPARE(record.results[0].result.settingsHash, results[0].result.settingsHash);
            QCOMPARE(record.results[0].result.metrics.size(), size_t{2});
            QVERIFY(record.results[0].result.metrics[0].stderror && !record.results[0].result.metrics[1].stderror);
            QCOMPARE(record.results[0].items, results[0].items);
            const auto artifacts = *db.artifacts(uid);
            QCOMPARE(record.artifacts.size(), artifacts.size());
            for (size_t i = 0; i < artifacts.size(); ++i) {
                QCOMPARE(record.artifacts[i].path, artifacts[i].path);
                QCOMPARE(record.artifacts[i].bytes, artifacts[i].bytes);
            }
        }
    }

    void queueOrder() {
        const TempDir dir;
        auto db = *Store::open(dir.path());
        QVERIFY(db.queueOrder()->empty());
        for (const char* uid : {"AA", "A", "B", "AA", "C"}) QVERIFY(db.enqueue(uid).ok());
        QCOMPARE(*db.queueOrder(), (std::vector<std::string>{"AA", "A", "B", "C"}));
        QVERIFY(db.dequeue("A").ok() && db.dequeue("nobody").ok());
        QCOMPARE(*db.queueOrder(), (std::vector<std::string>{"AA", "B", "C"}));
        QVERIFY(db.setFlag("queue.order", "C AA B").ok());
        auto other = *Store::open(dir.path()); // another front end, or the next start
        QCOMPARE(*other.queueOrder(), (std::vector<std::string>{"C", "AA", "B"}));
        QVERIFY(other.enqueue("D").ok() && db.dequeue("C").ok());
        QCOMPARE(*db.queueOrder(), (std::vector<std::string>{"AA", "B", "D"}));
        for (const char* uid : {"D", "AA", "B"}) QVERIFY(db.dequeue(uid).ok());
        QVERIFY(other.queueOrder()->empty());
    }
};

QTEST_GUILESS_MAIN(TrashTest)
#include "tst_trash.moc"
