// SPDX-License-Identifier: GPL-3.0-or-later
#include "theme/theme_style.h"

#include "theme/theme.h"

#include <QApplication>
#include <QPainter>
#include <QPainterPath>
#include <QStyleOption>
#include <QToolButton>

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

// Where a field ends must be seen in both themes; Fusion's own line vanishes on dark grounds.
void drawFieldOutline(QPainter& painter, const QRect& rect, QStyle::State state) {
    const Theme& theme = Theme::instance();
    const bool enabled = state & QStyle::State_Enabled, focused = state & QStyle::State_HasFocus;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme.colour(!enabled ? Token::Border : focused ? Token::Accent : Token::Disabled), focused ? 1.5 : 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 2.5, 2.5);
    painter.restore();
}

constexpr int kArrowRoom = 14; // beside the words of a button that opens a menu

// Buttons with property noArrow have an icon that says so itself.
bool opensMenu(const QStyleOption* option, const QWidget* widget) {
    const auto* button = qstyleoption_cast<const QStyleOptionToolButton*>(option);
    return button && !(widget && widget->property("noArrow").toBool()) && (button->features & QStyleOptionToolButton::HasMenu) &&
           !(button->features & QStyleOptionToolButton::MenuButtonPopup);
}

} // namespace

ThemeStyle::ThemeStyle() : QProxyStyle(QStringLiteral("Fusion")) {}

void ThemeStyle::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const {
    if (element == PE_FrameLineEdit) return drawFieldOutline(*painter, option->rect, option->state);
    if (element == PE_IndicatorArrowDown && qobject_cast<const QToolButton*>(widget) && opensMenu(option, widget)) {
        QStyleOption arrow = *option; // Fusion puts it into the corner, half under the words
        const int side = kArrowRoom - 6;
        arrow.rect = QRect(widget->width() - side - 4, (widget->height() - side) / 2 + 1, side, side);
        return QProxyStyle::drawPrimitive(element, &arrow, painter, widget);
    }
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

// Fusion cuts what does not fit in the middle of a letter.
void ThemeStyle::drawControl(ControlElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const {
    if (element == CE_ToolButtonLabel && opensMenu(option, widget)) {
        QStyleOptionToolButton words = *qstyleoption_cast<const QStyleOptionToolButton*>(option);
        words.rect.setRight(words.rect.right() - kArrowRoom + 4);
        return QProxyStyle::drawControl(element, &words, painter, widget);
    }
    const auto* combo = element == CE_ComboBoxLabel ? qstyleoption_cast<const QStyleOptionComboBox*>(option) : nullptr;
    if (!combo) return QProxyStyle::drawControl(element, option, painter, widget);
    QStyleOptionComboBox shown = *combo;
    const int icon = combo->currentIcon.isNull() ? 0 : combo->iconSize.width() + 4;
    const QRect field = subControlRect(CC_ComboBox, combo, SC_ComboBoxEditField, widget);
    shown.currentText = combo->fontMetrics.elidedText(combo->currentText, Qt::ElideRight, field.width() - icon - 2);
    QProxyStyle::drawControl(element, &shown, painter, widget);
}

QSize ThemeStyle::sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& contents, const QWidget* widget) const {
    const QSize size = QProxyStyle::sizeFromContents(type, option, contents, widget);
    return type == CT_ToolButton && opensMenu(option, widget) ? size + QSize(kArrowRoom, 0) : size;
}

void ThemeStyle::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                                    const QWidget* widget) const {
    QProxyStyle::drawComplexControl(control, option, painter, widget);
    const auto* spin = qstyleoption_cast<const QStyleOptionSpinBox*>(option);
    const auto* combo = qstyleoption_cast<const QStyleOptionComboBox*>(option);
    if ((control == CC_SpinBox && spin && spin->frame) || (control == CC_ComboBox && combo && combo->frame))
        drawFieldOutline(*painter, option->rect, option->state);
}

} // namespace qw::ui
