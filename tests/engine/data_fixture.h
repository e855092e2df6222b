// SPDX-License-Identifier: GPL-3.0-or-later
// What: small data sets for tests: files, sources, a tokenizer of one letter a token, rows as text.
// Fixture "letters": <unk> 0, <s> 1, </s> 2, a 3 … z 28, no merges: one letter, one token.
#pragma once

#include "data/batches.h"
#include "test_data.h"

#include <fstream>
#include <zlib.h>

namespace qw::test {

namespace fs = std::filesystem;
using data::Dataset;
using records::DataBlock;
using records::DataSource;

inline const tokenizer::Tokenizer& letters() {
    static const auto loaded = tokenizer::Tokenizer::load(test::fixtures() / "tokenizer/letters");
    return *loaded;
}

inline fs::path write(const fs::path& file, std::string_view text) {
    std::ofstream(file, std::ios::binary) << text;
    return file;
}

inline fs::path writeGzip(const fs::path& file, const std::string& text) {
    gzFile out = gzopen(file.c_str(), "wb");
    gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    gzclose(out);
    return file;
}

inline DataSource lines(const fs::path& file) {
    DataSource source;
    source.path = file.string();
    source.format = "text";
    source.document = "line";
    return source;
}

inline DataSource jsonl(const fs::path& file) {
    DataSource source;
    source.path = file.string();
    return source;
}

inline Result<Dataset> build(const DataSource& source, const DataBlock& options, const fs::path& cache = {}, const wire::Sink& sink = {},
                             const CancelToken* cancel = nullptr) {
    return Dataset::build({source}, options, letters(), cache, sink, cancel);
}

inline DataBlock options(const char* packing, const char* excess, int64_t seqLen) {
    DataBlock block;
    block.packing = packing;
    block.excess = excess;
    block.seqLen = seqLen;
    block.padMultiple = 1;
    return block;
}

template<class T> std::string joined(const std::vector<T>& values) {
    std::string out;
    for (const auto value : values) out.append(out.empty() ? "" : " ").append(value == data::kIgnore ? "-" : std::to_string(value));
    return out;
}

// All rows, one after the other: "ids|labels|starts; …".
inline std::string table(const Dataset& data, int64_t seqLen) {
    std::string out;
    for (int64_t row = 0; row < data.rows(); ++row) {
        const auto batch = data.batch(std::vector{row}, seqLen, 1);
        if (row > 0) out += "; ";
        out += joined(batch.ids) + "|" + joined(batch.labels) + "|" + joined(batch.starts[0]);
    }
    return out;
}

inline std::string firstIds(const Dataset& data) { return joined(data.batch(std::vector<int64_t>{0}, 64, 1).ids); }

} // namespace qw::test
