// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/live_run.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace qw::ui {
namespace {

constexpr int kTellMs = 66, kTellEditsMs = 30;
constexpr int kLookMs = 1000, kSilentMs = 5000; // engine.md 3: no heartbeat for 5 s
constexpr size_t kEtaSteps = 200, kEtaLeast = 20, kStretches = 10;

} // namespace

EtaSpread etaSpread(const std::vector<double>& stepMs, int64_t stepsLeft) {
    std::vector<double> recent;
    const size_t from = stepMs.size() > kEtaSteps ? stepMs.size() - kEtaSteps : 0;
    for (size_t i = from; i < stepMs.size(); ++i)
        if (std::isfinite(stepMs[i])) recent.push_back(stepMs[i]);
    if (recent.size() < kEtaLeast || stepsLeft <= 0) return {};
    const size_t length = recent.size() / kStretches;
    double least = INFINITY, most = 0;
    for (size_t i = 0; i + length <= recent.size(); i += length) {
        double sum = 0;
        for (size_t k = 0; k < length; ++k) sum += recent[i + k];
        least = std::min(least, sum / static_cast<double>(length));
        most = std::max(most, sum / static_cast<double>(length));
    }
    return {least * static_cast<double>(stepsLeft) / 1000, most * static_cast<double>(stepsLeft) / 1000};
}

LiveRun::LiveRun(Session& session, QObject* parent) : QObject(parent), m_session(session) {
    connect(&session.engine, &EngineClient::event, this, &LiveRun::onEvent);
    connect(&session.engine, &EngineClient::attached, this, [this](const QString& run) {
        if (run != m_uid) return;
        m_status.attached = true;
        m_heard.start();
        changed();
    });
    connect(&session.engine, &EngineClient::detached, this, &LiveRun::onDetached);
    connect(&session.project, &Project::changed, this, &LiveRun::followStore);
    connect(&session.project, &Project::closed, this, [this] { show({}); });
    connect(&m_silence, &QTimer::timeout, this, [this] {
        const bool silent = m_status.attached && m_heard.isValid() && m_heard.elapsed() > kSilentMs;
        if (std::exchange(m_status.silent, silent) != silent) changed();
    });
    m_silence.start(kLookMs);
    m_tell.setSingleShot(true);
    m_tell.setInterval(kTellMs);
    connect(&m_tell, &QTimer::timeout, this, &LiveRun::statusChanged);
    m_tellEdits.setSingleShot(true);
    m_tellEdits.setInterval(kTellEditsMs);
    connect(&m_tellEdits, &QTimer::timeout, this, [this] { Q_EMIT edited(std::exchange(m_edits, {})); });
}

LiveRun::~LiveRun() = default;

void LiveRun::changed() {
    if (!m_tell.isActive()) m_tell.start();
}

void LiveRun::show(const QString& uid) {
    if (uid == m_uid) return;
    setWatching(false);
    m_uid = uid;
    m_read.reset();
    m_loadError.reset();
    m_series.clear();
    m_edits.clear();
    m_tellEdits.stop();
    m_marks.clear();
    m_status = {};
    m_heard.invalidate();
    Q_EMIT shownChanged();
    if (!m_uid.isEmpty()) load();
}

void LiveRun::load() {
    m_session.project.query<LiveRead>(
        QStringLiteral("live.run"), [uid = utf8(m_uid)](store::Store& store) { return readLive(store, uid); }, this,
        [this, uid = m_uid](Result<LiveRead> read) {
            if (uid != m_uid) return;
            if (read)
                take(*std::move(read));
            else {
                m_loadError = read.error();
                Q_EMIT loaded();
            }
        });
}

void LiveRun::take(LiveRead read) {
    m_loadError.reset();
    m_status.state = read.info.state;
    m_status.phase = text(read.info.phase);
    m_status.step = read.info.step;
    m_status.totalSteps = read.info.totalSteps;
    m_marks = std::move(read.marks);
    m_edits.clear();
    setWatching(false); // what was heard meanwhile is heard again, counted from what is read here
    m_series.setHistory(std::move(read.history));
    m_read = std::move(read);
    Q_EMIT loaded();
    Q_EMIT statusChanged();
    followStore();
}

