// SPDX-License-Identifier: GPL-3.0-or-later
// What: a line of filter terms: good ones stand on a coloured ground like chips, wrong ones are underlined and say why.
#pragma once

#include <QLineEdit>
#include <vector>

namespace qw::ui {

struct FilterMark {
    qsizetype start = 0, length = 0;
    QString error; // empty: a good term
};

class FilterEdit : public QLineEdit {
    Q_OBJECT
public:
    explicit FilterEdit(QWidget* parent = nullptr);
    // What stands where in the present text. Properties: filterError (first error), wrongTerms (their number).
    void setMarks(const std::vector<FilterMark>& marks);
    [[nodiscard]] const std::vector<FilterMark>& marks() const { return m_marks; }
    void setHelp(const QString& help);

protected:
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override; // Esc empties it

private:
    void paintMarks();
    std::vector<FilterMark> m_marks;
    QString m_help;
};

} // namespace qw::ui
