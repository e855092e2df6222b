// SPDX-License-Identifier: GPL-3.0-or-later
// What: a cell with a bar behind its number; the bar's share (0 … 1) comes from a role, the number stays readable in words.
#pragma once

#include <QStyledItemDelegate>

namespace qw::ui {

class HeatBarDelegate : public QStyledItemDelegate {
public:
    explicit HeatBarDelegate(int role, QObject* parent = nullptr) : QStyledItemDelegate(parent), m_role(role) {}
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    int m_role;
};

} // namespace qw::ui
