// SPDX-License-Identifier: GPL-3.0-or-later
// What: the facts of runs and studies out of the store, ready to be compared.
#pragma once

#include "store/store.h"
#include "study/compare.h"

namespace qw::study {

// One row a run; a run that has not completed says so in its problem.
[[nodiscard]] Result<FactRow> gatherRun(const store::Store& store, const std::string& runUid);
struct Gathered {
    std::vector<FactRow> rows;
    records::Verdict verdict; // of the study's recipe
    std::string name;
};
// Every member of a study in its own order, then exports of them that were evaluated; members without a run say so.
[[nodiscard]] Result<Gathered> gatherStudy(const store::Store& store, const std::string& studyUid);

} // namespace qw::study
