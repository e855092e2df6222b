// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench_fake_quant.h"

#include "numerics/fake_quant.h"
#include "numerics/half.h"
#include "numerics/threads.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

namespace qw::cli {

namespace {

using numerics::Grid;
using records::BenchFigure;
using records::BenchResult;
using records::DType;

enum class Kind : uint8_t { Forward, ForwardBackward, Activation };

struct Shape {
    int64_t rows, cols, group; // group 0: per token
    DType type;
    [[nodiscard]] std::string name() const {
        return std::string(type == DType::F32 ? "fp32" : "bf16") + " " + std::to_string(rows) + "x" + std::to_string(cols) +
               (group ? " g" + std::to_string(group) : " token");
    }
    [[nodiscard]] size_t bytes() const { return static_cast<size_t>(rows * cols * numerics::sizeOf(type)); }
};

using Buffer = std::unique_ptr<char, decltype(&std::free)>;
Buffer buffer(size_t bytes) {
    Buffer made(static_cast<char*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)), &std::free);
    std::memset(made.get(), 0, bytes); // pages are there before anything is timed
    return made;
}

// The same numbers as tests/bench/fake_quant.py: a multiplicative hash of the position, 24 bits, in [-0.05, 0.05).
void fill(const Shape& s, char* to) {
    for (int64_t i = 0; i < s.rows * s.cols; ++i) {
        const uint32_t hash = static_cast<uint32_t>(i) * 2654435761u;
        numerics::storeAs(s.type, to, i, static_cast<float>(static_cast<int32_t>(hash >> 8) - (1 << 23)) * 0x1p-23f * 0.05f);
    }
}

// Over the first 2^20 values: Σ bits · (position mod 251 + 1), modulo 2^53 so that every JSON reader keeps it.
uint64_t checksum(const Shape& s, const char* y) {
    uint64_t sum = 0;
    const int64_t count = std::min<int64_t>(s.rows * s.cols, 1 << 20);
    for (int64_t i = 0; i < count; ++i) {
        const uint64_t bits = s.type == DType::F32 ? reinterpret_cast<const uint32_t*>(y)[i] : reinterpret_cast<const uint16_t*>(y)[i];
        sum += bits * static_cast<uint64_t>(i % 251 + 1);
    }
    return sum & ((uint64_t{1} << 53) - 1);
}

Grid gridOf(const Shape& s) {
    records::QuantBlock block;
    block.bits = s.group ? 4 : 8;
    if (s.group)
        block.groupSize = s.group;
    else
        block.granularity = records::Granularity::PerToken, block.mapping = records::Mapping::Asymmetric;
    return *numerics::resolveGrid(block, s.group ? records::Role::Weight : records::Role::Activation, s.type, s.rows, s.cols);
}

double milliseconds(const std::function<void()>& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}
double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

struct Measured {
    double ours = 0, copy = 0; // ms, medians of interleaved runs
    uint64_t sum = 0;
};

Measured measure(const Shape& s, Kind kind, int threads, int runs) {
    const Grid grid = gridOf(s);
    const ParallelFor parallel = numerics::threadPool(threads);
    const Buffer x = buffer(s.bytes()), y = buffer(s.bytes());
    const Buffer gradient = buffer(kind == Kind::ForwardBackward ? s.bytes() : 64),
                 result = buffer(kind == Kind::ForwardBackward ? s.bytes() : 64);
    std::vector<uint64_t> mask(kind == Kind::ForwardBackward ? static_cast<size_t>(s.rows * ((s.cols + 63) / 64)) : 0);
    fill(s, x.get());
    numerics::Outputs out;
    out.y = y.get();
    if (kind == Kind::ForwardBackward) out.mask = mask.data();
    const auto ours = [&] {
        numerics::fakeQuantize(grid, x.get(), out, parallel);
        if (kind == Kind::ForwardBackward)
            numerics::maskGradient(s.type, s.rows, s.cols, mask.data(), gradient.get(), result.get(), parallel);
    };
    const auto copy = [&] {
        const int64_t row = s.cols * numerics::sizeOf(s.type);
        parallel(s.rows, 1, [&](int64_t begin, int64_t end) {
            std::memcpy(y.get() + begin * row, x.get() + begin * row, static_cast<size_t>((end - begin) * row));
        });
    };
    // Small tensors are repeated within a run, so that a run is long against the clock.
    const int repeats = static_cast<int>(std::max<size_t>(1, (size_t{16} << 20) / s.bytes()));
    std::vector<double> times, copies;
    for (int i = 0; i < runs + 1; ++i) {
        const double a = milliseconds([&] {
                             for (int r = 0; r < repeats; ++r) ours();
                         }) /
                         repeats;
        const double b = milliseconds([&] {
                             for (int r = 0; r < repeats; ++r) copy();
                         }) /
                         repeats;
        if (i >= 1) times.push_back(a), copies.push_back(b);
    }
    ours();
    return {median(times), median(copies), checksum(s, y.get())};
}

