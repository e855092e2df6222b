// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/run_ways.h"

#include "drive/go_on.h"

#include <QCoreApplication>
#include <QPointer>
#include <algorithm>

namespace qw::ui {
namespace {

using records::RunState;

QString tr(const char* text) { return QCoreApplication::translate("RunWays", text); }

void goOn(Session& session, const QString& uid, QObject* context, const Reply& done) {
    const SnapshotPtr snapshot = session.project.snapshot();
    const RunFacts* run = snapshot ? snapshot->run(uid) : nullptr;
    const StudyFacts* study = run ? studyOf(*snapshot, run->info) : nullptr;
    if (study)
        session.engine.continueStudy(session.project.dir(), text(study->info.dir.string()), context, done);
    else
        session.engine.command(
            {QStringLiteral("resume"), uid, QStringLiteral("--wait"), QStringLiteral("--project"), session.project.dir()}, context, {},
            done);
}

} // namespace

const StudyFacts* studyOf(const Snapshot& snapshot, const store::RunInfo& run) {
    // A member of a study; a run that was extended belongs to none of its rows.
    const auto found = std::ranges::find_if(snapshot.studies, [&](const StudyFacts& study) {
        return study.info.uid == run.identity.studyUid && !study.info.dir.empty() &&
               std::ranges::any_of(study.rows, [&](const store::StudyRow& row) { return row.runUid == run.identity.uid; });
    });
    return found == snapshot.studies.end() ? nullptr : &*found;
}

QString whyNoResume(const Snapshot& snapshot, const store::RunInfo& run, RunState state) {
    if (snapshot.readOnly) return tr("The project is open read-only");
    if (state == RunState::Paused || state == RunState::Pausing) return {};
    if (state == RunState::Completed) return tr("The run is done; Extend gives it more steps");
    if (!records::isEnded(state)) return tr("The run is working");
    if (run.trashedMs > 0) return tr("The run is in Trash; restore it first");
    const StudyFacts* study = studyOf(snapshot, run);
    if (study && study->driven) return tr("Its study still works on other runs; it can be resumed when they are done");
    return {};
}

QString whyNoExtend(const Snapshot& snapshot, const store::RunInfo& run) {
    if (snapshot.readOnly) return tr("The project is open read-only");
    if (run.identity.kind != "train" && run.identity.kind != "qat") return tr("The run was not trained");
    if (run.state != RunState::Completed && run.state != RunState::Stopped) return tr("Only a run that is done or stopped is extended");
    if (run.trashedMs > 0) return tr("The run is in Trash; restore it first");
    return {};
}

void resumeRun(Session& session, const QString& uid, qint64 from, QObject* context, const Reply& done) {
    const SnapshotPtr snapshot = session.project.snapshot();
    const RunFacts* run = snapshot ? snapshot->run(uid) : nullptr;
    if (!run) return;
    if (from < 0) return goOn(session, uid, context, done);
    session.project.change([folder = wire::RunFolder{run->info.dir}, from](store::Store&) { return drive::rewindRun(folder, from); },
                           [&session, uid, context = QPointer<QObject>(context), done](const Status& rewound) {
                               if (!context) return;
                               if (rewound)
                                   goOn(session, uid, context, done);
                               else
                                   done(rewound.error());
                           });
}

void extendRun(Session& session, const QString& uid, qint64 steps, QObject* context, std::function<void(const Result<QString>&)> done) {
    session.project.query<std::string>(
        QStringLiteral("extend"),
        [uid = utf8(uid), steps](store::Store& store) -> Result<std::string> {
            QW_TRY(const auto run, store.run(uid));
            QW_TRY(const auto folder, drive::extendRun(store, run, steps));
            QW_TRY(const auto identity, wire::readIdentity(folder));
            return identity.uid;
        },
        context,
        [&session, context, done = std::move(done)](const Result<std::string>& made) {
            if (!made) return done(made.error());
            const QString uid = text(*made);
            session.project.refresh();
            done(uid);
            goOn(session, uid, context, [&session](const Result<QByteArray>& reply) {
                if (!reply) Q_EMIT session.notice(reply.error());
                session.project.refresh();
            });
        });
}

} // namespace qw::ui
