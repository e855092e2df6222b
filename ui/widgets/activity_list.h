// SPDX-License-Identifier: GPL-3.0-or-later
// What: work in progress, a row each: what it is, how far, and a button that calls it off. Status bar and queue dock have one.
// Limits: hidden while there is nothing to show; what ends soon after it began never appears.
#pragma once

#include "client/activities.h"

#include <QTimer>
#include <QWidget>

class QLabel;
class QProgressBar;
class QToolButton;

namespace qw::ui {

class ActivityList : public QWidget {
    Q_OBJECT
public:
    // afterMs: younger work is not shown; most: rows, the rest is counted in the last one.
    ActivityList(Activities& activities, int afterMs, int most, QWidget* parent = nullptr);

private:
    struct Row {
        int id = 0;
        QWidget* frame = nullptr;
        QLabel* title = nullptr;
        QProgressBar* bar = nullptr;
        QToolButton* cancel = nullptr;
    };
    Row makeRow();
    void refresh();
    void fill(Row& row, const Activity& one, int more);

    Activities& m_activities;
    int m_afterMs;
    size_t m_most;
    std::vector<Row> m_rows;
    QTimer m_later; // the next one comes of age
};

} // namespace qw::ui
