// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/inspect.h"

#include "base/files.h"
#include "checkpoint/convert.h"
#include "checkpoint/native.h"
#include "checkpoint/weight_files.h"

#include <algorithm>

namespace qw::checkpoint {
namespace {

constexpr uint64_t kPiece = uint64_t{8} << 20; // a multiple of every element size

int64_t elements(const std::vector<int64_t>& shape) {
    int64_t n = 1;
    for (const int64_t d : shape) n *= d;
    return n;
}

void countParameters(const std::vector<ExpectedTensor>& tensors, Inspection& out) {
    for (const ExpectedTensor& t : tensors) {
        const int64_t n = elements(t.shape);
        out.parameters += n;
        switch (t.role) {
        case TensorRole::Embedding:
            out.embedding += n;
            break;
        case TensorRole::Head:
            out.head += n;
            break;
        case TensorRole::Linear:
            out.linear += n;
            break;
        case TensorRole::Norm:
        case TensorRole::Bias:
            out.other += n;
            break;
        }
    }
}

Status scanTensor(const TensorFile& file, const TensorInfo& info, InspectedTensor& into) {
    if (!isWeightDtype(info.dtype)) return {};
    std::vector<std::byte> piece(static_cast<size_t>(std::min(kPiece, info.bytes())));
    NonFinite found;
    for (uint64_t at = 0; at < info.bytes(); at += kPiece) {
        const uint64_t n = std::min(kPiece, info.bytes() - at);
        QW_CHECK(file.read(info, piece.data(), at, n));
        countNonFinite(info.dtype, piece.data(), static_cast<int64_t>(n) * 8 / *dtypeBits(info.dtype), found);
    }
    into.nan = found.nan;
    into.inf = found.inf;
    return {};
}

Status listFiles(const std::vector<TensorFile>& files, bool scan, Inspection& out) {
    for (const TensorFile& file : files) {
        const std::string name = file.path().filename().string();
        out.shards.push_back({name, file.fileBytes(), file.tensors().size()});
        out.bytes += file.fileBytes();
        for (const TensorInfo& info : file.tensors()) {
            InspectedTensor tensor{info.name, info.dtype, name, info.shape, info.bytes(), 0, 0};
            if (scan) QW_CHECK(scanTensor(file, info, tensor));
            if (tensor.nan + tensor.inf > 0)
                out.problems.push_back(
                    {false, "train.nonfinite",
                     info.name + " has " + std::to_string(tensor.nan) + " NaN and " + std::to_string(tensor.inf) + " infinite values",
                     "training and evaluation will give NaN"});
            out.tensors.push_back(std::move(tensor));
        }
    }
    std::ranges::sort(out.tensors, {}, &InspectedTensor::name);
    out.scanned = scan;
    return {};
}

double quantizedBits(const Checkpoint& from) {
    double bits = 0, count = 0;
    for (const QuantizedModule& m : from.quantizedModules()) {
        const auto n = static_cast<double>(m.rows * m.cols);
        bits += numerics::bitsPerWeight(m.grid) * n;
        count += n;
    }
    for (const auto& [name, reason] : from.skipped()) {
        const TensorInfo* info = from.find(name + ".weight");
        if (!info) continue;
        bits += static_cast<double>(info->bytes()) * 8;
        count += static_cast<double>(info->elements());
    }
    return count > 0 ? bits / count : 0;
}

// Folders that another program quantized: parameters follow from config.json, the weights are only listed.
Result<Inspection> inspectForeign(const std::filesystem::path& dir, ModelConfig config, bool scan) {
    QW_TRY(const WeightFiles weights, openWeightFiles(dir));
    Inspection out;
    out.config = std::move(config);
    out.quantMethod = out.config.quantMethod;
    out.tied = out.config.tied;
    out.dtype = out.config.dtypeHint;
    out.problems = weights.warnings;
    out.problems.push_back({false, "model.format", "already quantised (" + out.quantMethod + "): it can be shown, not used as MODEL",
                            "use the float model that it was made from"});
    countParameters(expectedTensors(out.config, out.tied), out);
    QW_CHECK(listFiles(weights.files, scan, out));
    return out;
}

} // namespace

Result<Inspection> inspectFolder(const std::filesystem::path& dir, bool scan) {
    auto opened = Checkpoint::open(dir);
    if (!opened) {
        if (opened.error().code != "model.format") return std::move(opened).error();
        const auto text = readFile(dir / "config.json", uint64_t{8} << 20);
        if (!text) return std::move(opened).error();
        auto config = parseModelConfig(*text);
        if (!config || config->quantMethod.empty() || config->quantMethod == kNativeKey) return std::move(opened).error();
        return inspectForeign(dir, *std::move(config), scan);
    }
    Inspection out;
    out.config = opened->config();
    out.tied = opened->tied();
    out.quantized = opened->isQuantized();
    out.format = opened->format();
    out.dtype = configName(opened->dtype());
    out.problems = opened->warnings();
    countParameters(opened->tensors(), out);
    QW_CHECK(listFiles(opened->shards(), scan, out));
    if (out.quantized) {
        out.modules = opened->quantizedModules();
        out.skipped = opened->skipped();
        out.schemes = schemesToJson(opened->schemes());
        out.bitsPerWeight = quantizedBits(*opened);
    }
    return out;
}

} // namespace qw::checkpoint
