// SPDX-License-Identifier: GPL-3.0-or-later
// What: GGUF for llama.cpp and its family: codes as Q4_0, Q4_1 and Q8_0, the rest in the type it has, or everything as F32 (export.md 5).
#include "base/files.h"
#include "checkpoint/convert.h"
#include "checkpoint/gguf_header.h"
#include "formats/gguf_blocks.h"
#include "formats/gguf_model.h"
#include "formats/gguf_tokenizer.h"
#include "formats/registry.h"
#include "formats/staging.h"
#include "formats/tensors.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>

namespace qw::formats {
namespace {

using checkpoint::Checkpoint;
using checkpoint::QuantizedModule;
using checkpoint::RowRange;
using records::DType;

struct File {
    GgufMetadata metadata;
    std::vector<GgufTensor> tensors;
    GgufType most = GgufType::F32; // of most elements
    BlockVerdict verdict;          // over all modules that are written as blocks
    std::vector<std::string> notes;
};

GgufType plainType(DType type) { return type == DType::F32 ? GgufType::F32 : type == DType::BF16 ? GgufType::BF16 : GgufType::F16; }
DType numberType(GgufType type) { return type == GgufType::F32 ? DType::F32 : type == GgufType::BF16 ? DType::BF16 : DType::F16; }

const QuantizedModule* moduleOf(const Checkpoint& source, const std::string& tensor) {
    const auto& list = source.quantizedModules();
    const auto at = std::ranges::find_if(list, [&](const QuantizedModule& m) { return m.name + ".weight" == tensor; });
    return at == list.end() ? nullptr : &*at;
}

// Stored type of a matrix; vectors are F32.
GgufType typeOf(const Checkpoint& source, const checkpoint::ExpectedTensor& tensor, bool wide) {
    if (wide || tensor.shape.size() < 2) return GgufType::F32;
    const auto* stored = moduleOf(source, tensor.name) ? nullptr : source.find(tensor.name);
    if (!stored) return plainType(source.dtype());
    return stored->dtype == "BF16" ? GgufType::BF16 : stored->dtype == "F16" ? GgufType::F16 : GgufType::F32;
}

Status writeValues(const Checkpoint& source, const checkpoint::ExpectedTensor& tensor, GgufType type, const std::vector<int64_t>& rowOf,
                   const GgufSink& sink) {
    const bool matrix = tensor.shape.size() > 1;
    const auto row = static_cast<size_t>(rowBytes(type, matrix ? tensor.shape.back() : 1));
    return checkpoint::forRowBlocks(tensor.shape.front(), static_cast<int64_t>(row), [&](RowRange rows) -> Status {
        const RowRange from = sourceRows(rowOf, rows);
        std::vector<uint8_t> bytes(static_cast<size_t>(from.count) * row);
        QW_CHECK(source.readRows(tensor.name, numberType(type), from, bytes.data()));
        if (rowOf.empty()) return sink(bytes.data(), bytes.size());
        std::vector<uint8_t> moved(static_cast<size_t>(rows.count) * row);
        for (int64_t r = 0; r < rows.count; ++r)
            std::memcpy(moved.data() + static_cast<size_t>(r) * row,
                        bytes.data() + static_cast<size_t>(rowOf[static_cast<size_t>(rows.first + r)] - from.first) * row, row);
        return sink(moved.data(), moved.size());
    });
}

Error refused(const std::string& what) { return {"usage", what, "choose another format", {}, false}; }

Result<GgufTensor> tensorOf(const Checkpoint& source, const checkpoint::ExpectedTensor& tensor, bool wide, File& file) {
    GgufTensor out{checkpoint::ggufTensorName(tensor.name), typeOf(source, tensor, wide), tensor.shape, {}};
    const auto rowOf = ggufRows(source.config(), tensor.name);
    const QuantizedModule* module = wide ? nullptr : moduleOf(source, tensor.name);
    if (module) {
        const BlockChoice choice = chooseBlocks(*module);
        if (!choice.refusal.empty()) return refused(choice.refusal);
        if (choice.type) {
            QW_TRY(const BlockVerdict one, judgeBlocks(source, *module, *choice.type));
            if (one.tooLarge > 0)
                return refused(module->name + " has a scale or an offset of " + std::to_string(one.tooLarge) + ", fp16 ends at 65504");
            file.verdict.groups += one.groups;
            file.verdict.inexact += one.inexact;
            file.verdict.worst = std::max(file.verdict.worst, one.worst);
            out.type = *choice.type;
            out.write = [source, m = *module, type = *choice.type, rowOf](const GgufSink& sink) {
                return writeBlocks(source, m, type, rowOf, sink);
            };
            return out;
        }
        file.notes.push_back(module->name + " is written as its values: rows or groups are no multiples of 32");
    }
    out.write = [source, tensor, type = out.type, rowOf](const GgufSink& sink) { return writeValues(source, tensor, type, rowOf, sink); };
    return out;
}

// usage when the format cannot hold the model; the message is the reason.
Result<File> fileOf(const Checkpoint& source, bool wide) {
    if (const std::string why = refusedByGguf(source.config()); !why.empty()) return refused(why);
    File file;
    file.notes = ggufNotes(source.config());
    std::map<GgufType, int64_t> counts;
    for (const auto& tensor : source.tensors()) {
        QW_TRY(GgufTensor one, tensorOf(source, tensor, wide, file));
        counts[one.type] += static_cast<int64_t>(one.shape.size() > 1 ? one.shape[0] * one.shape[1] : one.shape[0]);
        file.tensors.push_back(std::move(one));
    }
    if (auto factors = ropeFrequencyFactors(source.config())) {
        const auto size = static_cast<int64_t>(factors->size());
        file.tensors.push_back({"rope_freqs.weight", GgufType::F32, {size}, [values = *std::move(factors)](const GgufSink& sink) {
                                    return sink(values.data(), values.size() * sizeof(float));
                                }});
    }
    // The type that names the file is that of the quantized matrices, where there are some.
    const auto weight = [](const auto& one) { return std::pair(isBlocks(one.first), one.second); };
    file.most = std::ranges::max_element(counts, {}, weight)->first;
    addArchitecture(file.metadata, source, file.most);
    auto added = addTokenizer(file.metadata, source.dir(), source.config().vocab, file.notes);
    if (!added) return refused(added.error().message);
    return file;
}

void addNotes(const Checkpoint& source, const File& file, bool wide, Verdict& verdict) {
    verdict.notes = file.notes;
    const auto& schemes = source.schemes();
    const bool trained = !schemes.empty() && schemes.front().activation; // activations were rounded in training
    verdict.sameActivations = !trained && file.verdict.groups == 0 && !(wide && source.dtype() != DType::F32);
    if (wide && source.dtype() != DType::F32)
        verdict.notes.push_back(std::string("its readers compute in float32, the model in ") + checkpoint::configName(source.dtype()));
    if (file.verdict.groups == 0) {
        if (trained) verdict.notes.push_back("activations are not rounded by its readers: the format has no words for them");
        return;
    }
    verdict.notes.push_back("llama.cpp rounds activations to 8 bits per 32 values beside quantized matrices, whatever the scheme says");
    const bool wider = std::ranges::any_of(source.quantizedModules(), [](const QuantizedModule& m) {
        return m.grid.family == numerics::Family::IntSymmetric && m.grid.bits != 4 && m.grid.bits != 8;
    });
    if (wider) verdict.notes.push_back("codes of other widths than 4 and 8 bits take the next wider blocks: exact, but larger than needed");
}

template<bool wide> Result<Verdict> check(const Checkpoint& source) {
    auto file = fileOf(source, wide);
    if (!file) {
        if (file.error().code != "usage") return std::move(file).error();
        return unsupported(file.error().message);
    }
    Verdict verdict;
    verdict.runsOn = "llama.cpp, and what is built on it";
    verdict.bytes = ggufBytes(file->metadata, file->tensors);
    verdict.groups = file->verdict.groups;
    verdict.inexact = file->verdict.inexact;
    if (verdict.inexact > 0) {
        std::array<char, 32> steps{};
        std::snprintf(steps.data(), steps.size(), "%.2g", file->verdict.worst);
        verdict.fidelity = Fidelity::NearExact;
        verdict.why = std::to_string(verdict.inexact) + " of " + std::to_string(verdict.groups) +
                      " groups need a rounded scale or offset in fp16; no value moves by more than " + steps.data() + " of a step";
    } else {
        verdict.why = verdict.groups > 0 ? "codes and scales are written as they were trained" : "the weights as they are";
        if (wide && source.isQuantized()) verdict.why = "every weight is the value of its stored code";
    }
    addNotes(source, *file, wide, verdict);
    return verdict;
}

template<bool wide> Status write(const Checkpoint& source, const std::filesystem::path& dir, const Progress& progress) {
    QW_TRY(const File file, fileOf(source, wide));
    QW_TRY(const std::string config, adaptedConfig(source.dir(), {wide ? DType::F32 : source.dtype(), source.tied(), {}}));
    QW_CHECK(writeGguf(dir / (ggufName(source) + "-" + word(file.most) + ".gguf"), file.metadata, file.tensors, progress));
    QW_CHECK(copySideFiles(source.dir(), dir));
    return writeFileAtomic(dir / "config.json", config);
}

} // namespace

const Format kGguf{"gguf",
                   "GGUF, for llama.cpp",
                   "Codes and scales as Q4_0, Q4_1 or Q8_0 blocks, everything else in the type it has; one file with the tokenizer in it.",
                   false,
                   check<false>,
                   write<false>};
const Format kGgufF32{"gguf-f32",
                      "GGUF, all weights as F32",
                      "Every weight as an fp32 number: large, and the file to compare llama.cpp's own arithmetic with.",
                      false,
                      check<true>,
                      write<true>};

} // namespace qw::formats
