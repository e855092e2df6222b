// SPDX-License-Identifier: GPL-3.0-or-later
// What: Fusion with check boxes, radio buttons and the edges of fields drawn from our tokens: the outline has a contrast of 3 and more on
// every ground. Why here: Fusion darkens the window's colour for outlines, which leaves nothing to see on a dark one.
#pragma once

#include <QProxyStyle>

namespace qw::ui {

class ThemeStyle : public QProxyStyle {
    Q_OBJECT
public:
    ThemeStyle();
    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const override;
    void drawControl(ControlElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const override;
    QSize sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& contents, const QWidget* widget) const override;
    void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                            const QWidget* widget) const override;
};

} // namespace qw::ui
