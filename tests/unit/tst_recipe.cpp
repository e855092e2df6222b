// SPDX-License-Identifier: GPL-3.0-or-later
// What: recipes as text and back, layers over each other, every kind of bad input with its line, the shipped presets.
#include "base/files.h"
#include "config/presets.h"
#include "config/recipe_file.h"
#include "config/resources.h"
#include "config/validate.h"
#include "random_recipe.h"
#include "study/members.h"
#include "test_data.h"

#include <cmath>
#include <limits>
#include <random>

using namespace qw;
using namespace qw::records;

namespace {

Result<Recipe> parse(const std::string& text) { return config::parseRecipe(text, "/home/me/r.yaml"); }

std::string errorOf(const std::string& text) {
    const auto recipe = parse(text);
    return recipe ? std::string("no error") : recipe.error().message;
}

} // namespace

class RecipeTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void completeRecipe() {
        const auto file = config::loadRecipe(test::fixtures() / "recipes/complete.yaml");
        QVERIFY2(file.ok(), file ? "" : file.error().message.c_str());
        const Recipe& r = file->recipe;
        const std::string here = (test::fixtures() / "recipes").lexically_normal().string();
        QCOMPARE(QString::fromStdString(r.name), QStringLiteral("which-scheme"));
        QCOMPARE(QString::fromStdString(r.model.path),
                 QString::fromStdString((test::fixtures() / "models/tiny").lexically_normal().string()));
        QCOMPARE(r.data.train.size(), size_t(1));
        QCOMPARE(QString::fromStdString(r.data.train[0].path), QString::fromStdString(here + "/train.jsonl"));
        QVERIFY(r.data.seqLen == 256 && r.train.maxSteps == 200 && r.train.microBatch == 8);
        QVERIFY(r.optim.lr == 1e-3 && r.optim.clipNorm == 1.0 && r.schedule.warmupRatio == 0.03);
        QVERIFY(r.precision.mode == "fp32" && r.activationCheckpointing == "none");
        QVERIFY(r.qat && !r.qat->weight && !r.qat->fakeQuantAfterSteps);
        QVERIFY(r.schemes.size() == 2 && r.schemes[1].name == "w3");
        QVERIFY(r.eval.every == 50 && r.eval.bos == "auto" && r.eval.maxLength == 0 && r.eval.tasks[0].mode == "hellaswag" &&
                r.eval.tasks[1].mode == "wikitext");
        QVERIFY(r.checkpoint.every == 100 && r.verdict.metric == "hellaswag.acc_norm" && r.verdict.maxLoss == 1.0);
        QVERIFY(r.exports.size() == 1 && r.exports[0].scheme == "verdict");
        QCOMPARE(QString::fromStdString(file->lines.at("optim.lr")).section(QLatin1Char(':'), -1),
                 QStringLiteral("15")); // the line of optim in the fixture
        const auto again = config::parseRecipe(config::writeRecipe(r), "x.json");
        QVERIFY(again.ok());
        QVERIFY(*again == r);
        const auto w3 = config::resolveMember(r, "w3", 42);
        QVERIFY(w3.ok());
        QVERIFY(w3->train.maxSteps == 400 && w3->train.microBatch == 8 && w3->qat->weight->bits == 3 && w3->schemes.empty());
    }

    void roundTripIsTheIdentity() {
        for (uint32_t seed = 0; seed < 300; ++seed) {
            const Recipe r = test::randomRecipe(seed);
            const std::string text = config::writeRecipe(r);
            const auto again = config::parseRecipe(text, "/elsewhere/r.json");
            QVERIFY2(again.ok(), (text + (again ? "" : again.error().message)).c_str());
            QVERIFY2(*again == r, (text + "\nread back as\n" + config::writeRecipe(*again)).c_str());
        }
    }

    void bad_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("want");
        const auto row = [](const char* name, const char* text, const char* want) {
            QTest::newRow(name) << QString::fromUtf8(text) << QString::fromUtf8(want);
        };
        row("unknown key", "recipe: 1\ntrain:\n  max_step: 5\n",
            "/home/me/r.yaml:3: train.max_step: unknown key; did you mean 'max_steps'?");
        row("unknown key at the top", "recipe: 1\nscheduler: {}\n", "/home/me/r.yaml:2: scheduler: unknown key; did you mean 'schedule'?");
        row("tab", "recipe: 1\ntrain:\n\tmax_steps: 5\n", "/home/me/r.yaml:3: a tab is used as indentation; use spaces");
        row("duplicate key", "recipe: 1\nseed: 1\nname: x\nseed: 2\n", "/home/me/r.yaml:4: seed: the key is there twice, first in line 2");
        row("duplicate key inside", "recipe: 1\ntrain: {max_steps: 1, max_steps: 2}\n",
            "/home/me/r.yaml:2: max_steps: the key is there twice");
        row("text for a number", "recipe: 1\noptim: {lr: fast}\n", "/home/me/r.yaml:2: optim.lr: must be a number, not 'fast'");
        row("quoted number", "recipe: 1\ntrain: {max_steps: \"5\"}\n",
            "/home/me/r.yaml:2: train.max_steps: must be a whole number, not the text \"5\"");
        row("fraction for a whole number", "recipe: 1\ntrain: {max_steps: 5.5}\n",
            "/home/me/r.yaml:2: train.max_steps: must be a whole number, not '5.5'");
        row("number for a flag", "recipe: 1\ndata:\n  shuffle: 1\n", "/home/me/r.yaml:3: data.shuffle: must be true or false, not '1'");
        row("scalar for a map", "recipe: 1\ntrain: 5\n", "/home/me/r.yaml:2: train: must be a map of keys, not '5'");
        row("map for a list", "recipe: 1\ndata: {train: {path: a}}\n", "/home/me/r.yaml:2: data.train: must be a list of maps, not a map");
        row("scalar in a list of maps", "recipe: 1\ndata:\n  train:\n    - a.txt\n",
            "/home/me/r.yaml:4: data.train: must be a map of keys, not 'a.txt'");
        row("out of range", "recipe: 1\ntrain: {micro_batch: 0}\n", "/home/me/r.yaml:2: train.micro_batch: must be from 1 to");
        row("negative", "recipe: 1\noptim: {lr: -1}\n", "/home/me/r.yaml:2: optim.lr: must be at least 0, not -1");
        row("nan", "recipe: 1\noptim: {lr: nan}\n", "/home/me/r.yaml:2: optim.lr: must be a number, not 'nan'");
        row("infinity where it has no meaning", "recipe: 1\noptim: {lr: inf}\n",
            "/home/me/r.yaml:2: optim.lr: must be a number, not 'inf'");
        row("wrong word", "recipe: 1\ndata: {packing: gready}\n",
            "/home/me/r.yaml:2: data.packing: must be one of none, greedy, bfd, not 'gready'; did you mean 'greedy'?");
        row("anchor", "recipe: 1\noptim: &o {lr: 1}\n", "/home/me/r.yaml:2: anchors (&name) are not allowed");
        row("alias", "recipe: 1\noptim: *o\n", "/home/me/r.yaml:2:");
        row("merge key", "recipe: 1\noptim:\n  <<: {lr: 1}\n", "/home/me/r.yaml:3: merge keys (<<) are not allowed");
        row("tag", "recipe: 1\nname: !!python/object x\n", "/home/me/r.yaml:2: tags");
        row("no version", "name: x\n", "/home/me/r.yaml:1: recipe: the first key must be the format version");
        row("version not first", "name: x\nrecipe: 1\n", "/home/me/r.yaml:1: recipe: the first key must be the format version");
        row("later version", "recipe: 2\n", "/home/me/r.yaml:1: recipe: this build reads version 1 of the format, not '2'");
        row("empty", "", "/home/me/r.yaml:1: ");
        row("a list", "- recipe: 1\n", "/home/me/r.yaml:1: a recipe is a map of keys");
        row("two documents", "recipe: 1\n---\nrecipe: 1\n", "/home/me/r.yaml:3: a second document starts here");
        row("not YAML", "recipe: 1\nname: [a, b\n", "/home/me/r.yaml:");
        row("end-of-text byte", "recipe: 1\nname: a\x04\nbogus: 1\n", "/home/me/r.yaml:2: the text holds a control character");
        row("scheme without a name", "recipe: 1\nschemes:\n  - {preset: 8da4w}\n", "/home/me/r.yaml:3: schemes[0].name: is missing");
        row("scheme with a wrong key", "recipe: 1\nschemes:\n  - name: a\n    preset: 8da4w\n    data: {seq_len: 5}\n",
            "/home/me/r.yaml:5: schemes[0].data: unknown key");
        row("scheme with a wrong preset", "recipe: 1\nschemes:\n  - name: a\n    preset: 8da4v\n",
            "/home/me/r.yaml:4: schemes[0].preset: there is no scheme preset '8da4v'; did you mean '8da4w'?");
        row("scheme that quantizes nothing", "recipe: 1\nschemes:\n  - {name: a}\n",
            "/home/me/r.yaml:3: schemes[0].preset: the scheme quantizes nothing");
        row("scheme of another family", "recipe: 1\nqat: {weight: {format: mx}}\n",
            "/home/me/r.yaml:2: qat.weight.format: 'mx' is not supported by this build");
        row("no granularity", "recipe: 1\nqat: {weight: {dtype: int4}}\n", "/home/me/r.yaml:2: qat.weight.granularity: is missing");
        row("no dtype", "recipe: 1\nqat: {weight: {group_size: 32}}\n", "/home/me/r.yaml:2: qat.weight.dtype: is missing");
        row("recipe preset", "recipe: 1\npreset: torchao-c4-tyny\n",
            "/home/me/r.yaml:2: preset: there is no recipe preset 'torchao-c4-tyny'; did you mean 'torchao-c4-tiny'?");
        row("unnamed task mode", "recipe: 1\neval: {tasks: [{name: mine, path: a}]}\n",
            "/home/me/r.yaml:2: eval.tasks[0].mode: is missing");
        row("lora", "recipe: 1\nlora: {rank: 8}\n", "/home/me/r.yaml:2: lora: is not supported by this build; remove the key");
        row("distill", "recipe: 1\ndistill: {alpha: 1}\n", "/home/me/r.yaml:2: distill: is not supported");
        row("distributed", "recipe: 1\ndistributed: {world: 2}\n", "/home/me/r.yaml:2: distributed: is not supported");
        row("optimizer in backward", "recipe: 1\noptim: {in_backward: true}\n",
            "/home/me/r.yaml:2: optim.in_backward: 'true' is not supported by this build; only false is");
        row("offload", "recipe: 1\nmemory: {offload_activations: true}\n",
            "/home/me/r.yaml:2: memory.offload_activations: 'true' is not supported");
        row("selective checkpointing", "recipe: 1\nmemory: {activation_checkpointing: selective}\n",
            "/home/me/r.yaml:2: memory.activation_checkpointing: 'selective' is not supported");
        row("frozen scales", "recipe: 1\nqat: {preset: 8da4w, weight: {scale_update: frozen}}\n",
            "/home/me/r.yaml:2: qat.weight.scale_update: 'frozen' is not supported");
        row("gptq", "recipe: 1\nbaseline: {ptq: [gptq]}\n", "/home/me/r.yaml:2: baseline.ptq: 'gptq' is not supported");
        row("chat data", "recipe: 1\ndata: {train: [{path: a, format: chat}]}\n",
            "/home/me/r.yaml:2: data.train[0].format: 'chat' is not supported");
        row("same seed twice", "recipe: 1\nseed: [1, 1]\n", "/home/me/r.yaml:2: seed: seed 1 is there twice");
        row("device", "recipe: 1\ndevice: gpu\n", "/home/me/r.yaml:2: device: must be auto, cpu, cuda or cuda:N, not 'gpu'");
    }
    void bad() {
        QFETCH(QString, text);
        QFETCH(QString, want);
        const QString got = QString::fromStdString(errorOf(text.toStdString()));
        QVERIFY2(got.startsWith(want), qPrintable(got));
        const auto code = parse(text.toStdString()).error().code;
        QVERIFY(code.starts_with("config."));
        if (want.contains(QLatin1String("unknown key"))) QCOMPARE(QString::fromStdString(code), QStringLiteral("config.unknown_key"));
    }
    void invalidUtf8() {
        const std::string text = std::string("recipe: 1\nname: a\xff\n");
        QVERIFY(QString::fromStdString(errorOf(text)).startsWith(QLatin1String("/home/me/r.yaml:2: the text is not UTF-8")));
    }
    void allErrorsAtOnce() {
        const std::string got = errorOf("recipe: 1\nseed: x\ntrain: {max_steps: y}\nbogus: 1\n");
        QCOMPARE(std::count(got.begin(), got.end(), '\n'), 2);
    }
    void limits() {
        std::string deep = "recipe: 1\nname: ";
        for (int i = 0; i < 40; ++i) deep += "[";
        for (int i = 0; i < 40; ++i) deep += "]";
        QVERIFY(errorOf(deep + "\n").find("nested deeper than 32 levels") != std::string::npos);
        std::string many = "recipe: 1\nname: [";
        for (int i = 0; i < 50001; ++i) many += "1,";
        QVERIFY(errorOf(many + "1]\n").find("more than 50000 values") != std::string::npos);
        QVERIFY(errorOf("recipe: 1\n#" + std::string(size_t{1} << 20, 'x') + "\n").find("larger than 1 MiB") != std::string::npos);
        std::string bomb = "recipe: 1\nname: ";
        bomb += std::string(5000, '{');
        QVERIFY(errorOf(bomb).starts_with("/home/me/r.yaml:2: "));
    }
    // Bytes changed at random: an error or a recipe, never a crash.
    void mutations() {
        const std::string whole = *readFile(test::fixtures() / "recipes/complete.yaml");
        std::mt19937 random(11);
        int refused = 0;
        for (int i = 0; i < 2000; ++i) {
            std::string text = whole;
            for (int k = 0; k < 3; ++k) {
                const size_t at = random() % text.size();
                switch (random() % 3) {
                case 0:
                    text[at] = static_cast<char>(random() % 256);
                    break;
                case 1:
                    text.erase(at, 1 + random() % 20);
                    break;
                default:
                    text.insert(text.begin() + static_cast<std::ptrdiff_t>(at), "{}[]:&*!|>-#\"'%@`,\t\n "[random() % 22]);
                }
            }
            const auto recipe = parse(text);
            if (!recipe) {
                ++refused;
                QVERIFY(recipe.error().message.starts_with("/home/me/r.yaml:") && recipe.error().code.starts_with("config."));
            }
        }
        QVERIFY(refused > 500);
    }

    void nullAndInfinity() {
        const auto r = parse("recipe: 1\noptim: {lr: 1.0e-3, clip_norm: inf}\nqat: null\npreset: null\nwatchdog: {loss_above: null}\n");
        QVERIFY(r.ok());
        QVERIFY(r->optim.clipNorm && std::isinf(*r->optim.clipNorm) && !r->qat && r->preset.empty() && !r->watchdog.lossAbove);
        const auto off = parse("recipe: 1\noptim: {lr: 1, clip_norm: null}\n");
        QVERIFY(off.ok() && !off->optim.clipNorm);
        const auto untouched = parse("recipe: 1\noptim: {lr: 1}\n");
        QVERIFY(untouched.ok() && untouched->optim.clipNorm == 1.0);
        const auto share = parse("recipe: 1\ndata: {max_bad: 0.1 %}\n");
        QVERIFY(share.ok() && share->data.maxBad == 0.001);
    }

    void layers() {
        const std::string text =
            "recipe: 1\npreset: torchao-llama3-c4-8da4w\nmodel: {path: m}\ndata: {train: [{path: c4.json.gz}]}\noptim: {lr: 3.0e-5}\n"
            "schemes: [{name: a, preset: 8da4w, weight: {group_size: 128}, train: {max_steps: 7}}]\n";
        const auto r = config::parseRecipeFile(text, "/home/me/r.yaml",
                                               {"train.max_steps=9", "eval.tasks.wikitext.limit=3", "qat.weight.group_size=64"});
        QVERIFY2(r.ok(), r ? "" : r.error().message.c_str());
        QVERIFY(r->recipe.optim.lr == 3e-5 && r->recipe.optim.weightDecay == 0.01); // map: key by key
        QVERIFY(r->recipe.data.train.size() == 1 && r->recipe.data.train[0].path == "/home/me/c4.json.gz" && r->recipe.data.seqLen == 2048);
        QVERIFY(r->recipe.model.path == "/home/me/m");
        QVERIFY(r->recipe.schemes.size() == 1); // list: replaced
        QVERIFY(r->recipe.eval.tasks[1].limit == 3);
        const auto a = config::resolveMember(r->recipe, "a", 42);
        QVERIFY(a.ok());
        QVERIFY(a->train.maxSteps == 9 && a->qat->weight->groupSize == 64 && a->qat->fakeQuantAfterSteps == 1000 && a->qat->modules.lmHead);
        QVERIFY(a->qat->activation && a->qat->activation->eps == 0x1p-23);
        Recipe changed = r->recipe;
        QVERIFY(config::applySets(changed, {"schemes.a.weight.dtype=int3", "seed=[1, 2]"}).ok());
        QVERIFY(changed.seeds.size() == 2 && config::resolveMember(changed, "a", 1)->qat->weight->bits == 3);
        QVERIFY(config::parseRecipeFile(text, "/home/me/r.yaml", {"eval.tasks.nothere.limit=3"})
                    .error()
                    .message.find("has no item 'nothere'") != std::string::npos);
    }
    // What the shared qat block says about numbers lies under every scheme.
    void sharedQatBlock() {
        const auto r =
            parse("recipe: 1\nqat: {preset: 8da4w, weight: {group_size: 64}, ste: identity}\n"
                  "schemes:\n  - {name: a}\n  - {name: b, preset: intx_weight_only}\n  - {name: c, weight: {granularity: per_channel}}\n");
        QVERIFY2(r.ok(), r ? "" : r.error().message.c_str());
        QVERIFY(config::resolveMember(*r, "a", 1)->qat->weight->groupSize == 64);
        const auto b = config::resolveMember(*r, "b", 1);
        QVERIFY(b->qat->weight->scaleDtype == ScaleDtype::Input && b->qat->weight->groupSize == 64 && !b->qat->activation &&
                b->qat->ste == Ste::Identity);
        QVERIFY(config::resolveMember(*r, "c", 1)->qat->weight->granularity == Granularity::PerChannel);
    }
    void jsonIsReadToo() {
        const auto r = parse("{\"recipe\": 1, \"name\": \"x\\u00e9\\n\", \"seed\": 18446744073709551615, \"optim\": {\"lr\": 1e-05}}");
        QVERIFY2(r.ok(), r ? "" : r.error().message.c_str());
        QVERIFY(r->name == "x\u00e9\n" && r->seeds[0] == UINT64_MAX && r->optim.lr == 1e-5);
    }

    void presets_data() {
        QTest::addColumn<int>("members");
        QTest::newRow("torchao-llama3-c4-8da4w") << 4;
        QTest::newRow("torchao-llama3-c4-4w") << 4;
        QTest::newRow("torchtune-tutorial-8da4w") << 4;
        QTest::newRow("torchao-c4-tiny") << 4;
        QTest::newRow("torchao-readme-smoke") << 1;
    }
    void presets() {
        QFETCH(int, members);
        QVERIFY(config::presetNames().size() >= 5);
        const auto file = config::loadRecipe(config::presetFile(QTest::currentDataTag()));
        QVERIFY2(file.ok(), file ? "" : file.error().message.c_str());
        const auto rows = study::expand(file->recipe);
        QVERIFY(rows.ok());
        QCOMPARE(int(rows->size()), members);
        for (const auto& finding : config::validate(*file, {})) {
            const bool missing = finding.message.starts_with("is missing: ") || finding.message.starts_with("there is no /");
            QVERIFY2(!finding.isError || missing, (finding.key + ": " + finding.message).c_str());
        }
        const auto again = config::parseRecipe(config::writeRecipe(file->recipe), "x");
        QVERIFY(again.ok() && *again == file->recipe);
    }
    void publishedNumbers() {
        const auto w = config::loadRecipe(config::presetFile("torchao-llama3-c4-4w"));
        QVERIFY(w.ok() && w->recipe.optim.lr == 2e-6 && w->recipe.train.maxSteps == 5000 &&
                w->recipe.train.microBatch * w->recipe.train.gradAccum == 16);
        const auto member = config::resolveMember(w->recipe, "4w-g256", 42);
        QVERIFY(member->qat->weight->groupSize == 256 && member->qat->weight->zeroDomain == ZeroDomain::Float && !member->qat->activation);
        QVERIFY(member->qat->fakeQuantAfterSteps == 1000 && member->precision.mode == "bf16_pure" && !member->optim.clipNorm);
        const auto t = config::loadRecipe(config::presetFile("torchtune-tutorial-8da4w"));
        QVERIFY(t.ok() && t->recipe.train.maxSteps == 2000 && t->recipe.optim.lr == 2e-5);
    }
};

QTEST_GUILESS_MAIN(RecipeTest)
#include "tst_recipe.moc"
