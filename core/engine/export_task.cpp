// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/tasks_ops.h"

#include "base/files.h"
#include "checkpoint/module_plan.h"
#include "config/recipe_file.h"
#include "engine/device.h"
#include "engine/job_support.h"
#include "export/folders.h"
#include "train/persist.h"
#include "wire/run_folder.h"

#include <nlohmann/json.hpp>

namespace qw::engine {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

json part(const char* kind, const exporter::Written& written, const std::string& info) {
    return {{"kind", kind}, {"hash", written.hash}, {"bytes", written.bytes}, {"info", json::parse(info)}};
}

} // namespace

Result<std::string> exportTask(const std::string& params, const TaskContext& context) {
    const json p = json::parse(params, nullptr, false);
    const wire::RunFolder folder{p.value("run", "")};
    const int64_t step = p.value("step", int64_t{-1});
    const fs::path out = p.value("out", "");
    const auto tell = [&](int64_t done) { context.emit(wire::Progress{"convert", "folders", done, 2, -1}); };
    tell(0);
    QW_TRY(const auto identity, wire::readIdentity(folder));
    QW_TRY(const std::string text, readFile(folder.resolvedConfig(), 1 << 20));
    QW_TRY(const auto recipe, config::parseRecipe(text, folder.resolvedConfig()));
    QW_TRY(const auto loaded, train::Checkpoints(folder.checkpoints()).open(step));
    configureTorch(recipe.threads, true, false);
    QW_TRY(const auto source, openSource(recipe, {}, folder.dir));
    const auto working = recipe.precision.mode == "fp32" ? at::kFloat : at::kBFloat16;
    QW_TRY(const auto decoder, loadDecoder(source, recipe.seeds.front(), working, at::kCPU));
    QW_CHECK(train::restoreWeights(loaded, decoder));
    const records::DType type = checkpoint::memberType(recipe.precision.exportDtype, recipe.precision.mode);
    QW_TRY(const auto model, exporter::writeHuggingFace(decoder, source.folder, out / "model", type, true));
    json parts = json::array({part("model", model, modelInfo(type, step))});
    tell(1);
    if (recipe.qat) {
        QW_TRY(const auto plan, quant::plan(decoder, *recipe.qat));
        const std::string method = identity.method.empty() ? "rtn" : identity.method;
        QW_TRY(const auto native, exporter::writeNative(decoder, plan, type, method, source.folder, out / "native", true));
        parts.push_back(part("native", native, nativeInfo(method, plan, type)));
    }
    tell(2);
    return json{{"parts", std::move(parts)}}.dump();
}

} // namespace qw::engine
