// SPDX-License-Identifier: GPL-3.0-or-later
// What: the two rows above the tiles: which run, how far, how long; its buttons and the controls of all charts.
#pragma once

#include "charts/chart_group.h"
#include "models/live_run.h"
#include "widgets/action_registry.h"

#include <QSet>
#include <QWidget>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QMenu;
class QProgressBar;
class QSlider;
class QToolButton;

namespace qw::ui {

class LiveHeader : public QWidget {
    Q_OBJECT
public:
    LiveHeader(Session& session, ActionRegistry& actions, LiveRun& run, ChartGroup& group, QWidget* parent);

    void showRuns(const Snapshot& snapshot, const QString& pinned); // pinned: empty, the running one is followed
    void showStatus();
    [[nodiscard]] QStringList overlays() const { return m_overlays; }
    void setOverlays(const QStringList& runs);
    [[nodiscard]] QStringList layers() const { return m_chosenLayers; }
    void setLayers(const QStringList& chosen);
    void showLayers(const std::vector<std::string>& known);
    void setTileChoices(const QStringList& shown); // ids of the tiles on the board
    [[nodiscard]] bool logY() const;
    void setLogY(bool on);

Q_SIGNALS:
    void runChosen(const QString& uid); // empty: follow the running one
    void overlaysChanged();
    void layersChanged();
    void tileWanted(const QString& id);
    void tilesResetWanted();
    void logYChanged(bool on);

private:
    QWidget* buildStatusRow();
    QWidget* buildControlRow(ActionRegistry& actions);
    void buildSmoothing();
    void wire();
    [[nodiscard]] QString etaText() const;
    [[nodiscard]] QString progressText() const;

    Session& m_session;
    LiveRun& m_run;
    ChartGroup& m_group;
    QComboBox* m_runPicker = nullptr;
    QToolButton* m_overlayButton = nullptr;
    QMenu* m_overlayMenu = nullptr;
    QLabel* m_stateIcon = nullptr;
    QLabel* m_state = nullptr;
    QProgressBar* m_progress = nullptr;
    QLabel* m_eta = nullptr;
    QLabel* m_tokens = nullptr;
    QLabel* m_fakeQuant = nullptr;
    QToolButton* m_pause = nullptr;
    QSlider* m_smooth = nullptr;
    QDoubleSpinBox* m_smoothBox = nullptr;
    QComboBox* m_xAxis = nullptr;
    QCheckBox* m_logY = nullptr;
    QCheckBox* m_follow = nullptr;
    QToolButton* m_layerButton = nullptr;
    QMenu* m_layerMenu = nullptr;
    QToolButton* m_addTile = nullptr;
    QMenu* m_tileMenu = nullptr;
    QStringList m_overlays, m_chosenLayers;
    std::vector<std::string> m_knownLayers;
};

} // namespace qw::ui
