// SPDX-License-Identifier: GPL-3.0-or-later
// What: the same code on the first CUDA device as on the CPU: fake quantization bit for bit, training, evaluation, PTQ and a whole study.
// Limits: skipped with the reason where no device answers.
#include "config/presets.h"
#include "engine/device.h"
#include "eval/evaluator.h"
#include "export/folders.h"
#include "model/load.h"
#include "program.h"
#include "quant/fake_quant_ops.h"
#include "quant/straight_through.h"
#include "tiny_project.h"
#include "training_fixture.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <QJsonArray>

using namespace qw;
namespace fs = std::filesystem;

namespace {

// The same numbers everywhere: a multiplicative hash of the position, with rows that are hard: nothing but zeros, denormals, one outlier,
// equal values, values halfway between two codes.
at::Tensor hardMatrix(int64_t rows, int64_t cols, at::ScalarType type) {
    at::Tensor x = at::empty({rows, cols}, at::TensorOptions().dtype(at::kFloat));
    auto* data = x.mutable_data_ptr<float>();
    for (int64_t i = 0; i < rows * cols; ++i) {
        const float value = static_cast<float>(static_cast<int32_t>((static_cast<uint32_t>(i) * 2654435761U) >> 8) - (1 << 23)) * 0x1p-24F;
        switch (i / cols) {
        case 0:
            data[i] = 0;
            break;
        case 1:
            data[i] = value * 0x1p-126F;
            break;
        case 2:
            data[i] = i % cols == 5 ? 1000.0F : value;
            break;
        case 3:
            data[i] = -0.375F;
            break;
        case 4:
            data[i] = static_cast<float>(i % 16) * 0.5F - 3.5F;
            break;
        default:
            data[i] = value;
        }
    }
    return x.to(type);
}

bool sameBits(const at::Tensor& host, const at::Tensor& device) {
    return host.defined() == device.defined() &&
           (!host.defined() || (host.scalar_type() == device.scalar_type() && host.equal(device.cpu())));
}

// Largest |a - b| in units of the largest |a|.
double distance(const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor x = a.detach().cpu().to(at::kDouble), y = b.detach().cpu().to(at::kDouble);
    return (x - y).abs().max().item<double>() / std::max(1e-30, x.abs().max().item<double>());
}

struct Named {
    std::string name;
    records::QuantBlock block;
    records::Role role;
};
// Every operand of every built-in scheme.
std::vector<Named> operands() {
    std::vector<Named> all;
    for (const config::SchemePreset& preset : config::schemePresets()) {
        const auto scheme = config::schemePreset(preset.name);
        if (!scheme) continue;
        if (scheme->weight) all.push_back({std::string(preset.name) + " weight", *scheme->weight, records::Role::Weight});
        if (scheme->activation) all.push_back({std::string(preset.name) + " activation", *scheme->activation, records::Role::Activation});
        if (scheme->embedding) all.push_back({std::string(preset.name) + " embedding", *scheme->embedding, records::Role::Embedding});
    }
    return all;
}

records::Recipe tenSteps(const std::string& mode, bool qat, const std::string& layers) {
    records::Recipe recipe = test::tinyRecipe();
    recipe.train.maxSteps = 10;
    recipe.precision.mode = mode;
    recipe.activationCheckpointing = layers;
    if (qat) recipe.qat = test::int4Scheme();
    return recipe;
}

} // namespace

class GpuTest : public QObject {
    Q_OBJECT
    test::TempDir m_temp;
    std::optional<at::Device> m_device;
    int m_runs = 0;

    fs::path fresh(const std::string& name) { return m_temp.path() / (name + std::to_string(++m_runs)); }
    std::map<int64_t, double> losses(const records::Recipe& recipe, at::Device device, at::Tensor* weight = nullptr) {
        test::Start start(fresh("run"), recipe, false, device);
        start.withEval = true;
        const auto outcome = start.run();
        if (!outcome) qFatal("%s", outcome.error().message.c_str());
        if (!outcome->evalLoss || outcome->steps != recipe.train.maxSteps) qFatal("the run ended early");
        auto points = start.recorded.series("train.loss");
        points[recipe.train.maxSteps + 1] = *outcome->evalLoss;
        if (weight) *weight = start.weights().at("model.layers.1.mlp.down_proj.weight").cpu();
        return points;
    }
    [[nodiscard]] model::Decoder tiny(at::Device device) const {
        auto made = model::Decoder::random(test::tinyLlama(false), false, 3, at::kFloat, device);
        if (!made) qFatal("%s", made.error().message.c_str());
        return *std::move(made);
    }

private Q_SLOTS:
    // Before any backward: autograd starts one thread per device it knows of then, and LibTorch's CUDA part is opened at run time.
    void initTestCase() {
        const auto device = engine::openDevice("cuda");
        if (!device) QSKIP(device.error().message.c_str());
        m_device = *device;
        engine::configureTorch(2, false, false); // as the engine does on CUDA
    }

