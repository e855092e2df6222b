// SPDX-License-Identifier: GPL-3.0-or-later
// What: how the Train page is put together; what it does is in train_work.cpp.
#include "pages/train/train_page.h"

#include "config/resources.h"
#include "pages/train/field_form.h"
#include "pages/train/forecast_panel.h"
#include "pages/train/list_editor.h"
#include "pages/train/lr_sparkline.h"
#include "pages/train/plan_strip.h"
#include "pages/train/recipe_panel.h"
#include "theme/theme.h"

#include <QAction>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

// Scrolls up and down only; a gap keeps the bar off the cards.
QScrollArea* scrolled(QWidget* inside, const char* name) {
    auto* scroll = new QScrollArea;
    scroll->setObjectName(QString::fromLatin1(name));
    inside->layout()->setContentsMargins(0, 0, scroll->fontMetrics().height() / 3, 0);
    scroll->setWidget(inside);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    return scroll;
}

} // namespace

TrainPage::TrainPage(Session& session, ActionRegistry& actions)
    : Page(PageId::Train, QStringLiteral("pageTrain"), tr("Train"), QStringLiteral("train"), session, actions) {
    registerActions();
    build();
    wire();
    recipeChanged();
}

void TrainPage::build() {
    auto* column = new QVBoxLayout(content());
    const int unit = fontMetrics().height() / 2;
    column->setContentsMargins(unit, unit, unit, unit);
    column->setSpacing(unit);
    column->addWidget(buildHead());
    m_planStrip = new PlanStrip(session());
    column->addWidget(m_planStrip);
    m_splitter = new QSplitter(Qt::Horizontal);
    m_splitter->setObjectName(QStringLiteral("trainSplitter"));
    m_splitter->setChildrenCollapsible(false);
    m_splitter->setHandleWidth(unit / 2);
    m_splitter->addWidget(buildForm());
    m_splitter->addWidget(buildSide());
    m_splitter->setStretchFactor(0, 3);
    m_splitter->setStretchFactor(1, 2);
    column->addWidget(m_splitter, 1);
    const QByteArray state = session().settings.viewState(QStringLiteral("train/splitter")).toByteArray();
    if (!state.isEmpty()) m_splitter->restoreState(state);
}

QWidget* TrainPage::buildHead() {
    auto* head = new QWidget;
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(0, 0, 0, 0);
    auto* label = new QLabel(tr("Study"), head);
    m_studyName = new QLineEdit(head);
    m_studyName->setObjectName(QStringLiteral("studyName"));
    m_studyName->setAccessibleName(tr("Name of the study"));
    m_studyName->setToolTip(tr("Under this name the study appears in Runs and Compare"));
    label->setBuddy(m_studyName);
    m_modelName = new QLabel(head);
    m_modelName->setObjectName(QStringLiteral("trainModel"));
    m_modelName->setTextFormat(Qt::RichText);
    m_modelName->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    auto* preset = new QToolButton(head);
    preset->setObjectName(QStringLiteral("presetButton"));
    preset->setText(tr("From a preset"));
    preset->setToolTip(tr("Start from a published recipe; model and text stay"));
    preset->setPopupMode(QToolButton::InstantPopup);
    auto* menu = new QMenu(preset);
    for (const std::string& name : config::presetNames())
        connect(menu->addAction(text(name)), &QAction::triggered, this, [this, name] { usePreset(text(name)); });
    preset->setMenu(menu);
    auto* sweep = new QPushButton(tr("Sweep…"), head);
    sweep->setObjectName(QStringLiteral("sweepButton"));
    sweep->setToolTip(actions().find(QStringLiteral("run.sweep"))->toolTip());
    connect(sweep, &QPushButton::clicked, actions().find(QStringLiteral("run.sweep")), &QAction::trigger);
    auto* import = new QPushButton(tr("Import…"), head);
    import->setObjectName(QStringLiteral("importButton"));
    import->setToolTip(tr("Read a recipe of ours, of axolotl, torchtune or the Hugging Face trainer"));
    connect(import, &QPushButton::clicked, this, [this] {
        if (QAction* action = actions().find(QStringLiteral("file.importRecipe"))) action->trigger();
    });
    row->addWidget(label);
    row->addWidget(m_studyName, 2);
    row->addWidget(m_modelName, 1);
    row->addStretch(1);
    row->addWidget(sweep);
    row->addWidget(preset);
    row->addWidget(import);
    return head;
}

