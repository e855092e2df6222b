// SPDX-License-Identifier: GPL-3.0-or-later
// What: qatw fake-quantize: every 2-D tensor of a file through one block of a scheme.
#include "checkpoint/safetensors.h"
#include "command_line.h"
#include "config/presets.h"
#include "numerics/fake_quant.h"
#include "numerics/threads.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace qw::cli {

namespace {

namespace fs = std::filesystem;
using checkpoint::TensorFile;
using checkpoint::TensorInfo;
using checkpoint::TensorSource;
using records::DType;

struct Arguments {
    std::string in, out, scheme, role = "weight";
    std::vector<std::string> sets;
    bool codes = false, grad = false, json = false;
};

std::optional<DType> dtypeOf(const std::string& name) {
    if (name == "F32") return DType::F32;
    if (name == "BF16") return DType::BF16;
    if (name == "F16") return DType::F16;
    return std::nullopt;
}
const char* dtypeName(DType type) { return type == DType::F32 ? "F32" : type == DType::BF16 ? "BF16" : "F16"; }

Result<records::QuantBlock> chooseBlock(const Arguments& a, records::Role& role) {
    QW_TRY(auto scheme, config::schemePreset(a.scheme));
    QW_CHECK(config::applySets(scheme, a.sets));
    std::optional<records::QuantBlock> block;
    if (a.role == "weight")
        role = records::Role::Weight, block = scheme.weight;
    else if (a.role == "activation")
        role = records::Role::Activation, block = scheme.activation;
    else if (a.role == "embedding")
        role = records::Role::Embedding, block = scheme.embedding;
    else
        return Error{"usage", "--role is '" + a.role + "'", "write weight, activation or embedding", {}, false};
    if (!block)
        return Error{"config.invalid",
                     "the scheme " + a.scheme + " has no " + a.role + " block",
                     "choose another --role, or add one with --set " + a.role + ".dtype=…",
                     {},
                     false};
    return *block;
}

// One tensor on its way from the input to the output file; its results live only while they are written.
class Job {
public:
    Job(TensorFile file, TensorInfo tensor, numerics::Grid grid, ParallelFor parallel)
        : m_file(std::move(file)), m_tensor(std::move(tensor)), m_grid(grid), m_parallel(std::move(parallel)) {}

    using Sink = std::function<Status(const void*, uint64_t)>;

    [[nodiscard]] std::vector<TensorSource> sources(const std::shared_ptr<Job>& self, bool codes, bool grad) const {
        const std::vector<int64_t> matrix = m_tensor.shape, groups{m_grid.rows, m_grid.groupsPerRow()};
        std::vector<TensorSource> all{
            {m_tensor.name, m_tensor.dtype, matrix, [self](const Sink& sink) { return self->writeValues(sink); }}};
        if (codes) {
            const bool integerZero = m_grid.family == numerics::Family::IntAsymmetric;
            all.push_back({m_tensor.name + ".codes", m_grid.qmin == 0 ? "U8" : "I8", matrix,
                           [self](const Sink& sink) { return self->writeCodes(sink); }});
            all.push_back({m_tensor.name + ".scale", dtypeName(m_grid.scaleType), groups,
                           [self](const Sink& sink) { return self->writeScale(sink); }});
            if (m_grid.hasZero())
                all.push_back({m_tensor.name + ".zero", integerZero ? "I32" : dtypeName(m_grid.scaleType), groups,
                               [self](const Sink& sink) { return self->writeZero(sink); }});
        }
        if (grad) all.push_back({m_tensor.name + ".mask", "U8", matrix, [self](const Sink& sink) { return self->writeMask(sink); }});
        return all;
    }
    [[nodiscard]] nlohmann::json report() const {
        const double sqnr = m_stats.sqnrDb();
        return {{"name", m_tensor.name},
                {"shape", m_tensor.shape},
                {"sqnr_db", std::isfinite(sqnr) ? nlohmann::json(sqnr) : nlohmann::json()},
                {"clip_fraction", m_stats.count ? static_cast<double>(m_stats.clipped) / static_cast<double>(m_stats.count) : 0.0},
                {"nonfinite", m_stats.nonfinite},
                {"bits_per_weight", numerics::bitsPerWeight(m_grid)}};
    }

private:
    Status read() {
        m_x.resize(m_tensor.bytes());
        return m_file.read(m_tensor, m_x.data());
    }
    void run(const numerics::Outputs& out) { numerics::fakeQuantize(m_grid, m_x.data(), out, m_parallel); }
    Status give(const Sink& sink, const std::vector<char>& bytes) {
        m_x = {};
        return sink(bytes.data(), bytes.size());
    }
    [[nodiscard]] int64_t groupCount() const { return m_grid.rows * m_grid.groupsPerRow(); }

