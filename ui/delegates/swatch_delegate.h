// SPDX-License-Identifier: GPL-3.0-or-later
// What: paints a run's colour as charts draw it: a piece of its line with its dash and marker, so that it is never colour alone.
#pragma once

#include <QStyledItemDelegate>

namespace qw::ui {

void paintSwatch(QPainter* painter, const QRect& rect, int number, bool enabled = true);

class SwatchDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    // colourRole: the run's number (Theme::series); cells without one are painted as usual.
    explicit SwatchDelegate(int colourRole, QObject* parent = nullptr) : QStyledItemDelegate(parent), m_role(colourRole) {}
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    int m_role;
};

} // namespace qw::ui
