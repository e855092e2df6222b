// SPDX-License-Identifier: GPL-3.0-or-later
#include "study/gather.h"

#include "study/study_file.h"

#include <algorithm>

namespace qw::study {

using records::RowRole;

namespace {

bool isQuantized(RowRole role) { return role == RowRole::Ptq || role == RowRole::Qat; }

// A quantized row counts by its stored codes, a float row by its float weights; evaluations on the way are no results of the row.
bool counts(RowRole role, const records::EvalResult& result) {
    if (role == RowRole::Exported) return result.atStep < 0; // whatever its reader makes of it
    const bool quantized = result.variant == "quantized" || result.variant == "ptq";
    return result.atStep < 0 && quantized == isQuantized(role) && result.variant != "fake_quant";
}

std::string problemOf(const store::RunInfo& run) {
    if (run.state == records::RunState::Completed) return {};
    std::string text = records::stateName(run.state);
    if (run.error) text += ": " + run.error->message;
    return text;
}

double widthOf(const std::string& dtype) { return dtype.ends_with("32") ? 32 : dtype.ends_with("16") ? 16 : 0; }

void fillSize(const store::Store& store, const store::RunInfo& run, FactRow& row) {
    const bool quantized = isQuantized(row.role);
    if (run.model) {
        row.bytes = quantized ? run.model->quantizedBytes : run.model->bytes;
        row.bytesForecast = quantized && !run.config.empty(); // published results have no recipe: their sizes are what was told
        row.bitsPerWeight = quantized ? run.model->bitsPerWeight : 0;
        if (row.role == RowRole::Exported) row.bitsPerWeight = run.model->bitsPerWeight;
        if (!quantized && row.bitsPerWeight == 0)
            row.bitsPerWeight = widthOf(run.model->exportDtype.empty() ? run.model->dtype : run.model->exportDtype);
    }
    const auto artifacts = store.artifacts(run.identity.uid);
    if (!artifacts) return;
    for (const auto& artifact : *artifacts) {
        if (artifact.kind != (quantized ? "native" : "model") || artifact.bytes <= 0) continue;
        row.bytes = artifact.bytes;
        row.bytesForecast = false;
    }
}

void describe(FactRow& row, const records::RunIdentity& run) {
    row.label = run.name;
    row.role = run.role;
    row.scheme = run.scheme;
    row.method = run.method;
    row.block = run.block;
    row.seed = run.seed;
}

} // namespace

Result<FactRow> gatherRun(const store::Store& store, const std::string& runUid) {
    QW_TRY(const store::RunInfo run, store.run(runUid));
    FactRow row;
    row.run = run.identity.uid;
    row.parent = run.identity.role == RowRole::Exported ? run.identity.parentUid : std::string();
    describe(row, run.identity);
    row.problem = problemOf(run);
    fillSize(store, run, row);
    QW_TRY(const auto results, store.results(run.identity.uid));
    for (const auto& stored : results) {
        if (!counts(row.role, stored.result)) continue;
        TaskFacts facts{stored.result, {}};
        if (stored.items > 0) {
            QW_TRY(facts.items, store.items(stored.result.uid));
            std::ranges::sort(facts.items, {}, &records::EvalItem::item);
        }
        row.tasks.push_back(std::move(facts));
    }
    if (isQuantized(row.role)) {
        QW_TRY(const auto layers, store.layers(run.identity.uid));
        for (const auto& layer : layers)
            if (!layer.skipReason.empty()) row.skipped.push_back(layer.name);
    }
    return row;
}

namespace {

// Folders that the study's runs were written to, evaluated: behind the members, called after them.
Status addExported(const store::Store& store, std::vector<FactRow>& rows) {
    store::RunFilter evaluations;
    evaluations.kind = "eval";
    QW_TRY(const auto runs, store.runs(evaluations));
    const size_t members = rows.size();
    for (const auto& run : runs) {
        if (run.identity.role != RowRole::Exported) continue;
        const auto end = rows.begin() + static_cast<std::ptrdiff_t>(members);
        const auto of = std::find_if(rows.begin(), end, [&](const FactRow& row) { return row.run == run.identity.parentUid; });
        if (of == end) continue;
        QW_TRY(FactRow fact, gatherRun(store, run.identity.uid));
        const size_t dot = run.identity.method.find("· ");
        fact.label = std::string(of->label).append(" ").append(dot == std::string::npos ? "· exported" : run.identity.method.substr(dot));
        fact.scheme = of->scheme;
        fact.block = of->block;
        fact.seed = of->seed;
        rows.push_back(std::move(fact));
    }
    return {};
}

} // namespace

Result<Gathered> gatherStudy(const store::Store& store, const std::string& studyUid) {
    QW_TRY(const store::StudyInfo info, store.study(studyUid));
    QW_TRY(const auto rows, store.studyRows(info.uid));
    Gathered out;
    out.name = info.name;
    // The study's own folder knows the order and what is still missing; without it the store's rows are all there is.
    const auto study = info.dir.empty() ? Result<Study>(Error{}) : openStudy(info.dir);
    if (!study) {
        for (const auto& row : rows) {
            QW_TRY(FactRow fact, gatherRun(store, row.runUid));
            out.rows.push_back(std::move(fact));
        }
        QW_CHECK(addExported(store, out.rows));
        return out;
    }
    out.verdict = study->recipe.verdict;
    for (const Row& row : study->rows) {
        const auto& wanted = row.member.run;
        const auto served = std::ranges::find_if(rows, [&](const store::StudyRow& r) {
            return r.role == wanted.role && r.scheme == wanted.scheme && r.method == wanted.method && r.block == wanted.block &&
                   r.seed == wanted.seed;
        });
        const std::string uid = served != rows.end() ? served->runUid : row.runUid;
        FactRow fact;
        fact.problem = "has not run yet";
        if (!uid.empty()) {
            auto found = gatherRun(store, uid);
            if (found)
                fact = std::move(*found);
            else if (found.error().code == "file.not_found")
                fact.problem = "its run is gone";
            else
                return std::move(found).error();
        }
        // A run may have been made for another study; what it is called here is this study's word.
        describe(fact, wanted);
        out.rows.push_back(std::move(fact));
    }
    QW_CHECK(addExported(store, out.rows));
    return out;
}

} // namespace qw::study
