// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"
#include "project_store.h"
#include "study/compare_text.h"
#include "study/gather.h"

#include <algorithm>
#include <iostream>
#include <iterator>

namespace qw::cli {

namespace {

// Every word is a run or a study; none: the newest study.
Result<study::Gathered> gather(const store::Store& store, const std::vector<std::string>& words) {
    if (words.empty()) {
        QW_TRY(const auto studies, store.studies());
        if (studies.empty())
            return Error{"file.not_found", "there is no study in " + store.project().string(), "run a recipe: qatw run RECIPE", {}, false};
        return study::gatherStudy(store, studies.front().uid);
    }
    study::Gathered all;
    for (const std::string& word : words) {
        if (const auto info = store.study(word)) {
            QW_TRY(auto one, study::gatherStudy(store, info->uid));
            if (all.rows.empty()) all.verdict = one.verdict;
            std::move(one.rows.begin(), one.rows.end(), std::back_inserter(all.rows));
            continue;
        }
        auto row = study::gatherRun(store, word);
        if (!row && row.error().code == "file.not_found")
            return Error{"file.not_found",
                         "there is neither a study nor a run '" + word + "' in " + store.project().string(),
                         "list them with qatw runs",
                         {},
                         false};
        if (!row) return std::move(row).error();
        all.rows.push_back(std::move(*row));
    }
    return all;
}

} // namespace

int cmdCompare(CommandLine& line) {
    std::vector<std::string> words;
    std::string project, baseline;
    bool markdown = false, csv = false, json = false;
    line.positionals("STUDY|RUN", words, "studies or runs, by id, start of an id, or name; none: the newest study");
    line.option("--baseline", baseline, "run that every row is held against");
    line.flag("--markdown", markdown, "a Markdown table");
    line.flag("--csv", csv, "one line a row, unrounded");
    line.flag("--json", json, "one JSON object, unrounded");
    line.option("--project", project, "project folder");
    if (const auto done = line.parse()) return *done;
    if (markdown + csv + json > 1)
        return fail(Error{"usage", "--markdown, --csv and --json exclude each other", "choose one", {}, false}, json);

    auto store = openProject(project);
    if (!store) return fail(store.error(), json);
    auto facts = gather(*store, words);
    if (!facts) return fail(facts.error(), json);
    study::CompareOptions options{facts->verdict, {}};
    if (!baseline.empty()) {
        const auto run = store->run(baseline);
        if (!run) return fail(run.error(), json);
        options.baseline = run->identity.uid;
        const auto present = [&](const study::FactRow& row) { return row.run == options.baseline; };
        if (std::none_of(facts->rows.begin(), facts->rows.end(), present)) {
            auto row = study::gatherRun(*store, options.baseline);
            if (!row) return fail(row.error(), json);
            facts->rows.insert(facts->rows.begin(), std::move(*row));
        }
    }
    const study::Table table = study::compare(facts->rows, options);
    if (json)
        std::cout << study::toJson(table) << '\n';
    else if (csv)
        std::cout << study::toCsv(table);
    else if (markdown)
        std::cout << study::toMarkdown(table);
    else {
        if (!facts->name.empty()) std::cout << "Study " << facts->name << "\n\n";
        std::cout << study::toPlain(table);
    }
    return 0;
}

} // namespace qw::cli
