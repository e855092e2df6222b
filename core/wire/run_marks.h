// SPDX-License-Identifier: GPL-3.0-or-later
// What: marks on a run that lie in its run.json beside who it is: when it went to Trash, whether its schedule may be stretched.
// Why here: a rebuilt store and a later start of the engine find them there.
#pragma once

#include "wire/run_folder.h"

namespace qw::wire {

struct RunMarks {
    int64_t trashedMs = 0;       // 0: not in Trash
    bool extendSchedule = false; // it goes on from a checkpoint of a shorter run, whatever that does to the schedule's shape
};
[[nodiscard]] RunMarks readMarks(const RunFolder& folder);
[[nodiscard]] Status writeMarks(const RunFolder& folder, const RunMarks& marks); // atomic; everything else in the file is kept

} // namespace qw::wire
