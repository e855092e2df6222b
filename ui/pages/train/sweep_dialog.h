// SPDX-License-Identifier: GPL-3.0-or-later
// What: asks for the values of a sweep, says how many runs, how long and how much disk, and puts it into the recipe as one undo step.
#pragma once

#include "client/session.h"
#include "pages/train/sweep.h"

#include <QDialog>

class QFormLayout;
class QLabel;
class QLineEdit;
class QPushButton;

namespace qw::ui {

class SweepDialog : public QDialog {
    Q_OBJECT
public:
    // forecast: of the recipe as it is. objectName sweepDialog.
    SweepDialog(Session& session, const std::optional<Forecast>& forecast, QWidget* parent);

private:
    QLineEdit* addLine(QFormLayout* form, const char* name, const QString& label, const QString& help, const QString& example);
    [[nodiscard]] Result<Sweep> read() const;
    void showCost();
    void apply();

    Session& m_session;
    std::optional<Forecast> m_forecast;
    QLineEdit* m_bits = nullptr;
    QLineEdit* m_groups = nullptr;
    QLineEdit* m_rates = nullptr;
    QLineEdit* m_seeds = nullptr;
    QLabel* m_cost = nullptr;
    QPushButton* m_apply = nullptr;
};

} // namespace qw::ui
