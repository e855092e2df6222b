// SPDX-License-Identifier: GPL-3.0-or-later
#include "delegates/state_delegate.h"

namespace qw::ui {

void StateDelegate::initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const {
    QStyledItemDelegate::initStyleOption(option, index);
    const QVariant state = index.data(m_role);
    if (!state.isValid()) return;
    const StateLook look = m_look(state.toInt());
    option->features |= QStyleOptionViewItem::HasDecoration;
    option->icon = Theme::instance().icon(look.icon, look.token);
    const int side = option->fontMetrics.height();
    option->decorationSize = QSize(side, side);
}

} // namespace qw::ui
