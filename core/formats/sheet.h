// SPDX-License-Identifier: GPL-3.0-or-later
// What: the sheet that proves an export, as JSON: what the tool prints, the store keeps and the window shows.
#pragma once

#include "formats/format.h"

#include <optional>

namespace qw::formats {

// Logits of the written folder against those of its source, on a fixed probe.
struct LogitsCheck {
    double max = 0, mean = 0; // absolute differences
    double scale = 0;         // largest logit of the source
    double sameTop = 0;       // share of positions
    int64_t tokens = 0;
};

struct Sheet {
    std::string json; // {format, dir, bytes, hash, verified, verdict{}, checks[{name, value, ok}]}
    bool verified = false;
};
[[nodiscard]] Sheet sheetOf(const Format& format, const Exported& exported, const LogitsCheck& logits, const std::filesystem::path& dir);
// {fidelity, why, runs_on, notes[], groups, inexact, bytes}
[[nodiscard]] std::string verdictJson(const Verdict& verdict);

} // namespace qw::formats
