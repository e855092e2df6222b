// SPDX-License-Identifier: GPL-3.0-or-later
// What: the table of Compare: each row with its run's swatch, derived rows on another ground below the measured ones.
#pragma once

#include <QStyledItemDelegate>
#include <QTableView>

namespace qw::ui {

class CompareDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override;
};

class CompareTable : public QTableView {
    Q_OBJECT
public:
    explicit CompareTable(QWidget* parent = nullptr);
    void setModel(QAbstractItemModel* model) override;
};

} // namespace qw::ui
