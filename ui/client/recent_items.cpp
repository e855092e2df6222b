// SPDX-License-Identifier: GPL-3.0-or-later
#include "client/recent_items.h"

#include <QDateTime>
#include <QDir>
#include <QFileInfo>

namespace qw::ui {
namespace {

const QString& key() {
    static const QString name = QStringLiteral("start/recent");
    return name;
}

} // namespace

QString RecentItem::name() const { return QFileInfo(path).fileName(); }

RecentItems::RecentItems(Settings& settings, QObject* parent) : QObject(parent), m_settings(settings) {
    // One line an item: kind, time, path.
    for (const QString& line : m_settings.viewState(key()).toStringList()) {
        const QString path = line.section(QLatin1Char(' '), 2);
        bool isTime = false;
        const qint64 used = line.section(QLatin1Char(' '), 1, 1).toLongLong(&isTime);
        if (isTime && QDir::isAbsolutePath(path) && m_items.size() < kMost)
            m_items.append({path, line.startsWith(QLatin1String("project ")), used});
    }
}

void RecentItems::note(const QString& path, bool isProject, qint64 usedMs) {
    const QString clean = QDir::cleanPath(path);
    m_items.removeIf([&](const RecentItem& item) { return item.path == clean; });
    m_items.prepend({clean, isProject, usedMs > 0 ? usedMs : QDateTime::currentMSecsSinceEpoch()});
    if (m_items.size() > kMost) m_items.resize(kMost);
    store();
}

void RecentItems::remove(const QString& path) {
    if (m_items.removeIf([&](const RecentItem& item) { return item.path == path; }) > 0) store();
}

void RecentItems::relocate(const QString& from, const QString& to) {
    const QString clean = QDir::cleanPath(to);
    if (clean == from) return;
    m_items.removeIf([&](const RecentItem& item) { return item.path == clean; });
    for (RecentItem& item : m_items)
        if (item.path == from) item.path = clean;
    store();
}

void RecentItems::store() {
    QStringList lines;
    for (const RecentItem& item : m_items)
        lines << QStringLiteral("%1 %2 %3")
                     .arg(item.isProject ? QStringLiteral("project") : QStringLiteral("model"), QString::number(item.usedMs), item.path);
    m_settings.setViewState(key(), lines);
    Q_EMIT changed();
}

} // namespace qw::ui
