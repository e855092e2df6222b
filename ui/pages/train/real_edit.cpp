// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/real_edit.h"

#include <QKeyEvent>
#include <QLocale>
#include <cmath>
#include <limits>

namespace qw::ui {

RealEdit::RealEdit(std::vector<FieldWord> words, double least, double most, QWidget* parent)
    : QLineEdit(parent), m_words(std::move(words)), m_least(least), m_most(most) {
    connect(this, &QLineEdit::editingFinished, this, &RealEdit::commit);
}

QString RealEdit::textFor(const QVariant& value) const {
    for (const FieldWord& word : m_words)
        if (word.value.isValid() == value.isValid() && (!value.isValid() || word.value.toDouble() == value.toDouble())) return word.text;
    QLocale locale;
    locale.setNumberOptions(QLocale::OmitGroupSeparator);
    const double number = value.toDouble();
    if (number >= 1e-4 && number < 1e15) return locale.toString(number, 'f', QLocale::FloatingPointShortest);
    QString text = locale.toString(number, 'g', QLocale::FloatingPointShortest);
    return text.replace(QLatin1String("e-0"), QLatin1String("e-")).replace(QLatin1String("e+0"), QLatin1String("e"));
}

void RealEdit::setValue(const QVariant& value) {
    m_value = value;
    setText(textFor(value));
    Q_EMIT refused({});
}

bool RealEdit::parse(const QString& text, QVariant& value, QString& why) const {
    const QString word = text.trimmed();
    for (const FieldWord& known : m_words)
        if (word.compare(known.text, Qt::CaseInsensitive) == 0) {
            value = known.value;
            return true;
        }
    bool good = false;
    double number = QLocale().toDouble(word, &good);
    if (!good) number = QLocale::c().toDouble(word, &good);
    if (!good || !std::isfinite(number)) {
        why = tr("“%1” is not a number").arg(word);
        return false;
    }
    if (number >= m_least && number <= m_most) {
        value = number;
        return true;
    }
    if (m_most < std::numeric_limits<double>::max())
        why = tr("must be from %1 to %2").arg(textFor(m_least), textFor(m_most));
    else
        why = m_least > 0 ? tr("must be above 0") : tr("must be at least 0");
    return false;
}

void RealEdit::commit() {
    QVariant value;
    QString why;
    if (!parse(text(), value, why)) {
        Q_EMIT refused(why);
        return;
    }
    Q_EMIT refused({});
    const bool same = value.isValid() == m_value.isValid() && (!value.isValid() || value.toDouble() == m_value.toDouble());
    setText(textFor(value));
    if (same) return;
    m_value = value;
    Q_EMIT committed(value);
}

void RealEdit::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape && text() != textFor(m_value)) {
        setValue(m_value);
        event->accept();
        return;
    }
    QLineEdit::keyPressEvent(event);
}

} // namespace qw::ui
