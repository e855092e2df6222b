// SPDX-License-Identifier: GPL-3.0-or-later
// What: dockLog: what the engine of the followed run and the window itself said; level, find, only matches, tail, jump, copy, save.
#pragma once

#include "client/session.h"
#include "models/log_follower.h"
#include "models/log_model.h"
#include "widgets/refresh_deferrer.h"

#include <QDockWidget>
#include <QSaveFile>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QTableView;
class QToolButton;

namespace qw::ui {

class LogDock : public QDockWidget {
    Q_OBJECT
public:
    explicit LogDock(Session& session, QWidget* parent = nullptr);

    [[nodiscard]] LogModel& model() { return m_model; }
    [[nodiscard]] QTableView& view() { return *m_view; }
    void say(LogLevel level, const QString& text); // a line of the window's own
    void find(bool forward);                       // from the current line, round the end
    void jumpToStep(int64_t step);
    [[nodiscard]] QString selectedText() const;
    void save(const QString& file); // the visible lines, in slices of the event loop; saved() or a notice

Q_SIGNALS:
    void saved(const QString& file);

private:
    QWidget* buildBar();
    void wire();
    void chooseRun();
    void showCount();
    void findOn();
    void saveOn();
    void setTail(bool on);
    [[nodiscard]] QRegularExpression pattern(); // marks the box when it does not parse
    QToolButton* button(const char* name, const char* icon, const QString& help);

    Session& m_session;
    LogModel m_model;
    LogFollower m_follower;
    QTableView* m_view = nullptr;
    QComboBox* m_level = nullptr;
    QLineEdit* m_find = nullptr;
    QToolButton *m_next = nullptr, *m_previous = nullptr, *m_copy = nullptr, *m_save = nullptr;
    QCheckBox *m_only = nullptr, *m_tail = nullptr;
    QLineEdit* m_step = nullptr;
    QLabel* m_count = nullptr;
    QTimer m_findSlice, m_saveSlice;
    std::unique_ptr<QSaveFile> m_saving;
    int m_saveRow = 0;
    QRegularExpression m_findPattern;
    int m_findRow = 0, m_findLeft = 0, m_findStep = 1;
    RefreshDeferrer m_deferrer{this, [this] { chooseRun(); }};
};

} // namespace qw::ui
