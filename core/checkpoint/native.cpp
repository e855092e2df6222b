// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/native.h"

#include "checkpoint/config_keys.h"
#include "checkpoint/convert.h"
#include "checkpoint/quant_json.h"
#include "numerics/bitpack.h"

#include <nlohmann/json.hpp>

namespace qw::checkpoint {
namespace {

Error bad(const std::string& what) {
    return {"model.format",
            "__metadata__.qat_workbench: " + what,
            "the folder was written by another version or damaged: write it again",
            {},
            false};
}

} // namespace

int64_t NativeLayout::groups() const { return grid.rows * grid.groupsPerRow(); }

std::string schemesToJson(const std::vector<records::QatBlock>& schemes) {
    std::string out = "[";
    for (size_t i = 0; i < schemes.size(); ++i) out.append(i ? "," : "").append(qatBlockToJson(schemes[i]));
    return out + "]";
}

std::string nativeToJson(const NativeInfo& info) {
    nlohmann::ordered_json j;
    j["format"] = kNativeFormat;
    j["dtype"] = configName(info.type);
    j["schemes"] = nlohmann::ordered_json::parse(schemesToJson(info.schemes));
    j["modules"] = nlohmann::ordered_json::object();
    for (const auto& m : info.modules)
        j["modules"][m.name] = {{"scheme", m.scheme}, {"packed", m.packed}, {"rows", m.rows}, {"cols", m.cols}};
    j["skipped"] = nlohmann::ordered_json::object();
    for (const auto& [name, reason] : info.skipped) j["skipped"][name] = reason;
    return j.dump();
}

Result<NativeInfo> nativeFromJson(std::string_view json) {
    auto root = parseJson(json, "model.format");
    if (!root) return bad(root.error().message);
    Keys keys(*root, "");
    NativeInfo info;
    const int64_t format = keys.integer("format", 0, 0, 1000);
    if (!keys.error() && format != kNativeFormat)
        return bad("format " + std::to_string(format) + " is not known, only " + std::to_string(kNativeFormat) + " is");
    const auto type = dtypeFromConfigName(keys.string("dtype", ""));
    if (!type) keys.refuse("dtype", "expected float32, bfloat16 or float16");
    if (keys.error()) return bad(keys.error()->message);
    info.type = *type;
    const JsonValue* schemes = root->find("schemes");
    const JsonValue* modules = root->find("modules");
    if (!schemes || !schemes->is(JsonValue::Kind::Array) || !modules || !modules->is(JsonValue::Kind::Object))
        return bad("has no schemes or no modules");
    for (const JsonValue& scheme : schemes->items) {
        auto block = qatBlockFromJson(scheme);
        if (!block) return bad("schemes: " + block.error().message);
        info.schemes.push_back(*std::move(block));
    }
    constexpr int64_t most = int64_t{1} << 40;
    for (const auto& [name, value] : modules->members) {
        Keys m(value, name + ".");
        NativeInfo::Module module;
        module.name = name;
        module.scheme = static_cast<size_t>(m.integer("scheme", -1, 0, static_cast<int64_t>(info.schemes.size()) - 1));
        module.packed = m.boolean("packed", false);
        module.rows = m.integer("rows", 0, 1, most);
        module.cols = m.integer("cols", 0, 1, most);
        if (m.error()) return bad(m.error()->message);
        if (module.scheme >= info.schemes.size() || module.rows == 0 || module.cols == 0) return bad("module " + name + " is incomplete");
        info.modules.push_back(std::move(module));
    }
    if (const JsonValue* skipped = root->find("skipped"))
        for (const auto& [name, reason] : skipped->members) info.skipped.emplace_back(name, reason.text);
    return info;
}

records::Role roleOfModule(std::string_view name) {
    return name == "model.embed_tokens" ? records::Role::Embedding : records::Role::Weight;
}

const records::QuantBlock* blockFor(const records::QatBlock& scheme, std::string_view module) {
    const auto& block = roleOfModule(module) == records::Role::Embedding ? scheme.embedding : scheme.weight;
    return block ? &*block : nullptr;
}

Result<NativeLayout> nativeLayout(const records::QuantBlock& block, std::string_view module, records::DType type, int64_t rows,
                                  int64_t cols) {
    NativeLayout layout;
    auto grid = numerics::resolveGrid(block, roleOfModule(module), type, rows, cols);
    if (!grid) return std::move(grid).error().at(module);
    layout.grid = *grid;
    layout.packed = block.bits < 8;
    layout.isSigned = grid->qmin < 0;
    layout.codesDtype = layout.packed || !layout.isSigned ? "U8" : "I8";
    layout.codesShape = {rows, layout.packed ? numerics::packedRowBytes(block.bits, cols) : cols};
    layout.scaleDtype = storedName(grid->scaleType);
    if (block.granularity == records::Granularity::PerTensor)
        layout.scaleShape = {1};
    else
        layout.scaleShape = {rows, grid->groupsPerRow()};
    switch (grid->family) {
    case numerics::Family::IntSymmetric:
        break;
    case numerics::Family::IntAsymmetric:
        layout.zeroDtype = "I32";
        break;
    case numerics::Family::Tinygemm:
        layout.zeroDtype = layout.scaleDtype;
        break;
    case numerics::Family::Int4Zp:
        layout.zeroDtype = "F32";
        break;
    }
    return layout;
}

} // namespace qw::checkpoint
