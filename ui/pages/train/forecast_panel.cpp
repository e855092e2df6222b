// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/forecast_panel.h"

#include "models/run_texts.h"
#include "pages/train/memory_bar.h"
#include "widgets/action_registry.h"

#include <QLabel>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QStyle>
#include <QVBoxLayout>
#include <algorithm>

namespace qw::ui {
namespace {

constexpr int kAskAfterMs = 700;                // after the last edit
constexpr qint64 kSmallText = qint64{32} << 20; // bytes of training text that are read without being asked

QLabel* line(QWidget* parent, const char* name) {
    auto* label = new QLabel(parent);
    label->setObjectName(QString::fromLatin1(name));
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
    return label;
}

} // namespace

ForecastPanel::ForecastPanel(Session& session, QWidget* parent) : QFrame(parent), m_session(session) {
    setObjectName(QStringLiteral("forecastPanel"));
    setProperty("look", QStringLiteral("card"));
    m_later.setSingleShot(true);
    m_later.setInterval(kAskAfterMs);
    connect(&m_later, &QTimer::timeout, this, [this] { ask(false); });
    build();
}

void ForecastPanel::build() {
    auto* column = new QVBoxLayout(this);
    const int pad = fontMetrics().height() / 2;
    column->setContentsMargins(pad, pad, pad, pad);
    column->setSpacing(pad / 2);
    auto* head = new QHBoxLayout;
    auto* title = new QLabel(tr("Forecast"), this);
    title->setProperty("look", QStringLiteral("heading"));
    m_measure = new QPushButton(tr("Measure"), this);
    m_measure->setObjectName(QStringLiteral("measureButton"));
    m_measure->setToolTip(tr("Runs a few steps on the engine to tell the time; nothing is kept"));
    connect(m_measure, &QPushButton::clicked, this, [this] {
        if (m_busy)
            stop();
        else
            ask(true);
    });
    head->addWidget(title, 1);
    head->addWidget(m_measure);
    m_memory = line(this, "memoryText");
    m_bar = new MemoryBar(this);
    m_time = line(this, "timeText");
    m_notes = line(this, "forecastNotes");
    m_notes->setProperty("look", QStringLiteral("muted"));
    m_progress = new QProgressBar(this);
    m_progress->setRange(0, 0);
    m_progress->setTextVisible(false);
    m_progress->setAccessibleName(tr("Forecast in work"));
    m_progress->setMaximumHeight(fontMetrics().height() / 3);
    m_waysTitle = line(this, "waysTitle");
    m_waysTitle->setText(tr("What makes it smaller:"));
    m_waysTitle->hide();
    m_ways = new QVBoxLayout;
    column->addLayout(head);
    column->addWidget(m_progress);
    column->addWidget(m_memory);
    column->addWidget(m_bar);
    column->addWidget(m_waysTitle);
    column->addLayout(m_ways);
    column->addWidget(m_time);
    column->addWidget(m_notes);
    m_bar->hide();
    m_notes->hide();
    m_time->hide();
    setBusy(false);
}

void ForecastPanel::setRecipe(const QString& recipeText, qint64 dataBytes, const QString& why) {
    const bool same = recipeText == m_recipe && why == m_why;
    m_recipe = recipeText;
    m_why = why;
    m_small = dataBytes <= kSmallText;
    setDisabledReason(m_measure, why);
    if (same) return;
    stop();
    if (!why.isEmpty()) {
        if (!m_forecast) say(tr("Memory and time are told as soon as the recipe is complete."), "muted");
        markStale(m_forecast.has_value());
        return;
    }
    markStale(m_forecast && m_planned != m_recipe);
    if (!m_forecast)
        say(!m_small         ? tr("The training text is large: Measure reads it all.")
            : asksByItself() ? tr("Waiting…")
                             : tr("Something is training: Measure asks the engine all the same."),
            "muted");
    if (isVisible() && asksByItself()) m_later.start();
}

bool ForecastPanel::asksByItself() const {
    if (!m_why.isEmpty() || !m_small || m_recipe.isEmpty() || m_planned == m_recipe) return false;
    const SnapshotPtr snapshot = m_session.project.snapshot();
    return !snapshot || std::ranges::none_of(snapshot->studies, &StudyFacts::driven);
}

void ForecastPanel::showEvent(QShowEvent* event) {
    QFrame::showEvent(event);
    if (asksByItself() && !m_busy) m_later.start();
}

void ForecastPanel::ask(bool probe) {
    if (m_recipe.isEmpty() || !m_why.isEmpty()) return;
    m_later.stop();
    const int serial = ++m_serial;
    const QString asked = m_recipe;
    setBusy(true);
    if (!m_forecast) say(probe ? tr("Measuring a few steps…") : tr("Asking the engine…"), "muted");
    m_session.engine.plan(asked, probe, this, [this, serial, asked](const Result<QByteArray>& reply) {
        if (serial != m_serial) return; // a newer question is on its way, or it was taken back
        setBusy(false);
        m_planned = asked;
        answer(reply);
    });
}

void ForecastPanel::stop() {
    m_later.stop();
    if (!m_busy) return;
    ++m_serial;
    m_session.engine.cancelPlan();
    setBusy(false);
    if (!m_forecast) say(tr("Not measured."), "muted");
}

void ForecastPanel::answer(const Result<QByteArray>& reply) {
    auto forecast = reply ? readForecast(*reply) : Result<Forecast>(reply.error());
    markStale(false);
    setProperty("code", forecast ? QVariant() : QVariant(text(forecast.error().code)));
    if (!forecast) {
        say(tr("No forecast: %1 %2").arg(text(forecast.error().message), text(forecast.error().hint)), "error");
        return;
    }
    m_forecast = *std::move(forecast);
    show(*m_forecast);
    Q_EMIT changed();
}

void ForecastPanel::show(const Forecast& f) {
    m_bar->show(f);
    m_bar->setVisible(!f.parts.empty());
    const QString share = QLocale().toString(f.share() * 100, 'f', f.share() < 0.1 ? 1 : 0);
    switch (f.fit()) {
    case Forecast::Fit::Over:
        setProperty("code", QStringLiteral("train.wont_fit"));
        say(tr("Will not fit: about %1 needed, %2 available.").arg(sizeText(double(f.total)), sizeText(double(f.available))), "error");
        break;
    case Forecast::Fit::Tight:
        say(tr("Tight: about %1 of %2 available (%3 %).").arg(sizeText(double(f.total)), sizeText(double(f.available)), share), "warning");
        break;
    case Forecast::Fit::Good:
        say(tr("About %1 of %2 available (%3 %).").arg(sizeText(double(f.total)), sizeText(double(f.available)), share), "");
        break;
    case Forecast::Fit::Unknown:
        say(f.total > 0 ? tr("About %1; free memory is not known.").arg(sizeText(double(f.total))) : tr("Nothing is trained."), "");
        break;
    }
    showWays(f);
    m_time->setText(f.seconds ? tr("Training of all runs: about %1, evaluation not included.").arg(durationText(*f.seconds))
                    : f.timeUnknown == QLatin1String("not asked for") || f.timeUnknown.isEmpty()
                        ? tr("Time: press Measure.")
                        : tr("Time unknown: %1.").arg(f.timeUnknown));
    m_time->setVisible(f.total > 0);
    QStringList notes;
    if (f.steps > 0) notes << tr("%1 steps on %2; largest: %3.").arg(QLocale().toString(f.steps), f.device, f.member);
    if (!f.skipped.isEmpty())
        notes << tr("Layers left unquantized: %1 (%2%3)")
                     .arg(QLocale().toString(f.skipped.size()), f.skipped.first(), f.skipped.size() > 1 ? QStringLiteral(" …") : QString());
    m_notes->setText(notes.join(QLatin1Char('\n')));
    m_notes->setToolTip(f.skipped.join(QLatin1Char('\n')));
    m_notes->setVisible(!notes.isEmpty());
}

void ForecastPanel::showWays(const Forecast& f) {
    m_waysTitle->hide();
    while (QLayoutItem* item = m_ways->takeAt(0)) {
        if (item->widget()) item->widget()->deleteLater();
        delete item;
    }
    if (f.fit() != Forecast::Fit::Over && f.fit() != Forecast::Fit::Tight) return;
    m_waysTitle->show();
    for (const WayToFit& way : waysToFit(m_session.draft.recipe())) {
        auto* button = new QPushButton(way.text, this);
        button->setObjectName(QStringLiteral("wayToFit"));
        button->setToolTip(tr("One step that can be undone"));
        connect(button, &QPushButton::clicked, this, [this, way] { m_session.draft.edit(way.text, way.change); });
        m_ways->addWidget(button, 0, Qt::AlignLeft);
    }
}

void ForecastPanel::say(const QString& words, const char* look) {
    m_memory->setText(words);
    m_memory->setToolTip({});
    m_memory->setProperty("look", QString::fromLatin1(look));
    style()->unpolish(m_memory);
    style()->polish(m_memory);
}

// Old numbers stay, dimmed, until those of the changed recipe are there.
void ForecastPanel::markStale(bool stale) {
    setProperty("stale", stale);
    m_bar->setDimmed(stale);
    if (!stale) return;
    m_memory->setProperty("look", QStringLiteral("muted"));
    style()->unpolish(m_memory);
    style()->polish(m_memory);
    m_memory->setToolTip(tr("Of the recipe before the last change"));
}

void ForecastPanel::setBusy(bool busy) {
    m_session.activities.end(m_activity);
    if (busy) m_activity = m_session.activities.begin(tr("Forecasting memory and time"), [this] { stop(); });
    m_busy = busy;
    setProperty("busy", busy);
    m_progress->setVisible(busy);
    m_measure->setText(busy ? tr("Cancel") : tr("Measure"));
}

} // namespace qw::ui
