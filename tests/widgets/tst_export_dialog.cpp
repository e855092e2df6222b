// SPDX-License-Identifier: GPL-3.0-or-later
// What: the export dialog: every format judged for the run, what forbids an export, sheets verified and not, exports so far.
#include "dialogs/export_dialog.h"
#include "drive/single_run.h"
#include "export_fixture.h"
#include "models/export_models.h"
#include "page_pictures.h"
#include "pages/train/recipe_check.h"
#include "tokenizer_files.h"
#include "widgets/banner.h"

#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTest>
#include <QTreeView>
#include <QTreeWidget>

using namespace qw;
using namespace qw::ui;
namespace fs = std::filesystem;

namespace {

constexpr int kSoon = 20'000;
const char* const kLayer = "model.layers.1.mlp.up_proj";

QString qt(const fs::path& path) { return QString::fromStdString(path.string()); }

QString allText(const QTreeWidget& tree) {
    QStringList lines;
    for (QTreeWidgetItemIterator at(const_cast<QTreeWidget*>(&tree)); *at; ++at)
        lines << (*at)->text(0) + QLatin1Char('|') + (*at)->text(1);
    return lines.join(QLatin1Char('\n'));
}

// A dialog on a desk with one quantized run; "int4" by default.
struct Export : test::Desk {
    std::string run;
    std::unique_ptr<ExportDialog> dialog;

    explicit Export(const records::QatBlock& scheme = test::weightScheme(4, 32)) {
        run = test::writeQuantizedRun(project(), {.name = "int4 QAT", .right = 40}, scheme);
    }
    void show() {
        QVERIFY(open());
        dialog = std::make_unique<ExportDialog>(session, QString::fromStdString(run));
        dialog->show();
        QTRY_VERIFY_WITH_TIMEOUT(model()->verdict(0), kSoon);
    }
    template<class T> [[nodiscard]] T* find(const char* name) const {
        T* found = dialog->findChild<T*>(QLatin1String(name));
        if (!found) qFatal("there is no %s", name);
        return found;
    }
    [[nodiscard]] Banner* banner() const { return dialog->findChild<Banner*>(); }
    [[nodiscard]] QTreeView* list() const { return find<QTreeView>("exportFormat"); }
    [[nodiscard]] FormatsModel* model() const { return qobject_cast<FormatsModel*>(list()->model()); }
    [[nodiscard]] QPushButton* button() const { return find<QPushButton>("exportButton"); }
    [[nodiscard]] QString whyNot() const { return button()->property("disabledReason").toString(); }
    [[nodiscard]] QTreeWidget* sheet() const { return find<QTreeWidget>("parityReport"); }
    void choose(const char* format) { list()->setCurrentIndex(model()->index(model()->rowOf(QLatin1String(format)), 0)); }
    void setFolder(const fs::path& folder) {
        auto* line = find<QLineEdit>("exportFolder");
        line->selectAll();
        QTest::keyClicks(line, qt(folder));
    }
    void start() {
        QTRY_VERIFY2_WITH_TIMEOUT(button()->isEnabled(), qPrintable(whyNot()), kSoon);
        QTest::mouseClick(button(), Qt::LeftButton);
        QCOMPARE(engine.asked.last().what, QStringLiteral("command"));
    }
    // The tool's part: what was asked for is done for real and answered.
    void work() {
        const QStringList asked = engine.asked.last().arguments;
        const auto after = [&](const char* option) { return asked.at(asked.indexOf(QLatin1String(option)) + 1).toStdString(); };
        const auto done = test::exportRun(project(), run, after("--format"), after("--out"), asked.contains(QStringLiteral("--overwrite")));
        engine.answer(QStringLiteral("command"), done ? Result<QByteArray>(QByteArray::fromStdString(*done)) : done.error());
    }
    void exportTo(const fs::path& folder) {
        setFolder(folder);
        start();
        if (engine.asked.isEmpty()) return;
        work();
        QTRY_COMPARE_WITH_TIMEOUT(find<QTreeView>("exportList")->model()->rowCount(), 1, kSoon);
    }
};

} // namespace

class ExportDialogTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyFormatIsJudged() {
        Export desk;
        desk.show();
        const QAbstractItemModelTester tester(desk.model(), QAbstractItemModelTester::FailureReportingMode::Fatal);
        const auto source = checkpoint::Checkpoint::open(test::folderOf(desk.project(), desk.run).nativeExport());
        QVERIFY(source.ok());
        QCOMPARE(desk.model()->rowCount(), static_cast<int>(formats::formats().size()));
        for (int row = 0; row < desk.model()->rowCount(); ++row) {
            const auto* format = desk.model()->format(row);
            const QString word = desk.model()->index(row, FormatsModel::Weights).data().toString();
            if (format->latent) {
                QCOMPARE(word, QStringLiteral("unsupported"));
                continue;
            }
            const auto verdict = format->check(*source);
            QVERIFY(verdict.ok());
            QCOMPARE(word, QString::fromLatin1(formats::word(verdict->fidelity)));
            QVERIFY(!desk.model()->index(row, FormatsModel::Weights).data(Qt::DecorationRole).isNull()); // not by words or colour alone
            desk.choose(format->name);
            const QString words = desk.find<QLabel>("exportVerdict")->text();
            QVERIFY2(words.contains(text(verdict->why)), qPrintable(words));
            QVERIFY(words.contains(text(verdict->runsOn)));
            for (const auto& note : verdict->notes) QVERIFY(words.contains(text(note)));
        }
        QCOMPARE(desk.model()->best(), desk.model()->rowOf(QStringLiteral("compressed-tensors")));
    }

    void theUnsupportedSaysWhyAndIsNotExported() {
        Export desk;
        desk.show();
        desk.choose("hf-latent");
        QVERIFY(!desk.button()->isEnabled());
        QVERIFY2(desk.whyNot().contains(QStringLiteral("no trained weights")), qPrintable(desk.whyNot()));
        QVERIFY(desk.find<QLabel>("exportProgressText")->text().contains(desk.whyNot()));
        QTest::keyClick(desk.dialog.get(), Qt::Key_Return);
        QVERIFY(desk.engine.asked.isEmpty());
    }

    void theNewestRunWins() {
        Export desk;
        const std::string other = test::writeQuantizedRun(desk.project(), {.name = "float zero QAT"}, [] {
            auto scheme = test::weightScheme(4, 32, records::Mapping::Asymmetric);
            scheme.weight->isSigned = false;
            scheme.weight->zeroDomain = records::ZeroDomain::Float;
            return scheme;
        }());
        desk.show();
        auto* runs = desk.find<QComboBox>("exportRun");
        for (int turn = 0; turn < 5; ++turn) runs->setCurrentIndex(runs->findData(QString::fromStdString(turn % 2 ? desk.run : other)));
        QVERIFY(!desk.model()->verdict(0)); // of neither until it is known
        QVERIFY(!desk.button()->isEnabled());
        QTRY_VERIFY_WITH_TIMEOUT(desk.model()->verdict(0), kSoon);
        const int row = desk.model()->rowOf(QStringLiteral("compressed-tensors"));
        QCOMPARE(desk.model()->verdict(row)->fidelity, formats::Fidelity::Unsupported);
        QVERIFY(desk.find<QLineEdit>("exportFolder")->text().contains(QStringLiteral("float-zero-qat")));
    }

    void aVerifiedExportShowsVerified() {
        Export desk;
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
        Export desk;
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
        Export desk;
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

    void theToolsErrorIsShown() {
        Export desk;
        desk.show();
        desk.setFolder(desk.dir.path() / "out");
        desk.start();
        desk.engine.answer(QStringLiteral("command"), Error{"file.corrupt", "layer model.layers.1 reads back differently", "", "", false});
        QCOMPARE(desk.banner()->property("code").toString(), QStringLiteral("file.corrupt"));
        QTRY_VERIFY_WITH_TIMEOUT(desk.button()->isEnabled(), kSoon);
        QVERIFY(!desk.find<QProgressBar>("exportProgress")->isVisible());
    }

    void cancelEndsTheToolAndKeepsTheDialog() {
        Export desk;
        desk.show();
        desk.setFolder(desk.dir.path() / "out");
        desk.start();
        auto* bar = desk.find<QProgressBar>("exportProgress");
        desk.engine.asked.last().progress(QStringLiteral("export bytes 1000000/4000000 (25 %)"));
        QCOMPARE(bar->value() * 4, bar->maximum());
        QVERIFY(desk.find<QLabel>("exportProgressText")->text().contains(QStringLiteral("1.00 MB of 4.00 MB")));
        desk.engine.asked.last().progress(QStringLiteral("export bytes 4000000/4000000 (100 %)"));
        QCOMPARE(bar->maximum(), 0); // how long reading back takes is not known
        QTest::keyClick(desk.dialog.get(), Qt::Key_Escape);
        QCOMPARE(desk.engine.cancelled.size(), 1);
        desk.engine.answer(QStringLiteral("command"), Error{"engine.cancelled", "cancelled", "", "", true});
        QVERIFY(desk.dialog->isVisible());
        QVERIFY(!bar->isVisible());
        QCOMPARE(desk.banner()->property("code").toString(), QStringLiteral("engine.cancelled"));
        QTest::keyClick(desk.dialog.get(), Qt::Key_Escape);
        QVERIFY(!desk.dialog->isVisible());
    }

    void theFolderMustBeNewOrAnEarlierExport() {
        Export desk;
        desk.show();
        desk.choose("native");
        test::writeText(desk.dir.path() / "mine" / "thesis.txt", "keep");
        desk.setFolder(desk.dir.path() / "mine");
        QTRY_VERIFY_WITH_TIMEOUT(desk.whyNot().contains(QStringLiteral("other files")), kSoon);
        QVERIFY(!desk.find<QCheckBox>("exportOverwrite")->isEnabled());
        desk.setFolder(desk.dir.path() / "mine" / "thesis.txt");
        QTRY_VERIFY_WITH_TIMEOUT(desk.whyNot().contains(QStringLiteral("is a file")), kSoon);
        desk.setFolder("/proc/self/out"); // even root cannot write there
        QTRY_VERIFY_WITH_TIMEOUT(desk.whyNot().contains(QStringLiteral("may not be written")), kSoon);

        desk.exportTo(desk.dir.path() / "out");
        desk.find<QTabWidget>("exportTabs")->setCurrentIndex(0);
        QTRY_VERIFY_WITH_TIMEOUT(desk.whyNot().contains(QStringLiteral("earlier export")), kSoon);
        QTest::mouseClick(desk.find<QCheckBox>("exportOverwrite"), Qt::LeftButton, {}, QPoint(8, 8));
        desk.start();
        QVERIFY(desk.engine.asked.last().arguments.contains(QStringLiteral("--overwrite")));
        desk.work();
        QCOMPARE(desk.find<QTreeView>("exportList")->model()->rowCount(), 1); // the same folder, so the same export
        QCOMPARE(desk.sheet()->property("verified").toBool(), true);
    }

    void aFullDiskForbidsTheExport() {
        Export desk;
        // A model of a tebibyte that takes no room: nothing has been written into its file.
        const wire::RunFolder folder = test::folderOf(desk.project(), desk.run);
        const std::string config = test::tinyConfig("llama", "\"torch_dtype\":\"float32\",\"tie_word_embeddings\":true,");
        test::writeText(folder.model() / "config.json",
                        QString::fromStdString(config)
                            .replace(QStringLiteral("\"vocab_size\":96"), QStringLiteral("\"vocab_size\":4194304"))
                            .replace(QStringLiteral("\"hidden_size\":64"), QStringLiteral("\"hidden_size\":65536"))
                            .toStdString());
        std::string header = "{\"__metadata__\":{}";
        uint64_t at = 0;
        const auto parsed = checkpoint::parseModelConfig(test::readText(folder.model() / "config.json"));
        QVERIFY2(parsed.ok(), parsed.ok() ? "" : parsed.error().message.c_str());
        for (const auto& tensor : checkpoint::expectedTensors(*parsed, true)) {
            uint64_t bytes = 4;
            std::string shape;
            for (const int64_t d : tensor.shape) {
                bytes *= static_cast<uint64_t>(d);
                shape.append(shape.empty() ? "" : ",").append(std::to_string(d));
            }
            header += ",\"" + tensor.name + "\":{\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[" + std::to_string(at) +
                      "," + std::to_string(at + bytes) + "]}";
            at += bytes;
        }
        header += "}";
        while (header.size() % 8) header += ' ';
        const uint64_t length = header.size();
        test::writeText(folder.model() / "model.safetensors", std::string(reinterpret_cast<const char*>(&length), 8) + header);
        std::error_code error;
        fs::resize_file(folder.model() / "model.safetensors", 8 + length + at, error);
        if (error) QSKIP("this file system has no sparse files of that size");
        auto log = *wire::EventLogWriter::open(folder.events());
        test::append(log, wire::Artifact{"model", "model", "abc", "{}", int64_t{1} << 40, 10});
        desk.show();
        if (freeBytes(desk.dir.path()) > uint64_t{1} << 40) QSKIP("there is room for a tebibyte here");
        desk.choose("hf-latent");
        QTRY_VERIFY2_WITH_TIMEOUT(desk.whyNot().contains(QStringLiteral("are free there")), qPrintable(desk.whyNot()), kSoon);
        QVERIFY(!desk.button()->isEnabled());
        QVERIFY(desk.engine.asked.isEmpty());
    }

    void aMissingFolderIsMarked() {
        Export desk;
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
        Export desk;
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
        auto plan = drive::evaluationOf(*store.run(desk.run), out);
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

    void aQuantizedFolderIsNotTrained() {
        Export desk;
        records::Recipe recipe;
        recipe.model.path = test::folderOf(desk.project(), desk.run).nativeExport().string();
        const CheckedRecipe checked = checkRecipe(recipe);
        const auto of = std::ranges::find(checked.findings, std::string("model.path"), &config::Finding::key);
        QVERIFY(of != checked.findings.end() && of->isError);
        QVERIFY2(of->message.find("quantized already (qat_workbench)") != std::string::npos, of->message.c_str());
        QVERIFY(of->hint.find("unquantized model") != std::string::npos);
    }

    // config.json beside a GGUF says nothing of it.
    void aQuantizedGgufIsNotTrained() {
        Export desk;
        const fs::path out = desk.dir.path() / "gguf", native = test::folderOf(desk.project(), desk.run).nativeExport();
        auto tokenizer = test::worked(false);
        tokenizer["added_tokens"] = {test::added("</s>", {"special"})};
        test::writeText(native / "tokenizer.json", tokenizer.dump());
        test::writeText(native / "tokenizer_config.json", "{\"eos_token\": \"</s>\"}");
        QVERIFY(test::exportRun(desk.project(), desk.run, "gguf", out).ok());
        for (const auto& entry : fs::directory_iterator(out)) {
            if (entry.path().extension() != ".gguf") continue;
            for (const fs::path& model : {out, entry.path()}) {
                records::Recipe recipe;
                recipe.model.path = model.string();
                const CheckedRecipe checked = checkRecipe(recipe);
                const auto of = std::ranges::find(checked.findings, std::string("model.path"), &config::Finding::key);
                QVERIFY(of != checked.findings.end() && of->isError);
                QVERIFY2(of->message.find("quantized already (gguf)") != std::string::npos, of->message.c_str());
            }
        }
    }

    void nothingIsClippedOrNameless_data() { test::pictureRows(); }
    void nothingIsClippedOrNameless() {
        QFETCH(bool, dark);
        QFETCH(QSize, size);
        Theme::instance().choose(dark ? Theme::Choice::Dark : Theme::Choice::Light);
        Export desk;
        QVERIFY(test::exportRun(desk.project(), desk.run, "compressed-tensors", desk.dir.path() / "shipped").ok());
        QVERIFY(test::exportRun(desk.project(), desk.run, "gptq", desk.dir.path() / "gone").ok());
        fs::remove_all(desk.dir.path() / "gone");
        desk.show();
        desk.dialog->resize(size);
        desk.choose("gptq");
        QTRY_VERIFY_WITH_TIMEOUT(desk.button()->isEnabled(), kSoon);
        for (const int tab : {0, 1}) {
            desk.find<QTabWidget>("exportTabs")->setCurrentIndex(tab);
            if (tab == 1) desk.find<QTreeView>("exportList")->setCurrentIndex(desk.find<QTreeView>("exportList")->model()->index(1, 0));
            test::picture(*desk.dialog, tab == 0 ? "export-write" : "export-sheet");
            QCOMPARE(test::clipped(*desk.dialog), QStringList());
            QCOMPARE(test::withoutName(*desk.dialog), QStringList());
        }
        Theme::instance().choose(Theme::Choice::System);
    }

    void anExportOpensAsModel() {
        Export desk;
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

QTEST_MAIN(ExportDialogTest)
#include "tst_export_dialog.moc"
