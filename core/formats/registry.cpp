// SPDX-License-Identifier: GPL-3.0-or-later
#include "formats/registry.h"

#include <algorithm>

namespace qw::formats {

const char* word(Fidelity fidelity) {
    switch (fidelity) {
    case Fidelity::Exact:
        return "exact";
    case Fidelity::NearExact:
        return "near-exact";
    case Fidelity::Lossy:
        return "lossy";
    case Fidelity::Unsupported:
        return "unsupported";
    }
    return "";
}

Verdict unsupported(std::string why) {
    Verdict verdict;
    verdict.fidelity = Fidelity::Unsupported;
    verdict.why = std::move(why);
    return verdict;
}

// In the order of export.md: what most people ship first.
const std::vector<const Format*>& formats() {
    static const std::vector<const Format*> table{&kCompressedTensors,
                                                  &kCompressedTensorsW4A8,
                                                  &kCompressedTensorsW4A8Int8,
                                                  &kGguf,
                                                  &kGgufF32,
                                                  &kHuggingFace,
                                                  &kHuggingFaceLatent,
                                                  &kGptq,
                                                  &kNative,
                                                  &kAwq,
                                                  &kTorchao};
    return table;
}

Result<const Format*> findFormat(const std::string& name) {
    const auto at = std::ranges::find_if(formats(), [&](const Format* format) { return format->name == name; });
    if (at != formats().end()) return *at;
    std::string known;
    for (const Format* format : formats())
        if (format->write) known.append(known.empty() ? "" : ", ").append(format->name);
    return Error{"usage", "there is no format '" + name + "'", "known are " + known, {}, false};
}

} // namespace qw::formats
