// SPDX-License-Identifier: GPL-3.0-or-later
#include "formats/tensors.h"

#include "base/files.h"
#include "checkpoint/convert.h"
#include "checkpoint/shards.h"
#include "formats/staging.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

namespace qw::formats {
namespace {

using checkpoint::Checkpoint;
using checkpoint::RowRange;
using checkpoint::TensorSource;
using records::DType;
using Sink = std::function<Status(const void*, uint64_t)>;

constexpr uint64_t kMaxConfigBytes = uint64_t{8} << 20;
constexpr int64_t kWidestGroup = 128; // Marlin kernels have no 256
constexpr int64_t kTimesStored = 4;   // what making some bytes takes beside them: codes, scales, values

Error cancelled() { return {"engine.cancelled", "the export was cancelled", {}, {}, false}; }

} // namespace

TensorSource madeTensor(std::string name, std::string dtype, std::vector<int64_t> shape, std::function<Result<Bytes>()> make) {
    return {std::move(name), std::move(dtype), std::move(shape), [make = std::move(make)](const Sink& sink) -> Status {
                QW_TRY(const auto bytes, make());
                return bytes.empty() ? Status{} : sink(bytes.data(), bytes.size());
            }};
}

TensorSource madeRows(std::string name, std::string dtype, std::vector<int64_t> shape, std::function<Result<Bytes>(RowRange rows)> make) {
    TensorSource out{std::move(name), std::move(dtype), std::move(shape), {}};
    const auto bytes = checkpoint::sourceBytes(out);
    const int64_t rows = out.shape.empty() ? 1 : out.shape.front();
    const int64_t row = bytes && rows > 0 ? static_cast<int64_t>(*bytes) / rows : 0; // a bad dtype is reported by the write
    out.write = [rows, row, make = std::move(make)](const Sink& sink) -> Status {
        return checkpoint::forRowBlocks(rows, row * kTimesStored, [&](RowRange some) -> Status {
            QW_TRY(const auto made, make(some));
            return made.empty() ? Status{} : sink(made.data(), made.size());
        });
    };
    return out;
}

TensorSource plainTensor(const Checkpoint& source, const checkpoint::ExpectedTensor& tensor) {
    const auto* stored = source.find(tensor.name);
    DType type = source.dtype();
    if (stored) // F64 is rounded to F32 when it is read
        type = stored->dtype == "BF16" ? DType::BF16 : stored->dtype == "F16" ? DType::F16 : DType::F32;
    for (const auto& module : source.quantizedModules())
        if (module.name + ".weight" == tensor.name) type = source.dtype();
    int64_t row = numerics::sizeOf(type);
    for (size_t d = 1; d < tensor.shape.size(); ++d) row *= tensor.shape[d];
    return madeRows(tensor.name, checkpoint::storedName(type), tensor.shape,
                    [source, type, row, name = tensor.name](RowRange rows) -> Result<Bytes> {
                        Bytes bytes(static_cast<size_t>(rows.count * row));
                        QW_CHECK(source.readRows(name, type, rows, bytes.data()));
                        return bytes;
                    });
}

std::vector<checkpoint::QuantizedModule> linears(const Checkpoint& source) {
    std::vector<checkpoint::QuantizedModule> out;
    for (const auto& m : source.quantizedModules())
        if (m.name != "lm_head" && checkpoint::roleOfModule(m.name) == records::Role::Weight) out.push_back(m);
    return out;
}

void addOthers(std::vector<TensorSource>& out, const Checkpoint& source) {
    std::set<std::string> stored;
    for (const auto& m : linears(source)) stored.insert(m.name + ".weight");
    for (const auto& tensor : source.tensors())
        if (!stored.contains(tensor.name)) out.push_back(plainTensor(source, tensor));
}

void noteOthers(const Checkpoint& source, Verdict& verdict) {
    std::set<std::string> taken;
    for (const auto& m : linears(source)) taken.insert(m.name);
    for (const auto& m : source.quantizedModules())
        if (!taken.contains(m.name)) verdict.notes.push_back(m.name + " is written as its values: readers want it in the model's type");
}

Result<std::vector<float>> readScales(const Checkpoint& source, const checkpoint::QuantizedModule& m, RowRange rows) {
    const int64_t groups = m.groupsOf(rows).count;
    std::vector<float> stored(static_cast<size_t>(groups)), scales(stored.size());
    QW_CHECK(source.readCodes(m, rows, nullptr, stored.data(), nullptr));
    checkpoint::convertElements(checkpoint::storedName(m.grid.scaleType), stored.data(), groups, DType::F32, scales.data());
    if (m.oneScale()) scales.resize(static_cast<size_t>(rows.count), scales.front());
    return scales;
}

WrittenGroup writtenGroup(const records::QuantBlock& block) {
    if (block.granularity != records::Granularity::PerGroup) return {};
    if (block.groupSize <= kWidestGroup || block.groupSize % kWidestGroup != 0) return {block.groupSize, 1};
    return {kWidestGroup, block.groupSize / kWidestGroup};
}

std::vector<float> repeated(const std::vector<float>& values, int64_t times) {
    std::vector<float> out;
    out.reserve(values.size() * static_cast<size_t>(times));
    for (const float value : values) out.insert(out.end(), static_cast<size_t>(times), value);
    return out;
}

Result<ScaleFit> judgeScales(const Checkpoint& source, const checkpoint::QuantizedModule& m, DType as) {
    ScaleFit fit;
    QW_CHECK(checkpoint::forRowBlocks(m.rows, m.cols, [&](RowRange rows) -> Status {
        QW_TRY(const auto scales, readScales(source, m, rows));
        const auto count = static_cast<int64_t>(scales.size()), group = rows.count * m.cols / count;
        std::vector<float> narrow(scales.size()), back(scales.size());
        checkpoint::convertElements("F32", scales.data(), count, as, narrow.data());
        checkpoint::convertElements(checkpoint::storedName(as), narrow.data(), count, DType::F32, back.data());
        std::vector<int8_t> codes;
        for (size_t i = 0; i < scales.size(); ++i) {
            if (std::memcmp(&scales[i], &back[i], sizeof(float)) == 0) continue;
            if (codes.empty()) { // only when there is a doubt
                codes.resize(static_cast<size_t>(rows.count * m.cols));
                QW_CHECK(source.readCodes(m, rows, codes.data(), nullptr, nullptr));
            }
            const auto first = codes.begin() + static_cast<int64_t>(i) * group;
            if (std::isfinite(back[i]) && !m.grid.hasZero() && std::all_of(first, first + group, [](int8_t q) { return q == 0; })) continue;
            (std::isfinite(back[i]) ? fit.inexact : fit.outside) += 1;
        }
        return {};
    }));
    return fit;
}

uint64_t bytesOf(const std::vector<TensorSource>& tensors) {
    uint64_t sum = 0;
    for (const TensorSource& t : tensors)
        if (const auto bytes = checkpoint::sourceBytes(t)) sum += *bytes;
    return sum;
}

Status writeTensors(const std::filesystem::path& dir, std::vector<TensorSource> tensors, const std::map<std::string, std::string>& metadata,
                    const Progress& progress) {
    const uint64_t total = bytesOf(tensors);
    const auto done = std::make_shared<uint64_t>(0);
    for (TensorSource& tensor : tensors)
        tensor.write = [inner = std::move(tensor.write), done, total, &progress](const Sink& sink) -> Status {
            return inner([&](const void* bytes, uint64_t size) -> Status {
                QW_CHECK(sink(bytes, size));
                *done += size;
                return progress(*done, total) ? Status{} : Status(cancelled());
            });
        };
    QW_TRY(const auto written, checkpoint::writeShards(dir, std::move(tensors), metadata));
    return {};
}

Result<std::string> adaptedConfig(const std::filesystem::path& source, const ConfigChange& change) {
    using Json = nlohmann::ordered_json;
    const auto path = source / "config.json";
    QW_TRY(const std::string text, readFile(path, kMaxConfigBytes));
    auto parsed = checkpoint::parseModelConfig(text); // refuses what the next line would read differently
    if (!parsed) return std::move(parsed).error().at(path.string());
    Json config = Json::parse(text, nullptr, false);
    if (config.is_discarded()) return Error{"model.format", path.string() + " is not valid JSON", {}, {}, false};
    config.erase("quantization_config");
    config.erase("compression_config");
    const bool hasNew = config.contains("dtype"), hasOld = config.contains("torch_dtype");
    if (hasNew) config["dtype"] = checkpoint::configName(change.type);
    if (hasOld || !hasNew) config["torch_dtype"] = checkpoint::configName(change.type);
    if (parsed->tied != change.tied) config["tie_word_embeddings"] = change.tied;
    if (!change.quantization.empty()) config["quantization_config"] = Json::parse(change.quantization);
    return config.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Status writeFolder(const Checkpoint& source, const std::filesystem::path& dir, std::vector<TensorSource> tensors,
                   const std::map<std::string, std::string>& metadata, const std::string& quantization, const Progress& progress) {
    QW_TRY(const std::string config, adaptedConfig(source.dir(), {source.dtype(), source.tied(), quantization}));
    QW_CHECK(writeTensors(dir, std::move(tensors), metadata, progress));
    QW_CHECK(copySideFiles(source.dir(), dir));
    return writeFileAtomic(dir / "config.json", config);
}

} // namespace qw::formats
