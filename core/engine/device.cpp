// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/device.h"

#include "engine/process.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <torch/headeronly/version.h>

namespace qw::engine {
namespace {

// The few entry points of the CUDA driver API that are asked for facts (docs.nvidia.com, CUDA Driver API; stable ABI).
struct Driver {
    using Init = int (*)(unsigned);
    using GetInt = int (*)(int*);
    using GetDevice = int (*)(int*, int);
    using GetName = int (*)(char*, int, int);
    using GetMemory = int (*)(size_t*, int);
    using GetAttribute = int (*)(int*, int, int);
    GetDevice device = nullptr;
    GetName name = nullptr;
    GetMemory memory = nullptr;
    GetAttribute attribute = nullptr;
    int version = 0, count = 0;
    std::string why;
};

Driver openDriver() {
    Driver d;
    void* lib = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!lib) {
        d.why = "no NVIDIA driver: libcuda.so.1 cannot be opened";
        return d;
    }
    const auto init = reinterpret_cast<Driver::Init>(::dlsym(lib, "cuInit"));
    const auto version = reinterpret_cast<Driver::GetInt>(::dlsym(lib, "cuDriverGetVersion"));
    const auto count = reinterpret_cast<Driver::GetInt>(::dlsym(lib, "cuDeviceGetCount"));
    d.device = reinterpret_cast<Driver::GetDevice>(::dlsym(lib, "cuDeviceGet"));
    d.name = reinterpret_cast<Driver::GetName>(::dlsym(lib, "cuDeviceGetName"));
    d.memory = reinterpret_cast<Driver::GetMemory>(::dlsym(lib, "cuDeviceTotalMem_v2"));
    d.attribute = reinterpret_cast<Driver::GetAttribute>(::dlsym(lib, "cuDeviceGetAttribute"));
    if (!init || !version || !count || !d.device || !d.name || !d.memory || !d.attribute) {
        d.why = "libcuda.so.1 lacks entry points that every driver has";
        return d;
    }
    if (const int code = init(0); code != 0) {
        d.why = "the CUDA driver does not start (cuInit returned " + std::to_string(code) + ")";
        return d;
    }
    static_cast<void>(version(&d.version));
    if (count(&d.count) != 0) d.count = 0;
    if (d.count == 0) d.why = "the CUDA driver sees no device";
    return d;
}

const Driver& driver() {
    static const Driver d = openDriver();
    return d;
}

std::string deviceName(int index) {
    char name[128] = "";
    int device = 0;
    if (driver().device(&device, index) != 0 || driver().name(name, sizeof name, device) != 0) return "unknown";
    return name;
}

size_t deviceMemory(int index) {
    size_t bytes = 0;
    int device = 0;
    if (driver().device(&device, index) != 0 || driver().memory(&bytes, device) != 0) return 0;
    return bytes;
}

std::string capability(int index) {
    int device = 0, major = 0, minor = 0;
    if (driver().device(&device, index) != 0) return "";
    static_cast<void>(driver().attribute(&major, 75, device)); // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    static_cast<void>(driver().attribute(&minor, 76, device)); // …_MINOR
    return std::to_string(major) + "." + std::to_string(minor);
}

// libtorch_cuda.so lies beside the libtorch_cpu.so that this process runs with.
std::string openTorchCuda() {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<void*>(&at::globalContext), &info) == 0 || !info.dli_fname)
        return "the folder of libtorch_cpu.so is unknown";
    const auto lib = std::filesystem::path(info.dli_fname).parent_path() / "libtorch_cuda.so";
    if (::dlopen(lib.c_str(), RTLD_NOW | RTLD_GLOBAL)) return "";
    const char* why = ::dlerror();
    return why ? why : "libtorch_cuda.so cannot be opened";
}

const std::string& torchCuda() { // empty: open
    static const std::string why = driver().count > 0 ? openTorchCuda() : driver().why;
    return why;
}

Error noCuda(const std::string& wanted, const std::string& why) {
    return Error{"engine.driver", "device " + wanted + " is not available: " + why,
                 "use device: cpu, or install the driver and LibTorch's CUDA libraries (package qat-workbench-engine-cuda, or "
                 "installer/setup --cuda)",
                 "", false};
}

} // namespace

const DeviceFacts& devices() {
    static const DeviceFacts facts = [] {
        DeviceFacts f;
        f.names.emplace_back("cpu");
        f.cudaCount = driver().count;
        f.why = driver().why;
        if (driver().version > 0) f.driver = std::to_string(driver().version / 1000) + "." + std::to_string(driver().version % 1000 / 10);
        for (int i = 0; i < f.cudaCount; ++i)
            f.names.push_back("cuda:" + std::to_string(i) + " " + deviceName(i) + " " + std::to_string(deviceMemory(i) >> 30) + " GiB");
        return f;
    }();
    return facts;
}

std::string devicesJson() {
    auto list = nlohmann::json::array();
    list.push_back({{"device", "cpu"}, {"name", "cpu"}, {"cores", physicalCores()}, {"dtypes", {"fp32", "bf16"}}});
    for (int i = 0; i < devices().cudaCount; ++i)
        list.push_back({{"device", "cuda:" + std::to_string(i)},
                        {"name", deviceName(i)},
                        {"memory_bytes", deviceMemory(i)},
                        {"compute_capability", capability(i)},
                        {"driver", devices().driver},
                        {"dtypes", {"fp32", "bf16"}}});
    return list.dump();
}

Result<c10::Device> openDevice(const std::string& wanted) {
    if (wanted == "cpu") return c10::Device(c10::kCPU);
    if (wanted == "auto") {
        if (devices().cudaCount == 0 || !torchCuda().empty()) return c10::Device(c10::kCPU);
        return c10::Device(c10::kCUDA, 0);
    }
    int index = 0;
    const std::string digits = wanted.starts_with("cuda:") ? wanted.substr(5) : "0";
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if ((wanted != "cuda" && !wanted.starts_with("cuda:")) || code != std::errc() || end != digits.data() + digits.size() || index < 0)
        return Error{"config.invalid", "device is '" + wanted + "'", "write auto, cpu, cuda or cuda:N", "", false};
    if (devices().cudaCount == 0) return noCuda(wanted, devices().why);
    if (!torchCuda().empty()) return noCuda(wanted, torchCuda());
    if (!at::detail::getCUDAHooks().hasCUDA()) return noCuda(wanted, "libtorch_cuda.so is open but finds no usable device");
    if (index >= devices().cudaCount)
        return noCuda(wanted, "there are " + std::to_string(devices().cudaCount) + " CUDA devices, numbered from 0");
    return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
}

std::string libtorchVersion() { return TORCH_VERSION; }

int configureTorch(int64_t threads, bool deterministic, bool tf32) {
    const int count = threads > 0 ? static_cast<int>(threads) : physicalCores();
    at::set_num_threads(count);
    if (deterministic) ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0); // read by cuBLAS when CUDA starts
    at::Context& context = at::globalContext();
    context.setDeterministicAlgorithms(deterministic, false);
    context.setBenchmarkCuDNN(false);
    context.setAllowTF32CuDNN(tf32);
    context.setAllowTF32CuBLAS(tf32);
    return count;
}

} // namespace qw::engine
