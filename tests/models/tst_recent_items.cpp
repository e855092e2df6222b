// SPDX-License-Identifier: GPL-3.0-or-later
// What: the recent list (ui.md 4.1): newest first, no duplicates, at most 15, survives a restart; missing ones are told apart.
#include "fake_engine_client.h"
#include "pages/start/recent_model.h"
#include "test_data.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>

using namespace qw;
using namespace qw::ui;

class RecentItemsTest : public QObject {
    Q_OBJECT
    test::TempDir m_dir;
    int m_file = 0;

    QString settingsFile() { return QString::fromStdString(m_dir.path().string()) + QStringLiteral("/s%1.ini").arg(++m_file); }

private Q_SLOTS:
    void newestFirstWithoutDuplicates() {
        Settings settings(settingsFile());
        RecentItems recent(settings);
        for (const char* path : {"/a", "/b", "/c", "/a", "/b/"}) recent.note(QString::fromLatin1(path), false);
        QStringList paths;
        for (const auto& item : recent.items()) paths << item.path;
        QCOMPARE(paths, (QStringList{QStringLiteral("/b"), QStringLiteral("/a"), QStringLiteral("/c")}));
    }
    void atMostFifteen() {
        Settings settings(settingsFile());
        RecentItems recent(settings);
        for (int i = 0; i < 40; ++i) recent.note(QStringLiteral("/m%1").arg(i), i % 2 == 0);
        QCOMPARE(recent.items().size(), qsizetype(15));
        QCOMPARE(recent.items().first().path, QStringLiteral("/m39"));
        QCOMPARE(recent.items().last().path, QStringLiteral("/m25"));
    }
    void survivesRestart() {
        const QString file = settingsFile();
        QVector<RecentItem> before;
        {
            Settings settings(file);
            RecentItems recent(settings);
            recent.note(QStringLiteral("/with space/ü, x"), true, 1700000000000);
            recent.note(QStringLiteral("/m"), false, 1700000000001);
            before = recent.items();
        }
        Settings settings(file);
        RecentItems again(settings);
        QCOMPARE(again.items().size(), qsizetype(2));
        QVERIFY(again.items() == before);
    }
    void brokenLinesAreLeftOut() {
        Settings settings(settingsFile());
        settings.setViewState(QStringLiteral("start/recent"),
                              QStringList{QStringLiteral("nonsense"), QStringLiteral("model x /a"), QStringLiteral("model 5 relative"),
                                          QStringLiteral("project 5 /good")});
        RecentItems recent(settings);
        QCOMPARE(recent.items().size(), qsizetype(1));
        QVERIFY(recent.items().first().isProject);
    }
    void removeAndRelocate() {
        Settings settings(settingsFile());
        RecentItems recent(settings);
        for (const char* path : {"/a", "/b", "/c"}) recent.note(QString::fromLatin1(path), false, 5);
        QSignalSpy changed(&recent, &RecentItems::changed);
        recent.relocate(QStringLiteral("/b"), QStringLiteral("/moved"));
        QCOMPARE(recent.items()[1].path, QStringLiteral("/moved"));
        recent.relocate(QStringLiteral("/moved"), QStringLiteral("/a")); // onto one that is there: one entry stays
        QCOMPARE(recent.items().size(), qsizetype(2));
        recent.remove(QStringLiteral("/nowhere"));
        QCOMPARE(changed.size(), 2);
        recent.remove(QStringLiteral("/c"));
        QCOMPARE(recent.items().size(), qsizetype(1));
    }
    void modelTellsMissingOnes() {
        Settings settings(settingsFile());
        test::FakeEngineClient engine;
        Session session(settings, engine);
        RecentModel model(session);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        test::writeText(m_dir.path() / "tiny/config.json", "{}");
        const QString here = QString::fromStdString((m_dir.path() / "tiny").string());
        session.recent.note(here, false);
        session.recent.note(QStringLiteral("/gone/project"), true);
        QTRY_VERIFY(model.isMissing(0) && !model.isMissing(1));
        QVERIFY(model.index(0, 0).data().toString().contains(QStringLiteral("missing")));
        QCOMPARE(model.index(1, 0).data().toString(), QStringLiteral("tiny"));
        QVERIFY(model.index(0, 0).data(Qt::ForegroundRole).isValid() && !model.index(1, 0).data(Qt::ForegroundRole).isValid());
        test::writeText(m_dir.path() / "moved/project.qatw", "");
        session.recent.relocate(QStringLiteral("/gone/project"), QString::fromStdString((m_dir.path() / "moved").string()));
        QTRY_VERIFY(!model.isMissing(0));
        QCOMPARE(model.rowCount(), 2);
    }
    void openingIsNoted() {
        Settings settings(settingsFile());
        test::FakeEngineClient engine;
        Session session(settings, engine);
        session.project.open(QString::fromStdString((m_dir.path() / "p").string()));
        QTRY_COMPARE(session.recent.items().size(), qsizetype(1));
        QVERIFY(session.recent.items().first().isProject);
    }
};

QTEST_MAIN(RecentItemsTest)
#include "tst_recent_items.moc"