std::vector<Shape> shapesOf(Kind kind, bool quick) {
    std::vector<Shape> all;
    for (const DType type : {DType::BF16, DType::F32}) {
        if (kind == Kind::Activation) {
            all.push_back({512, 2048, 0, type});
            if (!quick) all.push_back({512, 8192, 0, type});
            continue;
        }
        for (const int64_t group : {32, 128, 256}) all.push_back({quick ? 512 : 8192, 2048, group, type});
        if (!quick && kind == Kind::Forward) all.push_back({14336, 4096, 32, type});
    }
    return all;
}

struct Gates {
    double bf16Eager, fp32Eager, bf16Compiled, fp32Compiled; // 0: no gate
    bool copy;
};
Gates gatesOf(Kind kind) {
    switch (kind) {
    case Kind::Forward:
        return {12, 5, 4, 3, true};
    case Kind::ForwardBackward:
        return {8, 5, 0, 0, false};
    case Kind::Activation:
        return {5, 5, 0, 0, false};
    }
    return {};
}

class Report {
public:
    Report(Kind kind, BenchResult result) : m_gates(gatesOf(kind)), m_result(std::move(result)) {}

    void add(const Shape& s, const Measured& m, const nlohmann::json& peers) {
        figure(s.name(), m.ours, "ms");
        const double percent = 100 * m.copy / m.ours;
        figure(s.name() + " of copy", percent, "%");
        if (m_gates.copy) m_result.figures.back().least = s.group >= 128 ? 80 : 75;
        const bool half = s.type == DType::BF16;
        ratio(s.name() + " eager", m.ours, peers, half ? m_gates.bf16Eager : m_gates.fp32Eager);
        ratio(s.name() + " compiled", m.ours, peers, half ? m_gates.bf16Compiled : m_gates.fp32Compiled);
        ratio(s.name() + " compiled tuned", m.ours, peers, 0); // for the reader: compiled gains from the allocator too
        const auto sum = peers.find(s.name() + " checksum");
        if (sum != peers.end()) {
            m_compared = true;
            m_equal = m_equal && sum->get<uint64_t>() == m.sum;
        } else if (m_result.note.empty()) {
            m_result.note = s.name() + " checksum " + std::to_string(m.sum);
        }
    }
    BenchResult done() {
        if (m_compared) m_result.note = m_equal ? "checksums equal torchao's" : "checksums differ from torchao's";
        if (!m_equal) m_result.met = false;
        return std::move(m_result);
    }

private:
    void figure(std::string name, double value, const char* unit) { m_result.figures.push_back({std::move(name), value, unit}); }
    void ratio(const std::string& name, double ours, const nlohmann::json& peers, double gate) {
        const auto found = peers.find(name);
        if (found == peers.end()) return;
        const double times = found->get<double>() / ours;
        figure(name, times, "x");
        if (gate > 0) m_result.figures.back().least = gate;
    }

    Gates m_gates;
    BenchResult m_result;
    bool m_equal = true, m_compared = false;
};

Result<BenchResult> bench(Kind kind, const BenchOptions& options, const std::string& peerJson, BenchResult head) {
    const auto peers = nlohmann::json::parse(peerJson, nullptr, false);
    head.peer = peers.empty() ? "memory copy" : "torchao 0.18 eager with a tuned allocator, and compiled; memory copy";
    Report report(kind, std::move(head));
    for (const Shape& s : shapesOf(kind, options.quick)) report.add(s, measure(s, kind, options.threads, options.quick ? 3 : 15), peers);
    return report.done();
}

} // namespace

Result<BenchResult> benchFqWFwd(const BenchOptions& options, const std::string& peerJson) {
    BenchResult head;
    head.name = "fq_w_fwd";
    head.gate = ">= 75 % of a copy (80 % for groups of 128 and more); bf16 >= 12x, fp32 >= 5x eager; bf16 >= 4x, fp32 >= 3x compiled";
    return bench(Kind::Forward, options, peerJson, std::move(head));
}
Result<BenchResult> benchFqWFwdBwd(const BenchOptions& options, const std::string& peerJson) {
    BenchResult head;
    head.name = "fq_w_fwdbwd";
    head.gate = "bf16 >= 8x, fp32 >= 5x eager";
    return bench(Kind::ForwardBackward, options, peerJson, std::move(head));
}
Result<BenchResult> benchFqAct(const BenchOptions& options, const std::string& peerJson) {
    BenchResult head;
    head.name = "fq_act";
    head.gate = ">= 5x eager";
    return bench(Kind::Activation, options, peerJson, std::move(head));
}

} // namespace qw::cli
