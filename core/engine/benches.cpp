// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/benches.h"

#include "engine/bench_eval.h"
#include "engine/bench_load.h"
#include "engine/bench_loss.h"
#include "engine/bench_step.h"
#include "engine/device.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace qw::engine {

std::span<const Bench> benches() {
    static const std::vector<Bench> table{
        {"step_overhead", benchStepOverhead}, {"loss_mem", benchLossMem},     {"hellaswag", benchHellaswag},
        {"wikitext", benchWikitext},          {"load_8b_shape", benchLoad8b},
    };
    return table;
}

Result<std::string> benchTask(const std::string& params) {
    const auto p = nlohmann::json::parse(params, nullptr, false);
    const std::string name = p.value("name", "");
    const auto found = std::ranges::find_if(benches(), [&](const Bench& bench) { return name == bench.name; });
    if (found == benches().end()) return Error{"usage", "the engine has no bench '" + name + "'", "", "", false};
    BenchOptions options;
    options.data = p.value("data", "");
    options.scratch = p.value("scratch", "");
    options.threads = p.value("threads", 2);
    options.quick = p.value("quick", false);
    options.peers = p.value("peers", nlohmann::json::object()).dump();
    configureTorch(options.threads, true, false);
    QW_TRY(const records::BenchResult result, found->run(options));
    auto figures = nlohmann::json::array();
    for (const auto& figure : result.figures) {
        figures.push_back({{"name", figure.name}, {"value", figure.value}, {"unit", figure.unit}});
        if (figure.least) figures.back()["least"] = *figure.least;
        if (figure.most) figures.back()["most"] = *figure.most;
    }
    nlohmann::json body{{"name", result.name}, {"figures", figures}, {"gate", result.gate}, {"peer", result.peer}, {"note", result.note}};
    if (result.met) body["met"] = *result.met;
    return body.dump();
}

} // namespace qw::engine
