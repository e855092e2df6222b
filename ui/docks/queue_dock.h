// SPDX-License-Identifier: GPL-3.0-or-later
// What: dock Queue (ui.md 4.7): the studies that are worked on or wait, in their order; pause, reorder, retry, remove.
#pragma once

#include "client/session.h"
#include "models/queue_model.h"
#include "widgets/action_registry.h"
#include "widgets/banner.h"

#include <QDockWidget>

class QLabel;
class QPushButton;
class QStackedWidget;
class QToolButton;
class QTreeView;

namespace qw::ui {

class QueueDock : public QDockWidget {
    Q_OBJECT
public:
    QueueDock(Session& session, ActionRegistry& actions, QWidget* parent = nullptr); // objectName dockQueue
    [[nodiscard]] QueueModel& model() const { return *m_model; }

protected:
    void showEvent(QShowEvent* event) override;

private:
    void build();
    void registerActions();
    void wire();
    void refresh();
    void showStudies(std::vector<QueueStudy> studies);
    void showDisk(uint64_t freeBytes); // warns while something waits and space is short
    void showActions();
    [[nodiscard]] const QueueStudy* selected() const;
    [[nodiscard]] bool paused() const;
    void setPaused(bool paused);
    void setOrder(const QStringList& uids);
    void move(int by);
    void retry();
    void removeStudy();

    Session& m_session;
    ActionRegistry& m_actions;
    QueueModel* m_model = nullptr;
    QStackedWidget* m_stack = nullptr;
    QTreeView* m_tree = nullptr;
    QLabel* m_state = nullptr;
    Banner* m_banner = nullptr;
    QString m_selected;  // study uid, over a reset of the model
    bool m_stale = true; // refreshed when it is shown
};

} // namespace qw::ui
