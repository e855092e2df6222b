// SPDX-License-Identifier: GPL-3.0-or-later
// What: our native quantized folder from stored codes (export.md 6.1).
#include "formats/native_tensors.h"
#include "formats/registry.h"
#include "formats/tensors.h"

#include <nlohmann/json.hpp>
#include <set>

namespace qw::formats {
namespace {

using checkpoint::Checkpoint;
using checkpoint::NativeInfo;

struct Contents {
    NativeInfo info;
    std::vector<checkpoint::TensorSource> tensors;
};

Result<Contents> contentsOf(const Checkpoint& source) {
    Contents out;
    out.info.type = source.dtype();
    out.info.schemes = source.schemes();
    out.info.skipped = source.skipped();
    std::set<std::string> stored;
    for (const auto& m : source.quantizedModules()) {
        QW_TRY(const auto layout, checkpoint::nativeLayout(m.block, m.name, source.dtype(), m.rows, m.cols));
        QW_CHECK(
            addNativeModule(out.tensors, m.name, layout, [source, m](checkpoint::RowRange rows, int8_t* codes, void* scale, void* zero) {
                return source.readCodes(m, rows, codes, scale, zero);
            }));
        out.info.modules.push_back({m.name, 0, layout.packed, m.rows, m.cols});
        stored.insert(m.name + ".weight");
    }
    for (const auto& tensor : source.tensors())
        if (!stored.contains(tensor.name)) out.tensors.push_back(plainTensor(source, tensor));
    return out;
}

Result<Verdict> check(const Checkpoint& source) {
    if (!source.isQuantized()) return unsupported("the weights are not quantized");
    for (const auto& m : source.quantizedModules()) { // GGUF files of others mix block types
        const auto* block = checkpoint::blockFor(source.schemes().front(), m.name);
        if (!block || !(*block == m.block)) return unsupported("the layers have different schemes");
    }
    QW_TRY(const Contents contents, contentsOf(source));
    Verdict verdict;
    verdict.bytes = bytesOf(contents.tensors);
    verdict.runsOn = "QAT Workbench and its plugins";
    verdict.why = "codes, scales and zero points as they were stored";
    for (const auto& module : source.quantizedModules()) verdict.groups += module.groups();
    return verdict;
}

Status write(const Checkpoint& source, const std::filesystem::path& dir, const Progress& progress) {
    QW_TRY(Contents contents, contentsOf(source));
    return writeFolder(source, dir, std::move(contents.tensors), {{checkpoint::kNativeKey, checkpoint::nativeToJson(contents.info)}},
                       nativeConfig(), progress);
}

} // namespace

std::string nativeConfig() {
    return nlohmann::ordered_json{{"quant_method", checkpoint::kNativeKey}, {"format", checkpoint::kNativeFormat}}.dump();
}

const Format kNative{"native",
                     "QAT Workbench, codes and scales",
                     "Codes, scales and zero points in safetensors: small, and the form that every other "
                     "export starts from.",
                     false,
                     check,
                     write};

} // namespace qw::formats
