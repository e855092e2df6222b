// SPDX-License-Identifier: GPL-3.0-or-later
#include "numerics/formulas.h"
#include "numerics/kernels.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace qw::numerics {

namespace {

#if defined(__x86_64__)
bool cpuHas(Isa isa) {
    switch (isa) {
    case Isa::Scalar:
        return true;
    case Isa::Avx2:
        return __builtin_cpu_supports("avx2");
    case Isa::Avx512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    case Isa::Avx512Bf16:
        return cpuHas(Isa::Avx512) && __builtin_cpu_supports("avx512bf16");
    }
    return false;
}
#else
bool cpuHas(Isa isa) { return isa == Isa::Scalar; }
#endif

Isa choose() {
    const char* asked = std::getenv("QATW_KERNELS");
    const std::string_view name = asked ? asked : "";
    const Isa most = name == "scalar" ? Isa::Scalar : name == "avx2" ? Isa::Avx2 : Isa::Avx512Bf16;
    for (const Isa isa : {Isa::Avx512Bf16, Isa::Avx512, Isa::Avx2})
        if (isa <= most && cpuHas(isa)) return isa;
    return Isa::Scalar;
}

// Eight sums in turn, so that the result does not depend on the instruction set.
void addRow(DType type, const void* x, const void* y, int64_t n, Stats& stats) {
    double squares[8] = {}, errors[8] = {};
    for (int64_t c = 0; c < n; ++c) {
        const float from = loadAs(type, x, c), to = loadAs(type, y, c);
        const double value = from, difference = static_cast<double>(from) - static_cast<double>(to);
        squares[c & 7] += value * value;
        errors[c & 7] += difference * difference;
        if (!std::isfinite(from)) ++stats.nonfinite;
        if (from != 0.0f && to == 0.0f) ++stats.underflow;
    }
    for (int i = 0; i < 8; ++i) stats.sumSquares += squares[i], stats.sumSquaredError += errors[i];
    stats.count += n;
}

// From here on a result has left the caches before anyone reads it, and writing past them spares the read for ownership. Measured with
// 480 MiB of last level: a gain from 100 MiB on (where input and result are two fifths of it), a loss at 32 MiB.
int64_t streamBytes() {
    static const int64_t bytes = [] {
        const int64_t lastLevel = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
        return lastLevel > 0 ? std::max<int64_t>(int64_t{8} << 20, lastLevel / 5) : int64_t{32} << 20;
    }();
    return bytes;
}

// Byte steps from one row to the next.
struct Strides {
    int64_t data, params, zeros, maskWords;
    explicit Strides(const Grid& g)
        : data(g.cols * sizeOf(g.type)),
          params(g.groupsPerRow() * sizeOf(g.scaleType)),
          zeros(g.groupsPerRow() * (g.family == Family::IntAsymmetric ? 4 : sizeOf(g.scaleType))),
          maskWords((g.cols + 63) / 64) {}
};

template<class P> P* advance(P* pointer, int64_t bytes) {
    using Byte = std::conditional_t<std::is_const_v<P>, const char, char>;
    return pointer ? reinterpret_cast<P*>(reinterpret_cast<Byte*>(pointer) + bytes) : nullptr;
}

} // namespace

bool isaAvailable(Isa isa) { return cpuHas(isa); }

Isa chosenIsa() {
    static const Isa chosen = choose();
    return chosen;
}

const char* kernelName() {
    switch (chosenIsa()) {
    case Isa::Scalar:
        return "scalar";
    case Isa::Avx2:
        return "avx2";
    default:
        return "avx512";
    }
}

RowKernel rowKernel(Isa isa, const Grid& grid, bool onlyY) {
    RowKernel found = nullptr;
#if defined(__x86_64__)
    if (isa == Isa::Avx2)
        found = fusedAvx2(grid, onlyY);
    else if (isa == Isa::Avx512)
        found = fusedAvx512(grid, onlyY);
    else if (isa == Isa::Avx512Bf16)
        found = fusedAvx512Bf16(grid, onlyY);
#endif
    return found ? found : &quantizeRowScalar;
}

