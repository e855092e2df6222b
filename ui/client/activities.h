// SPDX-License-Identifier: GPL-3.0-or-later
// What: work that the user waits for and may call off: exports, evaluations, checks, reports (ui.md 5, Progress).
// Why here: pages and dialogs begin it, the status bar and the queue show it; neither knows the other.
// Limits: GUI thread. Studies and their runs are not listed: they outlive the window and stand in the queue.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <functional>
#include <vector>

namespace qw::ui {

struct Activity {
    int id = 0;
    QString title, text;          // text: what it says about its progress
    double share = -1;            // done so far, 0 to 1; negative: not known
    std::function<void()> cancel; // empty: cannot be called off
    QElapsedTimer since;
};

class Activities : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;
    [[nodiscard]] int begin(const QString& title, std::function<void()> cancel = {});
    // A sentence of the tool; "export bytes 12/48 (25 %)" tells the share as well.
    void progress(int id, const QString& sentence);
    void end(int id); // of one that ended before: nothing
    void cancel(int id);
    [[nodiscard]] const std::vector<Activity>& all() const { return m_all; } // oldest first

Q_SIGNALS:
    void changed();

private:
    [[nodiscard]] Activity* find(int id);
    std::vector<Activity> m_all;
    int m_next = 1;
};

// "export bytes 12/48 …" → 0.25; negative when the sentence does not say.
[[nodiscard]] double shareOf(const QString& sentence);

} // namespace qw::ui
