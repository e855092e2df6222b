// SPDX-License-Identifier: GPL-3.0-or-later
// What: what the page Compare computes and does: facts, table, verdict, copies, report.
#include "models/compare_model.h"
#include "models/config_diff.h"
#include "models/report.h"
#include "pages/compare/compare_charts.h"
#include "pages/compare/compare_page.h"
#include "pages/compare/compare_pickers.h"
#include "pages/compare/items_view.h"
#include "theme/theme.h"

#include <QClipboard>
#include <QFileDialog>
#include <QGuiApplication>
#include <QLabel>
#include <QPushButton>
#include <QTabWidget>
#include <QTableView>
#include <QTextBrowser>
#include <algorithm>

namespace qw::ui {
namespace {

// Facts that a table is made of; steps of a run in training are none of them.
QString stampOf(const Snapshot& snapshot, const QString& baseline, const QStringList& runs) {
    QString stamp = snapshot.project + QLatin1Char('\n') + baseline;
    for (const QString& uid : runs) {
        const RunFacts* run = snapshot.run(uid);
        if (!run) continue;
        stamp += QStringLiteral("\n%1 %2 %3 %4 %5 %6")
                     .arg(uid, text(run->info.identity.name))
                     .arg(run->results.size())
                     .arg(static_cast<int>(run->info.state))
                     .arg(run->nativeBytes + run->modelBytes)
                     .arg(run->info.trashedMs);
    }
    return stamp;
}

// What holds for several rows is said once, with their names in front.
QStringList shortNotes(const std::vector<std::string>& footnotes) {
    QStringList subjects, facts;
    for (const std::string& note : footnotes) {
        const QString words = text(note);
        const qsizetype colon = words.indexOf(QLatin1String(": "));
        const QString fact = colon < 0 ? words : words.mid(colon + 2);
        const qsizetype at = colon < 0 ? -1 : facts.indexOf(fact);
        if (at >= 0) {
            subjects[at] += QStringLiteral(", ") + words.left(colon);
        } else {
            subjects << (colon < 0 ? QString() : words.left(colon));
            facts << fact;
        }
    }
    QStringList notes;
    for (qsizetype i = 0; i < facts.size(); ++i)
        notes << (subjects[i].isEmpty() ? facts[i] : subjects[i] + QStringLiteral(": ") + facts[i]);
    return notes;
}

} // namespace

void ComparePage::showEmpty() {
    const SnapshotPtr snapshot = session().project.snapshot();
    const auto choices = snapshot ? studyChoices(*snapshot) : std::vector<StudyChoice>();
    const auto driven = snapshot ? std::ranges::find_if(snapshot->studies, &StudyFacts::driven) : std::vector<StudyFacts>::const_iterator();
    if (choices.empty() && snapshot && driven != snapshot->studies.end())
        setEmpty(
            tr("“%1” is being worked on. Its rows can be compared here as soon as two of them have results.").arg(text(driven->info.name)),
            tr("Watch it live"), [this] { session().goTo(PageId::Live); });
    else if (choices.empty())
        setEmpty(tr("Choose a baseline and one run. A study makes both: it trains a float reference and every scheme."), tr("Plan a study"),
                 [this] { session().goTo(PageId::Train); });
    else
        setEmpty(tr("Choose a baseline and one run: in Runs, Space adds a run and B makes it the baseline."),
                 tr("Compare the study “%1”").arg(choices.front().name),
                 [this, uid = choices.front().uid] { m_pickers->chooseStudy(uid); });
    m_comparison.reset();
    setEvaluation(tr("nothing is compared yet"));
    m_stamp.clear();
    setViewState(ViewState::Empty);
}

void ComparePage::refresh(bool force) {
    const SnapshotPtr snapshot = session().project.snapshot();
    QStringList runs = session().compared();
    const QString baseline = session().baseline();
    if (!baseline.isEmpty() && !runs.contains(baseline)) runs.prepend(baseline);
    if (snapshot) runs.removeIf([&](const QString& uid) { return !snapshot->run(uid) || snapshot->run(uid)->info.trashedMs > 0; });
    if (!snapshot || runs.size() < 2) {
        showEmpty();
        return;
    }
    const QString stamp = stampOf(*snapshot, baseline, runs);
    if (stamp == m_stamp && !force) return;
    m_stamp = stamp;
    if (m_comparison)
        setStale(true);
    else
        setViewState(ViewState::Loading, tr("Comparing…"));
    session().project.query<std::shared_ptr<Comparison>>(
        QStringLiteral("compare"),
        [snapshot, baseline, runs](store::Store& store) { return gatherComparison(store, *snapshot, baseline, runs); }, this,
        [this](Result<std::shared_ptr<Comparison>> gathered) {
            if (gathered)
                compute(*std::move(gathered));
            else
                fail(gathered.error(), {{tr("Try again"), [this] { refresh(true); }, {}}});
        });
}

void ComparePage::compute(std::shared_ptr<Comparison> comparison) {
    session().activities.end(m_activity);
    m_activity = session().activities.begin(tr("Comparing %1 runs").arg(comparison->runs.size()), [this] { stopComputing(); });
    session().compute.request<ComparisonPtr>(
        QStringLiteral("compareTable"),
        [comparison = std::move(comparison)](const CancelFlag&) -> ComparisonPtr {
            computeTable(*comparison);
            return comparison;
        },
        this, [this](ComparisonPtr done) { showComparison(done); });
}

void ComparePage::stopComputing() {
    session().activities.end(m_activity);
    session().compute.cancel(QStringLiteral("compareTable"));
    if (m_comparison) // the table before stays
        setStale(false);
    else
        fail(Error{"engine.cancelled", utf8(tr("The comparison was called off.")), "", "", true},
             {{tr("Compare again"), [this] { refresh(true); }, {}}});
}

void ComparePage::showComparison(const ComparisonPtr& comparison) {
    session().activities.end(m_activity);
    m_comparison = comparison;
    m_filled.clear();
    m_model->setComparison(comparison);
    m_pickers->refresh(comparison);
    m_notes->setText(shortNotes(study::footnotes(comparison->table)).join(QLatin1Char('\n')));
    setStale(false);
    setViewState(ViewState::Ready);
    showVerdict();
    showTab();
    showButtons();
    warnNotComparable();
}

void ComparePage::showVerdict() {
    if (!m_comparison) return;
    const auto& verdict = m_comparison->table.verdict;
    m_verdict->setText(text(verdict.sentence));
    const int side = fontMetrics().height() * 3 / 2;
    const bool ship = verdict.line >= 0;
    m_verdictIcon->setPixmap(Theme::instance()
                                 .icon(ship ? QStringLiteral("check") : QStringLiteral("info"), ship ? Token::Good : Token::Info)
                                 .pixmap(side, side));
}

void ComparePage::warnNotComparable() {
    for (const auto& line : m_comparison->table.lines)
        for (size_t c = 0; c < line.cells.size(); ++c) {
            const std::string& why = line.cells[c].notComparable;
            if (why.empty()) continue;
            banner().show(
                Banner::Strength::Warning,
                Error{
                    "compare.not_comparable",
                    utf8(tr("%1 cannot be held against its reference on %2: %3.")
                             .arg(text(line.label), text(m_comparison->table.columns[c].task), text(why))),
                    utf8(tr(
                        "Evaluate it again with the same task file, limit and settings; crossed-out values take no part in the verdict.")),
                    "", false});
            return;
        }
    banner().dismiss();
}

void ComparePage::showPair() {
    m_filled.remove(m_items);
    m_filled.remove(m_tabs->widget(4));
    showTab();
}

void ComparePage::showTab() {
    QWidget* tab = m_tabs->currentWidget();
    if (!m_comparison || m_filled.contains(tab)) return;
    m_filled.insert(tab);
    if (tab == m_bars) m_bars->setComparison(m_comparison);
    if (tab == m_pareto) m_pareto->setComparison(m_comparison);
    if (tab == m_items) m_items->setComparison(m_comparison, m_pickers->ptq(), m_pickers->qat());
    if (tab == m_curves) m_curves->setComparison(m_comparison);
    if (tab == m_report) {
        session().compute.request<QString>(
            QStringLiteral("reportPreview"),
            [comparison = m_comparison, dir = session().project.dir()](const CancelFlag&) {
                return reportHtml(*comparison, {dir, QDateTime::currentDateTime(), true});
            },
            this, [this](const QString& html) { m_report->setHtml(html); });
    }
    if (tab == m_tabs->widget(4)) {
        std::vector<ConfigDiff::Side> sides;
        for (size_t i = 0; i < m_comparison->runs.size(); ++i)
            sides.push_back({text(m_comparison->rows[i].label), flattenConfig(m_comparison->runs[i].config.toUtf8())});
        m_diff->setSides(std::move(sides));
    }
}

QString ComparePage::exportedRun() const {
    const QModelIndex at = m_table->currentIndex();
    if (at.isValid()) return at.siblingAtColumn(0).data(CompareModel::UidRole).toString();
    return m_comparison ? m_comparison->runOfLine(m_comparison->table.verdict.line) : QString();
}

void ComparePage::showButtons() {
    if (!m_comparison) return;
    const int missing = m_comparison->missingCount();
    m_evaluate->setText(missing ? tr("Evaluate missing (%1)").arg(missing) : tr("Evaluate missing"));
    QStringList lines;
    for (const MissingResult& one : m_comparison->missing)
        lines << (one.tasks.isEmpty() ? one.name : tr("%1: %2").arg(one.name, one.tasks.join(QStringLiteral(", "))));
    m_evaluate->setProperty("helpText",
                            missing ? tr("Measure what is missing, and nothing else:") + QLatin1Char('\n') + lines.join(QLatin1Char('\n'))
                                    : tr("Measure the tasks and rows that the comparison lacks"));
    setEvaluation(missing == 0 ? tr("every compared run has all results") : whyNoEvaluation());
    setDisabledReason(m_export, exportedRun().isEmpty() ? tr("select a row of the table first") : QString());
}

void ComparePage::copy(const QString& what, const std::string& words) {
    if (words.empty()) return;
    QGuiApplication::clipboard()->setText(text(words));
    m_said->setText(tr("%1 copied").arg(what));
}

void ComparePage::chooseReportFile() {
    auto* dialog = new QFileDialog(this, tr("Save report"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setNameFilters({tr("HTML, one file (*.html)"), tr("PDF (*.pdf)")});
    dialog->setDefaultSuffix(QStringLiteral("html"));
    dialog->selectFile((m_comparison && !m_comparison->studyName.isEmpty() ? m_comparison->studyName : tr("comparison")) +
                       QStringLiteral(".html"));
    connect(dialog, &QFileDialog::filterSelected, dialog, [dialog](const QString& filter) {
        dialog->setDefaultSuffix(filter.contains(QLatin1String("pdf")) ? QStringLiteral("pdf") : QStringLiteral("html"));
    });
    connect(dialog, &QFileDialog::fileSelected, this, &ComparePage::writeReport);
    dialog->open();
}

void ComparePage::writeReport(const QString& file) {
    if (!m_comparison) return;
    const int activity = session().activities.begin(tr("Writing the report"));
    const auto done = [this, file, activity](const Status& status) {
        session().activities.end(activity);
        if (status)
            m_said->setText(tr("Saved %1").arg(file));
        else
            Q_EMIT session().notice(status.error());
    };
    session().compute.request<Status>(
        QString(),
        [comparison = m_comparison, file, dir = session().project.dir()](const CancelFlag&) -> Status {
            const ReportOptions options{dir, QDateTime::currentDateTime(), false};
            return file.endsWith(QLatin1String(".pdf"), Qt::CaseInsensitive) ? writeReportPdf(*comparison, options, file)
                                                                             : writeReportHtml(*comparison, options, file);
        },
        this, done);
}

void ComparePage::openRun(const QString& uid) {
    if (uid.isEmpty()) return;
    session().showLive(uid);
    session().goTo(PageId::Live);
}

} // namespace qw::ui
