// SPDX-License-Identifier: GPL-3.0-or-later
// What: load and memory of this machine and its GPUs, as /proc and NVIDIA's management library tell them.
// Why here: the device dock asks on a worker's thread; without a driver there are simply no GPUs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace qw::ui {

struct GpuProcess {
    int64_t pid = 0, bytes = 0;
    std::string name;
};
struct GpuFacts {
    std::string name;
    int64_t usedBytes = 0, totalBytes = 0;
    double busy = -1, watts = -1, limitWatts = -1, celsius = -1; // below 0: not told
    std::vector<GpuProcess> processes;
};
struct SystemFacts {
    int cores = 0;
    double cpuBusy = -1; // share of all cores since the read before; below 0: the first read
    int64_t usedBytes = 0, totalBytes = 0;
    std::vector<GpuFacts> gpus;
};

class SystemReader {
public:
    SystemReader();
    ~SystemReader();
    [[nodiscard]] SystemFacts read();

private:
    struct Nvml;
    std::unique_ptr<Nvml> m_nvml;
    int64_t m_busy = 0, m_all = 0; // jiffies of the read before
};

} // namespace qw::ui
