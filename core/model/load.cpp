// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/load.h"

#include "model/philox.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <cmath>
#include <numbers>

namespace qw::model {
namespace {

// Box-Muller in double, rounded once to fp32; four values a Philox block.
at::Tensor normal(const std::vector<int64_t>& shape, double deviation, uint64_t seed, uint32_t tensorIndex) {
    at::Tensor out = at::empty(shape, at::TensorOptions().dtype(at::kFloat));
    auto* data = out.mutable_data_ptr<float>();
    const int64_t count = out.numel();
    for (int64_t i = 0; i < count; i += 4) {
        const auto bits = philox(seed, Stream::Init, tensorIndex, static_cast<uint64_t>(i / 4));
        for (int pair = 0; pair < 2; ++pair) {
            const auto first = static_cast<size_t>(2 * pair);
            const double radius = deviation * std::sqrt(-2 * std::log(unitInterval(bits[first])));
            const double angle = 2 * std::numbers::pi * unitInterval(bits[first + 1]);
            const int64_t at = i + 2 * pair;
            if (at < count) data[at] = static_cast<float>(radius * std::cos(angle));
            if (at + 1 < count) data[at + 1] = static_cast<float>(radius * std::sin(angle));
        }
    }
    return out;
}

} // namespace

records::DType toRecord(at::ScalarType type) {
    return type == at::kBFloat16 ? records::DType::BF16 : type == at::kHalf ? records::DType::F16 : records::DType::F32;
}

at::ScalarType toTorch(records::DType type) {
    return type == records::DType::BF16 ? at::kBFloat16 : type == records::DType::F16 ? at::kHalf : at::kFloat;
}

Result<Loaded> loadWeights(const checkpoint::Checkpoint& from, at::ScalarType type, at::Device device) {
    Loaded loaded{from.config(), from.tied(), type, device, {}};
    for (const auto& expected : from.tensors()) {
        const at::Tensor tensor = at::empty(expected.shape, at::TensorOptions().dtype(type));
        QW_CHECK(from.readAs(expected.name, toRecord(type), tensor.mutable_data_ptr()));
        loaded.parameters.push_back({expected.name, tensor.to(device), expected.role, expected.layer});
    }
    return loaded;
}

Loaded randomWeights(const checkpoint::ModelConfig& config, bool tied, uint64_t seed, at::ScalarType type, at::Device device) {
    Loaded loaded{config, tied, type, device, {}};
    uint32_t index = 0;
    for (const auto& expected : checkpoint::expectedTensors(config, tied)) {
        using checkpoint::TensorRole;
        const bool isMatrix = expected.role != TensorRole::Norm && expected.role != TensorRole::Bias;
        const at::Tensor tensor =
            isMatrix ? normal(expected.shape, config.initializerRange, seed, index)
                     : at::full(expected.shape, expected.role == TensorRole::Norm ? 1.0 : 0.0, at::TensorOptions().dtype(at::kFloat));
        loaded.parameters.push_back({expected.name, tensor.to(type).to(device), expected.role, expected.layer});
        ++index;
    }
    return loaded;
}

} // namespace qw::model
