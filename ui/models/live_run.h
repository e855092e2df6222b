// SPDX-License-Identifier: GPL-3.0-or-later
// What: one run as it happens: its history from the store, its events from the engine, and what follows from them: state, progress,
// rest of the time with its spread, curves, marks.
// Why here: the Live page, its actions and the details dock read one object; it is tested without a window.
#pragma once

#include "client/session.h"
#include "models/live_history.h"

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>
#include <optional>

namespace qw::ui {

struct LiveStatus {
    records::RunState state = records::RunState::Created;
    QString phase, unit;                        // "train", "steps"
    int64_t done = 0, total = 0;                // of the phase
    int64_t step = 0, totalSteps = 0;           // of the training
    double eta = -1, etaLow = -1, etaHigh = -1; // seconds; below 0: unknown
    bool attached = false, silent = false;      // an engine is heard; it should be and is not
    [[nodiscard]] bool isEnded() const { return records::isEnded(state); }
};

class LiveRun : public QObject {
    Q_OBJECT
public:
    explicit LiveRun(Session& session, QObject* parent = nullptr);
    ~LiveRun() override;

    void show(const QString& uid); // empty: nothing
    [[nodiscard]] QString uid() const { return m_uid; }
    [[nodiscard]] bool isLoading() const { return !m_uid.isEmpty() && !m_read; }
    [[nodiscard]] const std::optional<Error>& loadError() const { return m_loadError; }
    [[nodiscard]] const LiveSeries& series() const { return m_series; }
    [[nodiscard]] const LiveStatus& status() const { return m_status; }
    [[nodiscard]] const std::vector<LiveMark>& marks() const { return m_marks; }
    [[nodiscard]] const LiveRead* facts() const { return m_read ? &*m_read : nullptr; }
    [[nodiscard]] const store::RunInfo* info() const; // of the project's snapshot, else as it was read
    [[nodiscard]] int64_t lastCheckpoint() const;     // step; -1: none on disk

Q_SIGNALS:
    void shownChanged(); // another run, or none; curves are empty
    void loaded();       // or not: loadError()
    void edited(const std::vector<qw::ui::LiveEdit>& edits);
    void statusChanged();
    void marksChanged();
    void noticed(const qw::wire::Notice& notice); // live only
    void died(const QString& why);                // its engine is gone without a good end

private:
    void load();
    void take(LiveRead read);
    void onEvent(const QString& run, const wire::Event& event);
    void onDetached(const QString& run, const QString& why);
    void followStore();
    void estimate(const wire::Progress& progress);
    void setWatching(bool on);
    void changed();

    Session& m_session;
    QString m_uid;
    std::optional<LiveRead> m_read;
    std::optional<Error> m_loadError;
    LiveSeries m_series;
    LiveStatus m_status;
    std::vector<LiveMark> m_marks;
    bool m_watching = false;
    QElapsedTimer m_heard;
    std::vector<LiveEdit> m_edits;         // told together, at most 30 times a second
    QTimer m_silence, m_tell, m_tellEdits; // looks for silence; statusChanged at most 15 times a second
};

// low, high: what the rest takes at the pace of the slowest and the fastest tenth-long stretch of the newest 200 steps. Both below 0
// where fewer than 20 steps were measured.
struct EtaSpread {
    double low = -1, high = -1;
};
[[nodiscard]] EtaSpread etaSpread(const std::vector<double>& stepMs, int64_t stepsLeft);

} // namespace qw::ui
