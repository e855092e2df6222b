// SPDX-License-Identifier: GPL-3.0-or-later
// What: typed settings. Each is declared once: key, default, page of the dialog, name and help.
// Why here: the settings dialog builds itself from this table; nobody else spells a key.
// Limits: what belongs to a project (notes, colours, comparisons) lives in its store, not here. The file is read once, at the start.
#pragma once

#include <QHash>
#include <QObject>
#include <QString>
#include <QThreadPool>
#include <QTimer>
#include <QVariant>
#include <vector>

namespace qw::ui {

struct SettingInfo {
    QString key, page, name, help;
    QVariant fallback;          // its type is the setting's type
    QStringList choices;        // of a text setting; empty: free
    double least = 0, most = 0; // of a number; equal: any
};

class Settings : public QObject {
    Q_OBJECT
public:
    // file: an INI file, for tests; empty: the user's own.
    explicit Settings(const QString& file = {}, QObject* parent = nullptr);
    ~Settings() override; // written when it returns

    [[nodiscard]] static const std::vector<SettingInfo>& table();
    [[nodiscard]] static const SettingInfo* find(const QString& key);

    [[nodiscard]] QVariant value(const QString& key) const; // the declared default where nothing is stored or the type is wrong
    void setValue(const QString& key, const QVariant& value);
    void reset(const QString& key);
    [[nodiscard]] bool isChanged(const QString& key) const; // differs from its default

    // What a view remembers of itself ("live/smoothing", "runs/header"): free keys, no default, not in the dialog. Written two
    // seconds after a change and at close.
    [[nodiscard]] QVariant viewState(const QString& key, const QVariant& fallback = {}) const;
    void setViewState(const QString& key, const QVariant& value);
    void write(); // what has changed, on a thread of its own: a slow disk does not hold the window

Q_SIGNALS:
    void changed(const QString& key);

private:
    void put(const QString& key, const QVariant& value); // invalid: removed

    const QString m_file;
    QHash<QString, QVariant> m_values, m_unwritten;
    QTimer m_writeLater;
    QThreadPool m_writer; // one thread: in order
};

} // namespace qw::ui