    Status writeValues(const Sink& sink) {
        QW_CHECK(read());
        std::vector<char> y(m_x.size());
        m_stats = {};
        numerics::Outputs out;
        out.y = y.data();
        out.stats = &m_stats;
        run(out);
        return give(sink, y);
    }
    Status writeCodes(const Sink& sink) {
        QW_CHECK(read());
        std::vector<char> codes(static_cast<size_t>(m_grid.rows * m_grid.cols));
        numerics::Outputs out;
        out.codes = reinterpret_cast<int8_t*>(codes.data());
        run(out);
        return give(sink, codes);
    }
    Status writeScale(const Sink& sink) {
        QW_CHECK(read());
        std::vector<char> scale(static_cast<size_t>(groupCount() * numerics::sizeOf(m_grid.scaleType)));
        numerics::Outputs out;
        out.scale = scale.data();
        run(out);
        return give(sink, scale);
    }
    Status writeZero(const Sink& sink) {
        QW_CHECK(read());
        const int64_t width = m_grid.family == numerics::Family::IntAsymmetric ? 4 : numerics::sizeOf(m_grid.scaleType);
        std::vector<char> zero(static_cast<size_t>(groupCount() * width));
        numerics::Outputs out;
        out.zero = zero.data();
        run(out);
        return give(sink, zero);
    }
    Status writeMask(const Sink& sink) {
        QW_CHECK(read());
        const int64_t words = (m_grid.cols + 63) / 64;
        std::vector<uint64_t> mask(static_cast<size_t>(m_grid.rows * words));
        numerics::Outputs out;
        out.mask = mask.data();
        run(out);
        std::vector<char> bytes(static_cast<size_t>(m_grid.rows * m_grid.cols));
        for (int64_t r = 0; r < m_grid.rows; ++r)
            for (int64_t c = 0; c < m_grid.cols; ++c)
                bytes[static_cast<size_t>(r * m_grid.cols + c)] =
                    static_cast<char>((mask[static_cast<size_t>(r * words + c / 64)] >> (c & 63)) & 1u);
        return give(sink, bytes);
    }

    TensorFile m_file;
    TensorInfo m_tensor;
    numerics::Grid m_grid;
    ParallelFor m_parallel;
    std::vector<char> m_x;
    numerics::Stats m_stats;
};

TensorSource copied(const TensorFile& file, const TensorInfo& tensor) {
    return {tensor.name, tensor.dtype, tensor.shape, [file, tensor](const std::function<Status(const void*, uint64_t)>& sink) -> Status {
                std::vector<char> bytes(std::min<uint64_t>(tensor.bytes(), uint64_t{8} << 20));
                for (uint64_t at = 0; at < tensor.bytes();) {
                    const uint64_t size = std::min<uint64_t>(bytes.size(), tensor.bytes() - at);
                    QW_CHECK(file.read(tensor, bytes.data(), at, size));
                    QW_CHECK(sink(bytes.data(), size));
                    at += size;
                }
                return {};
            }};
}

// Beside the target, then renamed: an interrupted run leaves no half file under the asked name.
Status writeBeside(const fs::path& out, std::vector<TensorSource> sources, const std::map<std::string, std::string>& metadata) {
    const fs::path temporary = out.string() + ".tmp" + std::to_string(::getpid());
    const auto written = checkpoint::writeSafetensors(temporary, std::move(sources), metadata);
    std::error_code error;
    if (written) fs::rename(temporary, out, error);
    if (written && !error) return {};
    std::error_code ignored;
    fs::remove(temporary, ignored);
    if (!written) return written.error();
    return Error{"file.io", "cannot write " + out.string() + ": " + error.message(), "choose another output path", {}, false};
}

Result<std::vector<std::shared_ptr<Job>>> convertFile(const Arguments& a) {
    records::Role role = records::Role::Weight;
    QW_TRY(const auto block, chooseBlock(a, role));
    QW_TRY(const auto file, TensorFile::open(a.in));
    const ParallelFor parallel = numerics::threadPool(0);
    std::vector<std::shared_ptr<Job>> jobs;
    std::vector<TensorSource> sources;
    for (const TensorInfo& tensor : file.tensors()) {
        const auto type = dtypeOf(tensor.dtype);
        if (tensor.shape.size() != 2 || !type) {
            sources.push_back(copied(file, tensor));
            continue;
        }
        auto grid = numerics::resolveGrid(block, role, *type, tensor.shape[0], tensor.shape[1]);
        if (!grid) return std::move(grid).error().at("tensor " + tensor.name);
        jobs.push_back(std::make_shared<Job>(file, tensor, *grid, parallel));
        for (auto& source : jobs.back()->sources(jobs.back(), a.codes, a.grad)) sources.push_back(std::move(source));
    }
    if (jobs.empty())
        return Error{"data.empty", a.in + " has no 2-D tensor of dtype F32, BF16 or F16", "give a file with weight matrices", {}, false};
    QW_CHECK(writeBeside(a.out, std::move(sources), file.metadata()));
    return jobs;
}

} // namespace

int cmdFakeQuantize(CommandLine& line) {
    Arguments a;
    line.positional("in", a.in, "a .safetensors file");
    line.positional("out", a.out, "the file to write: same names, shapes and dtypes");
    line.option("--scheme", a.scheme, "scheme preset, e.g. 8da4w", true);
    line.option("--set", a.sets, "change a key of the scheme, e.g. weight.group_size=64; may be repeated");
    line.option("--role", a.role, "which block of the scheme: weight, activation or embedding");
    line.flag("--codes", a.codes, "also write <name>.codes, .scale and .zero");
    line.flag("--grad", a.grad, "also write <name>.mask: 1 where the gradient passes");
    line.flag("--json", a.json, "one JSON object with a row per tensor");
    if (const auto done = line.parse()) return *done;
    const auto jobs = convertFile(a);
    if (!jobs) return fail(jobs.error(), a.json);
    nlohmann::json rows = nlohmann::json::array();
    for (const auto& job : *jobs) rows.push_back(job->report());
    if (a.json) {
        std::cout << nlohmann::json{{"scheme", a.scheme}, {"role", a.role}, {"kernels", numerics::kernelName()}, {"tensors", rows}}.dump()
                  << '\n';
        return 0;
    }
    for (const auto& row : rows) {
        const std::string sqnr = row["sqnr_db"].is_null() ? "-" : std::to_string(row["sqnr_db"].get<double>()).substr(0, 6) + " dB";
        std::cout << row["name"].get<std::string>() << "  " << row["shape"].dump() << "  SQNR " << sqnr << "  clipped "
                  << row["clip_fraction"].get<double>() * 100 << " %\n";
    }
    return 0;
}

} // namespace qw::cli
