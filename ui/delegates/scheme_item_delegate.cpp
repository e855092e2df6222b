// SPDX-License-Identifier: GPL-3.0-or-later
#include "delegates/scheme_item_delegate.h"

#include "theme/theme.h"

#include <QApplication>
#include <QPainter>

namespace qw::ui {
namespace {

bool isHeading(const QModelIndex& index) { return !(index.flags() & Qt::ItemIsSelectable); }
int margin(const QStyleOptionViewItem& option) { return option.fontMetrics.height() / 2; }

} // namespace

void SchemeItemDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    QStyleOptionViewItem shown = option;
    initStyleOption(&shown, index);
    const Theme& theme = Theme::instance();
    const QString name = shown.text;
    shown.text.clear();
    const int pad = margin(option), line = option.fontMetrics.height();
    QRect row = option.rect.adjusted(pad, pad / 2, -pad, -pad / 2);
    painter->save();
    if (isHeading(index)) {
        painter->setPen(theme.colour(Token::Muted));
        painter->drawText(row, Qt::AlignLeft | Qt::AlignBottom, name);
        painter->restore();
        return;
    }
    const QStyle* style = option.widget ? option.widget->style() : QApplication::style();
    style->drawControl(QStyle::CE_ItemViewItem, &shown, painter, option.widget);
    const bool selected = option.state & QStyle::State_Selected;
    QFont strong = option.font;
    strong.setWeight(QFont::DemiBold);
    painter->setFont(strong);
    painter->setPen(theme.colour(selected ? Token::SelectionText : Token::Text));
    const auto put = [&](const QString& words, Qt::TextElideMode mode) {
        const QFontMetrics metrics(painter->font());
        painter->drawText(QRect(row.left(), row.top(), row.width(), line), Qt::AlignLeft | Qt::AlignVCenter,
                          metrics.elidedText(words, mode, row.width()));
        row.setTop(row.top() + line);
    };
    put(name, Qt::ElideMiddle);
    painter->setFont(option.font);
    painter->setPen(theme.colour(selected ? Token::SelectionText : Token::Muted));
    for (const int role : {m_summaryRole, m_noteRole})
        if (const QString words = index.data(role).toString(); !words.isEmpty()) put(words, Qt::ElideRight);
    painter->restore();
}

QSize SchemeItemDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    int lines = 1;
    if (!isHeading(index))
        for (const int role : {m_summaryRole, m_noteRole}) lines += !index.data(role).toString().isEmpty();
    return {option.fontMetrics.averageCharWidth() * 16,
            lines * option.fontMetrics.height() + margin(option) + (isHeading(index) ? margin(option) / 2 : 0)};
}

void SchemeItemDelegate::updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option, const QModelIndex&) const {
    editor->setGeometry(QRect(option.rect.left(), option.rect.top(), option.rect.width(), option.fontMetrics.height() * 8 / 5));
}

} // namespace qw::ui
