// SPDX-License-Identifier: GPL-3.0-or-later
// What: what a window is made of, with a scripted engine: beside one page, or around a project in a folder of its own.
#pragma once

#include "client/session.h"
#include "fake_engine_client.h"
#include "test_data.h"
#include "widgets/action_registry.h"

#include <QSignalSpy>
#include <QWidget>

namespace qw::test {

struct Wiring {
    ui::Settings settings;
    FakeEngineClient engine;
    ui::Session session{settings, engine};
    ui::ActionRegistry actions{settings};

    explicit Wiring(const std::filesystem::path& settingsFile) : settings(QString::fromStdString(settingsFile.string())) {}
};

// A page; shown once it has a size.
template<class Page> struct PageWindow : Wiring {
    Page page{session, actions};

    explicit PageWindow(const std::filesystem::path& settingsFile, QSize size = {}) : Wiring(settingsFile) {
        if (size.isEmpty()) return;
        page.resize(size);
        page.show();
    }
    ~PageWindow() { page.close(); } // as the window does: a page is whole when it hides
    template<class T = QWidget> [[nodiscard]] T* find(const char* name) { return page.template findChild<T*>(QString::fromLatin1(name)); }
    [[nodiscard]] QString state() const { return page.property("viewState").toString(); }
};

struct OwnFolder {
    TempDir dir;
};
// A session on a project that open() opens.
struct Desk : OwnFolder, Wiring {
    Desk() : Wiring(dir.path() / "settings.ini") {}
    [[nodiscard]] std::filesystem::path project() const { return dir.path() / "p"; }
    [[nodiscard]] QString projectPath() const { return QString::fromStdString(project().string()); }
    [[nodiscard]] bool open() {
        QSignalSpy spy(&session.project, &ui::Project::opened);
        session.project.open(projectPath());
        return spy.wait(10'000);
    }
    [[nodiscard]] const store::RunInfo* run(const std::string& uid) const {
        const auto* found = session.project.snapshot()->run(QString::fromStdString(uid));
        return found ? &found->info : nullptr;
    }
};

} // namespace qw::test
