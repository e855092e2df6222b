// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/import_recipe.h"

#include "config/import_table.h"
#include "config/presets.h"
#include "config/reader.h"
#include "config/recipe_file.h"

#include <algorithm>
#include <map>

namespace fs = std::filesystem;

namespace qw::config {

namespace {

bool isOff(const Node& value) {
    static constexpr const char* kOff[] = {"", "false", "False", "0", "0.0", "none", "None", "no", "full"};
    if (value.kind == Node::Kind::Null) return true;
    return value.kind == Node::Kind::Scalar && std::ranges::any_of(kOff, [&](const char* word) { return value.text == word; });
}

std::string shown(const Node& value) {
    if (value.kind == Node::Kind::Null) return "null";
    return value.kind == Node::Kind::Scalar ? value.text : toJson(value, -1);
}

// "datasets[3].path" -> "datasets[].path", and the first position.
std::pair<std::string, size_t> generic(const std::string& key) {
    std::string out;
    size_t at = 0;
    for (size_t i = 0; i < key.size(); ++i) {
        out += key[i];
        if (key[i] != '[') continue;
        const size_t end = key.find(']', i);
        if (at == 0) at = std::stoul("0" + key.substr(i + 1, end - i - 1));
        i = end - 1;
    }
    return {out, at};
}

class Importer {
public:
    Importer(std::string peer, const fs::path& fileName) : m_folder(fs::absolute(fileName).parent_path()) {
        m_out.peer = std::move(peer);
        m_out.recipe.name = fileName.stem().string();
    }

    ImportedRecipe run(const Node& root) {
        std::vector<std::pair<std::string, const Node*>> leaves;
        collect(root, {}, leaves);
        for (const auto& standard : peerDefaults(m_out.peer)) applyDefault(standard, leaves);
        const size_t defaults = m_out.keys.size();
        for (const auto& [key, value] : leaves) one(key, *value);
        sources(m_train, m_out.recipe.data.train);
        sources(m_eval, m_out.recipe.data.eval);
        scheme();
        std::rotate(m_out.keys.begin(), m_out.keys.begin() + static_cast<std::ptrdiff_t>(defaults), m_out.keys.end());
        return std::move(m_out);
    }

private:
    struct Source {
        records::DataSource data;
        std::vector<size_t> keys; // of the report
        bool usable = true;
        std::string why;
    };
    struct Scheme {
        std::string weight, activation, group;
        bool embedding = false;
        std::vector<size_t> keys;
    };
    fs::path m_folder;
    ImportedRecipe m_out;
    std::map<size_t, Source> m_train, m_eval;
    Scheme m_scheme;

    static void collect(const Node& node, const std::string& key, std::vector<std::pair<std::string, const Node*>>& leaves) {
        const bool maps = std::ranges::any_of(node.items, [](const Node& item) { return item.kind == Node::Kind::Map; });
        if (node.kind == Node::Kind::Map && !node.entries.empty())
            for (const auto& [name, value] : node.entries) collect(value, key.empty() ? name : key + "." + name, leaves);
        else if (node.kind == Node::Kind::List && maps)
            for (size_t i = 0; i < node.items.size(); ++i) collect(node.items[i], key + "[" + std::to_string(i) + "]", leaves);
        else
            leaves.emplace_back(key, &node);
    }

    // Sets one of our keys; the message of what is wrong with the value, or nothing.
    std::string set(const std::string& ours, const std::string& value) {
        const Status status = applySets(m_out.recipe, {ours + "=" + value});
        if (status) return {};
        const std::string& message = status.error().message;
        const size_t cut = message.find(ours + ": ");
        return cut == std::string::npos ? message : message.substr(cut + ours.size() + 2);
    }

