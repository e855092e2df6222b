// SPDX-License-Identifier: GPL-3.0-or-later
// What: a quantizer's levels as ticks on a number line.
#pragma once

#include <QWidget>
#include <vector>

namespace qw::ui {

class GridLine : public QWidget {
    Q_OBJECT
public:
    explicit GridLine(QWidget* parent = nullptr);
    // levels: ascending; caption: above them.
    void setLevels(const std::vector<double>& levels, const QString& caption);
    [[nodiscard]] const std::vector<double>& levels() const { return m_levels; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override; // tells the level under the pointer
    void changeEvent(QEvent* event) override;

private:
    [[nodiscard]] QRectF place() const;
    [[nodiscard]] double reach() const; // the line goes from -reach to reach
    void paintAxis(QPainter& painter, const QRectF& area) const;
    std::vector<double> m_levels;
    QString m_caption;
};

} // namespace qw::ui
