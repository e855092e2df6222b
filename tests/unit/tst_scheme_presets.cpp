// SPDX-License-Identifier: GPL-3.0-or-later
// What: the built-in schemes against quantization.md 5 and recipe.md 3, and edits of them.
#include "config/presets.h"
#include "config/recipe_file.h"
#include "numerics/fake_quant.h"
#include "test_data.h"

using namespace qw;
using namespace qw::records;

namespace {

// A block in a few words, written by hand in the rows below.
std::string words(const std::optional<QuantBlock>& b) {
    if (!b) return "-";
    static const char* formats[] = {"intx", "int4_zp", "int8"};
    static const char* grains[] = {"tensor", "channel", "g", "token"};
    static const char* mappings[] = {"sym", "asym", "noclip"};
    static const char* scales[] = {"f32", "bf16", "f16", "input"};
    static const char* zeros[] = {"int", "float", "none"};
    std::string text = std::string(formats[int(b->format)]) + " " + (b->isSigned ? "int" : "uint") + std::to_string(b->bits) + " " +
                       grains[int(b->granularity)];
    if (b->granularity == Granularity::PerGroup) text += std::to_string(b->groupSize);
    text += std::string(" ") + mappings[int(b->mapping)] + " " + scales[int(b->scaleDtype)] + " " + zeros[int(b->zeroDomain)];
    if (b->eps) text += *b->eps == 0x1p-23 ? " eps2^-23" : " eps" + std::to_string(*b->eps);
    return text;
}

} // namespace

class SchemePresetsTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void blocks_data() {
        QTest::addColumn<QString>("weight");
        QTest::addColumn<QString>("activation");
        const auto row = [](const char* name, const char* weight, const char* activation) {
            QTest::newRow(name) << QString::fromLatin1(weight) << QString::fromLatin1(activation);
        };
        row("8da4w", "intx int4 g32 sym f32 int", "intx int8 token asym f32 int eps2^-23");
        row("int8_intx", "intx int8 g32 sym input int", "intx int8 token asym input int");
        row("intx_weight_only", "intx int8 channel sym input int", "-");
        row("int4_weight_only", "int4_zp uint4 g128 asym f32 float", "-");
        row("4w_tinygemm", "intx uint4 g256 asym bf16 float", "-");
        row("8da8w", "intx int8 g32 sym f32 int", "intx int8 token asym f32 int");
        row("4da4w", "intx int4 g32 sym f32 int", "intx int4 token asym f32 int");
        row("int8_weight_only", "int8 int8 channel sym f32 int", "-");
        row("int8_int8", "int8 int8 channel sym f32 int", "int8 int8 token sym f32 int");
    }
    void blocks() {
        QFETCH(QString, weight);
        QFETCH(QString, activation);
        const auto preset = config::schemePreset(QTest::currentDataTag());
        QVERIFY(preset.ok());
        QCOMPARE(QString::fromStdString(words(preset->weight)), weight);
        QCOMPARE(QString::fromStdString(words(preset->activation)), activation);
        QVERIFY(!preset->embedding && preset->ste == Ste::Clipped && !preset->modules.lmHead);
    }
    void allAreListed() {
        QCOMPARE(config::schemePresets().size(), size_t(9));
        for (const auto& preset : config::schemePresets())
            QVERIFY(config::schemePreset(preset.name).ok() && std::string(preset.summary).size() > 10);
    }

    // What a preset says, the kernels can do.
    void kernelsAcceptEveryPreset() {
        for (const auto& preset : config::schemePresets()) {
            const QatBlock block = *config::schemePreset(preset.name);
            for (const DType type : {DType::F32, DType::BF16}) {
                QVERIFY(numerics::resolveGrid(*block.weight, Role::Weight, type, 8, 512).ok());
                if (block.activation) QVERIFY(numerics::resolveGrid(*block.activation, Role::Activation, type, 8, 512).ok());
            }
        }
    }

    void unknownNames() {
        const auto mistyped = config::schemePreset("8da4v");
        QVERIFY(!mistyped && mistyped.error().message.find("did you mean '8da4w'") != std::string::npos);
        const auto other = config::schemePreset("nvfp4");
        QVERIFY(!other && other.error().message.find("not supported") != std::string::npos);
    }

    void sets_data() {
        QTest::addColumn<QString>("preset");
        QTest::addColumn<QStringList>("sets");
        QTest::addColumn<QString>("want"); // weight words, or the beginning of the error
        const auto row = [](const char* name, const char* preset, const QStringList& sets, const char* want) {
            QTest::newRow(name) << QString::fromLatin1(preset) << sets << QString::fromLatin1(want);
        };
        const auto s = [](const char* text) { return QString::fromLatin1(text); };
        row("a group size makes a per-channel block grouped", "intx_weight_only", {s("weight.group_size=64")},
            "intx int8 g64 sym input int");
        row("bits", "intx_weight_only", {s("weight.dtype=int3")}, "intx int3 channel sym input int");
        row("per channel takes the group away", "8da4w", {s("weight.granularity=per_channel")}, "intx int4 channel sym f32 int");
        row("qat. may be written", "8da4w", {s("qat.weight.group_size=128")}, "intx int4 g128 sym f32 int");
        row("several, any order", "8da4w", {s("weight.scale_dtype=bfloat16"), s("weight.group_size=256")}, "intx int4 g256 sym bf16 int");
        row("a block of one's own, dtype last", "int8_intx", {s("weight=null"), s("embedding.group_size=32"), s("embedding.dtype=int4")},
            "-");
        row("asymmetric weights", "8da4w", {s("weight.mapping=asymmetric")}, "intx int4 g32 asym f32 int");
        row("int1", "8da4w", {s("weight.dtype=int1")}, "error: --set: weight.dtype: 'int1' is not supported");
        row("unsigned and symmetric", "8da4w", {s("weight.dtype=uint4")}, "error: --set: weight.dtype: an unsigned type needs");
        row("both words of one thing", "8da4w", {s("weight={group_size: 32, granularity: per_channel}")},
            "error: --set: weight.group_size: conflicts");
        row("unknown key", "8da4w", {s("weight.groupsize=3")}, "error: --set: weight.groupsize: unknown key; did you mean 'group_size'?");
        row("not a number", "8da4w", {s("weight.group_size=many")}, "error: --set: weight.group_size: must be a whole number, not 'many'");
        row("learned scales", "8da4w", {s("weight.scale_update=learned")}, "error: --set: weight.scale_update: 'learned' is not supported");
        row("eps of nothing", "8da4w", {s("weight.eps=0")}, "error: --set: weight.format: eps must be a positive number");
        row("reduced range elsewhere", "8da4w", {s("weight.reduce_range=true")},
            "error: --set: weight.format: reduce_range belongs to format int8");
        row("no value", "8da4w", {s("weight.group_size")}, "error: --set weight.group_size: this is not key.path=value");
    }
    void sets() {
        QFETCH(QString, preset);
        QFETCH(QStringList, sets);
        QFETCH(QString, want);
        QatBlock block = *config::schemePreset(preset.toStdString());
        std::vector<std::string> all;
        for (const QString& one : sets) all.push_back(one.toStdString());
        const QatBlock before = block;
        const auto status = config::applySets(block, all);
        const QString got = status ? QString::fromStdString(words(block.weight))
                                   : QStringLiteral("error: ") + QString::fromStdString(status.error().message);
        QVERIFY2(want.startsWith(QLatin1String("error")) ? got.startsWith(want) : got == want, qPrintable(got));
        if (!status) QVERIFY(block == before); // nothing half applied
    }
    void embeddingBesideNothing() {
        QatBlock block;
        QVERIFY(config::applySets(block, {"embedding.group_size=32", "embedding.dtype=int4"}).ok());
        QCOMPARE(QString::fromStdString(words(block.embedding)), QStringLiteral("intx int4 g32 sym f32 int"));
        QVERIFY(!block.weight && !block.activation);
    }
};

QTEST_GUILESS_MAIN(SchemePresetsTest)
#include "tst_scheme_presets.moc"
