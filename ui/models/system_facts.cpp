// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/system_facts.h"

#include <dlfcn.h>
#include <fstream>
#include <sstream>
#include <thread>

namespace qw::ui {

// The few entry points of NVML that are asked (docs.nvidia.com, NVML API Reference; stable ABI of libnvidia-ml.so.1).
struct SystemReader::Nvml {
    struct Memory {
        unsigned long long total, free, used;
    };
    struct Utilization {
        unsigned gpu, memory;
    };
    struct ProcessInfo { // nvmlProcessInfo_v2_t
        unsigned pid;
        unsigned long long usedGpuMemory;
        unsigned gpuInstanceId, computeInstanceId;
    };
    using Device = void*;
    void* lib = nullptr;
    int (*shutdown)() = nullptr;
    int (*count)(unsigned*) = nullptr;
    int (*device)(unsigned, Device*) = nullptr;
    int (*name)(Device, char*, unsigned) = nullptr;
    int (*memory)(Device, Memory*) = nullptr;
    int (*utilization)(Device, Utilization*) = nullptr;
    int (*power)(Device, unsigned*) = nullptr;
    int (*powerLimit)(Device, unsigned*) = nullptr;
    int (*temperature)(Device, int, unsigned*) = nullptr;
    int (*processes)(Device, unsigned*, ProcessInfo*) = nullptr;

    template<class F> bool find(F& entry, const char* symbol) {
        entry = reinterpret_cast<F>(::dlsym(lib, symbol));
        return entry != nullptr;
    }
    bool open() {
        lib = ::dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
        int (*init)() = nullptr;
        if (!lib || !find(init, "nvmlInit_v2") || !find(count, "nvmlDeviceGetCount_v2") || !find(device, "nvmlDeviceGetHandleByIndex_v2") ||
            !find(name, "nvmlDeviceGetName") || !find(memory, "nvmlDeviceGetMemoryInfo"))
            return false;
        find(shutdown, "nvmlShutdown");
        find(utilization, "nvmlDeviceGetUtilizationRates");
        find(power, "nvmlDeviceGetPowerUsage");
        find(powerLimit, "nvmlDeviceGetEnforcedPowerLimit");
        find(temperature, "nvmlDeviceGetTemperature");
        find(processes, "nvmlDeviceGetComputeRunningProcesses_v3");
        return init() == 0;
    }
    ~Nvml() {
        if (shutdown) shutdown();
        if (lib) ::dlclose(lib);
    }
};

namespace {

std::string nameOf(int64_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/comm");
    std::string name;
    std::getline(in, name);
    return name;
}

void readMemory(SystemFacts& facts) {
    std::ifstream in("/proc/meminfo");
    int64_t available = 0, kib = 0;
    std::string key, unit;
    while (in >> key >> kib && std::getline(in, unit)) {
        if (key == "MemTotal:") facts.totalBytes = kib * 1024;
        if (key == "MemAvailable:") available = kib * 1024;
    }
    facts.usedBytes = facts.totalBytes - available;
}

} // namespace

SystemReader::SystemReader() = default;
SystemReader::~SystemReader() = default;

SystemFacts SystemReader::read() {
    SystemFacts facts;
    facts.cores = static_cast<int>(std::thread::hardware_concurrency());
    readMemory(facts);
    std::ifstream in("/proc/stat"); // proc(5): user nice system idle iowait irq softirq steal
    std::string word;
    int64_t jiffies[8] = {}, all = 0;
    in >> word;
    for (int64_t& n : jiffies) {
        in >> n;
        all += n;
    }
    const int64_t busy = all - jiffies[3] - jiffies[4];
    if (m_all > 0 && all > m_all) facts.cpuBusy = static_cast<double>(busy - m_busy) / static_cast<double>(all - m_all);
    m_busy = busy;
    m_all = all;

    if (!m_nvml) {
        auto opened = std::make_unique<Nvml>();
        if (!opened->open()) opened->count = nullptr; // asked once
        m_nvml = std::move(opened);
    }
    const Nvml& nvml = *m_nvml;
    unsigned count = 0;
    if (!nvml.count || nvml.count(&count) != 0) return facts;
    for (unsigned i = 0; i < count; ++i) {
        Nvml::Device device = nullptr;
        if (nvml.device(i, &device) != 0) continue;
        GpuFacts gpu;
        char name[96] = "";
        if (nvml.name(device, name, sizeof name) == 0) gpu.name = name;
        Nvml::Memory memory{};
        if (nvml.memory(device, &memory) == 0) {
            gpu.usedBytes = static_cast<int64_t>(memory.used);
            gpu.totalBytes = static_cast<int64_t>(memory.total);
        }
        Nvml::Utilization busyNow{};
        if (nvml.utilization && nvml.utilization(device, &busyNow) == 0) gpu.busy = busyNow.gpu / 100.0;
        unsigned value = 0;
        if (nvml.power && nvml.power(device, &value) == 0) gpu.watts = value / 1000.0;
        if (nvml.powerLimit && nvml.powerLimit(device, &value) == 0) gpu.limitWatts = value / 1000.0;
        if (nvml.temperature && nvml.temperature(device, 0, &value) == 0) gpu.celsius = value;
        Nvml::ProcessInfo list[64];
        unsigned n = 64;
        if (nvml.processes && nvml.processes(device, &n, list) == 0)
            for (unsigned k = 0; k < n; ++k) {
                const bool told = list[k].usedGpuMemory != ~0ull; // NVML_VALUE_NOT_AVAILABLE
                gpu.processes.push_back({list[k].pid, told ? static_cast<int64_t>(list[k].usedGpuMemory) : 0, nameOf(list[k].pid)});
            }
        facts.gpus.push_back(std::move(gpu));
    }
    return facts;
}

} // namespace qw::ui
