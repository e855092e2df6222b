// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/weight_preview.h"

#include "numerics/formulas.h"

#include <algorithm>
#include <cmath>

namespace qw::checkpoint {

using records::DType;

namespace {

constexpr int64_t kBlock = int64_t{1} << 17; // elements worked on at once; between two the flag is looked at

Error gaveUp() { return {"engine.cancelled", "given up", {}, {}, true}; }

// Rows that are looked at: all, or some spread evenly. run: how many follow each other from `row(i)`.
struct Rows {
    int64_t rows = 0, cols = 0, wanted = 0;
    Rows(int64_t r, int64_t c, int64_t limit) : rows(r), cols(c), wanted(r) {
        if (limit > 0 && r * c > limit) wanted = std::clamp<int64_t>(limit / c, 1, r);
    }
    [[nodiscard]] bool all() const { return wanted == rows; }
    [[nodiscard]] int64_t row(int64_t i) const { return all() ? i : i * rows / wanted; }
};

Status readRows(WeightSource& source, const std::string& tensor, DType type, const Rows& rows, int64_t from, int64_t count,
                std::vector<std::byte>& into) {
    const auto line = static_cast<size_t>(rows.cols * numerics::sizeOf(type));
    into.resize(line * static_cast<size_t>(count));
    if (rows.all()) return source.read(tensor, type, from * rows.cols, count * rows.cols, into.data());
    for (int64_t i = 0; i < count; ++i)
        QW_CHECK(source.read(tensor, type, rows.row(from + i) * rows.cols, rows.cols, into.data() + line * static_cast<size_t>(i)));
    return {};
}

void toFloat(DType type, const std::byte* from, int64_t count, std::vector<float>& into) {
    into.resize(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) into[static_cast<size_t>(i)] = numerics::loadAs(type, from, i);
}

records::Role roleOf(const Matrix& m) { return m.isEmbedding ? records::Role::Embedding : records::Role::Weight; }

// One group's grid: its scale and the value of every code.
struct Sampled {
    float scale;
    float lo, hi;
};

void sampleGroups(const numerics::Grid& grid, const QuantizedRows& rows, std::vector<Sampled>& into) {
    const auto line = static_cast<size_t>(grid.cols * numerics::sizeOf(grid.type));
    for (int64_t r = 0; r < grid.rows; ++r)
        for (int64_t g = 0; g < grid.groupsPerRow(); ++g) {
            if (into.size() >= 4096) return;
            Sampled one{};
            numerics::groupRange(grid, rows.values + static_cast<size_t>(r) * line, g, one.lo, one.hi);
            one.scale = numerics::groupParams(grid, one.lo, one.hi).scale;
            into.push_back(one);
        }
}

void medianGrid(const numerics::Grid& grid, std::vector<Sampled>& groups, LayerPicture& out) {
    if (groups.empty()) return;
    const auto middle = groups.begin() + static_cast<int64_t>(groups.size() / 2);
    std::ranges::nth_element(groups, middle, {}, &Sampled::scale);
    const auto params = numerics::groupParams(grid, middle->lo, middle->hi);
    out.step = params.scale;
    for (int q = grid.qmin; q <= grid.qmax; ++q) out.levels.push_back(numerics::codeValue(grid, params, static_cast<float>(q)));
    std::ranges::sort(out.levels);
}

// Both passes of a tensor: what body does with each block of floats.
Status eachBlock(WeightSource& source, const std::string& tensor, DType type, const Rows& rows, const std::atomic<bool>& cancelled,
                 const std::function<void(const float*, int64_t)>& body) {
    const int64_t step = std::max<int64_t>(1, kBlock / rows.cols);
    std::vector<std::byte> bytes;
    std::vector<float> floats;
    for (int64_t at = 0; at < rows.wanted; at += step) {
        if (cancelled) return gaveUp();
        const int64_t count = std::min(step, rows.wanted - at);
        QW_CHECK(readRows(source, tensor, type, rows, at, count, bytes));
        toFloat(type, bytes.data(), count * rows.cols, floats);
        body(floats.data(), count * rows.cols);
    }
    return {};
}

// Symmetric around zero, so that pictures of layers can be held against each other; one wide bin when all are equal.
numerics::Histogram binsFor(const numerics::Distribution& values, int bins) {
    const double most = values.largest() > 0 ? values.largest() : 1;
    return {-most, most, bins};
}

} // namespace

Result<LayerPreview> previewLayer(WeightSource& source, const PreviewJob& job, const std::atomic<bool>& cancelled,
                                  const std::function<void(const QuantizedRows&)>& look) {
    const Rows rows(job.matrix.rows, job.matrix.cols, job.limit);
    const bool whole = job.block.granularity == records::Granularity::PerTensor; // one group: nothing smaller can be quantized
    const int64_t step = whole ? rows.wanted : std::max<int64_t>(1, kBlock / rows.cols);
    LayerPreview out;
    out.total = job.matrix.rows * job.matrix.cols;
    std::vector<std::byte> values;
    std::vector<int8_t> codes;
    for (int64_t at = 0; at < rows.wanted; at += step) {
        if (cancelled) return gaveUp();
        const int64_t count = std::min(step, rows.wanted - at);
        QW_CHECK(readRows(source, job.matrix.tensor, job.type, rows, at, count, values));
        QW_TRY(const auto grid, numerics::resolveGrid(job.block, roleOf(job.matrix), job.type, count, rows.cols));
        numerics::Stats stats;
        numerics::Outputs outputs;
        outputs.stats = &stats;
        if (look) {
            codes.resize(static_cast<size_t>(count * rows.cols));
            outputs.codes = codes.data();
        }
        numerics::fakeQuantize(grid, values.data(), outputs, serial());
        out.stats += stats;
        if (look) look({at, count, values.data(), codes.data()});
    }
    return out;
}

Result<LayerPicture> pictureLayer(WeightSource& source, const PreviewJob& job, int bins, const std::atomic<bool>& cancelled) {
    LayerPicture out;
    std::vector<float> floats;
    std::vector<Sampled> groups;
    std::optional<numerics::Grid> last;
    const int64_t cols = job.matrix.cols;
    QW_TRY(const auto any, numerics::resolveGrid(job.block, roleOf(job.matrix), job.type, 1, cols));
    out.codeCounts.assign(static_cast<size_t>(any.qmax - any.qmin + 1), 0);
    const bool asByte = !job.block.isSigned && any.family != numerics::Family::Int4Zp;
    QW_TRY(out.preview, previewLayer(source, job, cancelled, [&](const QuantizedRows& rows) {
               toFloat(job.type, rows.values, rows.count * cols, floats);
               out.values.add(floats.data(), rows.count * cols);
               const auto grid = numerics::resolveGrid(job.block, roleOf(job.matrix), job.type, rows.count, cols);
               if (grid && groups.size() < 4096) sampleGroups(*grid, rows, groups);
               if (grid) last = *grid;
               for (int64_t i = 0; i < rows.count * cols; ++i) {
                   const int code = asByte ? static_cast<uint8_t>(rows.codes[i]) : rows.codes[i];
                   if (code >= any.qmin && code <= any.qmax) ++out.codeCounts[static_cast<size_t>(code - any.qmin)];
               }
           }));
    if (last) medianGrid(*last, groups, out);
    out.histogram = binsFor(out.values, bins);
    const Rows rows(job.matrix.rows, cols, job.limit);
    QW_CHECK(eachBlock(source, job.matrix.tensor, job.type, rows, cancelled, [&](const float* v, int64_t n) { out.histogram.add(v, n); }));
    return out;
}

Result<TensorPicture> pictureTensor(WeightSource& source, const std::string& tensor, int64_t elements, int64_t limit, int bins,
                                    const std::atomic<bool>& cancelled) {
    TensorPicture out;
    out.total = elements;
    if (elements == 0) return out;
    // Lines of at most 4096 elements; what is left behind the last whole line is a line of its own.
    const int64_t line = std::min<int64_t>(elements, 4096), tail = elements % line;
    const Rows rows(elements / line, line, limit);
    std::vector<float> rest(static_cast<size_t>(tail));
    if (tail > 0 && rows.all()) QW_CHECK(source.read(tensor, DType::F32, elements - tail, tail, rest.data()));
    const auto pass = [&](const std::function<void(const float*, int64_t)>& body) -> Status {
        QW_CHECK(eachBlock(source, tensor, DType::F32, rows, cancelled, body));
        if (tail > 0 && rows.all()) body(rest.data(), tail);
        return {};
    };
    QW_CHECK(pass([&](const float* v, int64_t n) {
        out.values.add(v, n);
        out.looked += n;
    }));
    out.histogram = binsFor(out.values, bins);
    QW_CHECK(pass([&](const float* v, int64_t n) { out.histogram.add(v, n); }));
    return out;
}

} // namespace qw::checkpoint
