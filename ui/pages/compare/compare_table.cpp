// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/compare/compare_table.h"

#include "delegates/swatch_delegate.h"
#include "models/compare_model.h"
#include "theme/theme.h"
#include "widgets/table_copy.h"

#include <QHeaderView>
#include <QPainter>

namespace qw::ui {
namespace {

int swatchWidth(const QFontMetrics& metrics) { return 2 * metrics.height(); }

} // namespace

void CompareDelegate::initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const {
    QStyledItemDelegate::initStyleOption(option, index);
    const int kind = index.data(CompareModel::KindRole).toInt();
    if (kind != static_cast<int>(study::TextTable::Kind::Value)) option->backgroundBrush = Theme::instance().colour(Token::Alternate);
    const int side = option->fontMetrics.height();
    option->decorationSize = QSize(side, side);
    option->decorationPosition = QStyleOptionViewItem::Right;
}

void CompareDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QStyleOptionViewItem moved = option;
    const int side = option.fontMetrics.height();
    if (index.column() == 0) {
        QStyleOptionViewItem ground = option;
        initStyleOption(&ground, index);
        painter->fillRect(option.rect,
                          option.state & QStyle::State_Selected ? option.palette.brush(QPalette::Highlight) : ground.backgroundBrush);
        moved.rect.adjust(swatchWidth(option.fontMetrics) + side / 2, 0, 0, 0);
    }
    QStyledItemDelegate::paint(painter, moved, index);
    const QVariant colour = index.data(CompareModel::ColourRole);
    if (colour.isValid()) {
        QRect place(option.rect.left() + side / 3, 0, swatchWidth(option.fontMetrics), side);
        place.moveTop(option.rect.center().y() - side / 2);
        paintSwatch(painter, place, colour.toInt());
    }
    const bool firstDerived = index.row() > 0 && index.data(CompareModel::KindRole).toInt() != 0 &&
                              index.siblingAtRow(index.row() - 1).data(CompareModel::KindRole).toInt() == 0;
    if (firstDerived) painter->fillRect(QRect(option.rect.topLeft(), QSize(option.rect.width(), 1)), Theme::instance().colour(Token::Axis));
}

QSize CompareDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QSize size = QStyledItemDelegate::sizeHint(option, index);
    const int side = option.fontMetrics.height();
    size.rwidth() += index.column() == 0 ? swatchWidth(option.fontMetrics) + 2 * side : side;
    return size;
}

CompareTable::CompareTable(QWidget* parent) : QTableView(parent) {
    setItemDelegate(new CompareDelegate(this));
    setSelectionBehavior(SelectRows);
    setShowGrid(false);
    setWordWrap(false);
    setTabKeyNavigation(false);
    setHorizontalScrollMode(ScrollPerPixel);
    verticalHeader()->hide();
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setDefaultSectionSize(fontMetrics().height() * 9 / 5);
    horizontalHeader()->setHighlightSections(false);
    copyRowsWithCtrlC(this);
}

void CompareTable::setModel(QAbstractItemModel* model) {
    QTableView::setModel(model);
    connect(model, &QAbstractItemModel::modelReset, this, [this] { resizeColumnsToContents(); });
}

} // namespace qw::ui
