// SPDX-License-Identifier: GPL-3.0-or-later
// What: which run the page shows, its curves and those behind it, and what is said when its engine dies.
#include "charts/qat_chart.h"
#include "config/recipe_file.h"
#include "pages/live/live_header.h"
#include "pages/live/live_page.h"
#include "pages/live/live_words.h"
#include "pages/live/run_actions.h"
#include "pages/live/tile_board.h"
#include "study/study_file.h"

#include <QLocale>
#include <cmath>

namespace qw::ui {
namespace {

constexpr size_t kLastLines = 20;

// Icon and words of a mark on x.
ChartFlag flagOf(const LiveMark& mark) {
    const QString at = QLocale().toString(static_cast<qlonglong>(mark.step));
    ChartFlag flag;
    flag.step = static_cast<double>(mark.step);
    switch (mark.kind) {
    case LiveMark::Kind::Checkpoint:
        flag.icon = QStringLiteral("save");
        flag.text =
            mark.best ? LivePage::tr("Checkpoint at step %1, the best so far").arg(at) : LivePage::tr("Checkpoint at step %1").arg(at);
        break;
    case LiveMark::Kind::Attempt:
        flag.icon = QStringLiteral("resume");
        flag.text = LivePage::tr("Continued from step %1").arg(at);
        break;
    case LiveMark::Kind::Warning:
        flag.icon = QStringLiteral("warning");
        flag.text = text(mark.text);
        break;
    case LiveMark::Kind::Error:
        flag.icon = QStringLiteral("error");
        flag.text = text(mark.text);
        break;
    }
    return flag;
}

} // namespace

void LivePage::chooseRun() {
    const auto snapshot = session().project.snapshot();
    if (!snapshot) {
        m_run.show({});
        return;
    }
    const QString pinned = session().liveRun();
    const RunFacts* chosen = pinned.isEmpty() ? nullptr : snapshot->run(pinned);
    m_run.show(chosen && chosen->info.trashedMs == 0 ? pinned : runToFollow(*snapshot));
    m_header->showRuns(*snapshot, chosen ? pinned : QString());
}

std::vector<TileRun> LivePage::tileRuns() const {
    std::vector<TileRun> runs;
    const auto snapshot = session().project.snapshot();
    if (!snapshot || m_run.isLoading() || m_run.uid().isEmpty()) return runs;
    const auto add = [&](const QString& uid, const LiveSeries& series) {
        const RunFacts* run = snapshot->run(uid);
        if (run) runs.push_back({uid, text(run->info.identity.name), colourOf(*snapshot, *run), &series, 0});
    };
    add(m_run.uid(), m_run.series());
    for (const QString& uid : m_header->overlays())
        if (const auto at = m_overlays.find(uid); at != m_overlays.end() && uid != m_run.uid()) add(uid, *at->second);
    return runs;
}

void LivePage::showRun() {
    const auto runs = tileRuns();
    m_bands = runs.empty() ? decltype(m_bands){} : m_run.series().fakeQuantSpans();
    for (LiveTile* tile : m_board->tiles()) {
        tile->setRuns(runs);
        tile->setBands(m_bands);
    }
    m_header->showLayers(m_run.series().layers());
    showMarks();
    showStatus();
}

void LivePage::showOverlays() {
    for (const QString& uid : m_header->overlays())
        if (!m_overlays.contains(uid)) loadOverlay(uid);
    const auto runs = tileRuns();
    for (LiveTile* tile : m_board->tiles()) tile->setRuns(runs);
}

void LivePage::loadOverlay(const QString& uid) {
    session().project.query<LiveRead>(
        QStringLiteral("live.overlay.") + uid, [id = utf8(uid)](store::Store& store) { return readLive(store, id); }, this,
        [this, uid](Result<LiveRead> read) {
            if (!read) {
                Q_EMIT session().notice(read.error());
                return;
            }
            auto series = std::make_shared<LiveSeries>();
            series->setHistory(std::move(read->history));
            m_overlays[uid] = series;
            showOverlays();
        });
}

void LivePage::applyEdits(const std::vector<LiveEdit>& edits) {
    std::vector<int64_t> steps;
    steps.reserve(edits.size());
    for (const LiveEdit& edit : edits) steps.push_back(edit.step);
    const std::vector<int64_t> times = m_run.series().timesOf(steps);
    for (LiveTile* tile : m_board->tiles()) tile->apply(edits, times);
    for (const LiveEdit& edit : edits)
        if (edit.kind == LiveEdit::Kind::Point && edit.curve == "train.loss" && !std::isfinite(edit.value) && m_run.info() &&
            !banner().property("code").isValid())
            banner().show(Banner::Strength::Warning, nonfinitePoint(*m_run.info(), edit.curve, edit.step));
    if (auto bands = m_run.series().fakeQuantSpans(); bands != m_bands) {
        m_bands = std::move(bands);
        for (LiveTile* tile : m_board->tiles()) tile->setBands(m_bands);
    }
}

void LivePage::showMarks() {
    std::vector<ChartFlag> flags;
    for (const LiveMark& mark : m_run.marks()) flags.push_back(flagOf(mark));
    for (LiveTile* tile : m_board->tiles())
        if (tile->spec().rows > 1) tile->chart().setFlags(flags);
}

void LivePage::showStatus() {
    m_header->showStatus();
    m_header->showLayers(m_run.series().layers());
    const bool active = m_run.info() && !m_run.status().isEnded() && !m_run.uid().isEmpty();
    setBadge(active ? QStringLiteral("●") : QString());
}

// Between Start and the first run there is nothing to draw, but something to say.
void LivePage::showEmpty() {
    const SnapshotPtr snapshot = session().project.snapshot();
    const auto toTrain = [this] { session().goTo(PageId::Train); };
    const StudyFacts* driven = nullptr;
    if (snapshot)
        for (const StudyFacts& study : snapshot->studies)
            if (study.driven) driven = &study;
    if (driven)
        setEmpty(tr("“%1” is in the queue. Its curves appear here when its first run begins.").arg(text(driven->info.name)),
                 tr("Show the plan"), toTrain);
    else
        setEmpty(tr("Nothing is training"), tr("Go to Train"), toTrain);
    setViewState(ViewState::Empty);
}

void LivePage::updateState() {
    if (m_run.uid().isEmpty()) {
        showEmpty();
        return;
    }
    if (m_run.isLoading() && m_run.loadError()) {
        fail(*m_run.loadError(), {{tr("Try again"),
                                   [this, uid = m_run.uid()] {
                                       m_run.show({});
                                       m_run.show(uid);
                                   },
                                   {}}});
        return;
    }
    if (m_run.isLoading()) {
        setViewState(ViewState::Loading, tr("Reading the run's curves"));
        return;
    }
    lookForDeath();
}

// The banner comes once for each death, and again when another way out opens (its study has ended meanwhile).
void LivePage::lookForDeath() {
    const store::RunInfo* info = m_run.info();
    const bool dead = info && m_run.status().isEnded() && deathOf(*info, {}).has_value();
    if (!dead) {
        m_deathKey.clear();
        if (viewState() != ViewState::Ready) setViewState(ViewState::Ready);
        return;
    }
    const QString key = QStringLiteral("%1|%2|%3|%4")
                            .arg(m_run.uid())
                            .arg(info->ingestSeq)
                            .arg(static_cast<int>(info->state))
                            .arg(m_runActions->whyNoResume());
    if (key == m_deathKey) return;
    m_deathKey = key;
    session().project.query<LastWords>(
        QStringLiteral("live.death"), [uid = utf8(m_run.uid())](store::Store& store) { return lastWords(store, uid, kLastLines); }, this,
        [this, key](const Result<LastWords>& last) {
            if (key != m_deathKey || !m_run.info()) return;
            if (const auto death = deathOf(*m_run.info(), last ? text(last->text) : QString()))
                showDeath(*death, last ? last->checkpoint : -1);
        });
}

void LivePage::showDeath(const Error& death, int64_t checkpoint) {
    const QString resume =
        checkpoint >= 0 ? tr("Resume from step %1").arg(QLocale().toString(static_cast<qlonglong>(checkpoint))) : tr("Start again");
    fail(death,
         {{resume, [this] { m_runActions->resume(); }, m_runActions->whyNoResume()}, {tr("Edit settings"), [this] { editSettings(); }, {}}},
         true);
}

// The recipe of the run's study (of the run itself where there is none) goes to the Train page.
void LivePage::editSettings() {
    const store::RunInfo* info = m_run.info();
    const auto snapshot = session().project.snapshot();
    if (!info || !snapshot) return;
    std::filesystem::path dir;
    for (const StudyFacts& study : snapshot->studies)
        if (study.info.uid == info->identity.studyUid) dir = study.info.dir;
    session().compute.request<Result<records::Recipe>>(
        QStringLiteral("live.recipe"),
        [dir, config = info->config](const CancelFlag&) -> Result<records::Recipe> {
            if (dir.empty()) return config::parseRecipe(config, "config.resolved.json");
            QW_TRY(auto study, study::openStudy(dir));
            return study.recipe;
        },
        this,
        [this](const Result<records::Recipe>& recipe) {
            if (!recipe) {
                banner().show(Banner::Strength::Error, recipe.error());
                return;
            }
            session().draft.replace(tr("Settings of %1").arg(text(m_run.info() ? m_run.info()->identity.name : std::string())), *recipe);
            session().goTo(PageId::Train);
        });
}

} // namespace qw::ui
