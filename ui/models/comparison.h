// SPDX-License-Identifier: GPL-3.0-or-later
// What: the facts of the compared runs, read in one go on the store's thread, and the table computed from them on another one.
// Why here: page, copies and report all show this one object; it never changes once made.
#pragma once

#include "client/project.h"
#include "study/compare.h"
#include "tasks/tasks.h"

#include <QMap>
#include <QStringList>
#include <memory>

namespace qw::ui {

struct ComparedRun {
    QString uid, name, config; // config: JSON of the resolved recipe
    QString modelHash, configHash, key, environment;
    int colour = 0; // Theme::series
    std::vector<QString> series;
};

// What a compared run, or a member of the compared study, lacks.
struct MissingResult {
    QString run, name; // run empty: a member that has not run yet
    QStringList tasks; // of a finished run; empty: it did not come to its end
    QStringList like;  // runs whose recipes have these tasks
};

struct Comparison {
    std::vector<study::FactRow> rows; // one a run, in the order of `runs`
    std::vector<ComparedRun> runs;
    QString baseline; // uid; empty: the study's own rule
    records::Verdict rule;
    QString studyUid, studyName, studyDir, studyRecipe; // studyRecipe: with absolute paths, JSON
    std::vector<MissingResult> missing;
    bool wholeStudy = false;                // every row of the study that has results is compared
    [[nodiscard]] int missingCount() const; // tasks, and rows that are missing whole
    QMap<QString, records::EvalTask> tasks; // as the recipes name them
    study::Table table;

    [[nodiscard]] int indexOf(const QString& uid) const; // -1: not compared
    [[nodiscard]] int lineOf(const QString& uid) const;  // line of the table that holds this run; -1: none
    [[nodiscard]] QString runOfLine(int line) const;     // its first run
};
using ComparisonPtr = std::shared_ptr<const Comparison>;

// On the store's thread: facts only. studies: of the snapshot, to find what belongs together.
[[nodiscard]] Result<std::shared_ptr<Comparison>> gatherComparison(const store::Store& store, const Snapshot& snapshot,
                                                                   const QString& baseline, const QStringList& runs);
// Bootstraps over items: off the GUI thread.
void computeTable(Comparison& comparison);

// The runs of a study that have results, in its order, then exports of them that were evaluated, and its float reference.
struct StudyChoice {
    QString uid, name, baseline;
    QStringList runs;
};
[[nodiscard]] std::vector<StudyChoice> studyChoices(const Snapshot& snapshot); // newest first

} // namespace qw::ui
