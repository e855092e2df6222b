// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/layout_store.h"

#include <QDockWidget>
#include <QEvent>
#include <QGuiApplication>
#include <QMainWindow>
#include <QScreen>

namespace qw::ui {
namespace {

constexpr int kWriteDelayMs = 2000;
const QString kGeometry = QStringLiteral("window/geometry"), kState = QStringLiteral("window/state");
const QString kNames = QStringLiteral("layouts/names");
QString keyOf(const QString& name, const char* part) {
    return QStringLiteral("layouts/") + QString::fromLatin1(name.toUtf8().toHex()) + QLatin1Char('/') + QString::fromLatin1(part);
}

} // namespace

LayoutStore::LayoutStore(Settings& settings, QMainWindow& window)
    : QObject(&window), m_settings(settings), m_window(window), m_defaultState(window.saveState(kVersion)) {
    m_later.setSingleShot(true);
    m_later.setInterval(kWriteDelayMs);
    connect(&m_later, &QTimer::timeout, this, &LayoutStore::save);
    window.installEventFilter(this);
    const auto docks = window.findChildren<QDockWidget*>();
    for (QDockWidget* dock : docks) {
        connect(dock, &QDockWidget::visibilityChanged, &m_later, qOverload<>(&QTimer::start));
        connect(dock, &QDockWidget::dockLocationChanged, &m_later, qOverload<>(&QTimer::start));
        connect(dock, &QDockWidget::topLevelChanged, &m_later, qOverload<>(&QTimer::start));
    }
}

bool LayoutStore::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::Resize || event->type() == QEvent::Move) m_later.start();
    return QObject::eventFilter(watched, event);
}

void LayoutStore::save() {
    m_settings.setViewState(kGeometry, m_window.saveGeometry());
    m_settings.setViewState(kState, m_window.saveState(kVersion));
}

bool LayoutStore::use(const QByteArray& geometry, const QByteArray& state) {
    const bool placed = geometry.isEmpty() || m_window.restoreGeometry(geometry);
    const bool arranged = state.isEmpty() || m_window.restoreState(state, kVersion);
    if (!placed || !arranged) m_window.restoreState(m_defaultState, kVersion);
    moveOntoScreen();
    return placed && arranged;
}

bool LayoutStore::restore() { return use(m_settings.viewState(kGeometry).toByteArray(), m_settings.viewState(kState).toByteArray()); }

bool LayoutStore::stored() const { return !m_settings.viewState(kState).toByteArray().isEmpty(); }

void LayoutStore::moveOntoScreen() {
    const QRect frame = m_window.geometry();
    const auto screens = QGuiApplication::screens();
    for (const QScreen* screen : screens)
        if (screen->availableGeometry().intersects(frame)) return;
    m_window.move(QGuiApplication::primaryScreen()->availableGeometry().topLeft());
}

void LayoutStore::reset() {
    m_window.restoreState(m_defaultState, kVersion);
    save();
}

QStringList LayoutStore::names() const { return m_settings.viewState(kNames).toStringList(); }

void LayoutStore::saveAs(const QString& name) {
    QStringList all = names();
    if (!all.contains(name)) all << name;
    m_settings.setViewState(kNames, all);
    m_settings.setViewState(keyOf(name, "geometry"), m_window.saveGeometry());
    m_settings.setViewState(keyOf(name, "state"), m_window.saveState(kVersion));
}

bool LayoutStore::apply(const QString& name) {
    return use(m_settings.viewState(keyOf(name, "geometry")).toByteArray(), m_settings.viewState(keyOf(name, "state")).toByteArray());
}

void LayoutStore::remove(const QString& name) {
    QStringList all = names();
    all.removeAll(name);
    m_settings.setViewState(kNames, all);
}

} // namespace qw::ui
