// SPDX-License-Identifier: GPL-3.0-or-later
// What: the comparison table as LaTeX that compiles with booktabs and inputenc utf8 alone (ulem's \sout for crossed-out values).
#include "study/compare_text.h"

#include <utility>

namespace qw::study {
namespace {

// What has a meaning in LaTeX, and what its text fonts do not hold.
std::string escaped(const std::string& text) {
    static const std::pair<const char*, const char*> words[] = {{"\\", "\\textbackslash{}"},
                                                                {"&", "\\&"},
                                                                {"%", "\\%"},
                                                                {"$", "\\$"},
                                                                {"#", "\\#"},
                                                                {"_", "\\_"},
                                                                {"{", "\\{"},
                                                                {"}", "\\}"},
                                                                {"~", "\\textasciitilde{}"},
                                                                {"^", "\\textasciicircum{}"},
                                                                {"↑", " $\\uparrow$"},
                                                                {"↓", " $\\downarrow$"},
                                                                {"±", "$\\pm$"},
                                                                {"−", "$-$"},
                                                                {"≈", "$\\approx$"},
                                                                {"✱", "$^{*}$"},
                                                                {"–", "--"},
                                                                {"≤", "$\\leq$"}};
    std::string out;
    for (size_t i = 0; i < text.size();) {
        size_t length = 0;
        for (const auto& [from, to] : words)
            if (text.compare(i, std::char_traits<char>::length(from), from) == 0) {
                out += to;
                length = std::char_traits<char>::length(from);
                break;
            }
        if (length == 0) {
            out += text[i];
            length = 1;
        }
        i += length;
    }
    return out;
}

std::string cellText(const std::string& cell) {
    if (cell.starts_with("~~") && cell.ends_with("~~") && cell.size() > 4)
        return "\\sout{" + escaped(cell.substr(2, cell.size() - 4)) + "}";
    return escaped(cell);
}

} // namespace

std::string toLatex(const Table& table) {
    const TextTable text = textTable(table);
    std::string out = "% needs \\usepackage{booktabs} and, for crossed-out values, \\usepackage[normalem]{ulem}\n\\begin{tabular}{l" +
                      std::string(text.header.size() - 1, 'r') + "}\n\\toprule\n";
    const auto add = [&](const std::vector<std::string>& row) {
        for (size_t c = 0; c < row.size(); ++c) out += (c ? " & " : "") + cellText(row[c]);
        out += " \\\\\n";
    };
    add(text.header);
    out += "\\midrule\n";
    for (size_t r = 0; r < text.rows.size(); ++r) {
        if (r == text.values) out += "\\midrule\n";
        add(text.rows[r]);
    }
    out += "\\bottomrule\n\\end{tabular}\n% Verdict: " + table.verdict.sentence + "\n";
    return out;
}

} // namespace qw::study
