// SPDX-License-Identifier: GPL-3.0-or-later
// What: one undoable change of the store: what to do, and what takes it back.
#pragma once

#include "client/session.h"

#include <QUndoCommand>
#include <functional>

namespace qw::ui {

class StoreEdit final : public QUndoCommand {
public:
    using Work = std::function<Status(store::Store&)>;
    // after: told on the GUI thread when a direction was stored; may be empty.
    StoreEdit(Session& session, const QString& text, Work forth, Work back, std::function<void(bool undone)> after = {})
        : QUndoCommand(text), m_session(session), m_forth(std::move(forth)), m_back(std::move(back)), m_after(std::move(after)) {}
    void redo() override { run(m_forth, false); }
    void undo() override { run(m_back, true); }

private:
    void run(const Work& work, bool undone) {
        m_session.project.change(work, [&session = m_session, after = m_after, undone](Status status) {
            if (!status)
                Q_EMIT session.notice(status.error());
            else if (after)
                after(undone);
        });
    }
    Session& m_session;
    Work m_forth, m_back;
    std::function<void(bool)> m_after;
};

} // namespace qw::ui
