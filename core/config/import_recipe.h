// SPDX-License-Identifier: GPL-3.0-or-later
// What: training recipes of axolotl, torchtune and the Hugging Face trainer (LLaMA-Factory, Intel, ModelOpt) as ours (training.md 14).
// Limits: every key of the file appears in the report, with its line; nothing is dropped in silence, nothing is looked up on a hub.
#pragma once

#include "base/result.h"
#include "records/recipe.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qw::config {

enum class Fate : uint8_t {
    Mapped,      // means the same here
    Changed,     // taken over in another way, or not needed; the note says how
    Unsupported, // known, but this build cannot do it; left out
    Unknown
};
[[nodiscard]] const char* fateName(Fate fate); // "mapped" …

struct ImportedKey {
    std::string key, value; // as in the file: "qat.group_size", "32"
    int line = 0;           // 0: not in the file; the peer's default, which differs from ours
    Fate fate = Fate::Unknown;
    std::string ours; // "train.micro_batch = 2"; empty: nowhere
    std::string note;
};

struct ImportedRecipe {
    std::string peer; // "axolotl", "torchtune", "Hugging Face"
    records::Recipe recipe;
    std::vector<ImportedKey> keys; // in the order of their lines; defaults last
};

// Whether a text is one of our recipes (its first key is `recipe`), judged without reading further.
[[nodiscard]] bool looksLikeOurs(std::string_view text);
// config.invalid with the line for what is not YAML, or is no training recipe of these programs.
[[nodiscard]] Result<ImportedRecipe> importRecipe(std::string_view text, const std::filesystem::path& fileName);

} // namespace qw::config
