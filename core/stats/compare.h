// SPDX-License-Identifier: GPL-3.0-or-later
// What: two scored models on the same items: flips, paired tests, the loss that a verdict judges.
#pragma once

#include "records/run.h"
#include "stats/bootstrap.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qw::stats {

using Items = std::vector<records::EvalItem>;

// What the product knows about a metric; null for unknown names.
struct MetricKind {
    std::string_view name; // acc, acc_norm, word_perplexity, byte_perplexity, bits_per_byte, loss, perplexity
    bool higherIsBetter = false;
    bool isAccuracy = false;   // 0/1 per item
    Ratio ratio = Ratio::Mean; // of documents, when not an accuracy
};
[[nodiscard]] const MetricKind* metricKind(std::string_view name);

// 0/1 per item, and per-document shares (words, bytes or scored tokens). Empty when an item lacks what the metric needs.
[[nodiscard]] std::vector<double> hits(std::string_view metric, const Items& items);
[[nodiscard]] std::vector<Share> shares(std::string_view metric, const Items& items);
// The metric from its items; nothing when they do not carry it.
[[nodiscard]] std::optional<double> metricValue(std::string_view metric, const Items& items);
// 95 %: Wilson for accuracies, bootstrap over documents else; nothing when the items do not carry it.
[[nodiscard]] std::optional<Interval> metricInterval(std::string_view metric, const Items& items, const BootstrapOptions& options = {});

struct Flips {
    int64_t both = 0, onlyA = 0, onlyB = 0, neither = 0;
};
// Two-sided exact McNemar: min(1, 2 P(X <= min(onlyA, onlyB))), X binomial(onlyA + onlyB, 1/2). 1 when nothing flipped.
[[nodiscard]] double mcnemarExact(int64_t onlyA, int64_t onlyB);

struct Comparison {
    Difference difference;             // b - a of the metric, bootstrap
    double p = 1;                      // exact McNemar for accuracies, else difference.p
    std::optional<double> pairedError; // accuracies: sample deviation of per-item differences / sqrt n
    Flips flips;                       // accuracies
    // Loss of b against a in the verdict's units: percentage points for accuracies, percent for the others; positive is worse.
    double loss = 0, lossLower = 0, lossUpper = 0; // lossUpper: the verdict's bound
    double deviation = 0; // of the loss per item, in loss units, so that loss ± z95 deviation / sqrt n is the interval
};
// Nothing when the items are not the same ones (count or item numbers differ) or do not carry the metric.
[[nodiscard]] std::optional<Comparison> compareItems(std::string_view metric, const Items& a, const Items& b,
                                                     const BootstrapOptions& options = {});

// ln(perplexity of b / perplexity of a), per scored token of the same documents; how a quantized model is told from its source where
// perplexities are close (llama.cpp's "ln(PPL(Q)/PPL(base))", there over tokens of one text).
struct LnRatio {
    double value = 0;
    std::optional<double> error; // standard error of the ratio of sums, paired by document (delta method); nothing for one document
};
// Nothing when the items are not the same documents or carry no tokens.
[[nodiscard]] std::optional<LnRatio> lnPerplexityRatio(const Items& a, const Items& b);

} // namespace qw::stats
