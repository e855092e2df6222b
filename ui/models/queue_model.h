// SPDX-License-Identifier: GPL-3.0-or-later
// What: the queue as a tree: studies in their order, below each its members with state and progress.
// Limits: shows facts of a snapshot and of the studies' folders; a changed order is only announced, the dock stores it.
#pragma once

#include "models/run_row.h"

#include <QAbstractItemModel>

namespace qw::ui {

struct QueueMember {
    QString id, name, run; // run: uid, empty before it starts
    bool baseline = false; // a PTQ row, added for its QAT twin
    bool reused = false;   // served by a run of another study
    RunWord state = RunWord::Queued;
    double progress = -1; // of an active one, 0 to 1; below 0: unknown
    QString error;
    bool operator==(const QueueMember&) const = default;
};
struct QueueStudy {
    QString uid, name, dir;
    bool driven = false;
    std::vector<QueueMember> members;
    bool operator==(const QueueStudy&) const = default;
    [[nodiscard]] int count(RunWord word) const;
    [[nodiscard]] bool isActive() const;
};

// Off the GUI thread: opens the folders of the listed studies. Driven ones, then what the order names besides.
[[nodiscard]] std::vector<QueueStudy> queueOf(const Snapshot& snapshot);
[[nodiscard]] QStringList queueOrder(const Snapshot& snapshot);

class QueueModel : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Role : int { StateRole = Qt::UserRole, ProgressRole, UidRole };
    explicit QueueModel(QObject* parent = nullptr) : QAbstractItemModel(parent) {}
    void setStudies(std::vector<QueueStudy> studies, bool paused);
    [[nodiscard]] const std::vector<QueueStudy>& studies() const { return m_studies; }
    [[nodiscard]] const QueueStudy* studyAt(const QModelIndex& index) const; // of a member: its study; null: none
    void move(int from, int to);                                             // announces the new order

    [[nodiscard]] QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    [[nodiscard]] QModelIndex parent(const QModelIndex& child) const override;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;
    [[nodiscard]] Qt::DropActions supportedDropActions() const override { return Qt::MoveAction; }
    [[nodiscard]] QStringList mimeTypes() const override;
    [[nodiscard]] QMimeData* mimeData(const QModelIndexList& indexes) const override;
    bool dropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column, const QModelIndex& parent) override;

Q_SIGNALS:
    void orderWanted(const QStringList& uids);

private:
    [[nodiscard]] QVariant studyData(const QueueStudy& study, int row, int column, int role) const;
    [[nodiscard]] QVariant memberData(const QueueMember& member, int column, int role) const;
    std::vector<QueueStudy> m_studies;
    bool m_paused = false;
};

} // namespace qw::ui
