// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/runs/runs_page.h"

#include "delegates/state_delegate.h"
#include "delegates/swatch_delegate.h"
#include "pages/runs/run_details.h"
#include "widgets/filter_edit.h"
#include "widgets/table_copy.h"
#include "widgets/undo_bar.h"

#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QItemSelectionModel>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QScrollBar>
#include <QSplitter>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

constexpr int kHiddenAtFirst[] = {RunsModel::Model, RunsModel::Step, RunsModel::Notes};

StateLook stateLook(int state) {
    const auto word = static_cast<RunWord>(state);
    const Token token = word == RunWord::Done                                ? Token::Good
                        : word == RunWord::Failed                            ? Token::Bad
                        : word == RunWord::Interrupted                       ? Token::Warning
                        : isActive(word)                                     ? Token::Accent
                        : word == RunWord::Stopped || word == RunWord::Draft ? Token::Muted
                                                                             : Token::Text;
    return {wordIcon(word), token};
}

} // namespace

RunsPage::RunsPage(Session& session, ActionRegistry& actions)
    : Page(PageId::Runs, QStringLiteral("pageRuns"), tr("Runs"), QStringLiteral("runs"), session, actions) {
    m_model = new RunsModel(this);
    setEmpty(tr("No runs yet. A study makes one run for every scheme that you compare."), tr("Plan a study"),
             [this] { this->session().goTo(PageId::Train); });
    auto* column = new QVBoxLayout(content());
    column->addWidget(buildBar());
    m_splitter = new QSplitter(Qt::Horizontal, content());
    m_splitter->setObjectName(QStringLiteral("runsSplitter"));
    m_splitter->setChildrenCollapsible(false);
    m_splitter->addWidget(buildTable());
    m_details = new RunDetails(session, m_splitter);
    m_splitter->addWidget(m_details);
    m_splitter->setStretchFactor(0, 3);
    m_splitter->setStretchFactor(1, 1);
    column->addWidget(m_splitter, 1);
    m_undoBar = new UndoBar(content());
    column->addWidget(m_undoBar);
    buildActions();
    buildColumnMenu();
    restoreViewState();
    wire();
    refresh();
}

QWidget* RunsPage::buildBar() {
    auto* bar = new QWidget(content());
    m_filter = new FilterEdit(bar);
    m_filter->setObjectName(QStringLiteral("runsFilter"));
    m_filter->setPlaceholderText(tr("Filter: words, state:done, bits<5, tag:paper…"));
    m_filter->setAccessibleName(tr("Filter runs"));
    m_filter->setHelp(RunFilter::help());
    m_counts = new QLabel(bar);
    m_counts->setObjectName(QStringLiteral("runsCounts"));
    m_counts->setProperty("look", QStringLiteral("muted"));
    m_restoreButton = new QPushButton(tr("Restore"), bar);
    m_restoreButton->setObjectName(QStringLiteral("restoreButton"));
    m_restoreButton->setToolTip(tr("Bring the selected runs back"));
    m_emptyTrashButton = new QPushButton(tr("Empty Trash…"), bar);
    m_emptyTrashButton->setObjectName(QStringLiteral("emptyTrashButton"));
    m_emptyTrashButton->setToolTip(tr("Delete the folders of the runs in Trash; paths and bytes are listed first"));
    m_trashButton = new QPushButton(tr("Trash"), bar);
    m_trashButton->setObjectName(QStringLiteral("trashButton"));
    m_trashButton->setCheckable(true);
    m_trashButton->setToolTip(tr("Show the runs in Trash"));
    m_columnsButton = new QToolButton(bar);
    m_columnsButton->setObjectName(QStringLiteral("columnsButton"));
    m_columnsButton->setText(tr("Columns"));
    m_columnsButton->setIcon(Theme::instance().icon(QStringLiteral("table")));
    m_columnsButton->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_columnsButton->setPopupMode(QToolButton::InstantPopup);
    m_columnsButton->setToolTip(tr("Choose the columns of the table"));
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(m_filter, 1);
    for (QWidget* widget : std::initializer_list<QWidget*>{m_counts, m_restoreButton, m_emptyTrashButton, m_trashButton, m_columnsButton})
        row->addWidget(widget);
    return bar;
}

