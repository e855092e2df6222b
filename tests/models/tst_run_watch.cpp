// SPDX-License-Identifier: GPL-3.0-or-later
// What: watching a run through a real socket: events once and in order although the engine merges, leaves out, swaps, hangs up and dies.
#include "client/process_engine_client.h"
#include "live_fixture.h"
#include "wire/protocol.h"
#include "wire/transport.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QSignalSpy>
#include <atomic>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace qw;

namespace {

// An engine without a model: its log, its lock, its socket, and a script of what it does to its one client.
class ScriptedEngine {
public:
    explicit ScriptedEngine(const std::filesystem::path& project) : run(project, "scripted", 1000) {
        const int dir = ::open(run.folder.dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string name = "/proc/self/fd/" + std::to_string(dir) + "/engine.sock";
        name.copy(address.sun_path, sizeof address.sun_path - 1);
        m_listen = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::bind(m_listen, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(m_listen, 4) != 0) qFatal("no socket");
        ::close(dir);
        static_cast<void>(run.log->flush());
    }
    ~ScriptedEngine() {
        hangUp();
        if (m_listen >= 0) ::close(m_listen);
    }

    test::GrowingRun run;
    int attached = 0;
    int64_t after = -1; // what the client said it had

    void accept() {
        const int fd = ::accept(m_listen, nullptr, nullptr);
        m_client = wire::fdTransport(fd, fd);
        m_reader = wire::MessageReader();
        send(wire::toJson(wire::Event{"", 0, 0, 0, wire::engineHello()}));
        for (bool done = false; !done;) {
            const wire::Request request = next();
            if (request.op == "attach") {
                after = QJsonDocument::fromJson(QByteArray::fromStdString(request.params))
                            .object()
                            .value(QLatin1String("after_seq"))
                            .toInteger();
                done = true;
            }
            send(wire::format(wire::okResponse(request.id)));
        }
        ++attached;
        wire::EventLogReader log(run.folder.events());
        const auto records = log.read();
        for (const auto& record : *records)
            if (record.seq > after) send(record.json);
    }
    wire::Event make() {
        wire::Event event;
        event.run = run.uid.toStdString();
        event.payload = test::liveMetrics(++run.step);
        const auto seq = run.log->append(event);
        if (!seq) qFatal("%s", seq.error().message.c_str());
        return event;
    }
    void say(int n) {
        for (int i = 0; i < n; ++i) send(wire::toJson(make()));
    }
    void merge(int n) { // one line for n events
        wire::Event last;
        for (int i = 0; i < n; ++i) last = make();
        auto& metrics = std::get<wire::Metrics>(last.payload);
        metrics.merged = n;
        metrics.spans.resize(metrics.values.size());
        send(wire::toJson(last));
        static_cast<void>(run.log->flush());
    }
    void leaveOut(int n) {
        for (int i = 0; i < n; ++i) make();
        static_cast<void>(run.log->flush());
    }
    void swap() {
        const wire::Event first = make(), second = make();
        static_cast<void>(run.log->flush());
        send(wire::toJson(second));
        send(wire::toJson(first));
    }
    void hangUp() { m_client.reset(); }

private:
    void send(std::string line) {
        line += '\n';
        std::string_view rest = line;
        while (!rest.empty()) {
            const auto n = m_client->write(rest);
            if (!n) return;
            rest.remove_prefix(*n);
            if (!rest.empty()) m_client->wait(true, 1000);
        }
    }
    wire::Request next() {
        for (;;) {
            while (auto message = m_reader.next())
                if (*message)
                    if (const auto* request = std::get_if<wire::Request>(&**message)) return *request;
            std::string bytes;
            m_client->wait(false, 5000);
            if (!m_client->read(bytes)) qFatal("the client hung up in its greeting");
            m_reader.feed(bytes);
        }
    }
    int m_listen = -1;
    std::unique_ptr<wire::Transport> m_client;
    wire::MessageReader m_reader;
};

struct Heard {
    std::vector<int64_t> seqs, steps;
    int attached = 0, detached = 0, batches = 0;
    QString why;
    explicit Heard(ui::EngineClient& client) {
        QObject::connect(&client, &ui::EngineClient::event, &client, [this](const QString&, const wire::Event& event) {
            if (event.seq == 0) return;
            seqs.push_back(event.seq);
            if (const auto* metrics = std::get_if<wire::Metrics>(&event.payload)) steps.push_back(metrics->step);
        });
        QObject::connect(&client, &ui::EngineClient::attached, &client, [this] { ++attached; });
        QObject::connect(&client, &ui::EngineClient::detached, &client, [this](const QString&, const QString& reason) {
            ++detached;
            why = reason;
        });
    }
    [[nodiscard]] bool inOrder(int64_t from) const {
        for (size_t i = 0; i < seqs.size(); ++i)
            if (seqs[i] != from + static_cast<int64_t>(i)) return false;
        return true;
    }
};

ui::RunPlace place(const test::GrowingRun& run) { return {run.uid, QString::fromStdString(run.folder.dir.string())}; }

} // namespace

class RunWatchTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyEventOnceAndInOrder_data() {
        QTest::addColumn<QByteArray>("script"); // s: said, m: merged, l: left out, w: swapped, h: hung up and attached again
        QTest::addColumn<int>("after");
        QTest::newRow("said") << QByteArray("ssss") << 0;
        QTest::newRow("from the middle") << QByteArray("ssss") << 3;
        QTest::newRow("merged") << QByteArray("smmsms") << 0;
        QTest::newRow("left out") << QByteArray("slslls") << 0;
        QTest::newRow("swapped") << QByteArray("swws") << 0;
        QTest::newRow("hung up") << QByteArray("shslhsmhs") << 0;
        QTest::newRow("everything") << QByteArray("smlwhsmwlhwmsl") << 2;
    }
    void everyEventOnceAndInOrder() {
        QFETCH(QByteArray, script);
        QFETCH(int, after);
        test::TempDir dir;
        ScriptedEngine engine(dir.path());
        std::atomic<bool> ended{false};
        std::thread thread([&] {
            engine.accept();
            for (const char what : script) {
                if (what == 's') engine.say(20);
                if (what == 'm') engine.merge(30);
                if (what == 'l') engine.leaveOut(10);
                if (what == 'w') engine.swap();
                if (what == 'h') {
                    engine.hangUp();
                    engine.accept();
                }
            }
            engine.run.finish();
            engine.hangUp();
            ended = true;
        });
        ui::ProcessEngineClient client;
        Heard heard(client);
        client.watch(place(engine.run), after);
        QTRY_VERIFY_WITH_TIMEOUT(heard.detached > 0, 20'000);
        thread.join();
        QVERIFY(ended);
        QVERIFY2(heard.inOrder(after + 1), "an event came twice, or not in its turn");
        wire::EventLogReader log(engine.run.folder.events());
        const auto records = log.read();
        QCOMPARE(heard.seqs.back(), records->back().seq);
        QCOMPARE(heard.attached, 1 + static_cast<int>(script.count('h')));
        QCOMPARE(heard.detached, 1);
        QCOMPARE(heard.why, QString());
        for (size_t i = 0; i < heard.steps.size(); ++i) QCOMPARE(heard.steps[i], static_cast<int64_t>(i + 1));
    }

    void aDeathIsToldInWords() {
        test::TempDir dir;
        ScriptedEngine engine(dir.path());
        std::thread thread([&] {
            engine.accept();
            engine.say(5);
            engine.run.die();
            engine.hangUp();
        });
        ui::ProcessEngineClient client;
        Heard heard(client);
        client.watch(place(engine.run), 0);
        QTRY_VERIFY_WITH_TIMEOUT(heard.detached > 0, 10'000);
        thread.join();
        QVERIFY2(heard.why.contains(QStringLiteral("gone")), qPrintable(heard.why));
        QVERIFY(heard.inOrder(1));
    }

    void withoutAnEngineTheLogIsRead() {
        test::TempDir dir;
        test::GrowingRun run(dir.path(), "logged", 100);
        run.train(50);
        auto client = std::make_unique<ui::ProcessEngineClient>(); // the lock is held, nobody listens
        Heard heard(*client);
        client->watch(place(run), 10);
        QTRY_COMPARE_WITH_TIMEOUT(static_cast<int64_t>(heard.seqs.size()), run.log->lastSeq() - 10, 5000);
        run.train(7);
        QTRY_COMPARE_WITH_TIMEOUT(static_cast<int64_t>(heard.seqs.size()), run.log->lastSeq() - 10, 5000);
        QVERIFY(heard.inOrder(11));
        client->unwatch(run.uid);
        run.train(5);
        const size_t before = heard.seqs.size();
        ui::ProcessEngineClient other; // who watches hears of it
        Heard all(other);
        other.watch(place(run), 0);
        QTRY_COMPARE_WITH_TIMEOUT(static_cast<int64_t>(all.seqs.size()), run.log->lastSeq(), 5000);
        client.reset(); // its threads have ended
        QCoreApplication::sendPostedEvents();
        QCOMPARE(heard.seqs.size(), before);
    }

    void watchingDoesNotHoldTheWindowUp() {
        test::TempDir dir;
        ScriptedEngine engine(dir.path());
        std::thread thread([&] {
            engine.accept();
            for (int i = 0; i < 40; ++i) engine.say(500);
            engine.run.finish();
            engine.hangUp();
        });
        ui::ProcessEngineClient client;
        Heard heard(client);
        qint64 slowest = 0;
        QElapsedTimer timer;
        const QDeadlineTimer deadline(60'000);
        timer.start();
        client.watch(place(engine.run), 0);
        slowest = timer.elapsed();
        while (heard.detached == 0 && !deadline.hasExpired()) {
            timer.start();
            QCoreApplication::processEvents(QEventLoop::AllEvents);
            slowest = std::max(slowest, timer.elapsed());
            QThread::yieldCurrentThread();
        }
        timer.start();
        client.unwatch(engine.run.uid);
        slowest = std::max(slowest, timer.elapsed());
        thread.join();
        QCOMPARE(heard.detached, 1);
        QCOMPARE(heard.steps.size(), size_t{20'000});
        QVERIFY(heard.inOrder(1));
        qInfo("20 000 events, slowest turn of the event loop %lld ms", static_cast<long long>(slowest));
        QVERIFY2(slowest <= 100, qPrintable(QString::number(slowest))); // a shared machine; alone it is a few ms
    }
};

QTEST_GUILESS_MAIN(RunWatchTest)
#include "tst_run_watch.moc"
