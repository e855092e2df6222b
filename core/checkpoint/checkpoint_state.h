// SPDX-License-Identifier: GPL-3.0-or-later
// What: what an opened model folder holds.
#pragma once

#include "checkpoint/quantized_modules.h"

#include <mutex>

namespace qw::checkpoint {

struct Checkpoint::State {
    std::filesystem::path dir;
    std::string configBytes;
    ModelConfig config;
    std::string format = "huggingface";
    bool tied = false;
    records::DType type = records::DType::F32;
    WeightFiles weights;
    std::vector<ExpectedTensor> expected;
    std::unique_ptr<QuantizedModules> quantized; // null: everything is stored plainly
    std::vector<Problem> warnings;
    std::mutex mutex;
    std::string fingerprint;

    Status readConfig();
    Status resolveTie(const std::string& tie);
    [[nodiscard]] const QuantizedContents& contents() const; // empty for a plain folder
    Status openQuantized();
    Status checkTensor(const ExpectedTensor& e) const;
    Status checkTensors();
    void chooseType();
    void listLeftovers();
    [[nodiscard]] Status readPlain(const WeightFiles::Place& at, records::DType as, RowRange rows, void* dst) const;
    [[nodiscard]] const QuantizedModule* quantizedWeight(std::string_view tensor) const; // null: that tensor is stored plainly
    [[nodiscard]] bool headsAreEqual() const;
    void warn(std::string code, std::string message, std::string hint = {}) {
        warnings.push_back({false, std::move(code), std::move(message), std::move(hint)});
    }
};

} // namespace qw::checkpoint
