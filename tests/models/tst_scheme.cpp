// SPDX-License-Identifier: GPL-3.0-or-later
// What: schemes without widgets: bits per weight, edits with undo, include and exclude, the layer tree, the preview's latest wins.
#include "config/presets.h"
#include "config/recipe_file.h"
#include "fake_engine_client.h"
#include "models/layer_tree.h"
#include "models/scheme_list.h"
#include "models/scheme_preview.h"
#include "models/scheme_rules.h"
#include "models/tree_filter.h"
#include "tiny_model.h"

#include <QAbstractItemModelTester>
#include <QElapsedTimer>
#include <QSignalSpy>
#include <QStandardPaths>
#include <random>

using namespace qw;
using namespace qw::ui;

namespace {

const QString kSample = QStringLiteral(QW_SOURCE_DIR "/resources/sample/model");

struct Bench {
    test::TempDir dir;
    Settings settings{QString::fromStdString((dir.path() / "s.ini").string())};
    test::FakeEngineClient engine;
    Session session{settings, engine};
    SchemeDraft draft{session};
    bool open(const QString& folder) {
        session.model.open(folder);
        return QTest::qWaitFor([&] { return session.model.state() == OpenModel::State::Ready; });
    }
    const checkpoint::Inspection* model() { return session.model.inspection().get(); }
    SchemeFacts facts() { return schemeFacts(draft.block(), draft.type(), model()); }
};

records::QuantBlock& weightOf(records::QatBlock& b) { return *b.weight; }

} // namespace

class SchemeTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        QCoreApplication::setApplicationName(QStringLiteral("qat-workbench-test-%1").arg(QCoreApplication::applicationPid()));
    }
    void cleanupTestCase() { std::filesystem::remove_all(utf8(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation))); }

    void bitsPerWeight_data() {
        QTest::addColumn<QString>("preset");
        QTest::addColumn<int>("group");
        QTest::addColumn<int>("scale"); // records::ScaleDtype; -1: the preset's
        QTest::addColumn<double>("bits");
        QTest::newRow("int4 g32 fp32 scale") << QStringLiteral("8da4w") << 32 << 0 << 5.0;
        QTest::newRow("int4 g32 bf16 scale") << QStringLiteral("8da4w") << 32 << 1 << 4.5;
        QTest::newRow("tinygemm g128") << QStringLiteral("4w_tinygemm") << 128 << -1 << 4.25;
        QTest::newRow("tinygemm g256") << QStringLiteral("4w_tinygemm") << 256 << -1 << 4.125;
    }
    void bitsPerWeight() {
        QFETCH(QString, preset);
        QFETCH(int, group);
        QFETCH(int, scale);
        QFETCH(double, bits);
        Bench bench;
        bench.draft.showPreset(preset);
        bench.draft.edit(QStringLiteral("x"), [&](records::QatBlock& b) {
            weightOf(b).groupSize = group;
            if (scale >= 0) weightOf(b).scaleDtype = static_cast<records::ScaleDtype>(scale);
        });
        const SchemeFacts facts = bench.facts();
        QVERIFY(facts.synthetic);
        QCOMPARE(facts.bits, bits);
    }

    void editsAreUndoSteps() {
        Bench bench;
        QVERIFY(bench.draft.isEmpty());
        bench.draft.showPreset(QStringLiteral("8da4w"));
        QVERIFY(!bench.draft.isOwn());
        QCOMPARE(bench.session.undo.count(), 0); // looking is no change
        bench.draft.edit(QStringLiteral("bits"), [](records::QatBlock& b) { weightOf(b).bits = 3; });
        QVERIFY(bench.draft.isOwn());
        QCOMPARE(bench.draft.recipe().schemes.size(), size_t{1});
        QCOMPARE(bench.draft.block().weight->bits, 3);
        bench.draft.edit(
            QStringLiteral("group"), [](records::QatBlock& b) { weightOf(b).groupSize = 64; }, QStringLiteral("drag"));
        bench.draft.edit(
            QStringLiteral("group"), [](records::QatBlock& b) { weightOf(b).groupSize = 128; }, QStringLiteral("drag"));
        QCOMPARE(bench.session.undo.count(), 2); // one drag, one step
        bench.draft.duplicate();
        QCOMPARE(bench.draft.name(), QStringLiteral("8da4w-2"));
        QCOMPARE(bench.draft.index(), 1);
        bench.draft.rename(1, QStringLiteral("8da4w")); // taken: it gets a number
        QCOMPARE(bench.draft.name(), QStringLiteral("8da4w-2"));
        bench.draft.rename(1, QStringLiteral("verdict")); // has a meaning of its own
        QCOMPARE(bench.draft.name(), QStringLiteral("verdict-2"));
        bench.draft.remove(0);
        QCOMPARE(bench.draft.recipe().schemes.size(), size_t{1});
        while (bench.session.undo.canUndo()) bench.session.undo.undo();
        QVERIFY(bench.draft.recipe() == RecipeDraft::fresh());
        QVERIFY(bench.draft.isEmpty());
        while (bench.session.undo.canRedo()) bench.session.undo.redo();
        QCOMPARE(bench.draft.recipe().schemes.size(), size_t{1});
        QCOMPARE(bench.draft.recipe().schemes.front().name, std::string("verdict-2"));
    }

    void overrideChangesTheTotal() {
        Bench bench;
        QVERIFY(bench.open(kSample));
        bench.draft.showPreset(QStringLiteral("8da4w"));
        bench.draft.add(QStringLiteral("add"));
        const SchemeFacts before = bench.facts();
        QCOMPARE(before.quantized, 21);
        QCOMPARE(before.bytes, before.usualBytes);
        const auto matrices = checkpoint::matricesOf(bench.model()->config, bench.model()->tied);
        bench.draft.edit(QStringLiteral("out"),
                         [&](records::QatBlock& b) { setIncluded(b, matrices, {"model.layers.0.mlp.up_proj"}, false); });
        const SchemeFacts after = bench.facts();
        QCOMPARE(after.quantized, 20);
        // 64 × 192 weights at 16 bits instead of 5: T of the default recipe is bf16.
        QCOMPARE(after.bytes - before.bytes, qint64(192 * 64 * (16 - 5) / 8));
        QCOMPARE(after.usualBytes, before.bytes);
        bench.session.undo.undo();
        QCOMPARE(bench.facts().bytes, before.bytes);
        bench.session.undo.redo();
        QCOMPARE(bench.facts().bytes, after.bytes);
    }

    // Any ticking gives exactly the wanted set, whatever patterns stand in the way.
    void includeAndExclude() {
        Bench bench;
        QVERIFY(bench.open(kSample));
        const auto matrices = checkpoint::matricesOf(bench.model()->config, bench.model()->tied);
        std::mt19937 random(7);
        for (int round = 0; round < 200; ++round) {
            records::QatBlock block = *config::schemePreset("8da4w");
            if (random() % 2) block.modules.exclude = {"*.k_proj"};
            if (random() % 2) block.modules.include = {"*.mlp.*", "*.k_proj"};
            block.modules.lmHead = random() % 2;
            for (int step = 0; step < 6; ++step) {
                std::set<std::string> aimed, names;
                for (const auto& m : matrices) {
                    if (checkpoint::whyNotAimedAt(block, m).empty()) aimed.insert(m.name);
                    if (random() % 5 == 0) names.insert(m.name);
                }
                const bool in = random() % 2;
                setIncluded(block, matrices, names, in);
                for (const auto& m : matrices) {
                    const bool wanted = names.contains(m.name) ? in : aimed.contains(m.name);
                    QVERIFY2(checkpoint::whyNotAimedAt(block, m).empty() == wanted, m.name.c_str());
                }
            }
            resetOverrides(block);
            QVERIFY(!hasOverrides(block));
        }
    }

    void repairs_data() {
        QTest::addColumn<QString>("yaml");
        QTest::newRow("unsigned, symmetric") << QStringLiteral("{preset: 8da4w, weight: {dtype: uint4}}");
        QTest::newRow("float zero, signed") << QStringLiteral("{preset: 8da4w, weight: {zero_point_domain: float}}");
        QTest::newRow("symmetric intx activations") << QStringLiteral("{preset: 8da4w, activation: {mapping: symmetric}}");
    }
    void repairs() {
        QFETCH(QString, yaml);
        const auto entry = config::makeScheme("x", utf8(yaml));
        QVERIFY(entry);
        const auto reading = config::readScheme({}, *entry);
        QVERIFY(!reading.problem.empty());
        const auto fixed = config::withQat({}, *entry, repaired(reading.qat));
        QVERIFY(fixed);
        QCOMPARE(config::readScheme({}, *fixed).problem, std::string());
    }

    void indivisibleLayersAreListed() {
        Bench bench;
        const std::string config = test::tinyConfig("llama"); // widths 64 and 96
        QVERIFY(test::writeTinyModel(bench.dir.path() / "m", config, test::tinyTensors(config, false)));
        QVERIFY(bench.open(QString::fromStdString((bench.dir.path() / "m").string())));
        bench.draft.showPreset(QStringLiteral("8da4w"));
        bench.draft.edit(QStringLiteral("g"), [](records::QatBlock& b) { weightOf(b).groupSize = 64; });
        SchemeFacts facts = bench.facts();
        QCOMPARE(facts.indivisible,
                 (QStringList{QStringLiteral("model.layers.0.mlp.down_proj"), QStringLiteral("model.layers.1.mlp.down_proj")}));
        QCOMPARE(facts.skipped, 2);
        QVERIFY(facts.problem.isEmpty());
        bench.draft.edit(QStringLiteral("e"), [](records::QatBlock& b) { b.modules.onIndivisible = records::OnIndivisible::Error; });
        facts = bench.facts();
        QCOMPARE(facts.indivisible.size(), 2);
        QVERIFY(!facts.problem.isEmpty());
        QCOMPARE(facts.code, QStringLiteral("config.conflict"));
    }

    void layerTree() {
        Bench bench;
        QVERIFY(bench.open(kSample));
        bench.draft.showPreset(QStringLiteral("8da4w"));
        LayerTree tree;
        TreeFilter rows(LayerTree::NameRole, LayerTree::SortRole);
        rows.setSourceModel(&tree);
        const QAbstractItemModelTester tester(&tree, QAbstractItemModelTester::FailureReportingMode::Fatal);
        const QAbstractItemModelTester above(&rows, QAbstractItemModelTester::FailureReportingMode::Fatal);
        tree.show(bench.facts().layers);
        QCOMPARE(tree.rowCount(), 5); // embedding, three layers, head
        const QModelIndex q = tree.find(QStringLiteral("model.layers.0.self_attn.q_proj"));
        QVERIFY(q.isValid());
        QCOMPARE(q.data(Qt::CheckStateRole).toInt(), int(Qt::Checked));
        QCOMPARE(q.siblingAtColumn(LayerTree::Bits).data(LayerTree::SortRole).toDouble(), 5.0);
        QCOMPARE(tree.index(0, 0).data(Qt::CheckStateRole).toInt(), int(Qt::Unchecked));
        QVERIFY(tree.index(0, LayerTree::Scheme).data().toString().contains(QLatin1String("no embedding block")));
        QSignalSpy wanted(&tree, &LayerTree::inclusionWanted);
        QVERIFY(tree.setData(q, int(Qt::Unchecked), Qt::CheckStateRole));
        QCOMPARE(wanted.size(), 1);
        QCOMPARE(wanted[0][0].toStringList(), QStringList{QStringLiteral("model.layers.0.self_attn.q_proj")});
        QCOMPARE(wanted[0][1].toBool(), false);
        // The tree shows facts: nothing is ticked off until the scheme says so.
        QCOMPARE(q.data(Qt::CheckStateRole).toInt(), int(Qt::Checked));
        bench.draft.edit(QStringLiteral("x"), [](records::QatBlock& b) { b.modules.exclude = {"*.q_proj"}; });
        tree.show(bench.facts().layers);
        QCOMPARE(q.data(Qt::CheckStateRole).toInt(), int(Qt::Unchecked));
        QCOMPARE(q.parent().data(Qt::CheckStateRole).toInt(), int(Qt::PartiallyChecked));
        QVERIFY(q.siblingAtColumn(LayerTree::Scheme).data(Qt::FontRole).value<QFont>().bold());
        tree.setErrors({{QStringLiteral("model.layers.0.self_attn.k_proj"), {25.0, true}}});
        const QModelIndex k = tree.find(QStringLiteral("model.layers.0.self_attn.k_proj")).siblingAtColumn(LayerTree::Sqnr);
        QCOMPARE(k.data(LayerTree::HeatRole).toDouble(), 0.5);
        QVERIFY(!q.siblingAtColumn(LayerTree::Sqnr).data(LayerTree::HeatRole).isValid());
        rows.setPattern(QStringLiteral("*.k_proj"));
        QCOMPARE(rows.matches(), 3);
    }

    void hundredLayersWithinAFrame() {
        records::QatBlock block = *config::schemePreset("8da4w");
        checkpoint::Inspection model;
        model.config.modelType = "llama";
        model.config.layers = 100;
        model.config.vocab = 32000;
        model.config.hidden = 4096;
        model.config.intermediate = 11008;
        model.config.heads = model.config.kvHeads = 32;
        model.config.headDim = 128;
        LayerTree tree;
        TreeFilter rows(LayerTree::NameRole, LayerTree::SortRole);
        rows.setSourceModel(&tree);
        tree.show(schemeFacts(block, records::DType::BF16, &model).layers);
        QCOMPARE(tree.rowCount(), 102);
        const auto matrices = checkpoint::matricesOf(model.config, model.tied);
        std::vector<double> times;
        for (int i = 0; i < 15; ++i) {
            QElapsedTimer timer;
            timer.start();
            setIncluded(block, matrices, {"model.layers." + std::to_string(i) + ".mlp.up_proj"}, false);
            tree.show(schemeFacts(block, records::DType::BF16, &model).layers);
            times.push_back(double(timer.nsecsElapsed()) / 1e6);
        }
        std::ranges::sort(times);
        qInfo("edit of a tree of 100 layers: best %.2f ms, median %.2f ms", times.front(), times[times.size() / 2]);
        QVERIFY2(times.front() <= 16, "the fastest edit is above one frame");
    }

    void draggingGivesOneFinalAnswer() {
        Bench bench;
        SchemePreview preview(bench.session);
        records::QatBlock block = *config::schemePreset("8da4w");
        QSignalSpy pictures(&preview, &SchemePreview::pictureChanged), finished(&preview, &SchemePreview::finished);
        for (int bits = 2; bits <= 8; ++bits) {
            block.weight->bits = bits;
            preview.ask(block, records::DType::F32, {});
        }
        for (const int group : {64, 128, 256}) {
            block.weight->groupSize = group;
            preview.ask(block, records::DType::F32, {});
        }
        QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, 30000);
        QCOMPARE(pictures.size(), 2); // the sample of the last value, then all of it
        QCOMPARE(preview.picture()->levels.size(), size_t{256});
        QVERIFY(preview.picture()->preview.exact());
        QVERIFY(preview.howSure().contains(QLatin1String("synthetic")));
        // int8 with groups of 256: the same by hand.
        auto source = checkpoint::WeightSource::synthetic();
        const std::atomic<bool> goOn{false};
        const auto byHand = checkpoint::previewLayer(source, {syntheticMatrix(), *block.weight, records::DType::F32, 0}, goOn);
        QVERIFY(byHand);
        QCOMPARE(preview.errors().begin()->sqnrDb, byHand->stats.sqnrDb());
        QVERIFY(bench.session.compute.isBusy() == false);
    }

    void previewOfRealWeights() {
        Bench bench;
        QVERIFY(bench.open(kSample));
        SchemePreview preview(bench.session);
        QSignalSpy finished(&preview, &SchemePreview::finished);
        preview.ask(*config::schemePreset("8da4w"), records::DType::F32, QStringLiteral("model.layers.2.mlp.gate_proj"));
        QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, 30000);
        QCOMPARE(preview.layer(), QStringLiteral("model.layers.2.mlp.gate_proj"));
        QCOMPARE(preview.errors().size(), 21);
        for (const LayerError& e : preview.errors()) QVERIFY(e.exact && e.sqnrDb > 15 && e.sqnrDb < 40);
        qInfo("first answer after %lld ms", preview.firstAnswerMs());
    }

    // The first answer of a large layer comes from a sample.
    void firstAnswerIsQuick() {
        Bench bench;
        SchemePreview preview(bench.session);
        qint64 best = 1'000'000;
        for (int i = 0; i < 5; ++i) {
            QSignalSpy pictures(&preview, &SchemePreview::pictureChanged);
            preview.ask(*config::schemePreset(i % 2 ? "8da4w" : "4w_tinygemm"), records::DType::BF16, {});
            QTRY_VERIFY_WITH_TIMEOUT(!pictures.isEmpty(), 30000);
            QVERIFY(!preview.picture()->preview.exact());
            QVERIFY(preview.howSure().contains(QLocale().toString(65536)));
            best = std::min(best, preview.firstAnswerMs());
        }
        qInfo("first answer of 4.2 M weights after %lld ms", best);
        QVERIFY2(best <= 50, "the fastest first answer is above 50 ms");
    }

    void listNamesEverything() {
        Bench bench;
        SchemeList list(bench.draft);
        const QAbstractItemModelTester tester(&list, QAbstractItemModelTester::FailureReportingMode::Fatal);
        const auto presets = int(config::schemePresets().size());
        QCOMPARE(list.rowCount(), presets + 1);
        for (const auto& preset : config::schemePresets()) {
            const QModelIndex at = list.find(SchemeList::Section::Preset, text(preset.name));
            QVERIFY(!at.data(SchemeList::SummaryRole).toString().isEmpty());
            QVERIFY(!at.data(SchemeList::RuntimesRole).toString().isEmpty());
        }
        bench.draft.showPreset(QStringLiteral("8da4w"));
        bench.draft.add(QStringLiteral("add"));
        QCOMPARE(list.rowCount(), presets + 3);
        QCOMPARE(list.data(list.shown(), Qt::DisplayRole).toString(), QStringLiteral("8da4w"));
        QVERIFY(list.setData(list.shown(), QStringLiteral("mine"), Qt::EditRole));
        QCOMPARE(bench.draft.name(), QStringLiteral("mine"));
        QVERIFY(bench.draft.saveAsPreset(QStringLiteral("for later: 4/8")).ok());
        QVERIFY(list.find(SchemeList::Section::Saved, QStringLiteral("for later: 4/8")).isValid());
        bench.draft.showSaved(QStringLiteral("for later: 4/8"));
        QVERIFY(!bench.draft.isOwn());
        QCOMPARE(bench.draft.block().weight->bits, 4);
        QVERIFY(bench.draft.removeSaved(QStringLiteral("for later: 4/8")).ok());
        QVERIFY(!list.find(SchemeList::Section::Saved, QStringLiteral("for later: 4/8")).isValid());
    }

    void importAndExport() {
        Bench bench;
        bench.draft.showPreset(QStringLiteral("int8_intx"));
        bench.draft.edit(QStringLiteral("x"), [](records::QatBlock& b) { weightOf(b).bits = 5; });
        const QString yaml = bench.draft.yaml();
        const auto block = bench.draft.block();
        QVERIFY(bench.draft.import(yaml, QStringLiteral("file")).ok());
        QCOMPARE(bench.draft.name(), QStringLiteral("int8_intx-2"));
        QCOMPARE(bench.draft.block(), block);
        const size_t before = bench.draft.recipe().schemes.size();
        const Status bad = bench.draft.import(QStringLiteral("weight: {dtype: int9}\n"), QStringLiteral("file"));
        QVERIFY(!bad.ok());
        QCOMPARE(bad.error().code, std::string("config.invalid"));
        QCOMPARE(bench.draft.recipe().schemes.size(), before);
    }
};

QTEST_MAIN(SchemeTest)
#include "tst_scheme.moc"
