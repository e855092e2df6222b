// SPDX-License-Identifier: GPL-3.0-or-later
// What: the real engine client with the real tool and engine: start, plan, commands, pause, a killed engine, continue.
#include "client/process_engine_client.h"
#include "client/project.h"
#include "program.h"
#include "study/study_file.h"
#include "tiny_project.h"
#include "wire/run_folder.h"

#include <QJsonArray>
#include <csignal>
#include <optional>

using namespace qw;
namespace fs = std::filesystem;

namespace {

struct Answer {
    std::optional<Result<QByteArray>> result;
    ui::Reply reply() {
        return [this](const Result<QByteArray>& got) { result.emplace(got); };
    }
    [[nodiscard]] bool ok() const { return result && result->ok(); }
    [[nodiscard]] QString code() const { return result && !result->ok() ? QString::fromStdString(result->error().code) : QString(); }
    [[nodiscard]] QJsonObject json() const { return ok() ? QJsonDocument::fromJson(**result).object() : QJsonObject(); }
};

struct Steps {
    std::vector<int64_t> seqs, steps;
    records::RunState state = records::RunState::Created;
    std::optional<QString> detached;
    int whilePaused = 0; // steps
    Steps(ui::EngineClient& client, const QString& run) {
        QObject::connect(&client, &ui::EngineClient::event, &client, [this, run](const QString& of, const wire::Event& event) {
            if (of != run || event.seq == 0) return;
            seqs.push_back(event.seq);
            if (const auto* state = std::get_if<wire::StateChange>(&event.payload)) this->state = state->state;
            if (const auto* metrics = std::get_if<wire::Metrics>(&event.payload);
                metrics && metrics->values.front().first == "train.loss") {
                steps.push_back(metrics->step);
                whilePaused += this->state == records::RunState::Paused ? 1 : 0;
            }
        });
        QObject::connect(&client, &ui::EngineClient::detached, &client, [this, run](const QString& of, const QString& why) {
            if (of == run) detached = why;
        });
    }
};

} // namespace

class EngineClientTest : public QObject {
    Q_OBJECT

    test::TempDir m_dir;
    [[nodiscard]] QString recipe(const char* name, int steps) const {
        auto json = test::tinyRecipe(m_dir.path() / "world", name, steps);
        json["schemes"] = nlohmann::ordered_json::array({json["schemes"][0]});
        return QString::fromStdString(json.dump());
    }
    [[nodiscard]] QString project(const char* name) const { return test::text(m_dir.path() / name); }
    // The training run that is alive now.
    std::optional<wire::RunFolder> training(const QString& project) {
        for (const auto& folder : wire::listRunFolders(ui::utf8(project))) {
            const auto identity = wire::readIdentity(folder);
            if (identity && identity->kind != "eval" && identity->role == records::RowRole::FloatTrained && wire::isLive(folder))
                return folder;
        }
        return std::nullopt;
    }

private Q_SLOTS:
    void initTestCase() {
        qputenv("OMP_WAIT_POLICY", "passive");
        qputenv("QATW_TOOL", test::binary("qatw").toUtf8());
        qputenv("QATW_ENGINE", test::binary("qat-engine").toUtf8());
        QVERIFY(fs::exists(test::binary("qat-engine").toStdString()));
        QVERIFY(test::makeTinyWorld(m_dir.path() / "world").ok());
    }

