// SPDX-License-Identifier: GPL-3.0-or-later
#include "tasks/tasks.h"

#include <cmath>

namespace qw::tasks {
namespace {

records::EvalMetric share(const char* name, int64_t hits, int64_t n) {
    const double p = static_cast<double>(hits) / static_cast<double>(n);
    records::EvalMetric metric{name, p, std::nullopt};
    if (n > 1) metric.stderror = std::sqrt(p * (1 - p) / static_cast<double>(n - 1));
    return metric;
}

} // namespace

std::vector<records::EvalMetric> taskMetrics(const std::string& kind, const std::vector<records::EvalItem>& items) {
    if (items.empty()) return {};
    if (kind == "hellaswag") {
        int64_t acc = 0, accNorm = 0;
        for (const auto& item : items) {
            acc += item.correct == 1;
            accNorm += item.correctNorm == 1;
        }
        const auto n = static_cast<int64_t>(items.size());
        return {share("acc", acc, n), share("acc_norm", accNorm, n)};
    }
    double nll = 0, words = 0, bytes = 0, tokens = 0;
    for (const auto& item : items) {
        nll -= item.ll.at(0);
        words += static_cast<double>(item.words);
        bytes += static_cast<double>(item.bytes);
        tokens += static_cast<double>(item.tokens);
    }
    std::vector<records::EvalMetric> metrics{{"word_perplexity", std::exp(nll / words), std::nullopt},
                                             {"byte_perplexity", std::exp(nll / bytes), std::nullopt},
                                             {"bits_per_byte", nll / (bytes * std::log(2.0)), std::nullopt}};
    if (kind != "wikitext" && tokens > 0) { // lm-eval's wikitext has the three above only
        metrics.push_back({"loss", nll / tokens, std::nullopt});
        metrics.push_back({"perplexity", std::exp(nll / tokens), std::nullopt});
    }
    return metrics;
}

} // namespace qw::tasks
