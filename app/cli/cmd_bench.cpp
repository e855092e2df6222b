// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench.h"
#include "bench_peer.h"
#include "command_line.h"
#include "project_store.h"

#include "base/build_info.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "drive/locate.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>
#include <thread>

namespace qw::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

fs::path existing(const std::vector<fs::path>& candidates) {
    std::error_code missing;
    for (const fs::path& path : candidates)
        if (!path.empty() && fs::exists(path, missing))
            return fs::absolute(path, missing).lexically_normal(); // a virtual environment's python is a link
    return {};
}
fs::path fromEnv(const char* name) {
    const char* value = std::getenv(name);
    return value ? fs::path(value) : fs::path();
}

// A build lies in <checkout>/build/<preset>/bin, the peers in <checkout>/build/deps.
fs::path checkout() { return drive::programFolder() / "../../.."; }

std::string lineOf(const char* file, const std::string& key) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(key) && line.find(':') != std::string::npos) {
            const size_t at = line.find_first_not_of(" \t", line.find(':') + 1);
            return at == std::string::npos ? "" : line.substr(at);
        }
    return {};
}

// What else runs here, over the last minute: timings on a busy machine are no benchmark.
double loadAverage() {
    double load = 0;
    return ::getloadavg(&load, 1) == 1 ? load : std::nan("");
}

Json machine() {
    utsname name{};
    ::uname(&name);
    return {{"cpu", lineOf("/proc/cpuinfo", "model name")},
            {"threads", std::thread::hardware_concurrency()},
            {"memory", lineOf("/proc/meminfo", "MemTotal")},
            {"load", loadAverage()},
            {"kernel", name.release},
            {"architecture", name.machine}};
}

std::string commit() {
    std::error_code missing;
    if (!fs::exists(checkout() / ".git", missing)) return {};
    auto text = runProgram({"git", "-C", checkout().string(), "rev-parse", "HEAD"});
    if (!text) return {};
    while (!text->empty() && text->back() == '\n') text->pop_back();
    return *text;
}

Json number(std::optional<double> value) { return value && std::isfinite(*value) ? Json(*value) : Json(); }

Json toJson(const records::BenchResult& result) {
    Json figures = Json::array();
    for (const auto& f : result.figures)
        figures.push_back({{"name", f.name},
                           {"value", number(f.value)},
                           {"unit", f.unit},
                           {"low", number(f.low)},
                           {"high", number(f.high)},
                           {"least", number(f.least)},
                           {"most", number(f.most)}});
    return {{"name", result.name}, {"figures", figures}, {"gate", result.gate}, {"met", result.met ? Json(*result.met) : Json()},
            {"peer", result.peer}, {"note", result.note}};
}

void print(const records::BenchResult& result) {
    std::cout << result.name << ": "
              << (!result.met   ? "not judged"
                  : *result.met ? "gate met"
                                : "GATE MISSED")
              << "   (" << result.gate << ")\n";
    std::vector<std::vector<std::string>> rows;
    for (const auto& f : result.figures)
        rows.push_back({"  " + f.name, numberText(f.value), f.unit, f.low ? numberText(*f.low) + " .. " + numberText(*f.high) : "",
                        f.least  ? ">= " + numberText(*f.least)
                        : f.most ? "<= " + numberText(*f.most)
                                 : ""});
    std::cout << textTable(rows, {false, true, false, false, false});
    if (!result.peer.empty()) std::cout << "  beside: " << result.peer << '\n';
    if (!result.note.empty()) std::cout << "  note: " << result.note << '\n';
    std::cout << std::flush;
}

// A folder of its own per bench, removed afterwards.
Result<records::BenchResult> runOne(const Bench& bench, BenchOptions options) {
    options.scratch = fs::temp_directory_path() / ("qatw-bench-" + newUlid());
    QW_CHECK(makeDirs(options.scratch));
    auto result = runBench(bench, options);
    std::error_code ignored;
    fs::remove_all(options.scratch, ignored);
    return result;
}

} // namespace

int cmdBench(CommandLine& line) {
    std::vector<std::string> names;
    int64_t threads = std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, 2);
    bool json = false, quick = false;
    line.positionals("NAME", names, "benchmarks to run; none: all of them");
    line.option("--threads", threads, "threads of ours and of the peer");
    line.flag("--quick", quick, "smallest sizes: does it run at all; gates are not judged");
    line.flag("--json", json, "one JSON object with hardware, versions and commit");
    if (const auto done = line.parse()) return *done;
    std::vector<Bench> chosen;
    for (const Bench& bench : benches())
        if (names.empty() || std::ranges::find(names, bench.name) != names.end()) chosen.push_back(bench);
    for (const std::string& name : names)
        if (std::ranges::none_of(benches(), [&](const Bench& bench) { return name == bench.name; })) {
            std::string all;
            for (const Bench& bench : benches()) all += std::string(all.empty() ? "" : ", ") + bench.name;
            return fail(Error{"usage", "there is no benchmark '" + name + "'", "one of " + all, {}, false}, json);
        }
    BenchOptions options;
    options.python = existing({fromEnv("QATW_PYTHON"), checkout() / "build/deps/python/bin/python"});
    options.scripts = existing({checkout() / "tests/bench"});
    options.data = existing({fromEnv("QATW_TEST_DATA"), checkout() / "../shared/data"});
    options.threads = static_cast<int>(std::clamp<int64_t>(threads, 1, 1024));
    options.quick = quick;
    Json list = Json::array();
    int code = 0;
    if (!json)
        std::cout << lineOf("/proc/cpuinfo", "model name") << ", " << options.threads << " threads of "
                  << std::thread::hardware_concurrency() << ", load average " << loadAverage()
                  << "; medians of pairs of peer and ours, with their range\n";
    for (const Bench& bench : chosen) {
        std::cerr << bench.name << ": " << bench.summary << " …\n";
        const auto result = runOne(bench, options);
        if (!result) {
            // The others are still worth running.
            if (code == 0) code = exitCode(result.error().code);
            if (json)
                list.push_back({{"name", bench.name}, {"error", {{"code", result.error().code}, {"msg", result.error().message}}}});
            else
                fail(result.error(), false);
            continue;
        }
        if (json)
            list.push_back(toJson(*result));
        else
            print(*result);
    }
    if (json)
        std::cout << Json{{"benches", list},    {"machine", machine()},       {"version", version()}, {"build_id", buildId()},
                          {"commit", commit()}, {"threads", options.threads}, {"ts", wallMs()}}
                         .dump(-1, ' ', false, Json::error_handler_t::replace)
                  << '\n';
    return code;
}

} // namespace qw::cli
