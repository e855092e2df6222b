// SPDX-License-Identifier: GPL-3.0-or-later
// What: members of recipes by hand, what a key depends on and what not, the study's folder read back.
#include "base/files.h"
#include "config/presets.h"
#include "config/recipe_file.h"
#include "study/check.h"
#include "study/keys.h"
#include "study/study_file.h"
#include "test_data.h"

#include <fstream>
#include <set>

using namespace qw;

namespace {

records::Recipe recipe(const std::string& text) {
    auto parsed = config::parseRecipe(text, "/r/recipe.yaml");
    if (!parsed) qFatal("%s", parsed.error().message.c_str());
    return *parsed;
}

std::vector<study::Member> expand(const std::string& text) { return *study::expand(recipe(text)); }

QStringList names(const std::vector<study::Member>& members) {
    QStringList out;
    for (const auto& m : members) {
        QString line = QString::fromStdString(m.run.name);
        if (!m.parent.empty()) {
            for (const auto& p : members)
                if (p.id == m.parent) line += QStringLiteral(" of ") + QString::fromStdString(p.run.name);
        }
        out << line;
    }
    return out;
}

void write(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

constexpr const char* kTwo = "recipe: 1\nmodel: {path: m}\ndata: {train: [{path: t.jsonl}], eval: [{path: v.jsonl}]}\noptim: {lr: 1.0e-3}\n"
                             "train: {max_steps: 10}\neval: {tasks: [{name: hellaswag, path: h.jsonl}]}\n"
                             "schemes:\n  - {name: A 1, preset: 8da4w}\n  - {name: b, preset: intx_weight_only, weight: {dtype: int3}}\n";

} // namespace

class StudyTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void members_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QStringList>("want");
        const auto row = [](const char* name, const std::string& text, const QStringList& want) {
            QTest::newRow(name) << QString::fromStdString(text) << want;
        };
        const auto s = [](const char* t) { return QString::fromLatin1(t); };
        row("two schemes, one block", kTwo,
            {s("float"), s("float trained"), s("A 1 PTQ of float trained"), s("A 1 QAT"), s("b PTQ of float trained"), s("b QAT")});
        row("start model as reference", std::string(kTwo) + "baseline: {float: start, ptq: [rtn, mse]}\n",
            {s("float"), s("A 1 PTQ rtn"), s("A 1 PTQ mse"), s("A 1 QAT"), s("b PTQ rtn"), s("b PTQ mse"), s("b QAT")});
        row("no PTQ twins", std::string(kTwo) + "baseline: {ptq: []}\n", {s("float"), s("float trained"), s("A 1 QAT"), s("b QAT")});
        row("a scheme with training of its own", std::string(kTwo) + "  - {name: c, preset: 8da8w, train: {max_steps: 20}}\n",
            {s("float"), s("float trained"), s("float trained (c)"), s("A 1 PTQ of float trained"), s("A 1 QAT"),
             s("b PTQ of float trained"), s("b QAT"), s("c PTQ of float trained (c)"), s("c QAT")});
        row("two seeds", "recipe: 1\nseed: [1, 2]\nmodel: {path: m}\noptim: {lr: 1}\nschemes: [{name: a, preset: 8da4w}]\n",
            {s("float"), s("float trained seed 1"), s("a PTQ seed 1 of float trained seed 1"), s("a QAT seed 1"), s("float trained seed 2"),
             s("a PTQ seed 2 of float trained seed 2"), s("a QAT seed 2")});
        row("two seeds from the start model: PTQ draws nothing",
            "recipe: 1\nseed: [1, 2]\nmodel: {path: m}\noptim: {lr: 1}\nbaseline: {float: start}\nschemes: [{name: a, preset: 8da4w}]\n",
            {s("float"), s("a PTQ"), s("a QAT seed 1"), s("a QAT seed 2")});
        row("random start has no float row",
            "recipe: 1\nmodel: {config: c.json, tokenizer: t, init: random}\noptim: {lr: 1}\nschemes: [{name: a, preset: 8da4w}]\n",
            {s("float trained"), s("a PTQ of float trained"), s("a QAT")});
        row("plain training", "recipe: 1\nname: base\nmodel: {path: m}\noptim: {lr: 1}\n", {s("base")});
        row("one QAT run", "recipe: 1\nmodel: {path: m}\noptim: {lr: 1}\nqat: {preset: 8da4w}\n", {s("qat")});
    }
    void members() {
        QFETCH(QString, text);
        QFETCH(QStringList, want);
        const auto members = expand(text.toStdString());
        QCOMPARE(names(members), want);
        std::set<std::string> ids;
        for (size_t i = 0; i < members.size(); ++i) {
            QVERIFY(ids.insert(members[i].id).second);
            if (!members[i].parent.empty()) QVERIFY(ids.contains(members[i].parent)); // parents come first
            QVERIFY(members[i].recipe.schemes.empty() && members[i].recipe.seeds.size() == 1);
        }
    }
    void resolvedRecipes() {
        const auto m = expand(kTwo);
        QVERIFY(!m[0].recipe.qat && !m[1].recipe.qat);
        QVERIFY(m[0].run.kind == "eval" && m[1].run.kind == "train" && m[2].run.kind == "ptq" && m[3].run.kind == "qat");
        QVERIFY(m[2].run.method == "rtn" && m[2].recipe.qat->weight->bits == 4 && m[4].recipe.qat->weight->bits == 3);
        QVERIFY(m[1].run.block == m[3].run.block && m[3].run.block == m[5].run.block && m[0].run.block.empty());
        QVERIFY(m[2].id == "a-1-ptq-rtn-s42" && m[5].id == "b-qat-s42");
        const auto qat = expand("recipe: 1\nmodel: {path: m}\noptim: {lr: 1}\nqat: {preset: 8da4w}\n");
        QVERIFY(qat[0].run.role == records::RowRole::Qat && qat[0].run.scheme == "8da4w");
    }

    // Which edit changes which rows' keys: F float, T float trained, P the PTQ row of A, Q its QAT row.
    void keys_data() {
        QTest::addColumn<QString>("set");
        QTest::addColumn<QString>("changed");
        const auto row = [](const char* set, const char* changed) {
            QTest::newRow(set) << QString::fromLatin1(set) << QString::fromLatin1(changed);
        };
        row("train.max_steps=11", "TPQ");
        row("optim.lr=2.0e-3", "TPQ");
        row("schedule.name=linear", "TPQ");
        row("data.seq_len=128", "FTPQ"); // of the evaluation loss, too
        row("data.shuffle=false", "FTPQ");
        row("precision.mode=fp32", "FTPQ");
        row("memory.activation_checkpointing=none", "TPQ");
        row("loss.normalise=micro", "TPQ");
        row("schemes.0.weight.group_size=64", "PQ");
        row("qat.modules.lm_head=true", "PQ");
        row("qat.fake_quant_after_n_steps=3", "Q");
        row("qat.ste=identity", "Q");
        row("eval.bos=off", "FTPQ");
        row("eval.max_length=64", "FTPQ");
        row("eval.dtype=bf16", "FTPQ");
        row("eval.tasks.hellaswag.limit=5", "FTPQ");
        row("model.tie=true", "FTPQ");
        row("seed=7", "TPQ");
        // What decides no result.
        row("name=other", "");
        row("schemes.0.name=other", "");
        row("checkpoint.every=3", "");
        row("checkpoint.keep=9", "");
        row("log.every=5", "");
        row("log.telemetry=false", "");
        row("eval.every=5", "");
        row("verdict.max_loss=3", "");
        row("export=[{scheme: all}]", "");
        row("threads=1", "");
        row("early_stop.patience=2", "TPQ"); // may end the training early
    }
    void keys() {
        QFETCH(QString, set);
        QFETCH(QString, changed);
        records::Recipe before = recipe(kTwo), after = before;
        QVERIFY(config::applySets(after, {set.toStdString()}).ok());
        const study::Facts facts{{{"/r/m", "M"}, {"/r/t.jsonl", "T"}, {"/r/v.jsonl", "V"}, {"/r/h.jsonl", "H"}}, "cpu", "build"};
        const auto a = keysOf(before, facts), b = keysOf(after, facts);
        QString got;
        for (size_t i = 0; i < 4; ++i)
            if (a[i] != b[i]) got += QLatin1Char("FTPQ"[i]);
        QCOMPARE(got, changed);
    }
    void keysOfFacts() {
        const records::Recipe r = recipe(kTwo);
        const study::Facts facts{{{"/r/m", "M"}, {"/r/t.jsonl", "T"}, {"/r/v.jsonl", "V"}, {"/r/h.jsonl", "H"}}, "cpu", "build"};
        const auto changedBy = [&](const auto& edit) {
            study::Facts other = facts;
            edit(other);
            const auto a = keysOf(r, facts), b = keysOf(r, other);
            QString got;
            for (size_t i = 0; i < 4; ++i)
                if (a[i] != b[i]) got += QLatin1Char("FTPQ"[i]);
            return got;
        };
        QCOMPARE(changedBy([](auto& f) { f.files["/r/m"] = "other"; }), QStringLiteral("FTPQ"));
        QCOMPARE(changedBy([](auto& f) { f.files["/r/t.jsonl"] = "other"; }), QStringLiteral("TPQ"));
        QCOMPARE(changedBy([](auto& f) { f.files["/r/v.jsonl"] = "other"; }), QStringLiteral("FTPQ"));
        QCOMPARE(changedBy([](auto& f) { f.files["/r/h.jsonl"] = "other"; }), QStringLiteral("FTPQ"));
        QCOMPARE(changedBy([](auto& f) { f.deviceKind = "cuda"; }), QStringLiteral("FTPQ"));
        QCOMPARE(changedBy([](auto& f) { f.buildId = "next"; }), QStringLiteral("FTPQ"));
        // The same files elsewhere: nothing is computed again.
        const std::string moved = QString::fromLatin1(kTwo).replace(QLatin1String("path: "), QLatin1String("path: /else/")).toStdString();
        const study::Facts elsewhere{
            {{"/else/m", "M"}, {"/else/t.jsonl", "T"}, {"/else/v.jsonl", "V"}, {"/else/h.jsonl", "H"}}, "cpu", "build"};
        QVERIFY(keysOf(recipe(moved), elsewhere) == keysOf(r, facts));
    }
    void methodsDiffer() {
        const auto members = expand(std::string(kTwo) + "baseline: {ptq: [rtn, mse]}\n");
        const study::Facts facts{{}, "cpu", "b"};
        QVERIFY(members[2].run.method == "rtn" && members[3].run.method == "mse");
        QVERIFY(study::memberKey(members[2], facts, "p") != study::memberKey(members[3], facts, "p"));
        QVERIFY(study::memberKey(members[2], facts, "p") != study::memberKey(members[2], facts, "q"));
    }

    void fingerprints() {
        test::TempDir dir;
        write(dir.path() / "m/config.json", "{}");
        write(dir.path() / "m/model.safetensors", "abc");
        const std::string first = *study::modelFingerprint(dir.path() / "m");
        write(dir.path() / "m/README.md", "words");
        QVERIFY(*study::modelFingerprint(dir.path() / "m") == first);
        write(dir.path() / "m/model.safetensors", "abd");
        QVERIFY(*study::modelFingerprint(dir.path() / "m") != first);
        QVERIFY(!study::modelFingerprint(dir.path() / "none"));
        std::filesystem::create_directories(dir.path() / "empty");
        QVERIFY(study::modelFingerprint(dir.path() / "empty").error().code == "file.not_found");
        const auto missing = study::gatherFacts(recipe(kTwo), "cpu", "b");
        QVERIFY(!missing && missing.error().message.find("/r/m") != std::string::npos);
    }

    void folderIsReadBack() {
        test::TempDir dir;
        const records::Recipe r = recipe(std::string(kTwo) + "name: my study\nverdict: {metric: hellaswag.acc, max_loss: 2}\n");
        auto study = study::makeStudy(r, "recipe: 1\n# as written\n", {"seed=3"});
        QVERIFY(study.ok());
        const auto folder = dir.path() / "studies/01J-my-study";
        QVERIFY(study::writeStudy(*study, "01J", folder, 5).ok());
        study->rows[2].runUid = "RUN";
        study->rows[2].reused = true;
        study->rows[2].member.run.key = "KEY";
        QVERIFY(study::saveStudy(*study).ok());
        const auto again = study::openStudy(folder);
        QVERIFY2(again.ok(), again ? "" : again.error().message.c_str());
        QVERIFY(again->uid == "01J" && again->name == "my study" && again->recipeText == study->recipeText && again->recipe == r &&
                again->createdMs == 5);
        QVERIFY(again->sets == std::vector<std::string>{"seed=3"});
        QCOMPARE(again->rows.size(), study->rows.size());
        for (size_t i = 0; i < again->rows.size(); ++i) {
            const auto &a = again->rows[i], &b = study->rows[i];
            QVERIFY(a.member.id == b.member.id && a.member.parent == b.member.parent && a.member.recipe == b.member.recipe &&
                    a.runUid == b.runUid);
            QVERIFY(a.member.run.name == b.member.run.name && a.member.run.role == b.member.run.role &&
                    a.member.run.block == b.member.run.block);
            QVERIFY(a.member.run.studyUid == "01J" && a.member.run.key == b.member.run.key && a.reused == b.reused);
        }
        QVERIFY(study::findStudy(dir.path(), r) == folder);
        records::Recipe other = r;
        other.train.maxSteps = 11;
        QVERIFY(!study::findStudy(dir.path(), other));
        write(folder / "members/000-float.json", "{\"id\": 3");
        const auto broken = study::openStudy(folder);
        QVERIFY(!broken && broken.error().code == "file.corrupt" && broken.error().message.find("000-float.json") != std::string::npos);
    }

    void checks_data() {
        QTest::addColumn<QString>("more"); // appended to a recipe that is right, or a --set
        QTest::addColumn<QString>("want"); // "error key: words" or "warning …"
        const auto row = [](const char* name, const char* set, const char* want) {
            QTest::newRow(name) << QString::fromUtf8(set) << QString::fromUtf8(want);
        };
        row("delay as long as the training", "qat.fake_quant_after_n_steps=10",
            "error qat.fake_quant_after_n_steps: is 10 of 10 steps: no QAT step would run");
        row("bf16_pure with a small lr", "[precision.mode=bf16_pure, optim.lr=2.0e-6]",
            "warning optim.lr: is so small that most bf16 updates vanish");
        row("cadence never fires", "eval.every=3000", "warning eval.every: never fires: it is above the 10 steps");
        row("checkpoints never", "checkpoint.every=3000", "warning checkpoint.every: never fires");
        row("longer than the positions", "data.seq_len=4096", "error data.seq_len: 4096 is longer than the 512 positions of the model");
        row("the same text", "data.eval=[{path: t.jsonl}]", "warning data.eval[0].path: is one of the training files");
        row("verdict of nothing", "verdict.metric=hellaswag.accuracy",
            "error verdict.metric: no task of this recipe yields 'hellaswag.accuracy'; did you mean 'hellaswag.acc'?");
        row("export of nothing", "export=[{scheme: q}]", "error export[0].scheme: there is no scheme 'q'");
        row("best without its cadence", "checkpoint.best.load_at_end=true", "error checkpoint.best.load_at_end: needs eval.every");
        row("early stop without evaluation", "early_stop.patience=2", "error early_stop.patience: needs eval.every");
        row("two names", "schemes=[{name: a, preset: 8da4w}, {name: a, preset: 8da8w}]",
            "error schemes[1].name: there are two schemes named 'a'");
        row("two equal schemes", "schemes=[{name: a, preset: 8da4w}, {name: b, preset: 8da4w, weight: {group_size: 32}}]",
            "error schemes[1].name: is the same scheme with the same training as schemes[0]");
        row("group divides nothing", "schemes=[{name: a, preset: 8da4w, weight: {group_size: 40}}]",
            "error schemes[0].weight.group_size: groups of 40 do not divide");
        row("group leaves some", "schemes=[{name: a, preset: 8da4w, weight: {group_size: 64}}]",
            "warning schemes[0].weight.group_size: groups of 64 do not divide 96 inputs");
        row("group divides no embedding", "schemes=[{name: a, preset: 8da4w, embedding: {dtype: int4, group_size: 48}}]",
            "error schemes[0].embedding.group_size: groups of 48 do not divide 64 inputs of model.embed_tokens: no layer is left");
        row("no layer of per-channel weights", "schemes=[{name: a, preset: intx_weight_only, modules: {include: [nothing*]}}]",
            "error schemes[0].modules.include: the scheme matches no layer of the model");
        row("no layer", "qat.modules.include=[nothing*]", "error qat.modules.include: the scheme matches no layer of the model");
        row("regular expression", "optim.freeze=[\"(\"]", "error optim.freeze: '(' is not a regular expression");
        row("missing task file", "eval.tasks.hellaswag.path=gone.jsonl", "error eval.tasks[0].path: there is no ");
        row("task named loss", "eval.tasks=[{name: loss, path: h.jsonl, mode: hellaswag}]", "error eval.tasks[0].name: 'loss' is the name");
        row("no data", "data.train=[]", "error data.train: is missing");
        row("nothing wrong", "seed=1", "");
    }
    void checks() {
        QFETCH(QString, more);
        QFETCH(QString, want);
        test::TempDir dir;
        write(dir.path() / "t.jsonl", "{\"text\": \"train\"}\n");
        write(dir.path() / "v.jsonl", "{\"text\": \"valid\"}\n");
        write(dir.path() / "h.jsonl", "{}\n");
        write(dir.path() / "m/config.json", "{\"model_type\": \"llama\", \"architectures\": [\"LlamaForCausalLM\"], \"vocab_size\": 64, "
                                            "\"hidden_size\": 64, \"intermediate_size\": 96, "
                                            "\"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"num_key_value_heads\": 2, "
                                            "\"max_position_embeddings\": 512, \"rms_norm_eps\": 1e-5, \"tie_word_embeddings\": true}");
        const std::string text = std::string(kTwo) + "checkpoint: {every: 5}\n";
        std::vector<std::string> sets{"data.seq_len=128"};
        if (more.startsWith(QLatin1Char('['))) {
            for (const QString& one : more.mid(1, more.size() - 2).split(QStringLiteral(", "))) sets.push_back(one.toStdString());
        } else {
            sets.push_back(more.toStdString());
        }
        QDir::setCurrent(QString::fromStdString(dir.path().string())); // --set paths start at the current folder
        const auto file = config::parseRecipeFile(text, dir.path() / "r.yaml", sets);
        QVERIFY2(file.ok(), file ? "" : file.error().message.c_str());
        QStringList got;
        for (const auto& f : study::checkRecipe(*file))
            got << QLatin1String(f.isError ? "error " : "warning ") + QString::fromStdString(f.key) + QStringLiteral(": ") +
                       QString::fromStdString(f.message);
        QDir::setCurrent(QStringLiteral("/"));
        if (want.isEmpty())
            QVERIFY2(got.isEmpty(), qPrintable(got.join(QLatin1Char('\n'))));
        else
            QVERIFY2(got.size() >= 1 && std::any_of(got.begin(), got.end(), [&](const QString& g) { return g.startsWith(want); }),
                     qPrintable(got.join(QLatin1Char('\n'))));
    }
    void missingPathsAllAtOnce() {
        const auto file = config::parseRecipeFile(kTwo, "/nowhere/r.yaml");
        QVERIFY(file.ok());
        const auto findings = study::checkRecipe(*file);
        QCOMPARE(
            std::count_if(findings.begin(), findings.end(), [](const auto& f) { return f.message.starts_with("there is no /nowhere/"); }),
            4);
        QVERIFY(findings[0].where == "/nowhere/r.yaml:2");
        const Error error = config::findingsError(findings);
        QVERIFY(error.code == "file.not_found" && exitCode(error.code) == 4);
    }

private:
    // Keys of float, float trained, the first scheme's PTQ and QAT rows.
    static std::vector<std::string> keysOf(const records::Recipe& r, const study::Facts& facts) {
        const auto members = *study::expand(r);
        std::map<std::string, std::string> keys;
        std::vector<std::string> out;
        for (const auto& m : members) {
            keys[m.id] = study::memberKey(m, facts, m.parent.empty() ? "" : keys[m.parent]);
            out.push_back(keys[m.id]);
        }
        out.resize(4);
        return out;
    }
};

QTEST_GUILESS_MAIN(StudyTest)
#include "tst_study.moc"
