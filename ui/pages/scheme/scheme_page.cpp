// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/scheme/scheme_page.h"

#include "config/recipe_file.h"
#include "models/scheme_rules.h"
#include "pages/scheme/override_panel.h"
#include "pages/scheme/preview_panel.h"
#include "pages/scheme/scheme_form.h"

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QListView>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QSplitter>
#include <QTabWidget>
#include <QTreeView>
#include <algorithm>

namespace qw::ui {

SchemePage::SchemePage(Session& session, ActionRegistry& actions)
    : Page(PageId::Scheme, QStringLiteral("pageScheme"), tr("Scheme"), QStringLiteral("scheme"), session, actions),
      m_draft(session),
      m_list(m_draft),
      m_preview(session) {
    setEmpty(tr("Pick a preset: how weights, and perhaps activations, become small integers."), tr("Start with 8da4w"), [this] {
        m_draft.showPreset(QStringLiteral("8da4w"));
        m_draft.add(tr("add 8da4w"));
    });
    setEmptySecond(tr("Look at all presets"), [this] {
        m_browse = true;
        m_draft.showPreset(QStringLiteral("8da4w"));
        m_view->setFocus();
    });
    m_preview.setHeld(true);
    buildContent();
    buildActions();
    wire();
    showDraft();
}

void SchemePage::wire() {
    connect(&m_draft, &SchemeDraft::changed, this, &SchemePage::showDraft);
    connect(&m_list, &QAbstractItemModel::modelReset, this, &SchemePage::selectShown);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, &SchemePage::picked);
    connect(m_view, &QListView::doubleClicked, this, [this](const QModelIndex& index) {
        if (m_list.section(index) != SchemeList::Section::Own && !m_draft.isOwn()) m_draft.add(tr("add %1").arg(m_draft.name()));
    });
    connect(m_add, &QPushButton::clicked, this, [this] { m_draft.add(tr("add %1").arg(m_draft.name())); });
    connect(m_queue, &QPushButton::clicked, this, &SchemePage::addToQueue);
    connect(m_form, &SchemeForm::editWanted, this,
            [this](const QString& what, const SchemeForm::Change& change, const QString& key) { m_draft.edit(what, change, key); });
    connect(m_form, &SchemeForm::fixWanted, this,
            [this] { m_draft.edit(tr("fix the scheme"), [](records::QatBlock& b) { b = repaired(b); }); });
    const auto look = [this](const QString& layer) {
        if (layer == m_layer || layer == m_preview.layer()) return;
        m_layer = layer;
        showDraft();
    };
    connect(m_panel, &PreviewPanel::layerChosen, this, look);
    connect(m_overrides, &OverridePanel::layerChosen, this, look);
    connect(&session().model, &OpenModel::changed, this, [this] {
        if (session().model.state() != OpenModel::State::Loading) showDraft();
    });
    connect(m_copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(commandLine()); });
    m_view->installEventFilter(this);
}

void SchemePage::picked(const QModelIndex& index) {
    switch (m_list.section(index)) {
    case SchemeList::Section::Own:
        m_draft.showOwn(index.data(SchemeList::OwnIndexRole).toInt());
        break;
    case SchemeList::Section::Saved:
        m_draft.showSaved(index.data().toString());
        break;
    case SchemeList::Section::Preset:
        m_draft.showPreset(index.data().toString());
        break;
    case SchemeList::Section::Heading:
        break;
    }
}

void SchemePage::selectShown() {
    const QModelIndex at = m_list.shown();
    if (at.isValid() && at != m_view->currentIndex()) m_view->setCurrentIndex(at);
}

int64_t SchemePage::widest() const {
    int64_t most = 0;
    for (const LayerFact& f : m_preview.facts().layers) most = std::max(most, f.matrix.cols);
    return std::min<int64_t>(most, 4096); // above, one scale more or less is no longer worth a click
}

void SchemePage::showDraft() {
    const bool empty = m_draft.isEmpty();
    if (empty && !m_browse) {
        m_preview.stop();
        setViewState(ViewState::Empty);
        return;
    }
    if (empty) {
        m_draft.showPreset(QStringLiteral("8da4w")); // comes back here
        return;
    }
    setViewState(ViewState::Ready);
    m_browse = true;
    selectShown();
    const auto& model = session().model;
    const Question question{m_draft.block(), m_draft.type(), m_layer,
                            model.state() == OpenModel::State::Ready ? model.inspection() : nullptr};
    if (question != m_asked) {
        m_asked = question;
        m_preview.ask(question.block, question.type, question.layer);
    }
    m_form->show(m_draft.block(), m_preview.facts(), widest());
    m_title->setText(m_draft.name());
    const QModelIndex row = m_list.shown();
    m_about->setText(m_draft.isOwn() ? tr("in this study") : tr("preset: the first change makes it a scheme of this study"));
    m_about->setToolTip(row.data(Qt::ToolTipRole).toString());
    m_add->setVisible(!m_draft.isOwn());
    m_yaml->setPlainText(m_draft.yaml());
    m_command->setText(commandLine());
    showProblems();
}

