// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/specials.h"

#include "base/files.h"
#include "tokenizer/json_depth.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace qw::tokenizer {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxBytes = uint64_t{64} << 20;

Result<json> readOptional(const std::filesystem::path& path) {
    std::error_code code;
    if (!std::filesystem::exists(path, code)) return json::object();
    QW_TRY(const std::string bytes, readFile(path, kMaxBytes));
    json value = jsonTooDeep(bytes, 64) ? json(json::value_t::discarded) : json::parse(bytes, nullptr, false);
    if (value.is_discarded() || !value.is_object())
        return Error{"file.corrupt", path.string() + " is not a JSON object", "the file is damaged: fetch it again", {}, false};
    return value;
}

// A token is named by a string, by null, or by {"content": …}.
std::optional<std::string> tokenName(const json& file, const char* key) {
    const auto it = file.find(key);
    if (it == file.end()) return std::nullopt;
    if (it->is_string()) return it->get<std::string>();
    if (it->is_object() && it->contains("content") && it->at("content").is_string()) return it->at("content").get<std::string>();
    return std::nullopt;
}

std::vector<int64_t> idList(const json& file, const char* key) {
    const auto it = file.find(key);
    std::vector<int64_t> ids;
    if (it == file.end()) return ids;
    if (it->is_number_integer()) ids.push_back(it->get<int64_t>());
    if (it->is_array())
        for (const json& one : *it)
            if (one.is_number_integer()) ids.push_back(one.get<int64_t>());
    return ids;
}

std::optional<bool> flagOf(const json& file, const char* key) {
    const auto it = file.find(key);
    return it != file.end() && it->is_boolean() ? std::optional(it->get<bool>()) : std::nullopt;
}

struct Sources {
    std::vector<std::pair<const char*, json>> named;    // files that name tokens
    std::vector<std::pair<const char*, json>> numbered; // files that give ids
};

} // namespace

Result<SpecialFiles> readSpecials(const std::filesystem::path& dir, const std::function<int32_t(const std::string&)>& idOf,
                                  const std::function<bool(int32_t)>& exists) {
    SpecialFiles out;
    Sources from;
    for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
        QW_TRY(json file, readOptional(dir / name));
        from.named.emplace_back(name, std::move(file));
    }
    for (const char* name : {"generation_config.json", "config.json"}) {
        QW_TRY(json file, readOptional(dir / name));
        from.numbered.emplace_back(name, std::move(file));
    }
    const auto collect = [&](const std::string& role) {
        std::vector<int32_t> found;
        const auto add = [&](int64_t id, const std::string& origin) {
            const auto narrow = static_cast<int32_t>(id);
            if (std::find(found.begin(), found.end(), narrow) != found.end()) return;
            found.push_back(narrow);
            out.notes.push_back(role + " " + std::to_string(id) + " from " + origin);
        };
        for (const auto& [name, file] : from.named)
            if (const auto token = tokenName(file, (role + "_token").c_str())) {
                const int32_t id = idOf(*token);
                if (id >= 0)
                    add(id, name);
                else
                    out.warnings.push_back(std::string(name) + ": " + role + "_token '" + *token + "' is not in the vocabulary");
            }
        for (const auto& [name, file] : from.numbered)
            for (const int64_t id : idList(file, (role + "_token_id").c_str())) {
                if (id >= 0 && id <= INT32_MAX && exists(static_cast<int32_t>(id)))
                    add(id, name);
                else if (id >= 0)
                    out.warnings.push_back(std::string(name) + ": " + role + "_token_id " + std::to_string(id) +
                                           " is not in the vocabulary");
            }
        return found;
    };
    const auto first = [](const std::vector<int32_t>& ids) { return ids.empty() ? std::nullopt : std::optional(ids[0]); };
    out.ids.bos = first(collect("bos"));
    out.ids.eos = collect("eos");
    out.ids.pad = first(collect("pad"));
    out.ids.unk = first(collect("unk"));
    out.addBos = flagOf(from.named[0].second, "add_bos_token");
    out.addEos = flagOf(from.named[0].second, "add_eos_token");
    return out;
}

} // namespace qw::tokenizer
