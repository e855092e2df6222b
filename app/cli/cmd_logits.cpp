// SPDX-License-Identifier: GPL-3.0-or-later
#include "command_line.h"
#include "engine_request.h"
#include "progress.h"

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

namespace qw::cli {

int cmdLogits(CommandLine& line) {
    std::string model, ids, out, device = "auto", dtype;
    bool asJson = false;
    line.positional("MODEL", model, "a Hugging Face folder, or one that qatw exported");
    line.option("--ids", ids, "JSON file: a list of lists of token ids", true);
    line.option("--out", out, "safetensors file to write: fp32 logits.<i> [T, V]", true);
    line.option("--device", device, "auto | cpu | cuda | cuda:N");
    line.option("--dtype", dtype, "fp32 | bf16; default: the checkpoint's");
    line.flag("--json", asJson, "one JSON object");
    if (const auto done = line.parse()) return *done;
    std::error_code error;
    const auto absolute = [&](const std::string& path) { return std::filesystem::absolute(path, error).lexically_normal().string(); };
    const nlohmann::json params{
        {"model", absolute(model)}, {"ids", absolute(ids)}, {"out", absolute(out)}, {"device", device}, {"dtype", dtype}};
    Progress progress;
    const auto result = askEngine("logits", params.dump(), [&](const wire::Event& event) { progress.event(event); });
    progress.clear();
    if (!result) return fail(result.error(), asJson);
    if (asJson)
        std::cout << *result << '\n';
    else
        std::cout << "logits of " << nlohmann::json::parse(*result).value("lists", 0) << " lists written to " << out << '\n';
    return 0;
}

} // namespace qw::cli
