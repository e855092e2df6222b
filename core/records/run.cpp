// SPDX-License-Identifier: GPL-3.0-or-later
#include "records/run.h"

#include <array>

namespace qw::records {
namespace {

constexpr std::array kStates{"created",  "queued",    "starting", "running", "pausing",    "paused",
                             "stopping", "completed", "stopped",  "failed",  "interrupted"};
constexpr std::array kRoles{"float", "float_trained", "ptq", "qat", "exported"};

template<class Enum, size_t N> std::optional<Enum> find(const std::array<const char*, N>& names, const std::string& name) {
    for (size_t i = 0; i < N; ++i)
        if (name == names[i]) return static_cast<Enum>(i);
    return std::nullopt;
}

} // namespace

const char* stateName(RunState state) { return kStates[static_cast<size_t>(state)]; }
std::optional<RunState> stateFromName(const std::string& name) { return find<RunState>(kStates, name); }
const char* roleName(RowRole role) { return kRoles[static_cast<size_t>(role)]; }
std::optional<RowRole> roleFromName(const std::string& name) { return find<RowRole>(kRoles, name); }

} // namespace qw::records
