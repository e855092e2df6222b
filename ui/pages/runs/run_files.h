// SPDX-License-Identifier: GPL-3.0-or-later
// What: the checkpoints and written folders of one run with their sizes, and the ways to go on from them: resume, extend.
#pragma once

#include "client/session.h"

#include <QWidget>

class QDialog;
class QLabel;
class QPushButton;
class QSpinBox;
class QTreeWidget;

namespace qw::ui {

class RunFiles : public QWidget {
    Q_OBJECT
public:
    explicit RunFiles(Session& session, QWidget* parent = nullptr); // objectName runFiles
    void showRun(const QString& uid);                               // empty: none
    void showFiles(const std::vector<store::ArtifactInfo>& files);  // that are on disk
    void showActions();                                             // what can be done may have changed
    void focusFiles();

Q_SIGNALS:
    void extended(const QString& run); // the new one

private:
    void build();
    void resume();
    void extend();
    void askRewind(qint64 step);
    void goOn(qint64 from);
    [[nodiscard]] qint64 chosenStep() const; // of the selected checkpoint, when it is not the newest; else below 0
    [[nodiscard]] const RunFacts* run() const;
    [[nodiscard]] Reply told(); // failures become notices

    Session& m_session;
    QString m_uid;
    qint64 m_newest = -1; // step
    QTreeWidget* m_list = nullptr;
    QPushButton* m_resumeButton = nullptr;
    QPushButton* m_exportsButton = nullptr;
    QSpinBox* m_extendSteps = nullptr;
    QPushButton* m_extendButton = nullptr;
};

} // namespace qw::ui
