// SPDX-License-Identifier: GPL-3.0-or-later
// What: "2 runs moved to Trash [Undo]" for ten seconds, instead of "are you sure" (ui.md 1.4).
#pragma once

#include <QFrame>
#include <QTimer>
#include <functional>

class QLabel;
class QPushButton;

namespace qw::ui {

class UndoBar : public QFrame {
    Q_OBJECT
public:
    static constexpr int kShownMs = 10'000;
    explicit UndoBar(QWidget* parent = nullptr); // objectName undoBar; hidden
    void offer(const QString& what, std::function<void()> undo);
    void setShownMs(int ms) { m_timer.setInterval(ms); }

private:
    QLabel* m_text = nullptr;
    QPushButton* m_button = nullptr;
    std::function<void()> m_undo;
    QTimer m_timer;
};

} // namespace qw::ui
