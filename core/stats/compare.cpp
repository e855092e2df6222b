// SPDX-License-Identifier: GPL-3.0-or-later
#include "stats/compare.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace qw::stats {
namespace {

constexpr std::array kMetrics{
    MetricKind{"acc", true, true, Ratio::Mean},
    MetricKind{"acc_norm", true, true, Ratio::Mean},
    MetricKind{"word_perplexity", false, false, Ratio::Perplexity},
    MetricKind{"byte_perplexity", false, false, Ratio::Perplexity},
    MetricKind{"bits_per_byte", false, false, Ratio::Bits},
    MetricKind{"loss", false, false, Ratio::Mean},
    MetricKind{"perplexity", false, false, Ratio::Perplexity},
};

bool sameItems(const Items& a, const Items& b) {
    return !a.empty() && std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) { return x.item == y.item; });
}

Flips countFlips(const std::vector<double>& a, const std::vector<double>& b) {
    Flips f;
    for (size_t i = 0; i < a.size(); ++i) {
        if (a[i] > 0)
            ++(b[i] > 0 ? f.both : f.onlyA);
        else
            ++(b[i] > 0 ? f.onlyB : f.neither);
    }
    return f;
}

Comparison compareHits(const std::vector<double>& a, const std::vector<double>& b, const BootstrapOptions& options) {
    Comparison c;
    c.flips = countFlips(a, b);
    c.difference = bootstrapMeans(a, b, options);
    c.p = mcnemarExact(c.flips.onlyA, c.flips.onlyB);
    std::vector<double> differences(a.size());
    for (size_t i = 0; i < a.size(); ++i) differences[i] = b[i] - a[i];
    c.pairedError = meanError(differences);
    c.loss = -100 * c.difference.value;
    c.lossLower = -100 * c.difference.upper;
    c.lossUpper = -100 * c.difference.lower;
    c.deviation = 100 * c.pairedError.value_or(0) * std::sqrt(static_cast<double>(a.size()));
    return c;
}

Comparison compareShares(const MetricKind& kind, const std::vector<Share>& a, const std::vector<Share>& b,
                         const BootstrapOptions& options) {
    Comparison c;
    c.difference = bootstrapRatio(kind.ratio, a, b, Scale::Absolute, options);
    c.p = c.difference.p;
    const Difference relative = bootstrapRatio(kind.ratio, a, b, Scale::Relative, options);
    c.loss = 100 * relative.value;
    c.lossLower = 100 * relative.lower;
    c.lossUpper = 100 * relative.upper;
    // No closed form for a ratio of sums: the interval's half width tells the deviation of one document.
    c.deviation = (c.lossUpper - c.lossLower) / (2 * kZ95) * std::sqrt(static_cast<double>(a.size()));
    return c;
}

} // namespace

const MetricKind* metricKind(std::string_view name) {
    for (const MetricKind& kind : kMetrics)
        if (kind.name == name) return &kind;
    return nullptr;
}

std::vector<double> hits(std::string_view metric, const Items& items) {
    const MetricKind* kind = metricKind(metric);
    if (!kind || !kind->isAccuracy) return {};
    std::vector<double> out;
    out.reserve(items.size());
    for (const auto& item : items) {
        const int hit = metric == "acc_norm" ? item.correctNorm : item.correct;
        if (hit < 0) return {};
        out.push_back(hit);
    }
    return out;
}

std::vector<Share> shares(std::string_view metric, const Items& items) {
    const MetricKind* kind = metricKind(metric);
    if (!kind || kind->isAccuracy) return {};
    std::vector<Share> out;
    out.reserve(items.size());
    double total = 0;
    for (const auto& item : items) {
        if (item.ll.size() != 1 || item.correct >= 0) return {};
        const int64_t weight = metric == "word_perplexity"                  ? item.words
                               : metric == "loss" || metric == "perplexity" ? item.tokens
                                                                            : item.bytes;
        total += static_cast<double>(weight);
        out.push_back({-item.ll[0], static_cast<double>(weight)});
    }
    return total > 0 ? out : std::vector<Share>{};
}

