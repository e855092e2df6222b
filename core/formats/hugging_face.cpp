// SPDX-License-Identifier: GPL-3.0-or-later
// What: a Hugging Face folder in T: the values of the stored codes, or the weights that training left (export.md 6).
#include "formats/registry.h"
#include "formats/tensors.h"

namespace qw::formats {
namespace {

std::vector<checkpoint::TensorSource> tensorsOf(const checkpoint::Checkpoint& source) {
    std::vector<checkpoint::TensorSource> out;
    for (const auto& tensor : source.tensors()) out.push_back(plainTensor(source, tensor));
    return out;
}

Result<Verdict> check(const checkpoint::Checkpoint& source) {
    Verdict verdict;
    verdict.bytes = bytesOf(tensorsOf(source));
    verdict.runsOn = "transformers, vLLM, and whatever reads safetensors";
    verdict.why = source.isQuantized() ? "every weight is the value of its stored code" : "the weights as they are";
    for (const auto& module : source.quantizedModules()) verdict.groups += module.groups();
    if (!source.schemes().empty() && source.schemes().front().activation) {
        verdict.sameActivations = false;
        verdict.notes.push_back("activations are not rounded by its readers: the format has no words for them");
    }
    return verdict;
}

Result<Verdict> checkLatent(const checkpoint::Checkpoint& source) {
    if (source.isQuantized()) return unsupported("these weights are quantized: there are no latent ones");
    return check(source);
}

Status write(const checkpoint::Checkpoint& source, const std::filesystem::path& dir, const Progress& progress) {
    return writeFolder(source, dir, tensorsOf(source), {}, {}, progress);
}

} // namespace

const Format kHuggingFace{"hf",
                          "Hugging Face, dequantized weights",
                          "Every weight as the value of its stored code, in the model's type; as large as the float model.",
                          false,
                          check,
                          write};
const Format kHuggingFaceLatent{"hf-latent",
                                "Hugging Face, latent weights",
                                "The float weights that QAT trained, not quantized yet: for another quantizer with the same grid.",
                                true,
                                checkLatent,
                                write};

} // namespace qw::formats
