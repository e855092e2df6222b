// SPDX-License-Identifier: GPL-3.0-or-later
// What: the pieces of the Train page without a window: the table of fields, the recipe's lists, forecast, checks, import report.
#include "client/project.h"
#include "client/recipe_draft.h"
#include "config/presets.h"
#include "config/recipe_file.h"
#include "config/resources.h"
#include "formats/format.h"
#include "pages/train/forecast.h"
#include "pages/train/import_report.h"
#include "pages/train/recipe_check.h"
#include "pages/train/recipe_fields.h"
#include "pages/train/recipe_list.h"
#include "random_recipe.h"
#include "test_data.h"

#include <QAbstractItemModelTester>
#include <QSet>
#include <cmath>

using namespace qw;
using namespace qw::ui;
using records::Recipe;

namespace {

QString q(const std::string& s) { return QString::fromStdString(s); }

Recipe goodRecipe(const std::filesystem::path& dir) {
    test::writeText(dir / "text.jsonl", "{\"text\": \"a b c\"}\n");
    test::writeText(dir / "valid.jsonl", "{\"text\": \"d e f\"}\n");
    Recipe r = RecipeDraft::fresh();
    r.model.path = (config::resourcesDir() / "sample/model").string();
    r.data.train = {{(dir / "text.jsonl").string(), "jsonl_text", "text", "file", {0, 1}, 0}};
    r.data.eval = {{(dir / "valid.jsonl").string(), "jsonl_text", "text", "file", {0, 1}, 0}};
    r.data.seqLen = 64;
    r.train.maxSteps = 600;
    r.schemes = {*config::makeScheme("a", "{preset: 8da4w}")};
    return r;
}

} // namespace

class RecipeFormTest : public QObject {
    Q_OBJECT
    test::TempDir m_dir;

private Q_SLOTS:
    void exportsAreEditedUndoneAndWritten() {
        QUndoStack undo;
        RecipeDraft draft(undo);
        draft.replace(QStringLiteral("start"), goodRecipe(m_dir.path()));
        const Recipe before = draft.recipe();
        RecipeListModel model(exportList(), draft);
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        QCOMPARE(model.rowCount(), 0);
        model.append({});
        QCOMPARE(model.rowCount(), 1);
        const QModelIndex scheme = model.index(0, 0), format = model.index(0, 1);
        QCOMPARE(scheme.data(Qt::EditRole).toString(), QStringLiteral("verdict"));
        QCOMPARE(scheme.data(RecipeListModel::ChoicesRole).toStringList(),
                 (QStringList{QStringLiteral("verdict"), QStringLiteral("all"), QStringLiteral("a")}));
        QStringList known;
        for (const formats::Format* one : formats::formats())
            if (one->write) known << QString::fromLatin1(one->name);
        QCOMPARE(format.data(RecipeListModel::ChoicesRole).toStringList(), known);
        // Every format that is written is one that a recipe may name.
        for (const QString& name : known) {
            QVERIFY(model.setData(format, name, Qt::EditRole));
            const auto written = config::parseRecipe(utf8(draft.fileText()), "written.yaml");
            QVERIFY2(written.ok() && *written == draft.recipe(), qPrintable(draft.fileText()));
            QCOMPARE(format.data().toString(), QString::fromUtf8((*formats::findFormat(utf8(name)))->title));
        }
        QVERIFY(model.setData(scheme, QStringLiteral("a"), Qt::EditRole));
        QVERIFY2(draft.fileText().contains(QStringLiteral("export:")), qPrintable(draft.fileText()));
        QVERIFY(checkRecipe(draft.recipe()).good());
        QVERIFY(model.setData(scheme, QStringLiteral("b"), Qt::EditRole));
        const auto checked = checkRecipe(draft.recipe());
        QVERIFY(checked.firstError());
        QCOMPARE(q(checked.firstError()->key), QStringLiteral("export[0].scheme"));
        while (undo.index() > 1) undo.undo();
        QCOMPARE(model.rowCount(), 0);
        QVERIFY(draft.recipe() == before);
    }

