// SPDX-License-Identifier: GPL-3.0-or-later
// What: everything the window asks of other processes: supervisors that drive studies, engines that train, plans, exports.
// Why here: pages know this interface only; ProcessEngineClient is the real one, tests script another (ui.md 6).
// Limits: lives on the GUI thread and never blocks it; replies and events come by the event loop, on the GUI thread.
#pragma once

#include "base/result.h"
#include "wire/events.h"

#include <QObject>
#include <QString>
#include <QStringList>
#include <functional>

namespace qw::ui {

// The text is the answer's JSON, as the tool prints it with --json.
using Reply = std::function<void(const Result<QByteArray>&)>;
using OnProgress = std::function<void(const QString& sentence)>;

enum class Control : uint8_t { Pause, Resume, Checkpoint, Stop, StopNow }; // Stop: with a checkpoint

struct RunPlace {
    QString uid, dir; // dir: absolute run folder
};

class EngineClient : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;

    // A supervisor of its own session drives the study from now on; it outlives the window. Reply: {"study", "dir", …}. The newest
    // study with an equal recipe is continued.
    virtual void startStudy(const QString& project, const QString& recipeText, QObject* context, Reply done) = 0;
    // The same for a study of the project that nobody drives.
    virtual void continueStudy(const QString& project, const QString& studyDir, QObject* context, Reply done) = 0;
    // Memory, time, sizes and skipped layers of a recipe: `qatw plan --json`. A newer plan replaces one in work.
    virtual void plan(const QString& recipeText, bool probe, QObject* context, Reply done) = 0;
    virtual void cancelPlan() = 0;
    // token: run or study uid.
    virtual void control(const QString& project, const QString& token, Control what, QObject* context, Reply done) = 0;
    // Any other command of the tool, e.g. {"export", uid, …}; progress lines as they come. Returns an id for cancelCommand.
    virtual int command(const QStringList& arguments, QObject* context, OnProgress progress, Reply done) = 0;
    virtual void cancelCommand(int id) = 0;

    // Attaches to the run's engine as soon as there is one, and again after each loss, until unwatch: events with seq > afterSeq, each
    // once and in order (those that the log has already come from there).
    virtual void watch(const RunPlace& run, qint64 afterSeq) = 0;
    virtual void unwatch(const QString& uid) = 0;

Q_SIGNALS:
    void attached(const QString& run);
    void detached(const QString& run, const QString& why); // why: empty when it ended well
    void event(const QString& run, const qw::wire::Event& event);
};

} // namespace qw::ui
