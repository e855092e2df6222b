// SPDX-License-Identifier: GPL-3.0-or-later
#include "study/members.h"

#include "base/ids.h"
#include "config/recipe_file.h"
#include "study/keys.h"

#include <algorithm>
#include <set>

namespace qw::study {

using records::Recipe;
using records::RowRole;

namespace {

struct Builder {
    const Recipe& study;
    std::vector<Member> members;
    std::set<std::string> ids;

    // role words without the scheme: "PTQ rtn"; several: seeds are part of the shown name.
    Member& add(RowRole role, const std::string& scheme, const std::string& method, uint64_t seed, Recipe recipe) {
        Member m;
        m.run.role = role;
        m.run.scheme = scheme;
        m.run.method = method;
        m.run.seed = seed;
        m.run.block = role == RowRole::Float ? std::string() : blockDigest(recipe);
        m.run.kind = role == RowRole::Float ? "eval" : role == RowRole::FloatTrained ? "train" : role == RowRole::Ptq ? "ptq" : "qat";
        m.run.modelPath = recipe.model.path.empty() ? recipe.model.config : recipe.model.path;
        m.recipe = std::move(recipe);
        members.push_back(std::move(m));
        return members.back();
    }
    std::string unique(std::string id) {
        for (int n = 2; !ids.insert(id).second; ++n) id = id.substr(0, id.rfind("--")) + "--" + std::to_string(n);
        return id;
    }
    [[nodiscard]] std::string seedWords(uint64_t seed) const {
        return study.seeds.size() > 1 ? " seed " + std::to_string(seed) : std::string();
    }
};

std::string short8(const std::string& digest) { return digest.substr(0, 8); }
std::string seedId(uint64_t seed) { return "-s" + std::to_string(seed); }

Status addFloat(Builder& b) {
    QW_TRY(Recipe recipe, config::resolveMember(b.study, {}, b.study.seeds.front()));
    recipe.qat.reset();
    Member& m = b.add(RowRole::Float, {}, {}, b.study.seeds.front(), std::move(recipe));
    m.id = b.unique("float");
    m.run.name = "float";
    return {};
}

// One float trained row for every distinct training block of the schemes; returns the id for a block.
std::string floatTrained(Builder& b, Recipe recipe, const std::string& scheme, uint64_t seed) {
    recipe.qat.reset();
    const std::string block = blockDigest(recipe);
    const std::string id = "float-trained-" + short8(block) + seedId(seed);
    if (b.ids.contains(id)) return id;
    Member& m = b.add(RowRole::FloatTrained, {}, {}, seed, std::move(recipe));
    m.id = b.unique(id);
    m.run.name = "float trained" + b.seedWords(seed);
    // A second block is named after the scheme that asked for it first.
    for (const Member& other : b.members)
        if (&other != &m && other.run.role == RowRole::FloatTrained && other.run.block != block)
            m.run.name = "float trained (" + scheme + ")" + b.seedWords(seed);
    return m.id;
}

Status addScheme(Builder& b, const std::string& scheme, uint64_t seed, const std::string& parent) {
    QW_TRY(const Recipe recipe, config::resolveMember(b.study, scheme, seed));
    const bool fromStart = parent.empty();
    for (const std::string& method : b.study.baselinePtq) {
        // Quantizing the start model draws nothing at random: one row serves all seeds.
        if (fromStart && seed != b.study.seeds.front()) break;
        Member& m = b.add(RowRole::Ptq, scheme, method, seed, recipe);
        m.id = b.unique(slug(scheme) + "-ptq-" + method + seedId(seed));
        m.parent = parent;
        m.run.name = scheme + " PTQ" + (b.study.baselinePtq.size() > 1 || method != "rtn" ? " " + method : "") +
                     (fromStart ? "" : b.seedWords(seed));
    }
    Member& m = b.add(RowRole::Qat, scheme, {}, seed, recipe);
    m.id = b.unique(slug(scheme) + "-qat" + seedId(seed));
    m.run.name = scheme + " QAT" + b.seedWords(seed);
    return {};
}

Result<std::vector<Member>> single(Builder& b) {
    for (const uint64_t seed : b.study.seeds) {
        QW_TRY(Recipe recipe, config::resolveMember(b.study, {}, seed));
        const bool qat = recipe.qat && (recipe.qat->weight || recipe.qat->activation || recipe.qat->embedding);
        if (!qat) recipe.qat.reset();
        const std::string scheme = qat ? (recipe.qat->preset.empty() ? "qat" : recipe.qat->preset) : std::string();
        Member& m = b.add(qat ? RowRole::Qat : RowRole::FloatTrained, scheme, {}, seed, std::move(recipe));
        m.id = b.unique((qat ? "qat" : "train") + seedId(seed));
        m.run.name = (b.study.name.empty() ? std::string(qat ? "qat" : "train") : b.study.name) + b.seedWords(seed);
    }
    return std::move(b.members);
}

} // namespace

Result<std::vector<Member>> expand(const Recipe& study) {
    Builder b{study, {}, {}};
    if (study.schemes.empty()) return single(b);
    if (study.model.init != "random") QW_CHECK(addFloat(b));
    const bool trained = study.baselineFloat == "trained";
    for (const uint64_t seed : study.seeds) {
        std::vector<std::string> parents(study.schemes.size());
        for (size_t i = 0; trained && i < study.schemes.size(); ++i) {
            QW_TRY(Recipe recipe, config::resolveMember(study, study.schemes[i].name, seed));
            parents[i] = floatTrained(b, std::move(recipe), study.schemes[i].name, seed);
        }
        for (size_t i = 0; i < study.schemes.size(); ++i) QW_CHECK(addScheme(b, study.schemes[i].name, seed, parents[i]));
    }
    return std::move(b.members);
}

} // namespace qw::study