    void fakeQuantizationHasTheSameBits_data() {
        QTest::addColumn<int>("operand");
        QTest::addColumn<int>("type");
        const auto all = operands();
        for (size_t i = 0; i < all.size(); ++i)
            for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
                QTest::addRow("%s %s", all[i].name.c_str(), type == at::kFloat ? "fp32" : "bf16") << int(i) << int(type);
    }
    void fakeQuantizationHasTheSameBits() {
        QFETCH(int, operand);
        QFETCH(int, type);
        const Named one = operands()[static_cast<size_t>(operand)];
        const at::Tensor x = hardMatrix(96, 512, static_cast<at::ScalarType>(type));
        const auto grid = numerics::resolveGrid(one.block, one.role, quant::recordType(x.scalar_type()), x.size(0), x.size(1));
        QVERIFY2(grid.ok(), grid.ok() ? "" : grid.error().message.c_str());
        numerics::Stats hostStats, deviceStats;
        quant::Wanted wanted;
        wanted.codes = wanted.params = wanted.mask = true;
        wanted.stats = &hostStats;
        const quant::FakeQuantized host = quant::fakeQuantize(*grid, x, wanted);
        wanted.stats = &deviceStats;
        const quant::FakeQuantized device = quant::fakeQuantize(*grid, x.to(*m_device), wanted);
        QVERIFY(device.y.is_cuda());
        QVERIFY(sameBits(host.y, device.y));
        QVERIFY(sameBits(host.codes, device.codes));
        QVERIFY(sameBits(host.scale, device.scale));
        QVERIFY(sameBits(host.zero, device.zero));
        const at::Tensor gradient = hardMatrix(96, 512, x.scalar_type());
        QVERIFY(sameBits(quant::masked(*grid, host.mask, gradient), quant::masked(*grid, device.mask, gradient.to(*m_device))));
        QCOMPARE(deviceStats.clipped, hostStats.clipped);
        QCOMPARE(deviceStats.underflow, hostStats.underflow);
    }

    void hiddenStatesAgree() {
        const at::NoGradGuard noGrad;
        const model::Decoder host = tiny(at::kCPU), device = tiny(*m_device);
        at::Tensor ids = at::empty({3, 40}, at::TensorOptions().dtype(at::kLong));
        for (int64_t i = 0; i < ids.numel(); ++i) ids.mutable_data_ptr<int64_t>()[i] = (i * 7 + i / 11) % 32;
        const std::vector<std::vector<int64_t>> packed{{0, 9, 30}, {0}, {0, 20}};
        for (const auto& starts : {std::vector<std::vector<int64_t>>{}, packed}) {
            const at::Tensor want = host.logits(host.hidden({ids, starts}));
            const at::Tensor have = device.logits(device.hidden({ids.to(*m_device), starts}));
            QVERIFY(have.is_cuda());
            QVERIFY(distance(want, have) < 2e-5);
        }
    }

