// SPDX-License-Identifier: GPL-3.0-or-later
// What: the scheme that is being looked at: one of the draft recipe's own, or a preset that becomes one with the first edit.
// Why here: form, preview, tree and list change schemes through this class only, so that each change is one undo step.
#pragma once

#include "client/session.h"
#include "config/scheme_entry.h"
#include "models/user_schemes.h"

#include <functional>

namespace qw::ui {

class SchemeDraft : public QObject {
    Q_OBJECT
public:
    explicit SchemeDraft(Session& session, QObject* parent = nullptr);

    [[nodiscard]] bool isOwn() const { return m_own; }
    [[nodiscard]] int index() const { return m_own ? m_session.draft.currentScheme() : -1; } // of the recipe's schemes
    [[nodiscard]] QString name() const;                                                      // empty: nothing is chosen
    [[nodiscard]] bool isEmpty() const { return m_entry.name.empty(); }
    [[nodiscard]] const records::QatBlock& block() const { return m_reading.qat; }
    [[nodiscard]] const config::SchemeReading& reading() const { return m_reading; }
    [[nodiscard]] records::DType type() const; // T of the study's rows
    [[nodiscard]] QString yaml() const;
    [[nodiscard]] const records::Recipe& recipe() const { return m_session.draft.recipe(); }
    [[nodiscard]] UserSchemes& saved() { return m_saved; }

    void showOwn(int index);
    void showPreset(const QString& name); // built in
    void showSaved(const QString& name);  // saved by the user
    void edit(const QString& what, const std::function<void(records::QatBlock&)>& change, const QString& mergeKey = {});
    int add(const QString& what); // what is shown joins the recipe; its index
    void duplicate();
    void rename(int index, const QString& name); // another name of the same words gets a number
    void remove(int index);
    [[nodiscard]] Status import(const QString& yaml, const QString& fallbackName);
    [[nodiscard]] Status saveAsPreset(const QString& name);
    [[nodiscard]] Status removeSaved(const QString& name);

Q_SIGNALS:
    void changed();        // the block, its name or what is wrong with it
    void schemesChanged(); // the list of own or saved schemes

private:
    void read();
    void showEntry(const records::SchemeEntry& entry);
    [[nodiscard]] std::string freeName(const std::string& wanted, int except) const;
    void append(const QString& what, const records::SchemeEntry& entry);
    Session& m_session;
    UserSchemes m_saved;
    bool m_own = false;
    records::SchemeEntry m_entry;
    config::SchemeReading m_reading;
};

} // namespace qw::ui
