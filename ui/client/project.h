// SPDX-License-Identifier: GPL-3.0-or-later
// What: the open project: its store on a thread of its own, and a snapshot of its facts that is kept fresh.
// Why here: views read the snapshot or ask with query(); nobody else opens the store, so nobody else can block on it.
#pragma once

#include "client/snapshot.h"
#include "client/worker.h"
#include "store/store.h"

#include <QObject>
#include <QTimer>
#include <functional>

namespace qw::ui {

class Project : public QObject {
    Q_OBJECT
public:
    explicit Project(QObject* parent = nullptr);
    ~Project() override;

    void open(const QString& dir); // opened() or failed(); the project before it is closed
    void close();
    [[nodiscard]] bool isOpen() const { return m_snapshot != nullptr; }
    [[nodiscard]] QString dir() const { return m_dir; }
    [[nodiscard]] SnapshotPtr snapshot() const { return m_snapshot; } // null until opened()

    // On the store's thread; only the newest answer of a tag is delivered. engine.state when no project is open.
    template<class T>
    void query(const QString& tag, std::function<Result<T>(store::Store&)> work, QObject* context, std::function<void(Result<T>)> done) {
        m_worker.request<Result<T>>(
            tag,
            [holder = m_store, work = std::move(work)](const CancelFlag&) -> Result<T> {
                if (!holder->store) return Error{"engine.state", "no project is open", "open one first", "", false};
                return work(*holder->store);
            },
            context, std::move(done));
    }
    // A change; a fresh snapshot follows. failed answers go to done, or to problem() when there is none.
    void change(std::function<Status(store::Store&)> work, std::function<void(Status)> done = {});
    void refresh(); // now instead of at the next look

Q_SIGNALS:
    void opened();
    void failed(const qw::Error& error); // it could not be opened
    void closed();
    void changed();                       // snapshot() is new
    void problem(const qw::Error& error); // a change or a look went wrong; the old snapshot stands

private:
    struct Holder {
        std::optional<store::Store> store;         // of the worker's thread
        std::string token;                         // of the last snapshot
        std::vector<std::filesystem::path> driven; // folders of the studies that had a supervisor then
    };
    void look(bool always);
    QString m_dir;
    SnapshotPtr m_snapshot;
    bool m_always = false; // the look in work makes a snapshot even without news
    std::shared_ptr<Holder> m_store = std::make_shared<Holder>();
    QTimer m_timer;
    Worker m_worker; // last: it ends first
};

[[nodiscard]] Result<SnapshotPtr> readSnapshot(store::Store& store);
[[nodiscard]] QString text(const std::string& utf8);
[[nodiscard]] std::string utf8(const QString& text);

} // namespace qw::ui
