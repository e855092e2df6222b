// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Compare on a real store: suggestion, table, pickers, swap, items, copies, missing members, not comparable.
#include "charts/qat_chart.h"
#include "models/compare_model.h"
#include "pages/compare/compare_page.h"
#include "pages/compare/items_view.h"
#include "runs_fixture.h"
#include "study/compare_text.h"

#include <QClipboard>
#include <QComboBox>
#include <QFileDialog>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTableView>
#include <QTextEdit>

using namespace qw;
using namespace qw::ui;
using records::RowRole;

namespace {

struct Scene : test::Desk {
    std::string reference, ptq, qat;
    std::unique_ptr<ComparePage> page;

    static std::string config(const char* task) { // of a recipe with one task
        std::string text = "{\"recipe\":1,\"name\":\"r\",\"model\":{\"path\":\"/m\"},\"eval\":{\"tasks\":[{\"mode\":\"hellaswag\",";
        return text.append("\"path\":\"/t\",\"name\":\"").append(task).append("\"}]}}");
    }
    bool start(double qatLimit = 0) {
        std::filesystem::create_directories(project());
        {
            auto store = *store::Store::open(project());
            const auto study = *store.createStudy("which");
            reference =
                test::writeRun(project(), {"float trained", RowRole::FloatTrained, "", records::RunState::Completed, 1, 90}, study.uid);
            ptq = test::writeRun(project(), {"s PTQ", RowRole::Ptq, "s", records::RunState::Completed, 1, 70}, study.uid);
            qat = test::writeRun(project(), {"s QAT", RowRole::Qat, "s", records::RunState::Completed, 1, 85, qatLimit}, study.uid);
            if (!store.sync()) return false;
            const auto put = [&](RowRole role, const char* scheme, const char* method, const std::string& run) {
                return store.putStudyRow({study.uid, role, scheme, method, "B", 42, run}).ok();
            };
            if (!put(RowRole::FloatTrained, "", "", reference) || !put(RowRole::Ptq, "s", "rtn", ptq) || !put(RowRole::Qat, "s", "", qat))
                return false;
        }
        if (!open()) return false;
        page = std::make_unique<ComparePage>(session, actions);
        page->resize(1000, 700);
        page->show();
        return true;
    }
    bool compareStudy() {
        page->findChild<QPushButton*>(QStringLiteral("emptyAction"))->click();
        return QTest::qWaitFor([this] { return page->property("viewState").toString() == QStringLiteral("ready"); }, 20'000);
    }
    [[nodiscard]] const QAbstractItemModel& model() const { return *page->findChild<QTableView*>(QStringLiteral("compareTable"))->model(); }
    [[nodiscard]] QString cell(const QString& row, int column) const {
        for (int r = 0; r < model().rowCount(); ++r)
            if (model().index(r, 0).data().toString() == row) return model().index(r, column).data().toString();
        return QStringLiteral("no row");
    }
    void click(const char* name) { page->findChild<QPushButton*>(QString::fromLatin1(name))->click(); }
    void tab(int index) { page->findChild<QTabWidget*>(QStringLiteral("compareTabs"))->setCurrentIndex(index); }
};

QString q(const std::string& s) { return QString::fromStdString(s); }

} // namespace

class ComparePageTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void publishedRowsJoinTheComparison() {
        Scene scene;
        QVERIFY(scene.start());
        QVERIFY(scene.compareStudy());
        const int rows = scene.model().rowCount();
        const QString file = q((scene.dir.path() / "theirs.csv").string());
        test::writeText(scene.dir.path() / "theirs.csv", "name,task,metric,value\ntheirs,hellaswag,acc,57.86%\n");
        QAction* import = scene.actions.find(QStringLiteral("file.importResults"));
        QVERIFY(import && import->isEnabled());
        import->trigger();
        auto* dialog = scene.page->findChild<QFileDialog*>();
        QTRY_VERIFY(dialog && dialog->isVisible());
        Q_EMIT dialog->fileSelected(file);
        dialog->reject();
        QTRY_COMPARE_WITH_TIMEOUT(scene.session.compared().size(), 4, 20'000);
        QTRY_VERIFY_WITH_TIMEOUT(scene.model().rowCount() > rows, 20'000);
        QVERIFY2(scene.cell(QStringLiteral("theirs"), 1).contains(QStringLiteral("57")),
                 qPrintable(scene.cell(QStringLiteral("theirs"), 1)));
        // Nothing of theirs can be measured here.
        QVERIFY(
            !scene.page->findChild<QPushButton*>(QStringLiteral("evaluateMissingButton"))->toolTip().contains(QStringLiteral("theirs")));
        // A file that cannot be read says where and changes nothing.
        test::writeText(scene.dir.path() / "theirs.csv", "name,task,metric,value\ntheirs,hellaswag,acc,high\n");
        QSignalSpy notices(&scene.session, &Session::notice);
        import->trigger();
        dialog = nullptr;
        QTRY_VERIFY(([&] {
            for (auto* one : scene.page->findChildren<QFileDialog*>())
                if (one->isVisible()) dialog = one;
            return dialog != nullptr;
        }()));
        Q_EMIT dialog->fileSelected(file);
        dialog->reject();
        QTRY_COMPARE_WITH_TIMEOUT(notices.size(), 1, 20'000);
        QVERIFY(q(notices[0][0].value<Error>().message).contains(QStringLiteral(":2: value: 'high'")));
        QCOMPARE(scene.session.compared().size(), 4);
    }

    void initTestCase() { QLocale::setDefault(QLocale::c()); }

    void emptySuggestsTheNewestStudy() {
        Scene s;
        QVERIFY(s.start());
        QCOMPARE(s.page->property("viewState").toString(), QStringLiteral("empty"));
        QVERIFY(s.page->findChild<QPushButton*>(QStringLiteral("emptyAction"))->text().contains(QStringLiteral("which")));
        QVERIFY(s.compareStudy());
        QCOMPARE(s.session.compared(), (QStringList{q(s.reference), q(s.ptq), q(s.qat)}));
        QCOMPARE(s.cell(QStringLiteral("s PTQ degradation"), 1), QStringLiteral("−20.00 pp"));
        QCOMPARE(s.cell(QStringLiteral("s QAT degradation"), 1), QStringLiteral("−5.00 pp ✱"));
        QCOMPARE(s.cell(QStringLiteral("s QAT recovered"), 1), QStringLiteral("75.0 %"));
        QCOMPARE(s.page->findChild<QLabel*>(QStringLiteral("verdictLabel"))->text(), q(s.page->comparison()->table.verdict.sentence));
        QCOMPARE(s.page->findChild<QComboBox*>(QStringLiteral("comparePtq"))->currentData().toString(), q(s.ptq));
        QCOMPARE(s.page->findChild<QComboBox*>(QStringLiteral("compareQat"))->currentData().toString(), q(s.qat));
    }
    void emptyWithoutStudiesLeadsToTrain() {
        test::Desk desk;
        std::filesystem::create_directories(desk.project());
        QVERIFY(desk.open());
        ComparePage page(desk.session, desk.actions);
        QSignalSpy spy(&desk.session, &Session::pageWanted);
        page.findChild<QPushButton*>(QStringLiteral("emptyAction"))->click();
        QCOMPARE(spy.takeFirst()[0].value<PageId>(), PageId::Train);
    }
    void swapTurnsTheSigns() {
        Scene s;
        QVERIFY(s.start() && s.compareStudy());
        s.click("compareSwap");
        QTRY_COMPARE(s.cell(QStringLiteral("float trained degradation"), 1), QStringLiteral("+5.00 pp"));
        QCOMPARE(s.session.baseline(), q(s.qat));
        QCOMPARE(s.cell(QStringLiteral("s QAT degradation"), 1), QStringLiteral("no row"));
        s.click("compareSwap"); // and back
        QTRY_COMPARE(s.cell(QStringLiteral("s QAT degradation"), 1), QStringLiteral("−5.00 pp ✱"));
    }
    void itemsAgreeWithTheTable() {
        Scene s;
        QVERIFY(s.start() && s.compareStudy());
        s.tab(3);
        auto& items = s.page->findChild<ItemsView*>()->model();
        const auto& cell = s.page->comparison()->table.lines[size_t(s.page->comparison()->lineOf(q(s.qat)))].cells[0];
        QCOMPARE(items.count(ItemsModel::OnlySecond), cell.onlyQat);
        QCOMPARE(items.count(ItemsModel::OnlyFirst), cell.onlyPtq);
        QCOMPARE(cell.onlyQat, int64_t(15));
        auto* flips = s.page->findChild<QPushButton*>(QStringLiteral("itemsFilter1"));
        QVERIFY2(flips->text().contains(QStringLiteral("15")), qPrintable(flips->text()));
        flips->click();
        QCOMPARE(items.rowCount(), 15);
        QTRY_VERIFY(s.page->findChild<QTextEdit*>(QStringLiteral("itemDetails"))->toPlainText().contains(QStringLiteral("-1.00")));
    }
    void copies() {
        Scene s;
        QVERIFY(s.start() && s.compareStudy());
        const auto& table = s.page->comparison()->table;
        s.click("copyMarkdownButton");
        QCOMPARE(QGuiApplication::clipboard()->text(), q(study::toMarkdown(table)));
        s.click("copyCsvButton");
        QCOMPARE(QGuiApplication::clipboard()->text(), q(study::toCsv(table)));
        s.click("copyLatexButton");
        QCOMPARE(QGuiApplication::clipboard()->text(), q(study::toLatex(table)));
    }
    void mixedLimitsAreSaid() {
        Scene s;
        QVERIFY(s.start(50) && s.compareStudy());
        auto* banner = s.page->findChild<Banner*>();
        QVERIFY(banner->isVisible());
        QCOMPARE(banner->property("code").toString(), QStringLiteral("compare.not_comparable"));
        QCOMPARE(s.cell(QStringLiteral("s QAT degradation"), 1), QStringLiteral("–"));
    }
    void everyTabShowsSomething() {
        Scene s;
        QVERIFY(s.start() && s.compareStudy());
        for (int tab = 0; tab < 7; ++tab) {
            s.tab(tab);
            QVERIFY(!s.page->grab().isNull());
        }
        auto* report = s.page->findChild<QTextEdit*>(QStringLiteral("reportPreview"));
        QTRY_VERIFY(report->toPlainText().contains(q(s.page->comparison()->table.verdict.sentence).left(40)));
        const QString file = q((s.dir.path() / "out.html").string());
        s.page->writeReport(file);
        QTRY_VERIFY(QFile::exists(file));
    }
    void anotherRunIsAdded() {
        Scene s;
        QVERIFY(s.start() && s.compareStudy());
        s.session.setCompared({q(s.reference), q(s.qat)});
        QTRY_COMPARE(s.page->comparison()->runs.size(), size_t(2));
        QTRY_COMPARE(s.cell(QStringLiteral("s PTQ"), 1), QStringLiteral("no row"));
        s.session.setCompared({q(s.qat)});
        QTRY_COMPARE(s.page->property("viewState").toString(), QStringLiteral("empty"));
    }
    void onlyWhatIsMissingIsEvaluated() {
        Scene s;
        QVERIFY(s.start());
        const std::string stopped = test::writeRun(s.project(), {"other QAT", RowRole::Qat, "o", records::RunState::Stopped, 1, 0}, "");
        const std::string other =
            test::writeRun(s.project(), {"other PTQ", RowRole::Ptq, "o", records::RunState::Completed, 1, 60}, "", Scene::config("people"));
        s.session.project.refresh();
        QTRY_VERIFY(s.session.project.snapshot()->run(q(other)) && s.session.project.snapshot()->run(q(stopped)));
        s.session.setCompared({q(s.qat), q(other), q(stopped)});
        QTRY_COMPARE(s.page->property("viewState").toString(), QStringLiteral("ready"));
        auto* evaluate = s.page->findChild<QPushButton*>(QStringLiteral("evaluateMissingButton"));
        // people is asked for by one recipe and measured nowhere; the stopped run lacks everything.
        QTRY_COMPARE(evaluate->text(), QStringLiteral("Evaluate missing (3)"));
        QVERIFY2(evaluate->toolTip().contains(QStringLiteral("s QAT: people")), qPrintable(evaluate->toolTip()));
        evaluate->click();
        QStringList asked;
        for (const auto& one : s.engine.asked) asked << one.arguments.mid(0, 4).join(QLatin1Char(' '));
        asked.sort();
        QStringList wanted{QStringLiteral("measure %1 --like %2").arg(q(s.qat), q(other)),
                           QStringLiteral("measure %1 --like %2").arg(q(other), q(other)),
                           QStringLiteral("resume %1 --wait --project").arg(q(stopped))};
        wanted.sort();
        QCOMPARE(asked, wanted); // its own study is left alone
        QVERIFY(!evaluate->isEnabled());
    }
    void curvesFillThePage() {
        Scene s;
        QVERIFY(s.start() && s.compareStudy());
        s.tab(5);
        auto* chart = s.page->findChild<QatChart*>();
        QVERIFY(chart && chart->isVisible());
        const int before = chart->height();
        chart->setFocus();
        QTest::keyClick(chart, Qt::Key_F11);
        QTRY_VERIFY(chart->height() > before);
        QVERIFY(!s.page->findChild<QLabel*>(QStringLiteral("verdictLabel"))->isVisible());
        QTest::keyClick(chart, Qt::Key_Escape);
        QTRY_VERIFY(s.page->findChild<QLabel*>(QStringLiteral("verdictLabel"))->isVisible());
    }
    void exportOfTheSelectedRow() {
        Scene s;
        QVERIFY(s.start() && s.compareStudy());
        QSignalSpy spy(&s.session, &Session::exportWanted);
        s.page->findChild<QTableView*>(QStringLiteral("compareTable"))->selectRow(2);
        s.click("compareExportButton");
        QCOMPARE(spy.takeFirst()[0].toString(), q(s.qat));
        QCOMPARE(s.page->findChild<QPushButton*>(QStringLiteral("evaluateMissingButton"))->property("disabledReason").toString(),
                 QStringLiteral("every compared run has all results"));
    }
};

QTEST_MAIN(ComparePageTest)
#include "tst_compare_page.moc"
