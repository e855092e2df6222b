// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/recipe_panel.h"

#include "base/files.h"
#include "pages/train/recipe_check.h"

#include <QClipboard>
#include <QDir>
#include <QFileDialog>
#include <QGuiApplication>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QVBoxLayout>

namespace qw::ui {

RecipePanel::RecipePanel(Session& session, QWidget* parent) : QFrame(parent), m_session(session) {
    setProperty("look", QStringLiteral("card"));
    build();
    connect(&m_session.project, &Project::opened, this, &RecipePanel::update);
    connect(&m_session.project, &Project::closed, this, &RecipePanel::update);
}

void RecipePanel::build() {
    auto* column = new QVBoxLayout(this);
    const int pad = fontMetrics().height() / 2;
    column->setContentsMargins(pad, pad, pad, pad);
    column->setSpacing(pad / 2);
    auto* title = new QLabel(tr("Recipe"), this);
    title->setProperty("look", QStringLiteral("heading"));
    m_text = new QPlainTextEdit(this);
    m_text->setObjectName(QStringLiteral("recipePreview"));
    m_text->setProperty("look", QStringLiteral("mono"));
    m_text->setAccessibleName(tr("Recipe"));
    m_text->setToolTip(tr("What differs from the defaults, as a file would have it"));
    m_text->setReadOnly(true);
    m_text->setTabChangesFocus(true);
    m_text->setLineWrapMode(QPlainTextEdit::NoWrap);
    title->setBuddy(m_text);
    m_text->setMinimumHeight(fontMetrics().lineSpacing() * 9);
    m_command = new QLabel(this);
    m_command->setObjectName(QStringLiteral("commandText"));
    m_command->setProperty("look", QStringLiteral("mono"));
    m_command->setWordWrap(true);
    m_command->setTextFormat(Qt::PlainText);
    auto* buttons = new QHBoxLayout;
    auto* copy = new QPushButton(tr("Copy command"), this);
    copy->setObjectName(QStringLiteral("copyCommandButton"));
    copy->setToolTip(tr("The command line that does the same as Start study"));
    connect(copy, &QPushButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(command()); });
    auto* save = new QPushButton(tr("Save as…"), this);
    save->setObjectName(QStringLiteral("saveRecipeButton"));
    save->setToolTip(tr("Save the recipe as a file"));
    connect(save, &QPushButton::clicked, this, &RecipePanel::saveAs);
    buttons->addWidget(copy);
    buttons->addWidget(save);
    buttons->addStretch();
    column->addWidget(title);
    column->addWidget(m_text, 1);
    column->addWidget(m_command);
    column->addLayout(buttons);
}

void RecipePanel::show(const QString& yaml) {
    if (yaml == m_text->toPlainText()) return;
    const int at = m_text->verticalScrollBar()->value();
    m_text->setPlainText(yaml);
    m_text->verticalScrollBar()->setValue(at);
    update();
}

void RecipePanel::update() { m_command->setText(command()); }

QString RecipePanel::fileName() const {
    if (!m_saved.isEmpty() && m_savedText == m_text->toPlainText()) return m_saved;
    QString name;
    for (const QChar c : text(m_session.draft.recipe().name))
        name += c.isLetterOrNumber() || c == QLatin1Char('-') || c == QLatin1Char('_') ? c : QLatin1Char('-');
    return (name.isEmpty() ? QStringLiteral("study") : name) + QStringLiteral(".yaml");
}

QString RecipePanel::command() const {
    QString line = QStringLiteral("qatw run ") + shellWord(fileName());
    if (m_session.project.isOpen()) line += QStringLiteral(" --project ") + shellWord(m_session.project.dir());
    return line;
}

void RecipePanel::saveAs() {
    auto* dialog = new QFileDialog(this, tr("Save recipe as"), m_saved.isEmpty() ? QDir::homePath() : QFileInfo(m_saved).absolutePath());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QStringLiteral("yaml"));
    dialog->setNameFilter(tr("Recipes (*.yaml)"));
    dialog->selectFile(QFileInfo(fileName()).fileName());
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
        const QString shown = m_text->toPlainText();
        m_session.compute.request<Status>(
            QStringLiteral("train/save"),
            [path = utf8(path), bytes = utf8(shown)](const CancelFlag&) { return writeFileAtomic(path, bytes); }, this,
            [this, path, shown](const Status& status) {
                if (!status) {
                    Q_EMIT m_session.notice(status.error());
                    return;
                }
                m_saved = path;
                m_savedText = shown;
                update();
            });
    });
    dialog->open();
}

} // namespace qw::ui
