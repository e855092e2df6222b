// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/folders.h"

#include "base/files.h"
#include "checkpoint/convert.h"
#include "checkpoint/shards.h"
#include "export/facts.h"
#include "formats/native_tensors.h"
#include "formats/staging.h"
#include "formats/tensors.h"
#include "model/load.h"

#include <cstring>
#include <set>

namespace qw::exporter {
namespace {

namespace fs = std::filesystem;
using checkpoint::NativeInfo;
using checkpoint::TensorSource;

using Sink = std::function<Status(const void*, uint64_t)>;

at::Tensor onHost(const at::Tensor& tensor, at::ScalarType type) { return tensor.detach().to(at::kCPU, type).contiguous(); }

// Rounded when it is its turn, so that only one tensor exists twice.
TensorSource plainSource(const std::string& name, const at::Tensor& tensor, records::DType type) {
    const auto sizes = tensor.sizes();
    return {name, checkpoint::storedName(type), {sizes.begin(), sizes.end()}, [tensor, type](const Sink& sink) -> Status {
                const at::Tensor rounded = onHost(tensor, model::toTorch(type));
                return rounded.nbytes() ? sink(rounded.const_data_ptr(), rounded.nbytes()) : Status{};
            }};
}

// What convert gave, asked for piece by piece.
void copyPart(const at::Tensor& from, void* to) {
    if (to) std::memcpy(to, from.const_data_ptr(), from.nbytes());
}
formats::ModuleRead readerOf(const quant::Converted& converted, const checkpoint::NativeLayout& layout) {
    const at::Tensor codes = converted.codes.cpu().contiguous(), scale = converted.scale.cpu().contiguous();
    const bool integer = layout.zeroDtype == "I32";
    const at::Tensor zero = layout.zeroDtype.empty() ? at::Tensor()
                            : integer                ? onHost(converted.zero, at::kInt)
                                                     : converted.zero.cpu().contiguous();
    return [codes, scale, zero](checkpoint::RowRange rows, int8_t* toCodes, void* toScale, void* toZero) -> Status {
        if (toCodes) copyPart(codes.narrow(0, rows.first, rows.count), toCodes);
        copyPart(scale, toScale); // asked for as a whole
        if (zero.defined()) copyPart(zero, toZero);
        return {};
    };
}

std::vector<int> quantizedModules(const quant::Plan& plan) {
    std::vector<int> out = plan.weightModules;
    if (plan.embeddingModule >= 0) out.insert(out.begin(), plan.embeddingModule);
    return out;
}

// All tensors of a native folder and their description.
struct NativeTensors {
    NativeInfo info;
    std::vector<TensorSource> sources;
    bool tied = false;
};

Status addModule(NativeTensors& out, const model::Decoder& decoder, const quant::Plan& plan, int index, records::DType type,
                 const std::string& method) {
    const model::Module& module = decoder.modules()[static_cast<size_t>(index)];
    const quant::Converted converted = quant::convert(decoder, plan, index, type, method);
    const int64_t rows = converted.codes.size(0), cols = converted.codes.size(1);
    QW_TRY(const auto layout, checkpoint::nativeLayout(converted.block, module.name, type, rows, cols));
    if (converted.scale.numel() != layout.groups() ||
        converted.scale.nbytes() != static_cast<size_t>(layout.groups() * numerics::sizeOf(layout.grid.scaleType)))
        return Error{"engine.internal", module.name + ": convert gave scales of another kind than its block", {}, {}, false};
    QW_CHECK(formats::addNativeModule(out.sources, module.name, layout, readerOf(converted, layout)));
    out.info.modules.push_back({module.name, 0, layout.packed, rows, cols});
    return {};
}

// Quantizing one side of a tied pair unties it: the other side is then stored as it is (quantization.md 3.4).
Result<NativeTensors> nativeTensors(const model::Decoder& decoder, const quant::Plan& plan, records::DType type,
                                    const std::string& method) {
    NativeTensors out;
    out.info.type = type;
    out.info.schemes = {plan.block};
    for (const auto& layer : plan.layers)
        if (!layer.skipReason.empty()) out.info.skipped.emplace_back(layer.name, layer.skipReason);
    std::set<std::string> stored; // weights that are not written plainly
    bool embedding = false, head = false;
    for (const int index : quantizedModules(plan)) {
        const model::Module& module = decoder.modules()[static_cast<size_t>(index)];
        QW_CHECK(addModule(out, decoder, plan, index, type, method));
        stored.insert(module.name + ".weight");
        embedding = embedding || module.isEmbedding;
        head = head || module.isHead;
    }
    for (const model::Parameter& p : decoder.parameters())
        if (!stored.contains(p.name)) out.sources.push_back(plainSource(p.name, p.tensor, type));
    out.tied = decoder.tied() && !embedding && !head;
    if (decoder.tied() && embedding && !head) {
        const model::Module& lmHead = decoder.modules()[static_cast<size_t>(decoder.headModule())];
        out.sources.push_back(
            plainSource(lmHead.name + ".weight", decoder.parameters()[static_cast<size_t>(lmHead.parameter)].tensor, type));
    }
    return out;
}

Result<Written> writeFolder(const fs::path& source, const fs::path& out, bool overwrite, std::vector<TensorSource> tensors,
                            const std::map<std::string, std::string>& metadata, const Facts& facts,
                            const std::function<Status(const fs::path&)>& verify) {
    QW_TRY(auto staging, formats::Staging::begin(out, overwrite));
    QW_TRY(const std::string config,
           formats::adaptedConfig(source, {facts.type, facts.tied, facts.native ? formats::nativeConfig() : std::string()}));
    QW_TRY(const std::string description, exportFacts(source, facts));
    QW_TRY(const auto written, checkpoint::writeShards(staging.dir(), std::move(tensors), metadata));
    QW_CHECK(formats::copySideFiles(source, staging.dir()));
    QW_CHECK(writeFileAtomic(staging.dir() / "config.json", config));
    QW_CHECK(writeFileAtomic(staging.dir() / formats::kExportFile, description));
    QW_CHECK(verify(staging.dir()));
    QW_CHECK(staging.commit());
    return Written{written.bytes, written.hash};
}

} // namespace

Result<Written> writeHuggingFace(const model::Decoder& decoder, const fs::path& source, const fs::path& out, records::DType type,
                                 bool overwrite) {
    std::vector<TensorSource> tensors;
    for (const model::Parameter& p : decoder.parameters()) tensors.push_back(plainSource(p.name, p.tensor, type));
    Facts facts;
    facts.format = "huggingface";
    facts.type = type;
    facts.tied = decoder.tied();
    return writeFolder(source, out, overwrite, std::move(tensors), {}, facts,
                       [&](const fs::path& dir) { return verifyFolder(decoder, nullptr, type, {}, dir); });
}

Result<Written> writeNative(const model::Decoder& decoder, const quant::Plan& plan, records::DType exportType, const std::string& method,
                            const fs::path& source, const fs::path& out, bool overwrite) {
    const records::DType own = model::toRecord(decoder.type());
    const records::DType type =
        own == records::DType::F32 ? exportType : own; // T never widens what the weights are kept in, as in quant::plan
    QW_TRY(NativeTensors native, nativeTensors(decoder, plan, type, method));
    Facts facts;
    facts.format = "native";
    facts.type = type;
    facts.method = method;
    facts.tied = native.tied;
    facts.native = &native.info;
    facts.plan = &plan;
    const std::map<std::string, std::string> metadata{{checkpoint::kNativeKey, checkpoint::nativeToJson(native.info)}};
    return writeFolder(source, out, overwrite, std::move(native.sources), metadata, facts,
                       [&](const fs::path& dir) { return verifyFolder(decoder, &plan, type, method, dir); });
}

} // namespace qw::exporter
