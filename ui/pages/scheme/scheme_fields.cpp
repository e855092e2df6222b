// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/scheme/scheme_fields.h"

#include "models/scheme_rules.h"

#include <QCoreApplication>
#include <algorithm>

namespace qw::ui {
namespace {

using records::Format;
using records::Granularity;
using records::Mapping;
using records::QatBlock;
using records::QuantBlock;
using records::ScaleDtype;
using records::ZeroDomain;

QString say(const char* words) { return QCoreApplication::translate("SchemeFields", words); }
QString word(const char* latin) { return QString::fromLatin1(latin); }

// A field of one block: null where the block is missing.
using Slot = std::optional<QuantBlock> QatBlock::*;

template<class Value> SchemeField blockField(const char* name, const QString& label, const QString& help, std::vector<SchemeChoice> choices,
                                             Slot slot, Value QuantBlock::*member, std::vector<Value> values) {
    SchemeField f{word(name), label, help, std::move(choices), {}, {}, {}};
    const auto words = f.choices;
    f.read = [slot, member, values, words](const QatBlock& b) {
        if (!(b.*slot)) return QString();
        const auto at = std::ranges::find(values, (*(b.*slot)).*member);
        return at == values.end() ? QString() : words[static_cast<size_t>(at - values.begin())].word;
    };
    f.write = [slot, member, values, words](QatBlock& b, const QString& chosen) {
        if (!(b.*slot)) return;
        for (size_t i = 0; i < words.size(); ++i)
            if (words[i].word == chosen) (*(b.*slot)).*member = values[i];
    };
    return f;
}

QString weightWord(const QatBlock& b) {
    if (!b.weight) return word("off");
    if (b.weight->format == Format::Int4Zp) return word("int4_zp");
    if (b.weight->format == Format::Int8) return word("int8");
    return b.weight->isSigned ? word("int") : word("uint");
}

void setWeight(QatBlock& b, const QString& chosen) {
    if (chosen == QLatin1String("off")) return b.weight.reset();
    const bool fresh = !b.weight;
    if (fresh) b.weight = QuantBlock{};
    QuantBlock& w = *b.weight;
    const bool wasFixed = w.format != Format::Intx;
    w.format = chosen == QLatin1String("int4_zp") ? Format::Int4Zp : chosen == QLatin1String("int8") ? Format::Int8 : Format::Intx;
    if (w.format == Format::Intx) {
        w.isSigned = chosen == QLatin1String("int");
        w.zeroDomain = ZeroDomain::Int;
        if (w.isSigned && (wasFixed || fresh)) w.mapping = Mapping::Symmetric;
        if (wasFixed || fresh) w.bits = 4;
    } else {
        if (w.format == Format::Int8) w.mapping = Mapping::Symmetric, w.granularity = Granularity::PerChannel;
        if (w.format == Format::Int4Zp) w.groupSize = 128;
        b = repaired(b);
    }
    if (w.granularity != Granularity::PerGroup) w.groupSize = QuantBlock{}.groupSize;
}

QString weightOnly(const QatBlock& b, const char* which) {
    if (!b.weight) return say("weights are not quantized");
    return b.weight->format == Format::Int4Zp ? say(which) : QString();
}

std::vector<SchemeField> weightFields() {
    std::vector<SchemeField> out;
    out.push_back({word("weightDtype"),
                   say("Weight type"),
                   say("Which numbers a weight may become"),
                   {{word("int"), say("integer, signed"), say("codes −2ⁿ⁻¹ … 2ⁿ⁻¹−1")},
                    {word("uint"), say("integer, unsigned"), say("codes 0 … 2ⁿ−1; needs an asymmetric mapping")},
                    {word("int4_zp"), say("int4, real zero point"), say("torchao's Int4WeightOnlyConfig version 2")},
                    {word("int8"), say("int8, torchao's tensor"), say("torchao's Int8Tensor rules")},
                    {word("off"), say("off"), say("weights stay as they are")}},
                   weightWord,
                   setWeight,
                   {}});
    SchemeField granularity = blockField<Granularity>("weightGranularity", say("Granularity"), say("What shares one scale"),
                                                      {{word("per_group"), say("group of columns"), {}},
                                                       {word("per_channel"), say("row (channel)"), {}},
                                                       {word("per_tensor"), say("whole tensor"), {}}},
                                                      &QatBlock::weight, &QuantBlock::granularity,
                                                      {Granularity::PerGroup, Granularity::PerChannel, Granularity::PerTensor});
    granularity.write = [write = granularity.write](QatBlock& b, const QString& chosen) {
        write(b, chosen);
        if (b.weight && b.weight->granularity != Granularity::PerGroup) b.weight->groupSize = QuantBlock{}.groupSize;
    };
    granularity.disabledReason = [](const QatBlock& b) { return weightOnly(b, "int4 with real zero points has groups"); };
    out.push_back(std::move(granularity));
    SchemeField indivisible{
        word("onIndivisible"),
        say("If it does not divide"),
        say("What happens to layers whose width is no multiple of the group size"),
        {{word("skip"), say("leave the layer out"), {}}, {word("error"), say("refuse the scheme"), {}}},
        [](const QatBlock& b) { return b.modules.onIndivisible == records::OnIndivisible::Skip ? word("skip") : word("error"); },
        [](QatBlock& b, const QString& chosen) {
            b.modules.onIndivisible = chosen == QLatin1String("skip") ? records::OnIndivisible::Skip : records::OnIndivisible::Error;
        },
        {}};
    out.push_back(std::move(indivisible));
    SchemeField mapping =
        blockField<Mapping>("mappingType", say("Mapping"), say("Where zero lies in the grid"),
                            {{word("symmetric"), say("symmetric"), say("scale from the largest magnitude, divisor (qmax − qmin)/2")},
                             {word("asymmetric"), say("asymmetric"), say("minimum to maximum, with a zero point")},
                             {word("symmetric_no_clip"), say("symmetric, nothing clipped"), say("wide enough for both ends")}},
                            &QatBlock::weight, &QuantBlock::mapping, {Mapping::Symmetric, Mapping::Asymmetric, Mapping::SymmetricNoClip});
    mapping.disabledReason = [](const QatBlock& b) { return weightOnly(b, "int4 with real zero points is asymmetric"); };
    out.push_back(std::move(mapping));
    SchemeField domain = blockField<ZeroDomain>("zeroPointDomain", say("Zero point"), say("How the zero point is stored"),
                                                {{word("int"), say("integer"), {}}, {word("float"), say("real (tinygemm)"), {}}},
                                                &QatBlock::weight, &QuantBlock::zeroDomain, {ZeroDomain::Int, ZeroDomain::Float});
    domain.disabledReason = [](const QatBlock& b) {
        if (b.weight && b.weight->format == Format::Int8) return say("int8 has an integer zero point");
        return weightOnly(b, "int4 with real zero points has no other");
    };
    out.push_back(std::move(domain));
    SchemeField scale = blockField<ScaleDtype>("scaleDtype", say("Scale stored as"), say("Counted in bits per weight"),
                                               {{word("float32"), word("float32"), {}},
                                                {word("bfloat16"), word("bfloat16"), {}},
                                                {word("float16"), word("float16"), {}},
                                                {word("input"), say("as the weights"), {}}},
                                               &QatBlock::weight, &QuantBlock::scaleDtype,
                                               {ScaleDtype::Float32, ScaleDtype::BFloat16, ScaleDtype::Float16, ScaleDtype::Input});
    scale.disabledReason = [](const QatBlock& b) {
        if (b.weight && b.weight->format == Format::Int8) return say("int8 keeps its scales in float32");
        return weightOnly(b, "int4 with real zero points keeps its scales in float32");
    };
    out.push_back(std::move(scale));
    return out;
}

std::vector<SchemeField> activationFields() {
    SchemeField type{word("actDtype"),
                     say("Activations"),
                     say("Rounded while the model runs; off: left alone"),
                     {{word("off"), say("off"), {}}},
                     [](const QatBlock& b) { return b.activation ? QStringLiteral("int%1").arg(b.activation->bits) : word("off"); },
                     [](QatBlock& b, const QString& chosen) {
                         if (chosen == QLatin1String("off")) return b.activation.reset();
                         if (!b.activation) {
                             b.activation = QuantBlock{};
                             b.activation->granularity = Granularity::PerToken;
                             b.activation->mapping = Mapping::Asymmetric;
                         }
                         b.activation->bits = chosen.mid(3).toInt();
                         if (b.activation->bits != 8) b.activation->format = Format::Intx, b.activation->mapping = Mapping::Asymmetric;
                     },
                     {}};
    for (int bits = 8; bits >= 2; --bits)
        type.choices.push_back({QStringLiteral("int%1").arg(bits), QStringLiteral("int%1").arg(bits), {}});
    const auto off = [](const QatBlock& b) { return b.activation ? QString() : say("activations are off"); };
    SchemeField granularity =
        blockField<Granularity>("actGranularity", say("Granularity"), say("What shares one scale"),
                                {{word("per_token"), say("token"), {}}, {word("per_tensor"), say("whole tensor"), {}}},
                                &QatBlock::activation, &QuantBlock::granularity, {Granularity::PerToken, Granularity::PerTensor});
    granularity.disabledReason = off;
    SchemeField mapping{word("actMapping"),
                        say("Mapping"),
                        say("Symmetric int8 activations follow torchao's Int8Tensor"),
                        {{word("asymmetric"), say("asymmetric"), {}}, {word("symmetric"), say("symmetric (int8)"), {}}},
                        [](const QatBlock& b) {
                            if (!b.activation) return QString();
                            return b.activation->mapping == Mapping::Asymmetric ? word("asymmetric") : word("symmetric");
                        },
                        [](QatBlock& b, const QString& chosen) {
                            if (!b.activation) return;
                            const bool symmetric = chosen == QLatin1String("symmetric");
                            if (symmetric == (b.activation->mapping != Mapping::Asymmetric)) return; // its eps stays
                            b.activation->mapping = symmetric ? Mapping::Symmetric : Mapping::Asymmetric;
                            b.activation->format = symmetric ? Format::Int8 : Format::Intx;
                            b.activation->eps.reset();
                            if (symmetric) b.activation->scaleDtype = ScaleDtype::Float32;
                        },
                        [](const QatBlock& b) {
                            if (!b.activation) return say("activations are off");
                            return b.activation->bits == 8 ? QString() : say("only int8 activations can be symmetric");
                        }};
    return {std::move(type), std::move(granularity), std::move(mapping)};
}

std::vector<SchemeField> layerFields() {
    struct Table {
        const char* word;
        int bits;
        int64_t group; // 0: per row
    };
    static constexpr Table tables[] = {{"int8", 8, 0}, {"int8_g32", 8, 32}, {"int4_g32", 4, 32}, {"int4_g256", 4, 256}};
    const auto blockOf = [](const Table& t) {
        QuantBlock b;
        b.bits = t.bits;
        b.granularity = t.group ? Granularity::PerGroup : Granularity::PerChannel;
        if (t.group) b.groupSize = t.group;
        return b;
    };
    SchemeField embedding{word("embeddingScheme"),
                          say("Embedding"),
                          say("The table of tokens; off by default"),
                          {{word("off"), say("off"), {}},
                           {word("int8"), say("int8 per row"), {}},
                           {word("int8_g32"), say("int8, groups of 32"), {}},
                           {word("int4_g32"), say("int4, groups of 32"), {}},
                           {word("int4_g256"), say("int4, groups of 256"), {}}},
                          [blockOf](const QatBlock& b) {
                              if (!b.embedding) return word("off");
                              for (const Table& t : tables)
                                  if (blockOf(t) == *b.embedding) return word(t.word);
                              return QString(); // written by hand
                          },
                          [blockOf](QatBlock& b, const QString& chosen) {
                              b.embedding.reset();
                              for (const Table& t : tables)
                                  if (chosen == QLatin1String(t.word)) b.embedding = blockOf(t);
                          },
                          {}};
    SchemeField head{word("headScheme"),
                     say("Output head"),
                     say("lm_head, the last linear layer; off by default"),
                     {{word("off"), say("off"), {}}, {word("weights"), say("like the other layers"), {}}},
                     [](const QatBlock& b) { return b.modules.lmHead ? word("weights") : word("off"); },
                     [](QatBlock& b, const QString& chosen) { b.modules.lmHead = chosen == QLatin1String("weights"); },
                     {}};
    return {std::move(embedding), std::move(head)};
}

std::vector<SchemeField> trainingFields() {
    return {{word("steMode"),
             say("Gradient"),
             say("How the gradient passes the rounding"),
             {{word("clipped"), say("stops outside of the grid"), say("straight-through inside, zero where a value was clipped")},
              {word("identity"), say("passes everywhere"), say("straight-through for every value")}},
             [](const QatBlock& b) { return b.ste == records::Ste::Clipped ? word("clipped") : word("identity"); },
             [](QatBlock& b, const QString& chosen) {
                 b.ste = chosen == QLatin1String("clipped") ? records::Ste::Clipped : records::Ste::Identity;
             },
             {}}};
}

} // namespace

std::vector<SchemeField> schemeFields(SchemeSection section) {
    switch (section) {
    case SchemeSection::Weight:
        return weightFields();
    case SchemeSection::Activation:
        return activationFields();
    case SchemeSection::Layers:
        return layerFields();
    case SchemeSection::Training:
        return trainingFields();
    }
    return {};
}

std::vector<int64_t> groupSizes(int64_t widest, int64_t own) {
    std::vector<int64_t> out;
    for (int64_t size = 8; size <= std::max<int64_t>(widest, 32); size *= 2) out.push_back(size);
    if (own > 0 && std::ranges::find(out, own) == out.end()) out.insert(std::ranges::upper_bound(out, own), own);
    return out;
}

} // namespace qw::ui
