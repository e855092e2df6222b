// SPDX-License-Identifier: GPL-3.0-or-later
// What: recipes drawn at random from everything that a recipe can say, with texts that YAML would read as something else.
#pragma once

#include "config/presets.h"
#include "config/recipe_file.h"

#include <cmath>
#include <limits>
#include <random>

namespace qw::test {

using namespace records;

class Random {
public:
    explicit Random(uint32_t seed) : m_engine(seed) {}
    int64_t whole(int64_t from, int64_t to) { return std::uniform_int_distribution<int64_t>(from, to)(m_engine); }
    bool coin() { return whole(0, 1) == 1; }
    double real() { return std::ldexp(std::uniform_real_distribution<double>(0.5, 1)(m_engine), static_cast<int>(whole(-30, 8))); }
    double share() { return std::uniform_real_distribution<double>(0, 1)(m_engine); }
    std::string pick(std::initializer_list<const char*> words) {
        return *(words.begin() + whole(0, static_cast<int64_t>(words.size()) - 1));
    }
    // Texts that YAML would read as something else, and characters that need escaping.
    std::string text() {
        return pick({"plain", "null", "true", "12", "1e5", "a: b", "- x", "quote\"s", "back\\slash", "tab\there", "line\nend", "Ωμέγα",
                     "#no comment", " spaces ", "~"});
    }
    std::string path() { return std::string("/data/").append(pick({"a.jsonl", "with space.txt", "ü.raw", "x/y.gz", "#1"})); }

private:
    std::mt19937 m_engine;
};

inline QatBlock randomQat(Random& r, bool withPreset) {
    QatBlock q;
    if (withPreset)
        q = *config::schemePreset(config::schemePresets()[static_cast<size_t>(r.whole(0, 8))].name);
    else if (r.coin())
        q = *config::schemePreset("8da4w"), q.preset.clear();
    if (withPreset && r.coin()) q.activation.reset();
    q.modules.include = {r.text(), "*"};
    if (r.coin()) q.modules.exclude = {"model.layers.0.*"};
    q.modules.lmHead = r.coin();
    q.modules.onIndivisible = r.coin() ? OnIndivisible::Skip : OnIndivisible::Error;
    if (r.coin()) q.fakeQuantAfterSteps = r.whole(0, 1000);
    q.ste = r.coin() ? Ste::Clipped : Ste::Identity;
    q.qparamGrad = r.coin();
    return q;
}

inline Recipe randomRecipe(uint32_t seed) {
    Random r(seed);
    Recipe c;
    c.name = r.text();
    c.model.path = r.path();
    c.model.tie = r.pick({"auto", "true", "false"});
    c.device = r.pick({"auto", "cpu", "cuda", "cuda:3"});
    c.seeds = {std::numeric_limits<uint64_t>::max() - seed};
    if (r.coin()) c.seeds.push_back(7);
    if (r.coin()) c.deterministic = r.coin();
    c.threads = r.whole(0, 64);
    for (int64_t i = r.whole(0, 3); i-- > 0;) {
        DataSource s;
        s.path = r.path();
        s.format = r.pick({"text", "jsonl_text"});
        s.column = r.text();
        s.document = r.pick({"file", "line"});
        s.splitRange = {0, r.share() + 0.001};
        if (s.splitRange[1] > 1) s.splitRange[1] = 1;
        s.maxSamples = r.whole(0, 9);
        (r.coin() ? c.data.train : c.data.eval).push_back(s);
    }
    c.data.seqLen = r.whole(2, 8192);
    c.data.packing = r.pick({"none", "greedy", "bfd"});
    c.data.excess = r.pick({"split", "truncate", "drop", "error"});
    c.data.addBos = r.coin();
    c.data.documentMask = r.coin();
    c.data.maxBad = r.share();
    c.train = {r.whole(0, 100000), r.real(), r.whole(1, 64), r.whole(1, 64), r.pick({"step", "drop"})};
    c.optim.name = r.pick({"adamw", "sgd"});
    c.optim.lr = r.real();
    c.optim.betas = {r.share() * 0.99, r.share() * 0.99};
    c.optim.eps = r.real();
    c.optim.weightDecay = r.real();
    const int64_t clip = r.whole(0, 2);
    if (clip == 0)
        c.optim.clipNorm.reset();
    else
        c.optim.clipNorm = clip == 1 ? std::numeric_limits<double>::infinity() : r.real();
    c.optim.decayRule = r.pick({"hf", "all"});
    if (r.coin()) c.optim.lrGroups = {{r.text(), r.real()}};
    if (r.coin()) c.optim.freeze = {"embed.*"};
    c.schedule.name = r.pick({"constant", "constant_warmup", "linear", "cosine", "cosine_min", "wsd"});
    c.schedule.warmupRatio = r.share();
    c.schedule.minLrRatio = r.share();
    c.precision = {r.pick({"fp32", "bf16_pure", "bf16_master"}), r.pick({"auto", "fp32", "bf16"}), r.pick({"auto", "fp32", "bf16"}),
                   r.coin()};
    c.activationCheckpointing = r.pick({"none", "layer"});
    c.lossNormalise = r.pick({"token", "micro"});
    const bool schemes = r.coin();
    if (schemes) {
        if (r.coin()) c.qat = randomQat(r, false), c.qat->weight.reset(), c.qat->activation.reset();
        c.schemes.push_back(*config::makeScheme("a", "{preset: 8da4w, weight: {group_size: 64}, train: {max_steps: 5}}"));
        c.schemes.push_back(
            *config::makeScheme(r.text(), "preset: intx_weight_only\nweight: {dtype: int3}\noptim: {lr: 1.0e-3, clip_norm: inf}\n"));
    } else if (r.coin()) {
        c.qat = randomQat(r, r.coin());
    }
    c.baselineFloat = r.pick({"trained", "start"});
    if (r.coin()) c.baselinePtq = {"mse", "rtn"};
    c.eval.every = r.coin() ? r.share() : 50;
    c.eval.bos = r.pick({"auto", "on", "off"});
    c.eval.maxLength = r.whole(0, 1) * 256;
    c.eval.dtype = r.pick({"auto", "fp32", "bf16"});
    for (int64_t i = r.whole(0, 2); i-- > 0;)
        c.eval.tasks.push_back({std::string("t").append(std::to_string(i)), r.path(), r.coin() ? 0.5 : 20,
                                r.pick({"hellaswag", "wikitext", "plain", "jsonl"})});
    c.checkpoint.every = r.whole(0, 1000);
    c.checkpoint.loadBestAtEnd = r.coin();
    c.checkpoint.bestMetric = r.text();
    c.checkpoint.async = r.coin();
    c.oomAuto = r.coin();
    c.checkpoint.onDiskFull = r.pick({"pause", "continue", "stop"});
    c.earlyStopPatience = r.whole(0, 3);
    if (r.coin()) c.watchdog.lossAbove = r.real();
    c.watchdog.nonfinite = r.pick({"skip", "rollback", "stop"});
    c.telemetry = r.coin();
    c.kernels = r.pick({"fused", "reference"});
    c.verdict = {r.coin() ? "hellaswag.acc" : "", r.real()};
    if (r.coin()) c.exports = {{"verdict", "native"}, {r.text(), "native"}};
    return c;
}

} // namespace qw::test
