// SPDX-License-Identifier: GPL-3.0-or-later
// What: covers the window while something is dragged over it and says what dropping will do, or why it will not work.
#pragma once

#include <QLabel>

class QMimeData;

namespace qw::ui {

class Session;

class DropOverlay : public QLabel {
    Q_OBJECT
public:
    DropOverlay(Session& session, QWidget* window); // objectName dropOverlay; takes the window's drags

private:
    bool eventFilter(QObject* watched, QEvent* event) override;
    [[nodiscard]] static QString pathOf(const QMimeData* data); // of the one local file or folder; empty: none, or several
    void cover(const QString& text, bool good);
    Session& m_session;
};

} // namespace qw::ui
