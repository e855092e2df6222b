// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/digest.h"
#include "base/files.h"
#include "tokenizer/pipeline.h"

namespace qw::tokenizer {
namespace {

constexpr uint64_t kMaxFile = uint64_t{256} << 20;

} // namespace

Result<Pipeline> loadPipeline(const std::filesystem::path& dir, Xxh3& digest) {
    std::error_code code;
    const auto has = [&](const char* name) { return std::filesystem::exists(dir / name, code); };
    if (has("tokenizer.json")) {
        QW_TRY(const std::string bytes, readFile(dir / "tokenizer.json", kMaxFile));
        digest.add(bytes);
        return parsePipeline(bytes, (dir / "tokenizer.json").string());
    }
    if (has("vocab.json") && has("merges.txt")) {
        QW_TRY(const std::string vocab, readFile(dir / "vocab.json", kMaxFile));
        QW_TRY(const std::string merges, readFile(dir / "merges.txt", kMaxFile));
        digest.add(vocab);
        digest.add(merges);
        return parseGpt2Files(vocab, merges, dir.string());
    }
    if (has("tokenizer.model"))
        return Error{"tokenizer.unsupported",
                     dir.string() + " has only a SentencePiece tokenizer.model",
                     "load it once with transformers and save it: that writes the tokenizer.json that is needed",
                     {},
                     false};
    return Error{
        "file.not_found", dir.string() + " has no tokenizer.json", "check the path: a model folder holds its tokenizer.json", {}, false};
}

} // namespace qw::tokenizer