void quantizeRows(const Grid& grid, const void* x, const Outputs& out, const ParallelFor& parallel,
                  const std::function<int64_t(const Row&)>& kernel) {
    if (grid.rows == 0 || grid.cols == 0) return;
    const Strides step(grid);
    const bool stream = !out.stats && grid.rows * step.data >= streamBytes();
    const auto rowAt = [&](int64_t r) {
        return Row{advance(x, r * step.data),
                   advance(out.y, r * step.data),
                   out.codes ? out.codes + r * grid.cols : nullptr,
                   advance(out.scale, r * step.params),
                   advance(out.zero, r * step.zeros),
                   out.mask ? out.mask + r * step.maskWords : nullptr,
                   stream};
    };
    const int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, step.data));
    if (!out.stats) {
        parallel(grid.rows, grain, [&](int64_t begin, int64_t end) {
            for (int64_t r = begin; r < end; ++r) kernel(rowAt(r));
        });
        return;
    }
    // Rows are summed up in order afterwards: the totals do not depend on the threads.
    std::vector<Stats> rows(static_cast<size_t>(grid.rows));
    parallel(grid.rows, grain, [&](int64_t begin, int64_t end) {
        const std::unique_ptr<char[]> scratch(new char[static_cast<size_t>(step.data)]);
        for (int64_t r = begin; r < end; ++r) {
            Row row = rowAt(r);
            void* const wanted = row.y;
            if (!wanted || wanted == row.x) row.y = scratch.get();
            Stats& stats = rows[static_cast<size_t>(r)];
            stats.clipped = kernel(row);
            addRow(grid.type, row.x, row.y, grid.cols, stats);
            if (wanted && wanted != row.y) std::memcpy(wanted, row.y, static_cast<size_t>(step.data));
        }
    });
    for (const Stats& row : rows) *out.stats += row;
}

void fakeQuantizeWith(Isa isa, const Grid& grid, const void* x, const Outputs& out, const ParallelFor& parallel) {
    const bool onlyY = out.y && !out.codes && !out.scale && !out.zero && !out.mask && !out.stats;
    const RowKernel kernel = rowKernel(isa, grid, onlyY);
    quantizeRows(grid, x, out, parallel, [&](const Row& row) { return kernel(grid, row); });
}

void fakeQuantize(const Grid& grid, const void* x, const Outputs& out, const ParallelFor& parallel) {
    fakeQuantizeWith(chosenIsa(), grid, x, out, parallel);
}

namespace {

// Copies 64 elements at a time, then clears the few whose bit is not set.
template<class E> void maskRow(const E* g, E* out, const uint64_t* mask, int64_t cols) {
    for (int64_t c = 0; c < cols; c += 64) {
        const int64_t count = std::min<int64_t>(64, cols - c);
        if (out != g) std::memcpy(out + c, g + c, static_cast<size_t>(count) * sizeof(E));
        uint64_t clear = ~mask[c / 64];
        if (count < 64) clear &= (uint64_t{1} << count) - 1;
        for (; clear != 0; clear &= clear - 1) out[c + std::countr_zero(clear)] = 0;
    }
}

} // namespace

void maskGradient(DType type, int64_t rows, int64_t cols, const uint64_t* mask, const void* g, void* out, const ParallelFor& parallel) {
    const int64_t words = (cols + 63) / 64;
    parallel(rows, std::max<int64_t>(1, 65536 / std::max<int64_t>(1, cols)), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) {
            if (type == DType::F32)
                maskRow(static_cast<const float*>(g) + r * cols, static_cast<float*>(out) + r * cols, mask + r * words, cols);
            else
                maskRow(static_cast<const uint16_t*>(g) + r * cols, static_cast<uint16_t*>(out) + r * cols, mask + r * words, cols);
        }
    });
}

void applyMask(DType type, int64_t rows, int64_t cols, const uint64_t* mask, void* g, const ParallelFor& parallel) {
    maskGradient(type, rows, cols, mask, g, g, parallel);
}

} // namespace qw::numerics
