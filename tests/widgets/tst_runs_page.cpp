// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Runs on a real store: states, selection over changes, edits, Trash with undo, comparison keys, filter, view state.
#include "pages/runs/run_details.h"
#include "pages/runs/runs_page.h"
#include "pages/runs/trash_dialog.h"
#include "runs_fixture.h"
#include "widgets/filter_edit.h"
#include "widgets/undo_bar.h"
#include "wire/run_marks.h"

#include <QClipboard>
#include <QDateTime>
#include <QDialog>
#include <QHeaderView>
#include <QPushButton>
#include <QSpinBox>
#include <QTableView>
#include <QTreeWidget>

using namespace qw;
using namespace qw::ui;
using records::RowRole;
using records::RunState;

namespace {

struct Scene : test::Desk {
    std::vector<std::string> uids;
    std::unique_ptr<RunsPage> page;

    explicit Scene(int runs = 5) {
        for (int i = 0; i < runs; ++i)
            uids.push_back(test::writeRun(project(), {"run " + std::to_string(i),
                                                      RowRole::Qat,
                                                      "s",
                                                      i == 3 ? RunState::Failed : RunState::Completed,
                                                      1.0 + i,
                                                      80,
                                                      0,
                                                      {"t" + std::to_string(i)}}));
    }
    bool start() {
        if (!open()) return false;
        show();
        return QTest::qWaitFor([this] { return page->model().rowCount() == int(uids.size()); }, 10'000);
    }
    void show() {
        page = std::make_unique<RunsPage>(session, actions);
        page->resize(1000, 700);
        page->show();
    }
    [[nodiscard]] QTableView& table() const { return *page->findChild<QTableView*>(QStringLiteral("runsTable")); }
    [[nodiscard]] QString uid(int i) const { return QString::fromStdString(uids[size_t(i)]); }
    [[nodiscard]] QStringList order() const {
        QStringList names;
        for (int i = 0; i < page->model().rowCount(); ++i) names << page->model().run(i).name;
        return names;
    }
    void trigger(const char* id) { actions.find(QString::fromLatin1(id))->trigger(); }
    [[nodiscard]] QString reason(const char* id) { return actions.find(QString::fromLatin1(id))->property("disabledReason").toString(); }
};

} // namespace

class RunsPageTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void emptyWithoutRuns() {
        test::Desk desk;
        std::filesystem::create_directories(desk.project());
        QVERIFY(desk.open());
        RunsPage page(desk.session, desk.actions);
        QCOMPARE(page.property("viewState").toString(), QStringLiteral("empty"));
        QSignalSpy spy(&desk.session, &Session::pageWanted);
        page.findChild<QPushButton*>(QStringLiteral("emptyAction"))->click();
        QCOMPARE(spy.takeFirst()[0].value<PageId>(), PageId::Train);
    }
    void readyWithRuns() {
        Scene s;
        QVERIFY(s.start());
        QTRY_COMPARE(s.page->property("viewState").toString(), QStringLiteral("ready"));
        QCOMPARE(s.order().first(), QStringLiteral("run 4")); // newest first
        QCOMPARE(s.page->badge(), QStringLiteral("5"));
        QCOMPARE(s.reason("run.trash"), QStringLiteral("no run is selected"));
    }

