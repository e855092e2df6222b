// SPDX-License-Identifier: GPL-3.0-or-later
// What: an application that times every event of the GUI thread: processor time, time it was kept from a processor, time it slept,
// and whether the kernel had to read a page of the program back from the disk meanwhile.
// Why here: nothing may hold the window for more than 16 ms (ui.md 1.2); a busy machine must not make that test lie.
// Limits: an event that opens a loop of its own is timed without what that loop delivers. Linux only (schedstat).
#pragma once

#include "pages/page.h"

#include <QAbstractEventDispatcher>
#include <QApplication>
#include <QDialog>
#include <QSemaphore>
#include <QSet>
#include <QStackedWidget>
#include <QThread>
#include <QThreadPool>

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

namespace qw::test {

class LoopWatch : public QApplication {
public:
    struct Held { // milliseconds
        QString what;
        double wall = 0, cpu = 0, queued = 0; // queued: ready to run, but the processor was another's
        int64_t pagesRead = 0;                // by faults; a busy machine evicts code that was not run for a while
        bool first = false;                   // something was shown for the first time: polished, laid out, painted
        [[nodiscard]] double slept() const { return std::max(0.0, wall - cpu - queued); }
    };

    LoopWatch(int& argc, char** argv) : QApplication(argc, argv), m_stat(openStat()) {
        // Qt fills large areas on the global pool, and the GUI thread waits for it: one thread, whose times count as the GUI thread's own.
        QThreadPool* pool = QThreadPool::globalInstance();
        pool->setMaxThreadCount(1);
        pool->setExpiryTimeout(-1);
        QSemaphore opened;
        pool->start([&] {
            m_fillerStat = openStat();
            opened.release();
        });
        opened.acquire();
    }
    ~LoopWatch() override {
        for (const int file : {m_stat, m_fillerStat})
            if (file >= 0) ::close(file);
    }

    void begin() { m_watching = true; }
    void rest() { m_watching = false; } // while no window stands
    [[nodiscard]] const std::vector<Held>& slow() const { return m_slow; } // above a millisecond
    [[nodiscard]] int64_t events() const { return m_events; }
    void report(size_t most) const {
        qInfo("%lld events, %zu above 1 ms of wall time; the longest by processor time:", static_cast<long long>(m_events), m_slow.size());
        auto list = m_slow;
        std::ranges::sort(list, [](const Held& a, const Held& b) { return a.cpu > b.cpu; });
        for (size_t i = 0; i < std::min(most, list.size()); ++i) print(list[i]);
        std::ranges::sort(list, [](const Held& a, const Held& b) { return a.slept() > b.slept(); });
        qInfo("and by time asleep:");
        for (size_t i = 0; i < std::min(most / 2, list.size()); ++i) print(list[i]);
    }
    static void print(const Held& held) {
        qInfo("  cpu %6.1f  wall %6.1f  waited for a processor %6.1f  asleep %6.1f ms  pages read %lld  %s%s", held.cpu, held.wall,
              held.queued, held.slept(), static_cast<long long>(held.pagesRead), held.first ? "(first time) " : "", qPrintable(held.what));
    }

    bool notify(QObject* receiver, QEvent* event) override {
        if (!m_watching || QThread::currentThread() != thread()) return QApplication::notify(receiver, event);
        const int level = QThread::currentThread()->loopLevel();
        noteShows(receiver, event);
        if (!m_open.empty() && m_open.back().level == level) return nested(receiver, event);
        // The receiver may be gone afterwards.
        Open open{level, now(), {}, name(receiver, event), m_pendingFirst, 0, {}};
        m_open.push_back(open);
        const bool answer = QApplication::notify(receiver, event);
        close();
        return answer;
    }

private:
    struct Times {
        double wall = 0, cpu = 0, queued = 0;
        int64_t pagesRead = 0;
        Times operator-(const Times& o) const { return {wall - o.wall, cpu - o.cpu, queued - o.queued, pagesRead - o.pagesRead}; }
        void operator+=(const Times& o) {
            wall += o.wall;
            cpu += o.cpu;
            queued += o.queued;
            pagesRead += o.pagesRead;
        }
    };
    struct Open {
        int level = 0;
        Times began, inner; // inner: of loops opened inside
        QString what;
        bool first = false;
        double longestPart = 0;
        QString part; // the longest direct event inside
    };

