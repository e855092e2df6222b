// SPDX-License-Identifier: GPL-3.0-or-later
// What: qatw compare on a project made here: a study with runs in the store, one member failed, one not run yet.
#include "config/recipe_file.h"
#include "drive/export_run.h"
#include "drive/single_run.h"
#include "store_fixture.h"
#include "study/gather.h"
#include "study/study_file.h"

#include <QProcess>
#include <nlohmann/json.hpp>

using namespace qw;
using namespace qw::test;
using records::RowRole;

namespace {

constexpr const char* kRecipe = "recipe: 1\nname: which\nmodel: {path: m}\noptim: {lr: 1.0e-3}\ntrain: {max_steps: 10}\n"
                                "eval: {tasks: [{name: people, path: p.jsonl, mode: hellaswag}]}\n"
                                "schemes: [{name: w4, preset: 8da4w}, {name: w3, preset: intx_weight_only, weight: {dtype: int3}}]\n"
                                "verdict: {metric: people.acc, max_loss: 2}\n";
constexpr int kItems = 400;

// The first `lost` of the items are wrong.
records::EvalResult evaluated(const wire::RunFolder& folder, const std::string& variant, int lost, int64_t createdMs) {
    records::EvalResult result;
    result.uid = newUlid();
    result.task = "people";
    result.kind = "hellaswag";
    result.taskVersion = "1.0";
    result.variant = variant;
    result.n = kItems;
    result.metrics = {{"acc", 1.0 - double(lost) / kItems, 0.01}};
    result.taskDigest = "digest";
    result.settings = "{}";
    result.settingsHash = "settings";
    result.tokensPerSecond = 1234;
    result.createdMs = createdMs;
    result.itemsPath = "eval/" + result.uid + ".jsonl";
    std::filesystem::create_directories(folder.eval());
    std::ofstream items(folder.dir / result.itemsPath);
    for (int i = 0; i < kItems; ++i) items << wire::toJson(records::EvalItem{i, {-1, -2}, i >= lost, i >= lost, 0, 0, 3}) << '\n';
    return result;
}

std::string writeRun(const std::filesystem::path& project, const study::Member& member, int lost, bool fails) {
    records::RunIdentity identity = member.run;
    const wire::RunFolder folder = *wire::createRunFolder(project, identity);
    std::ofstream(folder.resolvedConfig()) << config::writeRecipe(member.recipe);
    auto log = *wire::EventLogWriter::open(folder.events());
    append(log, wire::Attempt{1, "host", "cpu", "2.11.0", "build", 77, 0, 2, true});
    const bool quantized = identity.role == RowRole::Ptq || identity.role == RowRole::Qat;
    wire::ModelFacts facts;
    facts.dtype = facts.exportDtype = "bfloat16";
    facts.bytes = 8000;
    facts.quantizedBytes = identity.scheme == "w3" ? 1500 : 2000;
    facts.bitsPerWeight = quantized ? (identity.scheme == "w3" ? 3.5 : 4.5) : 0;
    if (quantized) facts.layers = {{"q_proj", 32, 64, "int4 g32 sym", "", 4.5}, {"odd_proj", 32, 30, "", "32 does not divide 30", 16.0}};
    append(log, facts);
    append(log, wire::StateChange{records::RunState::Running, "train", {}});
    if (fails) {
        append(log, wire::Notice{true, "train.nonfinite", "the loss is not finite", {}, {}});
        append(log, wire::StateChange{records::RunState::Failed, {}, {}});
        append(log, wire::Bye{5, "failed"});
        return identity.uid;
    }
    if (quantized) {
        append(log, wire::EvalDone{evaluated(folder, "fake_quant", 0, 1)}); // on the way; no result of the row
        append(log, wire::Artifact{"native", "exports/native", "h", "", identity.scheme == "w3" ? 1510 : 2010, -1});
    }
    append(log, wire::EvalDone{evaluated(folder, quantized ? "quantized" : "float", lost, 2)});
    append(log, wire::StateChange{records::RunState::Completed, {}, {}});
    append(log, wire::Bye{0, "done"});
    return identity.uid;
}

} // namespace

class CompareStoreTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aStudyFromTheStore() {
        const TempDir dir;
        auto db = store::Store::open(dir.path());
        QVERIFY(db.ok());
        const auto recipe = config::parseRecipe(kRecipe, dir.path() / "r.yaml");
        QVERIFY(recipe.ok());
        auto study = study::makeStudy(*recipe, kRecipe, {});
        const auto info = db->createStudy("which");
        QVERIFY(study.ok() && info.ok() && study::writeStudy(*study, info->uid, info->dir, info->createdMs).ok());
        // float, float trained, w4 PTQ, w4 QAT (fails), w3 PTQ, w3 QAT (not run)
        const int lost[] = {40, 4, 8, 0, 60};
        for (size_t i = 0; i < 5; ++i) {
            study::Row& row = study->rows[i];
            row.runUid = writeRun(dir.path(), row.member, lost[i], i == 3);
            const auto& run = row.member.run;
            QVERIFY(db->putStudyRow({info->uid, run.role, run.scheme, run.method, run.block, run.seed, row.runUid}).ok());
        }
        QVERIFY(study::saveStudy(*study).ok() && db->sync().ok());

