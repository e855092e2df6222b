// SPDX-License-Identifier: GPL-3.0-or-later
// What: rows of a comparison made by hand: with published values only, or with items.
#pragma once

#include "study/compare.h"

#include <cmath>

namespace qw::test {

using records::RowRole;
using study::FactRow;

inline FactRow row(RowRole role, const std::string& scheme = {}, const std::string& block = "B", uint64_t seed = 42) {
    FactRow r;
    r.role = role;
    r.scheme = scheme;
    r.block = role == RowRole::Float ? "" : block;
    r.seed = seed;
    r.method = role == RowRole::Ptq ? "rtn" : "";
    r.label = role == RowRole::Float          ? "float"
              : role == RowRole::FloatTrained ? "float trained"
                                              : scheme + (role == RowRole::Ptq ? " PTQ" : " QAT");
    r.run = r.label + block + std::to_string(seed);
    r.bytes = scheme.empty() ? 4000 : 1000;
    r.bitsPerWeight = scheme.empty() ? 16 : 4;
    return r;
}

inline study::TaskFacts& task(FactRow& r, const std::string& name, std::vector<records::EvalMetric> metrics, int64_t n = 10042) {
    study::TaskFacts t;
    t.result.task = t.result.kind = name;
    t.result.taskVersion = "1.0";
    t.result.taskDigest = "digest of " + name;
    t.result.settings = "{\"bos\":\"auto\"}";
    t.result.settingsHash = "s";
    t.result.n = n;
    t.result.metrics = std::move(metrics);
    t.result.tokensPerSecond = 1000;
    r.tasks.push_back(std::move(t));
    return r.tasks.back();
}

// A published row: HellaSwag in percent, WikiText as printed; no items.
inline FactRow published(RowRole role, const std::string& scheme, const std::string& block, double acc, double accNorm, double word,
                         double byte, double bits) {
    FactRow r = row(role, scheme, block);
    task(r, "hellaswag", {{"acc", acc / 100, 0.0049}, {"acc_norm", accNorm / 100, 0.0042}});
    task(r, "wikitext", {{"word_perplexity", word, {}}, {"byte_perplexity", byte, {}}, {"bits_per_byte", bits, {}}}, 62);
    return r;
}

// The rows of evaluation.md 9.
inline std::vector<FactRow> publishedRows() {
    return {published(RowRole::FloatTrained, "", "A", 57.86, 76.60, 8.905, 1.505, 0.590),
            published(RowRole::Ptq, "8da4w", "A", 51.74, 70.66, 11.878, 1.588, 0.668),
            published(RowRole::Qat, "8da4w", "A", 57.25, 76.51, 9.859, 1.534, 0.617),
            published(RowRole::FloatTrained, "", "B", 57.16, 77.02, 8.858, 1.504, 0.589),
            published(RowRole::Ptq, "4w", "B", 55.06, 74.24, 10.311, 1.547, 0.630),
            published(RowRole::Qat, "4w", "B", 55.86, 75.06, 10.134, 1.542, 0.625)};
}

// Items 0 … n-1; wrong says which ones this model misses.
template<class Wrong> void items(FactRow& r, int64_t n, Wrong wrong) {
    std::vector<records::EvalItem> list;
    int64_t hits = 0;
    for (int64_t i = 0; i < n; ++i) {
        records::EvalItem item;
        item.item = i;
        item.ll = {-1, -2};
        item.correct = item.correctNorm = wrong(i) ? 0 : 1;
        hits += item.correct;
        list.push_back(item);
    }
    const double acc = static_cast<double>(hits) / static_cast<double>(n);
    task(r, "hellaswag", {{"acc", acc, std::sqrt(acc * (1 - acc) / static_cast<double>(n - 1))}}, n).items = std::move(list);
}

// Documents of 100 words; each with its own loss per word.
inline void documents(FactRow& r, const std::vector<double>& lossPerWord) {
    std::vector<records::EvalItem> list;
    double nll = 0;
    for (size_t i = 0; i < lossPerWord.size(); ++i) {
        records::EvalItem item;
        item.item = static_cast<int64_t>(i);
        item.ll = {-100 * lossPerWord[i]};
        item.words = item.bytes = item.tokens = 100;
        nll += lossPerWord[i];
        list.push_back(item);
    }
    const double word = std::exp(nll / static_cast<double>(lossPerWord.size()));
    task(r, "wikitext", {{"word_perplexity", word, {}}}, static_cast<int64_t>(lossPerWord.size())).items = std::move(list);
}

} // namespace qw::test
