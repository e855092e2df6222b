// SPDX-License-Identifier: GPL-3.0-or-later
// What: runs a refresh when its widget can be seen, else once when it is shown again: a hidden dock does no work (ui.md 2).
// Limits: a member of its widget, behind all that refresh uses. It must end before the widget hides for the last time, in ~QWidget.
#pragma once

#include <QObject>
#include <QTimer>
#include <functional>

class QWidget;

namespace qw::ui {

class RefreshDeferrer : public QObject {
    Q_OBJECT
public:
    RefreshDeferrer(QWidget* watched, std::function<void()> refresh);

    void request(); // several in a row are one
    [[nodiscard]] bool isPending() const { return m_pending; }

Q_SIGNALS:
    void visibleChanged(bool visible);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* m_watched;
    std::function<void()> m_refresh;
    QTimer m_soon;
    bool m_pending = false;
};

} // namespace qw::ui
