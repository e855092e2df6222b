// SPDX-License-Identifier: GPL-3.0-or-later
#include "client/project.h"

#include "wire/lock_file.h"

#include <algorithm>

namespace qw::ui {
namespace {

// Facts on disk change behind our back: looked at often while something runs.
constexpr int kLiveMs = 500, kIdleMs = 2000;
constexpr const char* kFlags[] = {"queue.paused", "queue.order", "compare.baseline", "compare.runs", "live.run"};

bool anyLive(const Snapshot& snapshot) {
    for (const auto& study : snapshot.studies)
        if (study.driven) return true;
    for (const auto& run : snapshot.runs)
        if (!records::isEnded(run.info.state) && run.info.state != records::RunState::Created) return true;
    return false;
}

std::vector<std::filesystem::path> drivenStudies(const Snapshot& snapshot) {
    std::vector<std::filesystem::path> dirs;
    for (const auto& study : snapshot.studies)
        if (study.driven) dirs.push_back(study.info.dir);
    return dirs;
}

} // namespace

QString text(const std::string& utf8) { return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size())); }
std::string utf8(const QString& text) { return text.toUtf8().toStdString(); }

Result<SnapshotPtr> readSnapshot(store::Store& store) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->project = text(store.project().string());
    snapshot->readOnly = store.readOnly();
    for (const std::string& note : store.notes()) snapshot->notes << text(note);
    QW_TRY(auto records, store.records());
    snapshot->runs.reserve(records.size());
    for (auto& record : records) {
        RunFacts facts;
        for (const auto& artifact : record.artifacts) {
            if (artifact.kind == "native") facts.nativeBytes = artifact.bytes;
            if (artifact.kind == "model") facts.modelBytes = artifact.bytes;
            if (artifact.kind == "checkpoint") facts.hasCheckpoints = true;
        }
        facts.info = std::move(record.info);
        facts.metrics = std::move(record.metrics);
        facts.results = std::move(record.results);
        snapshot->indexOf.insert(text(facts.info.identity.uid), static_cast<qsizetype>(snapshot->runs.size()));
        snapshot->runs.push_back(std::move(facts));
    }
    QW_TRY(auto studies, store.studies());
    for (auto& info : studies) {
        StudyFacts facts;
        QW_TRY(facts.rows, store.studyRows(info.uid));
        facts.driven = !info.dir.empty() && wire::isLockLive(info.dir / "study.lock");
        facts.info = std::move(info);
        snapshot->studies.push_back(std::move(facts));
    }
    for (const char* key : kFlags) {
        QW_TRY(const auto value, store.flag(key));
        snapshot->flags.insert(QString::fromLatin1(key), text(value));
    }
    return SnapshotPtr(std::move(snapshot));
}

Project::Project(QObject* parent) : QObject(parent) {
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, [this] { look(false); });
}

Project::~Project() = default;

void Project::open(const QString& dir) {
    close();
    m_dir = dir;
    m_worker.request<Result<SnapshotPtr>>(
        QStringLiteral("open"),
        [holder = m_store, dir = utf8(dir)](const CancelFlag&) -> Result<SnapshotPtr> {
            holder->store.reset();
            QW_TRY(auto store, store::Store::open(dir));
            holder->store.emplace(std::move(store));
            if (!holder->store->readOnly()) QW_CHECK(holder->store->sync());
            QW_TRY(holder->token, holder->store->changeToken());
            QW_TRY(auto snapshot, readSnapshot(*holder->store));
            holder->driven = drivenStudies(*snapshot);
            return snapshot;
        },
        this,
        [this](Result<SnapshotPtr> got) {
            if (!got) {
                m_dir.clear();
                Q_EMIT failed(got.error());
                return;
            }
            m_snapshot = *std::move(got);
            m_timer.start(kLiveMs);
            Q_EMIT opened();
            Q_EMIT changed();
        });
}

void Project::close() {
    if (m_dir.isEmpty()) return;
    m_timer.stop();
    m_worker.cancel(QStringLiteral("look"));
    m_dir.clear();
    m_snapshot.reset();
    m_worker.request<bool>(
        QString(),
        [holder = m_store](const CancelFlag&) {
            holder->store.reset();
            return true;
        },
        this, [](bool) {});
    Q_EMIT closed();
}

void Project::change(std::function<Status(store::Store&)> work, std::function<void(Status)> done) {
    m_worker.request<Status>(
        QString(),
        [holder = m_store, work = std::move(work)](const CancelFlag&) -> Status {
            if (!holder->store) return Error{"engine.state", "no project is open", "open one first", "", false};
            return work(*holder->store);
        },
        this,
        [this, done = std::move(done)](Status status) {
            look(true);
            if (done)
                done(std::move(status));
            else if (!status)
                Q_EMIT problem(status.error());
        });
}

void Project::refresh() { look(true); }

void Project::look(bool always) {
    if (m_dir.isEmpty()) return;
    m_always = m_always || always; // a look that takes the place of another one does its work too
    m_worker.request<Result<SnapshotPtr>>(
        QStringLiteral("look"),
        [holder = m_store, always = m_always](const CancelFlag&) -> Result<SnapshotPtr> {
            if (!holder->store) return SnapshotPtr();
            if (!holder->store->readOnly()) QW_CHECK(holder->store->sync());
            QW_TRY(auto token, holder->store->changeToken());
            // A supervisor lets go of its lock after its last word to the store.
            const bool left = std::ranges::any_of(holder->driven, [](const auto& dir) { return !wire::isLockLive(dir / "study.lock"); });
            if (!always && !left && token == holder->token) return SnapshotPtr();
            holder->token = std::move(token);
            QW_TRY(auto snapshot, readSnapshot(*holder->store));
            holder->driven = drivenStudies(*snapshot);
            return snapshot;
        },
        this,
        [this](Result<SnapshotPtr> got) {
            m_always = false;
            if (!got)
                Q_EMIT problem(got.error());
            else if (*got) {
                m_snapshot = *std::move(got);
                Q_EMIT changed();
            }
            m_timer.start(m_snapshot && anyLive(*m_snapshot) ? kLiveMs : kIdleMs);
        });
}

} // namespace qw::ui
