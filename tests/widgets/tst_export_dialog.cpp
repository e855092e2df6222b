// SPDX-License-Identifier: GPL-3.0-or-later
// What: the export dialog up to the export: every format judged for the run, what forbids one, errors, cancelling.
#include "export_desk.h"
#include "page_pictures.h"
#include "pages/train/recipe_check.h"
#include "tokenizer_files.h"

#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QProgressBar>

using namespace qw;
using namespace qw::ui;
using test::kSoon;
namespace fs = std::filesystem;

class ExportDialogTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theWeightsOfARunAreNamed() {
        const auto texts = [](const ExportSources& sources) {
            QStringList words;
            for (const ExportWeights& one : exportWeights(sources)) words << one.text;
            return words;
        };
        const auto artifact = [](const char* kind, int64_t step) {
            store::ArtifactInfo made;
            made.kind = kind;
            made.step = step;
            return made;
        };
        ExportSources sources;
        sources.artifacts = {artifact("native", -1)}; // of a PTQ run
        QCOMPARE(texts(sources), QStringList{QStringLiteral("none: the weights were not trained")});
        sources.artifacts = {};
        sources.steps = {{4, true}};
        QCOMPARE(texts(sources), (QStringList{QStringLiteral("none yet: training has not ended"), QStringLiteral("step 4, the best")}));
        sources.artifacts = {artifact("model", 1500), artifact("native", -1)};
        sources.steps = {{500, false}, {1000, true}, {1500, false}}; // the last one is the end itself
        const QString thousand = QLocale().toString(1000), end = QLocale().toString(1500);
        QCOMPARE(texts(sources), (QStringList{QStringLiteral("the end: step %1").arg(end),
                                              QStringLiteral("step %1, the best").arg(thousand), QStringLiteral("step 500")}));
        records::Recipe recipe;
        recipe.checkpoint.loadBestAtEnd = true;
        sources.run.config = config::writeRecipe(recipe);
        QCOMPARE(texts(sources), (QStringList{QStringLiteral("the end: the lowest evaluation loss of %1 steps").arg(end),
                                              QStringLiteral("step %1").arg(end), QStringLiteral("step %1, the best").arg(thousand),
                                              QStringLiteral("step 500")}));
    }

    // The tool makes folders of it first; then it is judged and written like the end of the run.
    void aCheckpointIsPreparedJudgedAndWritten() {
        test::ExportDesk desk;
        desk.writeCheckpoint(75);
        desk.show();
        auto* weights = desk.find<QComboBox>("exportCheckpoint");
        const int best = weights->findText(QStringLiteral("step 75, the best"));
        QVERIFY(best > 0 && weights->currentIndex() == 0);
        const int row = desk.model()->rowOf(QStringLiteral("gptq"));
        QCOMPARE(desk.model()->verdict(row)->fidelity, formats::Fidelity::Exact); // 4 bits
        weights->setCurrentIndex(best);
        QCOMPARE(desk.engine.asked.last().arguments.mid(0, 5),
                 (QStringList{QStringLiteral("export"), QString::fromStdString(desk.run), QStringLiteral("--check"),
                              QStringLiteral("--step"), QStringLiteral("75")}));
        QVERIFY(!weights->isEnabled() && !desk.button()->isEnabled());
        desk.engine.asked.last().progress(QStringLiteral("convert folders 0/2 (0 %)"));
        QVERIFY(desk.find<QLabel>("exportProgressText")->text().contains(QStringLiteral("checkpoint")));
        desk.makeCheckpointFolders(75); // of 8 bits, so that its verdicts are others
        desk.engine.answer(QStringLiteral("command"), QByteArray("[]"));
        QTRY_VERIFY_WITH_TIMEOUT(desk.model()->verdict(row), kSoon);
        QCOMPARE(desk.model()->verdict(row)->fidelity, formats::Fidelity::Unsupported);
        QCOMPARE(weights->currentIndex(), best);
        desk.choose("native");
        QVERIFY(desk.find<QLineEdit>("exportFolder")->text().contains(QStringLiteral("-step-75-native")));
        desk.setFolder(desk.dir.path() / "out");
        desk.start();
        const QStringList asked = desk.engine.asked.last().arguments;
        QCOMPARE(asked.value(asked.indexOf(QStringLiteral("--step")) + 1), QStringLiteral("75"));
        desk.work();
        auto* past = desk.find<QTreeView>("exportList");
        QTRY_COMPARE_WITH_TIMEOUT(past->model()->rowCount(), 1, kSoon);
        QVERIFY(past->model()->index(0, 0).data().toString().contains(QStringLiteral("step 75")));
        QVERIFY(!desk.sheet()->findItems(QStringLiteral("Checkpoint"), Qt::MatchExactly).isEmpty());
        QTest::mouseClick(desk.find<QPushButton>("checkExportButton"), Qt::LeftButton); // against the checkpoint's own codes
        QTRY_VERIFY_WITH_TIMEOUT(
            !desk.sheet()->findItems(QStringLiteral("now: weights"), Qt::MatchStartsWith | Qt::MatchRecursive).isEmpty(), kSoon);
        QCOMPARE(desk.sheet()->property("verified").toBool(), true);
    }

    void aCheckpointThatCannotBeReadLeavesTheEndChosen() {
        test::ExportDesk desk;
        desk.writeCheckpoint(75);
        desk.show();
        auto* weights = desk.find<QComboBox>("exportCheckpoint");
        for (const auto& error :
             {Error{"file.corrupt", "step_00000075 is damaged", "", "", false}, Error{"engine.cancelled", "", "", "", true}}) {
            QTest::keyClick(weights, Qt::Key_Down);
            QVERIFY(!desk.model()->verdict(0));
            desk.engine.answer(QStringLiteral("command"), error);
            QCOMPARE(desk.banner()->property("code").toString(), QString::fromStdString(error.code));
            QTRY_VERIFY_WITH_TIMEOUT(desk.model()->verdict(0), kSoon);
            QCOMPARE(weights->currentIndex(), 0);
            QTRY_VERIFY_WITH_TIMEOUT(desk.button()->isEnabled(), kSoon);
        }
    }

    void everyFormatIsJudged() {
        test::ExportDesk desk;
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
        test::ExportDesk desk;
        desk.show();
        desk.choose("hf-latent");
        QVERIFY(!desk.button()->isEnabled());
        QVERIFY2(desk.whyNot().contains(QStringLiteral("no trained weights")), qPrintable(desk.whyNot()));
        QVERIFY(desk.find<QLabel>("exportProgressText")->text().contains(desk.whyNot()));
        QTest::keyClick(desk.dialog.get(), Qt::Key_Return);
        QVERIFY(desk.engine.asked.isEmpty());
    }

    void theNewestRunWins() {
        test::ExportDesk desk;
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

    void theToolsErrorIsShown() {
        test::ExportDesk desk;
        desk.show();
        desk.setFolder(desk.dir.path() / "out");
        desk.start();
        desk.engine.answer(QStringLiteral("command"), Error{"file.corrupt", "layer model.layers.1 reads back differently", "", "", false});
        QCOMPARE(desk.banner()->property("code").toString(), QStringLiteral("file.corrupt"));
        QTRY_VERIFY_WITH_TIMEOUT(desk.button()->isEnabled(), kSoon);
        QVERIFY(!desk.find<QProgressBar>("exportProgress")->isVisible());
    }

    void cancelEndsTheToolAndKeepsTheDialog() {
        test::ExportDesk desk;
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
        test::ExportDesk desk;
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
        test::ExportDesk desk;
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

    void aQuantizedFolderIsNotTrained() {
        test::ExportDesk desk;
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
        test::ExportDesk desk;
        const fs::path out = desk.dir.path() / "gguf", native = test::folderOf(desk.project(), desk.run).nativeExport();
        test::writeWorkedTokenizer(native);
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
        test::ExportDesk desk;
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
            QTRY_COMPARE(test::clipped(*desk.dialog), QStringList()); // the layout follows the last text
            QCOMPARE(test::withoutName(*desk.dialog), QStringList());
        }
        Theme::instance().choose(Theme::Choice::System);
    }
};

QTEST_MAIN(ExportDialogTest)
#include "tst_export_dialog.moc"
