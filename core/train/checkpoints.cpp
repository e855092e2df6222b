// SPDX-License-Identifier: GPL-3.0-or-later
#include "train/checkpoints.h"

#include "base/build_info.h"
#include "base/digest.h"
#include "base/files.h"
#include "wire/run_folder.h"

#include <ATen/ops/empty.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace qw::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr uint64_t kShardBytes = uint64_t{4} << 30;
constexpr uint64_t kReserveBytes = uint64_t{256} << 20;
constexpr int64_t kBallastBytes = int64_t{64} << 20;
constexpr uint64_t kPieceBytes = uint64_t{16} << 20; // engine.md 3: polled as often

struct DtypeRow {
    at::ScalarType type;
    const char* name;
};
constexpr std::array kDtypes{DtypeRow{at::kFloat, "F32"}, DtypeRow{at::kBFloat16, "BF16"}, DtypeRow{at::kHalf, "F16"},
                             DtypeRow{at::kLong, "I64"},  DtypeRow{at::kInt, "I32"},       DtypeRow{at::kChar, "I8"}};

const char* dtypeName(at::ScalarType type) {
    for (const DtypeRow& row : kDtypes)
        if (row.type == type) return row.name;
    return "F32";
}

std::string shardName(const char* prefix, size_t number) {
    std::string digits = std::to_string(number);
    return std::string(prefix) + "-" + std::string(5 - std::min<size_t>(5, digits.size()), '0') + digits + ".safetensors";
}

// Process id behind ".tmp." or ".trash-", or 0.
pid_t ownerOf(const std::string& name) {
    for (const std::string_view mark : {std::string_view(".tmp."), std::string_view(".trash-")}) {
        const size_t at = name.find(mark);
        if (at == std::string::npos) continue;
        return static_cast<pid_t>(std::strtol(name.c_str() + at + mark.size(), nullptr, 10));
    }
    return 0;
}

bool isAlive(pid_t pid) { return pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM); }

checkpoint::TensorSource sourceOf(const NamedTensor& named, const std::atomic<bool>* abandoned) {
    const at::Tensor& t = named.tensor;
    checkpoint::TensorSource source = checkpoint::bytesSource(named.name, dtypeName(t.scalar_type()), t.sizes().vec(), t.const_data_ptr());
    if (!abandoned) return source;
    source.write = [data = static_cast<const char*>(t.const_data_ptr()), size = static_cast<uint64_t>(t.nbytes()),
                    abandoned](const std::function<Status(const void*, uint64_t)>& sink) -> Status {
        for (uint64_t at = 0; at < size; at += kPieceBytes) {
            if (abandoned->load()) return Error{"engine.cancelled", "the checkpoint was left", {}, {}, true};
            QW_CHECK(sink(data + at, std::min(kPieceBytes, size - at)));
        }
        return {};
    };
    return source;
}

Result<json> writeShards(const fs::path& dir, const char* prefix, const std::vector<NamedTensor>& tensors,
                         const std::atomic<bool>* abandoned) {
    json files = json::array();
    for (size_t i = 0; i < tensors.size();) {
        std::vector<checkpoint::TensorSource> shard;
        uint64_t bytes = 0;
        for (; i < tensors.size() && (shard.empty() || bytes + tensors[i].tensor.nbytes() <= kShardBytes); ++i) {
            shard.push_back(sourceOf(tensors[i], abandoned));
            bytes += tensors[i].tensor.nbytes();
        }
        const std::string name = shardName(prefix, files.size() + 1);
        QW_TRY(const std::string digest, checkpoint::writeSafetensors(dir / name, std::move(shard), {{"format", "qatw-checkpoint"}}));
        std::error_code code;
        files.push_back({{"name", name}, {"bytes", fs::file_size(dir / name, code)}, {"xxh3", digest}});
    }
    return files;
}