    void applyDefault(const PeerDefault& standard, const std::vector<std::pair<std::string, const Node*>>& leaves) {
        const auto* wanted = findRule(standard.key);
        for (const auto& [key, value] : leaves) {
            const ImportRule* rule = findRule(generic(key).first);
            const bool same = rule && wanted && std::string_view(rule->ours) == wanted->ours && value->kind != Node::Kind::Null;
            if (same || key == standard.key || key.starts_with(std::string(standard.key) + ".")) return;
        }
        if (!set(standard.ours, standard.value).empty()) return;
        m_out.keys.push_back({standard.key, standard.value, 0, Fate::Changed, std::string(standard.ours) + " = " + standard.value,
                              "not in the file: what " + m_out.peer + " does then"});
    }

    void one(const std::string& key, const Node& value) {
        m_out.keys.push_back({key, shown(value), value.line, Fate::Unknown, {}, {}});
        ImportedKey& entry = m_out.keys.back();
        const auto [pattern, position] = generic(key);
        const ImportRule* rule = findRule(pattern);
        if (!rule) {
            entry.note = "not a key of " + m_out.peer + " that is known here";
            return;
        }
        entry.note = rule->note;
        apply(*rule, entry, value, position);
    }

    void apply(const ImportRule& rule, ImportedKey& entry, const Node& value, size_t position) {
        const size_t index = m_out.keys.size() - 1;
        switch (rule.how) {
        case Import::NotNeeded:
            entry.fate = Fate::Changed;
            return;
        case Import::Refused:
            entry.fate = isOff(value) ? Fate::Mapped : Fate::Unsupported;
            if (entry.fate == Fate::Mapped)
                entry.note = "off, as here";
            else if (entry.note.empty())
                entry.note = std::string(rule.ours) + " is not supported by this build";
            return;
        case Import::Set:
            return setValue(rule, entry, value);
        case Import::Words:
            return words(rule, entry, value);
        case Import::Betas:
            m_out.recipe.optim.betas[rule.ours[0] == '1'] = std::atof(value.text.c_str());
            return mapped(entry, "optim.betas");
        case Import::Model:
            return model(entry, value);
        case Import::Scheme:
            m_scheme.keys.push_back(index);
            return schemePart(rule, entry, value);
        case Import::Train:
        case Import::Eval:
            return source((rule.how == Import::Train ? m_train : m_eval)[position], rule, entry, value, index);
        }
    }

    static void mapped(ImportedKey& entry, const std::string& ours) {
        entry.fate = entry.note.empty() ? Fate::Mapped : Fate::Changed;
        entry.ours = ours;
    }

    void setValue(const ImportRule& rule, ImportedKey& entry, const Node& value) {
        const std::string ours = rule.ours;
        if (value.kind == Node::Kind::Null && ours != "optim.clip_norm") {
            entry.note = "empty: the default stays";
            return mapped(entry, "");
        }
        std::string text = value.kind == Node::Kind::Null ? "null" : shown(value);
        if (ours == "train.max_steps" && text.starts_with('-')) text = "0"; // -1: by epochs
        if (ours == "checkpoint.best.metric" && text == "loss") text = "eval_loss";
        if (const std::string wrong = set(ours, text); !wrong.empty()) {
            entry.fate = Fate::Unsupported;
            entry.note = wrong;
            return;
        }
        if (ours == "schedule.min_lr_ratio") m_out.recipe.schedule.name = "cosine_min";
        mapped(entry, ours + " = " + text);
    }

    void words(const ImportRule& rule, ImportedKey& entry, const Node& value) {
        const auto word = std::ranges::find_if(rule.words, [&](const auto& pair) { return value.text == pair.first; });
        if (value.kind == Node::Kind::Null) {
            entry.note = "empty: the default stays";
            return mapped(entry, "");
        }
        if (word == rule.words.end()) {
            entry.fate = Fate::Unsupported;
            entry.note = "'" + value.text + "' is not supported by this build; " + rule.ours + " stays at its default";
            return;
        }
        if (const std::string wrong = set(rule.ours, word->second); !wrong.empty()) {
            entry.fate = Fate::Unsupported;
            entry.note = wrong;
            return;
        }
        mapped(entry, std::string(rule.ours) + " = " + word->second);
    }

    [[nodiscard]] std::string existing(const std::string& text) const {
        std::error_code failed;
        const fs::path path = (fs::path(text).is_relative() ? m_folder / text : fs::path(text)).lexically_normal();
        return !text.empty() && fs::exists(path, failed) ? path.string() : std::string();
    }

