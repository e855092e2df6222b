// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"

#include "tokenizer/tokenizer.h"

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

using nlohmann::json;

struct Task {
    std::string model, jsonl;
    std::vector<std::string> text; // none or one: an empty text is a text too
    bool noSpecial = false, noMatchSpecial = false, decode = false, skipSpecial = false, asJson = false;
    int64_t dropped = 0, unknown = 0, replaced = 0;
};

Error lineError(const std::string& where, const std::string& what) {
    return {"data.unreadable", where + ": " + what, "one JSON object a line: {\"text\": …}, or with --decode {\"ids\": […]}", {}, false};
}

Status encodeLine(Task& task, const tokenizer::Tokenizer& tokenizer, const std::string& text, const std::string& where) {
    const tokenizer::Encoded encoded = tokenizer.encode(text, {.addSpecial = !task.noSpecial, .matchSpecials = !task.noMatchSpecial});
    if (!encoded.failure.empty()) return Error{"tokenizer.unsupported", where + ": " + encoded.failure, {}, {}, false};
    task.dropped += encoded.dropped;
    task.unknown += encoded.unknown;
    task.replaced += encoded.replaced;
    std::string line = "{\"ids\":[";
    for (size_t i = 0; i < encoded.ids.size(); ++i) {
        if (i > 0) line += ',';
        line += std::to_string(encoded.ids[i]);
    }
    std::cout << line << "]}\n";
    return {};
}

Status decodeLine(const Task& task, const tokenizer::Tokenizer& tokenizer, const json& list, const std::string& where) {
    if (!list.is_array()) return lineError(where, "'ids' is not a list");
    std::vector<int32_t> ids;
    for (const json& id : list) {
        if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > INT32_MAX)
            return lineError(where, id.dump() + " is no token id");
        ids.push_back(id.get<int32_t>());
    }
    std::cout << json{{"text", tokenizer.decode(ids, task.skipSpecial)}}.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
    return {};
}

Status runFile(Task& task, const tokenizer::Tokenizer& tokenizer) {
    std::ifstream file;
    if (task.jsonl != "-") {
        file.open(task.jsonl, std::ios::binary);
        if (!file) return Error{"file.not_found", "cannot open " + task.jsonl, "check the path", {}, false};
    }
    std::istream& in = task.jsonl == "-" ? std::cin : file;
    const std::string name = task.jsonl == "-" ? "standard input" : task.jsonl;
    const char* key = task.decode ? "ids" : "text";
    size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        const std::string where = name + ":" + std::to_string(++number);
        const json object = json::parse(line, nullptr, false);
        if (object.is_discarded() || !object.is_object()) return lineError(where, "not a JSON object");
        const auto value = object.find(key);
        if (value == object.end()) return lineError(where, std::string("'") + key + "' is missing");
        if (task.decode)
            QW_CHECK(decodeLine(task, tokenizer, *value, where));
        else if (!value->is_string())
            return lineError(where, "'text' is not a text");
        else
            QW_CHECK(encodeLine(task, tokenizer, value->get_ref<const std::string&>(), where));
    }
    if (in.bad()) return Error{"file.io", "cannot read " + name, {}, {}, false};
    return {};
}

Status runText(Task& task, const tokenizer::Tokenizer& tokenizer) {
    if (!task.decode) return encodeLine(task, tokenizer, task.text[0], "--text");
    std::string list = task.text[0];
    if (!list.starts_with('[')) list = "[" + list + "]";
    const json ids = json::parse(list, nullptr, false);
    if (ids.is_discarded()) return lineError("--text", "with --decode it is a list of ids, as in '1,403,407'");
    return decodeLine(task, tokenizer, ids, "--text");
}

} // namespace

int cmdTokenize(CommandLine& line) {
    Task task;
    line.positional("MODEL", task.model, "folder with tokenizer.json");
    line.option("--text", task.text, "the text; with --decode a list of ids");
    line.option("--jsonl", task.jsonl, "file with one {\"text\": …} a line ({\"ids\": […]} with --decode); - is standard input");
    line.flag("--no-special", task.noSpecial, "add nothing in front and behind (BOS, EOS)");
    line.flag("--no-match-special", task.noMatchSpecial, "special tokens inside the text are plain text");
    line.flag("--decode", task.decode, "ids to text");
    line.flag("--skip-special", task.skipSpecial, "with --decode: leave special tokens out");
    line.flag("--json", task.asJson, "errors as JSON too");
    if (const auto done = line.parse()) return *done;
    if (task.text.size() > 1 || task.text.empty() == task.jsonl.empty())
        return fail({"usage", "give either --text or --jsonl", "qatw tokenize --help", {}, false}, task.asJson);
    const auto tokenizer = tokenizer::Tokenizer::load(task.model);
    if (!tokenizer) return fail(tokenizer.error(), task.asJson);
    for (const std::string& warning : tokenizer->report().warnings) std::cerr << "warning: " << warning << '\n';
    const Status done = !task.text.empty() ? runText(task, *tokenizer) : runFile(task, *tokenizer);
    std::cout.flush();
    if (!done) return fail(done.error(), task.asJson);
    if (!std::cout) return fail({"file.io", "cannot write to standard output", {}, {}, false}, task.asJson);
    if (task.dropped + task.unknown + task.replaced > 0)
        std::cerr << "note: " << task.unknown << " unknown tokens, " << task.dropped << " characters dropped, " << task.replaced
                  << " invalid UTF-8 sequences replaced\n";
    return 0;
}

} // namespace qw::cli
