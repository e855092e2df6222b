// SPDX-License-Identifier: GPL-3.0-or-later
// What: what a comparison lacks: the page Compare has it measured, or takes rows that others published.
#include "drive/import_results.h"
#include "models/run_ways.h"
#include "pages/compare/compare_page.h"

#include <QFileDialog>
#include <QLabel>
#include <QPushButton>
#include <algorithm>

namespace qw::ui {

void ComparePage::setEvaluation(const QString& whyNot) {
    setDisabledReason(m_evaluate, whyNot);
    ActionRegistry::setDisabledReason(actions().find(QStringLiteral("run.evaluate")), whyNot);
}

// Rows that did not come to their end need their study, or themselves, to go on; finished ones are only measured.
QString ComparePage::whyNoEvaluation() const {
    const SnapshotPtr snapshot = session().project.snapshot();
    if (!snapshot || snapshot->readOnly) return tr("the project is open for reading only");
    QString why;
    for (const MissingResult& one : m_comparison->missing) {
        if (!one.tasks.isEmpty()) return {};
        const RunFacts* run = snapshot->run(one.run);
        const auto study =
            std::ranges::find_if(snapshot->studies, [&](const StudyFacts& s) { return text(s.info.uid) == m_comparison->studyUid; });
        const bool driven = study != snapshot->studies.end() && study->driven;
        why = run ? whyNoResume(*snapshot, run->info, run->info.state) : driven ? tr("the study is being worked on already") : QString();
        if (why.isEmpty()) return {};
    }
    return why;
}

void ComparePage::evaluateMissing() {
    const SnapshotPtr snapshot = session().project.snapshot();
    if (!m_comparison || !snapshot) return;
    const auto told = [this](const Result<QByteArray>& reply) {
        if (!reply) Q_EMIT session().notice(reply.error());
        session().project.refresh();
    };
    bool studyAsked = false;
    for (const MissingResult& one : m_comparison->missing) {
        const RunFacts* run = snapshot->run(one.run);
        if (!one.tasks.isEmpty()) {
            QStringList arguments{QStringLiteral("measure"), one.run};
            for (const QString& like : one.like) arguments << QStringLiteral("--like") << like;
            session().command(tr("Evaluating %1").arg(one.name), arguments << QStringLiteral("--project") << session().project.dir(), this,
                              {}, told);
        } else if (run && !(m_comparison->wholeStudy && studyOf(*snapshot, run->info))) { // its study may lack more than is asked for
            if (whyNoResume(*snapshot, run->info, run->info.state).isEmpty())
                session().engine.command(
                    {QStringLiteral("resume"), one.run, QStringLiteral("--wait"), QStringLiteral("--project"), session().project.dir()},
                    this, {}, told);
        } else if (!std::exchange(studyAsked, true) && !m_comparison->studyDir.isEmpty()) {
            session().engine.continueStudy(session().project.dir(), m_comparison->studyDir, this, told);
        }
    }
    m_said->setText(tr("queued"));
    setEvaluation(tr("what is missing is being measured already"));
}

void ComparePage::chooseResultsFile() {
    if (const SnapshotPtr snapshot = session().project.snapshot(); !snapshot || snapshot->readOnly) {
        Q_EMIT session().notice(Error{"engine.state", utf8(tr("Results cannot be imported: no project is open for writing.")),
                                      utf8(tr("Open one first.")), "", false});
        return;
    }
    session().goTo(PageId::Compare);
    auto* dialog = new QFileDialog(this, tr("Import published results"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setNameFilters({tr("Results (*.csv *.json)"), tr("All files (*)")});
    connect(dialog, &QFileDialog::fileSelected, this, &ComparePage::importResults);
    dialog->open();
}

// The new rows join those that are compared.
void ComparePage::importResults(const QString& file) {
    session().project.query<std::vector<std::string>>(
        QStringLiteral("importResults"), [path = utf8(file)](store::Store& store) { return drive::importResults(store, path); }, this,
        [this](const Result<std::vector<std::string>>& made) {
            if (!made) {
                Q_EMIT session().notice(made.error());
                return;
            }
            QStringList compared = session().compared();
            for (const std::string& uid : *made) compared << text(uid);
            session().project.refresh();
            session().setCompared(compared);
            m_said->setText(made->size() == 1 ? tr("1 row imported") : tr("%1 rows imported").arg(made->size()));
        });
}

} // namespace qw::ui
