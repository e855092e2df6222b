// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/tasks_ops.h"

#include "base/files.h"
#include "checkpoint/safetensors.h"
#include "engine/device.h"
#include "engine/job_support.h"
#include "engine/loaded_model.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace qw::engine {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr uint64_t kIdsLimit = 256 << 20;

Result<std::vector<std::vector<int64_t>>> readIds(const std::string& path, int64_t vocab) {
    QW_TRY(const std::string text, readFile(path, kIdsLimit));
    const json lists = json::parse(text, nullptr, false);
    const auto bad = [&](const std::string& what) {
        return Error{"data.unreadable", path + ": " + what, "write a JSON list of lists of token ids", "", false};
    };
    if (!lists.is_array() || lists.empty()) return bad("is no list of id lists");
    std::vector<std::vector<int64_t>> rows;
    for (size_t i = 0; i < lists.size(); ++i) {
        const std::string where = "list " + std::to_string(i);
        if (!lists[i].is_array() || lists[i].empty()) return bad(where + " is no list of ids, or empty");
        std::vector<int64_t> row;
        for (const json& id : lists[i]) {
            if (!id.is_number_integer()) return bad(where + " holds something that is no whole number");
            const auto value = id.get<int64_t>();
            if (value < 0 || value >= vocab)
                return bad(where + " holds id " + std::to_string(value) + ", the vocabulary ends at " + std::to_string(vocab));
            row.push_back(value);
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

at::Tensor rowLogits(const model::Decoder& decoder, const std::vector<int64_t>& ids) {
    const at::NoGradGuard noGrad;
    model::Rows rows;
    rows.ids = at::tensor(ids, at::TensorOptions(at::kLong)).unsqueeze(0).to(decoder.device());
    return decoder.logits(decoder.hidden(rows)).squeeze(0).to(at::kFloat).to(at::kCPU).contiguous();
}

} // namespace

Result<std::string> logitsTask(const std::string& params, const TaskContext& context) {
    const json p = json::parse(params, nullptr, false);
    const fs::path out = p.value("out", "");
    QW_TRY(auto loaded, LoadedModel::open(p.value("model", ""), p.value("device", "auto"), p.value("dtype", "")));
    const model::Decoder& decoder = loaded->decoder();
    const int64_t vocab = decoder.config().vocab;
    QW_TRY(const auto rows, readIds(p.value("ids", ""), vocab));
    std::vector<checkpoint::TensorSource> tensors;
    int64_t done = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
        checkpoint::TensorSource tensor;
        tensor.name = "logits." + std::to_string(i);
        tensor.dtype = "F32";
        tensor.shape = {static_cast<int64_t>(rows[i].size()), vocab};
        tensor.write = [&, i](const std::function<Status(const void*, uint64_t)>& sink) -> Status {
            if (context.cancel.now()) return Error{"engine.cancelled", "stopped on request", "", "", true};
            const at::Tensor logits = rowLogits(decoder, rows[i]);
            context.emit(wire::Progress{"logits", "lists", ++done, static_cast<int64_t>(rows.size()), -1});
            return sink(logits.const_data_ptr(), static_cast<uint64_t>(logits.nbytes()));
        };
        tensors.push_back(std::move(tensor));
    }
    const fs::path temporary = out.string() + ".tmp." + std::to_string(::getpid());
    std::error_code error;
    const auto written = checkpoint::writeSafetensors(temporary, std::move(tensors), {});
    if (!written) {
        fs::remove(temporary, error);
        return written.error();
    }
    fs::rename(temporary, out, error);
    if (error) return Error{"file.io", "cannot write " + out.string() + ": " + error.message(), "choose another --out", "", false};
    return json{{"out", out.string()}, {"lists", rows.size()}, {"vocab", vocab}, {"device", decoder.device().str()}, {"xxh3", *written}}
        .dump();
}

} // namespace qw::engine
