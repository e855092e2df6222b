// SPDX-License-Identifier: GPL-3.0-or-later
// What: run folders, run.json and the lock that dies with its process.
#include "base/clock.h"
#include "base/files.h"
#include "test_data.h"
#include "wire/json_events.h"
#include "wire/run_folder.h"

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace qw;
using namespace qw::wire;
using qw::test::TempDir;

class RunFolderTest : public QObject {
    Q_OBJECT
    // A child that takes the lock, says so, and lives until it is killed.
    static pid_t childWithLock(const std::filesystem::path& path) {
        int pipe[2];
        if (::pipe(pipe) != 0) return -1;
        const pid_t pid = ::fork();
        if (pid == 0) {
            const auto lock = LockFile::take(path);
            const char word = lock ? 'y' : 'n';
            if (::write(pipe[1], &word, 1) != 1) ::_exit(1);
            for (;;) ::pause();
        }
        char word = 0;
        const bool told = ::read(pipe[0], &word, 1) == 1;
        ::close(pipe[0]);
        ::close(pipe[1]);
        return told && word == 'y' ? pid : -1;
    }

private Q_SLOTS:
    void identityComesBack() {
        const TempDir dir;
        records::RunIdentity identity;
        identity.name = "8da4w g32 (QAT)";
        identity.kind = "qat";
        identity.role = records::RowRole::Qat;
        identity.seed = 18446744073709551615u;
        identity.tags = {"a\"b", "ü"};
        const auto folder = createRunFolder(dir.path(), identity);
        QVERIFY(folder.ok());
        QCOMPARE(folder->dir.filename().string(), identity.uid + "-8da4w-g32-qat");
        struct stat info {};
        QCOMPARE(::stat(folder->dir.c_str(), &info), 0);
        QCOMPARE(info.st_mode & 0777, mode_t{0700});
        const auto back = readIdentity(*folder);
        QCOMPARE(toJson(*back), toJson(identity));
        QVERIFY(!createRunFolder(dir.path(), identity).ok()); // never two of one id
        QCOMPARE(listRunFolders(dir.path()).size(), size_t{1});
    }
    void keysOfOthersStay() {
        const TempDir dir;
        records::RunIdentity identity;
        const auto folder = *createRunFolder(dir.path(), identity);
        std::ofstream(folder.identity()) << "{\"uid\":\"" << identity.uid << "\",\"fingerprints\":{\"data\":\"x\"},\"notes\":\"old\"}";
        identity.notes = "new";
        QVERIFY(writeIdentity(folder, identity).ok());
        const std::string text = *readFile(folder.identity());
        QVERIFY(text.find("fingerprints") != std::string::npos);
        QCOMPARE(readIdentity(folder)->notes, std::string("new"));
    }
    void brokenIdentityIsNamed() {
        const TempDir dir;
        records::RunIdentity identity;
        const auto folder = *createRunFolder(dir.path(), identity);
        for (const char* text : {"", "{", "[]", "{\"uid\":7}", "{\"name\":\"x\"}"}) {
            std::ofstream(folder.identity(), std::ios::trunc) << text;
            const auto back = readIdentity(folder);
            QVERIFY(!back.ok());
            QCOMPARE(back.error().code, std::string("file.corrupt"));
            QVERIFY(back.error().message.find("run.json") != std::string::npos);
        }
    }
    void twoHolders() {
        const TempDir dir;
        const auto path = dir.path() / "run.lock";
        QVERIFY(!isLockLive(path));
        const pid_t child = childWithLock(path);
        QVERIFY(child > 0);
        QVERIFY(isLockLive(path));
        QCOMPARE(readLockHolder(path).pid, int64_t{child});
        const auto second = LockFile::take(path);
        QVERIFY(!second.ok());
        QCOMPARE(second.error().code, std::string("engine.busy"));
        QVERIFY(second.error().message.find(std::to_string(child)) != std::string::npos);
        QVERIFY(second.error().retry);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        QVERIFY(!isLockLive(path));
        const auto third = LockFile::take(path);
        QVERIFY(third.ok());
        QCOMPARE(third->takenOver().pid, int64_t{child}); // it never let go
    }
    void lettingGo() {
        const TempDir dir;
        const auto path = dir.path() / "run.lock";
        { const auto lock = LockFile::take(path); }
        QVERIFY(!isLockLive(path));
        const auto again = LockFile::take(path);
        QVERIFY(again.ok());
        QCOMPARE(again->takenOver().pid, int64_t{0});
    }
    void staleHolders_data() {
        QTest::addColumn<QByteArray>("boot");
        QTest::addColumn<QByteArray>("host");
        QTest::addColumn<int>("ageSeconds");
        QTest::addColumn<bool>("free");
        const auto me = thisProcess();
        const QByteArray host(me.host.c_str()), boot(me.bootId.c_str());
        QTest::newRow("dead pid on this host") << boot << host << 0 << true;
        QTest::newRow("before a reboot") << QByteArray("another-boot") << host << 0 << true;
        QTest::newRow("another host, beating") << QByteArray("x") << QByteArray("elsewhere") << 2 << false;
        QTest::newRow("another host, silent for 11 s") << QByteArray("x") << QByteArray("elsewhere") << 11 << true;
    }
    void staleHolders() {
        QFETCH(QByteArray, boot);
        QFETCH(QByteArray, host);
        QFETCH(int, ageSeconds);
        QFETCH(bool, free);
        const TempDir dir;
        const auto path = dir.path() / "run.lock";
        std::ofstream(path) << "{\"pid\":999999,\"boot_id\":\"" << boot.data() << "\",\"host\":\"" << host.data() << "\",\"since_ms\":1}";
        timespec times[2]{};
        times[0].tv_sec = times[1].tv_sec = wallMs() / 1000 - ageSeconds;
        QCOMPARE(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
        QCOMPARE(isLockLive(path), !free);
        const auto lock = LockFile::take(path);
        QCOMPARE(lock.ok(), free);
        if (free) QCOMPARE(lock->takenOver().pid, int64_t{999999});
    }
    // isLive() of a front end must not make an engine believe that somebody has the run.
    void lookingDoesNotDisturbTaking() {
        const TempDir dir;
        const auto path = dir.path() / "run.lock";
        { const auto lock = LockFile::take(path); }
        std::atomic<bool> stop = false;
        std::thread looker([&] {
            while (!stop) static_cast<void>(isLockLive(path));
        });
        int taken = 0;
        for (int i = 0; i < 300; ++i) taken += LockFile::take(path).ok();
        stop = true;
        looker.join();
        QCOMPARE(taken, 300);
    }
    void readOnlyProject() {
        const TempDir dir;
        ::chmod(dir.path().c_str(), 0555);
        const pid_t child = ::fork();
        if (child == 0) {
            if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(2); // root may write anywhere
            records::RunIdentity identity;
            const auto folder = createRunFolder(dir.path(), identity);
            ::_exit(!folder && folder.error().code == "file.permission" ? 0 : 1);
        }
        int status = -1;
        ::waitpid(child, &status, 0);
        ::chmod(dir.path().c_str(), 0700);
        QCOMPARE(WEXITSTATUS(status), 0);
    }
};

QTEST_GUILESS_MAIN(RunFolderTest)
#include "tst_run_folder.moc"
