// SPDX-License-Identifier: GPL-3.0-or-later
// What: the row of choices above a chart: smoothing, logarithmic y, x axis, seed bands, follow, table, export.
// Why here: a page may show one such row for a whole group of tiles (bind) and none above each tile.
#pragma once

#include "charts/chart_types.h"

#include <QWidget>

class QAction;
class QComboBox;
class QDoubleSpinBox;
class QHBoxLayout;
class QLabel;
class QMenu;
class QSlider;
class QToolButton;

namespace qw::ui {

class ChartGroup;

class ChartControls : public QWidget {
    Q_OBJECT
public:
    // Children: "<name>.smoothing" (slider), "<name>.smoothingBox", "<name>.logY", "<name>.xAxis", "<name>.seedBands".
    explicit ChartControls(const QString& name, QWidget* parent = nullptr);

    // One row for all charts of a group. What a single chart has (log, table, export) is hidden.
    void bind(ChartGroup* group);
    void setCompact(bool compact);   // only follow, when it is off, and export
    void setFloating(bool floating); // over the plot's corner: export shows only while the pointer is there
    void setHovered(bool hovered);
    [[nodiscard]] bool hasWholeRow() const { return !m_compact; } // compact, but asked for
    void setTitle(const QString& title);
    [[nodiscard]] QMenu* exportMenu() const;

    void showSmoothing(double weight); // without a signal
    void showLogY(bool on);
    void showXAxis(ChartX axis);
    void showSeedBands(SeedBands bands);
    void offerSeedBands(bool on);
    void showFollowing(bool on);
    void showTable(bool on);
    void focusSmoothing();
    [[nodiscard]] bool exportVisibleRange() const;
    [[nodiscard]] bool exportSmoothed() const;

Q_SIGNALS:
    void arranged(); // other buttons are shown
    void smoothingChosen(double weight);
    void logYChosen(bool on);
    void xAxisChosen(qw::ui::ChartX axis);
    void seedBandsChosen(qw::ui::SeedBands bands);
    void followChosen(bool on);
    void tableChosen(bool on);
    void readoutOrderChosen(qw::ui::ReadoutOrder order);
    void exportChosen(const QString& kind, double scale); // "png", "pdf", "csv", "copy"

private:
    void buildSmoothing(const QString& name);
    void buildChoices(const QString& name);
    void buildExport();
    void arrange();
    QLabel* m_title = nullptr;
    QLabel* m_smoothingLabel = nullptr;
    QSlider* m_smoothing = nullptr;
    QDoubleSpinBox* m_smoothingBox = nullptr;
    QToolButton* m_logY = nullptr;
    QComboBox* m_xAxis = nullptr;
    QComboBox* m_seedBands = nullptr;
    QToolButton* m_follow = nullptr;
    QToolButton* m_table = nullptr;
    QToolButton* m_export = nullptr;
    QAction* m_visibleOnly = nullptr;
    QAction* m_smoothed = nullptr;
    bool m_compact = false, m_single = true, m_seeds = false, m_floating = false, m_hovered = false;
};

} // namespace qw::ui
