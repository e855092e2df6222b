// SPDX-License-Identifier: GPL-3.0-or-later
// What: the page of the run in work (ui.md 4.5): tiles, header, earlier runs behind it, what went wrong and the ways out.
#pragma once

#include "charts/chart_group.h"
#include "models/live_run.h"
#include "pages/live/live_tile.h"
#include "pages/page.h"

#include <map>
#include <memory>

class QScrollArea;
class QShortcut;

namespace qw::ui {

class LiveHeader;
class RunActions;
class TileBoard;

class LivePage : public Page {
    Q_OBJECT
public:
    LivePage(Session& session, ActionRegistry& actions);
    ~LivePage() override;

    [[nodiscard]] LiveRun& run() { return m_run; }
    [[nodiscard]] TileBoard& board() { return *m_board; }
    void saveViewState() override;
    void setFullPage(LiveTile* tile); // null: all tiles

private:
    void build();
    void wire();
    void restoreViewState();
    LiveTile* addTile(const QString& id);
    void resetTiles();
    void tilesChanged();

    void chooseRun(); // pinned, or the one to follow
    void showRun();   // the tiles of the run that is loaded now
    void showOverlays();
    void loadOverlay(const QString& uid);
    [[nodiscard]] std::vector<TileRun> tileRuns() const;
    void applyEdits(const std::vector<LiveEdit>& edits);
    void showMarks();
    void showStatus();
    void updateState();
    void showEmpty();
    void lookForDeath();
    void showDeath(const Error& death, int64_t checkpoint); // -1: none to resume from
    void editSettings();

    LiveRun m_run;
    ChartGroup m_group;
    RunActions* m_runActions = nullptr;
    LiveHeader* m_header = nullptr;
    QScrollArea* m_scroll = nullptr;
    TileBoard* m_board = nullptr;
    QShortcut* m_escape = nullptr;
    std::map<QString, std::shared_ptr<LiveSeries>> m_overlays;
    std::vector<std::pair<int64_t, int64_t>> m_bands;
    QString m_deathKey; // of the death that is on the banner
    bool m_restoring = false;
};

} // namespace qw::ui
