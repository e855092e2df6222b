// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/validate.h"

#include "base/digest.h"
#include "config/nearest.h"

#include <algorithm>
#include <cmath>
#include <fnmatch.h>
#include <fstream>
#include <regex>
#include <set>

namespace fs = std::filesystem;

namespace qw::config {

using records::Recipe;

namespace {

class Checker {
public:
    Checker(const RecipeFile& file, const std::optional<ModelNumbers>& model) : m_file(file), m_recipe(file.recipe), m_model(model) {}

    std::vector<Finding> run() {
        paths();
        schemes();
        training();
        cadences();
        evaluation();
        exports();
        std::ranges::stable_sort(m_found, [](const Finding& a, const Finding& b) { return a.isError && !b.isError; });
        return std::move(m_found);
    }

private:
    const RecipeFile& m_file;
    const Recipe& m_recipe;
    const std::optional<ModelNumbers>& m_model;
    std::vector<Finding> m_found;
    std::vector<std::pair<std::string, Recipe>> m_members; // key prefix for lines, resolved

    [[nodiscard]] std::string lineOf(std::string key) const {
        for (;;) { // a key that nobody wrote is shown where its map is
            if (const auto line = m_file.lines.find(key); line != m_file.lines.end()) return line->second;
            const size_t cut = key.find_last_of(".[");
            if (cut == std::string::npos) return {};
            key.resize(cut);
        }
    }
    void add(bool isError, const std::string& key, std::string message, std::string hint) {
        m_found.push_back({isError, lineOf(key), key, std::move(message), std::move(hint)});
    }
    void error(const std::string& key, std::string message, std::string hint) { add(true, key, std::move(message), std::move(hint)); }
    void warning(const std::string& key, std::string message, std::string hint) { add(false, key, std::move(message), std::move(hint)); }
    // Lines of an override lie in the scheme's entry.
    [[nodiscard]] std::string keyIn(const std::string& prefix, const std::string& key) const {
        const std::string inner = key.starts_with("qat.") ? key.substr(4) : key;
        return !prefix.empty() && m_file.lines.contains(prefix + inner) ? prefix + inner : key;
    }

    void need(const std::string& key, const std::string& path, const std::string& what, bool folder) {
        std::error_code failed;
        if (path.empty())
            error(key, "is missing: " + what, "name it in your recipe");
        else if (!fs::exists(path, failed))
            error(key, "there is no " + path + " (" + what + ")", "correct the path; it is taken relative to the file that names it");
        else if (folder && !fs::is_directory(path, failed))
            error(key, path + " is not a folder (" + what + ")", "name the folder");
        else if (!folder && fs::is_directory(path, failed))
            error(key, path + " is a folder, not a file (" + what + ")", "name the file");
    }

    void paths() {
        const auto& model = m_recipe.model;
        if (model.init == "random") {
            if (!model.path.empty()) error("model.path", "conflicts with init: random", "give config and tokenizer, or a path alone");
            need("model.config", model.config, "the config.json of the model to start", false);
            need("model.tokenizer", model.tokenizer, "a folder with tokenizer.json", true);
        } else {
            if (!model.config.empty())
                error("model.config", "is used with init: random only", "add init: random, or name a model folder as path");
            need("model.path", model.path, "a Hugging Face model folder", true);
        }
        if (m_recipe.data.train.empty()) error("data.train", "is missing: the text to train on", "list at least one file");
        for (size_t i = 0; i < m_recipe.data.train.size(); ++i)
            need("data.train[" + std::to_string(i) + "].path", m_recipe.data.train[i].path, "training text", false);
        for (size_t i = 0; i < m_recipe.data.eval.size(); ++i)
            need("data.eval[" + std::to_string(i) + "].path", m_recipe.data.eval[i].path, "evaluation text", false);
        for (size_t i = 0; i < m_recipe.eval.tasks.size(); ++i)
            need("eval.tasks[" + std::to_string(i) + "].path", m_recipe.eval.tasks[i].path, "file of task " + m_recipe.eval.tasks[i].name,
                 false);
        overlap();
    }

