// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/start/start_page.h"

#include "pages/start/file_actions.h"
#include "pages/start/recent_model.h"
#include "theme/theme.h"

#include <QAction>
#include <QFileDialog>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QTreeView>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

QLabel* label(const QString& text, const char* look) {
    auto* made = new QLabel(text);
    made->setProperty("look", QString::fromLatin1(look));
    made->setWordWrap(true);
    return made;
}

// A card is one action: what it opens in words, and the button that does it.
QFrame* card(QAction* action, const QString& name, const QString& title, const QString& what, const QString& button, bool primary) {
    auto* frame = new QFrame;
    frame->setObjectName(name);
    frame->setProperty("look", QStringLiteral("card"));
    auto* icon = new QLabel(frame);
    const auto draw = [icon, action] {
        const int side = icon->fontMetrics().height() * 2;
        icon->setPixmap(Theme::instance().icon(action->property("iconName").toString(), Token::Accent).pixmap(side, side));
    };
    draw();
    QObject::connect(&Theme::instance(), &Theme::changed, icon, draw);
    auto* press = new QPushButton(button, frame);
    press->setObjectName(name + QStringLiteral("Button"));
    press->setToolTip(action->toolTip());
    press->setAccessibleName(title);
    if (primary) press->setProperty("look", QStringLiteral("primary"));
    QObject::connect(press, &QPushButton::clicked, action, &QAction::trigger);
    auto* column = new QVBoxLayout(frame);
    const int pad = frame->fontMetrics().height();
    column->setContentsMargins(pad, pad, pad, pad);
    column->addWidget(icon);
    column->addWidget(label(title, "heading"));
    column->addWidget(label(what, "muted"));
    column->addSpacing(pad / 2);
    column->addStretch();
    column->addWidget(press, 0, Qt::AlignLeft);
    return frame;
}

} // namespace

StartPage::StartPage(Session& session, ActionRegistry& actions)
    : Page(PageId::Start, QStringLiteral("pageStart"), tr("Start"), QStringLiteral("start"), session, actions) {
    if (!actions.find(QStringLiteral("file.openModel"))) registerFileActions(session, actions, this);
    build();
    wire();
    setViewState(ViewState::Ready);
    updateButtons();
}

void StartPage::build() {
    // On a low window the page scrolls rather than squeezing its words.
    auto* inside = new QWidget;
    auto* scroll = new QScrollArea;
    scroll->setWidget(inside);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    auto* outer = new QVBoxLayout(content());
    outer->setContentsMargins(0, 0, 0, 0);
    outer->addWidget(scroll);
    auto* column = new QVBoxLayout(inside);
    const int unit = fontMetrics().height();
    column->setContentsMargins(unit * 2, unit * 3 / 2, unit * 2, unit);
    column->setSpacing(unit / 2);
    column->addWidget(label(tr("Which quantization scheme do I ship?"), "title"));
    column->addWidget(label(
        tr("Open a model, pick schemes, train with fake quantization, and read the verdict.\nDrop a model folder, a project or a recipe "
           "anywhere in this window."),
        "muted"));
    auto* row = new QHBoxLayout;
    row->setSpacing(unit);
    const auto action = [this](const char* id) { return actions().find(QString::fromLatin1(id)); };
    row->addWidget(card(action("file.openModel"), QStringLiteral("cardOpenModel"), tr("Open model"),
                        tr("A Hugging Face folder with config.json, tokenizer.json and *.safetensors."), tr("Choose folder…"), false),
                   1);
    row->addWidget(card(action("file.openProject"), QStringLiteral("cardOpenProject"), tr("Open project"),
                        tr("Runs, queue and comparisons of earlier work, also while it is still training."), tr("Choose project…"), false),
                   1);
    row->addWidget(card(action("file.sample"), QStringLiteral("cardSample"), tr("Try the sample"),
                        tr("A tiny model that comes with the program. Works offline; the whole tour takes two minutes."),
                        tr("Open the sample"), true),
                   1);
    column->addSpacing(unit / 2);
    column->addLayout(row);
    column->addSpacing(unit);
    column->addWidget(buildRecent(), 1);
    scroll->setMinimumWidth(inside->minimumSizeHint().width());
}

