// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Train: the form is the recipe, findings stand under their fields, Start refuses with a reason or starts, imports are reported.
#include "config/recipe_file.h"
#include "config/resources.h"
#include "desk.h"
#include "pages/start/file_actions.h"
#include "pages/train/field_form.h"
#include "pages/train/lr_sparkline.h"
#include "pages/train/memory_bar.h"
#include "pages/train/real_edit.h"
#include "pages/train/train_page.h"
#include "random_recipe.h"
#include "theme/theme.h"

#include <QAction>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDialog>
#include <QGuiApplication>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTableView>
#include <QToolButton>

using namespace qw;
using namespace qw::ui;

namespace {

QString q(const std::string& s) { return QString::fromStdString(s); }

} // namespace

class TrainPageTest : public QObject {
    Q_OBJECT
    test::TempDir m_dir;
    struct Window : test::PageWindow<TrainPage> {
        using PageWindow::PageWindow;
        [[nodiscard]] const records::Recipe& recipe() const { return session.draft.recipe(); }
    };
    std::unique_ptr<Window> m_window;

    template<class T> T* find(const char* name) {
        T* found = m_window->find<T>(name);
        if (!found) qFatal("no %s on the page", name);
        return found;
    }
    void openSample() {
        const auto file = config::loadRecipe(config::resourcesDir() / "sample/study.yaml");
        QVERIFY(file.ok());
        QSignalSpy checked(&m_window->page, &TrainPage::recipeChecked);
        m_window->session.draft.replace(QStringLiteral("sample"), file->recipe);
        QTRY_VERIFY(!checked.isEmpty());
    }
    void openProject() {
        m_window->session.project.open(q((m_dir.path() / "project").string()));
        QTRY_VERIFY(m_window->session.project.isOpen());
    }
    // Until the recipe as it is now has been checked.
    void settle() { QTRY_COMPARE(m_window->page.checked().yaml, config::writeRecipeYaml(m_window->recipe())); }
    void commitAll() { // as if every editor were entered and left
        for (auto* edit : m_window->page.findChildren<QLineEdit*>())
            if (edit->isEnabled() && !edit->isReadOnly()) Q_EMIT edit->editingFinished();
        for (auto* box : m_window->page.findChildren<QComboBox*>())
            if (box->isEnabled()) Q_EMIT box->activated(box->currentIndex());
        for (auto* box : m_window->page.findChildren<QSpinBox*>())
            if (box->isEnabled()) Q_EMIT box->valueChanged(box->value());
    }

private Q_SLOTS:
    void init() {
        std::filesystem::remove(m_dir.path() / "s.ini");
        m_window = std::make_unique<Window>(m_dir.path() / "s.ini");
        m_window->page.resize(1100, 800);
        m_window->page.show();
    }
    void cleanup() { m_window.reset(); }

