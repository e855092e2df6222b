// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Compare (ui.md 4.8): verdict, table, bars, Pareto, items, recipes side by side, curves, report of the chosen runs.
#pragma once

#include "models/comparison.h"
#include "pages/page.h"

class QLabel;
class QPushButton;
class QShortcut;
class QTabWidget;
class QTableView;
class QTextBrowser;

namespace qw::ui {

class BarsView;
class CompareModel;
class ComparePickers;
class ConfigDiff;
class CurvesView;
class ItemsView;
class ParetoView;

class ComparePage : public Page {
    Q_OBJECT
public:
    ComparePage(Session& session, ActionRegistry& actions);
    void find() override;
    void saveViewState() override;
    [[nodiscard]] ComparisonPtr comparison() const { return m_comparison; }
    // Saves the report; the ending says as what: .html or .pdf.
    void writeReport(const QString& file);

private:
    QWidget* buildHead();
    QWidget* buildTable();
    QWidget* buildDiff();
    QWidget* buildReport();
    QWidget* buildFoot();
    void buildActions();
    void wire();

    void refresh(bool force = false);
    void compute(std::shared_ptr<Comparison> comparison);
    void stopComputing();
    void chooseResultsFile();
    void importResults(const QString& file);
    void setEvaluation(const QString& whyNot); // of the button and of its action
    void showComparison(const ComparisonPtr& comparison);
    void showVerdict();
    void showPair(); // what depends on PTQ and QAT of the pickers
    void showTab();  // views are filled when they are looked at
    void showButtons();
    void showEmpty();
    void warnNotComparable();
    void copy(const QString& what, const std::string& words);
    void evaluateMissing();
    [[nodiscard]] QString whyNoEvaluation() const; // empty: something can be done
    void setChartAlone(bool alone);                // the curves on the whole page
    void chooseReportFile();
    void openRun(const QString& uid);
    [[nodiscard]] QString exportedRun() const; // selected row, else the verdict's

    ComparisonPtr m_comparison;
    QString m_stamp;
    int m_activity = 0; // of the table in work
    CompareModel* m_model = nullptr;
    ConfigDiff* m_diff = nullptr;
    ComparePickers* m_pickers = nullptr;
    QLabel* m_verdictIcon = nullptr;
    QLabel* m_verdict = nullptr;
    QLabel* m_notes = nullptr;
    QTabWidget* m_tabs = nullptr;
    QTableView* m_table = nullptr;
    BarsView* m_bars = nullptr;
    ParetoView* m_pareto = nullptr;
    ItemsView* m_items = nullptr;
    CurvesView* m_curves = nullptr;
    QTextBrowser* m_report = nullptr;
    QPushButton* m_evaluate = nullptr;
    QPushButton* m_export = nullptr;
    QPushButton* m_reportButton = nullptr;
    QLabel* m_said = nullptr;
    QWidget* m_head = nullptr;
    QWidget* m_foot = nullptr;
    QShortcut* m_escape = nullptr; // on while the chart is alone
    QSet<QWidget*> m_filled;       // tabs that show m_comparison
};

} // namespace qw::ui
