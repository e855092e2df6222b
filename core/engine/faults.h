// SPDX-License-Identifier: GPL-3.0-or-later
// What: faults on request (QATW_FAULT), compiled in only with QW_FAULTS, for the second engine that the tests build (engine.md 11).
// Limits: kind@step=N with kind segv, abort, hang, throw, oom; print@step=N writes a line to standard output.
#pragma once

#include "wire/sink.h"

#include <cstdint>

namespace qw::engine {

void reportFaults(const wire::Sink& emit); // the shipped engine says that it ignores QATW_FAULT
void faultAtStep(int64_t step);            // called on the job thread after every step

} // namespace qw::engine
