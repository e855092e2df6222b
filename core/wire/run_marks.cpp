// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/run_marks.h"

#include "base/files.h"

#include <nlohmann/json.hpp>

namespace qw::wire {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kMaxBytes = 4 << 20;
constexpr const char *kTrashed = "trashed_ms", *kExtend = "extend_schedule";

} // namespace

RunMarks readMarks(const RunFolder& folder) {
    RunMarks marks;
    const auto text = readFile(folder.identity(), kMaxBytes);
    const Json json = text ? Json::parse(*text, nullptr, false) : Json();
    if (!json.is_object()) return marks;
    if (const auto at = json.find(kTrashed); at != json.end() && at->is_number_integer()) marks.trashedMs = at->get<int64_t>();
    if (const auto at = json.find(kExtend); at != json.end() && at->is_boolean()) marks.extendSchedule = at->get<bool>();
    return marks;
}

Status writeMarks(const RunFolder& folder, const RunMarks& marks) {
    QW_TRY(const std::string text, readFile(folder.identity(), kMaxBytes));
    Json json = Json::parse(text, nullptr, false);
    if (!json.is_object())
        return Error{
            "file.corrupt", folder.identity().string() + " is not a JSON object", "restore the file, or move the folder away", {}, false};
    json.erase(kTrashed);
    json.erase(kExtend);
    if (marks.trashedMs > 0) json[kTrashed] = marks.trashedMs;
    if (marks.extendSchedule) json[kExtend] = true;
    return writeFileAtomic(folder.identity(), json.dump(2) + "\n");
}

} // namespace qw::wire
