// SPDX-License-Identifier: GPL-3.0-or-later
// What: a Result or Status that has to be good; the test fails with its message.
#pragma once

#include <QtTest>

#define OK(expression)                                                                                                                     \
    do {                                                                                                                                   \
        const auto& checked = (expression);                                                                                                \
        QVERIFY2(checked.ok(), checked.ok() ? "" : checked.error().message.c_str());                                                       \
    } while (false)
