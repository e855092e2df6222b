// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/refresh_deferrer.h"

#include <QEvent>
#include <QWidget>

namespace qw::ui {

RefreshDeferrer::RefreshDeferrer(QWidget* watched, std::function<void()> refresh) : m_watched(watched), m_refresh(std::move(refresh)) {
    m_soon.setSingleShot(true);
    m_soon.setInterval(0);
    connect(&m_soon, &QTimer::timeout, this, [this] {
        if (!m_watched->isVisible()) return;
        m_pending = false;
        m_refresh();
    });
    watched->installEventFilter(this);
}

void RefreshDeferrer::request() {
    m_pending = true;
    if (m_watched->isVisible()) m_soon.start();
}

bool RefreshDeferrer::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::Show) {
        if (m_pending) m_soon.start();
        Q_EMIT visibleChanged(true);
    } else if (event->type() == QEvent::Hide)
        Q_EMIT visibleChanged(false);
    return QObject::eventFilter(watched, event);
}

} // namespace qw::ui
