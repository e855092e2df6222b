// SPDX-License-Identifier: GPL-3.0-or-later
// What: weights read a few rows at a time are those of the whole, from every format; one scale for a whole matrix leaves in every format.
#include "checkpoint/checkpoint.h"
#include "formats/format.h"
#include "quantized_model.h"
#include "tokenizer_files.h"

using namespace qw;
using checkpoint::RowRange;
namespace fs = std::filesystem;

#define OK(expression)                                                                                                                     \
    do {                                                                                                                                   \
        const auto& checked = (expression);                                                                                                \
        QVERIFY2(checked.ok(), checked.ok() ? "" : checked.error().message.c_str());                                                       \
    } while (false)

namespace {

records::QatBlock scheme(int bits, records::Granularity granularity, records::Mapping mapping) {
    records::QatBlock block;
    block.weight = records::QuantBlock{};
    block.weight->bits = bits;
    block.weight->groupSize = 32;
    block.weight->mapping = mapping;
    block.weight->granularity = granularity;
    block.weight->scaleDtype = records::ScaleDtype::Input;
    return block;
}

const formats::Format& format(const QString& name) { return **formats::findFormat(name.toStdString()); }
bool always(uint64_t, uint64_t) { return true; }
const RowRange kSome[] = {{0, 1}, {0, 16}, {1, 2}, {3, 11}, {7, 9}, {15, 1}, {5, 27}};

} // namespace

class RowBlocksTest : public QObject {
    Q_OBJECT
    test::TempDir m_temp;
    int m_count = 0;
    fs::path source(const records::QatBlock& block) {
        const fs::path dir = m_temp.path() / std::to_string(++m_count);
        fs::create_directories(dir);
        if (const auto written = test::writeQuantized(dir, block); !written) qFatal("%s", written.error().message.c_str());
        auto tokenizer = test::worked(false);
        tokenizer["added_tokens"] = {test::added("</s>", {"special"})};
        test::writeText(dir / "tokenizer.json", tokenizer.dump());
        test::writeText(dir / "tokenizer_config.json", "{\"eos_token\": \"</s>\"}");
        return dir;
    }

    static void schemesAndFormats() {
        QTest::addColumn<int>("bits");
        QTest::addColumn<bool>("asymmetric");
        QTest::addColumn<QString>("name");
        for (const char* name : {"native", "compressed-tensors", "gguf", "gptq", "hf"})
            QTest::addRow("%s int4", name) << 4 << false << QString::fromLatin1(name);
        for (const char* name : {"native", "compressed-tensors", "gguf"})
            QTest::addRow("%s int4 zero points", name) << 4 << true << QString::fromLatin1(name);
        QTest::addRow("gguf int8") << 8 << false << QStringLiteral("gguf");
    }

private Q_SLOTS:
    void blocksCoverAllRowsOnce() {
        for (const auto& [rows, width] : {std::pair<int64_t, int64_t>{0, 4}, {1, 1 << 30}, {1000, 1 << 20}, {1 << 20, 3}}) {
            int64_t next = 0;
            OK(checkpoint::forRowBlocks(rows, width, [&](RowRange some) -> Status {
                if (some.first != next || some.count < 1) return Error{"engine.internal", "a gap", "", "", false};
                if (some.count > 1 && some.count * width > int64_t{8} << 20) return Error{"engine.internal", "too large", "", "", false};
                next += some.count;
                return {};
            }));
            QCOMPARE(next, rows);
        }
    }

    void someRowsAreThoseOfTheWhole_data() {
        schemesAndFormats();
        for (const char* name : {"native", "compressed-tensors"})
            QTest::addRow("%s int3 zero points", name) << 3 << true << QString::fromLatin1(name);
    }
    void someRowsAreThoseOfTheWhole() {
        QFETCH(int, bits);
        QFETCH(bool, asymmetric);
        QFETCH(QString, name);
        const auto mapping = asymmetric ? records::Mapping::Asymmetric : records::Mapping::Symmetric;
        const fs::path dir = source(scheme(bits, records::Granularity::PerGroup, mapping)), out = dir / "out";
        const auto from = checkpoint::Checkpoint::open(dir);
        OK(from);
        OK(formats::exportModel(format(name), *from, {out}, always, test::equalLogits));
        const auto model = checkpoint::Checkpoint::open(out);
        OK(model);
        for (const auto& tensor : model->tensors()) {
            int64_t row = 1;
            for (size_t d = 1; d < tensor.shape.size(); ++d) row *= tensor.shape[d];
            std::vector<float> whole(static_cast<size_t>(tensor.shape.front() * row)), part(whole.size());
            OK(model->readAs(tensor.name, records::DType::F32, whole.data()));
            for (const RowRange some : kSome) {
                OK(model->readRows(tensor.name, records::DType::F32, some, part.data()));
                QVERIFY2(std::equal(part.begin(), part.begin() + some.count * row, whole.begin() + some.first * row), tensor.name.c_str());
            }
        }
        for (const auto& m : model->quantizedModules()) {
            const int64_t groups = m.grid.groupsPerRow();
            std::vector<int8_t> codes(static_cast<size_t>(m.rows * m.cols)), someCodes(codes.size());
            std::vector<int32_t> scale(static_cast<size_t>(m.groups())), zero(scale.size()), someScale(scale.size()),
                someZero(scale.size());
            OK(model->readCodes(m, codes.data(), scale.data(), zero.data()));
            const int64_t width = numerics::sizeOf(m.grid.scaleType);
            for (const RowRange some : kSome) {
                OK(model->readCodes(m, some, someCodes.data(), someScale.data(), someZero.data()));
                QVERIFY2(std::equal(someCodes.begin(), someCodes.begin() + some.count * m.cols, codes.begin() + some.first * m.cols),
                         m.name.c_str());
                QVERIFY2(std::memcmp(someScale.data(), reinterpret_cast<const char*>(scale.data()) + some.first * groups * width,
                                     static_cast<size_t>(some.count * groups * width)) == 0,
                         m.name.c_str());
                if (m.grid.hasZero())
                    QVERIFY2(std::equal(someZero.begin(), someZero.begin() + some.count * groups, zero.begin() + some.first * groups),
                             m.name.c_str());
            }
        }
    }

    void oneScaleForTheMatrix_data() { schemesAndFormats(); }
    void oneScaleForTheMatrix() {
        QFETCH(int, bits);
        QFETCH(bool, asymmetric);
        QFETCH(QString, name);
        const auto mapping = asymmetric ? records::Mapping::Asymmetric : records::Mapping::Symmetric;
        const fs::path dir = source(scheme(bits, records::Granularity::PerTensor, mapping)), out = dir / "out";
        const auto from = checkpoint::Checkpoint::open(dir);
        OK(from);
        QVERIFY(from->quantizedModules().front().oneScale());
        const auto done = formats::exportModel(format(name), *from, {out}, always, test::equalLogits);
        OK(done);
        QVERIFY(done->sheet.different <= done->verdict.inexact);
        if (done->verdict.fidelity == formats::Fidelity::Exact) QCOMPARE(done->sheet.equal, done->sheet.tensors);
    }
};

QTEST_GUILESS_MAIN(RowBlocksTest)
#include "tst_row_blocks.moc"
