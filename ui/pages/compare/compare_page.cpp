// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/compare/compare_page.h"

#include "charts/qat_chart.h"
#include "delegates/swatch_delegate.h"
#include "models/compare_model.h"
#include "models/config_diff.h"
#include "models/report.h"
#include "pages/compare/compare_charts.h"
#include "pages/compare/compare_pickers.h"
#include "pages/compare/compare_table.h"
#include "pages/compare/items_view.h"
#include "theme/theme.h"
#include "widgets/table_copy.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QShortcut>
#include <QTabBar>
#include <QTabWidget>
#include <QTableView>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace qw::ui {

ComparePage::ComparePage(Session& session, ActionRegistry& actions)
    : Page(PageId::Compare, QStringLiteral("pageCompare"), tr("Compare"), QStringLiteral("compare"), session, actions) {
    auto* column = new QVBoxLayout(content());
    m_pickers = new ComparePickers(session, content());
    column->addWidget(m_pickers);
    m_head = buildHead();
    column->addWidget(m_head);
    m_tabs = new QTabWidget(content());
    m_tabs->setObjectName(QStringLiteral("compareTabs"));
    m_tabs->setDocumentMode(true);
    m_bars = new BarsView(m_tabs);
    m_pareto = new ParetoView(m_tabs);
    m_items = new ItemsView(session, m_tabs);
    m_curves = new CurvesView(session, m_tabs);
    m_tabs->addTab(buildTable(), tr("Table"));
    m_tabs->addTab(m_bars, tr("Bars"));
    m_tabs->addTab(m_pareto, tr("Pareto"));
    m_tabs->addTab(m_items, tr("Items"));
    m_tabs->addTab(buildDiff(), tr("Config diff"));
    m_tabs->addTab(m_curves, tr("Curves"));
    m_tabs->addTab(buildReport(), tr("Report"));
    column->addWidget(m_tabs, 1);
    m_foot = buildFoot();
    column->addWidget(m_foot);
    m_escape = new QShortcut(QKeySequence(Qt::Key_Escape), this);
    m_escape->setContext(Qt::WidgetWithChildrenShortcut);
    m_escape->setEnabled(false);
    buildActions();
    m_tabs->setCurrentIndex(session.settings.viewState(QStringLiteral("compare/tab"), 0).toInt());
    wire();
    refresh();
}

QWidget* ComparePage::buildHead() {
    auto* card = new QFrame(content());
    card->setProperty("look", QStringLiteral("card"));
    m_verdictIcon = new QLabel(card);
    m_verdict = new QLabel(card);
    m_verdict->setObjectName(QStringLiteral("verdictLabel"));
    m_verdict->setProperty("look", QStringLiteral("heading"));
    m_verdict->setWordWrap(true);
    m_verdict->setTextFormat(Qt::PlainText);
    m_verdict->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* row = new QHBoxLayout(card);
    row->addWidget(m_verdictIcon, 0, Qt::AlignTop);
    row->addWidget(m_verdict, 1);
    return card;
}

QWidget* ComparePage::buildTable() {
    auto* frame = new QWidget(m_tabs);
    m_model = new CompareModel(this);
    m_table = new CompareTable(frame);
    m_table->setObjectName(QStringLiteral("compareTable"));
    m_table->setAccessibleName(tr("Comparison"));
    m_table->setModel(m_model);
    m_notes = new QLabel(frame);
    m_notes->setObjectName(QStringLiteral("compareNotes"));
    m_notes->setProperty("look", QStringLiteral("muted"));
    m_notes->setWordWrap(true);
    m_notes->setTextFormat(Qt::PlainText);
    auto* column = new QVBoxLayout(frame);
    column->setContentsMargins(0, fontMetrics().height() / 2, 0, 0);
    column->addWidget(m_table, 1);
    column->addWidget(m_notes);
    return frame;
}