    void training_data() {
        QTest::addColumn<QString>("mode");
        QTest::addColumn<bool>("qat");
        QTest::addColumn<QString>("layers");
        QTest::addColumn<double>("tolerance"); // of a loss, relative: rounding of products differs, and QAT carries it over code edges
        const auto row = [](const char* name, const char* mode, bool qat, const char* layers, double tolerance) {
            QTest::newRow(name) << QString::fromLatin1(mode) << qat << QString::fromLatin1(layers) << tolerance;
        };
        row("plain fp32", "fp32", false, "none", 1e-4);
        row("plain fp32, recomputed layers", "fp32", false, "layer", 1e-4);
        row("plain bf16_master", "bf16_master", false, "none", 2e-2);
        row("plain bf16_pure", "bf16_pure", false, "none", 2e-2);
        row("QAT fp32", "fp32", true, "none", 2e-2);
        row("QAT fp32, recomputed layers", "fp32", true, "layer", 2e-2);
        row("QAT bf16_master", "bf16_master", true, "none", 3e-2);
    }
    void training() {
        QFETCH(QString, mode);
        QFETCH(bool, qat);
        QFETCH(QString, layers);
        QFETCH(double, tolerance);
        const records::Recipe recipe = tenSteps(mode.toStdString(), qat, layers.toStdString());
        at::Tensor hostWeight, deviceWeight;
        const auto host = losses(recipe, at::kCPU, &hostWeight), device = losses(recipe, *m_device, &deviceWeight);
        QCOMPARE(device.size(), host.size());
        for (const auto& [step, loss] : host)
            QVERIFY2(std::abs(device.at(step) - loss) <= tolerance * loss,
                     qPrintable(QStringLiteral("step %1: %2 on the CPU, %3 on the GPU").arg(step).arg(loss).arg(device.at(step))));
        QVERIFY(host.at(10) < host.at(1)); // something was learnt, so that equal losses say something
        if (!qat && mode == QStringLiteral("fp32")) QVERIFY(distance(hostWeight, deviceWeight) < 1e-2);
    }

    void resumeFromACheckpoint() {
        records::Recipe recipe = tenSteps("bf16_master", true, "none");
        recipe.checkpoint.every = 4;
        const auto whole = losses(recipe, *m_device);
        const fs::path folder = fresh("resumed");
        {
            test::Start first(folder, recipe, false, *m_device);
            first.withEval = true;
            first.onStep = [&](int64_t step) {
                if (step == 6) first.cancel.raise(CancelLevel::StopWithCheckpoint);
            };
            const auto stopped = first.run();
            QVERIFY2(stopped.ok(), stopped.ok() ? "" : stopped.error().message.c_str());
            QVERIFY(stopped->stopped);
        }
        test::Start second(folder, recipe, false, *m_device);
        second.withEval = true;
        const auto outcome = second.run();
        QVERIFY2(outcome.ok(), outcome.ok() ? "" : outcome.error().message.c_str());
        QCOMPARE(outcome->steps, int64_t{10});
        const auto points = second.recorded.series("train.loss");
        QVERIFY(!points.contains(6));
        for (int64_t step = 7; step <= 10; ++step) QVERIFY(std::abs(points.at(step) - whole.at(step)) <= 1e-2 * whole.at(step));
    }

    void evaluation() {
        const auto tokens = tokenizer::Tokenizer::load(test::fixtures() / "tokenizer/letters");
        QVERIFY(tokens.ok());
        tasks::TaskData choices, documents;
        choices.kind = "hellaswag";
        documents.kind = "plain";
        for (int i = 0; i < 12; ++i) {
            tasks::ChoiceRow row;
            for (int j = 0; j < 6 + i; ++j) row.query.push_back(static_cast<char>('a' + (i * 3 + j) % 26));
            for (int c = 0; c < 4; ++c) {
                row.choices.push_back(row.query.substr(0, static_cast<size_t>(2 + c)) + static_cast<char>('a' + (i + c * 5) % 26));
                row.chars.push_back(static_cast<int64_t>(row.choices.back().size()));
            }
            row.gold = i % 4;
            choices.rows.push_back(std::move(row));
            tasks::Document page;
            for (int j = 0; j < 50 + 20 * i; ++j) page.text.push_back(static_cast<char>('a' + (i * 7 + j * j) % 26));
            page.words = 1;
            page.bytes = static_cast<int64_t>(page.text.size());
            documents.documents.push_back(std::move(page));
        }
        const model::Decoder host = tiny(at::kCPU), device = tiny(*m_device);
        for (const tasks::TaskData* task : {&choices, &documents}) {
            const auto want = eval::score(host, *tokens, *task, {}, nullptr, {}),
                       have = eval::score(device, *tokens, *task, {}, nullptr, {});
            QVERIFY2(want.ok(), want.ok() ? "" : want.error().message.c_str());
            QVERIFY2(have.ok(), have.ok() ? "" : have.error().message.c_str());
            QCOMPARE(have->items.size(), want->items.size());
            for (size_t i = 0; i < want->items.size(); ++i)
                for (size_t c = 0; c < want->items[i].ll.size(); ++c)
                    QVERIFY(std::abs(have->items[i].ll[c] - want->items[i].ll[c]) <= 1e-4 * std::abs(want->items[i].ll[c]));
            QCOMPARE(have->result.settingsHash, want->result.settingsHash);
        }
    }

