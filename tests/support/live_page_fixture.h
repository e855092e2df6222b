// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Live on a run that this process writes, with a scripted engine; what stands on the page.
#pragma once

#include "charts/qat_chart.h"
#include "desk.h"
#include "live_fixture.h"
#include "pages/live/live_page.h"
#include "pages/live/tile_board.h"

#include <QLabel>
#include <QPushButton>

namespace qw::test {

inline QString stateOf(const ui::LivePage& page) { return page.property("viewState").toString(); }
inline ui::QatChart& lossChart(ui::LivePage& page) { return page.board().find(QStringLiteral("loss"))->chart(); }
inline QString lossLine(const GrowingRun& run) { return run.uid + QStringLiteral("/train.loss"); }

// show() makes the page, which then follows a run of 500 steps that has done its first ones.
struct LiveScene : Desk {
    GrowingRun run;
    std::unique_ptr<ui::LivePage> page;

    explicit LiveScene(int64_t steps = 10, const std::string& recipe = {}) : run(project(), "now", 500, {}, recipe) { run.train(steps); }
    void show() {
        QVERIFY(open());
        page = std::make_unique<ui::LivePage>(session, actions);
        page->resize(1200, 700);
        page->show();
        QTRY_COMPARE_WITH_TIMEOUT(state(), QStringLiteral("ready"), 10'000);
    }
    // The engine says what it writes to its log, as a real one does.
    void play(const wire::Payload& payload) { engine.play(run.uid, payload, run.append(payload)); }
    void playStep() { play(liveMetrics(++run.step)); }

    [[nodiscard]] QString state() const { return stateOf(*page); }
    [[nodiscard]] int64_t lastStep() const { return lossChart(*page).lastStep(lossLine(run)); }
    template<class T> [[nodiscard]] T* find(const char* name) const { return page->findChild<T*>(QLatin1String(name)); }
    [[nodiscard]] QWidget* banner() const {
        for (const char* name : {"bannerError", "banner"})
            if (auto* found = find<QWidget>(name); found && !found->isHidden()) return found;
        return nullptr;
    }
    [[nodiscard]] QString bannerText() const {
        QStringList words;
        for (const QLabel* label : banner()->findChildren<QLabel*>()) words << label->text();
        return words.join(QLatin1Char('\n'));
    }
    [[nodiscard]] QPushButton* wayOut(const QString& start) const {
        for (QPushButton* button : banner()->findChildren<QPushButton*>())
            if (button->text().startsWith(start)) return button;
        return nullptr;
    }
};

} // namespace qw::test
