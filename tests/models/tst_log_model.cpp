// SPDX-License-Identifier: GPL-3.0-or-later
// What: the log as a table: levels, filter by text in slices, jump, limit; and the log file of a run that grows while it is read.
#include "live_fixture.h"
#include "models/log_follower.h"
#include "models/log_model.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>

using namespace qw;
using ui::LogLevel;
using ui::LogModel;
using ui::LogRow;
using ui::LogSource;

namespace {

std::vector<LogRow> rows(int from, int count) {
    std::vector<LogRow> made;
    for (int i = from; i < from + count; ++i)
        made.push_back({1767225600000 + i, i / 2, static_cast<LogLevel>(i % 4), i % 5 == 0 ? LogSource::Window : LogSource::Engine,
                        "line " + std::to_string(i)});
    return made;
}

} // namespace

class LogModelTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void levelsAndFilter() {
        LogModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        model.append(rows(0, 2'000));
        QCOMPARE(model.rowCount(), 2'000);
        QCOMPARE(model.data(model.index(1321, LogModel::Text), Qt::DisplayRole).toString(), QStringLiteral("line 1321"));
        model.setLeastLevel(LogLevel::Warning);
        QCOMPARE(model.rowCount(), 1'000);
        QSignalSpy filtered(&model, &LogModel::filtered);
        model.setOnly(QRegularExpression(QStringLiteral("77\\d$")));
        QTRY_VERIFY(!model.isFiltering());
        QVERIFY(filtered.count() > 0);
        QCOMPARE(model.rowCount(), 12); // 6 of the 10 in each thousand are loud enough
        model.append(rows(770, 10));    // what comes later is filtered too
        QCOMPARE(model.rowCount(), 18);
        model.setOnly({});
        model.setLeastLevel(LogLevel::Step);
        QCOMPARE(model.rowCount(), 2'010);
        QCOMPARE(model.rowOfStep(100), 200);
        QCOMPARE(model.rowOfStep(1'000'000), -1);
        QVERIFY(model.lineText(3).contains(QStringLiteral("\terror\tengine\t1\tline 3")));
    }

    void theOldestGoFirst() {
        LogModel model;
        model.setLimit(10'000);
        for (int i = 0; i < 8; ++i) model.append(rows(i * 5000, 5000));
        QVERIFY(model.lineCount() >= 10'000 && model.lineCount() <= 10'000 + 4096);
        QCOMPARE(model.data(model.index(model.rowCount() - 1, LogModel::Text), Qt::DisplayRole).toString(), QStringLiteral("line 39999"));
        model.clear(LogSource::Engine);
        QVERIFY(model.rowCount() > 0);
        for (int row = 0; row < model.rowCount(); ++row)
            QCOMPARE(model.data(model.index(row, LogModel::Source), Qt::DisplayRole).toString(), QStringLiteral("window"));
    }

    void aGrowingLogIsReadOnce() {
        test::TempDir dir;
        test::GrowingRun run(dir.path(), "run", 100);
        run.train(5000); // more than one chunk
        LogModel model;
        ui::LogFollower follower;
        connect(&follower, &ui::LogFollower::rows, &model, &LogModel::append);
        follower.follow(QString::fromStdString(run.folder.dir.string()));
        LogModel other; // another one who reads it has it all; this one, asked first, nothing
        ui::LogFollower reader;
        connect(&reader, &ui::LogFollower::rows, &other, &LogModel::append);
        reader.follow(QString::fromStdString(run.folder.dir.string()));
        reader.setActive(true);
        QTRY_COMPARE_WITH_TIMEOUT(other.rowCount(), 4 + 5000 + 1000, 10'000);
        QCOMPARE(model.rowCount(), 0); // nobody looks
        follower.setActive(true);
        QTRY_COMPARE_WITH_TIMEOUT(model.rowCount(), 4 + 5000 + 1000, 10'000);
        run.append(wire::Notice{false, "warning.rollback", "step 5000: bad", "try less", {}});
        run.train(3);
        QTRY_COMPARE_WITH_TIMEOUT(model.rowCount(), 4 + 5000 + 1000 + 4, 10'000);
        const int at = model.rowOfStep(2500);
        QVERIFY(model.data(model.index(at, LogModel::Text), Qt::DisplayRole).toString().startsWith(QStringLiteral("step 2500 loss")));
        model.setLeastLevel(LogLevel::Warning);
        QCOMPARE(model.rowCount(), 1);
        QCOMPARE(model.data(model.index(0, LogModel::Level), Qt::DisplayRole).toString(), QStringLiteral("warning"));
        follower.setActive(false);
        run.train(3);
        QTRY_COMPARE_WITH_TIMEOUT(other.lineCount(), qsizetype{4 + 5000 + 1000 + 8}, 10'000);
        QCOMPARE(model.lineCount(), qsizetype{4 + 5000 + 1000 + 4});
        follower.setActive(true);
        QTRY_COMPARE_WITH_TIMEOUT(model.lineCount(), qsizetype{4 + 5000 + 1000 + 8}, 10'000);
    }
};

QTEST_MAIN(LogModelTest)
#include "tst_log_model.moc"
