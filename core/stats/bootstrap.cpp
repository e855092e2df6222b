// SPDX-License-Identifier: GPL-3.0-or-later
#include "stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace qw::stats {
namespace {

constexpr double kLn2 = 0.6931471805599453;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Item drawn at position `draw` of resample `resample`: SplitMix64's finaliser (Steele, Lea, Flood 2014) over a counter, scaled by the
// high half of a 32 x 32 bit product; a counter needs no state, so any part can be computed alone.
class Draws {
public:
    Draws(uint64_t seed, uint64_t resample, size_t items) : m_base(mix(seed) ^ mix(resample + 0x632BE59BD9B4E019ULL)), m_items(items) {}
    [[nodiscard]] size_t operator()(uint64_t draw) const {
        const uint64_t random = mix(m_base + draw * 0x9E3779B97F4A7C15ULL) >> 32;
        return static_cast<size_t>((random * m_items) >> 32);
    }

private:
    static uint64_t mix(uint64_t z) {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }
    uint64_t m_base, m_items;
};

double fromSums(Ratio kind, double nll, double weight) {
    const double mean = nll / weight;
    switch (kind) {
    case Ratio::Perplexity:
        return std::exp(mean);
    case Ratio::Bits:
        return mean / kLn2;
    case Ratio::Mean:
        break;
    }
    return mean;
}

double scaled(double a, double b, Scale scale) { return scale == Scale::Relative ? b / a - 1 : b - a; }

// Linear interpolation between order statistics (Hyndman & Fan type 7).
double quantile(const std::vector<double>& sorted, double q) {
    const double at = q * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<size_t>(at);
    const size_t high = std::min(low + 1, sorted.size() - 1);
    return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

Interval percentiles(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return {quantile(values, 0.025), quantile(values, 0.975)};
}

Difference summarise(double value, std::vector<double>& resampled, int64_t n) {
    Difference d;
    d.value = value;
    d.n = n;
    double sum = 0;
    int64_t below = 0, above = 0;
    for (const double v : resampled) {
        sum += v;
        below += v <= 0;
        above += v >= 0;
    }
    const double count = static_cast<double>(resampled.size());
    d.mean = sum / count;
    d.p = std::min(1.0, 2 * static_cast<double>(std::min(below, above) + 1) / (count + 1));
    const Interval interval = percentiles(resampled);
    d.lower = interval.lower;
    d.upper = interval.upper;
    return d;
}

Difference nothing() { return {kNaN, kNaN, kNaN, kNaN, kNaN, 0}; }

} // namespace

double ratio(Ratio kind, std::span<const Share> shares) {
    double nll = 0, weight = 0;
    for (const Share& s : shares) {
        nll += s.nll;
        weight += s.weight;
    }
    return fromSums(kind, nll, weight);
}

Difference bootstrapRatio(Ratio kind, std::span<const Share> a, std::span<const Share> b, Scale scale, const BootstrapOptions& options) {
    if (a.empty() || a.size() != b.size() || options.resamples < 1) return nothing();
    std::vector<double> resampled(static_cast<size_t>(options.resamples));
    for (size_t r = 0; r < resampled.size(); ++r) {
        const Draws draws(options.seed, r, a.size());
        Share sumA, sumB;
        for (size_t i = 0; i < a.size(); ++i) {
            const size_t at = draws(i);
            sumA.nll += a[at].nll;
            sumA.weight += a[at].weight;
            sumB.nll += b[at].nll;
            sumB.weight += b[at].weight;
        }
        resampled[r] = scaled(fromSums(kind, sumA.nll, sumA.weight), fromSums(kind, sumB.nll, sumB.weight), scale);
    }
    return summarise(scaled(ratio(kind, a), ratio(kind, b), scale), resampled, static_cast<int64_t>(a.size()));
}

Difference bootstrapMeans(std::span<const double> a, std::span<const double> b, const BootstrapOptions& options) {
    if (a.empty() || a.size() != b.size() || options.resamples < 1) return nothing();
    std::vector<double> difference(a.size()), resampled(static_cast<size_t>(options.resamples));
    const double n = static_cast<double>(a.size());
    double all = 0;
    for (size_t i = 0; i < a.size(); ++i) all += difference[i] = b[i] - a[i];
    for (size_t r = 0; r < resampled.size(); ++r) {
        const Draws draws(options.seed, r, a.size());
        double sum = 0;
        for (size_t i = 0; i < a.size(); ++i) sum += difference[draws(i)];
        resampled[r] = sum / n;
    }
    return summarise(all / n, resampled, static_cast<int64_t>(a.size()));
}

Interval bootstrapInterval(Ratio kind, std::span<const Share> shares, const BootstrapOptions& options) {
    if (shares.empty() || options.resamples < 1) return {kNaN, kNaN};
    std::vector<double> resampled(static_cast<size_t>(options.resamples));
    for (size_t r = 0; r < resampled.size(); ++r) {
        const Draws draws(options.seed, r, shares.size());
        Share sum;
        for (size_t i = 0; i < shares.size(); ++i) {
            const Share& s = shares[draws(i)];
            sum.nll += s.nll;
            sum.weight += s.weight;
        }
        resampled[r] = fromSums(kind, sum.nll, sum.weight);
    }
    return percentiles(resampled);
}

} // namespace qw::stats