const store::RunInfo* LiveRun::info() const {
    const auto snapshot = m_session.project.snapshot();
    const RunFacts* run = snapshot ? snapshot->run(m_uid) : nullptr;
    return run ? &run->info : m_read ? &m_read->info : nullptr;
}

int64_t LiveRun::lastCheckpoint() const { return m_read && !m_read->checkpoints.empty() ? m_read->checkpoints.back() : -1; }

void LiveRun::setWatching(bool on) {
    if (on == m_watching || m_uid.isEmpty()) return;
    m_watching = on;
    if (!on) {
        m_session.engine.unwatch(m_uid);
        return;
    }
    m_session.engine.watch({m_uid, text(m_read->info.dir.string())}, m_series.seq());
}

// The snapshot knows what no engine can tell: that it is gone.
void LiveRun::followStore() {
    if (!m_read) return;
    const store::RunInfo* now = info();
    if (!records::isEnded(now->state)) {
        setWatching(true);
    } else if (now->ingestSeq >= m_series.seq()) {
        const bool news = m_status.state != now->state;
        m_status.state = now->state;
        m_status.phase = text(now->phase);
        if (news) changed();
    }
    m_status.totalSteps = std::max(m_status.totalSteps, now->totalSteps);
}

void LiveRun::onEvent(const QString& run, const wire::Event& event) {
    if (run != m_uid || !m_read) return;
    m_heard.start();
    m_status.silent = false;
    const bool known = event.seq > 0 && event.seq <= m_series.seq();
    std::vector<LiveEdit> edits = m_series.apply(event);
    m_edits.insert(m_edits.end(), std::make_move_iterator(edits.begin()), std::make_move_iterator(edits.end()));
    if (!m_edits.empty() && !m_tellEdits.isActive()) m_tellEdits.start();
    if (known) return;
    if (const auto* state = std::get_if<wire::StateChange>(&event.payload)) {
        if (state->phase != utf8(m_status.phase) || records::isEnded(state->state)) m_status.done = m_status.total = 0;
        m_status.state = state->state;
        m_status.phase = text(state->phase);
        if (records::isEnded(state->state)) m_status.eta = m_status.etaLow = m_status.etaHigh = -1;
    } else if (const auto* progress = std::get_if<wire::Progress>(&event.payload)) {
        estimate(*progress);
    } else if (const auto* metrics = std::get_if<wire::Metrics>(&event.payload)) {
        m_status.step = metrics->step;
    } else if (const auto* attempt = std::get_if<wire::Attempt>(&event.payload)) {
        m_status.step = attempt->fromStep;
    } else if (const auto* model = std::get_if<wire::ModelFacts>(&event.payload)) {
        m_status.totalSteps = model->totalSteps;
        m_read->layers = model->layers;
    }
    if (auto mark = markOf(event.payload, m_status.step)) {
        if (mark->kind == LiveMark::Kind::Checkpoint) m_read->checkpoints.push_back(mark->step);
        m_marks.push_back(*std::move(mark));
        Q_EMIT marksChanged();
    }
    if (const auto* notice = std::get_if<wire::Notice>(&event.payload)) Q_EMIT noticed(*notice);
    changed();
}

void LiveRun::estimate(const wire::Progress& progress) {
    m_status.unit = text(progress.unit);
    m_status.done = progress.done;
    m_status.total = progress.total;
    m_status.eta = progress.etaSeconds;
    const LiveCurve* ms = m_series.curve("time.total");
    const EtaSpread spread = ms && progress.phase == "train" ? etaSpread(ms->values, progress.total - progress.done) : EtaSpread{};
    m_status.etaLow = spread.low;
    m_status.etaHigh = spread.high;
}

void LiveRun::onDetached(const QString& run, const QString& why) {
    if (run != m_uid) return;
    m_status.attached = m_status.silent = false;
    changed();
    m_session.project.refresh(); // the store knows more of it than we do
    if (why.isEmpty()) return;
    // We may have heard what never reached its log, and the next attempt counts on from the log: so does the curve, read anew.
    setWatching(false);
    load();
    Q_EMIT died(why);
}

} // namespace qw::ui
