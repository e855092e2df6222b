// SPDX-License-Identifier: GPL-3.0-or-later
// What: the loop of one run: steps and their cadences, failure policies, checkpoints, the end.
// Limits: everything is a function of the state at a step boundary, so that a resumed run makes the same numbers.
#pragma once

#include "train/checkpoint_writer.h"
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

    // fitting.cpp
    [[nodiscard]] Result<StepLoss> gradients(StepData& data); // smaller until it fits into memory
    void freeMemory();
    [[nodiscard]] bool shrink(const StepData& data); // one rung down; false: there is none
    [[nodiscard]] Error doesNotFit(const std::string& cause) const;

    // policies.cpp
    [[nodiscard]] Result<Next> nonfinite(const StepData& data, double loss);
    [[nodiscard]] Status rollBack(const StepData& data);
    [[nodiscard]] bool evaluate(); // false: cancelled
    [[nodiscard]] Status loadBest();
    void notice(const std::string& code, const std::string& message, const std::string& hint = {}, bool isError = false) const;

    // saving.cpp
    struct Unsaved {
        int64_t step = 0;
        Error error;
        bool beforePause = false; // whoever resumes the run has had the chance to make room
    };
    [[nodiscard]] Status save(bool now); // now: the loop waits until it is on the disk
    [[nodiscard]] Status saveNow();
    [[nodiscard]] Status settle(bool wait); // deals with what became of the checkpoint in flight; wait: until there is none
    void collect(bool wait);
    void saw(int64_t step, const Result<uint64_t>& written);
    [[nodiscard]] Result<bool> unsaved(const Unsaved& failed, bool needed);
    [[nodiscard]] Status waitForSpace(const Error& error);
    void claimBest();
    [[nodiscard]] SaveTask saveTask(Snapshot snapshot) const;

    void takeSettings();
    [[nodiscard]] Outcome outcome() const;
    [[nodiscard]] Outcome halted(Next why) const;
    [[nodiscard]] StoredState stored() const;

    Job& m_job;
    SampleOrder m_order;
    std::unique_ptr<Optimizer> m_optimizer;
    std::unique_ptr<Telemetry> m_telemetry;
    Checkpoints m_checkpoints;
    CheckpointWriter m_writer;
    std::optional<Unsaved> m_unsaved; // seen where nothing could be done about it
    struct {
        std::optional<double> before;
        int64_t beforeStep = -1;
        bool made = false;
    } m_claim; // of the newest checkpoint, to be the best
    const std::function<void()> m_beforePause = [this] {
        collect(true);
        if (m_unsaved) m_unsaved->beforePause = true;
    };
    TrainState m_state;
    Facts m_fixed, m_environment;
    int64_t m_total = 0, m_evalEvery = 0, m_checkpointEvery = 0;
    int64_t m_savedStep = -1;
    int64_t m_lastDataCheckNs = 0, m_lastProgressNs = 0, m_startNs = 0, m_startStep = 0;
    bool m_loadBest = false;
};

} // namespace qw::train