QWidget* RunsPage::buildTable() {
    m_table = new QTableView(m_splitter);
    m_table->setObjectName(QStringLiteral("runsTable"));
    m_table->setAccessibleName(tr("Runs"));
    m_table->setModel(m_model);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_table->setEditTriggers(QAbstractItemView::SelectedClicked);
    m_table->setAlternatingRowColors(true);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() * 8 / 5);
    m_table->setItemDelegateForColumn(RunsModel::Colour, new SwatchDelegate(RunsModel::ColourRole, m_table));
    m_table->setItemDelegateForColumn(RunsModel::State, new StateDelegate(RunsModel::StateRole, stateLook, m_table));
    m_table->setContextMenuPolicy(Qt::CustomContextMenu);
    QHeaderView* header = m_table->horizontalHeader();
    header->setSectionsMovable(true);
    header->setSectionsClickable(true);
    header->setSortIndicatorShown(false); // the model's header says which keys, and in which order
    header->setHighlightSections(false);
    header->setContextMenuPolicy(Qt::CustomContextMenu);
    header->setMinimumSectionSize(fontMetrics().height());
    const int em = fontMetrics().averageCharWidth();
    const std::pair<int, int> widths[] = {{RunsModel::Colour, 6},   {RunsModel::Mark, 4},       {RunsModel::Name, 24},
                                          {RunsModel::State, 19},   {RunsModel::Scheme, 16},    {RunsModel::Bits, 9},
                                          {RunsModel::Size, 16},    {RunsModel::Model, 16},     {RunsModel::Step, 12},
                                          {RunsModel::Loss, 11},    {RunsModel::BestEval, 12},  {RunsModel::HellaSwag, 13},
                                          {RunsModel::WordPpl, 12}, {RunsModel::Recovered, 14}, {RunsModel::Time, 14},
                                          {RunsModel::Tags, 16},    {RunsModel::Notes, 24},     {RunsModel::Created, 18}};
    for (const auto& [section, characters] : widths) header->resizeSection(section, characters * em);
    for (const int section : kHiddenAtFirst) m_table->setColumnHidden(section, true);
    return m_table;
}

void RunsPage::buildColumnMenu() {
    m_columnMenu = new QMenu(this);
    m_columnMenu->setObjectName(QStringLiteral("columnMenu"));
    for (int section = 0; section < RunsModel::ColumnCount; ++section) {
        QAction* action = m_columnMenu->addAction(RunsModel::columnTitle(section));
        action->setCheckable(true);
        action->setToolTip(RunsModel::columnHelp(section));
        action->setEnabled(section != RunsModel::Name); // something must name the row
        connect(action, &QAction::toggled, this, [this, section](bool on) { m_table->setColumnHidden(section, !on); });
    }
    connect(m_columnMenu, &QMenu::aboutToShow, this, [this] {
        const auto list = m_columnMenu->actions();
        for (int section = 0; section < RunsModel::ColumnCount; ++section) list[section]->setChecked(!m_table->isColumnHidden(section));
    });
    m_columnMenu->setToolTipsVisible(true);
    m_columnsButton->setMenu(m_columnMenu);
}

void RunsPage::buildActions() {
    const auto add = [this](const char* id, const QString& words, const char* icon, const QString& help, const QKeySequence& key,
                            void (RunsPage::*run)()) {
        QAction* action =
            actions().add({QString::fromLatin1(id), words, QString::fromLatin1(icon), help, {key}}, this, [this, run] { (this->*run)(); });
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        m_table->addAction(action);
        return action;
    };
    add("run.open", tr("Open in &Live"), "live", tr("Show the curves of the selected run (Return)"), {}, &RunsPage::open);
    add("compare.toggle", tr("&Add to comparison"), "compare", tr("Put the selected runs into the comparison, or take them out"),
        Qt::Key_Space, &RunsPage::toggleCompared);
    QAction* baseline = actions().add({QStringLiteral("compare.baseline"),
                                       tr("Set as &baseline"),
                                       QStringLiteral("star"),
                                       tr("Hold every run of the comparison against the selected one"),
                                       {Qt::Key_B}},
                                      this, [this] { session().setBaseline(current() == session().baseline() ? QString() : current()); });
    baseline->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    m_table->addAction(baseline);
    QAction* clear = actions().add({QStringLiteral("compare.clear"),
                                    tr("&Clear comparison"),
                                    QStringLiteral("close"),
                                    tr("Take every run and the baseline out of the comparison"),
                                    {}},
                                   this, [this] {
                                       session().setCompared({});
                                       session().setBaseline({});
                                   });
    static_cast<void>(clear);
    QAction* rename = actions().add(
        {QStringLiteral("run.rename"), tr("Re&name"), QStringLiteral("edit"), tr("Give the selected run another name"), {Qt::Key_F2}}, this,
        [this] {
            const QModelIndex at = m_table->currentIndex();
            if (at.isValid()) m_table->edit(at.siblingAtColumn(RunsModel::Name));
        });
    rename->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    m_table->addAction(rename);
    add("run.duplicate", tr("&Duplicate"), "copy", tr("Begin a new recipe from the selected run's"), Qt::CTRL | Qt::Key_D,
        &RunsPage::duplicate);
    QAction* exports = actions().add({QStringLiteral("run.export"),
                                      tr("&Export…"),
                                      QStringLiteral("export"),
                                      tr("Write the selected run's model for other programs"),
                                      {}},
                                     this, [this] { Q_EMIT session().exportWanted(current()); });
    m_table->addAction(exports);
    add("run.resumeFrom", tr("Resume &from…"), "resume", tr("Checkpoints of the selected run: go on from one of them, or for more steps"),
        {}, &RunsPage::showFiles);
    copyRowsWithCtrlC(m_table);
    add("run.trash", tr("Move to &Trash"), "trash", tr("Move the selected runs to Trash; their files stay until it is emptied"),
        Qt::Key_Delete, &RunsPage::trash);
}

