// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialogs/shortcut_editor.h"

#include "theme/theme.h"

#include <QHeaderView>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QLineEdit>
#include <QTableWidget>
#include <QToolButton>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

enum Column : int { Action, Keys, Reset, Help };

QString nameOf(const QAction* action) { return action->text().remove(QLatin1Char('&')); }

} // namespace

ShortcutEditor::ShortcutEditor(ActionRegistry& actions, QWidget* parent) : QWidget(parent), m_actions(actions) {
    m_note = new QLabel(tr("Click a key to change it; an action may have none."), this);
    m_note->setObjectName(QStringLiteral("shortcutNote"));
    m_note->setProperty("look", QStringLiteral("muted"));
    m_note->setWordWrap(true);
    m_shortcutTable = new QTableWidget(static_cast<int>(actions.all().size()), 4, this);
    m_shortcutTable->setObjectName(QStringLiteral("shortcutTable"));
    m_shortcutTable->setHorizontalHeaderLabels({tr("Action"), tr("Key"), QString(), tr("What it does")});
    m_shortcutTable->setAccessibleName(tr("Actions and their keys"));
    m_shortcutTable->verticalHeader()->hide();
    m_shortcutTable->setTabKeyNavigation(false);
    m_shortcutTable->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_shortcutTable->setSelectionMode(QAbstractItemView::NoSelection);
    m_shortcutTable->setFocusPolicy(Qt::NoFocus); // the fields inside take it
    int row = 0;
    for (QAction* action : actions.all()) addRow(row++, action);
    m_shortcutTable->resizeColumnsToContents();
    const int letter = fontMetrics().averageCharWidth();
    m_shortcutTable->setColumnWidth(Action, letter * 34);
    m_shortcutTable->setColumnWidth(Keys, letter * 22);
    m_shortcutTable->setColumnWidth(Reset, letter * 5);
    m_shortcutTable->horizontalHeader()->setSectionResizeMode(Help, QHeaderView::Stretch);
    m_shortcutTable->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_note);
    column->addWidget(m_shortcutTable);
}

void ShortcutEditor::addRow(int row, QAction* action) {
    m_shortcutTable->setItem(row, Action, new QTableWidgetItem(nameOf(action)));
    auto* keys = new QKeySequenceEdit(action->shortcut(), m_shortcutTable);
    keys->setObjectName(action->objectName());
    keys->setAccessibleName(tr("Key of %1").arg(nameOf(action)));
    if (auto* field = keys->findChild<QLineEdit*>()) field->setPlaceholderText(tr("none"));
    auto* reset = new QToolButton(m_shortcutTable);
    reset->setObjectName(action->objectName() + QStringLiteral(".reset"));
    reset->setAutoRaise(true);
    reset->setIcon(Theme::instance().icon(QStringLiteral("reset")));
    reset->setToolTip(tr("Back to the default"));
    reset->setAccessibleName(tr("Reset the key of %1").arg(nameOf(action)));
    const QString id = action->objectName();
    const auto show = [this, id, action, reset] { // a table shows the widgets of its cells again and again: hiding would not last
        setDisabledReason(reset, action->shortcuts() != m_actions.defaultKeys(id) ? QString() : tr("it is the default"));
    };
    const auto put = [this, id, action, keys, show](const QList<QKeySequence>& wanted) {
        const QString taken = m_actions.setKeys(id, wanted);
        if (!taken.isEmpty())
            m_note->setText(tr("%1 belongs to “%2”.").arg(QKeySequence::listToString(wanted, QKeySequence::NativeText), taken));
        keys->setKeySequence(action->shortcut());
        show();
    };
    connect(keys, &QKeySequenceEdit::editingFinished, this, [keys, action, put] {
        if (keys->keySequence() != action->shortcut()) put({keys->keySequence()});
    });
    connect(reset, &QToolButton::clicked, this, [this, id, put] { put(m_actions.defaultKeys(id)); });
    m_shortcutTable->setCellWidget(row, Keys, keys);
    m_shortcutTable->setCellWidget(row, Reset, reset);
    auto* help = new QTableWidgetItem(action->property("help").toString());
    help->setToolTip(help->text());
    m_shortcutTable->setItem(row, Help, help);
    show();
}

void ShortcutEditor::filter(const QString& text) {
    int row = 0;
    for (const QAction* action : m_actions.all()) {
        const QString words = nameOf(action) + QLatin1Char(' ') + action->property("help").toString() + QLatin1Char(' ') +
                              action->shortcut().toString(QKeySequence::NativeText);
        m_shortcutTable->setRowHidden(row++, !words.contains(text, Qt::CaseInsensitive));
    }
}

} // namespace qw::ui