    // ui.md 4.7: delete + undo restores row, tags, place and selection.
    void deleteAndUndo() {
        Scene s;
        QVERIFY(s.start());
        const QStringList before = s.order();
        const QStringList chosen{s.uid(3), s.uid(1)};
        s.page->selectRuns(chosen);
        QCOMPARE(s.page->selectedRuns(), chosen);
        s.trigger("run.trash");
        QTRY_COMPARE(s.page->model().rowCount(), 3);
        QVERIFY(s.page->findChild<UndoBar*>()->isVisible());
        QVERIFY(std::filesystem::exists(s.run(s.uids[1])->dir));     // files stay
        QTRY_COMPARE(s.page->selectedRuns(), QStringList{s.uid(0)}); // the next one
        QCOMPARE(s.page->findChild<QPushButton*>(QStringLiteral("trashButton"))->text(), QStringLiteral("Trash (2)"));
        s.page->findChild<QPushButton*>(QStringLiteral("undoButton"))->click();
        QTRY_COMPARE(s.order(), before);
        QTRY_COMPARE(s.page->selectedRuns(), chosen);
        QCOMPARE(s.page->model().run(s.page->model().rowOf(s.uid(1))).tagList, QStringList{QStringLiteral("t1")});
        QVERIFY(!s.page->findChild<UndoBar*>()->isVisible());
        s.session.undo.redo(); // the same from the menu
        QTRY_COMPARE(s.page->model().rowCount(), 3);
        s.session.undo.undo();
        QTRY_COMPARE(s.order(), before);
    }
    void undoOfAnOlderDeletionAfterAnotherEdit() {
        Scene s;
        QVERIFY(s.start());
        s.page->selectRuns({s.uid(1)});
        s.trigger("run.trash");
        QTRY_COMPARE(s.page->model().rowCount(), 4);
        QVERIFY(s.page->model().setData(s.page->model().index(s.page->model().rowOf(s.uid(2)), RunsModel::Name), QStringLiteral("renamed"),
                                        Qt::EditRole));
        QTRY_VERIFY(s.order().contains(QStringLiteral("renamed")));
        s.page->findChild<QPushButton*>(QStringLiteral("undoButton"))->click();
        QTRY_COMPARE(s.page->model().rowCount(), 5);
        QVERIFY(s.order().contains(QStringLiteral("renamed"))); // the newer edit stands
    }
    void theUndoBarGoesByItself() {
        UndoBar bar;
        QCOMPARE(UndoBar::kShownMs, 10'000);
        bar.setShownMs(30);
        bool undone = false;
        bar.offer(QStringLiteral("gone"), [&] { undone = true; });
        QVERIFY(bar.isVisible());
        QTRY_VERIFY(!bar.isVisible());
        QVERIFY(!undone);
    }
    void trashViewRestoreAndEmpty() {
        Scene s;
        QVERIFY(s.start());
        s.page->selectRuns({s.uid(0), s.uid(2)});
        s.trigger("run.trash");
        QTRY_COMPARE(s.page->model().rowCount(), 3);
        s.page->findChild<QPushButton*>(QStringLiteral("trashButton"))->click();
        QCOMPARE(s.page->model().rowCount(), 2);
        s.page->selectRuns({s.uid(0)});
        QVERIFY(!s.reason("run.trash").isEmpty());
        s.page->findChild<QPushButton*>(QStringLiteral("restoreButton"))->click();
        QTRY_COMPARE(s.page->model().rowCount(), 1);
        const auto gone = s.run(s.uids[2])->dir;
        s.page->findChild<QPushButton*>(QStringLiteral("emptyTrashButton"))->click();
        auto* dialog = s.page->findChild<TrashDialog*>();
        QVERIFY(dialog);
        auto* list = dialog->findChild<QTreeWidget*>(QStringLiteral("trashList"));
        QTRY_COMPARE(list->topLevelItemCount(), 1);
        QCOMPARE(list->topLevelItem(0)->text(2), QString::fromStdString(gone.string()));
        QVERIFY(dialog->property("bytes").toLongLong() > 0);
        QVERIFY(!list->topLevelItem(0)->text(1).isEmpty());
        for (auto* button : dialog->findChildren<QPushButton*>())
            QCOMPARE(button->isDefault(), button->text().contains(QStringLiteral("Cancel")));
        dialog->findChild<QPushButton*>(QStringLiteral("deleteForGoodButton"))->click();
        QTRY_VERIFY(!s.session.project.snapshot()->run(s.uid(2)));
        QVERIFY(!std::filesystem::exists(gone));
        QTRY_COMPARE(s.page->model().rowCount(), 0);
        s.page->findChild<QPushButton*>(QStringLiteral("trashButton"))->click();
        QCOMPARE(s.page->model().rowCount(), 4);
    }

    void editsReachTheStoreAndUndo() {
        Scene s;
        QVERIFY(s.start());
        auto& model = s.page->model();
        const auto at = [&](int column) { return model.index(model.rowOf(s.uid(2)), column); };
        QVERIFY(model.setData(at(RunsModel::Tags), QStringLiteral("paper, v2"), Qt::EditRole));
        QTRY_COMPARE(model.run(model.rowOf(s.uid(2))).tagList, (QStringList{QStringLiteral("paper"), QStringLiteral("v2")}));
        QVERIFY(model.setData(at(RunsModel::Notes), QStringLiteral("good"), Qt::EditRole));
        QTRY_COMPARE(model.run(model.rowOf(s.uid(2))).notes, QStringLiteral("good"));
        QCOMPARE(wire::readIdentity({s.run(s.uids[2])->dir})->tags, (std::vector<std::string>{"paper", "v2"}));
        s.session.undo.undo();
        s.session.undo.undo();
        QTRY_COMPARE(model.run(model.rowOf(s.uid(2))).tagList, QStringList{QStringLiteral("t2")});
        QCOMPARE(model.run(model.rowOf(s.uid(2))).notes, QString());
        s.page->selectRuns({s.uid(2)});
        s.trigger("run.rename");
        QCOMPARE(s.table().currentIndex().column(), int(RunsModel::Name));
        auto* editor = s.table().viewport()->findChild<QLineEdit*>();
        QVERIFY(editor);
        editor->setText(QStringLiteral("my run"));
        QTest::keyClick(editor, Qt::Key_Return);
        QTRY_VERIFY(s.order().contains(QStringLiteral("my run")));
    }
    void keysOfTheTable() {
        Scene s;
        QVERIFY(s.start());
        s.page->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(s.page.get()));
        s.page->selectRuns({s.uid(1), s.uid(2)});
        s.table().setFocus();
        QTest::keyClick(&s.table(), Qt::Key_Space);
        QStringList compared = s.session.compared(), both{s.uid(1), s.uid(2)};
        compared.sort();
        both.sort();
        QCOMPARE(compared, both);
        QTest::keyClick(&s.table(), Qt::Key_B);
        QCOMPARE(s.session.baseline(), s.uid(1)); // the current one
        QTest::keyClick(&s.table(), Qt::Key_Space);
        QVERIFY(s.session.compared().isEmpty());
        QTest::keyClick(&s.table(), Qt::Key_C, Qt::ControlModifier); // visible columns, a line a run
        const QStringList lines = QGuiApplication::clipboard()->text().split(QLatin1Char('\n'), Qt::SkipEmptyParts);
        QCOMPARE(lines.size(), 3);
        QCOMPARE(lines[0].split(QLatin1Char('\t')).indexOf(QStringLiteral("Name")),
                 lines[1].split(QLatin1Char('\t')).indexOf(QStringLiteral("run 2")));
        s.page->selectRuns({s.uid(4)});
        QTest::keyClick(&s.table(), Qt::Key_Delete);
        QTRY_COMPARE(s.page->model().rowCount(), 4);
    }
    void aWrongChipIsUnderlined() {
        Scene s;
        QVERIFY(s.start());
        auto* edit = s.page->findChild<FilterEdit*>(QStringLiteral("runsFilter"));
        edit->setText(QStringLiteral("state:done"));
        QCOMPARE(s.page->model().rowCount(), 4);
        QCOMPARE(edit->property("wrongTerms").toInt(), 0);
        edit->setText(QStringLiteral("state:done bits<abc"));
        QCOMPARE(s.page->model().rowCount(), 4);
        QCOMPARE(edit->property("wrongTerms").toInt(), 1);
        QVERIFY(edit->toolTip().contains(QStringLiteral("no number")));
        QCOMPARE(int(edit->marks()[1].start), 11);
        QCOMPARE(edit->text(), QStringLiteral("state:done bits<abc")); // marks change no text
        QTest::keyClick(edit, Qt::Key_Escape);
        QCOMPARE(s.page->model().rowCount(), 5);
    }
    void selectionSurvivesFilterAndSort() {
        Scene s;
        QVERIFY(s.start());
        s.page->selectRuns({s.uid(1)});
        auto* edit = s.page->findChild<FilterEdit*>();
        edit->setText(QStringLiteral("tag:t1"));
        QCOMPARE(s.page->selectedRuns(), QStringList{s.uid(1)});
        edit->clear();
        s.page->model().sortBy(RunsModel::Loss, false);
        QCOMPARE(s.page->selectedRuns(), QStringList{s.uid(1)});
    }
    void detailsOfARun() {
        Scene s;
        QVERIFY(s.start());
        s.session.setBaseline(s.uid(0));
        s.page->selectRuns({s.uid(3)});
        auto* details = s.page->findChild<RunDetails*>();
        QCOMPARE(details->run(), s.uid(3));
        auto* checkpoints = details->findChild<QTreeWidget*>(QStringLiteral("checkpointList"));
        QTRY_COMPARE(checkpoints->topLevelItemCount(), 2);
        QCOMPARE(checkpoints->topLevelItem(0)->text(1), QStringLiteral("10"));
        QVERIFY(!checkpoints->topLevelItem(0)->text(2).isEmpty());
        auto* resume = details->findChild<QPushButton*>(QStringLiteral("resumeButton"));
        QVERIFY(resume->isEnabled()); // it failed
        QTRY_COMPARE(resume->text(), QStringLiteral("Resume from step 10"));
        resume->click();
        QCOMPARE(s.engine.asked.size(), 1);
        QCOMPARE(s.engine.asked[0].arguments[0], QStringLiteral("resume"));
        QVERIFY(s.engine.asked[0].arguments.contains(s.uid(3)));
        details->findChild<QPushButton*>(QStringLiteral("copyCommandButton"))->click();
        QVERIFY(QGuiApplication::clipboard()->text().contains(QStringLiteral("qatw run '")));
        s.page->selectRuns({s.uid(1)});
        QTRY_VERIFY(resume->property("disabledReason").toString().startsWith(QStringLiteral("The run is done")));
    }
    void resumeFromAnEarlierCheckpoint() {
        Scene s;
        QVERIFY(s.start());
        s.page->selectRuns({s.uid(3)});
        s.trigger("run.resumeFrom");
        auto* list = s.page->findChild<QTreeWidget*>(QStringLiteral("checkpointList"));
        auto* resume = s.page->findChild<QPushButton*>(QStringLiteral("resumeButton"));
        QTRY_COMPARE(list->topLevelItemCount(), 2);
        QVERIFY(list->isVisible());
        list->setCurrentItem(list->topLevelItem(1));
        QCOMPARE(resume->text(), QStringLiteral("Resume from step 5…"));
        resume->click();
        auto* dialog = s.page->findChild<QDialog*>(QStringLiteral("rewindDialog"));
        QVERIFY(dialog);
        for (auto* button : dialog->findChildren<QPushButton*>())
            QCOMPARE(button->isDefault(), button->text().contains(QStringLiteral("Cancel")));
        QVERIFY(s.engine.asked.isEmpty());
        const auto checkpoints = s.run(s.uids[3])->dir / "checkpoints";
        dialog->findChild<QPushButton*>(QStringLiteral("rewindButton"))->click();
        QTRY_COMPARE(s.engine.asked.size(), 1); // the newer one is gone before the engine starts
        QVERIFY(!std::filesystem::exists(checkpoints / wire::checkpointName(10)) && std::filesystem::exists(checkpoints / wire::checkpointName(5)));
        QCOMPARE(s.engine.asked[0].arguments.mid(0, 2), (QStringList{QStringLiteral("resume"), s.uid(3)}));
    }
    void extendMakesAnotherRun() {
        Scene s;
        QVERIFY(s.start());
        QSignalSpy pages(&s.session, &Session::pageWanted);
        s.page->selectRuns({s.uid(1)});
        auto* extend = s.page->findChild<QPushButton*>(QStringLiteral("extendButton"));
        QTRY_VERIFY(extend->isEnabled());
        s.page->findChild<QSpinBox*>(QStringLiteral("extendSteps"))->setValue(30);
        extend->click();
        QTRY_COMPARE(s.engine.asked.size(), 1);
        const QString made = s.engine.asked[0].arguments[1];
        QVERIFY(made != s.uid(1));
        QCOMPARE(s.session.liveRun(), made);
        QVERIFY(!pages.isEmpty() && pages.last()[0].value<PageId>() == PageId::Live);
        QTRY_VERIFY(s.page->model().rowOf(made) >= 0);
        QCOMPARE(s.page->model().run(s.page->model().rowOf(made)).name, QStringLiteral("run 1 +30"));
        s.page->selectRuns({s.uid(3)}); // failed: Resume is its way
        QTRY_VERIFY(!extend->isEnabled());
        QVERIFY(!extend->property("disabledReason").toString().isEmpty());
    }
    void oldTrashIsOffered() {
        Scene s;
        const auto thrown = [&](int i, int days) {
            for (const auto& folder : wire::listRunFolders(s.project())) {
                if (wire::readIdentity(folder)->uid != s.uids[size_t(i)]) continue;
                wire::RunMarks marks;
                marks.trashedMs = QDateTime::currentMSecsSinceEpoch() - qint64(days) * 24 * 3600 * 1000;
                QVERIFY(wire::writeMarks(folder, marks).ok());
            }
        };
        thrown(0, 31);
        thrown(1, 29);
        QVERIFY(s.open());
        s.show();
        auto* banner = s.page->findChild<Banner*>();
        QTRY_VERIFY(banner->isVisible());
        QCOMPARE(banner->property("code").toString(), QStringLiteral("trash.old"));
        QVERIFY2(banner->accessibleName().contains(QStringLiteral("1 run")), qPrintable(banner->accessibleName()));
        QPushButton* remove = nullptr;
        for (auto* button : banner->findChildren<QPushButton*>())
            if (button->text().startsWith(QStringLiteral("Delete"))) remove = button;
        QVERIFY(remove);
        remove->click();
        auto* dialog = s.page->findChild<TrashDialog*>();
        QVERIFY(dialog && !banner->isVisible());
        QTRY_COMPARE(dialog->findChild<QTreeWidget*>(QStringLiteral("trashList"))->topLevelItemCount(), 1); // the old one alone
        dialog->findChild<QPushButton*>(QStringLiteral("deleteForGoodButton"))->click();
        QTRY_VERIFY(!s.session.project.snapshot()->run(s.uid(0)));
        QVERIFY(s.session.project.snapshot()->run(s.uid(1)));
    }
    void duplicateBeginsADraft() {
        Scene s(0);
        s.uids.push_back(test::writeRun(
            s.project(), {"int4 QAT", RowRole::Qat, "int4"}, "STUDY",
            "{\"recipe\":1,\"name\":\"x\",\"model\":{\"path\":\"/m\"},\"qat\":{\"preset\":\"8da4w\"},\"optim\":{\"lr\":0.002}}"));
        QVERIFY(s.start());
        s.page->selectRuns({s.uid(0)});
        s.trigger("run.duplicate");
        const auto& recipe = s.session.draft.recipe();
        QCOMPARE(recipe.optim.lr, 0.002);
        QCOMPARE(recipe.name, std::string("x copy"));
        QCOMPARE(recipe.schemes.size(), size_t(1));
        QCOMPARE(recipe.schemes[0].name, std::string("int4"));
        QVERIFY(!recipe.qat);
    }
    void columnsSortAndWidthsComeBack() {
        Scene s;
        QVERIFY(s.start());
        s.table().setColumnHidden(RunsModel::Time, true);
        s.table().setColumnHidden(RunsModel::Notes, false);
        s.table().setColumnWidth(RunsModel::Name, 333);
        s.page->model().sortBy(RunsModel::Loss, false);
        s.page->saveViewState();
        s.page.reset();
        ActionRegistry fresh(s.settings);
        RunsPage again(s.session, fresh);
        auto* table = again.findChild<QTableView*>(QStringLiteral("runsTable"));
        QVERIFY(!table->isColumnHidden(RunsModel::Notes));
        QCOMPARE(table->columnWidth(RunsModel::Name), 333);
        QCOMPARE(again.model().sortKeys(), (std::vector<RunsModel::SortKey>{{RunsModel::Loss, Qt::AscendingOrder}}));
        QTRY_COMPARE(again.model().rowCount(), 5);
        QCOMPARE(again.model().run(0).name, QStringLiteral("run 0"));
        s.settings.setViewState(QStringLiteral("runs/header"), QByteArray("rubbish"));
        ActionRegistry third(s.settings);
        RunsPage last(s.session, third); // a corrupt blob gives the default
        QVERIFY(last.findChild<QTableView*>(QStringLiteral("runsTable"))->isColumnHidden(RunsModel::Notes));
    }
    void everyFocusableWidgetHasAName() {
        Scene s;
        QVERIFY(s.start());
        for (const QWidget* widget : s.page->findChildren<QWidget*>()) {
            if (widget->focusPolicy() == Qt::NoFocus || widget->objectName().startsWith(QStringLiteral("qt_")) || !widget->isVisible())
                continue;
            const QString text = widget->property("text").toString();
            const bool inside =
                qobject_cast<QAbstractItemView*>(widget->parentWidget()) || qobject_cast<QAbstractScrollArea*>(widget->parentWidget());
            QVERIFY2(inside || !widget->accessibleName().isEmpty() || !text.isEmpty() || widget->inherits("QTabBar") ||
                         widget->inherits("QTabWidget"),
                     qPrintable(QString::fromLatin1(widget->metaObject()->className()) + QLatin1Char(' ') + widget->objectName()));
        }
    }
};

QTEST_MAIN(RunsPageTest)
#include "tst_runs_page.moc"
