// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/compare/compare_pickers.h"

#include "theme/theme.h"
#include "widgets/action_registry.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QSignalBlocker>
#include <QToolButton>
#include <algorithm>

namespace qw::ui {
namespace {

using records::RowRole;
constexpr qsizetype kMenuRuns = 30; // more are found by the filter of the page Runs

// A box may be too narrow for the name in it.
void tellWhole(QComboBox* box) { box->setToolTip(box->currentText() + QLatin1Char('\n') + box->property("help").toString()); }

QString uidOf(const QComboBox* box) { return box->currentData().toString(); }

} // namespace

ComparePickers::ComparePickers(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    m_study = combo(QStringLiteral("compareStudy"), tr("Study"), tr("Compare all rows of a study that have results"));
    m_baseline = combo(QStringLiteral("compareBaseline"), tr("Baseline"), tr("The run that every row is held against"));
    m_ptq = combo(QStringLiteral("comparePtq"), tr("PTQ"), tr("First run of the pair whose items and recipes are looked at closely"));
    m_qat = combo(QStringLiteral("compareQat"), tr("QAT"), tr("Second run of the pair"));
    m_add = new QToolButton(this);
    m_add->setObjectName(QStringLiteral("compareAdd"));
    m_add->setText(tr("Add"));
    m_add->setIcon(Theme::instance().icon(QStringLiteral("add")));
    m_add->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_add->setPopupMode(QToolButton::InstantPopup);
    m_add->setToolTip(tr("Add one more run to the comparison, or take one out"));
    m_addMenu = new QMenu(m_add);
    m_add->setMenu(m_addMenu);
    m_swap = new QPushButton(Theme::instance().icon(QStringLiteral("swap")), tr("Swap"), this);
    m_swap->setObjectName(QStringLiteral("compareSwap"));
    m_swap->setToolTip(tr("Hold the baseline against the QAT run instead of the QAT run against the baseline: all signs turn"));
    row->addWidget(m_add);
    row->addWidget(m_swap);
    wire();
}

QComboBox* ComparePickers::combo(const QString& name, const QString& label, const QString& help) {
    auto* words = new QLabel(label, this);
    words->setProperty("look", QStringLiteral("muted"));
    auto* box = new QComboBox(this);
    box->setObjectName(name);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(5);
    box->setToolTip(help);
    box->setProperty("help", help);
    connect(box, &QComboBox::currentTextChanged, box, [box] { tellWhole(box); });
    box->setAccessibleName(label);
    words->setBuddy(box);
    auto* row = qobject_cast<QHBoxLayout*>(layout());
    row->addWidget(words);
    row->addWidget(box, 1);
    return box;
}

void ComparePickers::wire() {
    connect(m_study, &QComboBox::activated, this, [this] { chooseStudy(uidOf(m_study)); });
    connect(m_baseline, &QComboBox::activated, this, [this] { m_session.setBaseline(uidOf(m_baseline)); });
    connect(m_ptq, &QComboBox::activated, this, [this] {
        m_ptqUid = uidOf(m_ptq);
        include(m_ptqUid);
        Q_EMIT pairChanged();
    });
    connect(m_qat, &QComboBox::activated, this, [this] {
        m_qatUid = uidOf(m_qat);
        include(m_qatUid);
        Q_EMIT pairChanged();
    });
    connect(m_addMenu, &QMenu::aboutToShow, this, &ComparePickers::fillAddMenu);
    connect(m_swap, &QPushButton::clicked, this, &ComparePickers::swap);
    connect(&Theme::instance(), &Theme::changed, this, [this] {
        m_add->setIcon(Theme::instance().icon(QStringLiteral("add")));
        m_swap->setIcon(Theme::instance().icon(QStringLiteral("swap")));
    });
}

void ComparePickers::chooseStudy(const QString& uid) {
    const SnapshotPtr snapshot = m_session.project.snapshot();
    if (!snapshot) return;
    for (const StudyChoice& choice : studyChoices(*snapshot)) {
        if (choice.uid != uid) continue;
        m_ptqUid.clear();
        m_qatUid.clear();
        m_session.setBaseline({});
        m_session.setCompared(choice.runs);
        return;
    }
}

void ComparePickers::include(const QString& uid) {
    QStringList runs = m_session.compared();
    if (uid.isEmpty() || runs.contains(uid)) return;
    m_session.setCompared(runs << uid);
}

// The verdict's scheme first; else the first pair of PTQ and QAT there is.
void ComparePickers::choosePair(const Comparison& comparison) {
    if (comparison.indexOf(m_ptqUid) >= 0 && comparison.indexOf(m_qatUid) >= 0) return;
    const auto& lines = comparison.table.lines;
    const auto use = [&](int qat) {
        m_qatUid = comparison.runOfLine(qat);
        m_ptqUid = comparison.runOfLine(lines[static_cast<size_t>(qat)].twin);
    };
    const int winner = comparison.table.verdict.line >= 0 ? comparison.table.verdict.line : comparison.table.verdict.nearest;
    for (size_t i = 0; i < lines.size(); ++i) {
        const bool wanted = winner < 0 || lines[i].scheme == lines[static_cast<size_t>(winner)].scheme;
        if (wanted && lines[i].role == RowRole::Qat && lines[i].twin >= 0) return use(static_cast<int>(i));
    }
    for (size_t i = 0; i < lines.size(); ++i)
        if (lines[i].twin >= 0) return use(static_cast<int>(i));
    // No twins: any two rows.
    m_ptqUid = comparison.runOfLine(0);
    m_qatUid = comparison.runOfLine(static_cast<int>(lines.size()) - 1);
}

void ComparePickers::fillRuns(QComboBox* box, RowRole role, const QString& current) {
    const QSignalBlocker quiet(box);
    box->clear();
    const bool any = role == RowRole::Float; // the baseline may be any row
    if (any) box->addItem(tr("study's rule"), QString());
    std::vector<std::pair<QString, QString>> others;
    for (size_t i = 0; i < m_comparison->runs.size(); ++i) {
        const auto entry = std::pair{text(m_comparison->rows[i].label), m_comparison->runs[i].uid};
        if (any || m_comparison->rows[i].role == role)
            box->addItem(entry.first, entry.second);
        else
            others.push_back(entry);
    }
    if (!any && !others.empty()) {
        if (box->count() > 0) box->insertSeparator(box->count());
        for (const auto& [name, uid] : others) box->addItem(name, uid);
    }
    const int at = box->findData(current);
    box->setCurrentIndex(std::max(at, 0));
    tellWhole(box);
}

void ComparePickers::refresh(const ComparisonPtr& comparison) {
    m_comparison = comparison;
    const SnapshotPtr snapshot = m_session.project.snapshot();
    {
        const QSignalBlocker quiet(m_study);
        m_study->clear();
        if (snapshot)
            for (const StudyChoice& choice : studyChoices(*snapshot)) m_study->addItem(choice.name, choice.uid);
        m_study->setCurrentIndex(comparison ? m_study->findData(comparison->studyUid) : -1);
        tellWhole(m_study);
    }
    if (!comparison) return;
    choosePair(*comparison);
    fillRuns(m_baseline, RowRole::Float, comparison->baseline);
    fillRuns(m_ptq, RowRole::Ptq, m_ptqUid);
    fillRuns(m_qat, RowRole::Qat, m_qatUid);
    setDisabledReason(m_swap, m_qatUid.isEmpty() ? tr("there is no second run to swap with") : QString());
}

void ComparePickers::fillAddMenu() {
    m_addMenu->clear();
    const SnapshotPtr snapshot = m_session.project.snapshot();
    if (!snapshot) return;
    const QStringList compared = m_session.compared();
    qsizetype shown = 0;
    for (auto run = snapshot->runs.rbegin(); run != snapshot->runs.rend() && shown < kMenuRuns; ++run) {
        if (run->info.trashedMs > 0 || run->results.empty()) continue;
        const QString uid = text(run->info.identity.uid);
        const QString study = text(run->info.identity.studyName);
        QAction* action =
            m_addMenu->addAction(text(run->info.identity.name) + (study.isEmpty() ? QString() : QStringLiteral("  ·  ") + study));
        action->setCheckable(true);
        action->setChecked(compared.contains(uid));
        connect(action, &QAction::triggered, this, [this, uid](bool on) {
            QStringList runs = m_session.compared();
            runs.removeAll(uid);
            if (on) runs << uid;
            m_session.setCompared(runs);
        });
        ++shown;
    }
    m_addMenu->addSeparator();
    connect(m_addMenu->addAction(tr("Choose in Runs…")), &QAction::triggered, this, [this] { m_session.goTo(PageId::Runs); });
}

// Baseline and QAT run change places.
void ComparePickers::swap() {
    if (!m_comparison) return;
    QString reference = m_comparison->baseline;
    if (reference.isEmpty()) {
        const int line = m_comparison->lineOf(m_qatUid);
        if (line >= 0) reference = m_comparison->runOfLine(m_comparison->table.lines[static_cast<size_t>(line)].reference);
    }
    const QString before = std::exchange(m_qatUid, reference);
    m_session.setBaseline(before);
}

} // namespace qw::ui
