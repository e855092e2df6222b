// SPDX-License-Identifier: GPL-3.0-or-later
// What: what the Model page shows below its banner when a folder cannot be opened: which one, what is needed, and other models at hand.
#pragma once

#include "client/session.h"
#include "widgets/action_registry.h"

#include <QWidget>
#include <functional>

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace qw::ui {

class ModelTrouble : public QWidget {
    Q_OBJECT
public:
    ModelTrouble(Session& session, ActionRegistry& actions, std::function<void()> choose); // objectName modelTrouble

    void show(const QString& folder); // the one that failed

private:
    void build();
    QPushButton* actionButton(const QString& action, const QString& text, const char* name);
    void listRecent(const QString& except);

    Session& m_session;
    ActionRegistry& m_actions;
    std::function<void()> m_choose;
    QLabel* m_heading = nullptr;
    QLabel* m_folder = nullptr;
    QLabel* m_recentHeading = nullptr;
    QVBoxLayout* m_recent = nullptr;
};

} // namespace qw::ui
