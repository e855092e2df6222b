// SPDX-License-Identifier: GPL-3.0-or-later
#include "theme/theme_style.h"

#include "theme/theme.h"

#include <QPainter>
#include <QPainterPath>
#include <QStyleOption>

namespace qw::ui {
namespace {

struct Look {
    QColor outline, fill, mark;
};

Look lookOf(QStyle::State state) {
    const Theme& theme = Theme::instance();
    const bool on = state & (QStyle::State_On | QStyle::State_NoChange);
    if (!(state & QStyle::State_Enabled)) {
        const QColor& faint = theme.colour(Token::Disabled);
        return {faint, on ? faint : theme.colour(Token::Window), theme.colour(Token::Window)};
    }
    const bool near = state & (QStyle::State_HasFocus | QStyle::State_MouseOver);
    const QColor& accent = theme.colour(Token::Accent);
    return {on || near ? accent : theme.colour(Token::Muted), on ? accent : theme.colour(Token::Base), theme.colour(Token::AccentText)};
}

void drawMark(QPainter& painter, const QRectF& box, QStyle::State state) {
    const auto at = [&](double x, double y) { return QPointF(box.left() + x * box.width(), box.top() + y * box.height()); };
    if (state & QStyle::State_NoChange) {
        painter.drawLine(at(0.25, 0.5), at(0.75, 0.5));
    } else if (state & QStyle::State_On) {
        QPainterPath path(at(0.22, 0.52));
        path.lineTo(at(0.42, 0.72));
        path.lineTo(at(0.78, 0.30));
        painter.drawPath(path);
    }
}

} // namespace

ThemeStyle::ThemeStyle() : QProxyStyle(QStringLiteral("Fusion")) {}

void ThemeStyle::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const {
    const bool square = element == PE_IndicatorCheckBox || element == PE_IndicatorItemViewItemCheck;
    if (!square && element != PE_IndicatorRadioButton) return QProxyStyle::drawPrimitive(element, option, painter, widget);
    const Look look = lookOf(option->state);
    const double side = std::min(option->rect.width(), option->rect.height()), line = std::max(1.5, side / 10);
    const QRectF box(option->rect.center().x() + 0.5 - side / 2 + line / 2, option->rect.center().y() + 0.5 - side / 2 + line / 2,
                     side - line, side - line);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(look.outline, line));
    painter->setBrush(look.fill);
    if (square)
        painter->drawRoundedRect(box, side / 5, side / 5);
    else
        painter->drawEllipse(box);
    painter->setBrush(Qt::NoBrush);
    if (square) {
        painter->setPen(QPen(look.mark, line * 1.2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        drawMark(*painter, box, option->state);
    } else if (option->state & State_On) {
        painter->setPen(Qt::NoPen);
        painter->setBrush(look.mark);
        painter->drawEllipse(box.center(), box.width() / 4, box.height() / 4);
    }
    painter->restore();
}

} // namespace qw::ui
