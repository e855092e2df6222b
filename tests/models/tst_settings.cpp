// SPDX-License-Identifier: GPL-3.0-or-later
// What: settings outlive the window, and windows that share their file do not undo each other's.
#include "settings/settings.h"

#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using qw::ui::Settings;

class SettingsTest : public QObject {
    Q_OBJECT
    QTemporaryDir m_dir;
    [[nodiscard]] QString file(const char* name) const { return m_dir.filePath(QString::fromLatin1(name)); }

private Q_SLOTS:
    void whatWasSetIsThereAfterwards() {
        const QString path = file("kept.ini"), key = QStringLiteral("charts/smoothing"), view = QStringLiteral("runs/header");
        const QByteArray state("\0\1header", 8);
        {
            Settings settings(path);
            QSignalSpy changed(&settings, &Settings::changed);
            settings.setValue(key, 0.25);
            settings.setValue(key, 0.25); // no change
            QCOMPARE(changed.size(), 1);
            settings.setViewState(view, state);
            QCOMPARE(settings.value(key).toDouble(), 0.25); // at once, written or not
        }
        Settings again(path);
        QCOMPARE(again.value(key).toDouble(), 0.25);
        QCOMPARE(again.viewState(view).toByteArray(), state);
        QVERIFY(again.isChanged(key));
        again.reset(key);
        QCOMPARE(again.value(key), Settings::find(key)->fallback);
        again.write();
        QTRY_COMPARE(Settings(path).value(key), Settings::find(key)->fallback);
    }
    void twoWindowsKeepEachOthers() {
        const QString path = file("shared.ini"), key = QStringLiteral("engine/threads"), other = QStringLiteral("storage/trashDays");
        {
            Settings first(path), second(path);
            first.setValue(key, 3);
            second.setValue(other, 7);
        }
        const Settings both(path);
        QCOMPARE(both.value(key).toInt(), 3);
        QCOMPARE(both.value(other).toInt(), 7);
    }
    void aDamagedValueIsItsDefault() {
        QFile ini(file("damaged.ini"));
        QVERIFY(ini.open(QIODevice::WriteOnly));
        ini.write("[appearance]\ntheme=purple\n[charts]\nsmoothing=17\nlineWidth=thick\n");
        ini.close();
        const Settings settings(ini.fileName());
        QCOMPARE(settings.value(QStringLiteral("appearance/theme")).toString(), QStringLiteral("system"));
        QCOMPARE(settings.value(QStringLiteral("charts/smoothing")).toDouble(), 0.999); // its bound
        QCOMPARE(settings.value(QStringLiteral("charts/lineWidth")), Settings::find(QStringLiteral("charts/lineWidth"))->fallback);
    }
    void writingIsNotTheCallersWork() {
        Settings settings(file("later.ini"));
        settings.setViewState(QStringLiteral("live/x"), 1);
        QVERIFY(!QFile::exists(file("later.ini"))); // not in the caller's turn
        settings.write();
        QTRY_VERIFY(QFile::exists(file("later.ini")));
    }
};

QTEST_GUILESS_MAIN(SettingsTest)
#include "tst_settings.moc"
