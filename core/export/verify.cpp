// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/folders.h"
#include "model/load.h"
#include "numerics/fake_quant.h"

#include <ATen/Parallel.h>
#include <cstring>
#include <map>
#include <vector>

namespace qw::exporter {
namespace {

ParallelFor torchParallel() {
    return [](int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) { at::parallel_for(0, count, grain, body); };
}

Error differs(const std::filesystem::path& folder, const std::string& name, size_t element, size_t different) {
    return {"file.corrupt",
            folder.string() + ": layer " + name + " reads back differently in " + std::to_string(different) + " values, first at element " +
                std::to_string(element),
            "write the folder again; if it happens twice, check the disk",
            {},
            false};
}

// A few rows at a time: the model itself is in memory already.
Status compare(const checkpoint::Checkpoint& written, const std::string& name, records::DType type, const at::Tensor& want) {
    const auto width = static_cast<size_t>(numerics::sizeOf(type));
    const int64_t rows = want.size(0), row = static_cast<int64_t>(want.nbytes()) / rows;
    const auto* from = static_cast<const std::byte*>(want.const_data_ptr());
    size_t first = 0, count = 0;
    QW_CHECK(checkpoint::forRowBlocks(rows, row, [&](checkpoint::RowRange some) -> Status {
        std::vector<std::byte> have(static_cast<size_t>(some.count * row));
        QW_CHECK(written.readRows(name, type, some, have.data()));
        const std::byte* there = from + some.first * row;
        if (std::memcmp(have.data(), there, have.size()) == 0) return {};
        for (size_t i = 0; i < have.size(); i += width)
            if (std::memcmp(have.data() + i, there + i, width) != 0 && count++ == 0)
                first = (static_cast<size_t>(some.first * row) + i) / width;
        return {};
    }));
    return count == 0 ? Status{} : Status(differs(written.dir(), name, first, count));
}

// What training computes with: the fake-quantized weight in T.
Result<at::Tensor> fakeQuantized(const at::Tensor& weight, const records::QuantBlock& block, records::Role role, records::DType type,
                                 const std::string& method) {
    QW_TRY(const auto grid, numerics::resolveGrid(block, role, type, weight.size(0), weight.size(1)));
    const at::Tensor y = weight.clone();
    numerics::Outputs out;
    out.y = y.mutable_data_ptr();
    if (method == "mse")
        numerics::rangeSearchQuantize(grid, {}, weight.const_data_ptr(), out, torchParallel());
    else
        numerics::fakeQuantize(grid, weight.const_data_ptr(), out, torchParallel());
    return y;
}

} // namespace

Status verifyFolder(const model::Decoder& decoder, const quant::Plan* plan, records::DType type, const std::string& method,
                    const std::filesystem::path& folder) {
    QW_TRY(const auto written, checkpoint::Checkpoint::open(folder));
    std::map<std::string, int> quantized; // weight -> module
    if (plan) {
        for (const int index : plan->weightModules) quantized[decoder.modules()[static_cast<size_t>(index)].name + ".weight"] = index;
        if (plan->embeddingModule >= 0)
            quantized[decoder.modules()[static_cast<size_t>(plan->embeddingModule)].name + ".weight"] = plan->embeddingModule;
    }
    std::map<std::string, at::Tensor> weights;
    for (const model::Parameter& p : decoder.parameters()) weights[p.name] = p.tensor;
    const model::Module& head = decoder.modules()[static_cast<size_t>(decoder.headModule())];
    weights.try_emplace(head.name + ".weight",
                        decoder.parameters()[static_cast<size_t>(head.parameter)].tensor); // a tied head has no own entry
    if (written.quantizedModules().size() != quantized.size())
        return Error{"file.corrupt",
                     folder.string() + " holds " + std::to_string(written.quantizedModules().size()) + " quantized layers, " +
                         std::to_string(quantized.size()) + " were written",
                     "write the folder again",
                     {},
                     false};
    for (const checkpoint::ExpectedTensor& tensor : written.tensors()) {
        const auto at = weights.find(tensor.name);
        if (at == weights.end())
            return Error{"file.corrupt", folder.string() + ": layer " + tensor.name + " does not belong to the model", {}, {}, false};
        at::Tensor want = at->second.detach().to(at::kCPU, model::toTorch(type)).contiguous();
        if (const auto module = quantized.find(tensor.name); module != quantized.end()) {
            const bool embedding = decoder.modules()[static_cast<size_t>(module->second)].isEmbedding;
            const auto& block = embedding ? plan->block.embedding : plan->block.weight;
            QW_TRY(want, fakeQuantized(want, *block, embedding ? records::Role::Embedding : records::Role::Weight, type, method));
        }
        QW_CHECK(compare(written, tensor.name, type, want));
    }
    return {};
}

} // namespace qw::exporter
