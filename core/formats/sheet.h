// SPDX-License-Identifier: GPL-3.0-or-later
// What: the sheet that proves an export, as JSON: what the tool prints, the store keeps and the window shows.
#pragma once

#include "formats/format.h"

namespace qw::formats {

struct Sheet {
    std::string json; // {format, dir, bytes, hash, verified, verdict{}, checks[{name, value, ok}], step}
    bool verified = false;
};
// step: of the checkpoint that was written; negative when it was none, and then left out.
[[nodiscard]] Sheet sheetOf(const Format& format, const Exported& exported, const std::filesystem::path& dir, int64_t step = -1);
// {fidelity, why, runs_on, notes[], groups, inexact, bytes}
[[nodiscard]] std::string verdictJson(const Verdict& verdict);

} // namespace qw::formats
