// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/locate.h"

#include <cstdlib>
#include <unistd.h>

namespace qw::drive {
namespace fs = std::filesystem;

namespace {

Result<fs::path> find(const char* variable, const char* program, const char* what, const char* hint) {
    const char* fromEnv = std::getenv(variable);
    if (fromEnv && *fromEnv) {
        if (::access(fromEnv, X_OK) == 0) return fs::absolute(fromEnv);
        const std::string name(variable);
        return Error{"file.not_found", name + " names '" + fromEnv + "', which cannot be run", "unset " + name + " or correct it", "",
                     false};
    }
    std::string tried;
    for (const fs::path& candidate : {programFolder() / program, programFolder() / "../lib/qat-workbench" / program}) {
        if (::access(candidate.c_str(), X_OK) == 0) return candidate.lexically_normal();
        tried += (tried.empty() ? "" : ", ") + candidate.lexically_normal().string();
    }
    return Error{"file.not_found", std::string(what) + " " + program + " was not found (tried " + tried + ")", hint, "", false};
}

} // namespace

fs::path programFolder() {
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    return error ? fs::path() : self.parent_path();
}

Result<fs::path> findEngine() {
    return find("QATW_ENGINE", "qat-engine", "the engine",
                "install the package qat-workbench-engine, build it (installer/build), or set QATW_ENGINE to its path");
}

Result<fs::path> findTool() { return find("QATW_TOOL", "qatw", "the tool", "reinstall, or set QATW_TOOL to its path"); }

} // namespace qw::drive
