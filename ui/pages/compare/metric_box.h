// SPDX-License-Identifier: GPL-3.0-or-later
// What: a choice among the metrics of a comparison; keeps the chosen one when the table comes anew.
#pragma once

#include "models/comparison.h"

#include <QComboBox>

namespace qw::ui {

class MetricBox : public QComboBox {
    Q_OBJECT
public:
    explicit MetricBox(QWidget* parent = nullptr);
    void fill(const Comparison& comparison);                    // the verdict's metric at first
    [[nodiscard]] int column() const { return currentIndex(); } // of the table; -1: none
};

} // namespace qw::ui
