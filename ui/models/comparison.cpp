// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/comparison.h"

#include "config/recipe_file.h"
#include "study/gather.h"
#include "study/study_file.h"

#include <algorithm>

namespace qw::ui {
namespace {

using records::RowRole;

ComparedRun describe(const RunFacts& run, const Snapshot& snapshot) {
    const auto& info = run.info;
    ComparedRun out;
    out.uid = text(info.identity.uid);
    out.name = text(info.identity.name);
    out.config = text(info.config);
    out.modelHash = info.model ? text(info.model->fingerprint) : QString();
    out.configHash = text(info.configHash);
    out.key = text(info.identity.key);
    out.environment = text(info.env);
    out.colour = colourOf(snapshot, run);
    for (const auto& metric : run.metrics) out.series.push_back(text(metric.name));
    return out;
}

// What the study's recipe says: the rule of the verdict, and which of its members have no results yet.
void readStudy(Comparison& comparison, const Snapshot& snapshot) {
    const auto found = std::ranges::find_if(snapshot.studies, [&](const StudyFacts& s) { return text(s.info.uid) == comparison.studyUid; });
    if (found == snapshot.studies.end() || found->info.dir.empty()) return;
    comparison.studyName = text(found->info.name);
    comparison.studyDir = text(found->info.dir.string());
    const auto study = study::openStudy(found->info.dir);
    if (!study) return;
    comparison.rule = study->recipe.verdict;
    comparison.studyRecipe = text(config::writeRecipe(study->recipe));
    for (const auto& task : study->recipe.eval.tasks) comparison.tasks.insert(text(task.name), task);
    // Members that never ran are missing only where the whole study is compared.
    comparison.wholeStudy = std::ranges::all_of(study->rows, [&](const study::Row& row) {
        const RunFacts* run = row.runUid.empty() ? nullptr : snapshot.run(text(row.runUid));
        return !run || run->results.empty() || run->info.trashedMs > 0 || comparison.indexOf(text(row.runUid)) >= 0;
    });
    for (const auto& row : study->rows) {
        const RunFacts* run = row.runUid.empty() ? nullptr : snapshot.run(text(row.runUid));
        const bool compared = run && comparison.indexOf(text(row.runUid)) >= 0;
        if (comparison.wholeStudy && !compared && (!run || run->info.state != records::RunState::Completed))
            comparison.missing.push_back({{}, text(row.member.run.name), {}, {}});
    }
}

// Final results that a compared run lacks and another one's recipe asks for.
void findMissing(Comparison& comparison, const Snapshot& snapshot) {
    QMap<QString, QString> asks; // task -> a run whose recipe has it
    for (const ComparedRun& run : comparison.runs)
        if (const auto recipe = config::parseRecipe(utf8(run.config), "config.resolved.json"))
            for (const auto& task : recipe->eval.tasks)
                if (!asks.contains(text(task.name))) asks.insert(text(task.name), run.uid);
    for (size_t i = 0; i < comparison.runs.size(); ++i) {
        const RunFacts* run = snapshot.run(comparison.runs[i].uid);
        if (run && run->info.config.empty()) continue; // published results: there is no model to measure
        MissingResult one{comparison.runs[i].uid, text(comparison.rows[i].label), {}, {}};
        if (run && run->info.state != records::RunState::Completed) {
            comparison.missing.push_back(one);
            continue;
        }
        for (const auto& [task, like] : asks.asKeyValueRange()) {
            const auto has = [&, name = utf8(task)](const study::TaskFacts& facts) { return facts.result.task == name; };
            if (std::ranges::any_of(comparison.rows[i].tasks, has)) continue;
            one.tasks << task;
            if (!one.like.contains(like)) one.like << like;
        }
        if (!one.tasks.isEmpty()) comparison.missing.push_back(one);
    }
}

// Names that several rows share would make one line look like another.
void tellApart(std::vector<study::FactRow>& rows, const std::vector<ComparedRun>& runs) {
    for (size_t i = 0; i < rows.size(); ++i)
        for (size_t k = 0; k < rows.size(); ++k)
            if (i != k && rows[i].label == rows[k].label && rows[i].seed == rows[k].seed) {
                rows[i].label += " (" + utf8(runs[i].uid.right(4)) + ")";
                break;
            }
}

} // namespace

int Comparison::missingCount() const {
    int count = 0;
    for (const MissingResult& one : missing) count += std::max(1, static_cast<int>(one.tasks.size()));
    return count;
}

int Comparison::indexOf(const QString& uid) const {
    const auto at = std::ranges::find(runs, uid, &ComparedRun::uid);
    return at == runs.end() ? -1 : static_cast<int>(at - runs.begin());
}

int Comparison::lineOf(const QString& uid) const {
    const int row = indexOf(uid);
    for (size_t line = 0; line < table.lines.size(); ++line)
        if (std::ranges::find(table.lines[line].rows, static_cast<size_t>(row)) != table.lines[line].rows.end())
            return static_cast<int>(line);
    return -1;
}

QString Comparison::runOfLine(int line) const {
    if (line < 0 || line >= static_cast<int>(table.lines.size()) || table.lines[static_cast<size_t>(line)].rows.empty()) return {};
    return runs[table.lines[static_cast<size_t>(line)].rows.front()].uid;
}

Result<std::shared_ptr<Comparison>> gatherComparison(const store::Store& store, const Snapshot& snapshot, const QString& baseline,
                                                     const QStringList& runs) {
    auto out = std::make_shared<Comparison>();
    out->baseline = baseline;
    QStringList wanted = runs;
    if (!baseline.isEmpty() && !wanted.contains(baseline)) wanted.prepend(baseline);
    for (const QString& uid : wanted) {
        const RunFacts* run = snapshot.run(uid);
        if (!run || run->info.trashedMs > 0) continue;
        QW_TRY(auto row, study::gatherRun(store, utf8(uid)));
        out->rows.push_back(std::move(row));
        out->runs.push_back(describe(*run, snapshot));
        if (const auto recipe = config::parseRecipe(run->info.config, run->info.dir / "config.resolved.json"))
            for (const auto& task : recipe->eval.tasks) out->tasks.insert(text(task.name), task);
        if (out->studyUid.isEmpty()) out->studyUid = text(run->info.identity.studyUid);
    }
    if (out->indexOf(baseline) < 0) out->baseline.clear();
    tellApart(out->rows, out->runs);
    readStudy(*out, snapshot);
    findMissing(*out, snapshot);
    return out;
}

void computeTable(Comparison& comparison) {
    comparison.table = study::compare(comparison.rows, study::CompareOptions{comparison.rule, utf8(comparison.baseline)});
}

std::vector<StudyChoice> studyChoices(const Snapshot& snapshot) {
    std::vector<StudyChoice> choices;
    for (const StudyFacts& study : snapshot.studies) {
        StudyChoice choice{text(study.info.uid), text(study.info.name), {}, {}};
        std::vector<std::pair<int, QString>> ordered;
        for (const auto& row : study.rows) {
            const RunFacts* run = snapshot.run(text(row.runUid));
            if (!run || run->info.trashedMs > 0 || run->results.empty()) continue;
            ordered.emplace_back(row.role == RowRole::Float ? 0 : row.role == RowRole::FloatTrained ? 1 : 2, text(row.runUid));
        }
        for (const RunFacts& run : snapshot.runs) { // folders that these runs were written to
            const auto& id = run.info.identity;
            const bool ours = std::ranges::any_of(study.rows, [&](const store::StudyRow& row) { return row.runUid == id.parentUid; });
            if (id.role != RowRole::Exported || !ours || run.info.trashedMs > 0 || run.results.empty()) continue;
            ordered.emplace_back(3, text(id.uid));
        }
        std::ranges::sort(ordered); // uids sort by creation
        for (const auto& [rank, uid] : ordered) choice.runs << uid;
        if (choice.runs.size() > 1) choices.push_back(std::move(choice));
    }
    return choices;
}

} // namespace qw::ui