std::optional<double> metricValue(std::string_view metric, const Items& items) {
    const MetricKind* kind = metricKind(metric);
    if (!kind) return std::nullopt;
    if (kind->isAccuracy) {
        const std::vector<double> hit = hits(metric, items);
        if (hit.empty()) return std::nullopt;
        return static_cast<double>(std::count(hit.begin(), hit.end(), 1.0)) / static_cast<double>(hit.size());
    }
    const std::vector<Share> share = shares(metric, items);
    if (share.empty()) return std::nullopt;
    return ratio(kind->ratio, share);
}

std::optional<Interval> metricInterval(std::string_view metric, const Items& items, const BootstrapOptions& options) {
    const MetricKind* kind = metricKind(metric);
    if (!kind) return std::nullopt;
    if (kind->isAccuracy) {
        const std::vector<double> hit = hits(metric, items);
        if (hit.empty()) return std::nullopt;
        return wilson(std::count(hit.begin(), hit.end(), 1.0), static_cast<int64_t>(hit.size()));
    }
    const std::vector<Share> share = shares(metric, items);
    if (share.empty()) return std::nullopt;
    return bootstrapInterval(kind->ratio, share, options);
}

double mcnemarExact(int64_t onlyA, int64_t onlyB) {
    const int64_t n = onlyA + onlyB, few = std::min(onlyA, onlyB);
    if (n == 0 || onlyA == onlyB) return 1;
    double logTerm = -static_cast<double>(n) * std::log(2.0); // of P(X = few)
    for (int64_t i = 1; i <= few; ++i) logTerm += std::log(static_cast<double>(n - few + i)) - std::log(static_cast<double>(i));
    double sum = 0, term = 1; // relative to P(X = few)
    for (int64_t k = few; k >= 0; --k) {
        sum += term;
        term *= static_cast<double>(k) / static_cast<double>(n - k + 1);
    }
    return std::min(1.0, 2 * std::exp(logTerm + std::log(sum)));
}

std::optional<Comparison> compareItems(std::string_view metric, const Items& a, const Items& b, const BootstrapOptions& options) {
    const MetricKind* kind = metricKind(metric);
    if (!kind || !sameItems(a, b)) return std::nullopt;
    if (kind->isAccuracy) {
        const std::vector<double> hitsA = hits(metric, a), hitsB = hits(metric, b);
        if (hitsA.empty() || hitsB.empty()) return std::nullopt;
        return compareHits(hitsA, hitsB, options);
    }
    const std::vector<Share> sharesA = shares(metric, a), sharesB = shares(metric, b);
    if (sharesA.empty() || sharesB.empty()) return std::nullopt;
    return compareShares(*kind, sharesA, sharesB, options);
}

std::optional<LnRatio> lnPerplexityRatio(const Items& a, const Items& b) {
    if (!sameItems(a, b)) return std::nullopt;
    const std::vector<Share> sharesA = shares("loss", a), sharesB = shares("loss", b);
    if (sharesA.empty() || sharesB.empty()) return std::nullopt;
    double nll = 0, tokens = 0;
    for (size_t i = 0; i < sharesA.size(); ++i) {
        if (sharesA[i].weight != sharesB[i].weight) return std::nullopt; // another tokenizer: no token of one is one of the other
        nll += sharesB[i].nll - sharesA[i].nll;
        tokens += sharesA[i].weight;
    }
    LnRatio out{nll / tokens, {}};
    const auto n = static_cast<double>(sharesA.size());
    if (n < 2) return out;
    double squares = 0; // of what each document adds beyond its share
    for (size_t i = 0; i < sharesA.size(); ++i) {
        const double rest = sharesB[i].nll - sharesA[i].nll - out.value * sharesA[i].weight;
        squares += rest * rest;
    }
    out.error = std::sqrt(n / (n - 1) * squares) / tokens;
    return out;
}

} // namespace qw::stats
