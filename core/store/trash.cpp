// SPDX-License-Identifier: GPL-3.0-or-later
// What: names and Trash. A run in Trash keeps its folder until it is deleted for good.
#include "base/clock.h"
#include "base/files.h"
#include "store/store_state.h"
#include "wire/run_marks.h"

#include <algorithm>

namespace qw::store {
namespace {

namespace fs = std::filesystem;

int64_t bytesBelow(const fs::path& dir) {
    int64_t bytes = 0;
    std::error_code code;
    for (fs::recursive_directory_iterator it(dir, fs::directory_options::skip_permission_denied, code), end; !code && it != end;
         it.increment(code)) {
        std::error_code ignored;
        if (!it->is_regular_file(ignored) || it->is_symlink(ignored)) continue;
        const auto size = it->file_size(ignored);
        if (!ignored) bytes += static_cast<int64_t>(size);
    }
    return bytes;
}

} // namespace

Status Store::setName(const std::string& runUid, const std::string& name) {
    QW_CHECK(m_state->needWrite());
    if (name.empty()) return Error{"config.invalid", "a run needs a name", "write at least one letter", {}, false};
    QW_TRY(const RunInfo info, run(runUid));
    const wire::RunFolder folder{info.dir};
    // The folder first: it is what a rebuild sees. It keeps its own name, which others may hold open.
    QW_TRY(records::RunIdentity identity, wire::readIdentity(folder));
    identity.name = name;
    QW_CHECK(wire::writeIdentity(folder, identity));
    return m_state->durable.run("UPDATE run SET name=?, identity_stamp=? WHERE uid=?",
                                {name, fileStamp(folder.identity()), info.identity.uid});
}

Status Store::setTrashed(const std::string& runUid, bool trashed) {
    QW_CHECK(m_state->needWrite());
    QW_TRY(const RunInfo info, run(runUid));
    const wire::RunFolder folder{info.dir};
    if (trashed && wire::isLive(folder)) return Error{"engine.busy", "'" + info.identity.name + "' is running", "stop it first", {}, true};
    // The folder first: it is what a rebuild sees.
    wire::RunMarks marks = wire::readMarks(folder);
    marks.trashedMs = trashed ? wallMs() : 0;
    QW_CHECK(wire::writeMarks(folder, marks));
    return m_state->durable.run("UPDATE run SET trashed_ms=?, identity_stamp=? WHERE uid=?",
                                {trashed ? std::optional(marks.trashedMs) : std::nullopt, fileStamp(folder.identity()), info.identity.uid});
}

Result<std::vector<TrashedRun>> Store::trash() const {
    RunFilter all;
    all.trashed = true;
    QW_TRY(const auto infos, runs(all));
    std::vector<TrashedRun> found;
    for (const RunInfo& info : infos)
        if (info.trashedMs > 0) found.push_back({info.identity.uid, info.identity.name, info.dir, bytesBelow(info.dir), info.trashedMs});
    return found;
}

Status Store::deleteTrashed(const std::string& runUid) {
    QW_CHECK(m_state->needWrite());
    QW_TRY(const RunInfo info, run(runUid));
    if (info.trashedMs == 0)
        return Error{"engine.state", "'" + info.identity.name + "' is not in Trash", "move it to Trash first", {}, false};
    const wire::RunFolder folder{info.dir};
    if (wire::isLive(folder)) return Error{"engine.busy", "'" + info.identity.name + "' is running", "stop it first", {}, true};
    // Out of sight in one step: a half-removed folder would come back with the next look.
    std::error_code code;
    const fs::path gone = info.dir.string() + ".deleted";
    fs::remove(folder.identity(), code);
    if (code) return errnoError(code.value(), "remove", folder.identity());
    fs::rename(info.dir, gone, code);
    const fs::path rest = code ? info.dir : gone;
    m_state->cursors.erase(info.identity.uid);
    QW_CHECK(m_state->durable.run("UPDATE run SET parent_id=NULL WHERE parent_id=(SELECT id FROM run WHERE uid=?)", {info.identity.uid}));
    QW_CHECK(m_state->durable.run("DELETE FROM run WHERE uid=?", {info.identity.uid}));
    fs::remove_all(rest, code);
    if (code) return errnoError(code.value(), "remove", rest);
    return {};
}

// One statement, so that supervisors that start together do not lose each other.
Status Store::enqueue(const std::string& studyUid) {
    QW_CHECK(m_state->needWrite());
    return m_state->durable.run(
        "INSERT INTO meta(key, value) VALUES('flag:queue.order', ?1) ON CONFLICT(key) DO UPDATE SET value=CASE WHEN "
        "instr(' '||value||' ', ' '||?1||' ')>0 THEN value ELSE trim(value||' '||?1) END",
        {studyUid});
}

Status Store::dequeue(const std::string& studyUid) {
    QW_CHECK(m_state->needWrite());
    return m_state->durable.run("UPDATE meta SET value=trim(replace(' '||value||' ', ' '||?1||' ', ' ')) WHERE key='flag:queue.order'",
                                {studyUid});
}

Result<std::vector<std::string>> Store::queueOrder() const {
    QW_TRY(const std::string text, flag("queue.order"));
    std::vector<std::string> order;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find(' ', at), text.size());
        if (end > at) order.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return order;
}

} // namespace qw::store
