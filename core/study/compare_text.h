// SPDX-License-Identifier: GPL-3.0-or-later
// What: a comparison table as text for a terminal, Markdown, LaTeX, CSV and JSON; all hold the same cells.
#pragma once

#include "study/compare.h"

namespace qw::study {

// The cells as people read them: a header, one line a row, then degradations and recovered shares. JSON and CSV carry unrounded numbers.
struct TextTable {
    std::vector<std::string> header;
    std::vector<std::vector<std::string>> rows; // same width as the header
    size_t values = 0;                          // the first `values` rows are measured, the others are derived
    enum class Kind : uint8_t { Value, Degradation, Recovered };
    struct Origin {
        size_t line = 0; // of the table
        Kind kind = Kind::Value;
    };
    std::vector<Origin> origin; // one a row
};
[[nodiscard]] TextTable textTable(const Table& table);

[[nodiscard]] std::string toPlain(const Table& table);
[[nodiscard]] std::string toMarkdown(const Table& table);
[[nodiscard]] std::string toLatex(const Table& table); // a tabular of booktabs, with its rules; \textpm and arrows as commands
[[nodiscard]] std::vector<std::string> footnotes(const Table& table); // what stands under a table: references, marks, notes
[[nodiscard]] std::string toCsv(const Table& table);
[[nodiscard]] std::string toJson(const Table& table); // one object, one line

} // namespace qw::study
