// SPDX-License-Identifier: GPL-3.0-or-later
// What: the window's preview of a real model is the engine's: the codes of convert bit for bit, the telemetry's SQNR.
#include "checkpoint/weight_preview.h"
#include "config/presets.h"
#include "model/decoder.h"
#include "quant/quantizer.h"
#include "test_data.h"

#include <cmath>
#include <cstring>

using namespace qw;

class SchemePreviewTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void equalsTheEngine_data() {
        QTest::addColumn<QString>("preset");
        QTest::addColumn<int>("type");
        for (const auto& preset : config::schemePresets())
            for (const auto type : {records::DType::F32, records::DType::BF16})
                QTest::addRow("%s %d", preset.name, int(type)) << QString::fromLatin1(preset.name) << int(type);
    }
    void equalsTheEngine() {
        QFETCH(QString, preset);
        QFETCH(int, type);
        const auto exported = static_cast<records::DType>(type);
        const auto dir = std::filesystem::path(QW_SOURCE_DIR) / "resources/sample/model";
        const auto files = checkpoint::Checkpoint::open(dir);
        QVERIFY(files);
        const auto decoder = model::Decoder::load(*files, at::kFloat, at::kCPU);
        QVERIFY(decoder);
        records::QatBlock block = *config::schemePreset(preset.toStdString());
        if (block.weight->granularity == records::Granularity::PerGroup) block.weight->groupSize = 32;
        const auto plan = quant::plan(*decoder, block, exported);
        const auto light = checkpoint::planModules(block, checkpoint::matricesOf(files->config(), files->tied()), exported);
        QVERIFY(plan && light);
        QCOMPARE(plan->layers.size(), light->layers.size());
        QCOMPARE(plan->bitsPerWeight, light->bitsPerWeight);
        auto source = checkpoint::WeightSource::open(dir);
        QVERIFY(source);
        quant::Quantizer quantizer(*decoder, *plan, exported);
        const std::atomic<bool> goOn{false};
        size_t compared = 0;
        for (const auto& matrix : checkpoint::matricesOf(files->config(), files->tied())) {
            int module = -1;
            for (const int m : plan->weightModules)
                if (decoder->modules()[size_t(m)].name == matrix.name) module = m;
            if (module < 0) continue;
            const auto converted = quant::convert(*decoder, *plan, module, exported, "rtn");
            std::vector<int8_t> codes;
            const auto preview =
                checkpoint::previewLayer(*source, {matrix, *block.weight, exported, 0}, goOn, [&](const checkpoint::QuantizedRows& rows) {
                    codes.insert(codes.end(), rows.codes, rows.codes + rows.count * matrix.cols);
                });
            QVERIFY(preview && preview->exact());
            QCOMPARE(int64_t(codes.size()), converted.codes.numel());
            QCOMPARE(std::memcmp(codes.data(), converted.codes.const_data_ptr<int8_t>(), codes.size()), 0);
            const double engine = quantizer.telemetry(module).wSqnrDb, mine = preview->stats.sqnrDb();
            QVERIFY2(std::abs(mine - engine) <= 1e-6 * std::abs(engine),
                     qPrintable(QStringLiteral("%1 %2").arg(mine, 0, 'g', 12).arg(engine, 0, 'g', 12)));
            ++compared;
        }
        QCOMPARE(compared, size_t{21});
    }
};

QTEST_GUILESS_MAIN(SchemePreviewTest)
#include "tst_scheme_preview.moc"
