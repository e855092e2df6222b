// SPDX-License-Identifier: GPL-3.0-or-later
// What: what is left behind when the engine dies of a signal (logs/crash.json), and all stacks on request (logs/stacks.txt).
// Limits: the crash handler calls async-signal-safe functions only; addresses, no symbols.
#pragma once

#include <cstdint>
#include <filesystem>

namespace qw::engine {

// SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL: write logs/crash.json below runDir, then die of the same signal.
void installCrashHandler(const std::filesystem::path& runDir);
// Where the job is; read by the handler and by the heartbeat. phase must be a string literal.
void setPlace(const char* phase);
void setStep(int64_t step);
[[nodiscard]] const char* currentPhase();
[[nodiscard]] int64_t currentStep();
[[nodiscard]] int64_t lastProgressNs(); // monotonic time of the last setPlace or setStep
void touchProgress();

void nameThread(const char* name); // at most 15 characters

// Asks every thread of the process for its stack and writes them to file; gives each 200 ms.
void writeAllStacks(const std::filesystem::path& file);

} // namespace qw::engine