    void emptyStateLinks() {
        QCOMPARE(m_window->page.property("viewState").toString(), QStringLiteral("empty"));
        QSignalSpy pages(&m_window->session, &Session::pageWanted);
        find<QPushButton>("emptyAction")->click();
        Q_EMIT find<QLabel>("emptyText")->linkActivated(QStringLiteral("scheme"));
        QCOMPARE(pages.size(), 2);
        QVERIFY(pages[0][0].value<PageId>() == PageId::Model && pages[1][0].value<PageId>() == PageId::Scheme);
        Q_EMIT find<QLabel>("emptyText")->linkActivated(QStringLiteral("anyway"));
        QCOMPARE(m_window->page.property("viewState").toString(), QStringLiteral("ready"));
    }
    void formAndYamlAreOne() {
        for (uint32_t seed = 0; seed < 12; ++seed) {
            const records::Recipe recipe = test::randomRecipe(seed);
            m_window->session.draft.replace(QStringLiteral("x"), recipe);
            commitAll();
            for (const RecipeField& field : recipeFields())
                QVERIFY2(field.get(recipe) == field.get(m_window->recipe()), qPrintable(field.name + QString::number(seed)));
            QVERIFY(m_window->recipe() == recipe);
            settle();
            const auto again = config::parseRecipe(utf8(find<QPlainTextEdit>("recipePreview")->toPlainText()), "/x/recipe.yaml");
            QVERIFY2(again.ok(), again ? "" : again.error().message.c_str());
            QVERIFY(*again == recipe);
        }
    }
    void warmUpFieldsExcludeEachOther() {
        auto* steps = find<QSpinBox>("warmupSteps");
        auto* ratio = find<RealEdit>("warmupRatio");
        steps->setValue(50);
        QVERIFY(m_window->recipe().schedule.warmupSteps == 50 && m_window->recipe().schedule.warmupRatio == 0);
        QCOMPARE(ratio->value().toDouble(), 0.0);
        ratio->setText(QLocale().toString(0.1));
        Q_EMIT ratio->editingFinished();
        QVERIFY(m_window->recipe().schedule.warmupSteps == 0 && m_window->recipe().schedule.warmupRatio == 0.1);
        QCOMPARE(steps->value(), 0);
        m_window->session.undo.undo();
        QCOMPARE(steps->value(), 50);
        find<QComboBox>("schedule")->setCurrentIndex(find<QComboBox>("schedule")->findData(QStringLiteral("constant")));
        Q_EMIT find<QComboBox>("schedule")->activated(0);
        QVERIFY(!steps->isEnabled() && !ratio->isEnabled() && !ratio->property("disabledReason").toString().isEmpty());
    }
    void changedFieldsAreMarkedAndReset() {
        auto* batch = find<QSpinBox>("trainBatch");
        auto* reset = find<QToolButton>("trainBatchReset");
        Q_EMIT find<QLabel>("emptyText")->linkActivated(QStringLiteral("anyway"));
        QVERIFY(!reset->isVisible() && !batch->property("changed").toBool());
        batch->setValue(8);
        QVERIFY(reset->isVisible() && batch->property("changed").toBool());
        reset->click();
        QCOMPARE(batch->value(), 1);
        QVERIFY(!reset->isVisible());
    }
    void numbersAsRecipesHaveThem() {
        auto* rate = find<RealEdit>("learningRate");
        for (const char* text : {"3e-4", "0.0003"}) {
            rate->setText(QString::fromLatin1(text));
            Q_EMIT rate->editingFinished();
            QCOMPARE(m_window->recipe().optim.lr, 3e-4);
        }
        auto* note = find<QLabel>("learningRateNote");
        rate->setText(QStringLiteral("fast"));
        Q_EMIT rate->editingFinished();
        QCOMPARE(m_window->recipe().optim.lr, 3e-4);
        QVERIFY(note->text().contains(QStringLiteral("fast")) && note->property("code").toString() == QStringLiteral("config.invalid"));
        auto* clip = find<RealEdit>("clipNorm");
        clip->setText(QStringLiteral("off"));
        Q_EMIT clip->editingFinished();
        QVERIFY(!m_window->recipe().optim.clipNorm);
        clip->setText(QStringLiteral("measure"));
        Q_EMIT clip->editingFinished();
        QVERIFY(std::isinf(*m_window->recipe().optim.clipNorm));
        auto* seeds = find<QLineEdit>("seeds");
        seeds->setText(QStringLiteral("1, 2, 2,3"));
        Q_EMIT seeds->editingFinished();
        QVERIFY((m_window->recipe().seeds == std::vector<uint64_t>{1, 2, 3}));
        QCOMPARE(seeds->text(), QStringLiteral("1, 2, 3"));
    }
    void planStripIsTheRecipe() {
        openSample();
        find<QCheckBox>("planMse")->setChecked(true);
        QVERIFY((m_window->recipe().baselinePtq == std::vector<std::string>{"rtn", "mse"}));
        find<QCheckBox>("planRtn")->setChecked(false);
        QVERIFY((m_window->recipe().baselinePtq == std::vector<std::string>{"mse"}));
        find<QCheckBox>("planFineTune")->setChecked(false);
        QCOMPARE(q(m_window->recipe().baselineFloat), QStringLiteral("start"));
        m_window->session.undo.undo();
        QVERIFY(find<QCheckBox>("planFineTune")->isChecked());
        QVERIFY(find<QLabel>("planSchemes")->text().contains(QStringLiteral("int3-g32")));
    }
    void startRefusedWithoutData() {
        openSample();
        openProject();
        QAction* start = m_window->actions.find(QStringLiteral("run.start"));
        auto* button = find<QPushButton>("startButton");
        QCOMPARE(start->shortcut(), QKeySequence(Qt::Key_F5));
        QTRY_VERIFY(start->isEnabled() && button->isEnabled());
        m_window->session.draft.edit(QStringLiteral("x"), [](records::Recipe& r) { r.data.train.clear(); });
        QTRY_VERIFY(!start->isEnabled() && !button->isEnabled());
        QVERIFY2(button->property("disabledReason").toString().contains(QStringLiteral("data.train")),
                 qPrintable(button->property("disabledReason").toString()));
        auto* note = find<QLabel>("datasetNote");
        QVERIFY(note->isVisibleTo(&m_window->page) && note->text().contains(QStringLiteral("missing")));
        start->trigger();
        m_window->session.draft.edit(QStringLiteral("y"), [](records::Recipe& r) {
            r.data.train = {{"/gone.jsonl", "jsonl_text", "text", "file", {0, 1}, 0}};
        });
        QTRY_VERIFY(note->text().contains(QStringLiteral("/gone.jsonl")));
        QVERIFY(m_window->engine.asked.isEmpty() || m_window->engine.asked.last().what != QStringLiteral("start"));
    }
    void textThatVanishesIsNoticedAtStart() {
        const auto text = m_dir.path() / "gone.jsonl";
        test::writeText(text, "{\"text\": \"x\"}\n");
        openSample();
        openProject();
        m_window->session.draft.edit(QStringLiteral("x"), [&](records::Recipe& r) { r.data.train[0].path = text.string(); });
        settle();
        QTRY_VERIFY(find<QPushButton>("startButton")->isEnabled());
        std::filesystem::remove(text);
        m_window->actions.find(QStringLiteral("run.start"))->trigger();
        auto* banner = find<QFrame>("bannerError");
        QTRY_VERIFY(banner->isVisible());
        QCOMPARE(banner->property("code").toString(), QStringLiteral("config.invalid"));
        for (const auto& asked : m_window->engine.asked) QVERIFY(asked.what != QStringLiteral("start"));
    }
    void startsOnceAndShowsLive() {
        openSample();
        QCOMPARE(find<QPushButton>("startButton")->property("disabledReason").toString().isEmpty(), false); // no project yet
        openProject();
        QTRY_VERIFY(find<QPushButton>("startButton")->isEnabled());
        QAction* start = m_window->actions.find(QStringLiteral("run.start"));
        QSignalSpy pages(&m_window->session, &Session::pageWanted);
        start->trigger();
        start->trigger(); // a second F5 while it starts
        const auto starts = [this] {
            return std::ranges::count_if(m_window->engine.asked, [](const auto& a) { return a.what == QStringLiteral("start"); });
        };
        QTRY_COMPARE(starts(), 1);
        QVERIFY(!start->isEnabled());
        const auto asked = std::ranges::find(m_window->engine.asked, QStringLiteral("start"), &test::FakeEngineClient::Asked::what);
        QCOMPARE(asked->arguments[0], m_window->session.project.dir());
        const auto sent = config::parseRecipe(utf8(asked->arguments[1]), "/x/r.yaml");
        QVERIFY(sent.ok() && *sent == m_window->recipe());
        m_window->engine.answer(QStringLiteral("start"), QByteArray("{}"));
        QTRY_VERIFY(!pages.isEmpty() && pages.last()[0].value<PageId>() == PageId::Live);
        QVERIFY(start->isEnabled());
        start->trigger();
        QTRY_COMPARE(starts(), 2);
        m_window->engine.answer(QStringLiteral("start"), Error{"engine.lost", "the engine could not be started", "try again", "", true});
        QTRY_COMPARE(m_window->page.property("viewState").toString(), QStringLiteral("error"));
        QCOMPARE(find<QFrame>("bannerError")->property("code").toString(), QStringLiteral("engine.lost"));
        QVERIFY(find<QPushButton>("startButton")->isVisible());
    }
    void forecastIsAskedAndShown() {
        openSample();
        const auto plans = [this] {
            return std::ranges::count_if(m_window->engine.asked, [](const auto& a) { return a.what == QStringLiteral("plan"); });
        };
        QTRY_COMPARE(plans(), 1);
        const QByteArray over =
            QByteArray("{'plans':[{'member':'m','device':'cpu','steps':150,'memory_bytes':2000,'available_bytes':1000,'memory':"
                       "[{'name':'weights','bytes':2000}]}],'members':1,'train_seconds':60}")
                .replace('\'', '"');
        m_window->engine.answer(QStringLiteral("plan"), over);
        QCOMPARE(find<MemoryBar>("memoryBar")->property("fit").toString(), QStringLiteral("over"));
        QCOMPARE(find<QFrame>("forecastPanel")->property("code").toString(), QStringLiteral("train.wont_fit"));
        QVERIFY(find<QLabel>("timeText")->text().contains(QStringLiteral("1")));
        const int batch = static_cast<int>(m_window->recipe().train.microBatch);
        const auto ways = m_window->page.findChildren<QPushButton*>(QStringLiteral("wayToFit"));
        QVERIFY(ways.size() >= 2);
        ways[1]->click();
        QCOMPARE(m_window->recipe().train.microBatch, batch / 2);
        QTRY_COMPARE(plans(), 2); // the changed recipe is planned again
        auto* measure = find<QPushButton>("measureButton");
        QCOMPARE(measure->text(), QStringLiteral("Cancel"));
        measure->click();
        QCOMPARE(m_window->engine.plansCancelled, 1);
        measure->click();
        QCOMPARE(plans(), 3);
        QCOMPARE(m_window->engine.asked.last().arguments[1], QStringLiteral("probe"));
        auto late = m_window->engine.asked[m_window->engine.asked.size() - 2].done; // of the question that was taken back
        late(QByteArray("{\"plans\":[],\"members\":0}"));
        QCOMPARE(find<MemoryBar>("memoryBar")->property("fit").toString(), QStringLiteral("over"));
    }
    void linksFollowTheTheme() {
        openSample();
        for (const auto choice : {Theme::Choice::Dark, Theme::Choice::Light}) {
            Theme::instance().choose(choice);
            const QString colour = Theme::instance().colour(Token::Accent).name();
            for (const char* name : {"trainModel", "planSchemes"}) {
                QLabel* label = find<QLabel>(name);
                QVERIFY2(label->text().contains(colour), qPrintable(label->text()));
                const QImage picture = label->grab().toImage(); // and so does what is painted
                int painted = 0;
                for (int y = 0; y < picture.height(); ++y)
                    for (int x = 0; x < picture.width(); ++x) painted += picture.pixelColor(x, y) == QColor(colour) ? 1 : 0;
                QVERIFY2(painted > 3, name);
            }
        }
    }
    void aSweepMakesEveryCombination() {
        openSample();
        const auto before = m_window->recipe();
        m_window->engine.answer(QStringLiteral("plan"), QByteArray()); // none yet: no time, no disk
        m_window->actions.find(QStringLiteral("run.sweep"))->trigger();
        auto* dialog = m_window->find<QDialog>("sweepDialog");
        QVERIFY(dialog);
        auto* apply = dialog->findChild<QPushButton*>(QStringLiteral("sweepApply"));
        auto* cost = dialog->findChild<QLabel*>(QStringLiteral("sweepCost"));
        const auto type = [&](const char* name, const char* words) {
            dialog->findChild<QLineEdit*>(QString::fromLatin1(name))->setText(QString::fromLatin1(words));
        };
        QVERIFY(!apply->isEnabled()); // nothing is varied yet
        type("sweepBits", "2-");
        QVERIFY(!apply->isEnabled() && cost->text().contains(QStringLiteral("2-")));
        type("sweepBits", "3-4");
        type("sweepRates", "1e-4, 2e-4");
        type("sweepSeeds", "1-3");
        QVERIFY2(apply->isEnabled(), qPrintable(cost->text()));
        apply->click();
        const auto& recipe = m_window->recipe();
        QCOMPARE(recipe.schemes.size(), before.schemes.size() * 4);
        QCOMPARE(recipe.schemes[1].name, before.schemes[0].name + "-w3-lr0.0002");
        QCOMPARE(recipe.seeds, (std::vector<uint64_t>{1, 2, 3}));
        const auto member = config::resolveMember(recipe, recipe.schemes[1].name, 1);
        QVERIFY(member.ok());
        QCOMPARE(member->optim.lr, 2e-4);
        m_window->session.undo.undo();
        QVERIFY(m_window->recipe() == before);
    }
    void sparklineFollowsTheSchedule() {
        openSample();
        auto* line = find<LrSparkline>("lrSparkline");
        const auto& rates = line->rates();
        QCOMPARE(rates.size(), qsizetype(150));
        QCOMPARE(rates.first(), 0.0);
        QCOMPARE(*std::ranges::max_element(rates), m_window->recipe().optim.lr);
        QVERIFY(rates.last() < 1e-3 * m_window->recipe().optim.lr && !line->accessibleDescription().isEmpty());
    }
    void findingsStandUnderTheirField() {
        openSample();
        m_window->session.draft.edit(QStringLiteral("x"), [](records::Recipe& r) {
            r.eval.every = 1000;
            r.schedule.warmupSteps = 500;
        });
        settle();
        QTRY_VERIFY(find<QLabel>("evalStepsNote")->text().contains(QStringLiteral("never fires")));
        QVERIFY(find<QLabel>("warmupStepsNote")->text().contains(QStringLiteral("warm-up")));
        QCOMPARE(find<QLabel>("evalStepsNote")->property("code").toString(), QStringLiteral("config.invalid"));
    }
    void importOfOursIsExact() {
        const auto file = config::resourcesDir() / "sample/study.yaml";
        Q_EMIT m_window->session.recipeWanted(q(file.string()));
        QTRY_COMPARE(m_window->recipe().schemes.size(), size_t(4));
        QVERIFY(m_window->recipe() == config::loadRecipe(file)->recipe);
        QVERIFY(!m_window->find<QDialog>("importReport"));
        QCOMPARE(m_window->page.property("viewState").toString(), QStringLiteral("ready"));
    }
    void unknownKeyIsReportedWithItsLine() {
        const auto file = m_dir.path() / "bad.yaml";
        test::writeText(file, "recipe: 1\nname: x\nlearning_rat: 5\n");
        const records::Recipe before = m_window->recipe();
        Q_EMIT m_window->session.recipeWanted(q(file.string()));
        auto* banner = find<QFrame>("bannerError");
        QTRY_VERIFY(banner->isVisible());
        QCOMPARE(banner->property("code").toString(), QStringLiteral("config.unknown_key"));
        QVERIFY2(banner->accessibleName().contains(QStringLiteral("bad.yaml:3: learning_rat")), qPrintable(banner->accessibleName()));
        QVERIFY(m_window->recipe() == before);
    }
    void foreignRecipeIsReportedKeyByKey() {
        const auto file = m_dir.path() / "axolotl.yaml";
        test::writeText(file, "base_model: x\nmicro_batch_size: 4\nadapter: lora\nnonsense: 1\n");
        Q_EMIT m_window->session.recipeWanted(q(file.string()));
        QTRY_VERIFY(m_window->find<QDialog>("importReport"));
        QCOMPARE(m_window->recipe().train.microBatch, int64_t(4));
        auto* table = find<QTableView>("importTable");
        QStringList keys;
        for (int row = 0; row < table->model()->rowCount(); ++row) keys << table->model()->index(row, 1).data().toString();
        for (const char* key : {"base_model", "micro_batch_size", "adapter", "nonsense"}) QVERIFY(keys.contains(QString::fromLatin1(key)));
        find<QPushButton>("undoImportButton")->click();
        QCOMPARE(m_window->recipe().train.microBatch, int64_t(1));
    }
    void commandDoesTheSame() {
        openSample();
        openProject();
        find<QPushButton>("copyCommandButton")->click();
        QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("qatw run sample.yaml --project ") + m_window->session.project.dir());
    }
    void modelAndDraftGoTogether() {
        openSample();
        QTRY_COMPARE(m_window->session.model.state(), OpenModel::State::Ready);
        m_window->session.undo.undo();
        QVERIFY(m_window->recipe().model.path.empty() || !m_window->session.undo.canUndo());
    }
    void everythingHasANameAndAHelp() {
        openSample();
        for (QWidget* widget : m_window->page.findChildren<QWidget*>()) {
            if (!widget->isVisible() || widget->focusPolicy() == Qt::NoFocus || widget->inherits("QLabel") ||
                widget->inherits("QHeaderView") || widget->parentWidget()->inherits("QAbstractSpinBox"))
                continue;
            auto* button = qobject_cast<QAbstractButton*>(widget);
            QVERIFY2(!widget->accessibleName().isEmpty() || (button && !button->text().isEmpty()), qPrintable(widget->objectName()));
            QVERIFY2(!widget->toolTip().isEmpty(), qPrintable(widget->objectName()));
        }
    }
};

QTEST_MAIN(TrainPageTest)
#include "tst_train_page.moc"
