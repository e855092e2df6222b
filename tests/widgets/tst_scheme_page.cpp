// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Scheme: presets become schemes, fields edit them, conflicts say what to do, layers are taken in and out, all undoable.
#include "charts/histogram_chart.h"
#include "config/recipe_file.h"
#include "desk.h"
#include "page_pictures.h"
#include "pages/scheme/override_panel.h"
#include "pages/scheme/scheme_form.h"
#include "pages/scheme/scheme_page.h"
#include "tiny_model.h"
#include "widgets/grid_line.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSlider>
#include <QSpinBox>
#include <QStandardPaths>
#include <QTabWidget>
#include <QTreeView>

using namespace qw;
using namespace qw::ui;

namespace {

const QString kSample = QStringLiteral(QW_SOURCE_DIR "/resources/sample/model");

} // namespace

class SchemePageTest : public QObject {
    Q_OBJECT
    test::TempDir m_dir;
    struct Window : test::PageWindow<SchemePage> {
        explicit Window(const std::filesystem::path& settingsFile) : PageWindow(settingsFile, QSize(1100, 740)) {}
        QString label(const char* name) { return find<QLabel>(name)->text(); }
        const records::QatBlock& block() { return page.draft().block(); }
        void choose(const char* name, const char* word) {
            auto* box = find<QComboBox>(name);
            box->setCurrentIndex(box->findData(QString::fromLatin1(word)));
            Q_EMIT box->activated(box->currentIndex());
        }
        bool settle() { // the preview of what is shown has come to its end
            QSignalSpy finished(&page.preview(), &SchemePreview::finished);
            page.preview().ask(page.draft().block(), page.draft().type(), {});
            return !finished.isEmpty() || finished.wait(30000);
        }
        bool open(const QString& folder) {
            session.model.open(folder);
            return QTest::qWaitFor([&] { return session.model.state() == OpenModel::State::Ready; });
        }
    };
    std::unique_ptr<Window> make() {
        std::filesystem::remove(m_dir.path() / "s.ini");
        return std::make_unique<Window>(m_dir.path() / "s.ini");
    }
    std::unique_ptr<Window> withScheme() {
        auto w = make();
        w->find<QPushButton>("emptyAction")->click();
        return w;
    }

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        QCoreApplication::setApplicationName(QStringLiteral("qat-workbench-test-%1").arg(QCoreApplication::applicationPid()));
    }

    void emptyStartsWithAPreset() {
        auto w = make();
        QCOMPARE(w->state(), QStringLiteral("empty"));
        QVERIFY(w->find<QLabel>("emptyText")->text().startsWith(QStringLiteral("Pick a preset")));
        w->find<QPushButton>("emptyAction")->click();
        QCOMPARE(w->state(), QStringLiteral("ready"));
        QCOMPARE(w->session.draft.recipe().schemes.size(), size_t{1});
        QCOMPARE(w->label("schemeTitle"), QStringLiteral("8da4w"));
        w->session.undo.undo();
        QCOMPARE(w->session.draft.recipe().schemes.size(), size_t{0});
    }
    void presetsCanBeLookedAt() {
        auto w = make();
        w->find<QPushButton>("emptySecond")->click();
        QCOMPARE(w->state(), QStringLiteral("ready"));
        QCOMPARE(w->session.undo.count(), 0);
        auto* list = w->find<QListView>("schemePresetList");
        for (int row = 0; row < list->model()->rowCount(); ++row) {
            const QModelIndex at = list->model()->index(row, 0);
            if (!(at.flags() & Qt::ItemIsSelectable)) continue;
            list->setCurrentIndex(at);
            QCOMPARE(w->label("schemeTitle"), at.data().toString());
            QVERIFY(!w->find("schemeConflict")->isVisible());
        }
        QCOMPARE(w->session.undo.count(), 0);
        w->find<QPushButton>("addSchemeButton")->click();
        QCOMPARE(w->session.draft.recipe().schemes.size(), size_t{1});
    }

    // Every field: what is chosen is what the block says, and one undo takes it back.
    void fieldsEditTheScheme_data() {
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("word");
        for (const auto section : {SchemeSection::Weight, SchemeSection::Activation, SchemeSection::Layers, SchemeSection::Training})
            for (const SchemeField& field : schemeFields(section))
                for (const SchemeChoice& choice : field.choices)
                    QTest::addRow("%s %s", qPrintable(field.name), qPrintable(choice.word)) << field.name << choice.word;
    }
    void fieldsEditTheScheme() {
        QFETCH(QString, field);
        QFETCH(QString, word);
        auto w = withScheme();
        const auto before = w->session.draft.recipe();
        auto* box = w->page.findChild<QComboBox*>(field);
        QVERIFY(box && box->isEnabled());
        const bool same = box->currentData().toString() == word;
        w->choose(qPrintable(field), qPrintable(word));
        QCOMPARE(box->currentData().toString(), word);
        QCOMPARE(w->session.draft.recipe() == before, same);
        if (same) return;
        w->session.undo.undo();
        QVERIFY(w->session.draft.recipe() == before);
        QVERIFY(box->currentData().toString() != word);
    }
    void slidersAndNumbers() {
        auto w = withScheme();
        w->find<QSlider>("weightBits")->setValue(3);
        QCOMPARE(w->block().weight->bits, 3);
        QCOMPARE(w->find<QSpinBox>("weightBitsBox")->value(), 3);
        w->find<QSpinBox>("weightBitsBox")->setValue(6);
        QCOMPARE(w->block().weight->bits, 6);
        auto* group = w->find<QSlider>("groupSizeSlider");
        for (int i = group->minimum(); i <= group->maximum(); ++i) {
            group->setValue(i);
            const int64_t size = w->block().weight->groupSize;
            QCOMPARE(size & (size - 1), int64_t{0}); // only legal sizes
            QCOMPARE(w->label("groupSizeText"), QString::number(size));
        }
        w->find<QSpinBox>("fakeQuantAfter")->setValue(40);
        QCOMPARE(w->block().fakeQuantAfterSteps, std::optional<int64_t>(40));
        w->find<QSpinBox>("fakeQuantAfter")->setValue(-1);
        QVERIFY(!w->block().fakeQuantAfterSteps);
        w->choose("weightGranularity", "per_channel");
        QVERIFY(!group->isEnabled());
        QVERIFY(!group->property("disabledReason").toString().isEmpty());
    }

    void previewBits_data() {
        QTest::addColumn<QString>("preset");
        QTest::addColumn<int>("group");
        QTest::addColumn<QString>("scale");
        QTest::addColumn<double>("bits");
        QTest::newRow("int4 g32 fp32") << QStringLiteral("8da4w") << 32 << QStringLiteral("float32") << 5.0;
        QTest::newRow("int4 g32 bf16") << QStringLiteral("8da4w") << 32 << QStringLiteral("bfloat16") << 4.5;
        QTest::newRow("tinygemm g128") << QStringLiteral("4w_tinygemm") << 128 << QString() << 4.25;
        QTest::newRow("tinygemm g256") << QStringLiteral("4w_tinygemm") << 256 << QString() << 4.125;
    }
    void previewBits() {
        QFETCH(QString, preset);
        QFETCH(int, group);
        QFETCH(QString, scale);
        QFETCH(double, bits);
        auto w = withScheme();
        auto* list = w->find<QListView>("schemePresetList");
        list->setCurrentIndex(list->model()->match(list->model()->index(2, 0), Qt::DisplayRole, preset, -1, Qt::MatchExactly).back());
        auto* slider = w->find<QSlider>("groupSizeSlider");
        for (int i = slider->minimum(); i <= slider->maximum() && w->block().weight->groupSize != group; ++i) slider->setValue(i);
        QCOMPARE(w->block().weight->groupSize, int64_t(group));
        if (!scale.isEmpty()) w->choose("scaleDtype", qPrintable(scale));
        QCOMPARE(w->label("previewBits"), QLocale().toString(bits, 'f', 2));
    }

    void syntheticUntilAModelIsOpen() {
        auto w = withScheme();
        QTRY_VERIFY_WITH_TIMEOUT(w->label("previewSure").contains(QLatin1String("synthetic")), 30000);
        QCOMPARE(w->label("previewSize"), QStringLiteral("–"));
        QVERIFY(w->find<HistogramChart>("previewHistogram")->facts().before.size() > 10);
        QCOMPARE(w->find<GridLine>("previewGrid")->levels().size(), size_t{16});
        QCOMPARE(w->find("addToQueueButton")->property("disabledReason").toString(), QStringLiteral("open a model first"));
        QVERIFY(w->open(kSample));
        QTRY_VERIFY_WITH_TIMEOUT(w->label("previewSure").startsWith(QLatin1String("exact")), 30000);
        QVERIFY(!w->label("previewSure").contains(QLatin1String("synthetic")));
        QVERIFY(w->label("previewSize") != QStringLiteral("–"));
        QVERIFY(w->find("addToQueueButton")->isEnabled());
        QTRY_VERIFY_WITH_TIMEOUT(w->page.preview().errors().size() == 21, 30000);
    }

    void conflictIsInlineAndFixed() {
        auto w = withScheme();
        QVERIFY(w->open(kSample));
        QTRY_VERIFY(w->find("addToQueueButton")->isEnabled());
        w->choose("weightDtype", "uint"); // the preset is symmetric
        auto* conflict = w->find("schemeConflict");
        QVERIFY(conflict->isVisible());
        QCOMPARE(conflict->property("code").toString(), QStringLiteral("scheme.conflict"));
        const QString words = w->label("schemeConflictText");
        QVERIFY2(words.contains(QLatin1String("dtype")) && words.contains(QLatin1String("mapping")), qPrintable(words));
        QVERIFY(!w->find("addToQueueButton")->isEnabled());
        QVERIFY(words.contains(w->find("addToQueueButton")->property("disabledReason").toString()));
        w->find<QPushButton>("fixButton")->click();
        QVERIFY(!conflict->isVisible());
        QVERIFY(w->find("addToQueueButton")->isEnabled());
        QCOMPARE(w->block().weight->mapping, records::Mapping::Asymmetric);
        w->session.undo.undo();
        QVERIFY(conflict->isVisible());
    }

    void indivisibleLayersAreListedAtOnce() {
        const std::string config = test::tinyConfig("llama");
        QVERIFY(test::writeTinyModel(m_dir.path() / "odd", config, test::tinyTensors(config, false)));
        auto w = withScheme();
        QVERIFY(w->open(QString::fromStdString((m_dir.path() / "odd").string())));
        QVERIFY(!w->find("indivisibleLayers")->isVisible());
        auto* slider = w->find<QSlider>("groupSizeSlider");
        while (w->block().weight->groupSize < 64) slider->setValue(slider->value() + 1);
        QCOMPARE(w->block().weight->groupSize, int64_t{64}); // selectable although it does not divide 96
        QVERIFY(w->find("indivisibleLayers")->isVisible());
        QVERIFY(w->label("indivisibleLayers").contains(QLatin1String("model.layers.0.mlp.down_proj")));
        QVERIFY(w->find("addToQueueButton")->isEnabled());
        w->choose("onIndivisible", "error");
        QVERIFY(!w->find("addToQueueButton")->isEnabled());
        QVERIFY(w->find("schemeConflict")->isVisible());
        w->session.undo.undo();
        QVERIFY(w->find("addToQueueButton")->isEnabled());
    }

    void overridesChangeTheTotals() {
        auto w = withScheme();
        QVERIFY(w->open(kSample));
        QVERIFY(w->settle());
        const QString before = w->label("overrideTotals"), size = w->label("previewSize");
        auto* pattern = w->find<QLineEdit>("overridePattern");
        pattern->setText(QStringLiteral("*.k_proj"));
        QCOMPARE(w->label("overrideCount"), QStringLiteral("3 matches"));
        w->find<QPushButton>("excludeMatchingButton")->click();
        QVERIFY(w->label("overrideTotals") != before);
        QVERIFY(w->label("overrideTotals").contains(QLatin1String("18 of 23")));
        QVERIFY(w->label("previewSize") != size);
        QVERIFY(w->label("overrideRules").contains(QLatin1String("*.k_proj")));
        // One layer back in, by its tick.
        auto* panel = w->page.findChild<OverridePanel*>();
        QVERIFY(panel->layers().setData(panel->layers().find(QStringLiteral("model.layers.1.self_attn.k_proj")), Qt::Checked,
                                        Qt::CheckStateRole));
        QVERIFY(w->label("overrideTotals").contains(QLatin1String("19 of 23")));
        QCOMPARE(w->block().modules.exclude,
                 (std::vector<std::string>{"model.layers.0.self_attn.k_proj", "model.layers.2.self_attn.k_proj"}));
        // Several selected rows at once.
        auto* tree = w->find<QTreeView>("overrideTree");
        tree->selectAll();
        w->find<QPushButton>("excludeSelectedButton")->click();
        QVERIFY(!w->find("addToQueueButton")->isEnabled()); // nothing is left
        w->session.undo.undo();
        QVERIFY(w->find("addToQueueButton")->isEnabled());
        w->find<QPushButton>("resetOverridesButton")->click();
        QCOMPARE(w->label("overrideTotals"), before);
        QVERIFY(!w->find("resetOverridesButton")->isEnabled());
        for (int i = 0; i < 3; ++i) w->session.undo.undo();
        QCOMPARE(w->label("overrideTotals"), before);
        pattern->setText(QStringLiteral("*.mlp.*"));
        w->find<QPushButton>("includeOnlyButton")->click();
        QVERIFY(w->label("overrideTotals").contains(QLatin1String("9 of 23")));
        pattern->setText(QStringLiteral("quux"));
        QVERIFY(!w->find("includeOnlyButton")->isEnabled());
    }

    void keysOfTheList() {
        auto w = withScheme();
        auto* list = w->find<QListView>("schemePresetList");
        list->setFocus();
        QTest::keyClick(list, Qt::Key_D, Qt::ControlModifier);
        QCOMPARE(w->session.draft.recipe().schemes.size(), size_t{2});
        QCOMPARE(w->label("schemeTitle"), QStringLiteral("8da4w-2"));
        QTest::keyClick(list, Qt::Key_F2);
        auto* editor = list->findChild<QLineEdit*>();
        QVERIFY(editor);
        editor->setText(QStringLiteral("small"));
        QTest::keyClick(editor, Qt::Key_Return);
        QTRY_COMPARE(w->label("schemeTitle"), QStringLiteral("small"));
        list->setFocus();
        QTest::keyClick(list, Qt::Key_Delete);
        QCOMPARE(w->session.draft.recipe().schemes.size(), size_t{1});
        w->session.undo.undo();
        QCOMPARE(w->session.draft.recipe().schemes.size(), size_t{2});
    }

    void recipeAndCommand() {
        auto w = withScheme();
        QVERIFY(w->open(kSample));
        w->find<QSlider>("weightBits")->setValue(3);
        QCOMPARE(w->find<QPlainTextEdit>("recipePreview")->toPlainText(),
                 QStringLiteral("name: 8da4w\npreset: 8da4w\nweight: {dtype: int3}\n"));
        w->find<QPushButton>("copyCommandButton")->click();
        const QString line = QApplication::clipboard()->text();
        QVERIFY(line.startsWith(QStringLiteral("qatw ptq ") + kSample + QStringLiteral(" --scheme 8da4w --set weight.dtype=int3 --out ")));
        QCOMPARE(w->label("commandPreview"), line);
    }

    void queueStartsOrLeadsToTrain() {
        auto w = withScheme();
        QVERIFY(w->open(kSample));
        QSignalSpy pages(&w->session, &Session::pageWanted);
        w->find<QPushButton>("addToQueueButton")->click();
        QCOMPARE(pages.size(), 1);
        QCOMPARE(pages[0][0].value<PageId>(), PageId::Train);
    }

    void draggingEndsWithTheLast() {
        auto w = withScheme();
        QVERIFY(w->open(kSample));
        QVERIFY(w->settle());
        QSignalSpy finished(&w->page.preview(), &SchemePreview::finished);
        auto* bits = w->find<QSlider>("weightBits");
        const int before = w->session.undo.count();
        for (const int value : {2, 3, 4, 5, 6, 7, 8, 7, 6, 5}) bits->setValue(value);
        QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, 30000);
        QCOMPARE(w->find<GridLine>("previewGrid")->levels().size(), size_t{32});
        QCOMPARE(w->session.undo.count(), before + 1); // one drag, one step
    }

    void everyWidgetHasAName() {
        auto w = withScheme();
        QVERIFY(w->open(kSample));
        const QStringList nameless = test::withoutName(w->page);
        QVERIFY2(nameless.isEmpty(), qPrintable(nameless.join(QStringLiteral(" | "))));
    }

    void pictures_data() { test::pictureRows(); }
    void pictures() {
        QFETCH(bool, dark);
        QFETCH(QSize, size);
        Theme::instance().choose(dark ? Theme::Choice::Dark : Theme::Choice::Light);
        auto w = make();
        w->page.resize(size);
        test::picture(w->page, "scheme-empty");
        w->find<QPushButton>("emptyAction")->click();
        QVERIFY(w->settle());
        test::picture(w->page, "scheme-synthetic");
        QVERIFY(w->open(kSample));
        w->page.draft().edit(QStringLiteral("x"), [](records::QatBlock& b) { b.modules.exclude = {"*.k_proj"}; });
        QVERIFY(w->settle());
        test::picture(w->page, "scheme-ready");
        QTRY_COMPARE(test::clipped(w->page), QStringList()); // the layout follows the last text
        QCOMPARE(w->page.size(), size);                      // nothing in it is too wide
        w->choose("weightDtype", "uint");
        QVERIFY(w->settle());
        test::picture(w->page, "scheme-conflict");
        w->find<QTabWidget>("schemeTabs")->setCurrentIndex(1);
        test::picture(w->page, "scheme-recipe");
    }
};

QTEST_MAIN(SchemePageTest)
#include "tst_scheme_page.moc"
