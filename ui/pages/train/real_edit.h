// SPDX-License-Identifier: GPL-3.0-or-later
// What: a line for a real number as recipes have them: 1e-5 and 0,03 alike, special values as words, no steps and no rounding.
// Limits: nothing is committed until the line is left or Enter is pressed; what is no number is marked and taken back on Escape.
#pragma once

#include "pages/train/recipe_fields.h"

#include <QLineEdit>

namespace qw::ui {

class RealEdit : public QLineEdit {
    Q_OBJECT
public:
    RealEdit(std::vector<FieldWord> words, double least, double most, QWidget* parent = nullptr);
    void setValue(const QVariant& value);
    [[nodiscard]] QVariant value() const { return m_value; }
    [[nodiscard]] QString textFor(const QVariant& value) const; // in the user's locale

Q_SIGNALS:
    void committed(const QVariant& value);
    void refused(const QString& why); // empty: the text is fine again

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    void commit();
    [[nodiscard]] bool parse(const QString& text, QVariant& value, QString& why) const;
    std::vector<FieldWord> m_words;
    double m_least, m_most;
    QVariant m_value;
};

} // namespace qw::ui
