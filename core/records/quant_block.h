// SPDX-License-Identifier: GPL-3.0-or-later
// What: one resolved `weight:`, `activation:` or `embedding:` block of a scheme (quantization.md 3.1), and the rules around it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qw::records {

enum class DType : uint8_t { F32, BF16, F16 }; // the number types we compute in
enum class Role : uint8_t { Weight, Activation, Embedding };
enum class Format : uint8_t { Intx, Int4Zp, Int8 }; // families 2.1-2.4, 2.5, 2.7
enum class Granularity : uint8_t {
    PerTensor,
    PerChannel,
    PerGroup,
    PerToken
}; // per_row is PerChannel of a weight, PerToken of an activation
enum class Mapping : uint8_t { Symmetric, Asymmetric, SymmetricNoClip };
enum class ZeroDomain : uint8_t { Int, Float, None };                  // Float = tinygemm, family 2.4
enum class ScaleDtype : uint8_t { Float32, BFloat16, Float16, Input }; // Input: the dtype of the tensor itself
enum class Ste : uint8_t { Clipped, Identity };
enum class OnIndivisible : uint8_t { Skip, Error };

struct QuantBlock {
    Format format = Format::Intx;
    int bits = 8;
    bool isSigned = true;
    Granularity granularity = Granularity::PerGroup;
    int64_t groupSize = 32; // used with PerGroup only
    Mapping mapping = Mapping::Symmetric;
    ScaleDtype scaleDtype = ScaleDtype::Float32;
    ZeroDomain zeroDomain = ZeroDomain::Int;
    std::optional<double> eps; // nothing: the family's default (quantization.md 2)
    bool reduceRange = false;  // 2.7 only: -64..63
    bool operator==(const QuantBlock&) const = default;
};

struct ModuleRules {
    std::vector<std::string> include{"*"}; // fnmatch on full module names
    std::vector<std::string> exclude;
    bool lmHead = false;
    OnIndivisible onIndivisible = OnIndivisible::Skip;
    bool operator==(const ModuleRules&) const = default;
};

// The `qat:` block, after its preset was applied (quantization.md 3.6). A missing block leaves that operand alone.
struct QatBlock {
    std::string preset;
    std::optional<QuantBlock> weight;
    std::optional<QuantBlock> activation;
    std::optional<QuantBlock> embedding;
    ModuleRules modules;
    std::optional<int64_t> fakeQuantAfterSteps; // fake quantization is on in step s iff empty or s >= this
    Ste ste = Ste::Clipped;
    bool qparamGrad = false; // 2.5 only: gradient also through min and max, as torchao does
    bool logFloatEval = false;
    bool operator==(const QatBlock&) const = default;
};

} // namespace qw::records
