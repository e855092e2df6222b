// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/locate.h"

#include <cstdlib>
#include <unistd.h>

namespace qw::drive {
namespace fs = std::filesystem;

fs::path programFolder() {
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    return error ? fs::path() : self.parent_path();
}

Result<fs::path> findEngine() {
    const char* fromEnv = std::getenv("QATW_ENGINE");
    if (fromEnv && *fromEnv) {
        if (::access(fromEnv, X_OK) == 0) return fs::absolute(fromEnv);
        return Error{"file.not_found", std::string("QATW_ENGINE names '") + fromEnv + "', which cannot be run",
                     "unset QATW_ENGINE or correct it", "", false};
    }
    std::string tried;
    for (const fs::path& candidate : {programFolder() / "qat-engine", programFolder() / "../lib/qat-workbench/qat-engine"}) {
        if (::access(candidate.c_str(), X_OK) == 0) return candidate.lexically_normal();
        tried += (tried.empty() ? "" : ", ") + candidate.lexically_normal().string();
    }
    return Error{"file.not_found", "the engine qat-engine was not found (tried " + tried + ")",
                 "build it with LibTorch (installer/setup), or set QATW_ENGINE to its path", "", false};
}

} // namespace qw::drive
