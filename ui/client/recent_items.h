// SPDX-License-Identifier: GPL-3.0-or-later
// What: the models and projects that were open last: newest first, no path twice, at most 15. Start page and File menu show them.
// Limits: kept in the user's settings at once, so that a crash loses nothing; whether a path still exists is not asked here.
#pragma once

#include "settings/settings.h"

#include <QObject>
#include <QString>
#include <QVector>

namespace qw::ui {

struct RecentItem {
    QString path; // absolute folder
    bool isProject = false;
    qint64 usedMs = 0; // since the epoch
    [[nodiscard]] QString name() const;
    bool operator==(const RecentItem&) const = default;
};

class RecentItems : public QObject {
    Q_OBJECT
public:
    static constexpr int kMost = 15;
    explicit RecentItems(Settings& settings, QObject* parent = nullptr);

    [[nodiscard]] const QVector<RecentItem>& items() const { return m_items; }
    void note(const QString& path, bool isProject, qint64 usedMs = 0); // 0: now
    void remove(const QString& path);
    void relocate(const QString& from, const QString& to); // it moved; keeps its place

Q_SIGNALS:
    void changed();

private:
    void store();
    Settings& m_settings;
    QVector<RecentItem> m_items;
};

} // namespace qw::ui
