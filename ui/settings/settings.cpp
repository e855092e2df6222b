// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings/settings.h"

#include <QCoreApplication>
#include <QSettings>
#include <algorithm>
#include <utility>

namespace qw::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("Settings", text); }
QString utf(const char* text) { return QString::fromUtf8(text); }
constexpr int kWriteDelayMs = 2000;

SettingInfo flag(const char* key, const char* page, const char* name, const char* help, bool fallback) {
    return {utf(key), tr(page), tr(name), tr(help), fallback, {}, 0, 0};
}
SettingInfo number(const char* key, const char* page, const char* name, const char* help, double fallback, double least, double most) {
    return {utf(key), tr(page), tr(name), tr(help), fallback, {}, least, most};
}
SettingInfo choice(const char* key, const char* page, const char* name, const char* help, const QStringList& choices) {
    return {utf(key), tr(page), tr(name), tr(help), choices.front(), choices, 0, 0};
}

} // namespace

const std::vector<SettingInfo>& Settings::table() {
    static const std::vector<SettingInfo> rows{
        flag("general/reopenProject", "General", "Reopen the last project", "At start the project that was open last is opened again.",
             true),
        choice("appearance/theme", "Appearance", "Theme", "System follows the desktop's palette.",
               {QStringLiteral("system"), QStringLiteral("light"), QStringLiteral("dark")}),
        number("charts/smoothing", "Charts", "Smoothing of new charts", "Weight of the past in the moving average, 0 to 0.999.", 0.6, 0,
               0.999),
        number("charts/lineWidth", "Charts", "Line width", "In device-independent pixels.", 1.5, 0.5, 5),
        flag("charts/rawBehindSmoothed", "Charts", "Show raw values behind smoothed ones", "The raw line stays, faint.", true),
        number("engine/threads", "Engine", "Threads on the CPU", "0: the physical cores.", 0, 0, 1024),
        flag("engine/reattach", "Engine", "Attach to running engines at start",
             "Runs that went on without the window are shown live again.", true),
        number("storage/lowSpaceGb", "Storage", "Warn below free space (GB)", "Before a study starts and while the queue works.", 5, 0,
               10000),
        number("storage/trashDays", "Storage", "Days in Trash", "Runs in Trash are offered for deletion after this time.", 30, 1, 3650),
        number("advanced/logLines", "Advanced", "Log lines kept in memory", "Older lines stay in the run folders.", 1000000, 1000,
               10000000),
    };
    return rows;
}

const SettingInfo* Settings::find(const QString& key) {
    const auto& rows = table();
    const auto at = std::find_if(rows.begin(), rows.end(), [&](const SettingInfo& row) { return row.key == key; });
    return at == rows.end() ? nullptr : &*at;
}

Settings::Settings(const QString& file, QObject* parent) : QObject(parent), m_file(file.isEmpty() ? QSettings().fileName() : file) {
    const QSettings stored(m_file, QSettings::IniFormat);
    for (const QString& key : stored.allKeys()) m_values.insert(key, stored.value(key));
    m_writer.setMaxThreadCount(1);
    m_writeLater.setSingleShot(true);
    m_writeLater.setInterval(kWriteDelayMs);
    connect(&m_writeLater, &QTimer::timeout, this, &Settings::write);
}

Settings::~Settings() {
    write();
    m_writer.waitForDone();
}

QVariant Settings::value(const QString& key) const {
    const SettingInfo* info = find(key);
    Q_ASSERT(info);
    QVariant stored = m_values.value(key);
    if (!stored.isValid() || !stored.convert(info->fallback.metaType())) return info->fallback;
    if (!info->choices.isEmpty() && !info->choices.contains(stored.toString())) return info->fallback;
    if (info->least < info->most) return std::clamp(stored.toDouble(), info->least, info->most);
    return stored;
}

void Settings::setValue(const QString& key, const QVariant& value) {
    Q_ASSERT(find(key));
    if (this->value(key) == value) return;
    put(key, value);
    Q_EMIT changed(key);
}

void Settings::reset(const QString& key) {
    if (!isChanged(key)) return;
    put(key, {});
    Q_EMIT changed(key);
}

bool Settings::isChanged(const QString& key) const { return value(key) != find(key)->fallback; }

QVariant Settings::viewState(const QString& key, const QVariant& fallback) const { return m_values.value(key, fallback); }

void Settings::setViewState(const QString& key, const QVariant& value) {
    if (m_values.value(key) != value) put(key, value);
}

void Settings::put(const QString& key, const QVariant& value) {
    if (value.isValid())
        m_values.insert(key, value);
    else
        m_values.remove(key);
    m_unwritten.insert(key, value);
    m_writeLater.start();
}

// Key by key into what the file holds by then: another window may have written too.
void Settings::write() {
    if (m_unwritten.isEmpty()) return;
    m_writer.start([file = m_file, changes = std::exchange(m_unwritten, {})] {
        QSettings store(file, QSettings::IniFormat);
        for (auto it = changes.begin(); it != changes.end(); ++it) it->isValid() ? store.setValue(it.key(), *it) : store.remove(it.key());
        store.sync();
    });
}

} // namespace qw::ui
