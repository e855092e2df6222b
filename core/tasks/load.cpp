// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/digest.h"
#include "base/files.h"
#include "base/utf8.h"
#include "tasks/json_rows.h"
#include "tasks/tasks.h"
#include "tasks/text.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace qw::tasks {
namespace {

struct Known {
    std::string_view sha256, name;
};
constexpr std::array kKnown{
    // after line ends became LF
    Known{"173c87a53759e0201f33e0ccf978e510c2042d7f2cb78229d9a50d79b9e7dd08", "official wikitext-2-raw-v1 test"},
    Known{"4cd0f6876d07a413aa911261ff6d363c72d757d47f0fdd6015702014c89cb9c7", "official wikitext-2-raw-v1 validation"},
};

void checkText(std::string_view text, Problems& problems) {
    const auto lineOf = [&](size_t offset) {
        return 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
    };
    if (const auto bad = firstInvalidUtf8(text))
        problems.add(lineOf(*bad), "", "is not valid UTF-8 at byte offset " + std::to_string(*bad) + " of the file");
    else if (const size_t zero = text.find('\0'); zero != std::string_view::npos)
        problems.add(lineOf(zero), "", "holds U+0000 at byte offset " + std::to_string(zero) + ", text was expected");
}

void readText(const std::string& bytes, Problems& problems, TaskData& into) {
    checkText(bytes, problems);
    if (!problems.empty() || isBlank(bytes)) return;
    const std::string text = withLf(bytes);
    const auto add = [&](const std::string& counted, std::string scored) {
        Document document{std::move(scored), countWords(counted), static_cast<int64_t>(counted.size()), 0};
        into.documents.push_back(std::move(document));
    };
    if (into.kind == "plain") {
        add(text, text);
        into.documents.back().line = 1;
        return;
    }
    const std::string sha = sha256Hex(text);
    for (const Known& known : kKnown)
        if (known.sha256 == sha) into.knownFile = known.name;
    if (into.knownFile.empty()) into.notes.emplace_back("custom text: not to be compared with published wikitext numbers");
    size_t from = 0, counted = 0;
    int64_t line = 1;
    for (const std::string& page : wikitextPages(text)) {
        add(page, detokeniseWikitext(page));
        from = std::min(text.find(page, from), text.size());
        line += std::count(text.begin() + static_cast<std::ptrdiff_t>(counted), text.begin() + static_cast<std::ptrdiff_t>(from), '\n');
        into.documents.back().line = line;
        counted = from;
        from += page.size();
    }
}

template<class T> void cut(std::vector<T>& items, double limit) {
    const double wanted = limit < 1 ? std::ceil(limit * static_cast<double>(items.size())) : std::floor(limit);
    if (limit > 0 && wanted < static_cast<double>(items.size())) items.resize(static_cast<size_t>(wanted));
}

} // namespace

Result<std::string> taskKind(const records::EvalTask& task) {
    static constexpr std::array<std::string_view, 4> kKinds{"hellaswag", "wikitext", "plain", "jsonl"};
    const std::string& word = task.mode.empty() ? task.name : task.mode;
    if (std::find(kKinds.begin(), kKinds.end(), word) != kKinds.end()) return word;
    if (task.mode.empty())
        return Error{"config.invalid",
                     "task \"" + task.name + "\" does not say how its file is scored",
                     "add mode: hellaswag, wikitext, plain or jsonl to it",
                     {},
                     false};
    return Error{"config.invalid",
                 "task \"" + task.name + "\": mode \"" + task.mode + "\" is unknown",
                 "choose hellaswag, wikitext, plain or jsonl",
                 {},
                 false};
}

Result<TaskData> loadTask(const records::EvalTask& task) {
    QW_TRY(const std::string kind, taskKind(task));
    return loadTask(kind, task.path, task.limit);
}

Result<TaskData> loadTask(const std::string& kind, const std::filesystem::path& path, double limit) {
    if (!(limit >= 0))
        return Error{
            "config.invalid", path.string() + ": limit is below 0", "give 0 for all items, a count, or a share below 1", {}, false};
    QW_TRY(const std::string bytes, readFile(path));
    TaskData data;
    data.kind = kind;
    data.version = kind == "hellaswag" ? "1.0" : kind == "wikitext" ? "2.0" : "1";
    data.digest = xxh3Hex(bytes);
    Problems problems(path);
    if (kind == "hellaswag")
        readChoiceRows(bytes, problems, data);
    else if (kind == "jsonl")
        readTextRows(bytes, problems, data);
    else if (kind == "wikitext" || kind == "plain")
        readText(bytes, problems, data);
    else
        return Error{"config.invalid", "task kind \"" + kind + "\" is unknown", "choose hellaswag, wikitext, plain or jsonl", {}, false};
    if (!problems.empty()) return problems.error();
    data.total = static_cast<int64_t>(data.rows.size() + data.documents.size());
    if (data.total == 0)
        return Error{"data.empty",
                     path.string() + (bytes.empty() ? ": the file is empty" : ": the file has no rows"),
                     "choose a file with at least one item",
                     {},
                     false};
    cut(data.rows, limit);
    cut(data.documents, limit);
    return data;
}

} // namespace qw::tasks
