// SPDX-License-Identifier: GPL-3.0-or-later
// What: what the scheme costs and how well it fits: bits, size, ratio, the grid, the histogram of one layer with the grid drawn in.
#pragma once

#include "models/scheme_preview.h"

#include <QWidget>

class QComboBox;
class QLabel;

namespace qw::ui {

class GridLine;
class HistogramChart;

class PreviewPanel : public QWidget {
    Q_OBJECT
public:
    explicit PreviewPanel(SchemePreview& preview, QWidget* parent = nullptr);
    [[nodiscard]] QString layer() const; // chosen by the user; empty: none

Q_SIGNALS:
    void layerChosen(const QString& name);

private:
    QWidget* buildFigures();
    QLabel* figure(QLayout* into, const QString& name, const QString& caption, const QString& help);
    void showFacts();
    void showPicture();
    SchemePreview& m_preview;
    QLabel* m_bits = nullptr;
    QLabel* m_size = nullptr;
    QLabel* m_ratio = nullptr;
    QLabel* m_sqnr = nullptr;
    QComboBox* m_layer = nullptr;
    QLabel* m_sure = nullptr;
    QLabel* m_more = nullptr;
    QLabel* m_none = nullptr; // in place of the pictures
    GridLine* m_grid = nullptr;
    HistogramChart* m_histogram = nullptr;
};

} // namespace qw::ui
