// SPDX-License-Identifier: GPL-3.0-or-later
#include "delegates/swatch_delegate.h"

#include "theme/markers.h"
#include "theme/theme.h"

#include <QApplication>
#include <QPainter>

namespace qw::ui {

void paintSwatch(QPainter* painter, const QRect& rect, int number, bool enabled) {
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const Theme& theme = Theme::instance();
    const QColor colour = enabled ? theme.series(number) : theme.colour(Token::Disabled);
    const double thick = std::max(2.0, rect.height() / 8.0), radius = rect.height() * 0.28;
    painter->setPen(QPen(colour, thick, Theme::dashOf(number), Qt::FlatCap));
    const double y = rect.center().y() + 0.5;
    painter->drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y));
    painter->setPen(Qt::NoPen);
    painter->setBrush(colour);
    const QPointF centre(rect.center().x() + 0.5, y);
    QPolygonF marker = markerShape(number);
    for (QPointF& corner : marker) corner = centre + corner * radius;
    painter->drawPolygon(marker);
    painter->restore();
}

void SwatchDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const QVariant number = index.data(m_role);
    QStyledItemDelegate::paint(painter, option, index);
    if (!number.isValid()) return;
    const int height = option.fontMetrics.height();
    QRect place(0, 0, std::min(option.rect.width() - height / 2, 2 * height), height);
    place.moveCenter(option.rect.center());
    paintSwatch(painter, place, number.toInt(), option.state & QStyle::State_Enabled);
}

QSize SwatchDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const QSize base = QStyledItemDelegate::sizeHint(option, index);
    return {std::max(base.width(), 3 * option.fontMetrics.height()), base.height()};
}

} // namespace qw::ui
