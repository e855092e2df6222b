// SPDX-License-Identifier: GPL-3.0-or-later
// What: whose turn it is: studies that hold their locks, an order that changes, a paused queue.
#include "drive/queue.h"
#include "test_data.h"
#include "wire/lock_file.h"

#include <optional>

using namespace qw;
using namespace qw::test;
using store::Store;

class QueueTest : public QObject {
    Q_OBJECT

    static QString why(const Store& db, const store::StudyInfo& study) {
        const auto reason = drive::whyWait(db, study.uid);
        return reason ? QString::fromStdString(*reason) : QStringLiteral("error");
    }

private Q_SLOTS:
    void whoIsEarlierAndDrivenGoesFirst() {
        const TempDir dir;
        auto db = *Store::open(dir.path());
        const auto first = *db.createStudy("first"), second = *db.createStudy("second"), third = *db.createStudy("third");
        for (const auto* study : {&first, &second, &third}) QVERIFY(db.enqueue(study->uid).ok());
        QCOMPARE(why(db, second), QString()); // nobody drives the first one
        std::optional<wire::LockFile> lock = *wire::LockFile::take(first.dir / "study.lock");
        QCOMPARE(why(db, first), QString());
        QCOMPARE(why(db, second), QStringLiteral("the study 'first' is earlier in the queue"));
        QVERIFY(db.setFlag("queue.order", second.uid + " " + first.uid + " " + third.uid).ok());
        QCOMPARE(why(db, second), QString());
        QCOMPARE(why(db, third), QStringLiteral("the study 'first' is earlier in the queue"));
        lock.reset(); // it ended
        QCOMPARE(why(db, third), QString());
    }
    void aPausedQueueHoldsEveryone() {
        const TempDir dir;
        auto db = *Store::open(dir.path());
        const auto study = *db.createStudy("only");
        QVERIFY(db.enqueue(study.uid).ok() && db.setFlag("queue.paused", "1").ok());
        QCOMPARE(why(db, study), QStringLiteral("the queue is paused"));
        QVERIFY(db.setFlag("queue.paused", "").ok());
        QCOMPARE(why(db, study), QString());
    }
    void anUnknownStudyInTheOrderIsNoObstacle() {
        const TempDir dir;
        auto db = *Store::open(dir.path());
        const auto study = *db.createStudy("only");
        QVERIFY(db.setFlag("queue.order", "GONE " + study.uid).ok());
        QCOMPARE(why(db, study), QString());
    }
};

QTEST_GUILESS_MAIN(QueueTest)
#include "tst_queue.moc"
