// SPDX-License-Identifier: GPL-3.0-or-later
// What: actions on the chart that has the keyboard, else on the largest one that is seen: full page, data table.
#pragma once

#include "widgets/action_registry.h"

#include <QPointer>

namespace qw::ui {

class MainWindow;
class QatChart;

class ChartActions : public QObject {
    Q_OBJECT
public:
    ChartActions(MainWindow& window, ActionRegistry& actions);
    void update(); // another page or chart is looked at

private:
    [[nodiscard]] QatChart* chart() const; // null: none is seen
    MainWindow& m_window;
    QPointer<QatChart> m_last; // that had the keyboard
    QAction *m_fullPage, *m_table;
};

} // namespace qw::ui