Status writeParts(const fs::path& dir, const Snapshot& snapshot, const std::atomic<bool>* abandoned) {
    QW_TRY(json files, writeShards(dir, "model", snapshot.model, abandoned));
    QW_TRY(const json optim, writeShards(dir, "optim", snapshot.optim, abandoned));
    files.insert(files.end(), optim.begin(), optim.end());
    QW_CHECK(writeFileAtomic(dir / "state.json", snapshot.stateJson));
    files.push_back({{"name", "state.json"}, {"bytes", snapshot.stateJson.size()}, {"xxh3", xxh3Hex(snapshot.stateJson)}});
    const json manifest{
        {"format", 1},     {"step", snapshot.step},    {"config_hash", snapshot.configHash}, {"engine_build", std::string(buildId())},
        {"world_size", 1}, {"files", std::move(files)}};
    QW_CHECK(writeFileAtomic(dir / wire::kCheckpointManifest, manifest.dump(1)));
    return fsyncDir(dir);
}

Error corrupt(const fs::path& path, const std::string& what) { return {"file.corrupt", path.string() + " " + what, {}, {}, false}; }

Status checkFile(const fs::path& dir, const json& entry) {
    const fs::path path = dir / fs::path(entry.at("name").get<std::string>()).filename();
    std::error_code code;
    const uint64_t size = fs::file_size(path, code);
    if (code) return corrupt(path, "is missing");
    if (size != entry.at("bytes").get<uint64_t>()) return corrupt(path, "has the wrong size");
    QW_TRY(const std::string digest, xxh3File(path));
    if (digest != entry.at("xxh3").get<std::string>()) return corrupt(path, "does not have the digest its manifest names");
    return {};
}

Result<Loaded> openDir(const fs::path& dir) {
    QW_TRY(const std::string text, readFile(dir / wire::kCheckpointManifest, 64 << 20));
    const json manifest = json::parse(text, nullptr, false);
    if (manifest.is_discarded()) return corrupt(dir / wire::kCheckpointManifest, "is not JSON");
    try {
        if (manifest.at("format").get<int>() != 1) return corrupt(dir / wire::kCheckpointManifest, "has a format this build does not know");
        Loaded loaded;
        loaded.dir = dir;
        loaded.step = manifest.at("step").get<int64_t>();
        for (const json& entry : manifest.at("files")) {
            QW_CHECK(checkFile(dir, entry));
            const std::string name = entry.at("name").get<std::string>();
            if (name == "state.json") {
                QW_TRY(loaded.stateJson, readFile(dir / name));
                continue;
            }
            QW_TRY(const checkpoint::TensorFile file, checkpoint::TensorFile::open(dir / fs::path(name).filename()));
            const std::string prefix = name.starts_with("model") ? "model/" : "optim/";
            for (const checkpoint::TensorInfo& tensor : file.tensors())
                loaded.tensors.emplace(prefix + tensor.name, std::make_pair(file, tensor));
        }
        if (loaded.stateJson.empty()) return corrupt(dir / wire::kCheckpointManifest, "does not list state.json");
        return loaded;
    } catch (const json::exception& error) {
        return corrupt(dir / wire::kCheckpointManifest, std::string("is not a manifest: ") + error.what());
    }
}

} // namespace

uint64_t Snapshot::bytes() const {
    uint64_t sum = stateJson.size();
    for (const auto* part : {&model, &optim})
        for (const NamedTensor& t : *part) sum += t.tensor.nbytes() + 128;
    return sum;
}

Result<at::Tensor> Loaded::read(const std::string& name) const {
    const auto found = tensors.find(name);
    if (found == tensors.end()) return corrupt(dir, "has no tensor " + name);
    const auto& [file, info] = found->second;
    for (const DtypeRow& row : kDtypes) {
        if (info.dtype != row.name) continue;
        at::Tensor tensor = at::empty(info.shape, at::TensorOptions().dtype(row.type));
        QW_CHECK(file.read(info, tensor.data_ptr()));
        return tensor;
    }
    return corrupt(dir, "has tensor " + name + " of unknown type " + info.dtype);
}

Checkpoints::Checkpoints(fs::path dir, std::function<uint64_t(const fs::path&)> freeSpace)
    : m_dir(std::move(dir)), m_freeSpace(freeSpace ? std::move(freeSpace) : [](const fs::path& path) { return freeBytes(path); }) {}

fs::path Checkpoints::path(int64_t step) const { return m_dir / wire::checkpointName(step); }

