// SPDX-License-Identifier: GPL-3.0-or-later
// What: the widgets and the actions of the scheme page.
#include "delegates/scheme_item_delegate.h"
#include "pages/scheme/override_panel.h"
#include "pages/scheme/preview_panel.h"
#include "pages/scheme/scheme_form.h"
#include "pages/scheme/scheme_page.h"

#include "base/files.h"
#include "theme/theme.h"

#include <QFileDialog>
#include <QHeaderView>
#include <QInputDialog>
#include <QLabel>
#include <QListView>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSplitter>
#include <QTabWidget>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

namespace qw::ui {

void SchemePage::buildContent() {
    auto* column = new QVBoxLayout(content());
    m_outer = new QSplitter(Qt::Horizontal, content());
    m_outer->setObjectName(QStringLiteral("schemeOuter"));
    m_outer->setChildrenCollapsible(false);
    m_outer->addWidget(buildList());
    m_outer->addWidget(buildWork());
    m_outer->setStretchFactor(0, 0);
    m_outer->setStretchFactor(1, 1);
    const int em = fontMetrics().averageCharWidth();
    m_outer->setSizes({em * 38, em * 130});
    column->addWidget(m_outer);
    const auto& settings = session().settings;
    const auto restore = [&](QSplitter* splitter, const char* key) {
        const QByteArray sizes = settings.viewState(QString::fromLatin1(key)).toByteArray();
        if (!sizes.isEmpty()) splitter->restoreState(sizes);
    };
    restore(m_outer, "scheme/outer");
    restore(m_rows, "scheme/rows");
    restore(m_top, "scheme/top");
    const QByteArray header = settings.viewState(QStringLiteral("scheme/layers")).toByteArray();
    if (!header.isEmpty()) m_overrides->tree()->header()->restoreState(header);
    m_tabs->setCurrentIndex(settings.viewState(QStringLiteral("scheme/tab"), 0).toInt());
}

QWidget* SchemePage::buildList() {
    auto* side = new QWidget(m_outer);
    m_view = new QListView(side);
    m_view->setObjectName(QStringLiteral("schemePresetList"));
    m_view->setAccessibleName(tr("Schemes and presets"));
    m_view->setModel(&m_list);
    m_view->setItemDelegate(new SchemeItemDelegate(SchemeList::SummaryRole, SchemeList::RuntimesRole, m_view));
    m_view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_view->setTabKeyNavigation(false);
    m_view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_view->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_view->setResizeMode(QListView::Adjust);
    m_view->setContextMenuPolicy(Qt::ActionsContextMenu);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(0, 0, column->spacing(), 0);
    column->addWidget(m_view, 1);
    m_tools = new QHBoxLayout;
    m_tools->setSpacing(0);
    column->addLayout(m_tools);
    return side;
}

QWidget* SchemePage::buildHeader() {
    auto* bar = new QWidget(m_outer);
    m_title = new QLabel(bar);
    m_title->setObjectName(QStringLiteral("schemeTitle"));
    m_title->setProperty("look", QStringLiteral("title"));
    m_title->setTextFormat(Qt::PlainText);
    m_about = new QLabel(bar);
    m_about->setObjectName(QStringLiteral("schemeAbout"));
    m_about->setProperty("look", QStringLiteral("muted"));
    m_about->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_add = new QPushButton(tr("Add to study"), bar);
    m_add->setObjectName(QStringLiteral("addSchemeButton"));
    m_add->setToolTip(tr("Make this preset a scheme of the study"));
    m_queue = new QPushButton(tr("Add to queue"), bar);
    m_queue->setObjectName(QStringLiteral("addToQueueButton"));
    m_queue->setProperty("look", QStringLiteral("primary"));
    m_queue->setToolTip(tr("Train and compare the study's schemes"));
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(m_title);
    row->addWidget(m_about, 1);
    row->addWidget(m_add);
    row->addWidget(m_queue);
    return bar;
}

QWidget* SchemePage::buildWork() {
    auto* side = new QWidget(m_outer);
    m_rows = new QSplitter(Qt::Vertical, side);
    m_rows->setObjectName(QStringLiteral("schemeRows"));
    m_rows->setChildrenCollapsible(false);
    m_top = new QSplitter(Qt::Horizontal, m_rows);
    m_top->setObjectName(QStringLiteral("schemeTop"));
    m_top->setChildrenCollapsible(false);
    auto* scroll = new QScrollArea(m_top);
    scroll->setObjectName(QStringLiteral("schemeFormScroll"));
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    m_form = new SchemeForm;
    scroll->setWidget(m_form);
    scroll->setMinimumWidth(m_form->minimumSizeHint().width() + scroll->verticalScrollBar()->sizeHint().width());
    m_panel = new PreviewPanel(m_preview, m_top);
    m_top->addWidget(scroll);
    m_top->addWidget(m_panel);
    m_top->setStretchFactor(0, 2);
    m_top->setStretchFactor(1, 3);
    m_rows->addWidget(m_top);
    m_rows->addWidget(buildBottom());
    m_rows->setStretchFactor(0, 3);
    m_rows->setStretchFactor(1, 2);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(column->spacing(), 0, 0, 0);
    column->addWidget(buildHeader());
    column->addWidget(m_rows, 1);
    return side;
}

QWidget* SchemePage::buildBottom() {
    m_tabs = new QTabWidget(m_rows);
    m_tabs->setObjectName(QStringLiteral("schemeTabs"));
    m_overrides = new OverridePanel(m_draft, m_preview, m_tabs);
    m_tabs->addTab(m_overrides, tr("Layers"));
    auto* page = new QWidget(m_tabs);
    m_yaml = new QPlainTextEdit(page);
    m_yaml->setObjectName(QStringLiteral("recipePreview"));
    m_yaml->setAccessibleName(tr("The scheme as YAML"));
    m_yaml->setProperty("look", QStringLiteral("mono"));
    m_yaml->setReadOnly(true);
    m_yaml->setTabChangesFocus(true);
    m_yaml->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_command = new QLabel(page);
    m_command->setObjectName(QStringLiteral("commandPreview"));
    m_command->setProperty("look", QStringLiteral("mono"));
    m_command->setWordWrap(true);
    m_command->setTextFormat(Qt::PlainText);
    m_command->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_copy = new QPushButton(tr("Copy command"), page);
    m_copy->setObjectName(QStringLiteral("copyCommandButton"));
    m_copy->setIcon(Theme::instance().icon(QStringLiteral("copy")));
    m_copy->setToolTip(tr("Copy the command that quantizes the model with this scheme"));
    auto* line = new QHBoxLayout;
    line->addWidget(m_command, 1);
    line->addWidget(m_copy, 0, Qt::AlignTop);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, column->spacing(), 0, 0);
    column->addWidget(m_yaml, 1);
    column->addLayout(line);
    m_tabs->addTab(page, tr("Recipe"));
    return m_tabs;
}

