// SPDX-License-Identifier: GPL-3.0-or-later
// What: the model folder that the window works on: read from headers only, in the background.
#pragma once

#include "base/result.h"
#include "checkpoint/inspect.h"
#include "client/worker.h"

#include <QObject>
#include <QString>
#include <memory>

namespace qw::ui {

class OpenModel : public QObject {
    Q_OBJECT
public:
    enum class State : uint8_t { None, Loading, Ready, Failed };
    explicit OpenModel(QObject* parent = nullptr) : QObject(parent) {}

    void open(const QString& folder);
    void reload() { open(m_folder); }
    void close();
    [[nodiscard]] State state() const { return m_state; }
    [[nodiscard]] QString folder() const { return m_folder; }
    [[nodiscard]] const Error& error() const { return m_error; }                                            // of Failed
    [[nodiscard]] std::shared_ptr<const checkpoint::Inspection> inspection() const { return m_inspection; } // of Ready

    // Why a folder cannot be opened as a model, in one sentence; empty when it looks like one. Looks at names only, at most
    // a few files: fit for a drag that hovers.
    [[nodiscard]] static QString whyNot(const QString& folder);

Q_SIGNALS:
    void changed();

private:
    State m_state = State::None;
    QString m_folder;
    Error m_error;
    std::shared_ptr<const checkpoint::Inspection> m_inspection;
    Worker m_worker;
};

} // namespace qw::ui
