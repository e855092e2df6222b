// SPDX-License-Identifier: GPL-3.0-or-later
// What: one command of the tool `qatw` as a child process: lines of progress as they come, one answer at the end.
// Limits: GUI thread; never waits, except in the destructor for a child that it ends.
#pragma once

#include "client/engine_client.h"

#include <QObject>
#include <QPointer>
#include <QProcess>
#include <QTemporaryFile>
#include <memory>

namespace qw::ui {

class ToolProcess : public QObject {
    Q_OBJECT
public:
    struct Command {
        QStringList arguments;
        std::unique_ptr<QTemporaryFile> recipe; // removed with the process; its name in messages becomes "recipe"
        QPointer<QObject> context;              // nothing is delivered once it is gone
        OnProgress progress;
        Reply done;
    };
    explicit ToolProcess(Command command, QObject* parent);
    ~ToolProcess() override;

    void start();
    // The answer engine.cancelled comes at once; the child is asked to end, then told, then killed.
    void cancel();

Q_SIGNALS:
    void ended();

private:
    void readProgress();
    void finish();
    void answer(const Result<QByteArray>& result);
    [[nodiscard]] Result<QByteArray> result();
    [[nodiscard]] QString cleaned(QString text) const;

    Command m_command;
    QProcess m_process;
    QByteArray m_errors; // the end of its standard error, for a child that dies without an answer
    bool m_answered = false;
};

} // namespace qw::ui
