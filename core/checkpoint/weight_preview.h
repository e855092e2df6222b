// SPDX-License-Identifier: GPL-3.0-or-later
// What: what round-to-nearest would do to one matrix, by the kernels that train and convert: error, histogram, the grid itself.
// Why here: the window answers while a slider moves; the exact answer is the one that the engine gives.
// Limits: a sample is whole rows, spread evenly, because groups lie in rows.
#pragma once

#include "checkpoint/module_plan.h"
#include "checkpoint/weight_source.h"
#include "numerics/distribution.h"
#include "numerics/fake_quant.h"

#include <atomic>
#include <functional>

namespace qw::checkpoint {

constexpr int64_t kPreviewSample = 65536;

struct PreviewJob {
    Matrix matrix;
    records::QuantBlock block;
    records::DType type = records::DType::F32; // T
    int64_t limit = 0;                         // about so many elements; 0: all
};
struct QuantizedRows {
    int64_t first = 0, count = 0;
    const std::byte* values = nullptr; // [count, cols] in T
    const int8_t* codes = nullptr;     // [count, cols]
};
struct LayerPreview {
    numerics::Stats stats;
    int64_t total = 0; // elements of the matrix; stats.count were looked at
    [[nodiscard]] bool exact() const { return stats.count == total; }
};
// engine.cancelled when the flag rises. look sees every block of rows in order.
[[nodiscard]] Result<LayerPreview> previewLayer(WeightSource& source, const PreviewJob& job, const std::atomic<bool>& cancelled,
                                                const std::function<void(const QuantizedRows&)>& look = {});

// With what a picture needs.
struct LayerPicture {
    LayerPreview preview;
    numerics::Distribution values;
    numerics::Histogram histogram;
    std::vector<double> levels;      // the values of all codes in the group with the median scale, ascending
    double step = 0;                 // that group's scale
    std::vector<int64_t> codeCounts; // of qmin … qmax
};
[[nodiscard]] Result<LayerPicture> pictureLayer(WeightSource& source, const PreviewJob& job, int bins, const std::atomic<bool>& cancelled);

// Statistics of any stored tensor; elements: its size. limit as above.
struct TensorPicture {
    numerics::Distribution values;
    numerics::Histogram histogram;
    int64_t looked = 0, total = 0;
    [[nodiscard]] bool exact() const { return looked == total; }
};
[[nodiscard]] Result<TensorPicture> pictureTensor(WeightSource& source, const std::string& tensor, int64_t elements, int64_t limit,
                                                  int bins, const std::atomic<bool>& cancelled);

} // namespace qw::checkpoint