    void overlap() {
        std::set<std::string> seen;
        for (const auto& source : m_recipe.data.train)
            if (const auto mark = endsDigest(source.path)) seen.insert(*mark);
        for (size_t i = 0; i < m_recipe.data.eval.size(); ++i) {
            const auto& source = m_recipe.data.eval[i];
            const auto mark = endsDigest(source.path);
            if (!mark || !seen.contains(*mark)) continue;
            const bool apart = std::ranges::all_of(m_recipe.data.train, [&](const auto& t) {
                return endsDigest(t.path) != mark || t.splitRange[1] <= source.splitRange[0] || source.splitRange[1] <= t.splitRange[0];
            });
            if (!apart)
                warning("data.eval[" + std::to_string(i) + "].path", "is one of the training files: its loss says nothing about new text",
                        "use other text, or split_range to cut one file in two");
        }
    }
    // Size and both ends: enough to see the same file under two names.
    static std::optional<std::string> endsDigest(const std::string& path) {
        std::ifstream in(path, std::ios::binary | std::ios::ate);
        if (path.empty() || !in) return std::nullopt;
        const std::streamoff size = in.tellg();
        if (size <= 0) return std::nullopt;
        const std::streamoff part = std::min<std::streamoff>(size, std::streamoff{1} << 20);
        std::string bytes(static_cast<size_t>(2 * part), '\0');
        in.seekg(0);
        in.read(bytes.data(), part);
        in.seekg(size - part);
        in.read(bytes.data() + part, part);
        return xxh3Hex(std::to_string(size) + ":" + bytes);
    }

    void schemes() {
        std::set<std::string> names;
        for (size_t i = 0; i < m_recipe.schemes.size(); ++i) {
            const std::string prefix = "schemes[" + std::to_string(i) + "].";
            const std::string& name = m_recipe.schemes[i].name;
            if (!names.insert(name).second) {
                error(prefix + "name", "there are two schemes named '" + name + "'", "give each its own name");
                continue;
            }
            if (name == "verdict" || name == "all")
                error(prefix + "name", "'" + name + "' has a meaning of its own under export", "choose another name");
            auto member = resolveMember(m_recipe, name, m_recipe.seeds.front());
            if (!member) {
                error(prefix + "name", member.error().message, member.error().hint);
                continue;
            }
            for (const auto& [otherPrefix, other] : m_members)
                if (other.qat == member->qat && other.train == member->train && other.optim == member->optim &&
                    other.schedule == member->schedule)
                    error(prefix + "name", "is the same scheme with the same training as " + otherPrefix.substr(0, otherPrefix.size() - 1),
                          "remove one of them");
            m_members.emplace_back(prefix, std::move(*member));
        }
        if (m_recipe.schemes.empty()) {
            if (auto member = resolveMember(m_recipe, {}, m_recipe.seeds.front())) m_members.emplace_back("", std::move(*member));
        }
        for (const auto& [prefix, member] : m_members)
            if (member.qat) quantization(prefix, member);
    }

    void quantization(const std::string& prefix, const Recipe& member) {
        const auto& qat = *member.qat;
        if (!qat.weight && !qat.activation && !qat.embedding && prefix.empty())
            error("qat", "quantizes nothing: give a preset, or a weight block", "for plain training leave the qat block out");
        if (qat.modules.include.empty())
            error(keyIn(prefix, "qat.modules.include"), "is empty: the scheme matches no layer", "use [\"*\"] for every linear layer");
        if (!m_model) return;
        const auto linears = aimedAt(qat, m_model->linears), tables = aimedAt(qat, m_model->embeddings);
        const bool layers = qat.weight || qat.activation, table = qat.embedding.has_value();
        if ((layers || table) && !(layers && !linears.empty()) && !(table && !tables.empty()))
            error(keyIn(prefix, "qat.modules.include"), "the scheme matches no layer of the model",
                  "look at the names with qatw inspect MODEL");
        if (qat.weight) groups(prefix, "weight", *qat.weight, qat.modules.onIndivisible, linears);
        if (qat.embedding) groups(prefix, "embedding", *qat.embedding, qat.modules.onIndivisible, tables);
    }

    using Layers = std::vector<std::pair<std::string, int64_t>>;

    static Layers aimedAt(const records::QatBlock& qat, const Layers& layers) {
        Layers out;
        for (const auto& layer : layers) {
            const auto matches = [&](const std::string& pattern) { return fnmatch(pattern.c_str(), layer.first.c_str(), 0) == 0; };
            if (std::ranges::none_of(qat.modules.include, matches) || std::ranges::any_of(qat.modules.exclude, matches)) continue;
            if (layer.first != "lm_head" || qat.modules.lmHead) out.push_back(layer);
        }
        return out;
    }