    void fieldsAreWellMade() {
        QSet<QString> names, keys;
        for (const RecipeField& field : recipeFields()) {
            QVERIFY2(!names.contains(field.name) && !keys.contains(field.key), qPrintable(field.name));
            names << field.name;
            keys << field.key;
            QVERIFY2(!field.label.isEmpty() && field.help.endsWith(QLatin1Char('.')), qPrintable(field.name));
            QVERIFY(!isChanged(field, RecipeDraft::fresh()));
            Recipe r = RecipeDraft::fresh();
            QVERIFY2(config::applySets(r, {utf8(field.key) + "=null"}).ok(), qPrintable(field.key)); // a key of ours
        }
        for (const char* name : {"maxLength",      "epochs",      "maxSteps",          "trainBatch", "evalBatch",
                                 "gradAccum",      "optimizer",   "learningRate",      "schedule",   "warmupRatio",
                                 "warmupSteps",    "weightDecay", "clipNorm",          "evalSteps",  "saveSteps",
                                 "saveTotalLimit", "loadBest",    "earlyStopPatience", "precision",  "activationCheckpointing"})
            QVERIFY2(names.contains(QString::fromLatin1(name)), name);
    }
    void everyFieldWritesWhatItReads() {
        for (uint32_t seed = 0; seed < 60; ++seed) {
            const Recipe recipe = test::randomRecipe(seed);
            for (const RecipeField& field : recipeFields()) {
                if (field.name.startsWith(QLatin1String("warmup"))) continue; // these two exclude each other
                Recipe copy = recipe;
                field.set(copy, field.get(recipe));
                QVERIFY2(copy == recipe, qPrintable(field.name));
            }
        }
    }
    void warmUpFieldsExcludeEachOther() {
        Recipe r = RecipeDraft::fresh();
        findField(QStringLiteral("warmupSteps"))->set(r, 100);
        QVERIFY(r.schedule.warmupSteps == 100 && r.schedule.warmupRatio == 0);
        findField(QStringLiteral("warmupRatio"))->set(r, 0.1);
        QVERIFY(r.schedule.warmupSteps == 0 && r.schedule.warmupRatio == 0.1);
        r.schedule.name = "constant";
        QVERIFY(!whyWithoutEffect(*findField(QStringLiteral("warmupRatio")), r).isEmpty());
    }
    void listsUnderTheTester() {
        QUndoStack undo;
        RecipeDraft draft(undo);
        for (const RecipeList* list : {&trainingText(), &evaluationText(), &evaluationTasks()}) {
            RecipeListModel model(*list, draft);
            QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
            model.append(QStringLiteral("/data/x.jsonl"));
            model.append(QStringLiteral("/data/wiki.test.raw"));
            QCOMPARE(model.rowCount(), 2);
            for (int column = 0; column < model.columnCount(); ++column) {
                const QModelIndex index = model.index(1, column);
                QVERIFY(model.setData(index, model.data(index, Qt::EditRole), Qt::EditRole));
            }
            model.remove(0);
            QCOMPARE(model.rowCount(), 1);
            undo.undo();
            QCOMPARE(model.rowCount(), 2);
        }
        QCOMPARE(q(draft.recipe().data.train[1].format), QStringLiteral("text"));
        QCOMPARE(q(draft.recipe().eval.tasks[0].mode), QStringLiteral("hellaswag"));
        QCOMPARE(q(draft.recipe().eval.tasks[1].name), QStringLiteral("wikitext"));
    }
    void forecastOfARealPlan() {
        const QByteArray json =
            "{'members':5,'plans':[{'member':'float trained','device':'cpu','steps':150,'memory_bytes':1000,'available_bytes':10000,"
            "'memory':[{'name':'weights','bytes':1000}],'skipped':[],'warnings':[],'train_seconds':3.0},"
            "{'member':'8da4w QAT','device':'cpu','steps':200,'memory_bytes':9000,'available_bytes':10000,'memory':[{'name':'weights',"
            "'bytes':8000},{'name':'none','bytes':0},{'name':'gradients','bytes':1000}],'skipped':[{'name':'lm_head','reason':'left out'}],"
            "'warnings':['w']}],'warnings':['eval.every: never fires'],'train_seconds':12.5}";
        const auto f = readForecast(QByteArray(json).replace('\'', '"'));
        QVERIFY(f.ok());
        QCOMPARE(f->member, QStringLiteral("8da4w QAT"));
        QCOMPARE(f->parts.size(), size_t(2));
        QCOMPARE(f->fit(), Forecast::Fit::Tight); // 90 %: amber from 85 %
        QCOMPARE(*f->seconds, 12.5);
        QCOMPARE(f->steps, qint64(200));
        QCOMPARE(f->warnings.size(), 2);
        QCOMPARE(f->skipped, QStringList{QStringLiteral("lm_head: left out")});
        QVERIFY(!readForecast("not json").ok());
    }
    void fitHasItsLimits() {
        Forecast f;
        QCOMPARE(f.fit(), Forecast::Fit::Unknown);
        f.available = 100;
        for (const auto& [total, fit] : std::vector<std::pair<qint64, Forecast::Fit>>{
                 {84, Forecast::Fit::Good}, {85, Forecast::Fit::Tight}, {99, Forecast::Fit::Tight}, {100, Forecast::Fit::Over}}) {
            f.total = total;
            QCOMPARE(f.fit(), fit);
        }
    }
    void waysToFitKeepTheUpdate() {
        Recipe r = RecipeDraft::fresh();
        r.train.microBatch = 8;
        r.activationCheckpointing = "none";
        const auto ways = waysToFit(r);
        QCOMPARE(ways.size(), size_t(4));
        for (const auto& way : ways) {
            Recipe changed = r;
            way.change(changed);
            QVERIFY2(!(changed == r), qPrintable(way.text));
        }
        Recipe halved = r;
        ways[1].change(halved);
        QCOMPARE(halved.train.microBatch * halved.train.gradAccum, r.train.microBatch * r.train.gradAccum);
    }
    void cadencesThatNeverFire() {
        QVERIFY(neverFires(500, 150).contains(QStringLiteral("150")));
        QVERIFY(neverFires(150, 150).isEmpty() && neverFires(0.1, 150).isEmpty() && neverFires(0, 150).isEmpty() &&
                neverFires(500, 0).isEmpty());
    }
    void checkFindsMissingText() {
        Recipe r = goodRecipe(m_dir.path());
        CheckedRecipe good = checkRecipe(r);
        QVERIFY2(good.good(), good.good() ? "" : good.firstError()->message.c_str());
        QCOMPARE(good.rows, 4); // float, float trained, PTQ, QAT
        QCOMPARE(good.trained, 2);
        QCOMPARE(good.knownSteps, int64_t(600));
        QVERIFY(good.dataBytes > 0);
        r.data.train.clear();
        CheckedRecipe missing = checkRecipe(r);
        QVERIFY(!missing.good());
        QCOMPARE(q(missing.firstError()->key), QStringLiteral("data.train"));
        r.data.train = {{"/nowhere/x.jsonl", "jsonl_text", "text", "file", {0, 1}, 0}};
        QCOMPARE(q(checkRecipe(r).firstError()->key), QStringLiteral("data.train[0].path"));
    }
    void defaultCadenceThatNeverFiresIsFound() {
        Recipe r = goodRecipe(m_dir.path());
        r.train.maxSteps = 100; // checkpoint.every stays at its 500
        const auto checked = checkRecipe(r);
        QVERIFY(std::ranges::any_of(checked.findings, [](const auto& f) { return !f.isError && f.key == "checkpoint.every"; }));
    }
    void presetKeepsModelAndText() {
        const Recipe current = goodRecipe(m_dir.path());
        const auto got = fromPreset("torchao-llama3-c4-8da4w", current);
        QVERIFY(got.ok());
        QVERIFY(got->model == current.model && got->data.train == current.data.train && got->train.maxSteps == 5000);
        QVERIFY(!fromPreset("nothing", current).ok());
    }
    void importModelUnderTheTester() {
        const auto imported = config::importRecipe("base_model: x\nmicro_batch_size: 4\nadapter: lora\nnonsense: 1\n", "/x/peer.yaml");
        QVERIFY(imported.ok());
        ImportModel model(*imported);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        QCOMPARE(model.rowCount(), static_cast<int>(imported->keys.size()));
        QVERIFY2(model.summary().contains(QStringLiteral("1 unknown")), qPrintable(model.summary()));
        for (const char* key : {"base_model", "micro_batch_size", "adapter", "nonsense"})
            QVERIFY(model.asText().contains(QString::fromLatin1(key)));
    }
    void shellWords() {
        QCOMPARE(shellWord(QStringLiteral("/a/b.yaml")), QStringLiteral("/a/b.yaml"));
        QCOMPARE(shellWord(QStringLiteral("a b")), QStringLiteral("'a b'"));
        QCOMPARE(shellWord(QStringLiteral("it's")), QStringLiteral("'it'\\''s'"));
        QCOMPARE(shellWord({}), QStringLiteral("''"));
    }
};

QTEST_MAIN(RecipeFormTest)
#include "tst_recipe_form.moc"
