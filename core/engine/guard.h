// SPDX-License-Identifier: GPL-3.0-or-later
// What: the edge where exceptions of libraries end: out of memory, errors of LibTorch, everything else become an Error with a sentence.
#pragma once

#include "base/result.h"

#include <exception>

namespace qw::engine {

// Of the exception in flight; call inside a catch block.
[[nodiscard]] Error currentExceptionError();

template<class Function> auto guarded(Function&& function) -> decltype(function()) {
    try {
        return function();
    } catch (...) {
        return currentExceptionError();
    }
}

} // namespace qw::engine
