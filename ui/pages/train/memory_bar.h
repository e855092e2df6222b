// SPDX-License-Identifier: GPL-3.0-or-later
// What: the parts of the memory that training needs, against what the device has, as one bar with a legend in words and numbers.
#pragma once

#include "pages/train/forecast.h"

#include <QWidget>

namespace qw::ui {

class MemoryBar : public QWidget {
    Q_OBJECT
public:
    explicit MemoryBar(QWidget* parent = nullptr);
    void show(const Forecast& forecast); // property `fit`: unknown, good, tight, over
    void clear();
    void setDimmed(bool dimmed);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] bool hasHeightForWidth() const override { return true; }
    [[nodiscard]] int heightForWidth(int width) const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    int layLegend(int width, class QPainter* painter) const; // its height; draws only with a painter
    [[nodiscard]] QString legendText(const Forecast::Part& part) const;
    Forecast m_forecast;
    bool m_dimmed = false;
};

} // namespace qw::ui
