// SPDX-License-Identifier: GPL-3.0-or-later
// What: qat-engine, the process that owns LibTorch: the job of one run folder, or requests on standard input and output.
#include "base/build_info.h"
#include "engine/run_engine.h"

#include <cstring>
#include <iostream>
#include <string>

namespace {

int usage(int code) {
    (code ? std::cerr : std::cout) << "qat-engine: works for qatw and qat-workbench\n\n"
                                      "  qat-engine --run DIR [--job-lock FILE]   do, or continue, the job of a run folder\n"
                                      "  qat-engine --stdio                       answer requests on standard input and output\n"
                                      "  qat-engine --version\n";
    return code;
}

} // namespace

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    if (mode == "--version") {
        std::cout << "qat-engine " << qw::version() << " (build " << qw::buildId() << ")\n";
        return 0;
    }
    if (mode == "--help") return usage(0);
    if (mode == "--stdio" && argc == 2) return qw::engine::runStdioEngine();
    if (mode == "--run" && argc > 2) {
        qw::engine::RunOptions options;
        options.runDir = argv[2];
        if (argc == 5 && std::strcmp(argv[3], "--job-lock") == 0)
            options.jobLock = argv[4];
        else if (argc != 3)
            return usage(2);
        return qw::engine::runJobEngine(options);
    }
    return usage(2);
}
