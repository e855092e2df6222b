// SPDX-License-Identifier: GPL-3.0-or-later
// What: hellaswag and wikitext of performance.md 10: our scoring beside lm-evaluation-harness on the same items.
#pragma once

#include "engine/benches.h"

namespace qw::engine {

[[nodiscard]] Result<records::BenchResult> benchHellaswag(const BenchOptions& options);
[[nodiscard]] Result<records::BenchResult> benchWikitext(const BenchOptions& options);

} // namespace qw::engine