QWidget* ComparePage::buildDiff() {
    auto* frame = new QWidget(m_tabs);
    m_diff = new ConfigDiff(this);
    auto* table = new QTableView(frame);
    table->setObjectName(QStringLiteral("configDiff"));
    table->setAccessibleName(tr("Recipes side by side"));
    table->setModel(m_diff);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    copyRowsWithCtrlC(table);
    table->setAlternatingRowColors(true);
    table->setWordWrap(false);
    table->setShowGrid(false);
    table->setTabKeyNavigation(false);
    table->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    table->verticalHeader()->hide();
    table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() * 8 / 5);
    table->horizontalHeader()->setHighlightSections(false);
    table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    auto* all = new QCheckBox(tr("Show keys that are equal too"), frame);
    all->setObjectName(QStringLiteral("configDiffAll"));
    all->setToolTip(tr("Otherwise only the keys that differ between the runs"));
    auto* column = new QVBoxLayout(frame);
    column->setContentsMargins(0, fontMetrics().height() / 2, 0, 0);
    column->addWidget(all);
    column->addWidget(table, 1);
    connect(all, &QCheckBox::toggled, m_diff, &ConfigDiff::setAllShown);
    connect(m_diff, &QAbstractItemModel::modelReset, table, [table] {
        const int em = table->fontMetrics().averageCharWidth();
        for (int section = 0; section < table->model()->columnCount(); ++section)
            table->setColumnWidth(section, (section == 0 ? 32 : 20) * em);
    });
    return frame;
}

QWidget* ComparePage::buildReport() {
    m_report = new QTextBrowser(m_tabs);
    m_report->setObjectName(QStringLiteral("reportPreview"));
    m_report->setAccessibleName(tr("Preview of the report"));
    m_report->setTabChangesFocus(true);
    return m_report;
}

QWidget* ComparePage::buildFoot() {
    auto* bar = new QWidget(content());
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(0, 0, 0, 0);
    const auto button = [&](const char* name, const QString& words, const QString& help) {
        auto* made = new QPushButton(words, bar);
        made->setObjectName(QString::fromLatin1(name));
        made->setToolTip(help);
        return made;
    };
    auto* markdown = button("copyMarkdownButton", tr("Copy Markdown"), tr("The table and the verdict as Markdown onto the clipboard"));
    auto* csv = button("copyCsvButton", tr("CSV"), tr("All numbers, unrounded, as CSV onto the clipboard"));
    auto* latex = button("copyLatexButton", tr("LaTeX"), tr("The table as LaTeX onto the clipboard"));
    m_said = new QLabel(bar);
    m_said->setObjectName(QStringLiteral("compareSaid"));
    m_said->setProperty("look", QStringLiteral("muted"));
    m_evaluate = button("evaluateMissingButton", tr("Evaluate missing"), tr("Measure the tasks and rows that the comparison lacks"));
    m_reportButton = button("reportButton", tr("Save report…"), tr("One HTML or PDF file with table, charts, recipes, hashes and command"));
    m_export = button("compareExportButton", tr("Export checkpoint…"),
                      tr("Write the model of the selected row, or of the verdict, for other programs"));
    for (QPushButton* left : {markdown, csv, latex}) row->addWidget(left);
    row->addWidget(m_said, 1);
    for (QPushButton* right : {m_evaluate, m_reportButton, m_export}) row->addWidget(right);
    connect(markdown, &QPushButton::clicked, this,
            [this] { copy(tr("Markdown"), m_comparison ? study::toMarkdown(m_comparison->table) : std::string()); });
    connect(csv, &QPushButton::clicked, this,
            [this] { copy(tr("CSV"), m_comparison ? study::toCsv(m_comparison->table) : std::string()); });
    connect(latex, &QPushButton::clicked, this,
            [this] { copy(tr("LaTeX"), m_comparison ? study::toLatex(m_comparison->table) : std::string()); });
    return bar;
}

