// SPDX-License-Identifier: GPL-3.0-or-later
// What: the cadences of a run, which may be changed while it trains (engine.md 2.3, train.set).
// Why here: the control thread asks, the loop takes the change over between two steps and tells at which one; changes of earlier attempts
// hold from the same step on, so that a resumed run does what the first one did.
#pragma once

#include "base/result.h"
#include "records/recipe.h"
#include "wire/events.h"

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace qw::train {

// As the recipe says them: below 1 a share of all steps, 0 off.
struct Cadences {
    double checkpointEvery = 0, evalEvery = 0;
    int64_t logEvery = 1, layerEvery = 0;
};
[[nodiscard]] Cadences cadencesOf(const records::Recipe& recipe);

class LiveSettings {
public:
    using Values = std::vector<std::pair<std::string, double>>;

    // past: changes in the run's log, oldest first. The recipe must outlive this.
    explicit LiveSettings(const records::Recipe& recipe, std::vector<wire::Settings> past = {})
        : m_recipe(recipe), m_changes(std::move(past)) {}

    // From any thread. config.unknown_key, config.invalid, config.conflict; engine.state once training is over.
    [[nodiscard]] Status ask(const Values& values);
    // Between two steps, on the job thread: what was asked for since the last call, to be logged; it holds behind `step`.
    [[nodiscard]] std::optional<wire::Settings> take(int64_t step);
    [[nodiscard]] Cadences at(int64_t step) const; // for the steps behind it
    [[nodiscard]] bool changed() const { return !m_changes.empty(); }
    void close(); // training is over

private:
    const records::Recipe& m_recipe;
    std::vector<wire::Settings> m_changes; // job thread only
    std::mutex m_mutex;                    // of the two below
    Values m_asked;
    bool m_closed = false;
};

} // namespace qw::train
