// SPDX-License-Identifier: GPL-3.0-or-later
// What: where jobs put their events; the engine stamps, logs and sends them. Callable from any thread.
#pragma once

#include "wire/events.h"

#include <functional>

namespace qw::wire {

using Sink = std::function<void(Payload)>;

} // namespace qw::wire
