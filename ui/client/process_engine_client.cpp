// SPDX-License-Identifier: GPL-3.0-or-later
#include "client/process_engine_client.h"

#include "client/project.h"
#include "config/recipe_file.h"
#include "drive/control.h"
#include "study/study_file.h"

#include <QDir>
#include <QTimer>
#include <csignal>

namespace qw::ui {

ProcessEngineClient::ProcessEngineClient(QObject* parent) : EngineClient(parent) {
    std::signal(SIGPIPE, SIG_IGN); // an engine that dies while we write to it is an error, no end of ours
}

ProcessEngineClient::~ProcessEngineClient() {
    for (const auto& [uid, watch] : m_watches) watch->stop();
    m_watches.clear();
    m_retired.clear();
    for (const auto& [id, process] : m_commands) delete process;
}

int ProcessEngineClient::run(ToolProcess::Command command, const QString& recipeText) {
    const int id = m_nextId++;
    if (!recipeText.isNull()) {
        command.recipe = std::make_unique<QTemporaryFile>(QDir::tempPath() + QStringLiteral("/qat-workbench-XXXXXX.yaml"));
        const QByteArray bytes = recipeText.toUtf8();
        if (!command.recipe->open() || command.recipe->write(bytes) != bytes.size() || !command.recipe->flush()) {
            const Error error{"file.io", utf8(tr("the recipe could not be written to %1").arg(QDir::tempPath())),
                              utf8(tr("free some space there")), utf8(command.recipe->errorString()), true};
            if (command.context) QTimer::singleShot(0, command.context, [done = std::move(command.done), error] { done(error); });
            return id;
        }
        command.arguments.insert(1, command.recipe->fileName());
    }
    auto* process = new ToolProcess(std::move(command), nullptr);
    m_commands.emplace(id, process);
    connect(process, &ToolProcess::ended, this, [this, id, process] {
        m_commands.erase(id);
        process->deleteLater();
    });
    process->start();
    return id;
}

void ProcessEngineClient::startStudy(const QString& project, const QString& recipeText, QObject* context, Reply done) {
    run({{QStringLiteral("run"), QStringLiteral("--project"), project, QStringLiteral("--detach"), QStringLiteral("--json")},
         nullptr,
         context,
         {},
         std::move(done)},
        recipeText);
}

void ProcessEngineClient::continueStudy(const QString& project, const QString& studyDir, QObject* context, Reply done) {
    m_files.request<Result<QString>>(
        QString(),
        [dir = utf8(studyDir)](const CancelFlag&) -> Result<QString> {
            QW_TRY(const auto study, study::openStudy(dir));
            return text(config::writeRecipe(study.recipe));
        },
        context,
        [this, project, context = QPointer<QObject>(context), done = std::move(done)](const Result<QString>& recipe) {
            if (recipe)
                startStudy(project, *recipe, context, done);
            else
                done(recipe.error());
        });
}

void ProcessEngineClient::plan(const QString& recipeText, bool probe, QObject* context, Reply done) {
    cancelPlan();
    QStringList arguments{QStringLiteral("plan"), QStringLiteral("--json")};
    if (!probe) arguments << QStringLiteral("--no-probe");
    m_plan = run({arguments, nullptr, context, {}, std::move(done)}, recipeText);
}

void ProcessEngineClient::cancelPlan() { cancelCommand(std::exchange(m_plan, 0)); }

void ProcessEngineClient::control(const QString& project, const QString& token, Control what, QObject* context, Reply done) {
    struct Operation {
        const char *op, *params;
    };
    static constexpr Operation kOperations[] = {
        {"pause", "{}"}, {"resume", "{}"}, {"checkpoint", "{}"}, {"stop", R"({"mode":"checkpoint"})"}, {"stop", R"({"mode":"now"})"}};
    m_sockets.request<Result<QByteArray>>(
        QString(),
        [project = utf8(project), token = utf8(token),
         operation = kOperations[static_cast<size_t>(what)]](const CancelFlag&) -> Result<QByteArray> {
            QW_TRY(const std::string answer, drive::control(project, token, operation.op, operation.params));
            return QByteArray::fromStdString(answer);
        },
        context, [done = std::move(done)](const Result<QByteArray>& answer) { done(answer); });
}

int ProcessEngineClient::command(const QStringList& arguments, QObject* context, OnProgress progress, Reply done) {
    QStringList all = arguments;
    if (!all.contains(QStringLiteral("--json"))) all << QStringLiteral("--json");
    return run({all, nullptr, context, std::move(progress), std::move(done)}, QString());
}

void ProcessEngineClient::cancelCommand(int id) {
    const auto at = m_commands.find(id);
    if (at != m_commands.end()) at->second->cancel();
}

void ProcessEngineClient::watch(const RunPlace& run, qint64 afterSeq) {
    unwatch(run.uid);
    m_watches[run.uid] = std::make_unique<RunWatch>(this, run, afterSeq, [this, uid = run.uid](const std::vector<WatchNews>& news) {
        for (const WatchNews& one : news) {
            if (!m_watches.contains(uid)) return; // a listener has had enough
            if (one.kind == WatchNews::Kind::Attached)
                Q_EMIT attached(uid);
            else if (one.kind == WatchNews::Kind::Detached)
                Q_EMIT detached(uid, one.why);
            else
                Q_EMIT event(uid, one.event);
        }
    });
}

void ProcessEngineClient::unwatch(const QString& uid) {
    const auto at = m_watches.find(uid);
    if (at == m_watches.end()) return;
    retire(std::move(at->second));
    m_watches.erase(at);
}

void ProcessEngineClient::retire(std::unique_ptr<RunWatch> watch) {
    watch->stop();
    std::erase_if(m_retired, [](const auto& old) { return old->ended(); });
    m_retired.push_back(std::move(watch));
}

} // namespace qw::ui
