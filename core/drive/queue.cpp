// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/queue.h"

#include "wire/lock_file.h"

#include <algorithm>

namespace qw::drive {

Result<std::string> whyWait(const store::Store& store, const std::string& studyUid) {
    QW_TRY(const std::string paused, store.flag("queue.paused"));
    if (paused == "1") return std::string("the queue is paused");
    QW_TRY(const auto order, store.queueOrder());
    if (order.empty() || order.front() == studyUid) return std::string();
    QW_TRY(const auto studies, store.studies());
    for (const std::string& uid : order) {
        if (uid == studyUid) break;
        const auto earlier = std::ranges::find(studies, uid, &store::StudyInfo::uid);
        // Whoever is driven comes to its end by itself; a study that nobody drives holds nobody up.
        if (earlier != studies.end() && !earlier->dir.empty() && wire::isLockLive(earlier->dir / "study.lock"))
            return "the study '" + earlier->name + "' is earlier in the queue";
    }
    return std::string();
}

} // namespace qw::drive
