// SPDX-License-Identifier: GPL-3.0-or-later
#include "delegates/scheme_item_delegate.h"

#include "theme/theme.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QPainter>

namespace qw::ui {
namespace {

bool isHeading(const QModelIndex& index) { return !(index.flags() & Qt::ItemIsSelectable); }
// The summary in at most two lines, the note in one; what does not fit is cut with an ellipsis.
QStringList linesOf(const QModelIndex& index, int summaryRole, int noteRole, const QFontMetrics& metrics, int width) {
    QStringList lines;
    const QString summary = index.data(summaryRole).toString();
    QString first;
    const QStringList words = summary.split(QLatin1Char(' '), Qt::SkipEmptyParts);
    qsizetype used = 0;
    for (; used < words.size(); ++used) {
        const QString longer = first.isEmpty() ? words[used] : first + QLatin1Char(' ') + words[used];
        if (metrics.horizontalAdvance(longer) > width && !first.isEmpty()) break;
        first = longer;
    }
    if (!first.isEmpty()) lines << metrics.elidedText(first, Qt::ElideRight, width);
    if (used < words.size()) lines << metrics.elidedText(words.mid(used).join(QLatin1Char(' ')), Qt::ElideRight, width);
    if (const QString note = index.data(noteRole).toString(); !note.isEmpty()) lines << metrics.elidedText(note, Qt::ElideRight, width);
    return lines;
}

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
    painter->drawText(QRect(row.left(), row.top(), row.width(), line), Qt::AlignLeft | Qt::AlignVCenter,
                      QFontMetrics(strong).elidedText(name, Qt::ElideMiddle, row.width()));
    row.setTop(row.top() + line);
    painter->setFont(option.font);
    painter->setPen(theme.colour(selected ? Token::SelectionText : Token::Muted));
    for (const QString& words : linesOf(index, m_summaryRole, m_noteRole, option.fontMetrics, row.width())) {
        painter->drawText(QRect(row.left(), row.top(), row.width(), line), Qt::AlignLeft | Qt::AlignVCenter, words);
        row.setTop(row.top() + line);
    }
    painter->restore();
}

QSize SchemeItemDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const int pad = margin(option), line = option.fontMetrics.height();
    if (isHeading(index)) return {option.fontMetrics.averageCharWidth() * 16, line + pad * 3 / 2};
    const auto* view = qobject_cast<const QAbstractItemView*>(option.widget);
    const int wide = (view ? view->viewport()->width() : option.rect.width()) - 2 * pad;
    const auto lines = linesOf(index, m_summaryRole, m_noteRole, option.fontMetrics, wide).size();
    return {option.fontMetrics.averageCharWidth() * 16, static_cast<int>(1 + lines) * line + pad};
}

void SchemeItemDelegate::updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option, const QModelIndex&) const {
    editor->setGeometry(QRect(option.rect.left(), option.rect.top(), option.rect.width(), option.fontMetrics.height() * 8 / 5));
}

} // namespace qw::ui
