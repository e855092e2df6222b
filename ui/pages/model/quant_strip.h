// SPDX-License-Identifier: GPL-3.0-or-later
// What: a cell with a strip at its left that says in colour what its words say too: can be quantized, or cannot.
#pragma once

#include "theme/theme.h"

#include <QPainter>
#include <QStyledItemDelegate>

namespace qw::ui {

class QuantStripDelegate : public QStyledItemDelegate {
public:
    explicit QuantStripDelegate(int role, QObject* parent) : QStyledItemDelegate(parent), m_role(role) {}
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const QVariant can = index.data(m_role);
        const int wide = can.isValid() ? option.fontMetrics.averageCharWidth() : 0;
        QStyleOptionViewItem rest = option;
        rest.textElideMode = Qt::ElideRight;
        rest.rect.setLeft(rest.rect.left() + wide);
        QStyledItemDelegate::paint(painter, rest, index);
        if (!can.isValid()) return;
        const QRect strip(option.rect.left(), option.rect.top() + 1, wide / 2, option.rect.height() - 2);
        painter->fillRect(strip, Theme::instance().colour(can.toBool() ? Token::Good : Token::Border));
    }

    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        return {QStyledItemDelegate::sizeHint(option, index).width() + option.fontMetrics.averageCharWidth(),
                option.fontMetrics.height() * 3 / 2};
    }

private:
    int m_role;
};

} // namespace qw::ui