    [[nodiscard]] Times now() const {
        Times t;
        t.wall = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
        timespec spec{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spec);
        t.cpu = 1e3 * static_cast<double>(spec.tv_sec) + 1e-6 * static_cast<double>(spec.tv_nsec);
        rusage usage{};
        ::getrusage(RUSAGE_THREAD, &usage);
        t.pagesRead = usage.ru_majflt;
        const Times filler = scheduled(m_fillerStat);
        t.cpu += filler.cpu;
        t.queued = scheduled(m_stat).queued + filler.queued;
        return t;
    }
    static int openStat() { return ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC); } // of the thread that asks
    static Times scheduled(int stat) {
        char text[96];
        const ssize_t n = stat >= 0 ? ::pread(stat, text, sizeof text - 1, 0) : 0;
        if (n <= 0) return {};
        text[n] = 0;
        long long ran = 0, waited = 0;
        if (std::sscanf(text, "%lld %lld", &ran, &waited) != 2) return {};
        Times t;
        t.cpu = 1e-6 * static_cast<double>(ran);
        t.queued = 1e-6 * static_cast<double>(waited);
        return t;
    }
    static QString name(const QObject* receiver, const QEvent* event) {
        QString path = QString::fromLatin1(receiver->metaObject()->className());
        for (const QObject* o = receiver; o; o = o->parent())
            if (!o->objectName().isEmpty()) {
                path += QLatin1Char(' ') + o->objectName();
                break;
            }
        return path + QStringLiteral(" event %1").arg(static_cast<int>(event->type()));
    }
    bool nested(QObject* receiver, QEvent* event) {
        const double before = threadCpu();
        const QString what = m_open.size() == 1 && event->type() != QEvent::Paint ? name(receiver, event) : QString();
        const size_t depth = m_open.size();
        const bool answer = QApplication::notify(receiver, event);
        const double took = threadCpu() - before;
        if (m_open.size() == depth && took > m_open.back().longestPart && took > 2 && !what.isEmpty()) {
            m_open.back().longestPart = took;
            m_open.back().part = what;
        }
        return answer;
    }
    static double threadCpu() {
        timespec spec{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spec);
        return 1e3 * static_cast<double>(spec.tv_sec) + 1e-6 * static_cast<double>(spec.tv_nsec);
    }
    // The first show of a page, of its content, or of a dialog: from there to the paint behind it is a first paint.
    void noteShows(QObject* receiver, QEvent* event) {
        if (event->type() == QEvent::Show && receiver->isWidgetType()) {
            auto* widget = static_cast<QWidget*>(receiver);
            const bool counts =
                qobject_cast<ui::Page*>(widget) || widget->isWindow() || qobject_cast<QStackedWidget*>(widget->parentWidget());
            if (counts && !m_shown.contains(widget)) {
                m_shown.insert(widget);
                QObject::connect(widget, &QObject::destroyed, this, [this, widget] { m_shown.remove(widget); });
                m_pendingFirst = true;
                for (Open& open : m_open) open.first = true;
            }
        }
        if (event->type() == QEvent::Paint && m_pendingFirst) {
            for (Open& open : m_open) open.first = true;
            m_painted = true;
        }
    }
    void close() {
        const Open open = m_open.back();
        m_open.pop_back();
        const Times whole = now() - open.began;
        if (!m_open.empty()) m_open.back().inner += whole;
        const Times own = whole - open.inner;
        ++m_events;
        if (own.wall > 1)
            m_slow.push_back({open.part.isEmpty() ? open.what : open.what + QStringLiteral(" → ") + open.part, own.wall, own.cpu,
                              own.queued, own.pagesRead, open.first});
        if (m_painted && m_open.empty()) m_painted = m_pendingFirst = false;
    }

    int m_stat = -1, m_fillerStat = -1;
    bool m_watching = false, m_pendingFirst = false, m_painted = false;
    std::vector<Open> m_open;
    std::vector<Held> m_slow;
    QSet<QObject*> m_shown;
    int64_t m_events = 0;
};

} // namespace qw::test
