// SPDX-License-Identifier: GPL-3.0-or-later
// What: formats that people ask for and that are not written: the row says what to take instead (export.md 1).
#include "formats/registry.h"

namespace qw::formats {
namespace {

constexpr const char* kAwqWhy =
    "this program does not write it: what loads AWQ takes gptq or compressed-tensors too, which hold the same codes";
constexpr const char* kTorchaoWhy =
    "this program does not write it: torchao's safetensors layout is a prototype that changes with its releases; torchao and "
    "ExecuTorch start from hf";

template<const char* const& why> Result<Verdict> check(const checkpoint::Checkpoint&) { return unsupported(why); }

} // namespace

const Format kAwq{"awq", "AWQ", "4-bit codes in the order of AutoAWQ's kernels.", false, check<kAwqWhy>, nullptr};
const Format kTorchao{"torchao", "torchao", "Tensor subclasses of torchao in safetensors.", false, check<kTorchaoWhy>, nullptr};

} // namespace qw::formats
