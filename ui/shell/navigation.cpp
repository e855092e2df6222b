// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/navigation.h"

#include "theme/theme.h"

#include <QStandardItemModel>

namespace qw::ui {

Navigation::Navigation(const std::vector<Page*>& pages, QWidget* parent)
    : QListView(parent), m_pages(pages), m_items(new QStandardItemModel(this)) {
    setObjectName(QStringLiteral("navList"));
    setAccessibleName(tr("Pages"));
    setEditTriggers(QAbstractItemView::NoEditTriggers);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFrameShape(QFrame::NoFrame);
    setTabKeyNavigation(false);
    setModel(m_items);
    for (Page* page : m_pages) {
        m_items->appendRow(new QStandardItem);
        connect(page, &Page::badgeChanged, this, &Navigation::fill);
    }
    connect(&Theme::instance(), &Theme::changed, this, &Navigation::fill);
    fill();
    // Wide enough for the longest title with a badge; the font follows the user.
    int widest = 0;
    for (const Page* page : m_pages) widest = std::max(widest, fontMetrics().horizontalAdvance(page->title()));
    setFixedWidth(widest + fontMetrics().height() * 5);
}

void Navigation::fill() {
    for (size_t i = 0; i < m_pages.size(); ++i) {
        const Page* page = m_pages[i];
        QStandardItem* item = m_items->item(static_cast<int>(i));
        item->setText(page->badge().isEmpty() ? page->title() : page->title() + QStringLiteral("  ") + page->badge());
        item->setIcon(Theme::instance().icon(page->iconName()));
        item->setToolTip(tr("%1 (Ctrl+%2)").arg(page->title()).arg(static_cast<int>(page->id()) + 1));
        item->setData(static_cast<int>(page->id()), Qt::UserRole);
        item->setAccessibleText(page->title());
    }
}

void Navigation::select(PageId page) {
    for (size_t i = 0; i < m_pages.size(); ++i)
        if (m_pages[i]->id() == page) setCurrentIndex(m_items->index(static_cast<int>(i), 0));
}

void Navigation::currentChanged(const QModelIndex& current, const QModelIndex& previous) {
    QListView::currentChanged(current, previous); // screen readers listen to it
    if (current.isValid()) Q_EMIT pageChosen(static_cast<PageId>(current.data(Qt::UserRole).toInt()));
}

} // namespace qw::ui
