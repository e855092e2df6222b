// SPDX-License-Identifier: GPL-3.0-or-later
// What: the two kinds of JSON lines a task file can hold, checked field by field (evaluation.md 10).
#pragma once

#include "tasks/problems.h"
#include "tasks/tasks.h"

#include <string_view>

namespace qw::tasks {

void readChoiceRows(std::string_view text, Problems& problems, TaskData& into);
void readTextRows(std::string_view text, Problems& problems, TaskData& into);

} // namespace qw::tasks
