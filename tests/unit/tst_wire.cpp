// SPDX-License-Identifier: GPL-3.0-or-later
// What: the protocol: every event there and back, framing and its limits, hello, what a slow client gets.
#include "base/build_info.h"
#include "base/clock.h"
#include "test_data.h"
#include "wire/outbound_queue.h"
#include "wire/protocol.h"

#include <cmath>
#include <random>
#include <set>
#include <sys/socket.h>
#include <thread>

using namespace qw;
using namespace qw::wire;

namespace {

constexpr int64_t kSecond = 1'000'000'000;

Event make(Payload payload, int64_t seq = 0) {
    Event e;
    e.run = "01J";
    e.seq = seq;
    e.tsMs = 1767225600123;
    e.monoNs = 123456789;
    e.payload = std::move(payload);
    return e;
}

// One of each, with awkward text and numbers.
std::vector<Payload> everyPayload() {
    Hello hello = engineHello();
    hello.devices = {"cpu", "cuda:0 \"x\""};
    ModelFacts model;
    model.path = "/a b/ü\n";
    model.layers = {{"l.0", 4, 8, "int4 g32", "", 4.5}, {"l.1", 3, 5, "", "odd", 16}};
    records::EvalResult result;
    result.uid = "R";
    result.metrics = {{"acc", 0.1, 0.2}, {"word_perplexity", INFINITY, std::nullopt}};
    result.limit = 0.25;
    result.settings = "{\"bos\":true}";
    return {hello,
            Heartbeat{"train", 5, 6, 7},
            StateChange{records::RunState::Pausing, "eval", "asked"},
            Attempt{3, "host", "cuda:1", "2.11.0", "b", 4321, 1500, 2, false},
            model,
            Progress{"train", "steps", 3, 10, -1},
            Metrics{7, {{"train.loss", 0.1}, {"a", std::nan("")}, {"b", -INFINITY}, {"c", 1e-310}, {"d", 3.0}}, 0, {}},
            LayerStats{7, "l.0", {{"w_sqnr", 31.4159}}, 2, {{1, 2, 1.5, 2}}},
            CheckpointSaved{1500, 1 << 20, "checkpoints/step_00001500", true},
            EvalDone{result},
            Artifact{"native", "exports/native", "h", "{\"bits\":4}", 10, 3},
            Notice{true, "engine.oom", "no memory", "smaller batch", "{\"bytes\":1}"},
            Notice{false, "x", "y", "", ""},
            LogLine{2, "line\twith \x01 control", 0},
            Bye{70, "bug"},
            Settings{40, {{"checkpoint.every", 10}, {"eval.every", 0.05}}},
            RawEvent{"event.of.the.future", "{\"k\":[1,{\"x\":null}]}"}};
}

// Everything that was sent, as parsed messages.
std::vector<Message> drain(OutboundQueue& queue, size_t capacity = 1 << 24) {
    auto [mine, theirs] = memoryTransportPair(capacity);
    if (!queue.pump(*mine)) return {};
    std::string bytes;
    if (!theirs->read(bytes)) return {};
    MessageReader reader;
    reader.feed(bytes);
    std::vector<Message> messages;
    while (auto message = reader.next()) messages.push_back(*std::move(*message));
    return messages;
}

} // namespace

class WireTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyEventComesBack() {
        int64_t seq = 0;
        std::set<std::string> names;
        for (const Payload& payload : everyPayload()) {
            const std::string text = toJson(make(payload, ++seq));
            QVERIFY(text.find('\n') == std::string::npos);
            const auto back = eventFromJson(text);
            QVERIFY2(back.ok(), text.c_str());
            QCOMPARE(QByteArray(toJson(*back).c_str()), QByteArray(text.c_str()));
            QCOMPARE(back->payload.index(), payload.index());
            QCOMPARE(back->seq, seq);
            names.insert(eventName(payload));
        }
        for (const EventRow& row : eventTable())
            if (*row.name) QVERIFY2(names.contains(row.name), row.name);
        const auto nan = std::get<Metrics>(eventFromJson(toJson(make(everyPayload()[6])))->payload);
        QVERIFY(std::isnan(nan.values[1].second));
        QCOMPARE(nan.values[2].second, -INFINITY);
        QCOMPARE(nan.values[3].second, 1e-310); // bit for bit
    }
    void envelope() {
        const std::string text = toJson(make(Metrics{9, {{"train.loss", 2.5}}, 0, {}}, 9123));
        QCOMPARE(text, std::string(
                           "{\"v\":1,\"t\":\"evt\",\"ev\":\"metrics\",\"run\":\"01J\",\"seq\":9123,\"ts\":1767225600123,\"mono\":123456789,"
                           "\"d\":{\"step\":9,\"values\":{\"train.loss\":2.5}}}"));
    }
    void unknownFieldsAreIgnored() {
        const auto back =
            eventFromJson("{\"v\":1,\"t\":\"evt\",\"ev\":\"bye\",\"ts\":1,\"mono\":2,\"later\":[1],\"d\":{\"exit_code\":3,\"new\":{}}}");
        QCOMPARE(std::get<Bye>(back->payload).exitCode, 3);
    }
    void wrongEvents_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("says");
        QTest::newRow("wrong type of a field") << QByteArray("{\"v\":1,\"t\":\"evt\",\"ev\":\"bye\",\"d\":{\"exit_code\":\"x\"}}")
                                               << QByteArray("exit_code");
        QTest::newRow("integer past 2^53") << QByteArray("{\"v\":1,\"t\":\"evt\",\"ev\":\"metrics\",\"d\":{\"step\":9007199254740993}}")
                                           << QByteArray("step");
        QTest::newRow("unknown state") << QByteArray("{\"v\":1,\"t\":\"evt\",\"ev\":\"state\",\"d\":{\"state\":\"happy\"}}")
                                       << QByteArray("state");
        QTest::newRow("no data") << QByteArray("{\"v\":1,\"t\":\"evt\",\"ev\":\"bye\"}") << QByteArray("no object 'd'");
        QTest::newRow("NaN literal") << QByteArray("{\"v\":1,\"t\":\"evt\",\"ev\":\"metrics\",\"d\":{\"values\":{\"a\":NaN}}}")
                                     << QByteArray("not a JSON object");
        QTest::newRow("half a line") << QByteArray("{\"v\":1,\"t\":\"evt\"") << QByteArray("not a JSON object");
    }
    void wrongEvents() {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, says);
        const auto back = eventFromJson(text.toStdString());
        QVERIFY(!back.ok());
        QCOMPARE(back.error().code, std::string("proto.bad_line"));
        QVERIFY2(back.error().message.find(says.toStdString()) != std::string::npos, back.error().message.c_str());
    }
    void requestsAndResponses() {
        const auto request = parseMessage(format(Request{17, "train.pause", "{\"run\":\"01J\"}"}));
        QCOMPARE(std::get<Request>(*request).op, std::string("train.pause"));
        QCOMPARE(std::get<Request>(*request).params, std::string("{\"run\":\"01J\"}"));
        const auto good = parseMessage(format(okResponse(17, "{\"accepted\":true}")));
        QCOMPARE(std::get<Response>(*good).result, std::string("{\"accepted\":true}"));
        const auto bad = std::get<Response>(*parseMessage(format(errorResponse(18, {"engine.oom", "m", "h", "{\"step\":3}", true}))));
        QVERIFY(!bad.ok);
        QCOMPARE(bad.error.code, std::string("engine.oom"));
        QCOMPARE(bad.error.detail, std::string("{\"step\":3}"));
        QVERIFY(bad.error.retry);
        QCOMPARE(parseMessage("{\"v\":2,\"t\":\"req\",\"id\":1,\"op\":\"x\"}").error().code, std::string("proto.version"));
    }
    void linesComeInPieces() {
        const std::string text = format(Request{1, "ping", "{}"}) + "\n\n" + format(Request{2, "ping", "{}"}) + "\n";
        for (size_t piece = 1; piece < text.size(); piece += 3) {
            MessageReader reader;
            int64_t last = 0;
            for (size_t i = 0; i < text.size(); i += piece) {
                reader.feed(std::string_view(text).substr(i, piece));
                while (const auto message = reader.next()) last = std::get<Request>(**message).id;
            }
            QCOMPARE(last, int64_t{2});
        }
    }
    void threeBadLinesClose() {
        MessageReader reader;
        const std::string good = format(Request{1, "ping", "{}"}) + "\n";
        reader.feed("x\nx\n" + good + "x\nx\nx\n" + good);
        int bad = 0, fine = 0;
        while (const auto message = reader.next()) message->ok() ? ++fine : ++bad;
        QCOMPARE(bad, 5);
        QCOMPARE(fine, 1);
        QVERIFY(reader.closed());
    }
    void bombs() {
        MessageReader reader;
        const std::string deep =
            "{\"v\":1,\"t\":\"req\",\"id\":1,\"op\":\"x\",\"p\":" + std::string(100000, '[') + std::string(100000, ']') + "}\n";
        reader.feed(deep);
        QVERIFY(reader.next()->error().message.find("deeper than 32") != std::string::npos);
        const std::string good = format(Request{3, "ping", "{}"}) + "\n";
        reader.feed(good);
        QVERIFY(reader.next()->ok());
        // 100 MB without an end: one complaint, no memory kept, and the next line counts again.
        const std::string part(1 << 20, 'a');
        int complaints = 0;
        for (int i = 0; i < 100; ++i) {
            reader.feed(part);
            while (const auto message = reader.next()) complaints += !message->ok();
        }
        QCOMPARE(complaints, 1);
        reader.feed("\n" + good);
        QVERIFY(reader.next()->ok());
        QVERIFY(!reader.closed());
        QCOMPARE(jsonDepth("{\"a[[[\":\"\\\"[[[\"}"), 1);
    }
    void hello() {
        QVERIFY(checkHello(engineHello()).ok());
        Hello other = engineHello();
        other.buildId = "0000";
        QCOMPARE(checkHello(other).error().code, std::string("proto.version"));
        QCOMPARE(exitCode("proto.version"), 78);
        other = engineHello();
        other.protoMin = other.protoMax = 2;
        QVERIFY(checkHello(other).error().message.find("this program is the older") != std::string::npos);
        other.protoMin = 1; // ranges overlap
        QVERIFY(checkHello(other).ok());
        QVERIFY(checkHelloRequest(std::get<Request>(*parseMessage(format(helloRequest(1))))).ok());
        QVERIFY(!checkHelloRequest(Request{1, "ping", "{}"}).ok());
        QCOMPARE(checkHelloRequest(Request{1, "hello", "{\"proto\":[2,3],\"build_id\":\"x\"}"}).error().code, std::string("proto.version"));
        QVERIFY(!checkHelloRequest(Request{1, "hello", "{\"proto\":[\"a\",3]}"}).ok());
    }
    void aFullQueueMergesAndKeepsOrder() {
        QueueLimits limits;
        limits.messages = 10;
        limits.metricsPerSecond = 1e9;
        OutboundQueue queue(limits);
        int64_t seq = 0;
        for (int i = 1; i <= 1000; ++i) {
            queue.push(make(Metrics{i, {{"loss", static_cast<double>(i)}, {"bad", i % 2 ? std::nan("") : 1.0}}, 0, {}}, ++seq),
                       i * kSecond);
            if (i % 100 == 0) queue.push(make(StateChange{records::RunState::Running, std::to_string(i), {}}, ++seq), i * kSecond);
        }
        const auto messages = drain(queue);
        int64_t last = 0, states = 0, merged = 0;
        double low = INFINITY, high = 0, sum = 0;
        for (const Message& message : messages) {
            const auto& e = std::get<Event>(message);
            QVERIFY(e.seq > last);
            last = e.seq;
            if (std::holds_alternative<StateChange>(e.payload)) ++states;
            if (const auto* m = std::get_if<Metrics>(&e.payload)) {
                const auto n = std::max<int64_t>(m->merged, 1);
                const MergedSpan span =
                    m->merged ? m->spans[0] : MergedSpan{m->values[0].second, m->values[0].second, m->values[0].second, 1};
                merged += n;
                low = std::min(low, span.min);
                high = std::max(high, span.max);
                sum += span.mean * static_cast<double>(span.n);
                QCOMPARE(m->values[0].second, static_cast<double>(m->step)); // the newest value is kept
            }
        }
        QCOMPARE(states, int64_t{10}); // lossless
        QCOMPARE(merged, int64_t{1000});
        QCOMPARE(low, 1.0);
        QCOMPARE(high, 1000.0);
        QVERIFY(std::abs(sum - 500500.0) < 1e-6);
        QVERIFY(messages.size() < 30);
    }
    void layersAreMergedApart() {
        QueueLimits limits;
        limits.messages = 1;
        OutboundQueue queue(limits);
        for (int i = 0; i < 20; ++i) queue.push(make(LayerStats{i, i % 2 ? "odd" : "even", {{"w_sqnr", 1.0 * i}}, 0, {}}, i + 1), 0);
        queue.release(10 * kSecond);
        queue.release(11 * kSecond);
        std::map<std::string, double> newest;
        for (const Message& message : drain(queue)) {
            const auto& stats = std::get<LayerStats>(std::get<Event>(message).payload);
            newest[stats.layer] = stats.values[0].second;
        }
        QCOMPARE(newest["odd"], 19.0);
        QCOMPARE(newest["even"], 18.0);
    }
    void rateCaps() {
        OutboundQueue queue;
        // Ten seconds of 1000 steps a second.
        for (int64_t i = 1; i <= 10000; ++i) queue.push(make(Metrics{i, {{"loss", 1.0}}, 0, {}}, i), i * kSecond / 1000);
        queue.release(11 * kSecond);
        const auto messages = drain(queue);
        QVERIFY2(messages.size() <= 302 && messages.size() >= 200, qPrintable(QString::number(messages.size())));
        int64_t merged = 0;
        for (const Message& m : messages) merged += std::max<int64_t>(1, std::get<Metrics>(std::get<Event>(m).payload).merged);
        QCOMPARE(merged, int64_t{10000});
    }
    void logLinesAreCappedAndCounted() {
        OutboundQueue queue;
        for (int i = 0; i < 200; ++i) queue.push(make(LogLine{1, "x", 0}, i + 1), kSecond);
        queue.push(make(LogLine{2, "a warning is never left out", 0}, 201), kSecond);
        queue.push(make(LogLine{1, "later", 0}, 202), 3 * kSecond);
        int64_t lines = 0, suppressed = 0;
        for (const Message& m : drain(queue)) {
            ++lines;
            suppressed += std::get<LogLine>(std::get<Event>(m).payload).suppressed;
        }
        QCOMPARE(lines, int64_t{52});
        QCOMPARE(suppressed, int64_t{150});
    }
    void aClientThatNeverReadsIsDropped() {
        OutboundQueue queue;
        auto [mine, theirs] = memoryTransportPair(1000);
        const std::string text(10000, 'x');
        bool lost = false;
        for (int i = 0; i < 2000 && !lost; ++i) {
            queue.push(make(Notice{true, "e", text, {}, {}}, i + 1), 0);
            lost = !queue.pump(*mine);
            QVERIFY(queue.queuedBytes() <= (8u << 20) + 20000);
        }
        QVERIFY(lost);
        QVERIFY(queue.dropped());
    }
    void partialWritesKeepLinesWhole() {
        OutboundQueue queue;
        auto [mine, theirs] = memoryTransportPair(7);
        for (int i = 1; i <= 20; ++i) queue.push(make(Bye{i, "r"}, i), 0);
        MessageReader reader;
        int64_t seen = 0;
        for (int round = 0; round < 10000 && seen < 20; ++round) {
            QVERIFY(queue.pump(*mine).ok());
            std::string bytes;
            QVERIFY(theirs->read(bytes).ok());
            reader.feed(bytes);
            while (const auto message = reader.next()) QCOMPARE(std::get<Event>(**message).seq, ++seen);
        }
        QCOMPARE(seen, int64_t{20});
    }
    void socketTransport() {
        int fds[2];
        QCOMPARE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        auto a = fdTransport(fds[0], fds[0]);
        auto b = fdTransport(fds[1], fds[1]);
        std::string got;
        QCOMPARE(*b->read(got), size_t{0}); // nothing yet, no blocking
        QVERIFY(!b->wait(false, 1));
        QCOMPARE(*a->write("hello\n"), size_t{6});
        QVERIFY(b->wait(false, 1000));
        QCOMPARE(*b->read(got), size_t{6});
        const std::string big(8 << 20, 'x');
        const size_t taken = *a->write(big);
        QVERIFY(taken > 0 && taken < big.size());
        a.reset();
        got.clear();
        QTRY_VERIFY_WITH_TIMEOUT(!b->read(got).ok(), 2000);
        QCOMPARE(got.size(), taken);
    }
    void memoryTransportWakesUp() {
        auto [a, b] = memoryTransportPair();
        std::thread writer([&a = a] { static_cast<void>(a->write("x")); });
        QVERIFY(b->wait(false, 5000));
        writer.join();
        std::string got;
        QCOMPARE(*b->read(got), size_t{1});
        a.reset();
        QVERIFY(b->wait(false, 5000));
        QCOMPARE(b->read(got).error().code, std::string("engine.lost"));
    }
    void mutatedLinesNeverCrash() {
        std::vector<std::string> lines;
        for (const Payload& payload : everyPayload()) lines.push_back(toJson(make(payload, 5)));
        lines.push_back(format(Request{1, "train.start", "{\"run\":\"x\",\"n\":[1,2]}"}));
        lines.push_back(format(errorResponse(2, {"a.b", "m", "h", "{}", true})));
        std::mt19937 random(11);
        int parsed = 0;
        for (int round = 0; round < 20000; ++round) {
            std::string line = lines[random() % lines.size()];
            for (unsigned edits = random() % 5; edits > 0 && !line.empty(); --edits) {
                const size_t at = random() % line.size();
                switch (random() % 4) {
                case 0:
                    line[at] = static_cast<char>(random());
                    break;
                case 1:
                    line.erase(at, random() % 20);
                    break;
                case 2:
                    line.insert(at, line.substr(random() % line.size(), random() % 30));
                    break;
                default:
                    line[at] = "{}[]\",:0-9eEtrufalsn"[random() % 20];
                }
            }
            const auto message = parseMessage(line);
            if (!message) {
                QVERIFY(message.error().code.starts_with("proto."));
                continue;
            }
            ++parsed;
            // What was accepted can be written again.
            if (const auto* e = std::get_if<Event>(&*message)) QVERIFY(eventFromJson(toJson(*e)).ok());
        }
        QVERIFY(parsed > 1000);
    }
};

QTEST_GUILESS_MAIN(WireTest)
#include "tst_wire.moc"
