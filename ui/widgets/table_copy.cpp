// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/table_copy.h"

#include <QAbstractItemView>
#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QTableView>
#include <QTreeView>
#include <algorithm>

namespace qw::ui {
namespace {

QList<int> visibleColumns(const QAbstractItemView& view) {
    const QHeaderView* header = nullptr;
    if (const auto* table = qobject_cast<const QTableView*>(&view)) header = table->horizontalHeader();
    if (const auto* tree = qobject_cast<const QTreeView*>(&view)) header = tree->header();
    QList<int> columns;
    for (int place = 0; place < view.model()->columnCount(); ++place) {
        const int column = header ? header->logicalIndex(place) : place;
        if (!header || !header->isSectionHidden(column)) columns << column;
    }
    return columns;
}

} // namespace

QString selectedRowsText(const QAbstractItemView& view) {
    const QList<int> columns = visibleColumns(view);
    QModelIndexList rows = view.selectionModel()->selectedRows();
    std::sort(rows.begin(), rows.end());
    QStringList lines, cells;
    for (const int column : columns) cells << view.model()->headerData(column, Qt::Horizontal).toString();
    lines << cells.join(QLatin1Char('\t'));
    for (const QModelIndex& row : rows) {
        cells.clear();
        for (const int column : columns)
            cells << row.siblingAtColumn(column).data().toString().replace(QLatin1Char('\t'), QLatin1Char(' '));
        lines << cells.join(QLatin1Char('\t'));
    }
    return rows.isEmpty() ? QString() : lines.join(QLatin1Char('\n')) + QLatin1Char('\n');
}

void copyRowsWithCtrlC(QAbstractItemView* view) {
    auto* copy = new QAction(QAction::tr("Copy rows"), view);
    copy->setShortcut(QKeySequence::Copy);
    copy->setShortcutContext(Qt::WidgetShortcut);
    QObject::connect(copy, &QAction::triggered, view, [view] {
        if (const QString text = selectedRowsText(*view); !text.isEmpty()) QGuiApplication::clipboard()->setText(text);
    });
    view->addAction(copy);
}

} // namespace qw::ui
