// SPDX-License-Identifier: GPL-3.0-or-later
// What: load_8b_shape of performance.md 10: opening a folder with Llama-3-8B's layout, and reading a 2 GB one of its shapes.
#pragma once

#include "engine/benches.h"

namespace qw::engine {

[[nodiscard]] Result<records::BenchResult> benchLoad8b(const BenchOptions& options);

} // namespace qw::engine
