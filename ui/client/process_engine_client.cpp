// SPDX-License-Identifier: GPL-3.0-or-later
#include "client/process_engine_client.h"

#include "client/project.h"
#include "config/recipe_file.h"
#include "drive/control.h"
#include "study/study_file.h"

#include <QTimer>
#include <csignal>

namespace qw::ui {

ProcessEngineClient::ProcessEngineClient(QObject* parent) : EngineClient(parent) {
    std::signal(SIGPIPE, SIG_IGN); // an engine that dies while we write to it is an error, no end of ours
    m_children.start();
}

ProcessEngineClient::~ProcessEngineClient() {
    for (const auto& [uid, watch] : m_watches) watch->stop();
    m_watches.clear();
    m_retired.clear();
    for (const auto& [id, command] : m_commands) command.process->deleteLater(); // a thread that ends still deletes
    m_children.quit();
    m_children.wait();
}

int ProcessEngineClient::run(const QStringList& arguments, const QString& recipeText, QObject* context, OnProgress progress, Reply done) {
    const int id = m_nextId++;
    auto* process = new ToolProcess(arguments, recipeText);
    m_commands.emplace(id, Command{context, std::move(progress), std::move(done), process});
    process->moveToThread(&m_children);
    connect(process, &ToolProcess::said, this, [this, id](const QString& sentence) {
        const Command& command = m_commands.at(id);
        if (command.progress && command.done && command.context) command.progress(sentence);
    });
    connect(process, &ToolProcess::ended, this, [this, id, process](const Result<QByteArray>& result) {
        answer(id, result);
        m_commands.erase(id);
        process->deleteLater();
    });
    QMetaObject::invokeMethod(process, &ToolProcess::start);
    return id;
}

void ProcessEngineClient::answer(int id, const Result<QByteArray>& result) {
    const auto at = m_commands.find(id);
    if (at == m_commands.end()) return;
    const Reply done = std::exchange(at->second.done, {});
    if (done && at->second.context) done(result);
}

void ProcessEngineClient::startStudy(const QString& project, const QString& recipeText, QObject* context, Reply done) {
    run({QStringLiteral("run"), QStringLiteral("--project"), project, QStringLiteral("--detach"), QStringLiteral("--json")}, recipeText,
        context, {}, std::move(done));
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
    m_plan = run(arguments, recipeText, context, {}, std::move(done));
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
    return run(all, QString(), context, std::move(progress), std::move(done));
}

void ProcessEngineClient::cancelCommand(int id) {
    const auto at = m_commands.find(id);
    if (at == m_commands.end() || !at->second.done) return;
    QMetaObject::invokeMethod(at->second.process, &ToolProcess::cancel);
    QTimer::singleShot(0, this, [this, id] { answer(id, Error{"engine.cancelled", utf8(tr("cancelled")), "", "", true}); });
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
