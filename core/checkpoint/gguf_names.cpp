// SPDX-License-Identifier: GPL-3.0-or-later
// What: the tensors of a GGUF file under the names of a Hugging Face folder (export.md 5.6).
#include "checkpoint/gguf_header.h"
#include "checkpoint/json_value.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace qw::checkpoint {
namespace {

struct Renamed {
    std::string_view gguf, ours;
};
constexpr std::array kOutside{Renamed{"token_embd", "model.embed_tokens"}, Renamed{"output_norm", "model.norm"},
                              Renamed{"output", "lm_head"}};
constexpr std::array kInLayer{Renamed{"attn_norm", "input_layernorm"},    Renamed{"ffn_norm", "post_attention_layernorm"},
                              Renamed{"attn_q", "self_attn.q_proj"},      Renamed{"attn_k", "self_attn.k_proj"},
                              Renamed{"attn_v", "self_attn.v_proj"},      Renamed{"attn_output", "self_attn.o_proj"},
                              Renamed{"attn_q_norm", "self_attn.q_norm"}, Renamed{"attn_k_norm", "self_attn.k_norm"},
                              Renamed{"ffn_gate", "mlp.gate_proj"},       Renamed{"ffn_up", "mlp.up_proj"},
                              Renamed{"ffn_down", "mlp.down_proj"}};

template<class Table> std::string_view lookUp(const Table& table, std::string_view name) {
    const auto at = std::ranges::find(table, name, &Renamed::gguf);
    return at == table.end() ? std::string_view() : at->ours;
}

// Tensors that no model of ours has keep their name.
std::string ourName(const std::string& name) {
    const size_t dot = name.rfind('.');
    if (dot == std::string::npos) return name;
    const std::string_view stem = std::string_view(name).substr(0, dot), suffix = std::string_view(name).substr(dot);
    if (suffix != ".weight" && suffix != ".bias") return name;
    if (const auto outside = lookUp(kOutside, stem); !outside.empty()) return std::string(outside).append(suffix);
    if (!stem.starts_with("blk.")) return name;
    const size_t second = stem.find('.', 4);
    if (second == std::string_view::npos || second == 4) return name;
    const std::string_view layer = stem.substr(4, second - 4);
    if (!std::ranges::all_of(layer, [](char c) { return c >= '0' && c <= '9'; })) return name;
    const auto inside = lookUp(kInLayer, stem.substr(second + 1));
    return inside.empty() ? name : std::string("model.layers.").append(layer).append(".").append(inside).append(suffix);
}

Result<int64_t> count(const std::map<std::string, std::string>& metadata, const std::string& key, std::optional<int64_t> absent) {
    const auto at = metadata.find(key);
    if (at == metadata.end() && absent) return *absent;
    int64_t value = 0;
    if (at != metadata.end()) {
        const char* last = at->second.data() + at->second.size();
        if (const auto parsed = std::from_chars(at->second.data(), last, value);
            parsed.ec == std::errc() && parsed.ptr == last && value > 0)
            return value;
    }
    return Error{
        "model.format", "metadata " + jsonQuoted(key) + " is missing or not one whole number", "fetch or write the file again", {}, false};
}

} // namespace

Result<Header> headerOfGguf(GgufContents contents) {
    const auto arch = contents.metadata.find("general.architecture");
    const std::string name = arch == contents.metadata.end() ? "" : arch->second;
    if (name != "llama" && name != "qwen2" && name != "qwen3")
        return Error{"model.unsupported_arch",
                     name.empty() ? "metadata \"general.architecture\" is missing"
                                  : "general.architecture " + jsonQuoted(name) + " is not supported",
                     "supported in GGUF are llama (also Mistral), qwen2 and qwen3",
                     {},
                     false};
    QW_TRY(const int64_t heads, count(contents.metadata, name + ".attention.head_count", {}));
    QW_TRY(const int64_t kvHeads, count(contents.metadata, name + ".attention.head_count_kv", heads));
    Header out;
    for (const GgufTensor& tensor : contents.tensors) {
        TensorInfo info{ourName(tensor.name), tensor.type, tensor.shape, tensor.begin, tensor.end};
        const bool q = info.name.find(".self_attn.q_proj.") != std::string::npos,
                   k = info.name.find(".self_attn.k_proj.") != std::string::npos;
        if (name == "llama" && (q || k)) {
            const int64_t number = q ? heads : kvHeads;
            if (info.shape.front() % (2 * number) != 0)
                return Error{"model.shape",
                             tensor.name + " has " + std::to_string(info.shape.front()) + " rows, which " + std::to_string(number) +
                                 " heads do not divide into pairs",
                             "fetch or write the file again",
                             {},
                             false};
            info.headRows = info.shape.front() / number;
        }
        if (blockType(tensor.type) && info.name.ends_with(".weight")) info.name += ".blocks";
        out.tensors.push_back(std::move(info));
    }
    out.metadata = std::move(contents.metadata);
    out.dataStart = contents.dataStart;
    return out;
}

} // namespace qw::checkpoint