    void quantizedFoldersAreTheSameFiles_data() {
        QTest::addColumn<QString>("preset");
        QTest::addColumn<QString>("method");
        for (const char* preset : {"8da4w", "intx_weight_only", "4w_tinygemm", "int4_weight_only", "int8_weight_only"})
            for (const char* method : {"rtn", "mse"}) {
                if (std::string(method) == "mse" && std::string(preset) == "int4_weight_only") continue;
                QTest::addRow("%s %s", preset, method) << QString::fromLatin1(preset) << QString::fromLatin1(method);
            }
    }
    void quantizedFoldersAreTheSameFiles() {
        QFETCH(QString, preset);
        QFETCH(QString, method);
        auto scheme = config::schemePreset(preset.toStdString());
        QVERIFY(scheme.ok());
        if (scheme->weight->granularity == records::Granularity::PerGroup) scheme->weight->groupSize = 32;
        const fs::path source = fresh("source");
        test::writeText(source / "config.json", test::tinyLlamaJson(false));
        std::string hashes[2];
        for (const at::Device device : {at::Device(at::kCPU), *m_device}) {
            const model::Decoder decoder = tiny(device);
            const auto plan = quant::plan(decoder, *scheme);
            QVERIFY2(plan.ok(), plan.ok() ? "" : plan.error().message.c_str());
            // Reads the files back and compares them with the weights in memory, wherever those lie.
            const auto written =
                exporter::writeNative(decoder, *plan, records::DType::F32, method.toStdString(), source, fresh("native"), false);
            QVERIFY2(written.ok(), written.ok() ? "" : written.error().message.c_str());
            hashes[device.is_cuda()] = written->hash;
        }
        QCOMPARE(hashes[1], hashes[0]);
    }

    // The tool, its supervisor and engines on both devices, from training to the table.
    void studyGivesTheSameTable() {
        const fs::path world = fresh("world");
        QVERIFY(test::makeTinyWorld(world).ok());
        QJsonArray tables[2];
        for (const char* device : {"cpu", "cuda"}) {
            test::Json recipe = test::tinyRecipe(world, "both", 10);
            recipe["device"] = device;
            const fs::path file = world / (std::string(device) + ".yaml"), project = world / device;
            test::writeText(file, recipe.dump(1));
            const auto result = test::runTool({QStringLiteral("run"), test::text(file), QStringLiteral("--project"), test::text(project),
                                               QStringLiteral("--follow"), QStringLiteral("--json")});
            QVERIFY2(result.code == 0, result.err.constData());
            const auto table =
                test::runTool({QStringLiteral("compare"), QStringLiteral("--project"), test::text(project), QStringLiteral("--json")});
            QVERIFY2(table.code == 0, table.err.constData());
            tables[std::string(device) == "cuda"] = table.json()[QStringLiteral("rows")].toArray();
        }
        QCOMPARE(tables[1].size(), tables[0].size());
        QVERIFY(tables[0].size() >= 6); // float, float trained, and PTQ and QAT of two schemes
        for (qsizetype i = 0; i < tables[0].size(); ++i) {
            const QJsonObject host = tables[0][i].toObject(), device = tables[1][i].toObject();
            for (const char* same : {"role", "scheme", "method", "bytes", "problem", "skipped"})
                QCOMPARE(device[QLatin1String(same)], host[QLatin1String(same)]);
            const QJsonArray want = host[QStringLiteral("cells")].toArray(), have = device[QStringLiteral("cells")].toArray();
            QCOMPARE(have.size(), want.size());
            for (qsizetype c = 0; c < want.size(); ++c) {
                const double value = want[c].toObject()[QStringLiteral("value")].toDouble(-1),
                             other = have[c].toObject()[QStringLiteral("value")].toDouble(-2);
                QVERIFY(std::abs(other - value) <= 0.05 * std::abs(value) + 0.1); // one or two of 24 items may tip over
            }
        }
    }
};

QTEST_GUILESS_MAIN(GpuTest)
#include "tst_gpu.moc"