QWidget* StartPage::buildRecent() {
    auto* part = new QWidget;
    auto* column = new QVBoxLayout(part);
    column->setContentsMargins(0, 0, 0, 0);
    auto* heading = label(tr("Recent"), "heading");
    m_recent = new RecentModel(session(), this);
    m_recentList = new QTreeView;
    m_recentList->setObjectName(QStringLiteral("recentList"));
    m_recentList->setAccessibleName(tr("Recent models and projects"));
    m_recentList->setToolTip(tr("Enter opens, Del removes from the list"));
    m_recentList->setModel(m_recent);
    m_recentList->setRootIsDecorated(false);
    m_recentList->setUniformRowHeights(true);
    m_recentList->setAlternatingRowColors(true);
    m_recentList->setAllColumnsShowFocus(true);
    m_recentList->setTextElideMode(Qt::ElideMiddle);
    m_recentList->setTabKeyNavigation(false);
    m_recentList->setSizeAdjustPolicy(QAbstractScrollArea::AdjustToContents); // takes what is left; the page need not scroll for it
    m_recentList->setMinimumHeight(fontMetrics().height() * 6);
    m_recentList->header()->setStretchLastSection(false);
    m_recentList->header()->setSectionResizeMode(RecentModel::Path, QHeaderView::Stretch);
    m_recentList->header()->setSectionResizeMode(RecentModel::Used, QHeaderView::ResizeToContents);
    m_recentList->setColumnWidth(RecentModel::Name, fontMetrics().averageCharWidth() * 30);
    const QByteArray header = session().settings.viewState(QStringLiteral("start/header")).toByteArray();
    if (!header.isEmpty()) m_recentList->header()->restoreState(header);
    m_noRecent = label(tr("Nothing was opened yet. Models and projects appear here."), "muted");
    m_noRecent->setObjectName(QStringLiteral("recentEmpty"));
    auto* buttons = new QHBoxLayout;
    const auto button = [&](const QString& text, const char* name, const QString& tip) {
        auto* made = new QPushButton(text);
        made->setObjectName(QString::fromLatin1(name));
        made->setToolTip(tip);
        buttons->addWidget(made);
        return made;
    };
    m_open = button(tr("Open"), "recentOpen", tr("Open the selected entry"));
    m_locate = button(tr("Locate…"), "recentLocate", tr("Say where the missing folder is now"));
    m_remove = button(tr("Remove"), "recentRemove", tr("Take the entry off this list; nothing is deleted on disk"));
    buttons->addStretch();
    column->addWidget(heading);
    column->addWidget(m_noRecent);
    column->addWidget(m_recentList, 1);
    column->addLayout(buttons);
    column->addStretch(0);
    return part;
}

void StartPage::wire() {
    connect(m_recentList, &QTreeView::activated, this, [this](const QModelIndex& index) { open(index.row()); });
    connect(m_recentList->selectionModel(), &QItemSelectionModel::selectionChanged, this, &StartPage::updateButtons);
    connect(m_recent, &QAbstractItemModel::modelReset, this, &StartPage::updateButtons);
    connect(m_recent, &QAbstractItemModel::dataChanged, this, &StartPage::updateButtons);
    const auto selected = [this] { return m_recentList->currentIndex().row(); };
    connect(m_open, &QPushButton::clicked, this, [this, selected] { open(selected()); });
    connect(m_locate, &QPushButton::clicked, this, [this, selected] { locate(selected()); });
    connect(m_remove, &QPushButton::clicked, this, [this, selected] { session().recent.remove(m_recent->pathAt(selected())); });
    auto* remove = new QAction(tr("Remove from the list"), m_recentList);
    remove->setShortcut(QKeySequence::Delete);
    remove->setShortcutContext(Qt::WidgetShortcut);
    m_recentList->addAction(remove);
    connect(remove, &QAction::triggered, m_remove, &QPushButton::click);
    connect(&session().project, &Project::failed, this, [this](const Error& error) {
        fail(error, {{tr("Choose another project"), [this] { actions().find(QStringLiteral("file.openProject"))->trigger(); }, {}}}, true);
    });
    connect(&banner(), &Banner::dismissed, this, [this] { setViewState(ViewState::Ready); });
    connect(&session().project, &Project::opened, this, [this] { setViewState(ViewState::Ready); });
}

void StartPage::showEvent(QShowEvent* event) {
    Page::showEvent(event);
    m_recent->lookAgain();
}

void StartPage::saveViewState() { session().settings.setViewState(QStringLiteral("start/header"), m_recentList->header()->saveState()); }

void StartPage::open(int row) {
    if (row < 0) return;
    if (m_recent->isMissing(row))
        locate(row);
    else
        session().openPath(m_recent->pathAt(row));
}

void StartPage::locate(int row) {
    const QString old = m_recent->pathAt(row);
    auto* dialog = new QFileDialog(this, tr("Where is %1 now?").arg(old));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this, [this, old](const QString& path) { session().recent.relocate(old, path); });
    dialog->open();
}

void StartPage::updateButtons() {
    const bool any = m_recent->rowCount() > 0;
    m_recentList->setVisible(any);
    m_noRecent->setVisible(!any);
    for (QPushButton* button : {m_open, m_locate, m_remove}) button->setVisible(any);
    const int row = m_recentList->selectionModel()->hasSelection() ? m_recentList->currentIndex().row() : -1;
    const QString none = row < 0 ? tr("Select an entry of the list first") : QString();
    const bool missing = row >= 0 && m_recent->isMissing(row);
    setDisabledReason(m_open, !none.isEmpty() ? none : missing ? tr("It is not there any more: locate or remove it") : QString());
    setDisabledReason(m_locate, !none.isEmpty() ? none : missing ? QString() : tr("It is where it was"));
    setDisabledReason(m_remove, none);
}

} // namespace qw::ui
