// SPDX-License-Identifier: GPL-3.0-or-later
#include "formats/staging.h"

#include "base/files.h"
#include "checkpoint/weight_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <unistd.h>

namespace qw::formats {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxSideFile = uint64_t{256} << 20;

bool isSideFile(std::string name) {
    constexpr std::array kNames{"generation_config.json",
                                "tokenizer.json",
                                "tokenizer_config.json",
                                "special_tokens_map.json",
                                "added_tokens.json",
                                "chat_template.jinja",
                                "vocab.json",
                                "merges.txt",
                                "tokenizer.model"};
    if (std::ranges::find(kNames, name) != kNames.end()) return true;
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::array kPrefixes{"licence", "license", "readme", "notice", "use_policy"};
    return std::ranges::any_of(kPrefixes, [&](const char* prefix) { return name.starts_with(prefix); });
}

// Removes what a killed process left beside the target.
void removeStale(const fs::path& target) {
    std::error_code code;
    std::vector<fs::path> dead;
    for (const char* kind : {".partial.", ".old."}) {
        const std::string prefix = target.filename().string() + kind;
        for (fs::directory_iterator it(target.parent_path(), code), end; !code && it != end; it.increment(code)) {
            const std::string name = it->path().filename().string();
            if (!name.starts_with(prefix)) continue;
            int pid = 0;
            const char* last = name.data() + name.size();
            const auto parsed = std::from_chars(name.data() + prefix.size(), last, pid);
            if (parsed.ec == std::errc() && parsed.ptr == last && pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH)
                dead.push_back(it->path());
        }
    }
    for (const fs::path& path : dead) fs::remove_all(path, code);
}

// What may stand where the folder will be.
Status mayReplace(const fs::path& target, bool overwrite) {
    std::error_code code;
    const auto kind = fs::symlink_status(target, code).type();
    if (kind == fs::file_type::not_found) return {};
    if (kind != fs::file_type::directory)
        return Error{"file.unsafe", target.string() + " exists and is not a folder", "choose another name", {}, false};
    if (fs::is_empty(target, code)) return {};
    if (!overwrite)
        return Error{"file.unsafe", target.string() + " exists and is not empty", "choose another folder or remove this one", {}, false};
    if (!isExport(target))
        return Error{"file.unsafe",
                     target.string() + " holds other files than an export of this program",
                     "only exports are replaced: choose a new or an empty folder, or remove this one yourself",
                     {},
                     false};
    return {};
}

} // namespace

bool isExport(const fs::path& folder) {
    std::error_code code;
    return fs::is_regular_file(folder / kExportFile, code);
}

Result<Staging> Staging::begin(const fs::path& wanted, bool overwrite) {
    std::error_code code;
    fs::path target = fs::absolute(wanted, code).lexically_normal();
    if (target.filename().empty()) target = target.parent_path(); // a trailing slash
    QW_CHECK(mayReplace(target, overwrite));
    QW_CHECK(makeDirs(target.parent_path()));
    removeStale(target);
    const fs::path dir = target.string() + ".partial." + std::to_string(::getpid());
    fs::remove_all(dir, code);
    if (!fs::create_directory(dir, code)) return errnoError(code ? code.value() : EEXIST, "create", dir);
    return Staging(std::move(target), dir);
}

Staging::Staging(Staging&& other) noexcept : m_target(std::move(other.m_target)), m_dir(std::exchange(other.m_dir, {})) {}

Staging::~Staging() {
    std::error_code ignored;
    if (!m_dir.empty()) fs::remove_all(m_dir, ignored);
}

Status Staging::commit() {
    QW_CHECK(fsyncDir(m_dir));
    std::error_code code;
    const fs::path old = m_target.string() + ".old." + std::to_string(::getpid());
    const bool replaces = fs::exists(m_target, code);
    if (replaces && ::rename(m_target.c_str(), old.c_str()) != 0) return errnoError(errno, "move aside", m_target);
    if (::rename(m_dir.c_str(), m_target.c_str()) != 0) {
        const int failed = errno;
        if (replaces && ::rename(old.c_str(), m_target.c_str()) != 0) return errnoError(errno, "put back", m_target);
        return errnoError(failed, "rename to", m_target);
    }
    m_dir.clear();
    QW_CHECK(fsyncDir(m_target.parent_path()));
    if (replaces) fs::remove_all(old, code);
    return {};
}

Status copySideFiles(const fs::path& source, const fs::path& into) {
    std::error_code code;
    const fs::path dir = fs::canonical(source, code);
    if (code) return errnoError(code.value(), "open", source);
    std::vector<std::string> names;
    for (fs::directory_iterator it(dir, code), end; !code && it != end; it.increment(code))
        if (isSideFile(it->path().filename().string())) names.push_back(it->path().filename().string());
    if (code) return errnoError(code.value(), "list", dir);
    std::ranges::sort(names);
    for (const std::string& name : names) {
        if (fs::is_directory(dir / name, code)) continue;
        QW_TRY(const fs::path from, checkpoint::resolveInside(dir, name));
        QW_TRY(const std::string bytes, readFile(from, kMaxSideFile));
        QW_CHECK(writeFileAtomic(into / name, bytes));
    }
    return {};
}

} // namespace qw::formats
