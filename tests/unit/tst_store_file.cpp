// SPDX-License-Identifier: GPL-3.0-or-later
// What: the store's file: newer versions, damage, other programs at work, migrations, backups, network file systems, the commands over it.
#include "store/schema.h"
#include "store_fixture.h"

#include <QProcess>
#include <random>
#include <unistd.h>

using namespace qw;
using namespace qw::test;
using store::Store;

namespace {

void sql(const std::filesystem::path& file, const char* text) {
    sqlite3* db = nullptr;
    if (sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) qFatal("open");
    if (sqlite3_exec(db, text, nullptr, nullptr, nullptr) != SQLITE_OK) qFatal("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

std::vector<std::string> names(const std::filesystem::path& dir, const std::string& prefix) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(dir))
        if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path().filename());
    return found;
}

void fill(const std::filesystem::path& project) {
    writeSampleRun(project, 1200);
    writeSampleRun(project, 300);
    Store db = *Store::open(project);
    if (!db.sync()) qFatal("sync");
}

QString text(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

struct Ran {
    int code = -1;
    QByteArray out, err;
};
// nobodysTool: a copy of the program that an unprivileged user is to run.
Ran qatw(const QStringList& arguments, const std::filesystem::path& nobodysTool = {}) {
    QProcess process;
    if (!nobodysTool.empty())
        process.setChildProcessModifier([] {
            if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(99); // root may write anywhere
        });
    process.start(nobodysTool.empty() ? QStringLiteral(QW_BIN_DIR "/qatw") : text(nobodysTool), arguments);
    if (!process.waitForFinished(60000)) return {};
    return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
}
} // namespace

class StoreFileTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void newerSchemaIsReadOnly() {
        const TempDir dir;
        fill(dir.path());
        sql(wire::storeFile(dir.path()), "PRAGMA user_version=99");
        auto db = Store::open(dir.path());
        QVERIFY(db.ok());
        QVERIFY(db->readOnly());
        QVERIFY(db->notes().front().find("version 99") != std::string::npos);
        QCOMPARE(db->runs()->size(), size_t{2});
        QCOMPARE(db->sync().error().code, std::string("file.permission"));
        const Ran runs = qatw({QStringLiteral("runs"), QStringLiteral("--project"), text(dir.path())});
        QCOMPARE(runs.code, 0);
        QVERIFY(runs.err.contains("update this program"));
    }
    void foreignDatabaseIsLeftAlone() {
        const TempDir dir;
        const auto file = wire::storeFile(dir.path());
        std::ofstream(file).close();
        sql(file, "CREATE TABLE theirs(x); PRAGMA application_id=7");
        const std::string before = *readFile(file);
        const auto db = Store::open(dir.path());
        QCOMPARE(db.error().code, std::string("file.unsafe"));
        QCOMPARE(*readFile(file), before);
    }
    void damagedFileIsPutAsideAndRebuilt_data() {
        QTest::addColumn<int>("how");
        QTest::newRow("header overwritten") << 0;
        QTest::newRow("pages overwritten, unclean end") << 1;
        QTest::newRow("cut in half, unclean end") << 2;
    }
    void damagedFileIsPutAsideAndRebuilt() {
        QFETCH(int, how);
        const TempDir dir;
        fill(dir.path());
        const std::string before = dumpStore(dir.path());
        const auto file = wire::storeFile(dir.path());
        // A front end that ended without closing: its process is gone.
        sql(file, "INSERT INTO meta VALUES('open:' || (SELECT 'x'), '1')");
        sql(file, "PRAGMA wal_checkpoint(TRUNCATE)");
        std::string bytes = *readFile(file);
        if (how == 0) bytes.replace(0, 200, std::string(200, 'z'));
        if (how == 1)
            for (size_t page = 4; page * 4096 < bytes.size(); page += 2) bytes.replace(page * 4096, 1000, std::string(1000, '\xA5'));
        if (how == 2) bytes.resize(bytes.size() / 2 / 4096 * 4096);
        std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
        {
            const auto db = Store::open(dir.path());
            QVERIFY2(db.ok(), db.ok() ? "" : db.error().message.c_str());
            QCOMPARE(db->notes().size(), size_t{1});
            QVERIFY(db->notes()[0].find("2 runs") != std::string::npos);
        }
        QCOMPARE(names(dir.path(), "store.corrupt-").size(), size_t{1});
        QCOMPARE(dumpStore(dir.path()), before);
    }
    void uncleanEndOfASoundFileCostsOnlyACheck() {
        const TempDir dir;
        fill(dir.path());
        sql(wire::storeFile(dir.path()), "INSERT INTO meta VALUES('open:x', '1')");
        {
            const auto db = Store::open(dir.path());
            QVERIFY(db.ok());
            QVERIFY(db->notes().empty());
        }
        sqlite3* raw = nullptr;
        QCOMPARE(sqlite3_open_v2(wire::storeFile(dir.path()).c_str(), &raw, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
        int left = 0;
        sqlite3_exec(
            raw, "SELECT * FROM meta WHERE key GLOB 'open:*'", [](void* n, int, char**, char**) { return ++*static_cast<int*>(n), 0; },
            &left, nullptr);
        sqlite3_close(raw);
        QCOMPARE(left, 0);
    }
    // Copies of file and log at any moment are what a power failure leaves: reading goes on from there without loss or doubles.
    void powerLossMidWrite() {
        const TempDir dir;
        const auto folder = writeSampleRun(dir.path(), 100);
        Store db = *Store::open(dir.path());
        QVERIFY(db.sync().ok());
        std::mt19937 random(3);
        for (int round = 0; round < 8; ++round) {
            appendMetrics(folder, 101 + round * 200, 300 + round * 200);
            QVERIFY(db.ingestRun(folder).ok());
            const TempDir copy;
            std::filesystem::copy(dir.path() / "runs", copy.path() / "runs", std::filesystem::copy_options::recursive);
            std::filesystem::copy_file(wire::storeFile(dir.path()), wire::storeFile(copy.path()));
            const auto wal = wire::storeFile(dir.path()).string() + "-wal";
            if (std::filesystem::exists(wal)) {
                std::string bytes = *readFile(wal);
                bytes.resize(random() % (bytes.size() + 1));
                std::ofstream(wire::storeFile(copy.path()).string() + "-wal", std::ios::binary) << bytes;
            }
            {
                auto after = Store::open(copy.path());
                QVERIFY2(after.ok(), after.ok() ? "" : after.error().message.c_str());
                // The lease of the process that "died" is this very process here, so it has to be asked to let go.
                sql(wire::storeFile(copy.path()), "UPDATE run SET ingest_owner=NULL");
                QVERIFY(after->sync().ok());
                QVERIFY(after->check()->empty());
                QCOMPARE(after->series(after->runs()->front().identity.uid, "train.loss")->step.size(),
                         static_cast<size_t>(300 + round * 200));
            }
        }
    }
    void lockedByAnotherProgram() {
        const TempDir dir;
        fill(dir.path());
        auto db = *Store::open(dir.path());
        sqlite3* other = nullptr;
        QCOMPARE(sqlite3_open_v2(wire::storeFile(dir.path()).c_str(), &other, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
        QCOMPARE(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
        QCOMPARE(db.runs()->size(), size_t{2}); // reading goes on
        const auto start = std::chrono::steady_clock::now();
        const auto refused = db.setFlag("queue.paused", "1");
        const auto waited = std::chrono::steady_clock::now() - start;
        QVERIFY(!refused.ok());
        QCOMPARE(refused.error().code, std::string("store.locked"));
        QCOMPARE(exitCode(refused.error().code), 75);
        QVERIFY(waited > std::chrono::seconds(4) && waited < std::chrono::seconds(8));
        sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr);
        sqlite3_close(other);
        QVERIFY(db.setFlag("queue.paused", "1").ok());
        QCOMPARE(*db.flag("queue.paused"), std::string("1"));
    }
    void rebuildWaitsForNobody() {
        const TempDir dir;
        fill(dir.path());
        Store open = *Store::open(dir.path());
        const auto refused = Store::rebuild(dir.path());
        QCOMPARE(refused.error().code, std::string("store.locked"));
        QVERIFY(names(dir.path(), "project.qatw.rebuild").empty());
    }
    void backupIsAWholeStore() {
        const TempDir dir, other;
        fill(dir.path());
        const std::string before = dumpStore(dir.path());
        {
            const Store db = *Store::open(dir.path());
            QVERIFY(db.backup(wire::storeFile(other.path())).ok());
            QCOMPARE(db.backup(wire::storeFile(other.path())).error().code, std::string("file.unsafe"));
        }
        QCOMPARE(dumpStore(other.path()), before);
    }
    void migrationsKeepABackup() {
        const TempDir dir;
        fill(dir.path());
        const auto file = wire::storeFile(dir.path());
        const std::string before = dumpStore(dir.path());
        std::vector<store::Migration> steps(store::migrations().begin(), store::migrations().end());
        steps.push_back({2, "ALTER TABLE run ADD COLUMN later TEXT"});
        steps.push_back({3, "CREATE TABLE another(x)"});
        {
            store::Database db;
            QVERIFY(db.open(file, false).ok());
            QVERIFY(store::migrate(db, file, steps).ok());
            QCOMPARE(db.integer("PRAGMA user_version")->value(), int64_t{3});
            steps.push_back({4, "CREATE TABLE good(x); CREATE TABLE another(x)"}); // fails half way
            QVERIFY(!store::migrate(db, file, steps).ok());
            QCOMPARE(db.integer("PRAGMA user_version")->value(), int64_t{3});
            QCOMPARE(db.integer("SELECT count(*) FROM sqlite_master WHERE name='good'")->value(), int64_t{0});
        }
        const auto backups = names(dir.path(), "store-v");
        QCOMPARE(backups.size(), size_t{3});
        const TempDir other;
        std::filesystem::copy_file(dir.path() / "store-v1.bak", wire::storeFile(other.path()));
        QCOMPARE(dumpStore(other.path()), before);
    }
    void networkFileSystemsGetNoWal() {
        const TempDir dir;
        const auto folder = writeSampleRun(dir.path());
        {
            auto db = Store::open(dir.path(), store::OpenMode::ReadWrite, true);
            QVERIFY(db.ok());
            QVERIFY(db->notes().front().find("network file system") != std::string::npos);
            QVERIFY(db->sync().ok());
            QVERIFY(!std::filesystem::exists(wire::storeFile(dir.path()).string() + "-wal"));
            QCOMPARE(db->runs()->front().state, records::RunState::Completed);
        }
        Store local = *Store::open(dir.path()); // moved to a local disk
        QCOMPARE(local.runs()->size(), size_t{1});
    }
    void readOnlyOpenChangesNothing() {
        const TempDir dir;
        fill(dir.path());
        const std::string before = *readFile(wire::storeFile(dir.path()));
        {
            const auto db = Store::open(dir.path(), store::OpenMode::ReadOnly);
            QVERIFY(db.ok());
            QCOMPARE(db->runs()->size(), size_t{2});
            QCOMPARE(db->series(db->runs()->front().identity.uid, "train.loss")->step.size(), size_t{1200});
        }
        QCOMPARE(*readFile(wire::storeFile(dir.path())), before);
        const TempDir empty;
        QCOMPARE(Store::open(empty.path(), store::OpenMode::ReadOnly).error().code, std::string("file.not_found"));
        QCOMPARE(Store::open("/proc/nothing").error().code.substr(0, 5), std::string("file."));
    }
    void readOnlyProjectIsStillShown() {
        const TempDir dir;
        fill(dir.path());
        // The checkout itself may lie where nobody else can look.
        const TempDir place;
        const auto tool = place.path() / "qatw";
        std::filesystem::copy_file(QW_BIN_DIR "/qatw", tool);
        std::filesystem::permissions(place.path(), std::filesystem::perms(0755));
        std::filesystem::permissions(dir.path(), std::filesystem::perms(0555));
        std::filesystem::permissions(wire::storeFile(dir.path()), std::filesystem::perms(0444));
        const Ran runs = qatw({QStringLiteral("runs"), QStringLiteral("--json"), QStringLiteral("--project"), text(dir.path())}, tool);
        const Ran rebuild = qatw({QStringLiteral("store"), QStringLiteral("rebuild"), QStringLiteral("--project"), text(dir.path())}, tool);
        std::filesystem::permissions(dir.path(), std::filesystem::perms(0700));
        QCOMPARE(runs.code, 0);
        QCOMPARE(QJsonDocument::fromJson(runs.out).object()[QLatin1String("runs")].toArray().size(), 2);
        QVERIFY(runs.err.contains("last written"));
        QCOMPARE(rebuild.code, 4);
        QVERIFY(rebuild.err.contains("file.permission"));
    }
    void commands() {
        const TempDir dir;
        const auto folder = writeSampleRun(dir.path());
        const QString project = text(dir.path());
        const Ran runs = qatw({QStringLiteral("runs"), QStringLiteral("--json"), QStringLiteral("--project"), project});
        QCOMPARE(runs.code, 0);
        const QJsonObject first = QJsonDocument::fromJson(runs.out).object()[QLatin1String("runs")].toArray()[0].toObject();
        QCOMPARE(first[QLatin1String("state")].toString(), QStringLiteral("completed"));
        const QString uid = first[QLatin1String("uid")].toString();
        const Ran show = qatw({QStringLiteral("show"), uid.left(20), QStringLiteral("--json"), QStringLiteral("--project"), project});
        const QJsonObject facts = QJsonDocument::fromJson(show.out).object();
        QCOMPARE(facts[QLatin1String("layers")].toArray().size(), 2);
        QCOMPARE(facts[QLatin1String("results")]
                     .toArray()[0]
                     .toObject()[QLatin1String("metrics")]
                     .toObject()[QLatin1String("acc_stderr")]
                     .toDouble(),
                 0.25);
        QCOMPARE(facts[QLatin1String("warnings")].toArray().size(), 1);
        const Ran words = qatw({QStringLiteral("show"), QStringLiteral("sample run"), QStringLiteral("--project"), project});
        QVERIFY(words.out.contains("1 quantized, 1 skipped"));
        QVERIFY(words.out.contains("does not divide"));
        QVERIFY(words.out.contains("statistics cost too much"));
        const Ran csv = qatw(
            {QStringLiteral("series"), uid, QStringLiteral("train.loss"), QStringLiteral("--csv"), QStringLiteral("--project"), project});
        QCOMPARE(csv.out.count('\n'), 701);
        const Ran layer = qatw({QStringLiteral("series"), uid, QStringLiteral("layers.0.q:w_sqnr"), QStringLiteral("--json"),
                                QStringLiteral("--project"), project});
        QVERIFY(layer.out.contains("30.25"));
        QCOMPARE(qatw({QStringLiteral("series"), uid, QStringLiteral("no.such"), QStringLiteral("--project"), project}).code, 4);
        QVERIFY(qatw({QStringLiteral("series"), uid, QStringLiteral("--project"), project}).out.contains("train.lr"));
        for (const char* action : {"check", "rebuild", "backup"})
            QCOMPARE(
                qatw({QStringLiteral("store"), QLatin1String(action), QStringLiteral("--json"), QStringLiteral("--project"), project}).code,
                0);
        QCOMPARE(qatw({QStringLiteral("store"), QStringLiteral("polish"), QStringLiteral("--project"), project}).code, 2);
        QCOMPARE(qatw({QStringLiteral("show"), QStringLiteral("nobody"), QStringLiteral("--project"), project}).code, 4);
        QCOMPARE(qatw({QStringLiteral("runs"), QStringLiteral("--project"), QStringLiteral("/no/such")}).code, 4);
        std::filesystem::remove_all(folder.dir);
        const Ran check = qatw({QStringLiteral("store"), QStringLiteral("check"), QStringLiteral("--project"), project});
        QCOMPARE(check.code, 4);
        QVERIFY(check.out.contains("is gone"));
    }
};

QTEST_GUILESS_MAIN(StoreFileTest)
#include "tst_store_file.moc"
