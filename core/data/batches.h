// SPDX-License-Identifier: GPL-3.0-or-later
// What: text files to packed training rows (training.md 2): read, tokenise once into a cache, pack, order, cut into micro-batches.
// Limits: no torch in here; ids and labels are plain arrays.
#pragma once

#include "base/cancel.h"
#include "base/result.h"
#include "records/recipe.h"
#include "tokenizer/tokenizer.h"
#include "wire/sink.h"

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace qw::data {

inline constexpr int64_t kIgnore = -100;

// One padded micro-batch.
struct MicroBatch {
    int64_t rows = 0, length = 0;
    std::vector<int64_t> ids;    // [rows * length], padded with pad (or eos, or 0)
    std::vector<int64_t> labels; // [rows * length]: the next token, kIgnore at document ends, padding and masked positions
    std::vector<std::vector<int64_t>> starts; // per row document starts; with document_mask off: {0}
    int64_t validLabels = 0, tokens = 0;      // tokens without padding
};

struct Counts {
    int64_t documents = 0, tokens = 0, rows = 0, dropped = 0, truncated = 0, badLines = 0, unknownTokens = 0, droppedScalars = 0;
};

class Dataset {
public:
    // sources: data.train or data.eval. cacheDir: where token caches lie; reused when sources, tokenizer and options are the same.
    // data.unreadable, data.empty with path and line.
    [[nodiscard]] static Result<Dataset> build(const std::vector<records::DataSource>& sources, const records::DataBlock& options,
                                               const tokenizer::Tokenizer& tokenizer, const std::filesystem::path& cacheDir, const wire::Sink& progress,
                                               const CancelToken* cancel);
    [[nodiscard]] int64_t rows() const; // packs, or documents with packing: none
    [[nodiscard]] const Counts& counts() const;
    [[nodiscard]] const std::string& digest() const; // of sources, tokenizer and packing: same digest, same rows
    // data.changed when a source's size or mtime is not what it was at build.
    [[nodiscard]] Status checkUnchanged() const;
    // Rows of this micro-batch in dataset order or in the permutation keyed by (seed, epoch) (training.md 2.4).
    [[nodiscard]] MicroBatch batch(std::span<const int64_t> rows, int64_t seqLen, int64_t padMultiple) const;
    [[nodiscard]] int64_t permuted(uint64_t seed, int64_t epoch, int64_t index) const; // O(1)

private:
    struct State;
    std::shared_ptr<const State> m_state;
};

// XXH3-128 of what build() would use, without tokenising: enters a run's key.
[[nodiscard]] Result<std::string> sourcesDigest(const std::vector<records::DataSource>& sources);

} // namespace qw::data