void SchemePage::buildActions() {
    const auto add = [this](const char* id, const QString& words, const char* icon, const QString& help, std::function<void()> run) {
        QAction* action = actions().add({QString::fromLatin1(id), words, QString::fromLatin1(icon), help, {}}, this, std::move(run));
        m_view->addAction(action);
        auto* tool = new QToolButton(m_view->parentWidget());
        tool->setDefaultAction(action);
        tool->setAutoRaise(true);
        tool->setToolButtonStyle(Qt::ToolButtonIconOnly);
        tool->setAccessibleName(words.section(QLatin1Char('('), 0, 0).remove(QLatin1Char('&')));
        tool->setFocusPolicy(Qt::TabFocus);
        m_tools->addWidget(tool);
    };
    add("scheme.add", tr("&Add to study"), "add", tr("Make the shown preset a scheme of the study (Return in the list)"),
        [this] { m_draft.add(tr("add %1").arg(m_draft.name())); });
    add("scheme.duplicate", tr("&Duplicate"), "copy", tr("A copy of the shown scheme (Ctrl+D in the list)"),
        [this] { m_draft.duplicate(); });
    add("scheme.rename", tr("&Rename"), "edit", tr("Another name for the scheme (F2 in the list)"),
        [this] { m_view->edit(m_list.shown()); });
    add("scheme.delete", tr("&Delete"), "trash", tr("Take the scheme out of the study (Del in the list); can be undone"),
        [this] { removeShown(); });
    m_tools->addStretch();
    add("scheme.saveAs", tr("&Save as preset…"), "save", tr("Keep the scheme for other projects"), [this] { saveAs(); });
    add("scheme.import", tr("&Import…"), "import", tr("A scheme from a YAML file"), [this] { importFile(); });
    add("scheme.export", tr("&Export…"), "export", tr("The scheme as a YAML file"), [this] { exportFile(); });
}

void SchemePage::removeShown() {
    if (m_draft.isOwn()) return m_draft.remove(m_draft.index());
    if (m_list.section(m_view->currentIndex()) != SchemeList::Section::Saved) return;
    if (const Status done = m_draft.removeSaved(m_draft.name()); !done) Q_EMIT session().notice(done.error());
}

void SchemePage::saveAs() {
    const QString name = QInputDialog::getText(this, tr("Save as preset"), tr("Name"), QLineEdit::Normal, m_draft.name()).trimmed();
    if (name.isEmpty()) return;
    if (const Status done = m_draft.saveAsPreset(name); !done) Q_EMIT session().notice(done.error());
}

void SchemePage::importFile() {
    const QString file = QFileDialog::getOpenFileName(this, tr("Import scheme"), {}, tr("Schemes (*.yaml *.yml *.json)"));
    if (file.isEmpty()) return;
    const auto bytes = readFile(utf8(file), uint64_t{1} << 20);
    const Status done = bytes ? m_draft.import(text(*bytes), QFileInfo(file).completeBaseName()) : Status{bytes.error()};
    if (!done) banner().show(Banner::Strength::Error, done.error());
}

void SchemePage::exportFile() {
    const QString file =
        QFileDialog::getSaveFileName(this, tr("Export scheme"), m_draft.name() + QStringLiteral(".yaml"), tr("Schemes (*.yaml)"));
    if (file.isEmpty()) return;
    if (const Status done = writeFileAtomic(utf8(file), utf8(m_draft.yaml())); !done) banner().show(Banner::Strength::Error, done.error());
}

} // namespace qw::ui
