// SPDX-License-Identifier: GPL-3.0-or-later
// What: the widgets inside a QatChart and what it remembers of itself.
#pragma once

#include "charts/chart_controls.h"
#include "charts/chart_group.h"
#include "charts/chart_legend.h"
#include "charts/chart_plot.h"
#include "charts/chart_readout.h"
#include "charts/chart_table_model.h"

#include <QLabel>
#include <QPointer>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <optional>

namespace qw::ui {

class ChartParts {
public:
    ChartControls* controls = nullptr;
    ChartPlot* plot = nullptr;
    ChartReadout* readout = nullptr;
    ChartLegend* legend = nullptr;
    QLabel* note = nullptr; // "12 values up to 0 are hidden"
    QSplitter* splitter = nullptr;
    QStackedWidget* stack = nullptr; // plot, table
    QTableView* table = nullptr;
    ChartTableModel* model = nullptr;
    QTimer tableTimer; // a table of many rows is made anew twice a second, not thirty times
    QPointer<ChartGroup> group;
    QString title, unit;
    bool compact = false;
    bool legendMoved = false;        // the user has chosen its width
    std::optional<bool> legendShown; // what the page asked for; otherwise when there is more than one line
};

} // namespace qw::ui
