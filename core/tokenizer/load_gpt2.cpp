// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/pipeline.h"

#include "tokenizer/json_depth.h"

#include <nlohmann/json.hpp>

namespace qw::tokenizer {

// The two files carry what a tokenizer.json of GPT-2 has in its model; the rest of that pipeline is fixed.
Result<Pipeline> parseGpt2Files(std::string_view vocabJson, std::string_view mergesText, const std::string& folder) {
    if (jsonTooDeep(vocabJson, 1) || !nlohmann::json::accept(vocabJson))
        return Error{
            "file.corrupt", folder + "/vocab.json is not one JSON object of token: id", "the file is damaged: fetch it again", {}, false};
    const std::string file =
        "{\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":" + std::string(vocabJson) +
        "},\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"decoder\":{\"type\":\"ByteLevel\"}}";
    QW_TRY(Pipeline pipeline, parsePipeline(file, folder + "/vocab.json"));
    size_t number = 0;
    for (size_t at = 0; at < mergesText.size();) {
        size_t end = mergesText.find('\n', at);
        if (end == std::string_view::npos) end = mergesText.size();
        std::string_view line = mergesText.substr(at, end - at);
        at = end + 1;
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with("#version")) continue;
        const size_t space = line.find(' ');
        if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos)
            return Error{"file.corrupt",
                         folder + "/merges.txt:" + std::to_string(number) + " is not two tokens and one space",
                         "the file is damaged: fetch it again",
                         {},
                         false};
        pipeline.model.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
    }
    pipeline.components.push_back("merges.txt: " + std::to_string(pipeline.model.merges.size()) + " merges");
    return pipeline;
}

} // namespace qw::tokenizer
