// SPDX-License-Identifier: GPL-3.0-or-later
// What: weights read in pieces, previews against the kernels on the whole matrix, statistics, the plan's reasons, scheme entries.
#include "checkpoint/checkpoint.h"
#include "checkpoint/weight_preview.h"
#include "config/presets.h"
#include "config/recipe_file.h"
#include "config/scheme_entry.h"
#include "test_data.h"

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

using namespace qw;
using namespace qw::checkpoint;
using records::DType;
using records::QatBlock;
using records::QuantBlock;

namespace {

const std::atomic<bool> kGoOn{false};
std::filesystem::path sample() { return std::filesystem::path(QW_SOURCE_DIR) / "resources/sample/model"; }

QatBlock presetBlock(const char* name) { return config::schemePreset(name).ok() ? *config::schemePreset(name) : QatBlock{}; }

Matrix matrixNamed(const Checkpoint& model, const std::string& end) {
    for (const Matrix& m : matricesOf(model.config(), model.tied()))
        if (m.name.ends_with(end)) return m;
    return {};
}

} // namespace

class WeightPreviewTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void piecesAreTheWhole_data() {
        QTest::addColumn<int>("type");
        for (const DType t : {DType::F32, DType::BF16, DType::F16}) QTest::addRow("%d", int(t)) << int(t);
    }
    void piecesAreTheWhole() {
        QFETCH(int, type);
        const auto t = static_cast<DType>(type);
        auto source = WeightSource::open(sample());
        const auto model = Checkpoint::open(sample());
        QVERIFY(source && model);
        const auto size = static_cast<size_t>(numerics::sizeOf(t));
        const TensorInfo* info = model->find("model.layers.1.mlp.up_proj.weight");
        QVERIFY(info);
        std::vector<std::byte> whole(static_cast<size_t>(info->elements()) * size), part(777 * size);
        QVERIFY(model->readAs(info->name, t, whole.data()));
        QVERIFY(source->read(info->name, t, 4001, 777, part.data()));
        QCOMPARE(std::memcmp(part.data(), whole.data() + 4001 * size, part.size()), 0);
        QVERIFY(!source->read("no.such.weight", t, 0, 1, part.data()).ok());
        QVERIFY(!source->read(info->name, t, info->elements(), 1, part.data()).ok());
    }

    // Every family: codes, errors and counts of the preview are those of the kernels on the whole matrix at once.
    void exactIsTheKernels_data() {
        QTest::addColumn<QString>("preset");
        QTest::addColumn<int>("type");
        for (const auto& preset : config::schemePresets())
            for (const DType t : {DType::F32, DType::BF16})
                QTest::addRow("%s %d", preset.name, int(t)) << QString::fromLatin1(preset.name) << int(t);
    }
    void exactIsTheKernels() {
        QFETCH(QString, preset);
        QFETCH(int, type);
        const auto t = static_cast<DType>(type);
        QuantBlock block = *presetBlock(preset.toLatin1().constData()).weight;
        if (block.granularity == records::Granularity::PerGroup) block.groupSize = 32; // the sample's width is 64
        auto source = WeightSource::open(sample());
        const auto model = Checkpoint::open(sample());
        QVERIFY(source && model);
        const Matrix m = matrixNamed(*model, "0.mlp.down_proj");
        QVERIFY(m.rows > 0);
        const auto n = static_cast<size_t>(m.rows * m.cols);
        std::vector<std::byte> values(n * static_cast<size_t>(numerics::sizeOf(t)));
        QVERIFY(model->readAs(m.tensor, t, values.data()));
        const auto grid = numerics::resolveGrid(block, records::Role::Weight, t, m.rows, m.cols);
        QVERIFY(grid);
        std::vector<int8_t> codes(n), seen;
        numerics::Stats stats;
        numerics::Outputs out;
        out.codes = codes.data();
        out.stats = &stats;
        numerics::fakeQuantizeReference(*grid, values.data(), out);
        const auto preview = previewLayer(*source, {m, block, t, 0}, kGoOn, [&](const QuantizedRows& rows) {
            seen.insert(seen.end(), rows.codes, rows.codes + rows.count * m.cols);
        });
        QVERIFY(preview);
        QVERIFY(preview->exact());
        QCOMPARE(seen, codes);
        QCOMPARE(preview->stats.clipped, stats.clipped);
        QVERIFY(std::abs(preview->stats.sqnrDb() - stats.sqnrDb()) <= 1e-6 * std::abs(stats.sqnrDb()));
        const auto picture = pictureLayer(*source, {m, block, t, 0}, 64, kGoOn);
        QVERIFY(picture);
        QCOMPARE(picture->levels.size(), size_t{1} << block.bits);
        QVERIFY(std::ranges::is_sorted(picture->levels));
        QCOMPARE(std::accumulate(picture->codeCounts.begin(), picture->codeCounts.end(), int64_t{0}), int64_t(n));
        QCOMPARE(std::accumulate(picture->histogram.bins.begin(), picture->histogram.bins.end(), int64_t{0}), int64_t(n));
    }

    void sampleIsWholeRowsSpread() {
        auto source = WeightSource::synthetic();
        const Matrix m{0, "x", "x.weight", 1000, 4096, false, false};
        QuantBlock block;
        block.bits = 4;
        const auto part = previewLayer(source, {m, block, DType::F32, kPreviewSample}, kGoOn);
        QVERIFY(part);
        QCOMPARE(part->stats.count, kPreviewSample);
        QCOMPARE(part->total, int64_t{4096000});
        QVERIFY(!part->exact());
        const auto all = previewLayer(source, {m, block, DType::F32, 0}, kGoOn);
        QVERIFY(all && all->exact());
        QVERIFY(std::abs(part->stats.sqnrDb() - all->stats.sqnrDb()) < 0.2); // 16 rows of the same distribution
        const std::atomic<bool> stop{true};
        QCOMPARE(previewLayer(source, {m, block, DType::F32, 0}, stop).error().code, std::string("engine.cancelled"));
    }

    void perTensorSeesOneGroup() {
        auto source = WeightSource::open(sample());
        const auto model = Checkpoint::open(sample());
        QVERIFY(source && model);
        QuantBlock block;
        block.granularity = records::Granularity::PerTensor;
        const auto picture = pictureLayer(*source, {matrixNamed(*model, "0.self_attn.q_proj"), block, DType::F32, 0}, 64, kGoOn);
        QVERIFY(picture && picture->preview.exact());
        QVERIFY(picture->step > 0);
    }

    void distributionInPieces() {
        std::mt19937 random(3);
        std::normal_distribution<float> normal(1000.0f, 0.5f); // a mean that a naive sum of squares would drown in
        std::vector<float> values(10007);
        for (float& v : values) v = normal(random);
        values[17] = NAN;
        values[18] = INFINITY;
        values[19] = 0;
        numerics::Distribution whole, pieces;
        whole.add(values.data(), int64_t(values.size()));
        for (size_t at = 0; at < values.size(); at += 100)
            pieces.add(values.data() + at, int64_t(std::min<size_t>(100, values.size() - at)));
        double mean = 0, squares = 0;
        for (const float v : values)
            if (std::isfinite(v)) mean += double(v) / double(values.size() - 2);
        for (const float v : values)
            if (std::isfinite(v)) squares += (double(v) - mean) * (double(v) - mean);
        for (const auto& d : {whole, pieces}) {
            QCOMPARE(d.count, int64_t(values.size()) - 2);
            QCOMPARE(d.nan, int64_t{1});
            QCOMPARE(d.inf, int64_t{1});
            QCOMPARE(d.zeros, int64_t{1});
            QVERIFY(std::abs(d.mean - mean) < 1e-9);
            QVERIFY(std::abs(d.deviation() - std::sqrt(squares / double(d.count))) < 1e-9);
        }
        numerics::Histogram bins(-1, 1, 4);
        const float few[] = {-1, -0.5f, 0, 1, 1.5f, -2, NAN};
        bins.add(few, 7);
        QCOMPARE(bins.bins, (std::vector<int64_t>{1, 1, 1, 1}));
        QCOMPARE(bins.below, int64_t{1});
        QCOMPARE(bins.above, int64_t{1});
    }

    void tensorPicturesCountEverything() {
        auto source = WeightSource::open(sample());
        const auto model = Checkpoint::open(sample());
        QVERIFY(source && model);
        for (const auto& t : model->tensors()) {
            int64_t n = 1;
            for (const int64_t d : t.shape) n *= d;
            const auto picture = pictureTensor(*source, t.name, n, 0, 50, kGoOn);
            QVERIFY2(picture && picture->exact(), t.name.c_str());
            QCOMPARE(picture->values.count, n);
            QCOMPARE(std::accumulate(picture->histogram.bins.begin(), picture->histogram.bins.end(), int64_t{0}), n);
        }
    }

    void reasonsOfThePlan() {
        const auto model = Checkpoint::open(sample());
        QVERIFY(model);
        QatBlock block = presetBlock("8da4w");
        block.modules.exclude = {"*.k_proj", "model.layers.0.mlp.up_proj"};
        const auto why = [&](const char* end) { return whyNotAimedAt(block, matrixNamed(*model, end)); };
        QCOMPARE(why("0.self_attn.k_proj"), std::string("excluded by *.k_proj"));
        QCOMPARE(why("0.mlp.up_proj"), std::string("excluded"));
        QCOMPARE(why("1.mlp.up_proj"), std::string());
        QVERIFY(why("lm_head").find("lm_head is off") == 0);
        QCOMPARE(why("embed_tokens"), std::string("the scheme has no embedding block"));
        block.modules.include = {"*.mlp.*"};
        QCOMPARE(why("0.self_attn.q_proj"), std::string("not in modules.include"));
        // A tied head is computed from the table's numbers.
        QCOMPARE(matrixNamed(*model, "lm_head").tensor, matrixNamed(*model, "embed_tokens").tensor);
    }

    void entryKeepsWhatItIsGiven() {
        std::mt19937 random(11);
        records::Recipe study;
        study.qat = QatBlock{};
        study.qat->ste = records::Ste::Identity; // shared by all schemes
        for (int i = 0; i < 300; ++i) {
            const auto& presets = config::schemePresets();
            const char* name = presets[random() % presets.size()].name;
            const auto entry = config::makeScheme("s", std::string("{preset: ") + name + ", train: {max_steps: 7}}");
            QVERIFY(entry);
            QatBlock block = config::readScheme(study, *entry).qat;
            QCOMPARE(block.ste, records::Ste::Identity);
            if (random() % 2) block.weight->bits = 4;
            if (random() % 2) block.modules.exclude = {"*.k_proj"};
            if (random() % 2) block.ste = records::Ste::Clipped;
            if (random() % 2) block.activation.reset();
            if (random() % 3 == 0) block.weight->granularity = records::Granularity::PerChannel, block.weight->groupSize = 32;
            if (random() % 3 == 0) block.fakeQuantAfterSteps = 5;
            if (random() % 3 == 0) block.embedding = QuantBlock{};
            if (block.weight->format != records::Format::Intx) block.weight = config::schemePreset(name)->weight;
            const auto changed = config::withQat(study, *entry, block);
            QVERIFY(changed);
            const auto back = config::readScheme(study, *changed);
            QVERIFY2(back.qat == block, changed->yaml.c_str());
            QVERIFY2(changed->yaml.find("max_steps") != std::string::npos, changed->yaml.c_str());
            const auto again = config::parseScheme(config::schemeYaml(*changed), "other");
            QVERIFY2(again.ok() || !back.problem.empty(), again.ok() ? "" : again.error().message.c_str());
            if (again) QCOMPARE(config::readScheme(study, *again).qat, block);
        }
    }
    void entryIsShort() {
        const auto entry = config::makeScheme("small", "{preset: 8da4w}");
        QVERIFY(entry);
        QatBlock block = config::readScheme({}, *entry).qat;
        block.weight->groupSize = 64;
        const auto changed = config::withQat({}, *entry, block);
        QVERIFY(changed);
        QCOMPARE(config::schemeYaml(*changed), std::string("name: small\npreset: 8da4w\nweight: {group_size: 64}\n"));
        QCOMPARE(config::schemeSets(*changed), (std::vector<std::string>{"weight.group_size=64"}));
    }
    void entrySaysWhatIsWrong() {
        const auto entry = config::makeScheme("x", "{preset: 8da4w, weight: {dtype: uint4}}");
        QVERIFY(entry);
        const auto reading = config::readScheme({}, *entry);
        QVERIFY(!reading.problem.empty());
        QCOMPARE(reading.qat.weight->isSigned, false); // the form still shows what was written
        const auto unknown = config::parseScheme("preset: 8da4w\ncolour: blue\n", "x");
        QVERIFY(!unknown.ok());
        QVERIFY(unknown.error().message.find("colour") != std::string::npos);
        QVERIFY(!config::parseScheme("[1, 2]", "x").ok());
    }
};

QTEST_GUILESS_MAIN(WeightPreviewTest)
#include "tst_weight_preview.moc"
