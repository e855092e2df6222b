// SPDX-License-Identifier: GPL-3.0-or-later
// What: the fields of one section as rows: label, editor, reset, and what is wrong with the value below it.
// Limits: shows and edits the draft; knows no field by itself.
#pragma once

#include "client/recipe_draft.h"
#include "config/validate.h"
#include "pages/train/recipe_fields.h"

#include <QWidget>
#include <map>

class QGridLayout;
class QLabel;
class QToolButton;

namespace qw::ui {

class FieldForm : public QWidget {
    Q_OBJECT
public:
    FieldForm(const QString& section, RecipeDraft& draft, QWidget* parent = nullptr);

    // Findings by key; those of a key that has a row here are shown under it and counted.
    int showFindings(const std::vector<config::Finding>& findings, const std::map<QString, QString>& notes);
    [[nodiscard]] int labelWidth() const;
    void setLabelWidth(int width); // so that the sections of a form align

private:
    struct Row {
        const RecipeField* field;
        QLabel* label;
        QWidget* editor;
        QToolButton* reset;
        QLabel* note;
        QString wrong; // what the editor itself refuses
    };
    void addRow(const RecipeField& field);
    QWidget* makeEditor(size_t row, const RecipeField& field);
    void put(const RecipeField& field, const QVariant& value);
    void show(const records::Recipe& recipe);
    void showNote(Row& row, const QString& text, bool isError);
    RecipeDraft& m_draft;
    QGridLayout* m_grid = nullptr;
    std::vector<Row> m_rows;
};

// A finding's message and hint as sentences; `subject` is put before a message that lacks its own.
[[nodiscard]] QString sentences(const config::Finding& finding, const QString& subject);
// Whether a finding belongs to a field's key; scheme entries override some of them ("schemes[0].optim.lr").
[[nodiscard]] bool belongsTo(const config::Finding& finding, const QString& key);

} // namespace qw::ui
