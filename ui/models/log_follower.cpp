// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/log_follower.h"

#include "client/project.h"
#include "wire/event_log.h"
#include "wire/json_events.h"
#include "wire/run_folder.h"

namespace qw::ui {
namespace {

constexpr int kLookMs = 300;
constexpr size_t kChunk = 2000; // records read in one go

} // namespace

struct LogFollower::Place {
    explicit Place(const std::filesystem::path& file) : reader(file) {}
    wire::EventLogReader reader;
    int64_t step = -1;

    std::vector<LogRow> read(bool& more) {
        std::vector<LogRow> rows;
        const auto records = reader.read(kChunk);
        more = records && records->size() == kChunk;
        if (!records) return rows; // not there yet, or not readable: looked at again
        for (const wire::LogRecord& record : *records) {
            const auto event = wire::eventFromJson(record.json);
            if (!event)
                rows.push_back({0, step, LogLevel::Warning, LogSource::Engine, event.error().message});
            else if (auto row = logRow(*event, step))
                rows.push_back(*std::move(row));
        }
        return rows;
    }
};

LogFollower::LogFollower(QObject* parent) : QObject(parent) {
    m_timer.setSingleShot(true);
    m_timer.setInterval(kLookMs);
    connect(&m_timer, &QTimer::timeout, this, &LogFollower::readOn);
}

void LogFollower::follow(const QString& runDir) {
    if (runDir == m_dir) return;
    m_dir = runDir;
    m_worker.cancel(QStringLiteral("read"));
    m_reading = false;
    m_place = runDir.isEmpty() ? nullptr : std::make_shared<Place>(wire::RunFolder{utf8(runDir)}.events());
    Q_EMIT started();
    readOn();
}

void LogFollower::setActive(bool on) {
    m_active = on;
    if (on)
        readOn();
    else
        m_timer.stop();
}

void LogFollower::readOn() {
    if (!m_active || m_reading || !m_place) return;
    m_reading = true;
    struct Got {
        std::vector<LogRow> rows;
        bool more = false;
    };
    m_worker.request<Got>(
        QStringLiteral("read"),
        [place = m_place](const CancelFlag&) {
            Got got;
            got.rows = place->read(got.more);
            return got;
        },
        this,
        [this, place = m_place](const Got& got) {
            if (place != m_place) return;
            m_reading = false;
            if (!got.rows.empty()) Q_EMIT rows(got.rows);
            if (got.more)
                readOn();
            else if (m_active)
                m_timer.start();
        });
}

} // namespace qw::ui
