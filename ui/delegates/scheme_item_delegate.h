// SPDX-License-Identifier: GPL-3.0-or-later
// What: a list row of a name and, below it, one or two muted lines; headings are small and plain.
#pragma once

#include <QStyledItemDelegate>

namespace qw::ui {

class SchemeItemDelegate : public QStyledItemDelegate {
public:
    // Roles of the two lines; a row that is neither enabled nor selectable is a heading.
    SchemeItemDelegate(int summaryRole, int noteRole, QObject* parent = nullptr)
        : QStyledItemDelegate(parent), m_summaryRole(summaryRole), m_noteRole(noteRole) {}
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    void updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    int m_summaryRole, m_noteRole;
};

} // namespace qw::ui