        const auto json = nlohmann::json::parse(compare(dir.path(), {QStringLiteral("--json")}).toStdString());
        const auto& rows = json["rows"];
        QCOMPARE(rows.size(), size_t(6));
        QVERIFY(rows[0]["label"] == "float" && rows[1]["label"] == "float trained" && rows[5]["label"] == "w3 QAT");
        QVERIFY(rows[1]["cells"][0]["value"] == 0.99 && rows[2]["cells"][0]["value"] == 0.98);
        QVERIFY(std::abs(rows[2]["cells"][0]["degradation"].get<double>() + 0.01) < 1e-12);
        // Four items lost to the reference, none won: 2 / 2^4.
        QVERIFY(std::abs(rows[2]["cells"][0]["p_reference"].get<double>() - 0.125) < 1e-12);
        QVERIFY(rows[2]["bytes"] == 2010 && rows[2]["bytes_forecast"] == false && rows[4]["bytes"] == 1510);
        QVERIFY(rows[0]["bits_per_weight"] == 16.0 && rows[2]["bits_per_weight"] == 4.5 && rows[2]["tokens_per_s"] == 1234.0);
        QVERIFY(rows[3]["problem"] == "failed: the loss is not finite" && rows[3]["cells"][0]["value"].is_null() &&
                rows[3]["bytes_forecast"] == true);
        QVERIFY(rows[5]["problem"] == "has not run yet");
        QVERIFY(rows[2]["skipped"] == nlohmann::json({"odd_proj"}));
        QVERIFY(json["verdict"]["row"] == 2 && json["verdict"]["sentence"].get<std::string>().starts_with("Ship w4 PTQ: "));

