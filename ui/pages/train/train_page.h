// SPDX-License-Identifier: GPL-3.0-or-later
// What: the study before it starts: what it runs, every field of the recipe, forecast, the recipe as text, Start (ui.md 4.4).
#pragma once

#include "pages/page.h"
#include "pages/train/recipe_check.h"

#include <vector>

class QLineEdit;
class QSplitter;
class QVBoxLayout;

namespace qw::ui {

class FieldForm;
class ForecastPanel;
class ListEditor;
class LrSparkline;
class PlanStrip;
class RecipePanel;

class TrainPage : public Page {
    Q_OBJECT
public:
    TrainPage(Session& session, ActionRegistry& actions);
    void saveViewState() override;
    [[nodiscard]] const CheckedRecipe& checked() const { return m_checked; }

Q_SIGNALS:
    void recipeChecked(); // checked() belongs to the recipe as it is now

private:
    void build();
    QWidget* buildHead();
    QWidget* buildForm();
    QWidget* buildSide();
    void addSection(QVBoxLayout* column, const QString& title, const std::vector<QWidget*>& extra, bool extraFirst);
    void registerActions();
    void wire();

    void recipeChanged();
    void check();
    void showChecked();
    void showFindings();
    void updateState();
    void updateStart();
    [[nodiscard]] QString whyNoStart() const;
    void start();
    void startNow();
    void import(const QString& file);
    void take(const QString& file, const config::ImportedRecipe& read);
    void sweep();
    void usePreset(const QString& name);
    void failImport(const Error& error);

    CheckedRecipe m_checked;
    bool m_starting = false, m_anyway = false, m_failed = false;
    PlanStrip* m_planStrip = nullptr;
    QLineEdit* m_studyName = nullptr;
    QLabel* m_modelName = nullptr;
    std::vector<FieldForm*> m_forms;
    std::vector<ListEditor*> m_lists;
    LrSparkline* m_lrSparkline = nullptr;
    ForecastPanel* m_forecast = nullptr;
    RecipePanel* m_recipe = nullptr;
    QLabel* m_problems = nullptr;
    QLabel* m_startReason = nullptr;
    QPushButton* m_startButton = nullptr;
    QSplitter* m_splitter = nullptr;
};

} // namespace qw::ui