    void model(ImportedKey& entry, const Node& value) {
        if (const std::string path = existing(value.text); !path.empty()) {
            m_out.recipe.model.path = path;
            return mapped(entry, "model.path = " + path);
        }
        entry.fate = Fate::Changed;
        entry.note = "there is no such folder here: download the model and open its folder";
    }

    static void source(Source& source, const ImportRule& rule, ImportedKey& entry, const Node& value, size_t index) {
        source.keys.push_back(index);
        const std::string field = rule.ours;
        entry.fate = Fate::Mapped;
        if (field == "format") {
            const auto word = std::ranges::find_if(rule.words, [&](const auto& pair) { return value.text == pair.first; });
            if (word != rule.words.end()) {
                entry.ours = "data format " + std::string(word->second);
                return;
            }
            source.usable = false;
            source.why = "data of the form '" + value.text + "' are not supported by this build; only plain text is";
            entry.fate = Fate::Unsupported;
            entry.note = source.why;
        } else if (field == "column") {
            source.data.column = value.text;
            entry.ours = "column = " + value.text;
        } else if (value.kind == Node::Kind::Scalar) {
            // A later key (data_files after path) names the file itself.
            source.data.path = value.text;
        } else if (value.kind == Node::Kind::List && !value.items.empty()) {
            source.data.path = value.items.front().text;
            if (value.items.size() > 1) entry.note = "the first of the files; add the others by hand", entry.fate = Fate::Changed;
        }
    }

    void sources(std::map<size_t, Source>& from, std::vector<records::DataSource>& to) {
        for (auto& [position, source] : from) {
            const std::string path = existing(source.data.path);
            if (source.usable && path.empty())
                source.why = "there is no such file here: download the text and name the file", source.usable = false;
            for (const size_t index : source.keys) {
                ImportedKey& entry = m_out.keys[index];
                if (entry.fate == Fate::Unsupported) continue;
                if (!source.usable) {
                    entry.fate = Fate::Changed;
                    entry.note = source.why;
                    entry.ours.clear();
                } else if (entry.ours.empty())
                    entry.ours = "path = " + path;
            }
            if (!source.usable) continue;
            source.data.path = path;
            if (path.ends_with(".txt") || path.ends_with(".raw")) source.data.format = "text";
            to.push_back(source.data);
        }
    }

    void schemePart(const ImportRule& rule, ImportedKey& entry, const Node& value) {
        const std::string part = rule.ours;
        entry.fate = Fate::Mapped;
        if (part == "weight")
            m_scheme.weight = isOff(value) ? "" : value.text;
        else if (part == "activation")
            m_scheme.activation = isOff(value) ? "" : value.text;
        else if (part == "group_size")
            m_scheme.group = isOff(value) ? "" : value.text;
        else if (part == "embedding")
            m_scheme.embedding = !isOff(value);
        else
            torchtune(entry, value.text);
    }

    void torchtune(ImportedKey& entry, const std::string& component) {
        if (component.find("Int8DynActInt4Weight") != std::string::npos) {
            m_scheme.weight = "int4";
            m_scheme.activation = "int8";
        } else if (component.find("Int4WeightOnly") != std::string::npos) {
            m_scheme.weight = "tinygemm";
        } else {
            entry.fate = Fate::Unsupported;
            entry.note = "'" + component + "' has no counterpart; choose a scheme on the Scheme page";
        }
    }

