// SPDX-License-Identifier: GPL-3.0-or-later
// What: is everything in place on this machine: engine, LibTorch, devices, kernels, disk, file system, limits (engine.md 10).
#include "base/build_info.h"
#include "base/clock.h"
#include "base/files.h"
#include "command_line.h"
#include "drive/engine_client.h"
#include "drive/engine_process.h"
#include "drive/locate.h"
#include "numerics/fake_quant.h"
#include "project_store.h"
#include "wire/lock_file.h"

#include <cmath>
#include <csignal>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <vector>

namespace qw::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Finding {
    std::string what, text;
    char level = 'o'; // o: fine, w: worth knowing, e: does not work
};

std::vector<Finding> checkEngine() {
    const auto engine = drive::findEngine();
    if (!engine) return {{"engine", engine.error().message, 'e'}};
    std::vector<Finding> found{{"engine", engine->string(), 'o'}};
    const int64_t start = monotonicNs();
    auto stdio = drive::EngineProcess::startStdio(*engine);
    if (!stdio) return {{"engine", stdio.error().message, 'e'}};
    auto client = drive::EngineClient::greet(wire::fdTransport(stdio->fromEngine, stdio->toEngine), 60'000);
    if (!client) {
        stdio->process.kill(SIGKILL);
        found.push_back({"engine start", client.error().message + " " + stdio->errorText(), 'e'});
        return found;
    }
    const auto ms = (monotonicNs() - start) / 1'000'000;
    const wire::Hello& hello = client->hello();
    found.push_back({"engine start", std::to_string(ms) + " ms, LibTorch " + hello.libtorch + ", build " + hello.buildId, 'o'});
    std::string devices;
    for (const auto& device : hello.devices) devices += (devices.empty() ? "" : "; ") + device;
    found.push_back({"devices", devices + (hello.cuda.empty() ? " (no CUDA driver)" : " (CUDA driver " + hello.cuda + ")"), 'o'});
    static_cast<void>(client->request("shutdown", "{}", 2000));
    return found;
}

// The vector kernels against the plain loops, on values that sit on and around rounding edges.
Finding checkKernels() {
    constexpr int64_t kRows = 16, kCols = 256;
    std::vector<float> x(kRows * kCols), fused(x.size()), plain(x.size());
    for (size_t i = 0; i < x.size(); ++i)
        x[i] = std::ldexp(static_cast<float>(static_cast<int>(i * 2654435761u >> 16) % 4001 - 2000), static_cast<int>(i % 7) - 12);
    int checked = 0;
    for (const int bits : {2, 3, 4, 8})
        for (const int64_t group : {32, 256}) {
            records::QuantBlock block;
            block.bits = bits;
            block.groupSize = group;
            const auto grid = numerics::resolveGrid(block, records::Role::Weight, records::DType::F32, kRows, kCols);
            if (!grid) return {"kernels", grid.error().message, 'e'};
            numerics::Outputs a, b;
            a.y = fused.data();
            b.y = plain.data();
            numerics::fakeQuantize(*grid, x.data(), a, serial());
            numerics::fakeQuantizeReference(*grid, x.data(), b);
            if (std::memcmp(fused.data(), plain.data(), x.size() * sizeof(float)) != 0)
                return {"kernels",
                        "the fused kernel differs from the plain loop at " + std::to_string(bits) +
                            " bits: set kernels: reference in recipes and report it",
                        'e'};
            ++checked;
        }
    return {"kernels", std::to_string(checked) + " fused kernels equal the plain loops bit for bit", 'o'};
}

std::vector<Finding> checkProject(const fs::path& project) {
    std::vector<Finding> found;
    fs::path there = fs::absolute(project);
    while (!fs::exists(there) && there.has_parent_path() && there != there.parent_path()) there = there.parent_path();
    const uint64_t free = freeBytes(there);
    found.push_back({"project", project.string() + (fs::exists(wire::storeFile(project)) ? "" : " (not made yet)"), 'o'});
    found.push_back({"disk", bytesText(static_cast<int64_t>(free)) + " free", free < (uint64_t{2} << 30) ? 'w' : 'o'});
    if (wire::isNetworkFileSystem(there))
        found.push_back({"file system", "a network file system: locks and the store are slower and less safe there", 'w'});
    else
        found.push_back({"file system", "local", 'o'});
    return found;
}

std::vector<Finding> checkLimits() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    std::vector<Finding> found{{"open files", std::to_string(files.rlim_cur) + " allowed", files.rlim_cur < 1024 ? 'w' : 'o'}};
    constexpr int64_t kMs2024 = 1'704'067'200'000;
    const bool sane = wallMs() > kMs2024;
    found.push_back(
        {"clock", sane ? timeText(wallMs()) : "the clock stands before 2024: run names will not sort by time", sane ? 'o' : 'w'});
    return found;
}

} // namespace

int cmdDoctor(CommandLine& line) {
    std::string project;
    bool json = false;
    line.option("--project", project, "project folder");
    line.flag("--json", json, "one JSON object");
    if (const auto done = line.parse()) return *done;
    std::vector<Finding> all{{"qatw", std::string(version()) + ", build " + std::string(buildId()), 'o'}};
    const auto add = [&](std::vector<Finding> more) { all.insert(all.end(), more.begin(), more.end()); };
    add(checkEngine());
    all.push_back(checkKernels());
    add(checkProject(projectFolder(project)));
    add(checkLimits());
    bool bad = false;
    Json list = Json::array();
    for (const Finding& finding : all) {
        const char* word = finding.level == 'e' ? "error" : finding.level == 'w' ? "warning" : "ok";
        bad = bad || finding.level == 'e';
        if (json)
            list.push_back({{"what", finding.what}, {"level", word}, {"text", finding.text}});
        else {
            std::string what = finding.what;
            what.resize(std::max<size_t>(what.size(), 14), ' ');
            std::cout << (finding.level == 'e'   ? "ERROR  "
                          : finding.level == 'w' ? "note   "
                                                 : "ok     ")
                      << what << ' ' << finding.text << '\n';
        }
    }
    if (json) std::cout << Json{{"ok", !bad}, {"checks", list}}.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    return bad ? 70 : 0;
}

} // namespace qw::cli