    void groups(const std::string& prefix, const std::string& role, const records::QuantBlock& block, records::OnIndivisible rule,
                const Layers& layers) {
        if (block.granularity != records::Granularity::PerGroup) return;
        Layers skipped;
        std::ranges::copy_if(layers, std::back_inserter(skipped), [&](const auto& layer) { return layer.second % block.groupSize != 0; });
        if (skipped.empty()) return;
        const int64_t width = skipped.back().second;
        int64_t divisor = std::min(block.groupSize, width);
        while (width % divisor != 0) --divisor;
        const std::string names =
            skipped.front().first + (skipped.size() > 1 ? " and " + std::to_string(skipped.size() - 1) + " more" : std::string());
        const std::string what =
            "groups of " + std::to_string(block.groupSize) + " do not divide " + std::to_string(width) + " inputs of " + names;
        const std::string hint = "a group size of " + std::to_string(divisor) + " divides them";
        const std::string key = keyIn(prefix, "qat." + role + ".group_size");
        if (skipped.size() == layers.size())
            error(key, what + ": no layer is left", hint);
        else if (rule == records::OnIndivisible::Error)
            error(key, what, hint + "; or set modules.on_indivisible: skip");
        else
            warning(key, what + ": these layers stay as they are", hint);
    }

    void training() {
        if (!m_file.lines.contains("optim.lr") &&
            std::ranges::any_of(m_members, [&](const auto& m) { return m.first.empty() || !m_file.lines.contains(m.first + "optim.lr"); }))
            error("optim.lr", "is missing: there is no learning rate that fits every model", "for fine-tuning try 2.0e-5");
        if (m_model && m_model->maxPositions > 0 && m_recipe.data.seqLen > m_model->maxPositions && !m_model->ropeScaled)
            error("data.seq_len",
                  std::to_string(m_recipe.data.seqLen) + " is longer than the " + std::to_string(m_model->maxPositions) +
                      " positions of the model",
                  "use at most " + std::to_string(m_model->maxPositions));
        for (const auto& [prefix, member] : m_members) trainingOf(prefix, member);
    }

    void trainingOf(const std::string& prefix, const Recipe& member) {
        if (member.train.maxSteps == 0 && member.train.epochs == 0)
            error(keyIn(prefix, "train.max_steps"), "neither max_steps nor epochs says how long to train", "set train.max_steps");
        const auto steps = knownSteps(member);
        if (member.qat && member.qat->fakeQuantAfterSteps && steps && *member.qat->fakeQuantAfterSteps >= *steps)
            error(keyIn(prefix, "qat.fake_quant_after_n_steps"),
                  "is " + std::to_string(*member.qat->fakeQuantAfterSteps) + " of " + std::to_string(*steps) +
                      " steps: no QAT step would run",
                  "use about half of the steps");
        if (member.precision.mode == "bf16_pure" && member.optim.lr < 1e-5)
            warning(keyIn(prefix, "optim.lr"),
                    "is so small that most bf16 updates vanish: a weight of 0.02 moves only by steps of 6e-5 in bf16",
                    "use precision mode bf16_master, or a larger lr");
        if (member.schedule.name == "wsd" && member.schedule.decaySteps == 0)
            warning(keyIn(prefix, "schedule.decay_steps"), "is 0: wsd never decays", "set about a tenth of the steps");
        if (steps && member.schedule.warmupSteps >= *steps && member.schedule.name != "constant")
            warning(keyIn(prefix, "schedule.warmup_steps"), "warm-up is as long as the training: the full learning rate is never reached",
                    "make it shorter");
        for (const auto& pattern : member.optim.freeze) regex(keyIn(prefix, "optim.freeze"), pattern);
        for (const auto& group : member.optim.lrGroups) regex(keyIn(prefix, "optim.lr_groups"), group.pattern);
    }
    void regex(const std::string& key, const std::string& pattern) {
        // The library's parser recurses once per nesting level.
        if (pattern.size() > 1000) return error(key, "a pattern of more than 1000 characters", "write several short ones");
        try {
            const std::regex tried(pattern);
        } catch (const std::regex_error& bad) {
            error(key, "'" + pattern + "' is not a regular expression: " + bad.what(), "correct it");
        }
    }

    void cadences() {
        std::optional<int64_t> longest;
        for (const auto& [prefix, member] : m_members) {
            const auto steps = knownSteps(member);
            if (!steps) return best();
            longest = std::max(longest.value_or(0), *steps);
        }
        const auto never = [&](const char* key, double every, bool written) {
            if (longest && written && every > static_cast<double>(*longest))
                warning(key, "never fires: it is above the " + std::to_string(*longest) + " steps of the training",
                        "use a smaller number, or a share such as 0.1");
        };
        never("eval.every", m_recipe.eval.every, true);
        never("checkpoint.every", m_recipe.checkpoint.every, m_file.lines.contains("checkpoint.every"));
        never("log.every", static_cast<double>(m_recipe.logEvery), true);
        best();
    }

