// SPDX-License-Identifier: GPL-3.0-or-later
// What: schemes of every family and a small decoder for tests of quantizer and plan.
#pragma once

#include "quant/quantizer.h"
#include "test_data.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>

namespace qw::test {

using records::DType;
using records::Format;
using records::Granularity;
using records::Mapping;
using records::QuantBlock;
using records::Role;
using records::ScaleDtype;

inline QuantBlock groups(int bits, int64_t g, ScaleDtype s = ScaleDtype::Float32) {
    QuantBlock b;
    b.bits = bits;
    b.groupSize = g;
    b.scaleDtype = s;
    return b;
}
inline QuantBlock tokens() {
    QuantBlock b;
    b.granularity = Granularity::PerToken;
    b.mapping = Mapping::Asymmetric;
    return b;
}
inline records::QatBlock scheme(QuantBlock weight, bool activation) {
    records::QatBlock q;
    q.weight = weight;
    if (activation) q.activation = tokens();
    return q;
}

struct Named {
    const char* name;
    QuantBlock block;
    Role role;
};
inline std::vector<Named> families() {
    QuantBlock channel = groups(3, 0, ScaleDtype::Input);
    channel.granularity = Granularity::PerChannel;
    QuantBlock noClip = groups(4, 32);
    noClip.mapping = Mapping::SymmetricNoClip;
    QuantBlock asym = groups(4, 32);
    asym.mapping = Mapping::Asymmetric;
    QuantBlock unsignedAsym = asym;
    unsignedAsym.isSigned = false;
    QuantBlock tinygemm = unsignedAsym;
    tinygemm.zeroDomain = records::ZeroDomain::Float;
    tinygemm.scaleDtype = ScaleDtype::BFloat16;
    QuantBlock zp = groups(4, 32);
    zp.format = Format::Int4Zp;
    QuantBlock int8 = groups(8, 0);
    int8.format = Format::Int8;
    int8.granularity = Granularity::PerChannel;
    QuantBlock tensor = groups(8, 0);
    tensor.granularity = Granularity::PerTensor;
    return {{"2.1 int4 g32", groups(4, 32), Role::Weight},
            {"2.1 int3 per channel, S input", channel, Role::Weight},
            {"2.1 no clip", noClip, Role::Weight},
            {"2.1 per tensor", tensor, Role::Weight},
            {"2.2 per token", tokens(), Role::Activation},
            {"2.3 int4", asym, Role::Weight},
            {"2.3 uint4", unsignedAsym, Role::Weight},
            {"2.4 tinygemm", tinygemm, Role::Weight},
            {"2.5 int4-zp", zp, Role::Weight},
            {"2.7 int8", int8, Role::Weight}};
}

inline checkpoint::ModelConfig tiny() {
    checkpoint::ModelConfig c;
    c.modelType = "llama";
    c.vocab = 96;
    c.hidden = 64;
    c.layers = 2;
    c.heads = 4;
    c.kvHeads = 2;
    c.headDim = 16;
    c.intermediate = 96;
    c.maxPositions = 64;
    c.window = {0, 0};
    return c;
}
inline model::Decoder decoder(bool tied = true, at::ScalarType type = at::kFloat) {
    auto made = model::Decoder::random(tiny(), tied, 5, type, at::kCPU);
    if (!made) qFatal("%s", made.error().message.c_str());
    return *made;
}
inline int moduleNamed(const model::Decoder& d, const std::string& name) {
    for (size_t i = 0; i < d.modules().size(); ++i)
        if (d.modules()[i].name == name) return static_cast<int>(i);
    return -1;
}
inline at::Tensor weightOf(const model::Decoder& d, int module) {
    return d.parameters()[static_cast<size_t>(d.modules()[static_cast<size_t>(module)].parameter)].tensor;
}
inline model::Rows someRows() { return {(at::arange(2 * 12, at::TensorOptions(at::kLong)).reshape({2, 12}) * 7) % 96, {}}; }
inline bool equalBits(const at::Tensor& a, const at::Tensor& b) { return a.scalar_type() == b.scalar_type() && a.equal(b); }

} // namespace qw::test
