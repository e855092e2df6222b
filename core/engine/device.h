// SPDX-License-Identifier: GPL-3.0-or-later
// What: which devices there are, and opening LibTorch's CUDA part at run time when one of them is asked for.
#pragma once

#include "base/result.h"

#include <c10/core/Device.h>
#include <string>
#include <vector>

namespace qw::engine {

struct DeviceFacts {
    std::vector<std::string> names; // "cpu", then "cuda:0 NVIDIA H100 79 GiB" …
    std::string driver;             // CUDA driver version, e.g. "13.0"; empty when no driver answers
    std::string why;                // why there is no CUDA device, in words
    int cudaCount = 0;
};
// Asks the driver only; cheap, opens no LibTorch part. Once per process.
[[nodiscard]] const DeviceFacts& devices();
[[nodiscard]] std::string devicesJson(); // JSON array for device.list: name, memory total and free, compute capability

// auto | cpu | cuda | cuda:N. auto falls back to the CPU; cuda that cannot be had is engine.driver with the reason.
[[nodiscard]] Result<c10::Device> openDevice(const std::string& wanted);
[[nodiscard]] std::string libtorchVersion();

// Intra-op threads; deterministic: the flags of training.md 12. threads <= 0: physical cores. Returns the count.
int configureTorch(int64_t threads, bool deterministic, bool tf32);

} // namespace qw::engine
