// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/filter_edit.h"

#include "theme/theme.h"

#include <QCoreApplication>
#include <QInputMethodEvent>
#include <QKeyEvent>
#include <QTextCharFormat>

namespace qw::ui {

FilterEdit::FilterEdit(QWidget* parent) : QLineEdit(parent) {
    setClearButtonEnabled(true);
    connect(&Theme::instance(), &Theme::changed, this, &FilterEdit::paintMarks);
}

void FilterEdit::setHelp(const QString& help) {
    m_help = help;
    setToolTip(help);
}

void FilterEdit::setMarks(const std::vector<FilterMark>& marks) {
    m_marks = marks;
    QString error;
    int wrong = 0;
    for (const FilterMark& mark : m_marks) {
        if (mark.error.isEmpty()) continue;
        if (wrong++ == 0) error = mark.error;
    }
    setProperty("filterError", error);
    setProperty("wrongTerms", wrong);
    setToolTip(error.isEmpty() ? m_help : error + QStringLiteral("\n\n") + m_help);
    setAccessibleDescription(error);
    paintMarks();
}

// A line edit takes character formats the way an input method gives them.
void FilterEdit::paintMarks() {
    const Theme& theme = Theme::instance();
    QList<QInputMethodEvent::Attribute> attributes;
    for (const FilterMark& mark : m_marks) {
        QTextCharFormat format;
        if (mark.error.isEmpty()) {
            format.setBackground(theme.colour(Token::Selection));
            format.setForeground(theme.colour(Token::SelectionText));
        } else {
            format.setUnderlineStyle(QTextCharFormat::WaveUnderline);
            format.setUnderlineColor(theme.colour(Token::Bad));
            format.setForeground(theme.colour(Token::Bad));
        }
        attributes.append(
            {QInputMethodEvent::TextFormat, static_cast<int>(mark.start) - cursorPosition(), static_cast<int>(mark.length), format});
    }
    QInputMethodEvent event(QString(), attributes);
    QCoreApplication::sendEvent(this, &event);
}

void FilterEdit::changeEvent(QEvent* event) {
    QLineEdit::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) paintMarks();
}

void FilterEdit::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape && !text().isEmpty()) {
        clear();
        return;
    }
    QLineEdit::keyPressEvent(event);
}

} // namespace qw::ui