Status Checkpoints::prepare() const {
    QW_CHECK(makeDirs(m_dir));
    std::error_code code;
    std::vector<fs::path> leftovers;
    for (const fs::directory_entry& entry : fs::directory_iterator(m_dir, code)) {
        const pid_t owner = ownerOf(entry.path().filename().string());
        if (owner > 0 && (owner == ::getpid() || !isAlive(owner))) leftovers.push_back(entry.path());
    }
    for (const fs::path& path : leftovers) fs::remove_all(path, code);
    return {};
}

Result<uint64_t> Checkpoints::write(const Snapshot& snapshot, const WriteHooks& hooks) const {
    const uint64_t need = snapshot.bytes() + snapshot.bytes() / 10 + kReserveBytes;
    const uint64_t free = m_freeSpace(m_dir);
    if (free < need)
        return Error{"disk.full",
                     "the checkpoint of step " + std::to_string(snapshot.step) + " needs " + std::to_string(need) + " bytes free in " +
                         m_dir.string() + ", there are " + std::to_string(free),
                     "free some space, then resume the run",
                     "{\"need\":" + std::to_string(need) + ",\"free\":" + std::to_string(free) + "}", true};
    const fs::path target = path(snapshot.step);
    const fs::path temporary = target.string() + ".tmp." + std::to_string(::getpid());
    std::error_code code;
    fs::remove_all(temporary, code);
    Status status = makeDirs(temporary);
    if (status) status = writeParts(temporary, snapshot, hooks.abandoned);
    if (status && hooks.beforeVisible) status = hooks.beforeVisible();
    if (!status) {
        fs::remove_all(temporary, code);
        return std::move(status).error();
    }
    fs::path old;
    if (fs::exists(target, code)) { // the same step again, after a rollback or a damaged one: the old folder makes room first
        old = target.string() + ".trash-" + std::to_string(::getpid());
        if (::rename(target.c_str(), old.c_str()) != 0) return errnoError(errno, "rename", target);
    }
    if (::rename(temporary.c_str(), target.c_str()) != 0) return errnoError(errno, "rename to", target);
    QW_CHECK(fsyncDir(m_dir));
    QW_CHECK(writeFileAtomic(m_dir / "LATEST", target.filename().string() + "\n"));
    if (!old.empty()) fs::remove_all(old, code);
    return snapshot.bytes();
}

std::vector<int64_t> Checkpoints::steps() const { return wire::checkpointSteps(m_dir); }

Result<Loaded> Checkpoints::open(int64_t step) const { return openDir(path(step)); }

std::optional<Loaded> Checkpoints::newest(std::vector<Rejected>& rejected) const {
    const std::vector<int64_t> all = steps();
    for (auto step = all.rbegin(); step != all.rend(); ++step) {
        Result<Loaded> loaded = openDir(path(*step));
        if (loaded) return *std::move(loaded);
        rejected.push_back({path(*step), loaded.error()});
    }
    return std::nullopt;
}

void Checkpoints::prune(int64_t keep, int64_t alsoKeep) const {
    const std::vector<int64_t> all = steps();
    const auto excess = static_cast<int64_t>(all.size()) - std::max<int64_t>(1, keep);
    std::error_code code;
    for (int64_t i = 0; i < excess; ++i) {
        const int64_t step = all[static_cast<size_t>(i)];
        if (step == alsoKeep) continue;
        const fs::path trash = path(step).string() + ".trash-" + std::to_string(::getpid());
        fs::rename(path(step), trash, code);
        if (!code) fs::remove_all(trash, code);
    }
}

Status Checkpoints::writeBest(int64_t step, double value) const {
    const json best{{"step", step}, {"metric", "eval_loss"}, {"value", value}, {"checkpoint", path(step).filename().string()}};
    return writeFileAtomic(m_dir / "best.json", best.dump(1));
}

void placeBallast(const fs::path& runDir) {
    const int file = ::open((runDir / ".ballast").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return;
    const bool placed = ::posix_fallocate(file, 0, kBallastBytes) == 0;
    ::close(file);
    if (!placed) dropBallast(runDir); // a disk too full for it is reported by the first checkpoint
}

bool dropBallast(const fs::path& runDir) { return ::unlink((runDir / ".ballast").c_str()) == 0; }

} // namespace qw::train
