// SPDX-License-Identifier: GPL-3.0-or-later
#include "delegates/heat_bar_delegate.h"

#include "theme/theme.h"

#include <QPainter>

namespace qw::ui {

void HeatBarDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QStyledItemDelegate::paint(painter, option, index);
    const QVariant share = index.data(m_role);
    if (!share.isValid()) return;
    // Under the words, along the lower edge: bar and number are read together and neither covers the other.
    const int thick = std::max(2, option.fontMetrics.height() / 6);
    const int pad = option.fontMetrics.averageCharWidth() / 2;
    QRect track(option.rect.left() + pad, option.rect.bottom() - thick, option.rect.width() - 2 * pad, thick);
    painter->save();
    painter->setPen(Qt::NoPen);
    painter->setBrush(Theme::instance().colour(Token::Grid));
    painter->drawRect(track);
    track.setWidth(static_cast<int>(share.toDouble() * track.width()));
    painter->setBrush(Theme::instance().colour(Token::Heat));
    painter->drawRect(track);
    painter->restore();
}

QSize HeatBarDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    return {QStyledItemDelegate::sizeHint(option, index).width(), option.fontMetrics.height() * 8 / 5};
}

} // namespace qw::ui
