// SPDX-License-Identifier: GPL-3.0-or-later
// What: what the live header says and offers: state, progress, rest of the time, and the menus of runs, layers and tiles.
#include "models/run_row.h"
#include "models/run_texts.h"
#include "pages/live/live_header.h"
#include "pages/live/live_tiles.h"
#include "theme/theme.h"

#include <QComboBox>
#include <QLabel>
#include <QLocale>
#include <QMenu>
#include <QProgressBar>
#include <QTimer>
#include <QToolButton>
#include <algorithm>

namespace qw::ui {
namespace {

constexpr int kProgressSteps = 1000;
constexpr size_t kMostInMenu = 40, kMostLayers = 7; // seven colours are left beside the run's own

QString number(int64_t value) { return QLocale().toString(static_cast<qlonglong>(value)); }

RunWord wordOf(const LiveRun& run) {
    store::RunInfo now = *run.info();
    now.state = run.status().state;
    now.phase = utf8(run.status().phase);
    return runWord(now, false);
}

Token tokenOf(RunWord word) {
    if (word == RunWord::Failed || word == RunWord::Interrupted) return Token::Bad;
    if (word == RunWord::Done) return Token::Good;
    if (word == RunWord::Paused || word == RunWord::Stopping || word == RunWord::Stopped) return Token::Warning;
    return Token::Accent;
}

} // namespace

void LiveHeader::showRuns(const Snapshot& snapshot, const QString& pinned) {
    const QSignalBlocker quiet(m_runPicker);
    QStringList now{QString()};
    for (auto run = snapshot.runs.rbegin(); run != snapshot.runs.rend(); ++run)
        if (run->info.trashedMs == 0) now << text(run->info.identity.uid);
    QStringList before;
    for (int i = 0; i < m_runPicker->count(); ++i) before << m_runPicker->itemData(i).toString();
    if (now != before) {
        m_runPicker->clear();
        m_runPicker->addItem(Theme::instance().icon(QStringLiteral("live")), tr("The running job"), QString());
        for (const QString& uid : now.mid(1)) {
            const RunFacts* run = snapshot.run(uid);
            m_runPicker->addItem(Theme::instance().icon(wordIcon(runWord(run->info, false))), text(run->info.identity.name), uid);
        }
    }
    m_runPicker->setCurrentIndex(std::max(0, m_runPicker->findData(pinned)));
    if (pinned.isEmpty() && snapshot.run(m_run.uid()))
        m_runPicker->setItemText(0, tr("%1 (the newest)").arg(text(snapshot.run(m_run.uid())->info.identity.name)));

    if (m_overlayMenu->isVisible()) return;
    m_overlayMenu->clear();
    size_t offered = 0;
    for (const QString& uid : now.mid(1)) {
        const RunFacts* run = snapshot.run(uid);
        const bool trained =
            std::any_of(run->metrics.begin(), run->metrics.end(), [](const auto& metric) { return metric.name == "train.loss"; });
        if (uid == m_run.uid() || !trained || ++offered > kMostInMenu) continue;
        QAction* action = m_overlayMenu->addAction(text(run->info.identity.name));
        action->setCheckable(true);
        action->setChecked(m_overlays.contains(uid));
        connect(action, &QAction::toggled, this, [this, uid](bool on) {
            m_overlays.removeAll(uid);
            if (on) m_overlays << uid;
            Q_EMIT overlaysChanged();
        });
    }
    setDisabledReason(m_overlayButton, m_overlayMenu->isEmpty() ? tr("There is no other trained run") : QString());
}

void LiveHeader::setOverlays(const QStringList& runs) { m_overlays = runs; }

QString LiveHeader::progressText() const {
    const LiveStatus& now = m_run.status();
    const bool training = now.phase == QLatin1String("train") || now.total == 0;
    const int64_t done = training ? now.step : now.done, total = training ? now.totalSteps : now.total;
    if (training && total == 0 && done == 0) return {};
    const QString unit = training ? tr("step") : now.unit;
    return total > 0 ? tr("%1 %2/%3").arg(unit, number(done), number(total)) : tr("%1 %2").arg(unit, number(done));
}

QString LiveHeader::etaText() const {
    const LiveStatus& now = m_run.status();
    if (now.state != records::RunState::Running || now.eta < 0) return {};
    const QString rest = tr("%1 left").arg(durationText(now.eta));
    if (now.etaLow < 0 || durationText(now.etaLow) == durationText(now.etaHigh)) return rest;
    return tr("%1 (%2 – %3)").arg(rest, durationText(now.etaLow), durationText(now.etaHigh));
}

void LiveHeader::showStatus() {
    const store::RunInfo* info = m_run.info();
    if (!info) return;
    const LiveStatus& now = m_run.status();
    const RunWord word = wordOf(m_run);
    const int side = fontMetrics().height();
    m_stateIcon->setPixmap(Theme::instance().icon(wordIcon(word), tokenOf(word)).pixmap(side, side));
    m_state->setText(now.silent ? tr("%1, not responding").arg(wordText(word)) : wordText(word));
    m_state->setToolTip(now.attached ? tr("An engine is attached") : tr("From the store"));
    const QString progress = progressText();
    const bool training = now.phase == QLatin1String("train") || now.total == 0;
    const int64_t done = training ? now.step : now.done, total = training ? now.totalSteps : now.total;
    m_progress->setVisible(!progress.isEmpty());
    m_progress->setValue(total > 0 ? static_cast<int>(std::min<int64_t>(kProgressSteps, done * kProgressSteps / total)) : 0);
    m_progress->setFormat(progress);
    const QString eta = etaText();
    m_eta->setVisible(!eta.isEmpty());
    m_eta->setText(eta);
    const double tokens = m_run.series().tokens();
    m_tokens->setVisible(tokens > 0);
    m_tokens->setText(tokens >= 1e6 ? tr("%1 M tokens").arg(QLocale().toString(tokens / 1e6, 'f', 1))
                                    : tr("%1 tokens").arg(QLocale().toString(tokens, 'f', 0)));
    const auto spans = m_run.series().fakeQuantSpans();
    const bool on = !spans.empty() && spans.back().second < 0;
    m_fakeQuant->setVisible(!spans.empty());
    m_fakeQuant->setText(on ? tr("fake quant on since step %1").arg(number(spans.back().first)) : tr("fake quant off"));
    const bool canGoOn = now.state == records::RunState::Paused || records::isEnded(now.state);
    QAction* action = m_pause->defaultAction();
    const QString wanted = canGoOn ? QStringLiteral("run.resume") : QStringLiteral("run.pause");
    if (action->objectName() != wanted)
        if (QAction* other = action->parent()->findChild<QAction*>(wanted)) {
            m_pause->removeAction(action);
            m_pause->setDefaultAction(other);
            m_pause->setAccessibleName(other->text().remove(QLatin1Char('&')));
        }
}

void LiveHeader::setLayers(const QStringList& chosen) { m_chosenLayers = chosen; }

void LiveHeader::showLayers(const std::vector<std::string>& known) {
    setDisabledReason(m_layerButton, known.empty() ? tr("No layer was measured yet (log.layer_every)") : QString());
    if (known == m_knownLayers || m_layerMenu->isVisible()) return;
    m_knownLayers = known;
    m_layerMenu->clear();
    m_layerMenu->setStyleSheet(QStringLiteral("QMenu { menu-scrollable: 1; }"));
    for (const std::string& layer : known) {
        const QString name = text(layer);
        QAction* action = m_layerMenu->addAction(name);
        action->setCheckable(true);
        action->setChecked(m_chosenLayers.contains(name));
        connect(action, &QAction::toggled, this, [this, name, action](bool on) {
            m_chosenLayers.removeAll(name);
            if (on && static_cast<size_t>(m_chosenLayers.size()) >= kMostLayers) {
                const QSignalBlocker quiet(action);
                action->setChecked(false);
                return;
            }
            if (on) m_chosenLayers << name;
            Q_EMIT layersChanged();
        });
    }
}

void LiveHeader::setTileChoices(const QStringList& shown) {
    // Not from inside one of its own actions.
    QTimer::singleShot(0, this, [this, shown] {
        m_tileMenu->clear();
        for (const TileSpec& spec : tileTable()) {
            if (shown.contains(spec.id)) continue;
            connect(m_tileMenu->addAction(spec.title), &QAction::triggered, this, [this, id = spec.id] { Q_EMIT tileWanted(id); });
        }
        if (!m_tileMenu->isEmpty()) m_tileMenu->addSeparator();
        connect(m_tileMenu->addAction(tr("Back to the first arrangement")), &QAction::triggered, this, &LiveHeader::tilesResetWanted);
    });
}

} // namespace qw::ui
