// SPDX-License-Identifier: GPL-3.0-or-later
// What: the loop of one run: steps and their cadences, failure policies, checkpoints, the end.
// Limits: everything is a function of the state at a step boundary, so that a resumed run makes the same numbers.
#pragma once

#include "train/checkpoints.h"
#include "train/gradients.h"
#include "train/persist.h"
#include "train/telemetry.h"

#include <memory>

namespace qw::train {

class Loop {
public:
    explicit Loop(Job& job);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    [[nodiscard]] Result<Outcome> run();

private:
    enum class Next : uint8_t { Go, Again, Stop, Cancelled };

    // set_up.cpp
    [[nodiscard]] Status setUp();
    [[nodiscard]] Status checkRecipe() const;
    [[nodiscard]] Status resume();
    [[nodiscard]] Status loadFrom(const Loaded& loaded, const StoredState& stored);
    void tellAttempt(bool bitwise);
    void warnAboutCadences() const;

    // loop.cpp
    [[nodiscard]] Result<Next> oneStep();
    [[nodiscard]] Next finishStep(const StepData& data, StepFacts facts, int64_t startNs);
    [[nodiscard]] Result<Next> boundary();
    [[nodiscard]] Result<Next> finish();
    void switchFakeQuant();
    void progress();

    // policies.cpp
    [[nodiscard]] Result<Next> nonfinite(const StepData& data, double loss);
    [[nodiscard]] Status rollBack(const StepData& data);
    [[nodiscard]] Status save();
    [[nodiscard]] Status waitForSpace(const Error& error);
    [[nodiscard]] bool evaluate(); // false: cancelled
    [[nodiscard]] Status loadBest();
    void notice(const std::string& code, const std::string& message, const std::string& hint = {}, bool isError = false) const;

    [[nodiscard]] Outcome outcome() const;
    [[nodiscard]] Outcome halted(Next why) const;
    [[nodiscard]] StoredState stored() const;

    Job& m_job;
    SampleOrder m_order;
    std::unique_ptr<Optimizer> m_optimizer;
    std::unique_ptr<Telemetry> m_telemetry;
    Checkpoints m_checkpoints;
    TrainState m_state;
    Facts m_fixed, m_environment;
    int64_t m_total = 0, m_evalEvery = 0, m_checkpointEvery = 0;
    int64_t m_savedStep = -1;
    int64_t m_lastDataCheckNs = 0, m_lastProgressNs = 0, m_startNs = 0, m_startStep = 0;
    bool m_loadBest = false;
};

} // namespace qw::train
