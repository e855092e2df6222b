// SPDX-License-Identifier: GPL-3.0-or-later
// What: size, place and docks of the window, kept over restarts, and under names that the user gives.
// Limits: a layout of another version, or one that cannot be restored, gives the default and says so.
#pragma once

#include "settings/settings.h"

#include <QObject>
#include <QStringList>
#include <QTimer>

class QMainWindow;

namespace qw::ui {

class LayoutStore : public QObject {
    Q_OBJECT
public:
    static constexpr int kVersion = 1;
    LayoutStore(Settings& settings, QMainWindow& window); // takes the window's present layout as the default one

    [[nodiscard]] bool restore();      // false: a stored layout could not be used
    [[nodiscard]] bool stored() const; // an arrangement was kept before
    void save();
    void reset();
    [[nodiscard]] QStringList names() const;
    void saveAs(const QString& name);
    [[nodiscard]] bool apply(const QString& name);
    void remove(const QString& name);

private:
    bool eventFilter(QObject* watched, QEvent* event) override;
    bool use(const QByteArray& geometry, const QByteArray& state);
    void moveOntoScreen();
    Settings& m_settings;
    QMainWindow& m_window;
    QByteArray m_defaultState;
    QTimer m_later;
};

} // namespace qw::ui
