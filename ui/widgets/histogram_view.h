// SPDX-License-Identifier: GPL-3.0-or-later
// What: a histogram with a quantizer's levels as ticks at its foot; without bins it is a plain number line of the levels.
// Limits: shows the bins it is given; heights are square roots of the counts, so that tails stay visible, and the axis says so.
#pragma once

#include <QWidget>
#include <cstdint>
#include <vector>

namespace qw::ui {

struct HistogramShown {
    double low = -1, high = 1;
    std::vector<int64_t> bins;  // equal widths over low … high; empty: number line
    std::vector<double> levels; // ascending
    QString caption;            // what is shown, above
    QString words;              // for readers of the screen
};

class HistogramView : public QWidget {
    Q_OBJECT
public:
    explicit HistogramView(QWidget* parent = nullptr);
    void show(const HistogramShown& shown);
    using QWidget::show;
    [[nodiscard]] const HistogramShown& shown() const { return m_shown; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override; // tells range and count under the pointer
    void changeEvent(QEvent* event) override;

private:
    [[nodiscard]] QRectF plot() const;
    [[nodiscard]] double xOf(double value) const;
    void paintBins(QPainter& painter, const QRectF& area) const;
    void paintLevels(QPainter& painter, const QRectF& area) const;
    void paintAxis(QPainter& painter, const QRectF& area) const;
    HistogramShown m_shown;
};

} // namespace qw::ui
