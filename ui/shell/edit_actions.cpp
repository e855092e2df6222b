// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/edit_actions.h"

#include "charts/qat_chart.h"

#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QTextEdit>

namespace qw::ui {
namespace {

struct Editing {
    bool editable = false, selected = false;
};

// What a widget with text offers; nothing for one without.
std::optional<Editing> editingOf(const QWidget* widget) {
    if (const auto* line = qobject_cast<const QLineEdit*>(widget)) return Editing{!line->isReadOnly(), line->hasSelectedText()};
    if (const auto* box = qobject_cast<const QAbstractSpinBox*>(widget)) {
        const auto* line = box->findChild<QLineEdit*>();
        return Editing{!box->isReadOnly(), line && line->hasSelectedText()};
    }
    if (const auto* box = qobject_cast<const QComboBox*>(widget); box && box->isEditable())
        return Editing{true, box->lineEdit()->hasSelectedText()};
    if (const auto* plain = qobject_cast<const QPlainTextEdit*>(widget))
        return Editing{!plain->isReadOnly(), plain->textCursor().hasSelection()};
    if (const auto* rich = qobject_cast<const QTextEdit*>(widget)) return Editing{!rich->isReadOnly(), rich->textCursor().hasSelection()};
    if (const auto* label = qobject_cast<const QLabel*>(widget)) return Editing{false, label->hasSelectedText()};
    return {};
}

QAction* copyActionOf(const QWidget* widget) {
    const auto actions = widget->actions();
    for (QAction* action : actions)
        if (action->shortcuts().contains(QKeySequence(QKeySequence::Copy))) return action;
    return nullptr;
}

} // namespace

EditActions::EditActions(QMainWindow& window, ActionRegistry& actions) : QObject(&window), m_window(window) {
    m_cut = add(actions, "edit.cut", tr("Cu&t"), tr("Take the selected text out, onto the clipboard"), QKeySequence::Cut);
    m_copy = add(actions, "edit.copy", tr("&Copy"), tr("Selected text or rows, or the chart, onto the clipboard"), QKeySequence::Copy);
    m_paste = add(actions, "edit.paste", tr("&Paste"), tr("Put the clipboard's text where the cursor is"), QKeySequence::Paste);
    connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
        if (!now || now->window() != &m_window || qobject_cast<QMenuBar*>(now) || qobject_cast<QMenu*>(now)) return;
        m_last = now;
        update();
    });
    connect(QGuiApplication::clipboard(), &QClipboard::dataChanged, this, &EditActions::update);
    update();
}

QAction* EditActions::add(ActionRegistry& actions, const char* id, const QString& words, const QString& help,
                          QKeySequence::StandardKey key) {
    const QString name = QString::fromLatin1(id);
    QAction* action = actions.add({name, words, key == QKeySequence::Copy ? QStringLiteral("copy") : QString(), help, {key}}, this,
                                  [this, key] { send(key); });
    action->setShortcutContext(Qt::WidgetShortcut);
    return action;
}

QString EditActions::whyNot(QKeySequence::StandardKey key) const {
    if (!m_last || !m_last->isVisible()) return tr("nothing that can be edited has the keyboard");
    const auto editing = editingOf(m_last);
    if (key == QKeySequence::Copy) {
        if (qobject_cast<QatChart*>(m_last)) return {};
        if (const auto* view = qobject_cast<const QAbstractItemView*>(m_last.data()); view && copyActionOf(view))
            return view->selectionModel() && view->selectionModel()->hasSelection() ? QString() : tr("no row is selected");
        return editing && editing->selected ? QString() : tr("nothing is selected");
    }
    if (!editing || !editing->editable) return tr("no text field has the keyboard");
    if (key == QKeySequence::Cut) return editing->selected ? QString() : tr("nothing is selected");
    const QMimeData* data = QGuiApplication::clipboard()->mimeData();
    return data && data->hasText() ? QString() : tr("there is no text on the clipboard");
}

void EditActions::update() {
    ActionRegistry::setDisabledReason(m_cut, whyNot(QKeySequence::Cut));
    ActionRegistry::setDisabledReason(m_copy, whyNot(QKeySequence::Copy));
    ActionRegistry::setDisabledReason(m_paste, whyNot(QKeySequence::Paste));
}

// As if the key had been pressed there: every widget does with it what it does with the key.
void EditActions::send(QKeySequence::StandardKey key) const {
    if (!m_last) return;
    if (QAction* copy = key == QKeySequence::Copy ? copyActionOf(m_last) : nullptr) return copy->trigger();
    const QKeyCombination keys = QKeySequence(key)[0];
    QKeyEvent press(QEvent::KeyPress, keys.key(), keys.keyboardModifiers());
    QApplication::sendEvent(m_last, &press);
}

} // namespace qw::ui
