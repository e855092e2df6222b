// SPDX-License-Identifier: GPL-3.0-or-later
#include "eval/evaluator.h"
#include "eval/requests.h"
#include "test_data.h"

#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

using namespace qw;
using Json = nlohmann::json;

namespace {

const Json& golden() {
    static const Json json = Json::parse(std::ifstream(test::referenceData() / "stories260K/golden.json"));
    return json;
}
const model::Decoder& decoder() {
    static const auto loaded = [] {
        auto from = checkpoint::Checkpoint::open(test::referenceData() / "stories260K");
        return model::Decoder::load(*from, at::kFloat, at::kCPU);
    }();
    return *loaded;
}
const tokenizer::Tokenizer& tok() {
    static const auto loaded = tokenizer::Tokenizer::load(test::referenceData() / "stories260K");
    return *loaded;
}
tasks::TaskData task(const char* kind, const char* name, double limit = 0) {
    auto loaded = tasks::loadTask(kind, test::referenceData() / name, limit);
    return loaded ? *std::move(loaded) : tasks::TaskData{};
}
const tasks::TaskData& val200() {
    static const tasks::TaskData data = task("hellaswag", "hellaswag/hellaswag_val_200.jsonl");
    return data;
}
tasks::TaskData threePages() {
    tasks::TaskData data = task("wikitext", "wikitext-2-raw/wiki.test.raw");
    std::vector<tasks::Document> picked;
    for (const auto& index : golden()["wikitext"]["picked"]) picked.push_back(data.documents.at(index.get<size_t>()));
    data.documents = picked;
    return data;
}
eval::Scored run(const tasks::TaskData& data, const eval::Settings& settings) {
    auto scored = eval::score(decoder(), tok(), data, settings, nullptr, {});
    if (!scored) qFatal("%s", scored.error().message.c_str());
    return *std::move(scored);
}
double metric(const eval::Scored& scored, const char* name) {
    for (const auto& m : scored.result.metrics)
        if (m.name == name) return m.value;
    return NAN;
}
bool close(double have, double want, double relative) { return std::abs(have - want) <= relative * std::abs(want); }

} // namespace

class EvalTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        QW_NEEDS_REFERENCE_DATA();
        at::set_num_threads(1); // other tests run beside this one
    }
    void fiftyRows() {
        eval::Settings settings;
        settings.bos = "on";
        tasks::TaskData data = val200();
        data.rows.resize(50);
        const eval::Scored scored = run(data, settings);
        const Json& rows = golden()["hellaswag"]["val_200_first_50_rows_bos_on"];
        QCOMPARE(scored.items.size(), rows.size());
        double worst = 0;
        for (size_t i = 0; i < rows.size(); ++i) {
            QCOMPARE(scored.items[i].ll.size(), rows[i]["ll"].size());
            int64_t tokens = 0;
            for (size_t c = 0; c < 4; ++c) {
                worst = std::max(worst, std::abs(scored.items[i].ll[c] - rows[i]["ll"][c].get<double>()));
                tokens += rows[i]["cont_tokens"][c].get<int64_t>();
                QCOMPARE(data.rows[i].chars[c], rows[i]["choice_chars"][c].get<int64_t>());
            }
            QCOMPARE(scored.items[i].tokens, tokens);
            const int gold = rows[i]["gold"].get<int>();
            QCOMPARE(scored.items[i].correct, int(rows[i]["pred"].get<int>() == gold));
            QCOMPARE(scored.items[i].correctNorm, int(rows[i]["pred_norm"].get<int>() == gold));
        }
        QVERIFY2(worst < 2e-3, qPrintable(QString::number(worst)));
    }
    void twoHundredRows_data() {
        QTest::addColumn<QString>("bos");
        QTest::addColumn<QString>("key");
        QTest::newRow("bos on") << QStringLiteral("on") << QStringLiteral("bos_on");
        QTest::newRow("bos off") << QStringLiteral("off") << QStringLiteral("bos_off");
        QTest::newRow("bos auto: this tokenizer adds it") << QStringLiteral("auto") << QStringLiteral("bos_on");
    }
    void twoHundredRows() {
        QFETCH(QString, bos);
        QFETCH(QString, key);
        eval::Settings settings;
        settings.bos = bos.toStdString();
        const eval::Scored scored = run(val200(), settings);
        const Json& want = golden()["hellaswag"][key.toStdString()]["val_200"];
        QCOMPARE(scored.result.n, 200);
        QCOMPARE(metric(scored, "acc"), want["acc"].get<double>());
        QCOMPARE(metric(scored, "acc_norm"), want["acc_norm"].get<double>());
        for (const auto& m : scored.result.metrics) QVERIFY(std::abs(*m.stderror - want[m.name + "_stderr"].get<double>()) < 5e-7);
    }
    void batchesAndSharingChangeNothing_data() {
        QTest::addColumn<int>("tokens");
        QTest::addColumn<bool>("shared");
        QTest::addColumn<bool>("rowByRow");
        QTest::newRow("one row at a time") << 1 << false << false;
        QTest::newRow("seven long rows") << 7 * 300 << false << false;
        QTest::newRow("64 long rows") << 64 * 300 << false << false;
        QTest::newRow("shared, one at a time") << 1 << true << false;
        QTest::newRow("shared, seven") << 7 * 300 << true << false;
        QTest::newRow("shared, 64") << 64 * 300 << true << false;
        QTest::newRow("row by row") << 0 << true << true;
    }
    void batchesAndSharingChangeNothing() {
        QFETCH(int, tokens);
        QFETCH(bool, shared);
        QFETCH(bool, rowByRow);
        tasks::TaskData data = val200();
        data.rows.resize(64);
        static const eval::Scored want = run(data, {});
        eval::Settings settings;
        settings.batchTokens = tokens;
        settings.sharedContext = shared;
        settings.rowByRow = rowByRow;
        const eval::Scored have = run(data, settings);
        for (size_t i = 0; i < want.items.size(); ++i) {
            QCOMPARE(have.items[i].correct, want.items[i].correct);
            QCOMPARE(have.items[i].correctNorm, want.items[i].correctNorm);
            for (size_t c = 0; c < 4; ++c) QVERIFY(std::abs(have.items[i].ll[c] - want.items[i].ll[c]) < 1e-3);
        }
        QCOMPARE(have.result.settingsHash, want.result.settingsHash);
        if (tokens == 7 * 300 && shared) QCOMPARE(run(data, settings).items[5].ll, have.items[5].ll); // the same run twice: bit for bit
    }
    void shortContextWindow() { // L = 256: requests lose tokens on the left, documents need more windows
        eval::Settings settings;
        settings.bos = "on";
        settings.maxLength = 256;
        const Json& want = golden()["max_length_256_bos_on"];
        tasks::TaskData data = val200();
        data.rows.resize(50);
        const eval::Scored rows = run(data, settings);
        QCOMPARE(metric(rows, "acc"), want["hellaswag_val_200_first_50"]["acc"].get<double>());
        QCOMPARE(metric(rows, "acc_norm"), want["hellaswag_val_200_first_50"]["acc_norm"].get<double>());
        QCOMPARE(Json::parse(rows.result.settings)["truncated"].get<int>(), want["hellaswag_val_200_first_50"]["truncated"].get<int>());
        for (size_t i = 0; i < 50; ++i)
            for (size_t c = 0; c < 4; ++c)
                QVERIFY(std::abs(rows.items[i].ll[c] - want["hellaswag_val_200_first_50"]["ll"][i][c].get<double>()) < 2e-3);
        const eval::Scored pages = run(threePages(), settings);
        for (const char* name : {"word_perplexity", "byte_perplexity", "bits_per_byte"})
            QVERIFY(close(metric(pages, name), want["wikitext_three_docs"][name].get<double>(), 1e-5));
    }
    void threeWikitextPages_data() {
        QTest::addColumn<QString>("bos");
        QTest::newRow("on") << QStringLiteral("on");
        QTest::newRow("off") << QStringLiteral("off");
    }
    void threeWikitextPages() {
        QFETCH(QString, bos);
        eval::Settings settings;
        settings.bos = bos.toStdString();
        const eval::Scored scored = run(threePages(), settings);
        const Json& want = golden()["wikitext"]["three_docs_bos_" + bos.toStdString()];
        for (const char* name : {"word_perplexity", "byte_perplexity", "bits_per_byte"})
            QVERIFY2(close(metric(scored, name), want[name].get<double>(), 1e-5), name);
        for (size_t i = 0; i < 3; ++i) {
            QVERIFY(close(scored.items[i].ll[0], want["per_doc"][i]["ll"].get<double>(), 1e-5));
            QCOMPARE(scored.items[i].tokens, want["per_doc"][i]["tokens"].get<int64_t>());
        }
        QVERIFY(!scored.result.metrics[0].stderror);
    }
    void inDomainText() {
        eval::Settings settings;
        settings.bos = "on";
        const eval::Scored scored = run(task("jsonl", "stories260K/sampled/valid.jsonl"), settings);
        QCOMPARE(scored.result.n, 100);
        int64_t tokens = 0;
        for (const auto& item : scored.items) tokens += item.tokens;
        QCOMPARE(tokens, golden()["in_domain_valid_bos_on"]["tokens"].get<int64_t>());
        QVERIFY2(std::abs(metric(scored, "loss") - 1.346855) < 1.35e-5, qPrintable(QString::number(metric(scored, "loss"), 'f', 7)));
    }
    void windows() { // evaluation.md 6, small example: L = 3, tokens 0..7, prefix 9
        const eval::Ids tokens{0, 1, 2, 3, 4, 5, 6, 7};
        const auto w = eval::rollingWindows(tokens, 9, 3);
        QCOMPARE(w.size(), size_t{3});
        QCOMPARE(w[0].input, (eval::Ids{9, 0, 1}));
        QCOMPARE(w[0].targets, (eval::Ids{0, 1, 2}));
        QCOMPARE(w[1].input, (eval::Ids{2, 3, 4}));
        QCOMPARE(w[1].targets, (eval::Ids{3, 4, 5}));
        QCOMPARE(w[2].input, (eval::Ids{4, 5, 6}));
        QCOMPARE(w[2].targets, (eval::Ids{6, 7}));
        QVERIFY(eval::rollingWindows({}, 9, 3).empty());
        QCOMPARE(eval::rollingWindows({5}, 9, 3).at(0).input, (eval::Ids{9}));
        QCOMPARE(eval::rollingWindows({5, 6, 7}, 9, 3).size(), size_t{1});
    }
    void encodesByThePolicy() {
        const eval::Encoder on(tok(), {"on", 1, 512}), off(tok(), {"off", 1, 512});
        QCOMPARE(on("Once upon a time"), (eval::Ids{1, 403, 407, 261, 378})); // golden.json, tokenizer
        QCOMPARE(off("Once upon a time"), (eval::Ids{403, 407, 261, 378}));
        const eval::Ids special = on("<s>Once upon a time");
        QCOMPARE(std::count(special.begin(), special.end(), 1), 1); // not doubled
        QCOMPARE(special.front(), 1);
    }
    void pairs() {
        const eval::Encoder encoder(tok(), {"on", 1, 512});
        tasks::ChoiceRow row{"Once upon", {"a time", " a time"}, {6, 7}, 0, 1};
        auto work = eval::choiceWork(encoder, {row}, true, serial());
        QVERIFY(work.ok());
        QCOMPARE(work->shared.size(), size_t{1});
        const eval::Ids context = encoder("Once upon"), whole = encoder("Once upon a time");
        QCOMPARE(work->shared[0].context, context);
        QCOMPARE(work->shared[0].endings[0], eval::Ids(whole.begin() + static_cast<std::ptrdiff_t>(context.size()), whole.end()));
        tasks::ChoiceRow spaced = row;
        spaced.query = "Once upon \xC2\xA0"; // both spaces move to the continuation
        auto moved = eval::choiceWork(encoder, {spaced}, true, serial());
        QVERIFY(moved.ok());
        QCOMPARE(moved->shared[0].context, context);
        tasks::ChoiceRow empty = row;
        empty.query.clear();
        auto without = eval::choiceWork(encoder, {empty}, true, serial());
        QVERIFY(without.ok());
        QCOMPARE(without->shared[0].context, (eval::Ids{1}));
        QCOMPARE(without->shared[0].endings[0], encoder.withoutSpecials(" a time"));
        const eval::Encoder narrow(tok(), {"on", 1, 3});
        tasks::ChoiceRow longer{"Once", {"upon a time there was a girl", "b"}, {28, 1}, 0, 7};
        const auto refused = eval::choiceWork(narrow, {longer}, true, serial());
        QVERIFY(!refused.ok());
        QVERIFY(refused.error().message.find("line 7: choice 0 has ") != std::string::npos);
        QCOMPARE(refused.error().code, std::string("data.unreadable"));
    }
    void settingsAreTold() {
        tasks::TaskData data = val200();
        data.rows.resize(2);
        eval::Settings settings;
        const auto first = run(data, settings);
        const Json told = Json::parse(first.result.settings);
        QCOMPARE(told["bos"].get<std::string>(), std::string("auto"));
        QCOMPARE(told["adds_bos"].get<bool>(), true);
        QCOMPARE(told["prefix_id"].get<int>(), 1);
        QCOMPARE(told["max_length"].get<int>(), 512);
        QCOMPARE(told["dtype"].get<std::string>(), std::string("fp32"));
        QCOMPARE(told["softmax_dtype"].get<std::string>(), std::string("fp32"));
        QCOMPARE(told["truncated"].get<int>(), 0);
        QVERIFY(first.result.tokensPerSecond > 0);
        settings.batchTokens = 100;
        QCOMPARE(run(data, settings).result.settingsHash, first.result.settingsHash);
        settings.bos = "on"; // the same ids as auto here
        QCOMPARE(run(data, settings).result.settingsHash, first.result.settingsHash);
        settings.bos = "off";
        QVERIFY(run(data, settings).result.settingsHash != first.result.settingsHash);
        settings.bos = "auto";
        settings.maxLength = 511;
        QVERIFY(run(data, settings).result.settingsHash != first.result.settingsHash);
        settings.maxLength = 0;
        settings.prefixId = 2;
        QVERIFY(run(data, settings).result.settingsHash != first.result.settingsHash);
        data.rows.resize(1);
        QVERIFY(run(data, {}).result.settingsHash != first.result.settingsHash);
    }
    void refusesAndStops() {
        tasks::TaskData data = val200();
        data.rows.resize(2);
        eval::Settings settings;
        settings.bos = "maybe";
        QCOMPARE(eval::score(decoder(), tok(), data, settings, nullptr, {}).error().code, std::string("config.invalid"));
        settings.bos = "auto";
        settings.prefixId = 100000;
        QCOMPARE(eval::score(decoder(), tok(), data, settings, nullptr, {}).error().code, std::string("config.invalid"));
        CancelToken cancel;
        cancel.raise(CancelLevel::Now);
        QCOMPARE(eval::score(decoder(), tok(), data, {}, &cancel, {}).error().code, std::string("engine.cancelled"));
        int64_t last = 0, total = 0;
        QVERIFY(eval::score(decoder(), tok(), data, {}, nullptr, [&](int64_t done, int64_t all) {
                    last = done;
                    total = all;
                }).ok());
        QCOMPARE(last, 2);
        QCOMPARE(total, 2);
    }
};

QTEST_GUILESS_MAIN(EvalTest)
#include "tst_eval.moc"
