// SPDX-License-Identifier: GPL-3.0-or-later
// What: the checkpoints of one run on disk: written whole or not at all, verified when read, old ones removed (engine.md 5).
// Limits: one writer; knows names, bytes and digests, not what the tensors mean.
#pragma once

#include "base/result.h"
#include "checkpoint/safetensors.h"

#include <ATen/core/Tensor.h>
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace qw::train {

struct NamedTensor {
    std::string name;
    at::Tensor tensor; // contiguous, on the CPU
};

struct Snapshot {
    int64_t step = 0;
    std::vector<NamedTensor> model, optim;
    std::string stateJson, configHash;
    [[nodiscard]] uint64_t bytes() const;
};

// A checkpoint that was opened and whose digests were right.
struct Loaded {
    int64_t step = 0;
    std::filesystem::path dir;
    std::string stateJson;
    std::map<std::string, std::pair<checkpoint::TensorFile, checkpoint::TensorInfo>> tensors; // "model/…" and "optim/…" names
    [[nodiscard]] Result<at::Tensor> read(const std::string& name) const;                          // on the CPU, in its stored dtype
};

struct Rejected {
    std::filesystem::path dir;
    Error error;
};

// Around the writing of a checkpoint, on the thread that writes.
struct WriteHooks {
    const std::atomic<bool>* abandoned = nullptr; // polled every 16 MiB; engine.cancelled once it is set
    std::function<Status()> beforeVisible;        // all files are on the disk; an error keeps the checkpoint from being one
};

class Checkpoints {
public:
    // dir: <run>/checkpoints. freeSpace is replaced by tests.
    explicit Checkpoints(std::filesystem::path dir, std::function<uint64_t(const std::filesystem::path&)> freeSpace = {});

    [[nodiscard]] const std::filesystem::path& dir() const { return m_dir; }
    [[nodiscard]] std::filesystem::path path(int64_t step) const; // step_00001500
    // Creates the folder, removes .tmp.* and .trash-* of processes that are gone.
    [[nodiscard]] Status prepare() const;
    // disk.full before anything is written when the estimate does not fit. Nothing stays behind after an error. Returns the bytes written.
    [[nodiscard]] Result<uint64_t> write(const Snapshot& snapshot, const WriteHooks& hooks = {}) const;
    // Newest valid checkpoint; what was newer but unusable is listed. Nothing when there is none.
    [[nodiscard]] std::optional<Loaded> newest(std::vector<Rejected>& rejected) const;
    [[nodiscard]] Result<Loaded> open(int64_t step) const;
    // Removes all but the newest `keep` and `alsoKeep`.
    void prune(int64_t keep, int64_t alsoKeep) const;
    [[nodiscard]] std::vector<int64_t> steps() const;                 // of folders with a manifest, ascending
    [[nodiscard]] Status writeBest(int64_t step, double value) const; // best.json beside the folder

private:
    std::filesystem::path m_dir;
    std::function<uint64_t(const std::filesystem::path&)> m_freeSpace;
};

// 64 MiB that are given back when the disk is full, so that the log and the state can still be written.
void placeBallast(const std::filesystem::path& runDir);
bool dropBallast(const std::filesystem::path& runDir);

} // namespace qw::train
