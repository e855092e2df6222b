// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/watchdog.h"

#include <algorithm>
#include <numeric>

namespace qw::train {
namespace {

constexpr size_t kBlock = 10;   // steps of one mean
constexpr size_t kFewest = 5;   // means before the median says anything
constexpr size_t kHistory = 20; // means that the median is taken over
constexpr double kFactor = 3;   // engine.md 7

std::string words(double value) {
    std::string text = std::to_string(value);
    return text.substr(0, text.find('.') + 4);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const size_t half = values.size() / 2;
    return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

} // namespace

void DivergenceWatch::restart() {
    m_state.block.clear();
    m_state.means.clear();
    m_state.overMedian = 0;
}

std::optional<std::string> DivergenceWatch::see(double loss) {
    const int64_t patience = std::max<int64_t>(1, m_rules.patience);
    if (m_rules.lossAbove) {
        m_state.above = loss > *m_rules.lossAbove ? m_state.above + 1 : 0;
        if (m_state.above >= patience)
            return "the loss was above watchdog.loss_above (" + words(*m_rules.lossAbove) + ") in " + std::to_string(m_state.above) +
                   " steps in a row, last " + words(loss);
    }
    m_state.block.push_back(loss);
    if (m_state.block.size() < kBlock) return std::nullopt;
    const double mean = std::accumulate(m_state.block.begin(), m_state.block.end(), 0.0) / static_cast<double>(kBlock);
    m_state.block.clear();
    const double usual = m_state.means.size() >= kFewest ? median(m_state.means) : 0.0;
    const bool high = m_state.means.size() >= kFewest && mean > kFactor * usual;
    m_state.overMedian = high ? m_state.overMedian + 1 : 0;
    if (high) { // the median stays that of healthy steps
        if (m_state.overMedian >= patience)
            return "the mean loss of ten steps was above three times its running median (" + words(usual) + ") " +
                   std::to_string(m_state.overMedian) + " times in a row, last " + words(mean);
        return std::nullopt;
    }
    m_state.means.push_back(mean);
    if (m_state.means.size() > kHistory) m_state.means.erase(m_state.means.begin());
    return std::nullopt;
}

} // namespace qw::train
