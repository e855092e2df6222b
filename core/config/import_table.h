// SPDX-License-Identifier: GPL-3.0-or-later
// What: what each key of the peers means here (training.md 14), as data.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace qw::config {

enum class Import : uint8_t {
    Set,       // the value as it is
    Words,     // the value through a list of words
    Train,     // a field of a training source: ours is the field's name
    Eval,      // the same of an evaluation source
    Model,     // a model folder
    Scheme,    // a part of the quantization scheme: ours is the part's name
    Betas,     // one of Adam's two
    NotNeeded, // has no counterpart because nothing here needs it
    Refused    // this build cannot do it, unless it is switched off
};

struct ImportRule {
    const char* key; // list positions as []; a trailing * matches the rest
    Import how;
    const char* ours;
    const char* note = ""; // shown with the key; empty for a plain mapping
    std::vector<std::pair<const char*, const char*>> words = {};
};
[[nodiscard]] const std::vector<ImportRule>& importRules();
[[nodiscard]] const ImportRule* findRule(const std::string& key);

// What a peer does when its file says nothing and ours would do something else: peer key, our key, value.
struct PeerDefault {
    const char* key;
    const char* ours;
    const char* value;
};
[[nodiscard]] const std::vector<PeerDefault>& peerDefaults(const std::string& peer);

} // namespace qw::config
