// SPDX-License-Identifier: GPL-3.0-or-later
// What: the window with the real engine on the shipped sample, by mouse and keys (ui.md 6): drop, scheme, plan, train, live, compare,
// export, close while a study trains, attach again; and that no event held the window meanwhile (ui.md 1.2).
#include "loop_watch.h"
#include "window_driver.h"

#include "charts/qat_chart.h"
#include "models/export_models.h"
#include "models/scheme_list.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialog>
#include <QLabel>
#include <QListView>
#include <QPushButton>
#include <QStandardPaths>
#include <QTableView>
#include <QTreeView>
#include <QTreeWidget>
#include <numeric>

using namespace qw;
using namespace qw::ui;
namespace fs = std::filesystem;

class WorkbenchTest : public QObject {
    Q_OBJECT

    static constexpr int kSteps = 30, kLongSteps = 160;
    static constexpr int kSoon = 30'000, kPatience = 600'000; // of a machine that others use too

    test::TempDir m_dir;
    std::unique_ptr<test::WindowDriver> m_user;
    QString m_attachedRun; // that trained when the first window closed
    qsizetype m_stepsAtClose = 0;

    static fs::path sample() { return fs::path(QW_SOURCE_DIR) / "resources/sample"; }
    // A window that is made or taken down does not hold its user: bench_ui_cold_start times the one, and it is closed in the other.
    void openWindow() {
        m_user = std::make_unique<test::WindowDriver>(m_dir.path() / "settings.ini", m_dir.path() / "project");
        static_cast<test::LoopWatch*>(qApp)->begin();
    }
    void dropWindow() {
        static_cast<test::LoopWatch*>(qApp)->rest();
        m_user.reset();
    }

    bool m_failed = false;

private Q_SLOTS:
    // Each step builds on the one before.
    void init() {
        if (m_failed) QSKIP("a step before this one failed");
    }
    void cleanup() { m_failed = m_failed || QTest::currentTestFailed(); }

    void initTestCase() {
        openWindow();
        QVERIFY(QTest::qWaitForWindowExposed(m_user->window.get()));
        QTRY_VERIFY_WITH_TIMEOUT(m_user->session.project.isOpen(), kSoon);
    }

    void dropTheModel() {
        m_user->drop(sample() / "model");
        QTRY_VERIFY_WITH_TIMEOUT(m_user->isOn("pageModel"), kSoon);
        QTRY_COMPARE_WITH_TIMEOUT(m_user->state(), QStringLiteral("ready"), kSoon);
    }