void RunsPage::wire() {
    connect(&session().project, &Project::changed, this, &RunsPage::refresh);
    connect(&session().project, &Project::closed, this, &RunsPage::refresh);
    connect(&session(), &Session::comparisonChanged, this, [this] {
        m_model->setMarks(session().baseline(), session().compared());
        m_details->refresh();
        showActions();
    });
    connect(m_filter, &QLineEdit::textChanged, this, &RunsPage::applyFilter);
    connect(m_filter, &QLineEdit::returnPressed, m_table, qOverload<>(&QWidget::setFocus));
    connect(m_model, &RunsModel::edited, this, &RunsPage::edited);
    connect(m_model, &RunsModel::countsChanged, this, &RunsPage::showCounts);
    connect(m_table, &QTableView::activated, this, &RunsPage::open);
    connect(m_table, &QWidget::customContextMenuRequested, this, [this](const QPoint& at) {
        QMenu menu(this);
        menu.addActions(m_table->actions());
        menu.exec(m_table->viewport()->mapToGlobal(at));
    });
    QHeaderView* header = m_table->horizontalHeader();
    connect(header, &QHeaderView::sectionClicked, this, [this](int section) {
        m_model->sortBy(section, QGuiApplication::keyboardModifiers() & (Qt::ShiftModifier | Qt::ControlModifier));
    });
    connect(header, &QWidget::customContextMenuRequested, this,
            [this, header](const QPoint& at) { m_columnMenu->exec(header->mapToGlobal(at)); });
    connect(m_trashButton, &QPushButton::toggled, this, &RunsPage::setTrashShown);
    connect(m_restoreButton, &QPushButton::clicked, this, &RunsPage::restore);
    connect(m_emptyTrashButton, &QPushButton::clicked, this, [this] { emptyTrash(INT64_MAX); });
    connect(&Theme::instance(), &Theme::changed, this,
            [this] { m_columnsButton->setIcon(Theme::instance().icon(QStringLiteral("table"))); });
    wireSelection();
}

void RunsPage::wireSelection() {
    connect(m_model, &QAbstractItemModel::modelAboutToBeReset, this, [this] {
        m_keepSelected = selectedRuns();
        m_keepCurrent = current();
    });
    connect(m_model, &QAbstractItemModel::modelReset, this, [this] {
        const QStringList kept = std::exchange(m_keepSelected, {});
        const int scroll = m_table->verticalScrollBar()->value();
        m_restoring = true;
        if (const int row = m_model->rowOf(m_keepCurrent); row >= 0)
            m_table->selectionModel()->setCurrentIndex(m_model->index(row, RunsModel::Name), QItemSelectionModel::NoUpdate);
        QItemSelection selection;
        for (const QString& uid : kept)
            if (const int row = m_model->rowOf(uid); row >= 0)
                selection.select(m_model->index(row, 0), m_model->index(row, RunsModel::ColumnCount - 1));
        m_table->selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect);
        m_table->verticalScrollBar()->setValue(scroll);
        m_restoring = false;
        m_details->showRun(current());
        showActions();
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        if (m_restoring) return;
        m_details->showRun(current());
        showActions();
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this] {
        if (m_restoring) return;
        m_details->showRun(current());
        showActions();
    });
}

void RunsPage::find() {
    m_filter->setFocus(Qt::ShortcutFocusReason);
    m_filter->selectAll();
}

void RunsPage::saveViewState() {
    Settings& settings = session().settings;
    settings.setViewState(QStringLiteral("runs/header"), m_table->horizontalHeader()->saveState());
    settings.setViewState(QStringLiteral("runs/splitter"), m_splitter->saveState());
    QVariantList keys;
    for (const auto& key : m_model->sortKeys()) keys << key.column << static_cast<int>(key.order);
    settings.setViewState(QStringLiteral("runs/sort"), keys);
}

void RunsPage::restoreViewState() {
    const Settings& settings = session().settings;
    m_table->horizontalHeader()->restoreState(settings.viewState(QStringLiteral("runs/header")).toByteArray());
    if (!m_splitter->restoreState(settings.viewState(QStringLiteral("runs/splitter")).toByteArray())) {
        const int em = fontMetrics().averageCharWidth();
        m_splitter->setSizes({100 * em, 46 * em});
    }
    const QVariantList keys = settings.viewState(QStringLiteral("runs/sort")).toList();
    std::vector<RunsModel::SortKey> sort;
    for (qsizetype i = 0; i + 1 < keys.size(); i += 2)
        sort.push_back({keys[i].toInt(), keys[i + 1].toInt() == Qt::AscendingOrder ? Qt::AscendingOrder : Qt::DescendingOrder});
    if (!sort.empty()) m_model->setSortKeys(sort);
}

} // namespace qw::ui