    void plansAndRefuses() {
        ui::ProcessEngineClient client;
        Answer good, replaced, bad;
        client.plan(recipe("plan", 10), true, this, replaced.reply());
        client.plan(recipe("plan", 10), false, this, good.reply()); // the newer one counts
        QTRY_VERIFY_WITH_TIMEOUT(good.result, 60'000);
        QVERIFY(good.ok());
        QCOMPARE(good.json().value(QLatin1String("plans")).toArray().size(), 2);
        QCOMPARE(replaced.code(), QStringLiteral("engine.cancelled"));
        client.plan(QStringLiteral("recipe: 1\nname: x\nmodle: {path: a}\n"), false, this, bad.reply());
        QTRY_VERIFY_WITH_TIMEOUT(bad.result, 20'000);
        QCOMPARE(bad.code(), QStringLiteral("config.unknown_key"));
        QVERIFY2(bad.result->error().message.find("recipe:3") != std::string::npos, bad.result->error().message.c_str());
        Answer cancelled;
        QElapsedTimer timer;
        client.plan(recipe("plan", 10), true, this, cancelled.reply());
        timer.start();
        client.cancelPlan();
        QTRY_COMPARE(cancelled.code(), QStringLiteral("engine.cancelled"));
        QVERIFY(timer.elapsed() < 1000);
    }

    void commandsAndTheirErrors() {
        ui::ProcessEngineClient client;
        Answer doctor, unknown, noTool;
        client.command({QStringLiteral("doctor")}, this, {}, doctor.reply());
        client.command({QStringLiteral("show"), QStringLiteral("nothing"), QStringLiteral("--project"), project("none")}, this, {},
                       unknown.reply());
        QTRY_VERIFY_WITH_TIMEOUT(doctor.result && unknown.result, 60'000);
        QVERIFY(doctor.json().value(QLatin1String("checks")).isArray());
        QVERIFY(!unknown.code().isEmpty());
        qputenv("QATW_TOOL", "/nowhere/qatw");
        client.command({QStringLiteral("doctor")}, this, {}, noTool.reply());
        QVERIFY(!noTool.result); // never from inside the call
        QTRY_COMPARE(noTool.code(), QStringLiteral("file.not_found"));
        qputenv("QATW_TOOL", test::binary("qatw").toUtf8());
    }

    void aStudyIsStartedPausedKilledAndContinued() {
        ui::ProcessEngineClient client;
        const QString where = project("study");
        Answer started;
        client.startStudy(where, recipe("watched", 240), this, started.reply());
        QTRY_VERIFY_WITH_TIMEOUT(started.result, 60'000);
        QVERIFY2(started.ok(), started.ok() ? "" : started.result->error().message.c_str());
        const QString dir = started.json().value(QLatin1String("dir")).toString();
        QVERIFY(!dir.isEmpty());

        std::optional<wire::RunFolder> folder;
        QTRY_VERIFY_WITH_TIMEOUT((folder = training(where)), 60'000);
        const QString uid = QString::fromStdString(wire::readIdentity(*folder)->uid);
        Steps heard(client, uid);
        client.watch({uid, test::text(folder->dir)}, 0);
        QTRY_VERIFY_WITH_TIMEOUT(heard.steps.size() > 5, 60'000);

        Answer paused;
        client.control(where, uid, ui::Control::Pause, this, paused.reply());
        QTRY_VERIFY_WITH_TIMEOUT(paused.ok(), 10'000);
        QTRY_COMPARE_WITH_TIMEOUT(heard.state, records::RunState::Paused, 20'000);
        const size_t at = heard.steps.size(); // events come in order: what was on its way is here
        Answer resumed;
        client.control(where, uid, ui::Control::Resume, this, resumed.reply());
        QTRY_VERIFY_WITH_TIMEOUT(heard.steps.size() > at, 20'000);
        QCOMPARE(heard.whilePaused, 0);

        // A checkpoint first, so that there is something to go on from.
        Answer saved;
        client.control(where, uid, ui::Control::Checkpoint, this, saved.reply());
        QTRY_VERIFY_WITH_TIMEOUT(saved.ok(), 10'000);
        const auto holder = wire::readLockHolder(folder->lock());
        QVERIFY(holder.pid > 0);
        QCOMPARE(::kill(static_cast<pid_t>(holder.pid), SIGKILL), 0);
        QTRY_VERIFY_WITH_TIMEOUT(heard.detached, 20'000);
        QVERIFY(!heard.detached->isEmpty());
        for (size_t i = 1; i < heard.seqs.size(); ++i) QCOMPARE(heard.seqs[i], heard.seqs[i - 1] + 1);
        QTRY_VERIFY_WITH_TIMEOUT(!wire::isLockLive(fs::path(ui::utf8(dir)) / "study.lock"), 120'000);

        Answer nobody;
        client.control(where, uid, ui::Control::Pause, this, nobody.reply());
        QTRY_COMPARE_WITH_TIMEOUT(nobody.code(), QStringLiteral("engine.state"), 10'000);
        Answer continued;
        client.continueStudy(where, dir, this, continued.reply());
        QTRY_VERIFY_WITH_TIMEOUT(continued.result, 60'000);
        QCOMPARE(continued.json().value(QLatin1String("dir")).toString(), dir); // the same study
        heard.detached.reset();
        QTRY_VERIFY_WITH_TIMEOUT(heard.detached && heard.state == records::RunState::Completed, 180'000);
        QVERIFY(heard.detached->isEmpty());
        QCOMPARE(heard.steps.back(), int64_t{240});
        for (size_t i = 1; i < heard.seqs.size(); ++i) QCOMPARE(heard.seqs[i], heard.seqs[i - 1] + 1);
        Answer stop;
        client.control(where, started.json().value(QLatin1String("study")).toString(), ui::Control::StopNow, this, stop.reply());
        QTRY_VERIFY_WITH_TIMEOUT(stop.result, 20'000);
        QTRY_VERIFY_WITH_TIMEOUT(!wire::isLockLive(fs::path(ui::utf8(dir)) / "study.lock"), 120'000);
    }
};

QTEST_GUILESS_MAIN(EngineClientTest)
#include "tst_engine_client.moc"
