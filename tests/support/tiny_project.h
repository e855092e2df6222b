// SPDX-License-Identifier: GPL-3.0-or-later
// What: a tiny world for tests of whole programs: a random llama with a one-character-a-token tokenizer, text, tasks, and a study's recipe.
#pragma once

#include "test_data.h"
#include "tiny_model.h"

#include <nlohmann/json.hpp>
#include <random>

namespace qw::test {

using Json = nlohmann::ordered_json;

inline std::string tinyTokenizerJson() {
    Json vocab = Json::object();
    int id = 0;
    for (const char* special : {"<unk>", "<s>", "</s>"}) vocab[special] = id++;
    for (char c = '!'; c <= '~'; ++c) vocab[std::string(1, c)] = id++;
    vocab["\u0120"] = id++; // the byte-level alphabet's space
    vocab["\u010A"] = id++; // and line feed
    Json added = Json::array();
    for (int i = 0; i < 3; ++i)
        added.push_back({{"id", i},
                         {"content", i == 0   ? "<unk>"
                                     : i == 1 ? "<s>"
                                              : "</s>"},
                         {"single_word", false},
                         {"lstrip", false},
                         {"rstrip", false},
                         {"normalized", false},
                         {"special", true}});
    const Json model{{"type", "BPE"},
                     {"dropout", nullptr},
                     {"unk_token", nullptr},
                     {"continuing_subword_prefix", nullptr},
                     {"end_of_word_suffix", nullptr},
                     {"fuse_unk", false},
                     {"byte_fallback", false},
                     {"ignore_merges", false},
                     {"vocab", vocab},
                     {"merges", Json::array()}};
    const Json byteLevel{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
    return Json{{"version", "1.0"},          {"truncation", nullptr}, {"padding", nullptr},
                {"added_tokens", added},     {"normalizer", nullptr}, {"pre_tokenizer", byteLevel},
                {"post_processor", nullptr}, {"decoder", byteLevel},  {"model", model}}
        .dump(1);
}

inline std::string tinyWorldConfig() {
    return Json{{"model_type", "llama"},
                {"architectures", {"LlamaForCausalLM"}},
                {"vocab_size", 128},
                {"hidden_size", 32},
                {"intermediate_size", 64},
                {"num_hidden_layers", 2},
                {"num_attention_heads", 2},
                {"num_key_value_heads", 2},
                {"max_position_embeddings", 128},
                {"rms_norm_eps", 1e-5},
                {"bos_token_id", 1},
                {"eos_token_id", 2},
                {"tie_word_embeddings", false}}
        .dump(1);
}

inline std::string tinySentence(std::mt19937& random) {
    static const std::vector<std::string> who{"a cat", "the dog", "my hen", "one fox"}, what{"sees", "finds", "likes", "eats"},
        whom{"a bee", "the sun", "red jam", "old tea"};
    const auto pick = [&](const auto& list) { return list[random() % list.size()]; };
    return pick(who) + " " + pick(what) + " " + pick(whom) + ".";
}

// model/, train.jsonl, valid.jsonl, choice.jsonl, pages.txt below dir.
inline Status makeTinyWorld(const std::filesystem::path& dir) {
    const std::string config = tinyWorldConfig();
    QW_CHECK(writeTinyModel(dir / "model", config, tinyTensors(config, false)));
    writeText(dir / "model/tokenizer.json", tinyTokenizerJson());
    writeText(dir / "model/tokenizer_config.json", R"({"bos_token":"<s>","eos_token":"</s>","tokenizer_class":"PreTrainedTokenizerFast"})");
    std::mt19937 random(7);
    const auto lines = [&](int count) {
        std::string text;
        for (int i = 0; i < count; ++i) text += Json{{"text", tinySentence(random) + " " + tinySentence(random)}}.dump() + "\n";
        return text;
    };
    writeText(dir / "train.jsonl", lines(160));
    writeText(dir / "valid.jsonl", lines(24));
    std::string choices;
    for (int i = 0; i < 24; ++i) {
        const std::string ctx = tinySentence(random);
        choices += Json{{"activity_label", "Animals"},
                        {"ctx_a", ctx},
                        {"ctx_b", "then"},
                        {"ctx", ctx + " then"},
                        {"label", i % 4},
                        {"endings", {tinySentence(random), tinySentence(random), tinySentence(random), tinySentence(random)}}}
                       .dump() +
                   "\n";
    }
    writeText(dir / "choice.jsonl", choices);
    std::string pages;
    for (int i = 0; i < 30; ++i) pages += tinySentence(random) + "\n";
    writeText(dir / "pages.txt", pages);
    return {};
}

// A recipe over that world; steps and schemes are what tests vary. JSON is YAML.
inline Json tinyRecipe(const std::filesystem::path& dir, const std::string& name, int steps) {
    const auto at = [&](const char* file) { return (dir / file).string(); };
    return Json{
        {"recipe", 1},
        {"name", name},
        {"model", {{"path", at("model")}}},
        {"device", "cpu"},
        {"threads", 1},
        {"data",
         {{"train", {{{"path", at("train.jsonl")}, {"format", "jsonl_text"}}}},
          {"eval", {{{"path", at("valid.jsonl")}, {"format", "jsonl_text"}}}},
          {"seq_len", 64}}},
        {"train", {{"max_steps", steps}, {"micro_batch", 2}}},
        {"optim", {{"lr", 3e-3}}},
        {"precision", {{"mode", "fp32"}}},
        {"memory", {{"activation_checkpointing", "none"}}},
        {"schemes",
         {{{"name", "w4"}, {"preset", "8da4w"}, {"weight", {{"group_size", 32}}}},
          {{"name", "w2"}, {"preset", "intx_weight_only"}, {"weight", {{"dtype", "int2"}}}}}},
        {"eval",
         {{"tasks",
           {{{"name", "hellaswag"}, {"path", at("choice.jsonl")}}, {{"name", "pages"}, {"mode", "plain"}, {"path", at("pages.txt")}}}}}},
        {"checkpoint", {{"every", 4}, {"keep", 2}}}};
}

} // namespace qw::test
