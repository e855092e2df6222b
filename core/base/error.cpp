// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/error.h"

#include <array>

namespace qw {
namespace {

struct Row {
    std::string_view prefix; // longest match wins: exact codes stand before their family
    int exit;
};
constexpr std::array kRows{
    Row{"usage", 2},          Row{"config.", 3},         Row{"file.", 4},         Row{"model.", 4},     Row{"tokenizer.", 4},
    Row{"template.", 4},      Row{"data.", 4},           Row{"store.locked", 75}, Row{"store.", 4},     Row{"train.nonfinite", 5},
    Row{"train.diverged", 5}, Row{"train.wont_fit", 6},  Row{"train.", 3},        Row{"engine.oom", 6}, Row{"engine.host_oom", 6},
    Row{"engine.busy", 75},   Row{"engine.timeout", 75}, Row{"dist.", 75},        Row{"disk.", 7},      Row{"proto.version", 78},
};

} // namespace

int exitCode(std::string_view errorCode) {
    for (const Row& row : kRows)
        if (errorCode.starts_with(row.prefix)) return row.exit;
    return 70;
}

} // namespace qw
