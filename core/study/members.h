// SPDX-License-Identifier: GPL-3.0-or-later
// What: what a recipe runs (recipe.md 2): its members in an order in which every parent comes first, each with a resolved recipe.
#pragma once

#include "base/result.h"
#include "records/recipe.h"
#include "records/run.h"

#include <string>
#include <vector>

namespace qw::study {

struct Member {
    std::string id; // stable inside a study and fit for a file name: "float", "float-trained-1a2b3c4d-s42", "w3-ptq-rtn-s42", "w3-qat-s42"
    std::string parent; // ptq: id of the float-trained member that it quantizes; empty: the start model
    records::RunIdentity
        run; // name, kind, role, scheme, method, block, seed, modelPath; uid, key, parentUid, study are filled when it starts
    records::Recipe recipe; // resolved: one seed, no schemes; qat only for ptq and qat rows
};

// Without schemes: one train or qat member per seed. A model that starts random has no `float` row.
[[nodiscard]] Result<std::vector<Member>> expand(const records::Recipe& study);

} // namespace qw::study