void TrainPage::addSection(QVBoxLayout* column, const QString& title, const std::vector<QWidget*>& extra, bool extraFirst) {
    auto* card = new QFrame;
    card->setProperty("look", QStringLiteral("card"));
    auto* inner = new QVBoxLayout(card);
    const int pad = fontMetrics().height() / 2;
    inner->setContentsMargins(pad, pad, pad, pad);
    inner->setSpacing(pad);
    auto* heading = new QLabel(title);
    heading->setProperty("look", QStringLiteral("heading"));
    inner->addWidget(heading);
    auto* form = new FieldForm(title, session().draft);
    m_forms.push_back(form);
    if (extraFirst)
        for (QWidget* widget : extra) inner->addWidget(widget);
    inner->addWidget(form);
    if (!extraFirst)
        for (QWidget* widget : extra) inner->addWidget(widget);
    column->addWidget(card);
}

QWidget* TrainPage::buildForm() {
    auto* inside = new QWidget;
    auto* column = new QVBoxLayout(inside);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(fontMetrics().height() / 2);
    m_lists = {new ListEditor(trainingText(), tr("Training text"), session().draft),
               new ListEditor(evaluationText(), tr("Evaluation text"), session().draft),
               new ListEditor(evaluationTasks(), tr("Tasks"), session().draft),
               new ListEditor(exportList(), tr("Written when the study is done"), session().draft)};
    m_lrSparkline = new LrSparkline;
    const QStringList titles = sectionTitles();
    for (const QString& title : titles) {
        std::vector<QWidget*> extra;
        if (title == titles[0]) extra = {m_lists[0], m_lists[1]};
        if (findField(QStringLiteral("learningRate"))->section == title) extra = {m_lrSparkline};
        if (findField(QStringLiteral("evalSteps"))->section == title) extra = {m_lists[2]};
        addSection(column, title, extra, title == titles[0]);
    }
    addSection(column, tr("Export"), {m_lists[3]}, true);
    column->addStretch();
    int width = 0;
    for (const FieldForm* form : m_forms) width = std::max(width, form->labelWidth());
    for (FieldForm* form : m_forms) form->setLabelWidth(width);
    QScrollArea* scroll = scrolled(inside, "trainForm");
    scroll->setMinimumWidth(inside->minimumSizeHint().width() + scroll->fontMetrics().height());
    return scroll;
}

QWidget* TrainPage::buildSide() {
    auto* side = new QWidget;
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(fontMetrics().height() / 2);
    m_forecast = new ForecastPanel(session());
    m_recipe = new RecipePanel(session());
    m_problems = new QLabel;
    m_problems->setObjectName(QStringLiteral("trainProblems"));
    m_problems->setWordWrap(true);
    m_problems->setTextFormat(Qt::PlainText);
    m_problems->hide();
    m_startReason = new QLabel;
    m_startReason->setObjectName(QStringLiteral("startReason"));
    m_startReason->setProperty("look", QStringLiteral("muted"));
    m_startReason->setWordWrap(true);
    m_startReason->setTextFormat(Qt::PlainText);
    QAction* start = actions().find(QStringLiteral("run.start"));
    m_startButton = new QPushButton(tr("Start study"));
    m_startButton->setObjectName(QStringLiteral("startButton"));
    m_startButton->setProperty("look", QStringLiteral("primary"));
    m_startButton->setToolTip(start->toolTip());
    connect(m_startButton, &QPushButton::clicked, start, &QAction::trigger);
    auto* inside = new QWidget;
    auto* inner = new QVBoxLayout(inside);
    inner->setSpacing(column->spacing());
    inner->addWidget(m_forecast);
    inner->addWidget(m_recipe, 1);
    column->addWidget(scrolled(inside, "trainSide"), 1);
    column->addWidget(m_problems);
    column->addWidget(m_startReason);
    column->addWidget(m_startButton);
    side->setMinimumWidth(fontMetrics().averageCharWidth() * 30);
    return side;
}

void TrainPage::saveViewState() { session().settings.setViewState(QStringLiteral("train/splitter"), m_splitter->saveState()); }

} // namespace qw::ui