void SchemePage::showProblems() {
    const auto& reading = m_draft.reading();
    const SchemeFacts& facts = m_preview.facts();
    const bool fixable = !reading.problem.empty() && !(repaired(m_draft.block()) == m_draft.block());
    if (!reading.problem.empty())
        m_form->showConflict(QStringLiteral("scheme.conflict"),
                             reading.key.empty() ? text(reading.problem) : tr("%1: %2").arg(text(reading.key), text(reading.problem)),
                             fixable);
    else if (!facts.problem.isEmpty())
        m_form->showConflict(facts.code, facts.fix.isEmpty() ? facts.problem : tr("%1: %2").arg(facts.problem, facts.fix), false);
    else
        m_form->showConflict({}, {}, false);
    setDisabledReason(m_queue, whyNotQueued());
    for (const char* id : {"scheme.duplicate", "scheme.saveAs", "scheme.export"})
        ActionRegistry::setDisabledReason(actions().find(QString::fromLatin1(id)),
                                          m_draft.isEmpty() ? tr("no scheme is chosen") : QString());
    for (const char* id : {"scheme.rename", "scheme.delete"}) {
        const bool saved = id == std::string_view("scheme.delete") && m_list.section(m_view->currentIndex()) == SchemeList::Section::Saved;
        ActionRegistry::setDisabledReason(actions().find(QString::fromLatin1(id)),
                                          m_draft.isOwn() || saved ? QString() : tr("presets stay as they are"));
    }
    ActionRegistry::setDisabledReason(actions().find(QStringLiteral("scheme.add")),
                                      m_draft.isOwn() ? tr("it is in the study already; duplicate it instead") : QString());
}

QString SchemePage::whyNotQueued() const {
    const auto& reading = m_draft.reading();
    if (m_draft.isEmpty()) return tr("pick a preset first");
    if (!reading.problem.empty()) return text(reading.problem);
    if (!m_preview.facts().problem.isEmpty()) return m_preview.facts().problem;
    if (session().model.state() != OpenModel::State::Ready) return tr("open a model first");
    return {};
}

void SchemePage::addToQueue() {
    if (!m_draft.isOwn()) m_draft.add(tr("add %1").arg(m_draft.name()));
    QAction* start = actions().find(QStringLiteral("run.start"));
    if (start && start->isEnabled())
        start->trigger();
    else
        session().goTo(PageId::Train); // what is missing is shown and filled there
}

QString SchemePage::commandLine() const {
    const auto quoted = [](QString word) {
        static const QRegularExpression plain(QStringLiteral("^[\\w@%+=:,./-]+$"));
        if (plain.match(word).hasMatch()) return word;
        return QStringLiteral("'%1'").arg(word.replace(QLatin1Char('\''), QStringLiteral("'\\''")));
    };
    const bool open = session().model.state() == OpenModel::State::Ready;
    const QString preset = text(m_draft.block().preset);
    QStringList line{QStringLiteral("qatw"), QStringLiteral("ptq"), open ? quoted(session().model.folder()) : QStringLiteral("MODEL"),
                     QStringLiteral("--scheme"), preset.isEmpty() ? QStringLiteral("intx_weight_only") : preset};
    if (const auto entry = config::makeScheme(utf8(m_draft.name()), utf8(m_draft.yaml())))
        for (const std::string& set : config::schemeSets(*entry)) line << QStringLiteral("--set") << quoted(text(set));
    line << QStringLiteral("--out") << quoted(m_draft.name());
    return line.join(QLatin1Char(' '));
}

bool SchemePage::eventFilter(QObject* watched, QEvent* event) {
    if (watched != m_view || (event->type() != QEvent::ShortcutOverride && event->type() != QEvent::KeyPress))
        return Page::eventFilter(watched, event);
    const auto* key = static_cast<QKeyEvent*>(event);
    const QKeyCombination pressed = key->keyCombination();
    const char* id = pressed == QKeyCombination(Qt::ControlModifier, Qt::Key_D) ? "scheme.duplicate"
                     : pressed == QKeyCombination(Qt::Key_F2)                   ? "scheme.rename"
                     : pressed == QKeyCombination(Qt::Key_Delete)               ? "scheme.delete"
                     : pressed == QKeyCombination(Qt::Key_Return)               ? "scheme.add"
                                                                                : nullptr;
    if (!id) return Page::eventFilter(watched, event);
    event->accept(); // the window's actions with these keys are for other pages
    if (event->type() == QEvent::KeyPress) {
        QAction* action = actions().find(QString::fromLatin1(id));
        if (action->isEnabled()) action->trigger();
    }
    return true;
}

void SchemePage::showEvent(QShowEvent* event) {
    Page::showEvent(event);
    m_preview.setHeld(false);
}

void SchemePage::hideEvent(QHideEvent* event) {
    Page::hideEvent(event);
    m_preview.setHeld(true);
}

void SchemePage::find() {
    m_tabs->setCurrentIndex(0);
    m_overrides->focusPattern();
}

void SchemePage::saveViewState() {
    auto& settings = session().settings;
    settings.setViewState(QStringLiteral("scheme/outer"), m_outer->saveState());
    settings.setViewState(QStringLiteral("scheme/rows"), m_rows->saveState());
    settings.setViewState(QStringLiteral("scheme/top"), m_top->saveState());
    settings.setViewState(QStringLiteral("scheme/layers"), m_overrides->tree()->header()->saveState());
    settings.setViewState(QStringLiteral("scheme/tab"), m_tabs->currentIndex());
}

} // namespace qw::ui