    void best() {
        const auto& c = m_recipe.checkpoint;
        const auto& e = m_recipe.eval;
        if (c.loadBestAtEnd) {
            const bool fits = e.every > 0 && c.every > 0 && std::abs(c.every / e.every - std::round(c.every / e.every)) < 1e-9;
            if (!fits)
                error("checkpoint.best.load_at_end", "needs eval.every, and checkpoint.every as a multiple of it",
                      "for example eval.every: 100 and checkpoint.every: 100");
            if (c.weightsOnly) error("checkpoint.weights_only", "conflicts with best.load_at_end", "turn one of them off");
        }
        if (m_recipe.earlyStopPatience > 0 && e.every == 0)
            error("early_stop.patience", "needs eval.every: nothing is looked at while training", "set eval.every");
        if (m_recipe.data.eval.empty() && (c.loadBestAtEnd || m_recipe.earlyStopPatience > 0 || e.every > 0))
            error("data.eval", "is missing: the evaluation loss is asked for", "list a file with text that is not trained on");
    }

    void evaluation() {
        std::set<std::string> names;
        for (size_t i = 0; i < m_recipe.eval.tasks.size(); ++i) {
            const auto& task = m_recipe.eval.tasks[i];
            const std::string prefix = "eval.tasks[" + std::to_string(i) + "].";
            if (!names.insert(task.name).second)
                error(prefix + "name", "there are two tasks named '" + task.name + "'", "give each its own name");
            if (task.name == "loss") error(prefix + "name", "'loss' is the name of the loss on data.eval", "choose another name");
            if (task.limit >= 1 && task.limit != std::floor(task.limit))
                error(prefix + "limit", "above 1 it is a number of items and must be whole", "use a whole number, or a share below 1");
        }
        verdict();
        if (!m_recipe.schemes.empty() && m_recipe.eval.tasks.empty() && m_recipe.data.eval.empty())
            error("eval.tasks", "nothing to compare the schemes by", "list a task, or text under data.eval");
    }

    void verdict() {
        const std::string& metric = m_recipe.verdict.metric;
        if (metric.empty()) return;
        std::vector<std::string> yields;
        for (const auto& task : m_recipe.eval.tasks) {
            const std::vector<std::string> choice{"acc", "acc_norm"}, text{"word_perplexity", "byte_perplexity", "bits_per_byte"};
            for (const std::string& one : task.mode == "hellaswag" ? choice : text) yields.push_back(task.name + "." + one);
        }
        if (!m_recipe.data.eval.empty()) yields.insert(yields.end(), {"loss.loss", "loss.perplexity"});
        if (std::ranges::find(yields, metric) != yields.end()) return;
        std::string all;
        for (const std::string& one : yields) all += (all.empty() ? "" : ", ") + one;
        error("verdict.metric", "no task of this recipe yields '" + metric + "'" + didYouMean(metric, yields),
              yields.empty() ? "list a task" : "choose one of " + all);
    }

    void exports() {
        std::vector<std::string> names;
        for (const auto& scheme : m_recipe.schemes) names.push_back(scheme.name);
        for (size_t i = 0; i < m_recipe.exports.size(); ++i) {
            const std::string& scheme = m_recipe.exports[i].scheme;
            if (scheme != "verdict" && scheme != "all" && std::ranges::find(names, scheme) == names.end())
                error("export[" + std::to_string(i) + "].scheme", "there is no scheme '" + scheme + "'" + didYouMean(scheme, names),
                      "write verdict, all, or a scheme's name");
        }
    }
};

} // namespace

std::optional<int64_t> knownSteps(const Recipe& resolved) {
    if (resolved.train.maxSteps > 0) return resolved.train.maxSteps;
    return std::nullopt;
}

std::vector<Finding> validate(const RecipeFile& file, const std::optional<ModelNumbers>& model) { return Checker(file, model).run(); }

bool hasErrors(const std::vector<Finding>& findings) {
    return std::ranges::any_of(findings, [](const Finding& f) { return f.isError; });
}

Error findingsError(const std::vector<Finding>& findings) {
    Error error{"file.not_found", {}, {}, {}, false};
    for (const Finding& f : findings) {
        if (!f.isError) continue;
        if (!error.message.empty()) error.message += '\n';
        if (!f.where.empty()) error.message += f.where + ": ";
        error.message += f.key + ": " + f.message;
        if (error.hint.empty()) error.hint = f.hint;
        if (!f.message.starts_with("there is no /")) error.code = "config.invalid";
    }
    return error;
}

} // namespace qw::config