    void chooseTheScheme() {
        m_user->page(PageId::Scheme);
        QTRY_VERIFY(m_user->isOn("pageScheme"));
        QCOMPARE(m_user->state(), QStringLiteral("empty"));
        m_user->click("emptySecond");
        QTRY_COMPARE_WITH_TIMEOUT(m_user->state(), QStringLiteral("ready"), kSoon);
        auto* list = m_user->find<QListView>("schemePresetList");
        const auto* presets = qobject_cast<SchemeList*>(list->model());
        const QModelIndex wanted = presets->find(SchemeList::Section::Preset, QStringLiteral("int4_weight_only"));
        QVERIFY(wanted.isValid());
        list->scrollTo(wanted);
        QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, list->visualRect(wanted).center());
        QTest::keyClick(list, Qt::Key_Return);
        QTRY_COMPARE(m_user->session.draft.recipe().schemes.size(), size_t{1});
        auto* group = m_user->find<QSlider>("groupSizeSlider");
        test::WindowDriver::bringIntoView(group);
        group->setFocus();
        for (int i = 0; i < 12 && m_user->find<QLabel>("groupSizeText")->text() != QStringLiteral("32"); ++i)
            QTest::keyClick(group, Qt::Key_Left);
        QCOMPARE(m_user->find<QLabel>("groupSizeText")->text(), QStringLiteral("32"));
        QTRY_VERIFY_WITH_TIMEOUT(!m_user->session.compute.isBusy(), kSoon); // the preview is through
    }

    void describeTheTraining() {
        m_user->page(PageId::Train);
        QTRY_VERIFY(m_user->isOn("pageTrain"));
        QTRY_COMPARE_WITH_TIMEOUT(m_user->state(), QStringLiteral("ready"), kSoon);
        m_user->type("studyName", QStringLiteral("tour"));
        m_user->click("datasetAdd");
        m_user->chooseFile(sample() / "text/train.jsonl");
        m_user->click("evalDatasetAdd");
        m_user->chooseFile(sample() / "text/valid.jsonl");
        m_user->editCell("evalDataset", 0, 3, QStringLiteral("40"));
        m_user->click("taskListAdd");
        m_user->chooseFile(sample() / "tasks/people.jsonl");
        m_user->editCell("taskList", 0, 3, QStringLiteral("60"));
        m_user->type("maxLength", QStringLiteral("64"));
        m_user->type("maxSteps", QString::number(kSteps));
        m_user->type("trainBatch", QStringLiteral("8"));
        m_user->type("learningRate", QStringLiteral("2e-4"));
        const records::Recipe& recipe = m_user->session.draft.recipe();
        QCOMPARE(recipe.name, std::string("tour"));
        QCOMPARE(recipe.data.train.size(), size_t{1});
        QCOMPARE(recipe.data.eval.size(), size_t{1});
        QCOMPARE(recipe.data.eval[0].maxSamples, int64_t{40});
        QCOMPARE(recipe.eval.tasks.size(), size_t{1});
        QCOMPARE(recipe.eval.tasks[0].limit, 60.0);
        QCOMPARE(recipe.data.seqLen, int64_t{64});
        QCOMPARE(recipe.train.maxSteps, int64_t{kSteps});
        QCOMPARE(recipe.train.microBatch, int64_t{8});
        QCOMPARE(recipe.optim.lr, 2e-4);
    }

    void thePlanIsShown() {
        QTRY_VERIFY_WITH_TIMEOUT(m_user->find<QLabel>("memoryText")->text().contains(QLatin1String("B")), kPatience);
        QVERIFY(m_user->find<QLabel>("planCount")->text().contains(QLatin1Char('4'))); // float, float trained, PTQ, QAT
        QTRY_VERIFY2(m_user->find<QPushButton>("startButton")->isEnabled(),
                     qPrintable(m_user->find<QPushButton>("startButton")->property("disabledReason").toString()));
    }

    void pointsArriveLive() {
        m_user->click("startButton");
        QTRY_VERIFY_WITH_TIMEOUT(m_user->isOn("pageLive"), kPatience);
        QTRY_VERIFY_WITH_TIMEOUT(m_user->lossSteps().size() >= 2, kPatience);
        auto* chart = m_user->find<QatChart>("live_loss");
        QTRY_VERIFY_WITH_TIMEOUT(!chart->seriesIds().isEmpty() && chart->lastStep(chart->seriesIds().front()) > 0, kSoon);
    }

    void theStudyEnds() { QTRY_VERIFY_WITH_TIMEOUT(m_user->isDone(QStringLiteral("tour")), kPatience); }

    void compareShowsTableAndVerdict() {
        m_user->page(PageId::Compare);
        QTRY_VERIFY(m_user->isOn("pageCompare"));
        if (m_user->state() == QLatin1String("empty")) m_user->click("emptyAction");
        QTRY_COMPARE_WITH_TIMEOUT(m_user->state(), QStringLiteral("ready"), kSoon);
        const auto* table = m_user->find<QTableView>("compareTable")->model();
        QVERIFY(table->rowCount() >= 4);
        for (int row = 0; row < 4; ++row)
            for (int column = 1; column < 3; ++column) {
                const QString cell = table->index(row, column).data().toString();
                QVERIFY2(cell.contains(QLatin1Char('.')), qPrintable(cell));
            }
        QVERIFY(!m_user->find<QLabel>("verdictLabel")->text().isEmpty());
        qInfo("verdict: %s", qPrintable(m_user->find<QLabel>("verdictLabel")->text()));
    }

    void theExportIsVerified() {
        m_user->activate();
        QTest::keyClick(m_user->window.get(), Qt::Key_E, Qt::ControlModifier);
        QPointer<QDialog> dialog;
        QTRY_VERIFY((dialog = m_user->window->findChild<QDialog*>(QStringLiteral("exportDialog"))) && dialog->isVisible());
        const auto choose = [&](const char* name, const QString& wanted) {
            auto* box = dialog->findChild<QComboBox*>(QLatin1String(name));
            box->setFocus();
            for (int i = 0; i < box->count() && box->currentText() != wanted; ++i)
                QTest::keyClick(box, i == 0 ? Qt::Key_Home : Qt::Key_Down);
            QCOMPARE(box->currentText(), wanted);
        };
        choose("exportRun", QStringLiteral("int4_weight_only QAT"));
        auto* list = dialog->findChild<QTreeView*>(QStringLiteral("exportFormat"));
        auto* judged = qobject_cast<ui::FormatsModel*>(list->model());
        QTRY_VERIFY_WITH_TIMEOUT(judged->verdict(0), kSoon);
        list->setFocus();
        const int wanted = judged->rowOf(QStringLiteral("hf"));
        for (int i = 0; i < judged->rowCount() && list->currentIndex().row() != wanted; ++i)
            QTest::keyClick(list, i == 0 ? Qt::Key_Home : Qt::Key_Down);
        QCOMPARE(list->currentIndex().row(), wanted);
        QCOMPARE(judged->verdict(wanted)->fidelity, formats::Fidelity::Exact);
        test::WindowDriver::type(dialog->findChild<QLineEdit*>(QStringLiteral("exportFolder")), test::qt(m_dir.path() / "exported"));
        auto* start = dialog->findChild<QPushButton*>(QStringLiteral("exportButton"));
        auto* sheet = dialog->findChild<QTreeWidget*>(QStringLiteral("parityReport"));
        if (!sheet->isVisible()) {
            QTRY_VERIFY_WITH_TIMEOUT(start->isEnabled() || sheet->isVisible(), kSoon); // the folder is being looked at
            if (start->isEnabled()) QTest::mouseClick(start, Qt::LeftButton);          // Enter in the line may have done it
        }
        QTRY_VERIFY_WITH_TIMEOUT(sheet->isVisible(), kPatience);
        QCOMPARE(sheet->property("verified").toBool(), true);
        QVERIFY(fs::exists(m_dir.path() / "exported/model.safetensors"));
        QTest::mouseClick(dialog->findChild<QPushButton*>(QStringLiteral("exportCancel")), Qt::LeftButton);
        QTRY_VERIFY(!dialog);
    }

    void closeWhileAStudyTrains() {
        m_user->page(PageId::Train);
        m_user->type("studyName", QStringLiteral("second"));
        m_user->type("maxSteps", QString::number(kLongSteps));
        QTRY_VERIFY_WITH_TIMEOUT(m_user->find<QPushButton>("startButton")->isEnabled(), kSoon);
        m_user->click("startButton");
        QTRY_VERIFY_WITH_TIMEOUT(m_user->isOn("pageLive"), kPatience);
        const auto trains = [&] {
            const auto& run = m_user->live().run();
            return run.info() && ui::text(run.info()->identity.studyName) == QLatin1String("second") && m_user->lossSteps().size() >= 3 &&
                   !run.status().isEnded();
        };
        QTRY_VERIFY_WITH_TIMEOUT(trains(), kPatience);
        QTRY_VERIFY_WITH_TIMEOUT(m_user->study(QStringLiteral("second")) && m_user->study(QStringLiteral("second"))->driven, kSoon);
        QStringList asked;
        m_user->window->askLeave = [&](const QStringList& running) {
            asked = running;
            return MainWindow::Leave::LeaveRunning;
        };
        m_attachedRun = m_user->live().run().uid();
        m_stepsAtClose = static_cast<qsizetype>(m_user->lossSteps().size());
        QVERIFY(m_user->window->close());
        QCOMPARE(asked, QStringList{QStringLiteral("second")});
        dropWindow();
        QVERIFY(m_stepsAtClose < kLongSteps);
    }

    void aSecondWindowAttaches() {
        openWindow();
        QTRY_VERIFY_WITH_TIMEOUT(m_user->session.project.isOpen(), kSoon);
        m_user->page(PageId::Live);
        QTRY_VERIFY_WITH_TIMEOUT(m_user->live().run().uid() == m_attachedRun || m_user->isDone(QStringLiteral("second")), kSoon);
        QTRY_VERIFY_WITH_TIMEOUT(m_user->live().run().status().attached, kSoon);
        QTRY_VERIFY_WITH_TIMEOUT(static_cast<qsizetype>(m_user->lossSteps().size()) > m_stepsAtClose, kPatience);
    }

    void noStepIsMissingOrDoubled() {
        m_user->session.showLive(m_attachedRun); // stays on it while the study goes on
        QTRY_VERIFY_WITH_TIMEOUT(m_user->isDone(QStringLiteral("second")), kPatience);
        std::vector<int64_t> every(kLongSteps);
        std::iota(every.begin(), every.end(), 1);
        QTRY_COMPARE_WITH_TIMEOUT(m_user->lossSteps(), every, kSoon);
        // What the chart holds, as its own export writes it.
        const fs::path file = m_dir.path() / "loss.csv";
        auto* chart = m_user->find<QatChart>("live_loss");
        QVERIFY(chart->exportCsv(test::qt(file), {false, false, 1}));
        std::vector<int64_t> drawn;
        std::ifstream csv(file);
        for (std::string line; std::getline(csv, line);)
            if (!line.empty() && std::isdigit(static_cast<unsigned char>(line[0]))) drawn.push_back(std::stoll(line));
        QCOMPARE(drawn, every);
        std::vector<int64_t> stored;
        bool answered = false;
        m_user->session.project.query<store::SeriesData>(
            QString(), [uid = m_attachedRun.toStdString()](store::Store& store) { return store.series(uid, "train.loss"); }, this,
            [&](Result<store::SeriesData> series) {
                answered = true;
                if (series) stored = series->step;
            });
        QTRY_VERIFY_WITH_TIMEOUT(answered, kSoon);
        QCOMPARE(stored, every);
    }

    void nothingHeldTheWindow() {
        dropWindow();
        const auto* watch = static_cast<const test::LoopWatch*>(qApp);
        watch->report(25);
        QStringList late;
        for (const auto& held : watch->slow()) {
            // Past the first paint, which loads fonts: 16 ms of work; and no wait for a disk, a lock or another process. A page of the
            // program that a busy machine reads back is no wait of ours.
            const bool waited = held.pagesRead == 0 && (held.slept() > 50 || held.wall - held.queued > 100);
            const bool slow = !held.first && (held.cpu > 16 || waited);
            if (slow)
                late << QStringLiteral("%1 ms cpu, %2 ms asleep: %3").arg(held.cpu, 0, 'f', 1).arg(held.slept(), 0, 'f', 1).arg(held.what);
        }
        QVERIFY2(late.isEmpty(), qPrintable(late.join(QLatin1Char('\n'))));
    }
};

int main(int argc, char** argv) {
    QStandardPaths::setTestModeEnabled(true);
    qputenv("QTEST_FUNCTION_TIMEOUT", "1100000"); // the deadlines here are our own
    QCoreApplication::setOrganizationName(QStringLiteral("qat-workbench"));
    QCoreApplication::setApplicationName(QStringLiteral("qat-workbench"));
    test::LoopWatch app(argc, argv);
    WorkbenchTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_workbench.moc"