void ComparePage::buildActions() {
    actions().add({QStringLiteral("file.exportReport"),
                   tr("Export &report…"),
                   QStringLiteral("report"),
                   tr("Save the comparison as one HTML or PDF file"),
                   {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_E)}},
                  this, [this] {
                      session().goTo(PageId::Compare);
                      if (m_comparison) chooseReportFile();
                  });
    actions().add({QStringLiteral("file.importResults"),
                   tr("Import &published results…"),
                   QStringLiteral("import"),
                   tr("Rows that others measured, from a CSV table or a results file of lm-evaluation-harness"),
                   {}},
                  this, [this] { chooseResultsFile(); });
    QAction* evaluate = actions().add({QStringLiteral("run.evaluate"),
                                       tr("E&valuate missing"),
                                       QStringLiteral("check"),
                                       tr("Measure the tasks and rows that the comparison lacks, and nothing else"),
                                       {}},
                                      this, [this] { evaluateMissing(); });
    ActionRegistry::setDisabledReason(evaluate, tr("nothing is compared yet"));
    actions().add({QStringLiteral("compare.swap"),
                   tr("S&wap baseline and QAT run"),
                   QStringLiteral("swap"),
                   tr("Turn the signs of the comparison"),
                   {}},
                  this, [this] { m_pickers->findChild<QPushButton*>(QStringLiteral("compareSwap"))->click(); });
    actions().add({QStringLiteral("compare.copyMarkdown"),
                   tr("Copy table as &Markdown"),
                   QStringLiteral("copy"),
                   tr("The table and the verdict onto the clipboard"),
                   {}},
                  this, [this] { copy(tr("Markdown"), m_comparison ? study::toMarkdown(m_comparison->table) : std::string()); });
}

void ComparePage::wire() {
    connect(&session().project, &Project::changed, this, [this] { refresh(); });
    connect(&session().project, &Project::closed, this, [this] { refresh(); });
    connect(&session(), &Session::comparisonChanged, this, [this] { refresh(); });
    connect(m_pickers, &ComparePickers::pairChanged, this, &ComparePage::showPair);
    connect(m_tabs, &QTabWidget::currentChanged, this, &ComparePage::showTab);
    connect(m_bars, &BarsView::runClicked, this, &ComparePage::openRun);
    connect(m_pareto, &ParetoView::runClicked, this, &ComparePage::openRun);
    connect(m_table, &QTableView::doubleClicked, this,
            [this](const QModelIndex& at) { openRun(at.siblingAtColumn(0).data(CompareModel::UidRole).toString()); });
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, &ComparePage::showButtons);
    connect(m_evaluate, &QPushButton::clicked, this, &ComparePage::evaluateMissing);
    connect(m_reportButton, &QPushButton::clicked, this, &ComparePage::chooseReportFile);
    connect(m_export, &QPushButton::clicked, this, [this] { Q_EMIT session().exportWanted(exportedRun()); });
    connect(&m_curves->chart(), &QatChart::fullPageRequested, this, [this] { setChartAlone(!m_escape->isEnabled()); });
    connect(m_escape, &QShortcut::activated, this, [this] { setChartAlone(false); });
    connect(&Theme::instance(), &Theme::changed, this, &ComparePage::showVerdict);
}

void ComparePage::setChartAlone(bool alone) {
    for (QWidget* other : {static_cast<QWidget*>(m_pickers), m_head, m_foot, static_cast<QWidget*>(m_tabs->tabBar())})
        other->setVisible(!alone);
    m_escape->setEnabled(alone);
    if (alone) m_curves->chart().setFocus();
}

void ComparePage::find() {
    m_tabs->setCurrentWidget(m_items);
    if (auto* words = m_items->findChild<QLineEdit*>(QStringLiteral("itemsWords"))) words->setFocus(Qt::ShortcutFocusReason);
}

void ComparePage::saveViewState() { session().settings.setViewState(QStringLiteral("compare/tab"), m_tabs->currentIndex()); }

} // namespace qw::ui
