// SPDX-License-Identifier: GPL-3.0-or-later
// What: the whole window on settings of its own, with a scripted engine.
#pragma once

#include "fake_engine_client.h"
#include "shell/main_window.h"

#include <QTemporaryDir>
#include <QTest>

namespace qw::test {

struct Bench {
    QTemporaryDir dir;
    ui::Settings settings{dir.filePath(QStringLiteral("settings.ini"))};
    FakeEngineClient engine;
    ui::Session session{settings, engine};
    ui::MainWindow window{session};
    explicit Bench(bool show = true) {
        if (!show) return;
        window.show();
        static_cast<void>(QTest::qWaitForWindowExposed(&window));
    }
};

} // namespace qw::test
