// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/build_info.h"
#include "base/files.h"
#include "checkpoint/convert.h"
#include "checkpoint/native.h"
#include "formats/format.h"
#include "formats/staging.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

namespace qw::formats {
namespace {

using checkpoint::Checkpoint;
using checkpoint::QuantizedModule;
namespace fs = std::filesystem;

const QuantizedModule* moduleOf(const Checkpoint& source, const std::string& tensor) {
    for (const QuantizedModule& m : source.quantizedModules())
        if (m.name + ".weight" == tensor) return &m;
    return nullptr;
}

// Groups with at least one other value; a plain tensor is one group.
int64_t differentGroups(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b, size_t groupBytes) {
    int64_t different = 0;
    for (size_t at = 0; at < a.size(); at += groupBytes)
        different += std::memcmp(a.data() + at, b.data() + at, std::min(groupBytes, a.size() - at)) != 0;
    return different;
}

double largest(records::DType type, const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
    const auto count = a.size() / static_cast<size_t>(numerics::sizeOf(type));
    std::vector<float> x(count), y(count);
    checkpoint::convertElements(checkpoint::storedName(type), a.data(), static_cast<int64_t>(count), records::DType::F32, x.data());
    checkpoint::convertElements(checkpoint::storedName(type), b.data(), static_cast<int64_t>(count), records::DType::F32, y.data());
    double most = 0;
    for (size_t i = 0; i < count; ++i) most = std::max(most, std::abs(static_cast<double>(x[i]) - static_cast<double>(y[i])));
    return most;
}

// One tensor of both, a few rows at a time: equal, or what differs is added to the sheet.
Status compareTensor(const Checkpoint& source, const Checkpoint& written, const checkpoint::ExpectedTensor& tensor, WeightSheet& sheet,
                     const std::function<bool(uint64_t bytes)>& progress) {
    const records::DType type = source.dtype();
    const QuantizedModule* module = moduleOf(source, tensor.name);
    const bool whole = !module || module->oneScale(); // one group
    const int64_t rows = tensor.shape.front();
    int64_t row = numerics::sizeOf(type), different = 0;
    for (size_t d = 1; d < tensor.shape.size(); ++d) row *= tensor.shape[d];
    QW_CHECK(checkpoint::forRowBlocks(rows, row, [&](checkpoint::RowRange some) -> Status {
        std::vector<uint8_t> want(static_cast<size_t>(some.count * row)), have(want.size());
        QW_CHECK(source.readRows(tensor.name, type, some, want.data()));
        QW_CHECK(written.readRows(tensor.name, type, some, have.data()));
        const auto group = whole ? want.size() : static_cast<size_t>(module->grid.group * numerics::sizeOf(type));
        if (const int64_t found = differentGroups(want, have, group); found > 0) {
            different = whole ? 1 : different + found;
            sheet.maxAbs = std::max(sheet.maxAbs, largest(type, want, have));
        }
        return progress(want.size()) ? Status{} : Status(Error{"engine.cancelled", "reading back was stopped", "", {}, true});
    }));
    ++sheet.tensors;
    sheet.groups += module ? module->groups() : 0;
    sheet.different += different;
    if (different == 0)
        ++sheet.equal;
    else if (sheet.firstDifferent.empty())
        sheet.firstDifferent = tensor.name;
    return {};
}

// No time, no path: equal input gives equal bytes.
Result<std::string> factsOf(const Format& format, const Checkpoint& source, const Verdict& verdict) {
    using Json = nlohmann::ordered_json;
    QW_TRY(const std::string digest, source.fingerprint());
    Json out{{"format", format.name},
             {"version", std::string(version())},
             {"dtype", checkpoint::configName(source.dtype())},
             {"fidelity", word(verdict.fidelity)},
             {"groups", verdict.groups},
             {"inexact_groups", verdict.inexact},
             {"source", {{"xxh3_128", digest}, {"of", "config.json and weights"}}},
             {"schemes", Json::parse(checkpoint::schemesToJson(source.schemes()))}};
    Json& modules = out["modules"] = Json::object();
    for (const QuantizedModule& m : source.quantizedModules())
        modules[m.name] = {
            {"rows", m.rows}, {"cols", m.cols}, {"bits", m.block.bits}, {"bits_per_weight", numerics::bitsPerWeight(m.grid)}};
    Json& skipped = out["skipped"] = Json::object();
    for (const auto& [name, reason] : source.skipped()) skipped[name] = reason;
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Status allowed(const Format& format, const Verdict& verdict, const Wanted& wanted) {
    if (verdict.fidelity == Fidelity::Unsupported)
        return Error{"usage", std::string(format.name) + " cannot hold this model: " + verdict.why, "choose another format", {}, false};
    if (verdict.fidelity == Fidelity::Lossy && !wanted.lossy)
        return Error{"usage",
                     std::string(format.name) + " would lose values: " + verdict.why,
                     "ask for it with --lossy, or choose another format",
                     {},
                     false};
    return {};
}

Status within(const fs::path& out, const Verdict& verdict, const WeightSheet& sheet) {
    if (verdict.fidelity == Fidelity::Lossy || sheet.different <= verdict.inexact) return {};
    return Error{"file.corrupt",
                 out.string() + ": layer " + sheet.firstDifferent + " reads back differently; " + std::to_string(sheet.different) +
                     " groups differ where the format allows " + std::to_string(verdict.inexact),
                 "write the folder again; if it happens twice, check the disk",
                 {},
                 false};
}

} // namespace

Result<WeightSheet> compareWeights(const Checkpoint& source, const Checkpoint& written, const Progress& progress) {
    WeightSheet sheet;
    uint64_t done = 0, total = 0;
    for (const auto& tensor : source.tensors()) {
        auto bytes = static_cast<uint64_t>(numerics::sizeOf(source.dtype()));
        for (const int64_t d : tensor.shape) bytes *= static_cast<uint64_t>(d);
        total += bytes;
    }
    const auto count = [&](uint64_t bytes) { return !progress || progress(done += bytes, total); };
    for (const auto& tensor : source.tensors()) QW_CHECK(compareTensor(source, written, tensor, sheet, count));
    return sheet;
}

Result<Exported> exportModel(const Format& format, const Checkpoint& source, const Wanted& wanted, const Progress& progress,
                             const ProbeLogits& probe) {
    std::error_code code;
    if (fs::equivalent(source.dir(), wanted.out, code))
        return Error{"file.unsafe", wanted.out.string() + " is the folder that is exported", "choose another folder", {}, false};
    QW_TRY(const Verdict verdict, format.check(source));
    QW_CHECK(allowed(format, verdict, wanted));
    QW_TRY(Staging staging, Staging::begin(wanted.out, wanted.overwrite));
    if (const uint64_t available = freeBytes(staging.dir()); available != 0 && available < verdict.bytes)
        return Error{"disk.full",
                     wanted.out.string() + " needs " + std::to_string(verdict.bytes) + " bytes, " + std::to_string(available) + " are free",
                     "free some space and try again",
                     {},
                     true};
    QW_CHECK(format.write(source, staging.dir(), progress));
    QW_TRY(const std::string facts, factsOf(format, source, verdict));
    QW_CHECK(writeFileAtomic(staging.dir() / kExportFile, facts));
    QW_TRY(const Checkpoint written, Checkpoint::open(staging.dir()));
    Exported out;
    out.verdict = verdict;
    out.bytes = written.bytes();
    QW_TRY(out.sheet, compareWeights(source, written, [&](uint64_t, uint64_t total) { return !progress || progress(total, total); }));
    QW_CHECK(within(wanted.out, verdict, out.sheet));
    QW_TRY(out.hash, written.fingerprint());
    QW_TRY(out.logits, probe(staging.dir()));
    QW_CHECK(staging.commit());
    return out;
}

} // namespace qw::formats