    // axolotl and torchtune train towards other kernels than those they convert for; what is taken is the scheme of the conversion.
    void scheme() {
        if (m_scheme.keys.empty()) return;
        const bool peerAxolotl = m_out.peer == "axolotl";
        if (m_scheme.weight.empty()) {
            if (!peerAxolotl) return;
            m_scheme.weight = "int8"; // the schema's default
        }
        std::string group = m_scheme.group;
        if (group.empty()) group = peerAxolotl ? "32" : "256";
        const std::string &w = m_scheme.weight, &a = m_scheme.activation;
        std::string preset, block = "weight: {group_size: " + group + "}";
        if (w == "tinygemm")
            preset = "4w_tinygemm";
        else if (w == "int4" && a == "int8")
            preset = "8da4w";
        else if (w == "int8" && a == "int8")
            preset = "8da8w";
        else if (w == "int4" && a == "int4")
            preset = "4da4w";
        else if (a.empty()) {
            preset = "intx_weight_only";
            block = "weight: {dtype: " + w + ", group_size: " + group + ", scale_dtype: float32}";
        }
        if (m_scheme.embedding)
            block += ", embedding: {dtype: " + (w == "tinygemm" ? std::string("int4") : w) + ", group_size: " + group + "}";
        records::Recipe tried = m_out.recipe;
        auto entry = makeScheme("imported", "{preset: " + preset + ", " + block + "}");
        std::string wrong = preset.empty() ? "weights " + w + " with activations " + a + " are not supported by this build" : "";
        if (entry) tried.schemes = {*entry};
        if (wrong.empty() && !entry) wrong = entry.error().message;
        if (wrong.empty())
            if (const auto member = resolveMember(tried, "imported", 1); !member) wrong = member.error().message;
        if (wrong.empty()) m_out.recipe = std::move(tried);
        for (const size_t index : m_scheme.keys) {
            ImportedKey& key = m_out.keys[index];
            if (key.fate == Fate::Unsupported) continue;
            key.fate = !wrong.empty() ? Fate::Unsupported : preset == "8da4w" || preset == "4w_tinygemm" ? Fate::Changed : Fate::Mapped;
            if (wrong.empty()) key.ours = "scheme imported: " + preset + " g" + group;
            if (!wrong.empty())
                key.note = wrong;
            else if (preset == "8da4w")
                key.note = peerAxolotl ? "axolotl trains with other int4 weights than it converts to; here both are those of the conversion"
                                       : "scales stay float32 in training and conversion";
            else if (preset == "4w_tinygemm")
                key.note = "bf16 scales and zero points, as the kernel has them";
        }
    }
};

std::string peerOf(const Node& root) {
    const auto has = [&](const char* key) { return root.find(key) != nullptr; };
    const auto component = [](const auto& entry) { return entry.second.kind == Node::Kind::Map && entry.second.find("_component_"); };
    if (std::ranges::any_of(root.entries, component)) return "torchtune";
    if (has("base_model") || has("micro_batch_size") || has("sequence_len")) return "axolotl";
    for (const char* key :
         {"model_name_or_path", "per_device_train_batch_size", "num_train_epochs", "learning_rate", "lr_scheduler_type", "cutoff_len"})
        if (has(key)) return "Hugging Face";
    return {};
}

} // namespace

const char* fateName(Fate fate) {
    static constexpr const char* kNames[] = {"mapped", "changed", "unsupported", "unknown"};
    return kNames[static_cast<size_t>(fate)];
}

bool looksLikeOurs(std::string_view text) {
    while (!text.empty()) {
        const size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        const size_t first = line.find_first_not_of(" \t\r{\"'");
        if (first == std::string_view::npos || line[first] == '#' || line.starts_with("---")) continue;
        line.remove_prefix(first);
        return line.starts_with("recipe") && line.find(':') != std::string_view::npos &&
               line.substr(6, line.find(':') - 6).find_first_not_of(" \"'") == std::string_view::npos;
    }
    return false;
}

Result<ImportedRecipe> importRecipe(std::string_view text, const fs::path& fileName) {
    const auto source = std::make_shared<const Source>(Source{fileName.string(), fs::absolute(fileName).parent_path()});
    QW_TRY(const Node root, parseYaml(text, source));
    const std::string peer = root.kind == Node::Kind::Map ? peerOf(root) : std::string();
    if (peer.empty())
        return Error{"config.invalid",
                     fileName.string() + ":1: this is neither a recipe of ours nor one of axolotl, torchtune or Hugging Face",
                     "a recipe of ours starts with the line recipe: 1",
                     {},
                     false};
    return Importer(peer, fileName).run(root);
}

} // namespace qw::config
