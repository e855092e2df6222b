// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/action_finder.h"

#include "theme/theme.h"

#include <QApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListView>
#include <QPainter>
#include <QSortFilterProxyModel>
#include <QStandardItemModel>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

constexpr int kActionRole = Qt::UserRole + 1, kWordsRole = Qt::UserRole + 2, kKeysRole = Qt::UserRole + 3;

// One line, as wide as the list: the name, cut where it must be, and the keys at the right edge.
class ActionLine final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        return {0, QStyledItemDelegate::sizeHint(option, index).height()};
    }
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        QStyledItemDelegate::paint(painter, option, index);
        const bool selected = option.state.testFlag(QStyle::State_Selected);
        painter->setPen(Theme::instance().colour(selected ? Token::SelectionText : Token::Muted));
        painter->drawText(option.rect.adjusted(0, 0, -option.fontMetrics.averageCharWidth(), 0), Qt::AlignRight | Qt::AlignVCenter,
                          index.data(kKeysRole).toString());
    }
};

// Every typed word must occur somewhere in text, help or id.
class WordFilter final : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    void setWords(const QString& text) {
        m_words = text.toLower().split(QLatin1Char(' '), Qt::SkipEmptyParts);
        invalidateFilter();
    }

protected:
    [[nodiscard]] bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
        const QString words = sourceModel()->index(row, 0, parent).data(kWordsRole).toString();
        return std::all_of(m_words.begin(), m_words.end(), [&](const QString& word) { return words.contains(word); });
    }

private:
    QStringList m_words;
};

} // namespace

ActionFinder::ActionFinder(ActionRegistry& actions, QWidget* parent) : QDialog(parent), m_actions(actions) {
    setObjectName(QStringLiteral("actionFinder"));
    setWindowTitle(tr("Find action"));
    m_search = new QLineEdit(this);
    m_search->setPlaceholderText(tr("What do you want to do?"));
    m_search->setAccessibleName(tr("Search actions"));
    m_search->setClearButtonEnabled(true);
    m_items = new QStandardItemModel(this);
    auto* filter = new WordFilter(this);
    filter->setSourceModel(m_items);
    m_filter = filter;
    m_list = new QListView(this);
    m_list->setModel(m_filter);
    m_list->setAccessibleName(tr("Matching actions"));
    m_list->setItemDelegate(new ActionLine(m_list));
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setEditTriggers(QAbstractItemView::NoEditTriggers);
    auto* column = new QVBoxLayout(this);
    column->addWidget(m_search);
    column->addWidget(m_list);
    resize(fontMetrics().averageCharWidth() * 80, fontMetrics().height() * 22);
    m_search->installEventFilter(this);
    connect(m_search, &QLineEdit::textChanged, this, [this, filter](const QString& text) {
        filter->setWords(text);
        m_list->setCurrentIndex(m_filter->index(0, 0));
    });
    connect(m_list, &QListView::activated, this, &ActionFinder::run);
}

void ActionFinder::popUp() {
    m_items->clear();
    for (QAction* action : m_actions.all()) {
        if (!action->isVisible()) continue;
        const QString name = action->text().remove(QLatin1Char('&'));
        const QString keys = action->shortcut().toString(QKeySequence::NativeText);
        const QString reason = action->property("disabledReason").toString();
        QString shown = name;
        if (!action->isEnabled() && !reason.isEmpty()) shown += QStringLiteral("   (") + reason + QLatin1Char(')');
        auto* item = new QStandardItem(action->icon(), shown);
        item->setEnabled(action->isEnabled());
        item->setToolTip(action->property("help").toString());
        item->setData(keys, kKeysRole);
        item->setData(keys.isEmpty() ? shown : shown + QStringLiteral(", ") + keys, Qt::AccessibleTextRole);
        item->setData(QVariant::fromValue(static_cast<QObject*>(action)), kActionRole);
        item->setData((name + QLatin1Char(' ') + action->property("help").toString() + QLatin1Char(' ') + action->objectName()).toLower(),
                      kWordsRole);
        m_items->appendRow(item);
    }
    m_search->clear();
    m_list->setCurrentIndex(m_filter->index(0, 0));
    m_search->setFocus();
    show();
    raise();
}

bool ActionFinder::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Down || key == Qt::Key_Up || key == Qt::Key_PageDown || key == Qt::Key_PageUp) {
            QApplication::sendEvent(m_list, event);
            return true;
        }
        if (key == Qt::Key_Return || key == Qt::Key_Enter) {
            run();
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

void ActionFinder::run() {
    const QModelIndex index = m_list->currentIndex();
    auto* action = qobject_cast<QAction*>(index.data(kActionRole).value<QObject*>());
    if (!action || !action->isEnabled()) return;
    accept();
    action->trigger();
}

} // namespace qw::ui
