// SPDX-License-Identifier: GPL-3.0-or-later
// What: how a run that is at rest can go on: from its newest or an earlier checkpoint, or for more steps; and why it cannot.
// Why here: the pages Live and Runs offer the same ways with the same reasons.
#pragma once

#include "client/session.h"

#include <functional>

namespace qw::ui {

// The study that the run was made for; null: none, or its folder is gone.
[[nodiscard]] const StudyFacts* studyOf(const Snapshot& snapshot, const store::RunInfo& run);

// Empty: it can. state: as the engine said it last, which may be newer than the snapshot.
[[nodiscard]] QString whyNoResume(const Snapshot& snapshot, const store::RunInfo& run, records::RunState state);
[[nodiscard]] QString whyNoExtend(const Snapshot& snapshot, const store::RunInfo& run);

// Continues an ended run, within its study where it has one. from: step of the checkpoint; below 0: the newest.
void resumeRun(Session& session, const QString& uid, qint64 from, QObject* context, const Reply& done);
// A new run that goes on from the newest checkpoint for so many steps; done gets its uid before it trains.
void extendRun(Session& session, const QString& uid, qint64 steps, QObject* context, std::function<void(const Result<QString>&)> done);

} // namespace qw::ui
