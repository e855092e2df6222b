// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store_state.h"

#include "base/files.h"

#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace qw::store {
namespace {

using Json = nlohmann::ordered_json;

std::string textAt(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}
template<class T> T numberAt(const Json& json, const char* key, T fallback) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number_integer() ? found->get<T>() : fallback;
}
std::string dump(const Json& json, int indent = -1) { return json.dump(indent, ' ', false, Json::error_handler_t::replace); }

} // namespace

std::string tagsToJson(const std::vector<std::string>& tags) { return dump(Json(tags)); }
std::vector<std::string> tagsFromJson(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    std::vector<std::string> tags;
    if (json.is_array())
        for (const Json& tag : json)
            if (tag.is_string()) tags.push_back(tag.get<std::string>());
    return tags;
}

std::string errorToJson(const Error& error) {
    return dump(Json{{"code", error.code}, {"msg", error.message}, {"hint", error.hint}, {"detail", error.detail}, {"retry", error.retry}});
}
std::optional<Error> errorFromJson(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    const auto retry = json.find("retry");
    return Error{textAt(json, "code"), textAt(json, "msg"), textAt(json, "hint"), textAt(json, "detail"),
                 retry != json.end() && retry->is_boolean() && retry->get<bool>()};
}

Error interruptedError(const wire::RunFolder& folder, int64_t attemptStartedMs, int64_t step) {
    Error error{"engine.lost", "the engine ended without a word", "start the run again: it continues from its last checkpoint", {}, true};
    if (step > 0) error.message += ", after step " + std::to_string(step);
    struct stat info {};
    if (::stat(folder.crash().c_str(), &info) != 0 || int64_t{info.st_mtim.tv_sec} * 1000 + 999 < attemptStartedMs)
        return error; // of an earlier attempt
    const auto text = readFile(folder.crash(), 1 << 20);
    const Json json = text ? Json::parse(*text, nullptr, false) : Json();
    if (!json.is_object()) return error;
    error.code = "engine.killed";
    const auto signal = json.find("signal");
    const std::string name = signal == json.end() ? "" : signal->is_string() ? signal->get<std::string>() : dump(*signal);
    error.message = "the engine crashed with signal " + (name.empty() ? "?" : name);
    if (const std::string phase = textAt(json, "phase"); !phase.empty()) error.message += " in phase " + phase;
    if (const auto at = numberAt<int64_t>(json, "step", -1); at >= 0) error.message += " at step " + std::to_string(at);
    error.hint += "; details are in logs/crash.json";
    error.detail = dump(json);
    return error;
}

std::string studyToJson(const StudyInfo& study) {
    return dump(Json{{"uid", study.uid},
                     {"name", study.name},
                     {"created_ms", study.createdMs},
                     {"notes", study.notes},
                     {"tags", study.tags},
                     {"archived", study.archived}},
                2) +
           "\n";
}
std::optional<StudyInfo> studyFromJson(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object() || textAt(json, "uid").empty()) return std::nullopt;
    StudyInfo study;
    study.uid = textAt(json, "uid");
    study.name = textAt(json, "name");
    study.notes = textAt(json, "notes");
    study.createdMs = numberAt<int64_t>(json, "created_ms", 0);
    if (const auto tags = json.find("tags"); tags != json.end()) study.tags = tagsFromJson(dump(*tags));
    if (const auto archived = json.find("archived"); archived != json.end() && archived->is_boolean())
        study.archived = archived->get<bool>();
    return study;
}

std::string studyRowsToJson(const std::vector<StudyRow>& rows) {
    Json list = Json::array();
    for (const StudyRow& row : rows)
        list.push_back({{"role", records::roleName(row.role)},
                        {"scheme", row.scheme},
                        {"method", row.method},
                        {"block", row.block},
                        {"seed", row.seed},
                        {"run_uid", row.runUid}});
    return dump(Json{{"rows", list}}, 2) + "\n";
}
std::vector<StudyRow> studyRowsFromJson(const std::string& text, const std::string& studyUid) {
    std::vector<StudyRow> rows;
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("rows") || !json["rows"].is_array()) return rows;
    for (const Json& entry : json["rows"]) {
        if (!entry.is_object()) continue;
        const auto role = records::roleFromName(textAt(entry, "role"));
        if (!role || textAt(entry, "run_uid").empty()) continue;
        rows.push_back({studyUid, *role, textAt(entry, "scheme"), textAt(entry, "method"), textAt(entry, "block"),
                        numberAt<uint64_t>(entry, "seed", 0), textAt(entry, "run_uid")});
    }
    return rows;
}

} // namespace qw::store
