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

Status compare(const std::filesystem::path& folder, const std::string& name, const std::byte* have, const std::byte* want, size_t bytes,
               size_t width) {
    if (std::memcmp(have, want, bytes) == 0) return {};
    size_t first = 0, count = 0;
    for (size_t i = 0; i < bytes; i += width)
        if (std::memcmp(have + i, want + i, width) != 0 && count++ == 0) first = i / width;
    return differs(folder, name, first, count);
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
    const size_t width = static_cast<size_t>(numerics::sizeOf(type));
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
        std::vector<std::byte> have(want.nbytes());
        QW_CHECK(written.readAs(tensor.name, type, have.data()));
        QW_CHECK(compare(folder, tensor.name, have.data(), static_cast<const std::byte*>(want.const_data_ptr()), have.size(), width));
    }
    return {};
}

} // namespace qw::exporter
