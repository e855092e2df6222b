// SPDX-License-Identifier: GPL-3.0-or-later
// What: the native folder: every family comes back, damage is found and named.
#include "folder_fixture.h"

using namespace qw;
using namespace qw::test;

class ExportTest : public QObject, protected ExportWorld {
    Q_OBJECT
private Q_SLOTS:
    void families_data() {
        QTest::addColumn<QuantBlock>("weight");
        QTest::addColumn<QString>("codes"); // dtype and columns of a [64,64] matrix
        using G = Granularity;
        using M = Mapping;
        using S = ScaleDtype;
        using Z = ZeroDomain;
        for (int bits = 2; bits <= 8; ++bits)
            QTest::newRow(qPrintable(QStringLiteral("2.1 int%1 g32").arg(bits)))
                << block(bits, true, G::PerGroup, 32, M::Symmetric)
                << QStringLiteral("%1 %2").arg(bits < 8 ? QStringLiteral("U8") : QStringLiteral("I8")).arg(8 * bits);
        QTest::newRow("2.1 int4 per channel, scale as input")
            << block(4, true, G::PerChannel, 32, M::Symmetric, S::Input) << QStringLiteral("U8 32");
        QTest::newRow("2.1 int3 no clipping, bf16 scale")
            << block(3, true, G::PerGroup, 32, M::SymmetricNoClip, S::BFloat16) << QStringLiteral("U8 24");
        QTest::newRow("2.1 int8 per tensor") << block(8, true, G::PerTensor, 32, M::Symmetric) << QStringLiteral("I8 64");
        QTest::newRow("2.3 int4 asymmetric") << block(4, true, G::PerGroup, 32, M::Asymmetric) << QStringLiteral("U8 32");
        QTest::newRow("2.3 uint4 asymmetric") << block(4, false, G::PerGroup, 32, M::Asymmetric) << QStringLiteral("U8 32");
        QTest::newRow("2.3 uint8 asymmetric") << block(8, false, G::PerGroup, 32, M::Asymmetric) << QStringLiteral("U8 64");
        QTest::newRow("2.3 int5 asymmetric per channel")
            << block(5, true, G::PerChannel, 32, M::Asymmetric, S::Input) << QStringLiteral("U8 40");
        QTest::newRow("2.4 tinygemm") << block(4, false, G::PerGroup, 32, M::Asymmetric, S::BFloat16, Z::Float) << QStringLiteral("U8 32");
        QTest::newRow("2.5 int4-zp") << block(4, true, G::PerGroup, 32, M::Asymmetric, S::Float32, Z::Float, Format::Int4Zp)
                                     << QStringLiteral("U8 32");
        QTest::newRow("2.7 int8 per row") << block(8, true, G::PerChannel, 32, M::Symmetric, S::Float32, Z::Int, Format::Int8)
                                          << QStringLiteral("I8 64");
    }
    void families() {
        QFETCH(QuantBlock, weight);
        QFETCH(QString, codes);
        for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
            const model::Decoder decoder = load(source("llama", true), model::toTorch(type));
            for (const char* method : {"rtn", "mse"}) {
                const auto plan = quant::plan(decoder, weightOnly(weight));
                OK(plan);
                const fs::path out = fresh();
                const auto written = exporter::writeNative(decoder, *plan, type, method, source("llama", true), out, false);
                OK(written);
                const auto back = checkpoint::Checkpoint::open(out);
                OK(back);
                QVERIFY(back->isQuantized());
                QCOMPARE(back->dtype(), type);
                QCOMPARE(back->quantizedModules().size(), size_t{14});
                QCOMPARE(back->bytes(), written->bytes);
                QVERIFY(back->quantizedModules().front().block == weight);
                const auto* stored = back->find("model.layers.0.self_attn.q_proj.weight.codes");
                QCOMPARE(QStringLiteral("%1 %2").arg(QString::fromStdString(stored->dtype)).arg(stored->shape[1]), codes);
                // The decoder that is loaded from the codes has the bits of the fake-quantized weight.
                const model::Decoder again = load(out, model::toTorch(type));
                for (size_t i = 0; i < decoder.parameters().size(); ++i) {
                    const model::Parameter& p = decoder.parameters()[i];
                    at::Tensor want = p.tensor.clone();
                    if (p.role == checkpoint::TensorRole::Linear) {
                        const auto grid = numerics::resolveGrid(weight, Role::Weight, type, want.size(0), want.size(1));
                        OK(grid);
                        numerics::Outputs y;
                        y.y = want.mutable_data_ptr();
                        if (std::string(method) == "mse")
                            numerics::rangeSearchQuantize(*grid, {}, p.tensor.const_data_ptr(), y, serial());
                        else
                            numerics::fakeQuantizeReference(*grid, p.tensor.const_data_ptr(), y);
                    }
                    QCOMPARE(again.parameters()[i].name, p.name);
                    QVERIFY2(std::memcmp(again.parameters()[i].tensor.const_data_ptr(), want.const_data_ptr(), want.nbytes()) == 0,
                             p.name.c_str());
                }
            }
        }
    }

    void codesComeBackUnpacked() {
        const model::Decoder decoder = load(source("qwen3", false));
        const auto plan = quant::plan(decoder, weightOnly(block(3, true, Granularity::PerGroup, 32, Mapping::Asymmetric)));
        OK(plan);
        const fs::path out = fresh();
        OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("qwen3", false), out, false));
        const auto back = checkpoint::Checkpoint::open(out);
        OK(back);
        QCOMPARE(back->find("model.layers.0.self_attn.q_proj.weight.zero")->dtype, std::string("I8"));
        for (const checkpoint::QuantizedModule& m : back->quantizedModules()) {
            const auto index = std::ranges::find(decoder.modules(), m.name, &model::Module::name) - decoder.modules().begin();
            const auto converted = quant::convert(decoder, *plan, static_cast<int>(index), DType::F32, "rtn");
            std::vector<int8_t> codes(static_cast<size_t>(m.rows * m.cols));
            std::vector<float> scale(codes.size() / 32);
            std::vector<int32_t> zero(scale.size());
            OK(back->readCodes(m, codes.data(), scale.data(), zero.data()));
            QCOMPARE(std::memcmp(codes.data(), converted.codes.const_data_ptr(), codes.size()), 0);
            QCOMPARE(std::memcmp(scale.data(), converted.scale.const_data_ptr(), scale.size() * 4), 0);
            QCOMPARE(std::memcmp(zero.data(), converted.zero.const_data_ptr(), zero.size() * 4), 0);
        }
    }

    void schemeIsKept() {
        const model::Decoder decoder = load(source("llama", true));
        QatBlock block = weightOnly(int4());
        block.preset = "8da4w";
        block.activation = ::block(8, true, Granularity::PerToken, 32, Mapping::Asymmetric);
        block.activation->eps = 1.1920929e-07;
        block.modules.exclude = {"*.down_proj"};
        const auto plan = quant::plan(decoder, block);
        OK(plan);
        const fs::path out = fresh();
        OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("llama", true), out, false));
        const auto back = checkpoint::Checkpoint::open(out);
        OK(back);
        QCOMPARE(back->quantizedModules().size(), size_t{12});
        QCOMPARE(back->schemes().size(), size_t{1});
        QVERIFY(back->schemes().front() == block);
    }

    void skippedLayersAreNamed() {
        const model::Decoder decoder = load(source("llama", true));
        const auto plan = quant::plan(decoder, weightOnly(block(4, true, Granularity::PerGroup, 64, Mapping::Symmetric))); // 96 columns: no
        OK(plan);
        const fs::path out = fresh();
        OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("llama", true), out, false));
        const auto back = checkpoint::Checkpoint::open(out);
        OK(back);
        QCOMPARE(back->skipped().size(), size_t{2});
        QCOMPARE(back->skipped().front().first, std::string("model.layers.0.mlp.down_proj"));
    }

    // Quantizing one side of a tied pair unties it.
    void tiedSides() {
        const model::Decoder decoder = load(source("llama", true));
        QatBlock embedding;
        embedding.embedding = int4();
        QatBlock head = weightOnly(int4());
        head.modules.lmHead = true;
        QatBlock both = head;
        both.embedding = block(8, true, Granularity::PerChannel, 32, Mapping::Symmetric);
        for (const QatBlock& scheme : {embedding, head, both}) {
            const auto plan = quant::plan(decoder, scheme);
            OK(plan);
            const fs::path out = fresh();
            OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("llama", true), out, false));
            const auto back = checkpoint::Checkpoint::open(out);
            OK(back);
            QVERIFY(!back->tied());
            QVERIFY(!back->config().tied);
            OK(exporter::verifyFolder(decoder, &*plan, DType::F32, "rtn", out));
        }
    }

    void damageIsFoundAndNamed() {
        const model::Decoder decoder = load(source("llama", true));
        const auto plan = quant::plan(decoder, weightOnly(int4()));
        OK(plan);
        const fs::path out = fresh();
        OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("llama", true), out, false));
        OK(exporter::verifyFolder(decoder, &*plan, DType::F32, "rtn", out));
        const auto damaged = [&](const std::string& tensor, uint64_t at, unsigned char bits) {
            flip(out, tensor, at, bits);
            const Status status = exporter::verifyFolder(decoder, &*plan, DType::F32, "rtn", out);
            flip(out, tensor, at, bits);
            return status.ok() ? Error{"", "not noticed", "", "", false} : status.error();
        };
        const Error nibble = damaged("model.layers.1.mlp.up_proj.weight.codes", 77, 0x10);
        QCOMPARE(nibble.code, std::string("file.corrupt"));
        QVERIFY2(nibble.message.find("model.layers.1.mlp.up_proj.weight") != std::string::npos, nibble.message.c_str());
        QVERIFY2(nibble.message.find("1 values, first at element 155") != std::string::npos,
                 nibble.message.c_str()); // byte 77, high nibble
        const Error scale = damaged("model.layers.0.self_attn.v_proj.weight.scale", 0, 1);
        QVERIFY2(scale.message.find("model.layers.0.self_attn.v_proj.weight") != std::string::npos, scale.message.c_str());
        const Error norm = damaged("model.norm.weight", 4, 1);
        QVERIFY2(norm.message.find("model.norm.weight") != std::string::npos, norm.message.c_str());
        OK(exporter::verifyFolder(decoder, &*plan, DType::F32, "rtn", out));
    }

    void equalInputGivesEqualBytes() {
        const model::Decoder decoder = load(source("mistral", false));
        const auto plan = quant::plan(decoder, weightOnly(block(4, true, Granularity::PerGroup, 32, Mapping::Asymmetric)));
        OK(plan);
        const fs::path a = fresh(), b = fresh();
        const auto first = exporter::writeNative(decoder, *plan, DType::BF16, "rtn", source("mistral", false), a, false);
        const auto second = exporter::writeNative(decoder, *plan, DType::BF16, "rtn", source("mistral", false), b, false);
        OK(first);
        OK(second);
        QCOMPARE(first->hash, second->hash);
        QVERIFY(filesOf(a) == filesOf(b));
    }
};

QTEST_GUILESS_MAIN(ExportTest)
#include "tst_export.moc"
