// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/shots.h"

#include "study/study_file.h"
#include "theme/theme.h"

#include <QDir>
#include <QTextStream>

namespace qw::ui {
namespace {

constexpr int kWidth = 1440, kHeight = 900;                       // of the pictures, in device-independent pixels
constexpr int kPollMs = 50, kQuietPolls = 8, kPatienceMs = 15000; // answers may ask the next question: quiet for 0.4 s

} // namespace

Shots::Shots(Session& session, MainWindow& window, const QString& dir, std::function<void(int)> done)
    : QObject(&window), m_session(session), m_window(window), m_dir(dir), m_done(std::move(done)) {
    m_poll.setInterval(kPollMs);
    connect(&m_poll, &QTimer::timeout, this, &Shots::takeWhenSettled);
}

void Shots::start() {
    if (!QDir().mkpath(m_dir)) {
        QTextStream(stderr) << tr("%1 cannot be made\n").arg(m_dir);
        m_done(7);
        return;
    }
    m_window.resize(kWidth, kHeight);
    m_window.arrangeDocks();
    openWork();
    next();
}

// What a person would have open: the recipe of the newest study, and the model that it began with.
void Shots::openWork() {
    const auto snapshot = m_session.project.snapshot();
    if (!snapshot || snapshot->studies.empty()) return;
    const auto study = study::openStudy(snapshot->studies.front().info.dir);
    if (!study) return;
    m_session.draft.replace(tr("open the study's recipe"), study->recipe);
    const QString model = text(study->recipe.model.path);
    if (OpenModel::whyNot(model).isEmpty()) m_session.model.open(model);
}

void Shots::next() {
    const auto& pages = m_window.pages();
    if (m_index >= pages.size() * 2) {
        m_done(0);
        return;
    }
    if (m_index % 2 == 0) m_window.goTo(pages[m_index / 2]->id());
    Theme::instance().choose(m_index % 2 == 0 ? Theme::Choice::Light : Theme::Choice::Dark);
    m_quiet = m_waited = 0;
    m_poll.start();
}

bool Shots::settled() const {
    const Page* page = m_window.currentPage();
    return page->viewState() != Page::ViewState::Loading && !page->property("stale").toBool() && !m_session.compute.isBusy() &&
           m_session.model.state() != OpenModel::State::Loading;
}

void Shots::takeWhenSettled() {
    m_quiet = settled() ? m_quiet + 1 : 0;
    m_waited += kPollMs;
    if (m_quiet < kQuietPolls && m_waited < kPatienceMs) return;
    m_poll.stop();
    const Page* page = m_window.currentPage();
    const QString file = QDir(m_dir).filePath(page->objectName().mid(4).toLower() +
                                              (m_index % 2 == 0 ? QStringLiteral("-light.png") : QStringLiteral("-dark.png")));
    const bool written = m_window.grab().save(file);
    QTextStream(stdout) << file << (m_quiet < kQuietPolls ? tr(" (still busy)") : QString()) << '\n';
    if (!written) {
        QTextStream(stderr) << tr("%1 cannot be written\n").arg(file);
        m_done(7);
        return;
    }
    ++m_index;
    next();
}

} // namespace qw::ui
