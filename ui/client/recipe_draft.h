// SPDX-License-Identifier: GPL-3.0-or-later
// What: the recipe that is being put together: Scheme page and Train page edit it, Start reads it. Every edit is an undo step.
// Limits: what is shown of it (YAML, command line, findings) is computed from it each time.
#pragma once

#include "records/recipe.h"

#include <QObject>
#include <QString>
#include <QUndoStack>
#include <functional>

namespace qw::ui {

class RecipeDraft : public QObject {
    Q_OBJECT
public:
    explicit RecipeDraft(QUndoStack& undo, QObject* parent = nullptr);

    [[nodiscard]] const records::Recipe& recipe() const { return m_recipe; }
    // One undo step named `what`; edits with the same non-empty mergeKey in a row become one (a slider that is dragged).
    void edit(const QString& what, const std::function<void(records::Recipe&)>& change, const QString& mergeKey = {});
    // Another recipe from elsewhere (a file, a preset, a run): an undo step too.
    void replace(const QString& what, const records::Recipe& recipe);
    // The scheme entry that the Scheme page shows; -1: none.
    [[nodiscard]] int currentScheme() const { return m_scheme; }
    void selectScheme(int index);

    [[nodiscard]] static records::Recipe fresh(); // the defaults of a new recipe in the window
    // What goes to `qatw run`: a recipe file's text (YAML; paths absolute).
    [[nodiscard]] QString fileText() const;

Q_SIGNALS:
    void changed();
    void schemeSelected(int index);

private:
    class Edit;
    void put(const records::Recipe& recipe, int scheme);
    QUndoStack& m_undo;
    records::Recipe m_recipe;
    int m_scheme = -1;
};

} // namespace qw::ui
