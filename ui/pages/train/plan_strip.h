// SPDX-License-Identifier: GPL-3.0-or-later
// What: what the study will run, as its four stages in order: fine-tune, PTQ baseline, QAT, evaluate (recipe.md 2).
#pragma once

#include "client/session.h"

#include <QWidget>

class QCheckBox;
class QLabel;
class QHBoxLayout;

namespace qw::ui {

class PlanStrip : public QWidget {
    Q_OBJECT
public:
    explicit PlanStrip(Session& session, QWidget* parent = nullptr);
    void showCounts(int rows, int trained); // of the comparison; 0: unknown

private:
    QWidget* stage(QHBoxLayout* row, int number, const QString& title, const QString& help, QWidget* first, QWidget* second);
    void show();
    Session& m_session;
    QCheckBox* m_fineTune = nullptr;
    QCheckBox* m_rtn = nullptr;
    QCheckBox* m_mse = nullptr;
    QLabel* m_schemes = nullptr;
    QLabel* m_tasks = nullptr;
    QLabel* m_count = nullptr;
};

} // namespace qw::ui
