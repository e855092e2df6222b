// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"
#include "project_store.h"

#include <charconv>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Named {
    std::string name;
    store::SeriesData data;
};

// "layer:kind" names a layer's statistic, everything else a metric.
Result<store::SeriesData> read(const store::Store& store, const std::string& uid, const std::string& name, size_t points) {
    const size_t colon = name.rfind(':');
    if (colon != std::string::npos) return store.layerSeries(uid, name.substr(0, colon), name.substr(colon + 1));
    return store.series(uid, name, INT64_MIN, INT64_MAX, points);
}

std::string exact(double value) { // shortest text that reads back to the same number
    char text[40];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    return {text, end};
}

Json numbers(const std::vector<double>& values) {
    Json list = Json::array();
    for (const double v : values) list.push_back(std::isfinite(v) ? Json(v) : Json(std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf"));
    return list;
}

void printCsv(const std::vector<Named>& all) {
    std::cout << "metric,step,min,max,mean\n";
    for (const auto& [name, data] : all)
        for (size_t i = 0; i < data.step.size(); ++i)
            std::cout << name << ',' << data.step[i] << ',' << exact(data.min[i]) << ',' << exact(data.max[i]) << ',' << exact(data.mean[i])
                      << '\n';
}

void printJson(const std::string& uid, const std::vector<Named>& all) {
    Json series = Json::object();
    for (const auto& [name, data] : all)
        series[name] = {{"step", data.step}, {"min", numbers(data.min)}, {"max", numbers(data.max)}, {"mean", numbers(data.mean)}};
    std::cout << Json{{"run", uid}, {"series", series}}.dump() << '\n';
}

// What there is to ask for.
int printList(const store::Store& store, const std::string& uid, bool json) {
    const auto metrics = store.metrics(uid);
    if (!metrics) return fail(metrics.error(), json);
    const auto layers = store.layerStats(uid);
    if (!layers) return fail(layers.error(), json);
    if (json) {
        Json list = Json::array();
        for (const auto& m : *metrics) list.push_back({{"name", m.name}, {"n", m.n}});
        for (const auto& l : *layers) list.push_back({{"name", l.layer + ":" + l.kind}, {"n", l.n}});
        std::cout << Json{{"run", uid}, {"available", list}}.dump() << '\n';
        return 0;
    }
    std::vector<std::vector<std::string>> rows{{"SERIES", "POINTS", "LAST"}};
    for (const auto& m : *metrics) rows.push_back({m.name, std::to_string(m.n), numberText(m.value)});
    for (const auto& l : *layers) rows.push_back({l.layer + ":" + l.kind, std::to_string(l.n), ""});
    std::cout << textTable(rows, {false, true, true});
    return 0;
}

} // namespace

int cmdSeries(CommandLine& line) {
    std::string token, project;
    std::vector<std::string> names;
    int64_t points = 0;
    bool csv = false, json = false;
    line.positional("RUN", token, "run by id, start of an id, or name");
    line.positionals("METRIC", names, "series such as train.loss, or LAYER:KIND; none: list them");
    line.option("--points", points, "at most so many buckets of min, max and mean; 0: every point");
    line.flag("--csv", csv, "one line a point");
    line.flag("--json", json, "one JSON object");
    line.option("--project", project, "project folder");
    if (const auto done = line.parse()) return *done;
    if (csv && json) return fail(Error{"usage", "--csv and --json exclude each other", "choose one", {}, false}, false);
    if (points < 0) return fail(Error{"usage", "--points is " + std::to_string(points), "a number from 0", {}, false}, json);
    const auto store = openProject(project);
    if (!store) return fail(store.error(), json);
    const auto run = store->run(token);
    if (!run) return fail(run.error(), json);
    if (names.empty()) return printList(*store, run->identity.uid, json);
    std::vector<Named> all;
    for (const std::string& name : names) {
        auto data = read(*store, run->identity.uid, name, points > 0 ? static_cast<size_t>(points) : SIZE_MAX);
        if (!data) return fail(data.error(), json);
        all.push_back({name, *std::move(data)});
    }
    if (json)
        printJson(run->identity.uid, all);
    else if (csv)
        printCsv(all);
    else
        for (const auto& [name, data] : all) {
            std::vector<std::vector<std::string>> rows{{"STEP", name, "MIN", "MAX"}};
            for (size_t i = 0; i < data.step.size(); ++i)
                rows.push_back({std::to_string(data.step[i]), numberText(data.mean[i]), numberText(data.min[i]), numberText(data.max[i])});
            std::cout << textTable(rows, {true, true, true, true});
        }
    return 0;
}

} // namespace qw::cli
