// SPDX-License-Identifier: GPL-3.0-or-later
// What: what an opened model folder holds; checkpoint.cpp reads plain folders, checkpoint_native.cpp the quantized modules.
#pragma once

#include "checkpoint/native.h"
#include "checkpoint/weight_files.h"

#include <map>
#include <mutex>

namespace qw::checkpoint {

[[nodiscard]] std::string shapeWords(const std::vector<int64_t>& shape); // "[64,32]"
[[nodiscard]] Error shapeError(const std::string& what,
                               const std::string& hint = "config.json and the weights are of different models: fetch both again");

struct Checkpoint::State {
    std::filesystem::path dir;
    std::string configBytes;
    ModelConfig config;
    bool tied = false, native = false;
    records::DType type = records::DType::F32;
    WeightFiles weights;
    std::vector<ExpectedTensor> expected;
    std::vector<NativeModule> modules;
    std::map<std::string, std::pair<size_t, NativeLayout>, std::less<>> layouts; // module -> index in modules, layout
    std::string schemes;
    std::vector<std::pair<std::string, std::string>> skipped;
    std::vector<Problem> warnings;
    std::mutex mutex;
    std::string fingerprint;

    Status readConfig();
    Status resolveTie(const std::string& tie);
    Status readNative();
    Status checkTensor(const ExpectedTensor& e) const;
    Status checkTensors();
    void chooseType();
    void listLeftovers();
    [[nodiscard]] Status readPlain(const WeightFiles::Place& at, records::DType as, void* dst) const;
    [[nodiscard]] Status readPart(const std::string& name, const std::string& dtype, const std::vector<int64_t>& shape, void* dst) const;
    [[nodiscard]] Status readZero(const std::string& module, const NativeLayout& layout, void* zero) const;
    [[nodiscard]] Status readModule(const NativeModule& module, const NativeLayout& layout, int8_t* codes, void* scale, void* zero) const;
    [[nodiscard]] Status dequantizeAs(const NativeModule& module, const NativeLayout& layout, records::DType as, void* dst) const;
    [[nodiscard]] bool headsAreEqual() const;
    void warn(std::string code, std::string message, std::string hint = {}) {
        warnings.push_back({false, std::move(code), std::move(message), std::move(hint)});
    }
};

} // namespace qw::checkpoint
