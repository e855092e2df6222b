// SPDX-License-Identifier: GPL-3.0-or-later
#include "eval/sampler.h"

#include "model/philox.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace qw::eval {
namespace {

// The k-th largest logit: everything below goes, equals stay.
float lowestKept(std::span<const float> logits, int64_t k) {
    std::vector<float> values(logits.begin(), logits.end());
    const auto at = values.begin() + (k - 1);
    std::nth_element(values.begin(), at, values.end(), std::greater<>());
    return *at;
}

} // namespace

std::vector<Candidate> candidates(std::span<const float> logits, const Sampling& sampling) {
    const bool cut = sampling.topK > 0 && sampling.topK < static_cast<int64_t>(logits.size());
    const float lowest = cut ? lowestKept(logits, sampling.topK) : -INFINITY;
    std::vector<Candidate> kept;
    for (size_t i = 0; i < logits.size(); ++i)
        if (logits[i] >= lowest && logits[i] > -INFINITY) kept.push_back({static_cast<int32_t>(i), static_cast<double>(logits[i])});
    std::ranges::sort(kept, [](const Candidate& a, const Candidate& b) {
        return a.probability != b.probability ? a.probability > b.probability : a.id < b.id;
    });
    const double top = kept.front().probability;
    double sum = 0;
    for (Candidate& one : kept) sum += one.probability = std::exp((one.probability - top) / sampling.temperature);
    size_t count = 0;
    double above = 0; // mass of the tokens before this one
    while (count < kept.size() && (count == 0 || above < sampling.topP * sum)) above += kept[count++].probability;
    kept.resize(count);
    for (Candidate& one : kept) one.probability /= above;
    return kept;
}

int32_t nextToken(std::span<const float> logits, const Sampling& sampling, uint32_t prompt, uint64_t token) {
    if (sampling.temperature <= 0) return static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin()); // first of equals
    const double drawn = model::unitInterval(model::philox(sampling.seed, model::Stream::Sampling, prompt, token)[0]);
    const auto kept = candidates(logits, sampling);
    double reached = 0;
    for (const Candidate& one : kept)
        if ((reached += one.probability) >= drawn) return one.id;
    return kept.back().id; // the sum stayed below 1 by rounding
}

} // namespace qw::eval
