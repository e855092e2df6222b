// SPDX-License-Identifier: GPL-3.0-or-later
// What: checkpoints of real runs leave as the folders that training would have ended with there, by `qatw export --step`; bit for bit.
#include "drive/checkpoint_folders.h"
#include "engine_run.h"
#include "store/store.h"

using namespace qw;
namespace fs = std::filesystem;

class CheckpointFoldersTest : public QObject {
    Q_OBJECT

    static constexpr int kShort = 4, kLong = 12; // checkpoints every 4
    test::TempDir m_dir;
    wire::RunFolder m_long;

    [[nodiscard]] fs::path world() const { return m_dir.path() / "world"; }
    [[nodiscard]] wire::RunFolder make(const char* project, int steps, const test::Json& more = test::Json::object()) const {
        auto json = test::tinyRecipe(world(), "run", steps);
        json["schemes"].erase(1);
        json["schedule"] = {{"name", "constant"}};
        json["checkpoint"]["keep"] = 2;
        json["precision"]["mode"] = "bf16_master";
        json["eval"]["tasks"].clear();
        json["eval"]["every"] = 4;
        json.update(more, true);
        const auto recipe = config::parseRecipe(json.dump(), m_dir.path() / "recipe.yaml");
        if (!recipe) qFatal("%s", recipe.error().message.c_str());
        const auto members = study::expand(*recipe);
        for (const auto& member : *members) {
            if (member.run.role != records::RowRole::Qat) continue;
            auto identity = member.run;
            return *drive::makeRun(m_dir.path() / project, identity, member.recipe, "");
        }
        qFatal("no QAT member");
        return {};
    }
    static bool run(const wire::RunFolder& folder) {
        const auto process = test::engine(folder, {}, "qat-engine");
        return test::finish(*process).code == 0;
    }
    static QString uid(const wire::RunFolder& folder) { return QString::fromStdString(wire::readIdentity(folder)->uid); }
    [[nodiscard]] static test::ToolResult exportStep(const wire::RunFolder& folder, const char* step, QStringList more) {
        more = QStringList{QStringLiteral("export"), uid(folder), QStringLiteral("--step"), QString::fromLatin1(step)} + more;
        return test::runTool(more << QStringLiteral("--project") << test::text(folder.dir.parent_path().parent_path())
                                  << QStringLiteral("--json"));
    }
    [[nodiscard]] static test::ToolResult check(const wire::RunFolder& folder, const char* step) {
        return exportStep(folder, step, {QStringLiteral("--check")});
    }
    static QString codeOf(const test::ToolResult& result) {
        return result.json()[QStringLiteral("error")].toObject()[QStringLiteral("code")].toString();
    }
    static QString messageOf(const test::ToolResult& result) {
        const auto error = result.json()[QStringLiteral("error")].toObject();
        return error[QStringLiteral("msg")].toString() + QLatin1Char(' ') + error[QStringLiteral("hint")].toString();
    }
    static std::string weights(const fs::path& folder) { return test::readText(folder / "model.safetensors"); }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(test::makeTinyWorld(world()).ok());
        m_long = make("long", kLong);
        QVERIFY(run(m_long));
    }

    void theLastCheckpointIsTheEndOfTheRun() {
        const auto result = check(m_long, "last");
        QVERIFY2(result.code == 0, result.out.constData());
        const fs::path made = m_long.dir / "exports/step_00000012";
        QCOMPARE(weights(made / "model"), weights(m_long.model()));
        QCOMPARE(weights(made / "native"), weights(m_long.nativeExport()));
    }

    // Same seed, data and rate: after 4 steps the long run had what the short one ended with.
    void anEarlierCheckpointIsTheEndOfAShorterRun() {
        const auto shorter = make("short", kShort), longer = make("kept", kLong, {{"checkpoint", {{"keep", 5}}}});
        QVERIFY(run(shorter) && run(longer));
        const fs::path out = m_dir.path() / "shipped";
        const auto result = exportStep(
            longer, "4", {QStringLiteral("--format"), QStringLiteral("compressed-tensors"), QStringLiteral("--out"), test::text(out)});
        QVERIFY2(result.code == 0, result.out.constData());
        QCOMPARE(result.json()[QStringLiteral("step")].toInt(), 4);
        QVERIFY(result.json()[QStringLiteral("verified")].toBool());
        QCOMPARE(weights(longer.dir / "exports/step_00000004/model"), weights(shorter.model()));
        QCOMPARE(weights(longer.dir / "exports/step_00000004/native"), weights(shorter.nativeExport()));
        QVERIFY(weights(longer.nativeExport()) != weights(shorter.nativeExport()));

        const fs::path project = longer.dir.parent_path().parent_path();
        QVERIFY(store::Store::rebuild(project).ok()); // the log is where facts come from
        const auto store = store::Store::open(project);
        QVERIFY(store.ok());
        const auto artifacts = store->artifacts(uid(longer).toStdString());
        const auto sheet = std::ranges::find(*artifacts, std::string("export"), &store::ArtifactInfo::kind);
        QVERIFY(sheet != artifacts->end());
        QCOMPARE(sheet->step, int64_t{4});
    }

    // Made once; made again when the checkpoint is another by now.
    void foldersAreMadeOnce() {
        const auto folder = make("once", kLong);
        QVERIFY(run(folder));
        QVERIFY(check(folder, "8").code == 0);
        const fs::path made = folder.dir / "exports/step_00000008/native/model.safetensors";
        const auto before = fs::last_write_time(made);
        QVERIFY(check(folder, "8").code == 0);
        QVERIFY(fs::last_write_time(made) == before);
        std::ofstream(folder.checkpoints() / "step_00000008/MANIFEST.json", std::ios::app) << '\n';
        QVERIFY(check(folder, "8").code == 0);
        QVERIFY(fs::last_write_time(made) != before);
        fs::remove_all(folder.checkpoints() / "step_00000008"); // pruned later: what was made of it can still leave
        QVERIFY(check(folder, "8").code == 0);
    }

    void theBestIsKnown() {
        auto store = store::Store::open(m_long.dir.parent_path().parent_path());
        QVERIFY(store.ok() && store->sync().ok());
        const auto info = store->run(uid(m_long).toStdString());
        const auto artifacts = store->artifacts(info->identity.uid);
        const auto best = test::Json::parse(test::readText(m_long.checkpoints() / "best.json"));
        QCOMPARE(*drive::exportableStep(*info, *artifacts, "best"), best["step"].get<int64_t>());
        QCOMPARE(*drive::exportableStep(*info, *artifacts, "last"), int64_t{kLong});
    }

    void aMissingStepIsNamedWithThoseThereAre() {
        const auto result = check(m_long, "5");
        QCOMPARE(codeOf(result), QStringLiteral("engine.state"));
        QVERIFY2(messageOf(result).contains(QStringLiteral("of step 5")) && messageOf(result).contains(QStringLiteral("8")),
                 qPrintable(messageOf(result)));
    }

    void aStoppedRunsCheckpointLeaves() {
        const auto folder = make("stopped", kLong);
        const auto killed = test::engine(folder, QStringLiteral("segv@step=10"));
        test::finish(*killed);
        const auto steps = wire::checkpointSteps(folder.checkpoints());
        QVERIFY(!steps.empty());
        QVERIFY2(check(folder, "last").code == 0, "");
        QVERIFY(fs::exists(folder.dir / "exports" / wire::checkpointName(steps.back()) / "native/model.safetensors"));
    }

    void aDamagedCheckpointIsRefusedAndNothingIsLeft() {
        const auto folder = make("damaged", kLong);
        QVERIFY(run(folder));
        for (const auto& entry : fs::directory_iterator(folder.checkpoints() / "step_00000008")) {
            if (!entry.path().filename().string().starts_with("model-")) continue;
            std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
            file.seekg(-3, std::ios::end);
            const char byte = static_cast<char>(file.get() ^ 4);
            file.seekp(-3, std::ios::end);
            file.put(byte);
        }
        const auto result = check(folder, "8");
        QCOMPARE(codeOf(result), QStringLiteral("file.corrupt"));
        QVERIFY2(messageOf(result).contains(QStringLiteral("step_00000008")), qPrintable(messageOf(result)));
        QVERIFY(!fs::exists(folder.dir / "exports/step_00000008"));
        QVERIFY(check(folder, "12").code == 0);
    }

    // What was not trained comes from the model folder; it has to be the one the run began with.
    void otherFrozenWeightsAreRefused() {
        const fs::path model = m_dir.path() / "moving";
        fs::copy(world() / "model", model, fs::copy_options::recursive);
        const auto folder = make("frozen", kLong, {{"model", {{"path", model.string()}}}, {"optim", {{"freeze", {"embed_tokens"}}}}});
        QVERIFY(run(folder));
        QVERIFY2(check(folder, "8").code == 0, "frozen weights as they were");
        QCOMPARE(weights(folder.model()).size(), weights(folder.dir / "exports/step_00000008/model").size());
        fs::remove_all(folder.dir / "exports/step_00000008");
        const std::string config = test::tinyWorldConfig();
        fs::remove(model / "model.safetensors");
        QVERIFY(test::writeTinyModel(model, config, test::tinyTensors(config, false, "F32", 99)).ok());
        const auto result = check(folder, "8");
        QCOMPARE(codeOf(result), QStringLiteral("train.resume_refused"));
    }

    void aRunAtWorkIsLeftAlone() {
        const auto folder = make("busy", 4000);
        const auto engine = test::engine(folder, {}, "qat-engine");
        QVERIFY(test::waitUntil([&] { return !wire::checkpointSteps(folder.checkpoints()).empty(); }, 60'000));
        const auto result = check(folder, "last");
        engine->kill();
        engine->waitForFinished();
        QCOMPARE(codeOf(result), QStringLiteral("engine.busy"));
    }
};

QTEST_GUILESS_MAIN(CheckpointFoldersTest)
#include "tst_checkpoint_folders.moc"
