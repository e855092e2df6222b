// SPDX-License-Identifier: GPL-3.0-or-later
// What: tensors of a GGUF file and of a Hugging Face folder under each other's names (export.md 5.6).
#include "checkpoint/gguf_header.h"
#include "checkpoint/json_value.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace qw::checkpoint {
namespace {

struct Names {
    std::string_view ours, gguf;
};
// Both directions read these two tables.
constexpr std::array kOutside{Names{"model.embed_tokens", "token_embd"}, Names{"model.norm", "output_norm"}, Names{"lm_head", "output"}};
constexpr std::array kInLayer{Names{"self_attn.q_proj", "attn_q"},          Names{"self_attn.k_proj", "attn_k"},
                              Names{"self_attn.v_proj", "attn_v"},          Names{"self_attn.o_proj", "attn_output"},
                              Names{"self_attn.q_norm", "attn_q_norm"},     Names{"self_attn.k_norm", "attn_k_norm"},
                              Names{"mlp.gate_proj", "ffn_gate"},           Names{"mlp.up_proj", "ffn_up"},
                              Names{"mlp.down_proj", "ffn_down"},           Names{"input_layernorm", "attn_norm"},
                              Names{"post_attention_layernorm", "ffn_norm"}};
constexpr Names kLayer{"model.layers.", "blk."};

// A stem and its suffix under another name: those outside of layers as they stand, of a layer what follows its number.
std::string renamed(const std::string& name, std::string_view Names::*from, std::string_view Names::*to) {
    const size_t dot = name.rfind('.');
    if (dot == std::string::npos) return name;
    const std::string_view stem = std::string_view(name).substr(0, dot), suffix = std::string_view(name).substr(dot);
    if (suffix != ".weight" && suffix != ".bias") return name;
    if (const auto at = std::ranges::find(kOutside, stem, from); at != kOutside.end()) return std::string(*at.*to).append(suffix);
    const size_t first = (kLayer.*from).size();
    const size_t second = stem.find('.', first);
    if (!stem.starts_with(kLayer.*from) || second == std::string_view::npos || second == first) return name;
    const std::string_view layer = stem.substr(first, second - first);
    if (!std::ranges::all_of(layer, [](char c) { return c >= '0' && c <= '9'; })) return name;
    const auto at = std::ranges::find(kInLayer, stem.substr(second + 1), from);
    return at == kInLayer.end() ? name : std::string(kLayer.*to).append(layer).append(".").append(*at.*to).append(suffix);
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

std::string ggufTensorName(const std::string& name) { return renamed(name, &Names::ours, &Names::gguf); }

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
        TensorInfo info{renamed(tensor.name, &Names::gguf, &Names::ours), tensor.type, tensor.shape, tensor.begin, tensor.end};
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
