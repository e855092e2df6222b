// SPDX-License-Identifier: GPL-3.0-or-later
// What: the digests that say whether a row's facts exist already, and which rows share a float reference.
// Limits: files above 64 MiB are known by size, time and both ends; smaller ones by their content.
#pragma once

#include "base/result.h"
#include "study/members.h"

#include <filesystem>
#include <map>
#include <string>

namespace qw::study {

// XXH3 of train, optim, schedule, precision, memory, loss, data (file names, not folders) and what can end training early; not of qat:
// a scheme's reference is the float trained row with the same block.
[[nodiscard]] std::string blockDigest(const records::Recipe& resolved);

// What decides a result besides the recipe's text.
struct Facts {
    std::map<std::string, std::string> files; // path -> fingerprint: model, data and task files
    std::string deviceKind;                   // cpu | cuda
    std::string buildId;                      // of the engine
};
// file.not_found names the path and what it was for.
[[nodiscard]] Result<Facts> gatherFacts(const records::Recipe& study, const std::string& deviceKind, const std::string& buildId);
[[nodiscard]] Result<std::string> fileFingerprint(const std::filesystem::path& file);
// config, tokenizer, weights and index of a model folder.
[[nodiscard]] Result<std::string> modelFingerprint(const std::filesystem::path& folder);

// Equal keys = equal results. parentKey: the key of the member that a ptq row quantizes; empty for the start model.
[[nodiscard]] std::string memberKey(const Member& member, const Facts& facts, const std::string& parentKey);

} // namespace qw::study
