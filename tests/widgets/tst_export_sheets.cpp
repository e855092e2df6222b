// SPDX-License-Identifier: GPL-3.0-or-later
// What: exports so far in the dialog: sheets verified and not, damage named by layer, folders that are gone, evaluating and opening one.
#include "drive/single_run.h"
#include "export_desk.h"

#include <QAbstractItemModelTester>
#include <QLabel>
#include <QSignalSpy>

using namespace qw;
using namespace qw::ui;
using test::kSoon;
using test::qt;
namespace fs = std::filesystem;

namespace {

const char* const kLayer = "model.layers.1.mlp.up_proj";

QString allText(const QTreeWidget& tree) {
    QStringList lines;
    for (QTreeWidgetItemIterator at(const_cast<QTreeWidget*>(&tree)); *at; ++at)
        lines << (*at)->text(0) + QLatin1Char('|') + (*at)->text(1);
    return lines.join(QLatin1Char('\n'));
}

} // namespace

class ExportSheetsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aVerifiedExportShowsVerified() {
        test::ExportDesk desk;
        desk.show();
        const fs::path out = desk.dir.path() / "out";
        desk.choose("compressed-tensors");
        desk.exportTo(out);
        const QStringList asked = desk.engine.asked.last().arguments;
        QCOMPARE(asked.mid(0, 6), (QStringList{QStringLiteral("export"), QString::fromStdString(desk.run), QStringLiteral("--format"),
                                               QStringLiteral("compressed-tensors"), QStringLiteral("--out"), qt(out)}));
        QVERIFY(!asked.contains(QStringLiteral("--overwrite")) && !asked.contains(QStringLiteral("--lossy")));
        QVERIFY(desk.sheet()->isVisible());
        QCOMPARE(desk.sheet()->property("verified").toBool(), true);
        const QString words = allText(*desk.sheet());
        for (const char* part : {"✓ verified", "weights read back bit for bit|✓", "Loads in|", "exact: "})
            QVERIFY2(words.contains(QString::fromUtf8(part)), qPrintable(words));
        const auto* list = desk.find<QTreeView>("exportList")->model();
        QCOMPARE(list->index(0, PastExportsModel::State).data().toString(), QStringLiteral("✓ verified"));
        QCOMPARE(list->index(0, PastExportsModel::Folder).data().toString(), qt(out));
        const QAbstractItemModelTester tester(const_cast<QAbstractItemModel*>(list), QAbstractItemModelTester::FailureReportingMode::Fatal);
    }

    void aCorruptedByteShowsUnverifiedWithTheLayer() {
        test::ExportDesk desk;
        desk.show();
        const fs::path out = desk.dir.path() / "out";
        desk.choose("compressed-tensors");
        desk.exportTo(out);
        auto* again = desk.find<QPushButton>("checkExportButton");
        QTest::mouseClick(again, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(again->isEnabled(), kSoon);
        QCOMPARE(desk.sheet()->property("verified").toBool(), true); // untouched, so still
        QVERIFY(allText(*desk.sheet()).contains(QStringLiteral("now: weights against their source|✓")));

        test::flipBit(out, std::string(kLayer) + ".weight_packed");
        QTest::mouseClick(again, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!desk.sheet()->property("verified").toBool(), kSoon);
        const QString words = allText(*desk.sheet());
        QVERIFY2(words.contains(QStringLiteral("✗ UNVERIFIED")), qPrintable(words));
        QVERIFY2(words.contains(QLatin1String(kLayer)), qPrintable(words));
        QCOMPARE(desk.find<QTreeView>("exportList")->model()->index(0, PastExportsModel::State).data().toString(),
                 QStringLiteral("✗ UNVERIFIED"));
    }

    void aSheetThatFailedIsShownAsSuch() {
        test::ExportDesk desk;
        desk.show();
        desk.setFolder(desk.dir.path() / "out");
        desk.start();
        desk.engine.answer(
            QStringLiteral("command"),
            QByteArray(R"({"format":"hf","dir":"/x","verified":false,"checks":[)"
                       R"({"name":"weights read back bit for bit","value":"13 of 14 tensors; first in model.layers.1","ok":false}]})"));
        auto* banner = desk.banner();
        QVERIFY(banner->isVisible());
        QCOMPARE(banner->property("code").toString(), QStringLiteral("export.unverified"));
        QVERIFY(allText(*desk.sheet()).contains(QStringLiteral("✗ 13 of 14 tensors; first in model.layers.1")));
    }

    void aMissingFolderIsMarked() {
        test::ExportDesk desk;
        const fs::path out = desk.dir.path() / "out";
        QVERIFY(test::exportRun(desk.project(), desk.run, "gptq", out).ok());
        fs::remove_all(out);
        desk.show();
        auto* list = desk.find<QTreeView>("exportList");
        QTRY_COMPARE_WITH_TIMEOUT(list->model()->rowCount(), 1, kSoon);
        QCOMPARE(desk.find<QTabWidget>("exportTabs")->tabText(1), QStringLiteral("E&xports of this run (1)"));
        QVERIFY(list->model()->index(0, PastExportsModel::State).data().toString().contains(QStringLiteral("gone")));
        for (const char* name : {"openExportButton", "openExportModelButton", "checkExportButton"})
            QVERIFY(desk.find<QPushButton>(name)->property("disabledReason").toString().contains(QStringLiteral("gone")));
        QCOMPARE(desk.sheet()->property("verified").toBool(), true); // what was measured then stays
    }

    void anExportIsEvaluatedBesideItsRun() {
        test::ExportDesk desk;
        const fs::path out = desk.dir.path() / "out";
        QVERIFY(test::exportRun(desk.project(), desk.run, "compressed-tensors", out).ok());
        desk.show();
        QTRY_COMPARE_WITH_TIMEOUT(desk.find<QTreeView>("exportList")->model()->rowCount(), 1, kSoon);
        const QString run = QString::fromStdString(desk.run);
        desk.session.setCompared({run});
        desk.find<QTabWidget>("exportTabs")->setCurrentIndex(1);
        auto* button = desk.find<QPushButton>("evaluateExportButton");
        QTRY_VERIFY_WITH_TIMEOUT(button->isEnabled(), kSoon);
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(desk.engine.asked.last().arguments,
                 (QStringList{QStringLiteral("eval"), qt(out), QStringLiteral("--of"), run, QStringLiteral("--project"), qt(desk.project()),
                              QStringLiteral("--detach"), QStringLiteral("--json")}));
        QVERIFY(!button->isEnabled());
        // The tool makes the run and leaves it to a process of its own.
        auto store = *store::Store::open(desk.project());
        auto plan = drive::evaluationOf(*store.run(desk.run), {}, out);
        QVERIFY2(plan.ok(), plan.ok() ? "" : plan.error().message.c_str());
        QCOMPARE(plan->identity.name, std::string("int4 QAT · compressed-tensors"));
        const auto folder = *drive::makeRun(desk.project(), plan->identity, plan->recipe, "");
        QVERIFY(store.ingestRun(folder).ok());
        const QString uid = QString::fromStdString(plan->identity.uid);
        desk.engine.answer(QStringLiteral("command"), QByteArray("{\"run\":\"" + uid.toUtf8() + "\"}"));
        QCOMPARE(desk.session.compared(), (QStringList{run, uid}));
        QTRY_VERIFY_WITH_TIMEOUT(desk.session.project.snapshot()->run(uid), kSoon);
        QVERIFY(button->property("disabledReason").toString().contains(QStringLiteral("being evaluated")));
        QVERIFY(desk.find<QLabel>("exportSaid")->isVisible());
        auto log = *wire::EventLogWriter::open(folder.events());
        test::append(log, wire::EvalDone{test::writeItems(folder, {.name = "x", .right = 40}, 1767225600000)});
        test::append(log, wire::StateChange{records::RunState::Completed, {}, {}});
        QTRY_COMPARE_WITH_TIMEOUT(button->text(), QStringLiteral("Show in &Compare"), kSoon);
        QSignalSpy page(&desk.session, &Session::pageWanted);
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(page.count(), 1);
        QVERIFY(desk.session.compared().contains(uid) && desk.session.compared().contains(run));
    }

    void anExportOpensAsModel() {
        test::ExportDesk desk;
        const fs::path out = desk.dir.path() / "out";
        QVERIFY(test::exportRun(desk.project(), desk.run, "compressed-tensors", out).ok());
        desk.show();
        QTRY_COMPARE_WITH_TIMEOUT(desk.find<QTreeView>("exportList")->model()->rowCount(), 1, kSoon);
        QSignalSpy wanted(&desk.session, &Session::modelWanted);
        desk.find<QTabWidget>("exportTabs")->setCurrentIndex(1);
        QTest::mouseClick(desk.find<QPushButton>("openExportModelButton"), Qt::LeftButton);
        QTRY_COMPARE(wanted.count(), 1);
        QCOMPARE(wanted.first().first().toString(), qt(out));
    }
};

QTEST_MAIN(ExportSheetsTest)
#include "tst_export_sheets.moc"
