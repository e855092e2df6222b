// SPDX-License-Identifier: GPL-3.0-or-later
// What: what the Train page does: checks the recipe as it changes, starts the study, takes recipes from files and presets.
#include "pages/train/field_form.h"
#include "pages/train/forecast_panel.h"
#include "pages/train/import_report.h"
#include "pages/train/list_editor.h"
#include "pages/train/lr_sparkline.h"
#include "pages/train/plan_strip.h"
#include "pages/train/recipe_panel.h"
#include "pages/train/sweep_dialog.h"
#include "pages/train/train_page.h"
#include "theme/theme.h"

#include <QAction>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QStyle>

namespace qw::ui {
namespace {

const QString kModelLink = QStringLiteral("model");

bool hasModel(const records::Recipe& r) { return !r.model.path.empty() || !r.model.config.empty(); }
bool hasScheme(const records::Recipe& r) { return !r.schemes.empty() || r.qat; }

// The colour is said, because a label keeps the one of the theme it was filled in.
QString link(const QString& where, const QString& words) {
    return QStringLiteral("<a href=\"%1\" style=\"color:%2\">%3</a>").arg(where, Theme::instance().colour(Token::Accent).name(), words);
}

} // namespace

void TrainPage::registerActions() {
    actions().add({QStringLiteral("run.start"),
                   tr("&Start study"),
                   QStringLiteral("play"),
                   tr("Start the study of the Train page, or queue it while another one runs."),
                   {QKeySequence(Qt::Key_F5)}},
                  this, [this] { start(); });
    actions().add({QStringLiteral("run.sweep"),
                   tr("S&weep…"),
                   QStringLiteral("add"),
                   tr("Make many runs of the study's schemes: bits, group sizes, learning rates and seeds in every combination."),
                   {}},
                  this, [this] { sweep(); });
    actions().add({QStringLiteral("file.saveRecipe"),
                   tr("Save &recipe as…"),
                   QStringLiteral("save"),
                   tr("Save the recipe of the Train page as a file for qatw run."),
                   {QKeySequence(QStringLiteral("Ctrl+S"))}},
                  this, [this] { m_recipe->saveAs(); });
}

void TrainPage::wire() {
    connect(&session().draft, &RecipeDraft::changed, this, &TrainPage::recipeChanged);
    connect(&Theme::instance(), &Theme::changed, this, &TrainPage::recipeChanged);
    connect(&session(), &Session::recipeWanted, this, &TrainPage::import);
    for (const auto signal : {&Project::opened, &Project::closed, &Project::changed})
        connect(&session().project, signal, this, &TrainPage::updateStart);
    connect(m_forecast, &ForecastPanel::changed, this, &TrainPage::showFindings);
    connect(m_studyName, &QLineEdit::editingFinished, this, [this] {
        if (!m_studyName->isModified()) return; // a line shows no line breaks; a name from a file may have them
        const std::string name = utf8(m_studyName->text().trimmed());
        if (name != session().draft.recipe().name) session().draft.edit(tr("rename study"), [&](records::Recipe& r) { r.name = name; });
    });
    connect(m_modelName, &QLabel::linkActivated, this, [this] { session().goTo(PageId::Model); });
    connect(&banner(), &Banner::dismissed, this, [this] {
        m_failed = false;
        updateState();
    });
    auto* empty = findChild<QLabel*>(QStringLiteral("emptyText"));
    empty->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    connect(empty, &QLabel::linkActivated, this, [this](const QString& where) {
        m_anyway = m_anyway || where == QLatin1String("anyway");
        if (where == QLatin1String("anyway"))
            updateState();
        else
            session().goTo(where == kModelLink ? PageId::Model : PageId::Scheme);
    });
}

void TrainPage::recipeChanged() {
    const records::Recipe& recipe = session().draft.recipe();
    if (!m_studyName->hasFocus() || !m_studyName->isModified()) m_studyName->setText(text(recipe.name));
    const QString model = QFileInfo(text(recipe.model.path.empty() ? recipe.model.config : recipe.model.path)).fileName().toHtmlEscaped();
    m_modelName->setText(model.isEmpty() ? link(kModelLink, tr("Choose a model")) : tr("of %1").arg(link(kModelLink, model)));
    updateState();
    check();
}

void TrainPage::updateState() {
    const records::Recipe& recipe = session().draft.recipe();
    const bool model = hasModel(recipe), scheme = hasScheme(recipe);
    if ((model && scheme) || !recipe.data.train.empty() || m_anyway) {
        if (!m_failed) setViewState(ViewState::Ready);
        return;
    }
    const QString links = tr("%1 and a %2")
                              .arg(link(kModelLink, model ? tr("model (chosen)") : tr("model")),
                                   link(QStringLiteral("scheme"), scheme ? tr("scheme (chosen)") : tr("scheme")));
    setEmpty(tr("Choose a %1.<br><br>Training without a scheme is possible too: %2.")
                 .arg(links, link(QStringLiteral("anyway"), tr("set it up"))),
             model ? tr("Choose a scheme") : tr("Choose a model"),
             [this, model] { session().goTo(model ? PageId::Scheme : PageId::Model); });
    if (!m_failed) setViewState(ViewState::Empty);
}

void TrainPage::check() {
    session().compute.request<CheckedRecipe>(
        QStringLiteral("train/check"), [recipe = session().draft.recipe()](const CancelFlag&) { return checkRecipe(recipe); }, this,
        [this](CheckedRecipe checked) {
            m_checked = std::move(checked);
            showChecked();
            if (m_starting) startNow();
            Q_EMIT recipeChecked();
        });
}

void TrainPage::showChecked() {
    const QString yaml = text(m_checked.yaml);
    m_recipe->show(yaml);
    m_planStrip->showCounts(m_checked.rows, m_checked.trained);
    const config::Finding* error = m_checked.firstError();
    m_forecast->setRecipe(yaml, m_checked.dataBytes,
                          error ? tr("The recipe has errors: %1 %2").arg(text(error->key), text(error->message)) : QString());
    showFindings();
    updateStart();
}

void TrainPage::showFindings() {
    const records::Recipe& recipe = session().draft.recipe();
    const qint64 steps = m_checked.knownSteps > 0                     ? m_checked.knownSteps
                         : m_forecast->forecast() && m_checked.good() ? m_forecast->forecast()->steps
                                                                      : 0;
    m_lrSparkline->show(recipe, recipe.train.maxSteps > 0 ? recipe.train.maxSteps : steps);
    const std::map<QString, QString> notes{{QStringLiteral("evalSteps"), neverFires(recipe.eval.every, steps)},
                                           {QStringLiteral("saveSteps"), neverFires(recipe.checkpoint.every, steps)}};
    size_t shown = 0;
    for (FieldForm* form : m_forms) shown += static_cast<size_t>(form->showFindings(m_checked.findings, notes));
    for (ListEditor* list : m_lists) shown += static_cast<size_t>(list->showFindings(m_checked.findings));
    // What no field shows: model, schemes, exports.
    QStringList lines;
    bool isError = false;
    for (const config::Finding& finding : m_checked.findings) {
        const bool inForm = std::ranges::any_of(recipeFields(), [&](const RecipeField& f) { return belongsTo(finding, f.key); }) ||
                            finding.key.starts_with("data.") || finding.key.starts_with("eval.tasks");
        if (inForm) continue;
        lines << (finding.key == "model.path" && recipe.model.path.empty() ? tr("Error: no model is chosen. Fix: choose one above.")
                                                                           : sentences(finding, text(finding.key)));
        isError = isError || finding.isError;
    }
    m_problems->setText(lines.join(QLatin1Char('\n')));
    m_problems->setVisible(!lines.isEmpty());
    m_problems->setProperty("look", isError ? QStringLiteral("error") : QStringLiteral("warning"));
    m_problems->setProperty("code", lines.isEmpty() ? QVariant() : QVariant(QStringLiteral("config.invalid")));
    m_problems->style()->unpolish(m_problems);
    m_problems->style()->polish(m_problems);
}

QString TrainPage::whyNoStart() const {
    if (m_starting) return tr("The study is being started");
    if (const config::Finding* error = m_checked.firstError(); error && error->key == "model.path" && !hasModel(session().draft.recipe()))
        return tr("no model is chosen");
    if (const config::Finding* error = m_checked.firstError())
        return error->key.empty() ? text(error->message) : tr("%1 %2").arg(text(error->key), text(error->message));
    if (!session().project.isOpen()) return tr("Open or make a project first: the study is kept there");
    if (session().project.snapshot()->readOnly) return tr("The project is read-only here");
    return {};
}

void TrainPage::updateStart() {
    const QString why = whyNoStart();
    QAction* action = actions().find(QStringLiteral("run.start"));
    ActionRegistry::setDisabledReason(action, why);
    setDisabledReason(m_startButton, why);
    // What m_problems lists already is not said twice.
    const bool said = why.isEmpty() || m_problems->text().contains(why);
    m_startReason->setText(said ? QString() : tr("Not ready: %1.").arg(why));
    m_startReason->setVisible(!said);
}

// What was found a moment ago may be old: the text may have been moved since. It is looked at once more, then started.
void TrainPage::start() {
    if (m_starting || !whyNoStart().isEmpty()) return;
    m_starting = true;
    updateStart();
    check();
}

void TrainPage::startNow() {
    m_starting = false;
    updateStart();
    if (const config::Finding* error = m_checked.firstError()) {
        banner().show(Banner::Strength::Error, Error{"config.invalid", error->key + " " + error->message, error->hint, "", false});
        return;
    }
    if (!whyNoStart().isEmpty()) return;
    m_starting = true;
    updateStart();
    m_forecast->stop(); // it would compete with the training
    session().engine.startStudy(session().project.dir(), text(m_checked.yaml), this, [this](const Result<QByteArray>& reply) {
        m_starting = false;
        updateStart();
        if (!reply) {
            m_failed = true;
            fail(reply.error(),
                 {{tr("Try again"),
                   [this] {
                       banner().dismiss();
                       start();
                   },
                   {}}},
                 true);
            return;
        }
        session().project.refresh();
        session().goTo(PageId::Live);
    });
}

void TrainPage::sweep() {
    session().goTo(PageId::Train);
    auto* dialog = new SweepDialog(session(), m_forecast->forecast(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void TrainPage::import(const QString& file) {
    session().compute.request<Result<config::ImportedRecipe>>(
        QStringLiteral("train/import"), [path = utf8(file)](const CancelFlag&) { return readAnyRecipe(path); }, this,
        [this, file](Result<config::ImportedRecipe> read) {
            if (read)
                take(file, *read);
            else
                failImport(read.error());
        });
}

void TrainPage::failImport(const Error& error) {
    m_failed = true;
    fail(error,
         {{tr("Import another file"),
           [this] {
               banner().dismiss();
               actions().find(QStringLiteral("file.importRecipe"))->trigger();
           },
           {}}},
         true);
    session().goTo(PageId::Train);
}

void TrainPage::take(const QString& file, const config::ImportedRecipe& read) {
    banner().dismiss();
    m_anyway = true;
    const QString what = tr("import %1").arg(QFileInfo(file).fileName());
    records::Recipe recipe = read.recipe;
    if (!read.peer.empty() && !hasModel(recipe)) recipe.model = session().draft.recipe().model; // what it names on a hub may be open here
    session().draft.replace(what, recipe);
    updateState();
    session().goTo(PageId::Train);
    if (read.peer.empty()) return; // one of ours is taken as it is
    auto* report = new ImportReport(read, file, this);
    connect(report, &ImportReport::undoWanted, this, [this, what] {
        if (session().undo.undoText() == what) session().undo.undo();
    });
    report->show();
}

void TrainPage::usePreset(const QString& name) {
    session().compute.request<Result<records::Recipe>>(
        QStringLiteral("train/preset"),
        [name = utf8(name), current = session().draft.recipe()](const CancelFlag&) { return fromPreset(name, current); }, this,
        [this, name](Result<records::Recipe> recipe) {
            if (!recipe) return failImport(recipe.error());
            session().draft.replace(tr("preset %1").arg(name), *recipe);
        });
}

} // namespace qw::ui
