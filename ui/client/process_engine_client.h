// SPDX-License-Identifier: GPL-3.0-or-later
// What: the real EngineClient: the tool `qatw` beside the program starts, plans and exports; sockets control; threads watch.
#pragma once

#include "client/engine_client.h"
#include "client/run_watch.h"
#include "client/tool_process.h"
#include "client/worker.h"

#include <QPointer>
#include <QThread>
#include <map>
#include <memory>
#include <vector>

namespace qw::ui {

class ProcessEngineClient final : public EngineClient {
    Q_OBJECT
public:
    explicit ProcessEngineClient(QObject* parent = nullptr);
    ~ProcessEngineClient() override; // studies and engines go on; other commands of the tool are ended

    void startStudy(const QString& project, const QString& recipeText, QObject* context, Reply done) override;
    void continueStudy(const QString& project, const QString& studyDir, QObject* context, Reply done) override;
    void plan(const QString& recipeText, bool probe, QObject* context, Reply done) override;
    void cancelPlan() override;
    void control(const QString& project, const QString& token, Control what, QObject* context, Reply done) override;
    int command(const QStringList& arguments, QObject* context, OnProgress progress, Reply done) override;
    void cancelCommand(int id) override;
    void watch(const RunPlace& run, qint64 afterSeq) override;
    void unwatch(const QString& uid) override;

private:
    // A command in work. Its object lives on m_children; what it says is delivered while the context lives and until it is answered.
    struct Command {
        QPointer<QObject> context;
        OnProgress progress;
        Reply done;
        ToolProcess* process = nullptr;
    };
    int run(const QStringList& arguments, const QString& recipeText, QObject* context, OnProgress progress, Reply done);
    void answer(int id, const Result<QByteArray>& result);
    void retire(std::unique_ptr<RunWatch> watch);

    QThread m_children;
    std::map<int, Command> m_commands;
    int m_nextId = 1, m_plan = 0;
    std::map<QString, std::unique_ptr<RunWatch>> m_watches;
    std::vector<std::unique_ptr<RunWatch>> m_retired; // told to stop; joined once they have
    Worker m_files, m_sockets;
};

} // namespace qw::ui
