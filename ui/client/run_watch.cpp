// SPDX-License-Identifier: GPL-3.0-or-later
#include "client/run_watch.h"

#include "base/clock.h"
#include "client/project.h"
#include "drive/engine_client.h"
#include "drive/run_driver.h"
#include "wire/event_log.h"
#include "wire/json_events.h"
#include "wire/local_socket.h"
#include "wire/run_folder.h"

#include <QMetaObject>
#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>

namespace qw::ui {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kBatchMs = 33;    // between two deliveries
constexpr int64_t kLogEveryMs = 50; // between two looks at the log while an engine is ahead of it
constexpr int kTickMs = 100, kIdleMs = 250, kConnectMs = 30, kGreetMs = 5000;
constexpr int kGoneMs = 2000; // an engine closes its socket a moment before its lock
constexpr size_t kLogChunk = 512;
constexpr size_t kMostInTurn = 400; // events handed over in one turn of the window's loop

int64_t mergedIn(const wire::Event& event) {
    if (const auto* m = std::get_if<wire::Metrics>(&event.payload)) return m->merged;
    if (const auto* l = std::get_if<wire::LayerStats>(&event.payload)) return l->merged;
    return 0;
}

} // namespace

struct RunWatch::State {
    QObject* gui = nullptr;
    wire::RunFolder folder;
    std::function<void(std::vector<WatchNews>)> deliver;
    std::atomic<bool> stop{false}, ended{false};

    std::mutex mutex;
    std::condition_variable wake;
    std::vector<WatchNews> news; // under mutex
    bool posted = false;         // under mutex: a delivery is on its way

    // Of the thread.
    int64_t seq = 0, wanted = 0; // handed out; the engine has told of
    int64_t postedNs = 0, logNs = 0;
    bool otherBuild = false;
    std::optional<wire::EventLogReader> log;

    void add(WatchNews one) {
        const std::scoped_lock lock(mutex);
        news.push_back(std::move(one));
    }
    void tell(wire::Event event) { add({WatchNews::Kind::Event, {}, std::move(event)}); }

    // Posts what has gathered, when it is time or at once.
    static void flush(const std::shared_ptr<State>& self, bool now) {
        {
            const std::scoped_lock lock(self->mutex);
            if (self->news.empty() || self->posted) return;
            if (!now && monotonicNs() - self->postedNs < kBatchMs * kNsPerMs) return;
            self->posted = true;
        }
        self->postedNs = monotonicNs();
        post(self);
    }
    // On the GUI thread: a part, and the rest in another turn of its loop.
    static void post(const std::shared_ptr<State>& self) {
        QMetaObject::invokeMethod(
            self->gui,
            [self] {
                std::vector<WatchNews> part;
                bool more = false;
                {
                    const std::scoped_lock lock(self->mutex);
                    const auto end = self->news.begin() + static_cast<std::ptrdiff_t>(std::min(self->news.size(), kMostInTurn));
                    part.assign(std::make_move_iterator(self->news.begin()), std::make_move_iterator(end));
                    self->news.erase(self->news.begin(), end);
                    more = !self->news.empty();
                    self->posted = more;
                }
                if (more && !self->stop) post(self);
                if (!self->stop) self->deliver(std::move(part));
            },
            Qt::QueuedConnection);
    }
    void pause(int ms) {
        std::unique_lock lock(mutex);
        wake.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stop.load(); });
    }
    [[nodiscard]] bool waiting() {
        const std::scoped_lock lock(mutex);
        return !news.empty();
    }

    // Everything behind seq that is on disk.
    void readLog() {
        if (!log) log.emplace(folder.events());
        logNs = monotonicNs();
        while (!stop) {
            const auto records = log->read(kLogChunk);
            if (!records || records->empty()) return; // not there yet, or not readable: looked at again
            for (const wire::LogRecord& record : *records) {
                if (record.seq <= seq) continue;
                seq = record.seq;
                if (auto event = wire::eventFromJson(record.json)) { // a damaged one costs itself only
                    event->seq = record.seq;
                    tell(*std::move(event));
                }
            }
        }
    }

    void hear(wire::Event event) {
        if (event.seq == 0)
            tell(std::move(event)); // heartbeat, hello: not in the log
        else if (event.seq <= seq)
            return;
        else if (event.seq == seq + 1 && mergedIn(event) == 0) {
            seq = event.seq;
            tell(std::move(event));
        } else
            wanted = std::max(wanted, event.seq);
    }

    std::optional<drive::EngineClient> connect() {
        auto transport = wire::connectLocal(folder.socket());
        if (!transport) return std::nullopt;
        auto client = drive::EngineClient::greet(*std::move(transport), kGreetMs);
        if (!client) {
            otherBuild = client.error().code == "proto.version";
            return std::nullopt;
        }
        if (!client->request("attach", "{\"after_seq\":" + std::to_string(seq) + "}", kGreetMs)) return std::nullopt;
        return *std::move(client);
    }

    static void stream(const std::shared_ptr<State>& self, drive::EngineClient client) {
        self->add({WatchNews::Kind::Attached, {}, {}});
        flush(self, true);
        while (!self->stop) {
            const bool behind = self->wanted > self->seq;
            auto event = client.next(self->waiting() || behind ? static_cast<int>(kBatchMs) : kTickMs);
            if (!event) return;
            if (*event) self->hear(std::move(**event));
            if (self->wanted > self->seq && monotonicNs() - self->logNs > kLogEveryMs * kNsPerMs) self->readLog();
            flush(self, false);
        }
    }

    static void run(const std::shared_ptr<State>& self) {
        while (!self->stop) {
            const bool live = wire::isLive(self->folder);
            std::optional<drive::EngineClient> client;
            if (live && !self->otherBuild) client = self->connect();
            if (!client) {
                self->readLog();
                flush(self, true);
                if (!live) self->otherBuild = false;
                self->pause(live ? kConnectMs : kIdleMs);
                continue;
            }
            stream(self, *std::move(client));
            for (int waited = 0; !self->stop && wire::isLive(self->folder) && waited < kGoneMs; waited += kConnectMs)
                self->pause(kConnectMs);
            if (self->stop) break;
            self->readLog();
            if (!wire::isLive(self->folder)) {
                const drive::RunEnd end = drive::runEnd(self->folder, std::nullopt);
                self->add({WatchNews::Kind::Detached, end.error ? text(end.error->message) : QString(), {}});
            }
            flush(self, true);
        }
        self->ended = true;
    }
};

RunWatch::RunWatch(QObject* gui, const RunPlace& place, qint64 afterSeq, std::function<void(std::vector<WatchNews>)> deliver)
    : m_state(std::make_shared<State>()) {
    m_state->gui = gui;
    m_state->folder.dir = utf8(place.dir);
    m_state->deliver = std::move(deliver);
    m_state->seq = m_state->wanted = afterSeq;
    m_thread = std::thread([state = m_state] { State::run(state); });
}

RunWatch::~RunWatch() {
    stop();
    m_thread.join();
}

void RunWatch::stop() {
    m_state->stop = true;
    m_state->wake.notify_all();
}

bool RunWatch::ended() const { return m_state->ended; }

} // namespace qw::ui
