// SPDX-License-Identifier: GPL-3.0-or-later
// What: whose turn it is when several studies of a project are driven at once, each by a supervisor of its own.
// Why here: job.lock lets one job run, but says nothing about which one comes next; the project's flags do.
// Limits: a wish for jobs that start next; a job in work is never interrupted for it.
#pragma once

#include "store/store.h"

#include <string>

namespace qw::drive {

// Why a study may not start its next job now, in words: flag queue.paused is "1", or a study that is earlier in flag queue.order is
// driven. Empty: go.
[[nodiscard]] Result<std::string> whyWait(const store::Store& store, const std::string& studyUid);

} // namespace qw::drive
