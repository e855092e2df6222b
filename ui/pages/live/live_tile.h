// SPDX-License-Identifier: GPL-3.0-or-later
// What: one tile of the Live page: a chart in a card with its newest value, a handle to drag it and a menu.
#pragma once

#include "models/live_series.h"
#include "pages/live/live_tiles.h"

#include <QFrame>
#include <memory>

class QLabel;
class QToolButton;

namespace qw::ui {

class ChartGroup;
class QatChart;

// A run that a tile draws: the shown one first, then the earlier ones behind it.
struct TileRun {
    QString uid, name;
    int colour = 0;
    const LiveSeries* series = nullptr;
    int64_t startStep = 0;
};

class LiveTile : public QFrame {
    Q_OBJECT
public:
    LiveTile(const TileSpec& spec, ChartGroup& group, QWidget* parent);

    [[nodiscard]] const TileSpec& spec() const { return m_spec; }
    [[nodiscard]] QatChart& chart() { return *m_chart; }
    void setRuns(const std::vector<TileRun>& runs); // everything anew
    void setLayers(const std::vector<std::string>& layers);
    // Changes of the first run; timesMs: one an edit, from LiveSeries::timesOf.
    void apply(const std::vector<LiveEdit>& edits, const std::vector<int64_t>& timesMs);
    void setBands(const std::vector<std::pair<int64_t, int64_t>>& fakeQuant);
    void setFullPage(bool on);

Q_SIGNALS:
    void fullPageWanted();
    void removeWanted();
    void moveWanted(int places); // -1: one earlier

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void buildHeader();
    void buildMenu();
    void addLines();
    void addLine(const TileRun& run, const TileLine& line, int colour, bool background);
    [[nodiscard]] std::vector<TileLine> linesOf(const TileRun& run) const;
    void showValue();
    void showKey();

    TileSpec m_spec;
    std::vector<TileRun> m_runs;
    std::vector<std::string> m_layers;
    QatChart* m_chart = nullptr;
    QToolButton* m_handle = nullptr;
    QToolButton* m_menu = nullptr;
    QLabel* m_title = nullptr;
    QLabel* m_value = nullptr;
    QLabel* m_key = nullptr; // what the lines of a narrow tile are; a wide one has the legend
    QPoint m_pressed;
    bool m_full = false;
};

inline constexpr const char* kTileMime = "application/x-qatw-live-tile";

} // namespace qw::ui
