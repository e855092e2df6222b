// SPDX-License-Identifier: GPL-3.0-or-later
#include "client/recipe_draft.h"

#include "client/project.h"
#include "config/recipe_file.h"

#include <QUndoCommand>
#include <algorithm>

namespace qw::ui {

class RecipeDraft::Edit final : public QUndoCommand {
public:
    Edit(RecipeDraft& draft, const QString& what, records::Recipe after, QString mergeKey)
        : QUndoCommand(what),
          m_draft(draft),
          m_before(draft.m_recipe),
          m_after(std::move(after)),
          m_mergeKey(std::move(mergeKey)),
          m_scheme(draft.m_scheme) {}
    void redo() override { m_draft.put(m_after, m_scheme); }
    void undo() override { m_draft.put(m_before, m_scheme); }
    [[nodiscard]] int id() const override { return m_mergeKey.isEmpty() ? -1 : 1; }
    bool mergeWith(const QUndoCommand* other) override {
        const auto* next = static_cast<const Edit*>(other);
        if (next->m_mergeKey != m_mergeKey) return false;
        m_after = next->m_after;
        setObsolete(m_after == m_before);
        return true;
    }

private:
    RecipeDraft& m_draft;
    records::Recipe m_before, m_after;
    QString m_mergeKey;
    int m_scheme;
};

RecipeDraft::RecipeDraft(QUndoStack& undo, QObject* parent) : QObject(parent), m_undo(undo), m_recipe(fresh()) {}

records::Recipe RecipeDraft::fresh() {
    records::Recipe recipe;
    recipe.name = "study";
    recipe.optim.lr = 1e-5; // what the published QAT examples use
    return recipe;
}

void RecipeDraft::edit(const QString& what, const std::function<void(records::Recipe&)>& change, const QString& mergeKey) {
    records::Recipe after = m_recipe;
    change(after);
    if (after == m_recipe) return;
    m_undo.push(new Edit(*this, what, std::move(after), mergeKey));
}

void RecipeDraft::replace(const QString& what, const records::Recipe& recipe) {
    if (recipe == m_recipe) return;
    m_undo.push(new Edit(*this, what, recipe, {}));
    if (m_scheme < 0 && !recipe.schemes.empty()) selectScheme(0);
}

void RecipeDraft::selectScheme(int index) {
    const int last = static_cast<int>(m_recipe.schemes.size()) - 1;
    index = std::clamp(index, -1, last);
    if (index == m_scheme) return;
    m_scheme = index;
    Q_EMIT schemeSelected(index);
}

void RecipeDraft::put(const records::Recipe& recipe, int scheme) {
    m_recipe = recipe;
    const int last = static_cast<int>(m_recipe.schemes.size()) - 1;
    const int selected = last < 0 ? -1 : std::clamp(scheme, 0, last);
    const bool moved = selected != m_scheme;
    m_scheme = selected;
    Q_EMIT changed();
    if (moved) Q_EMIT schemeSelected(selected);
}

QString RecipeDraft::fileText() const { return text(config::writeRecipeYaml(m_recipe)); }

} // namespace qw::ui
