// SPDX-License-Identifier: GPL-3.0-or-later
#include "tasks/items_json.h"

#include <nlohmann/json.hpp>

namespace qw::tasks {

using Json = nlohmann::ordered_json;

std::string itemsToJsonLines(const std::vector<records::EvalItem>& items) {
    std::string out;
    for (const auto& item : items) {
        Json line{{"item", item.item}, {"ll", item.ll}};
        if (item.correct >= 0) {
            line["correct"] = item.correct;
            line["correct_norm"] = item.correctNorm;
        } else {
            line["words"] = item.words;
            line["bytes"] = item.bytes;
        }
        line["tokens"] = item.tokens;
        out += line.dump() + '\n';
    }
    return out;
}

Result<std::vector<records::EvalItem>> itemsFromJsonLines(std::string_view text) {
    std::vector<records::EvalItem> items;
    int64_t number = 0;
    for (size_t from = 0; from < text.size();) {
        const size_t end = std::min(text.find('\n', from), text.size());
        const std::string_view line = text.substr(from, end - from);
        from = end + 1;
        ++number;
        if (line.empty()) continue;
        try {
            const Json json = Json::parse(line);
            records::EvalItem item;
            item.item = json.at("item").get<int64_t>();
            item.ll = json.at("ll").get<std::vector<double>>();
            item.correct = json.value("correct", -1);
            item.correctNorm = json.value("correct_norm", -1);
            item.words = json.value("words", int64_t{0});
            item.bytes = json.value("bytes", int64_t{0});
            item.tokens = json.value("tokens", int64_t{0});
            items.push_back(std::move(item));
        } catch (const Json::exception& error) {
            return Error{"data.unreadable",
                         "line " + std::to_string(number) + " is not a scored item: " + error.what(),
                         "evaluate again",
                         {},
                         false};
        }
    }
    return items;
}

} // namespace qw::tasks
