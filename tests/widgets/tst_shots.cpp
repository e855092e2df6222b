// SPDX-License-Identifier: GPL-3.0-or-later
// What: the installed program itself: `--shots` writes a picture of every page in both themes and exits; a bad folder is an error;
// `--about` prints versions and licences.
#include "runs_fixture.h"

#include <QDir>
#include <QImage>
#include <QProcess>
#include <QTest>
#include <set>

namespace {

// Exit code of the window program; -1: it did not end.
int run(const QStringList& arguments, QByteArray* output = nullptr) {
    QProcess window;
    window.start(QStringLiteral(QW_BIN_DIR "/qat-workbench"), arguments);
    if (!window.waitForFinished(120'000)) return -1;
    if (output) *output = window.readAllStandardOutput();
    return window.exitCode();
}

} // namespace

class ShotsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyPageInBothThemes() {
        const qw::test::TempDir dir;
        const auto file = [&](const char* name) { return QString::fromStdString((dir.path() / name).string()); };
        for (int i = 0; i < 4; ++i) qw::test::writeRun(dir.path() / "p", {"run " + std::to_string(i)});
        QCOMPARE(run({QStringLiteral("--settings"), file("s.ini"), QStringLiteral("--project"), file("p"), QStringLiteral("--shots"),
                      file("out")}),
                 0);
        const QStringList pictures = QDir(file("out")).entryList({QStringLiteral("*.png")});
        QCOMPARE(pictures.size(), 14);
        for (const QString& name : pictures) {
            const QImage picture(QDir(file("out")).filePath(name));
            QVERIFY2(picture.width() >= 1000 && picture.height() >= 700, qPrintable(name));
            std::set<QRgb> colours;
            for (int y = 0; y < picture.height(); y += 7)
                for (int x = 0; x < picture.width(); x += 7) colours.insert(picture.pixel(x, y));
            QVERIFY2(colours.size() > 20, qPrintable(name + QStringLiteral(" is blank")));
            const bool dark = picture.pixelColor(picture.width() - 3, 3).lightness() < 128;
            QCOMPARE(dark, name.contains(QStringLiteral("dark")));
        }
    }

    void aboutNamesVersionsAndLicences() {
        const qw::test::TempDir dir;
        const auto file = [&](const char* name) { return QString::fromStdString((dir.path() / name).string()); };
        qw::test::writeRun(dir.path() / "p", {"run"});
        QByteArray said;
        QCOMPARE(
            run({QStringLiteral("--settings"), file("s.ini"), QStringLiteral("--project"), file("p"), QStringLiteral("--about")}, &said),
            0);
        for (const char* word :
             {"QAT Workbench ", "Qt " QT_VERSION_STR, "QCustomPlot 2", "Engine: ", "General Public License", "BSD 3-clause", "NVIDIA"})
            QVERIFY2(said.contains(word), said.constData());
    }

    void aFolderThatCannotBeMadeIsAnError() {
        const qw::test::TempDir dir;
        const auto file = [&](const char* name) { return QString::fromStdString((dir.path() / name).string()); };
        QVERIFY(QFile(file("file")).open(QIODevice::WriteOnly));
        QCOMPARE(run({QStringLiteral("--settings"), file("s.ini"), QStringLiteral("--project"), file("p"), QStringLiteral("--shots"),
                      file("file/out")}),
                 7);
    }
};

QTEST_GUILESS_MAIN(ShotsTest)
#include "tst_shots.moc"