        const QString plain = compare(dir.path(), {});
        QVERIFY(plain.startsWith(QLatin1String("Study which\n")) && plain.contains(QLatin1String("Verdict: Ship w4 PTQ")));
        QCOMPARE(compare(dir.path(), {QStringLiteral("which")}), plain.mid(plain.indexOf(QLatin1String("\n\n")) + 2)); // by name
        // Two runs by id, held against the start model instead.
        const auto two =
            nlohmann::json::parse(compare(dir.path(), {QString::fromStdString(study->rows[2].runUid), QStringLiteral("--baseline"),
                                                       QString::fromStdString(study->rows[0].runUid), QStringLiteral("--json")})
                                      .toStdString());
        QVERIFY(two["rows"].size() == 2 && std::abs(two["rows"][1]["cells"][0]["degradation"].get<double>() - 0.08) < 1e-12);
        // A project whose store is lost says the same. Rebuilding needs it closed.
        { const store::Store closed = std::move(*db); }
        QVERIFY(store::Store::rebuild(dir.path()).ok());
        QCOMPARE(compare(dir.path(), {}), plain);
    }
    // What leaves the workbench has its own row: after the run it was written from, held against the same reference, no candidate of the
    // verdict.
    void anExportHasItsOwnRow() {
        const TempDir dir;
        auto db = store::Store::open(dir.path());
        const auto recipe = config::parseRecipe(kRecipe, dir.path() / "r.yaml");
        auto study = study::makeStudy(*recipe, kRecipe, {});
        const auto info = db->createStudy("which");
        QVERIFY(db.ok() && study.ok() && info.ok() && study::writeStudy(*study, info->uid, info->dir, info->createdMs).ok());
        const int lost[] = {40, 4, 8, 6, 20, 15};
        for (size_t i = 0; i < 6; ++i) {
            study::Row& row = study->rows[i];
            row.runUid = writeRun(dir.path(), row.member, lost[i], false);
            const auto& run = row.member.run;
            QVERIFY(db->putStudyRow({info->uid, run.role, run.scheme, run.method, run.block, run.seed, row.runUid}).ok());
        }
        QVERIFY(study::saveStudy(*study).ok() && db->sync().ok());
        const auto before = nlohmann::json::parse(compare(dir.path(), {QStringLiteral("--json")}).toStdString());

        const std::filesystem::path shipped = dir.path() / "shipped";
        writeText(shipped / "qat_workbench_export.json", "{\"format\":\"compressed-tensors\"}");
        for (const auto& [from, misses] : {std::pair{size_t{3}, 6}, {size_t{2}, 9}}) {
            auto plan = drive::evaluationOf(*db->run(study->rows[from].runUid), {}, shipped);
            QVERIFY2(plan.ok(), plan.ok() ? "" : plan.error().message.c_str());
            QVERIFY(!plan->recipe.qat && plan->recipe.eval.tasks.size() == 1 && plan->recipe.model.path == shipped);
            QCOMPARE(plan->identity.kind, std::string("eval"));
            const auto folder = *drive::makeRun(dir.path(), plan->identity, plan->recipe, "");
            auto log = *wire::EventLogWriter::open(folder.events());
            wire::ModelFacts facts;
            facts.dtype = facts.exportDtype = "bfloat16";
            facts.bytes = 2345;
            facts.bitsPerWeight = 4.5;
            append(log, facts);
            append(log, wire::EvalDone{evaluated(folder, "quantized", misses, 3)});
            append(log, wire::StateChange{records::RunState::Completed, {}, {}});
        }
        QVERIFY(db->sync().ok());
        const auto json = nlohmann::json::parse(compare(dir.path(), {QStringLiteral("--json")}).toStdString());
        const auto& rows = json["rows"];
        QCOMPARE(rows.size(), size_t(8));
        const std::vector<std::string> labels{
            "float", "float trained", "w4 PTQ", "w4 QAT", "w4 PTQ · compressed-tensors", "w4 QAT · compressed-tensors", "w3 PTQ", "w3 QAT"};
        for (size_t i = 0; i < labels.size(); ++i)
            QVERIFY2(std::ranges::count(labels, rows[i]["label"].get<std::string>()) == 1, rows.dump().c_str());
        const auto at = [&](const char* label) {
            return *std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row["label"] == label; });
        };
        const auto qat = at("w4 QAT"), own = at("w4 QAT · compressed-tensors");
        QVERIFY(own["role"] == "exported" && own["bytes"] == 2345 && own["bits_per_weight"] == 4.5 && own["reference"] == qat["reference"]);
        QVERIFY(own["cells"][0]["value"] == qat["cells"][0]["value"] && own["cells"][0]["degradation"] == qat["cells"][0]["degradation"]);
        QCOMPARE(rows[own["source"].get<size_t>()]["label"].get<std::string>(), std::string("w4 QAT"));
        QVERIFY(rows[0]["label"] == "float" && rows[2]["label"] == "w4 PTQ" && rows[3]["label"] == "w4 QAT" &&
                rows[7]["label"] == "w3 QAT");
        QCOMPARE(json["verdict"]["sentence"].get<std::string>(), before["verdict"]["sentence"].get<std::string>());
        const QString plain = compare(dir.path(), {});
        QVERIFY(plain.contains(QString::fromUtf8("w4 QAT · compressed-tensors: the same log-likelihoods as w4 QAT on all 400 items.")));
        // A run that measured nothing gives nothing to evaluate with.
        records::Recipe silent = study->rows[3].member.recipe;
        silent.eval.tasks.clear();
        store::RunInfo mute = *db->run(study->rows[3].runUid);
        mute.config = config::writeRecipe(silent);
        QCOMPARE(drive::evaluationOf(mute, {}, shipped).error().code, std::string("usage"));
    }
    void errors_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<int>("code");
        const auto s = [](const char* t) { return QString::fromLatin1(t); };
        QTest::newRow("nothing of that name") << QStringList{s("nothere")} << 4;
        QTest::newRow("no study") << QStringList{} << 4;
        QTest::newRow("two formats") << QStringList{s("--csv"), s("--markdown")} << 2;
    }
    void errors() {
        QFETCH(QStringList, arguments);
        QFETCH(int, code);
        const TempDir dir;
        { QVERIFY(store::Store::open(dir.path()).ok()); }
        compare(dir.path(), arguments, code);
    }
    void noProject() { compare("/nowhere/at/all", {}, 4); }

private:
    static QString compare(const std::filesystem::path& project, QStringList arguments, int code = 0) {
        QProcess tool;
        arguments.prepend(QStringLiteral("compare"));
        arguments << QStringLiteral("--project") << QString::fromStdString(project.string());
        tool.start(QStringLiteral(QW_BIN_DIR "/qatw"), arguments);
        if (!tool.waitForFinished(60000)) qFatal("qatw compare did not end");
        const QByteArray error = tool.readAllStandardError();
        [&] { QVERIFY2(tool.exitCode() == code, error.constData()); }();
        return QString::fromUtf8(tool.readAllStandardOutput());
    }
};

QTEST_GUILESS_MAIN(CompareStoreTest)
#include "tst_compare_store.moc"
