// SPDX-License-Identifier: GPL-3.0-or-later
// What: the recent models and projects as a table: name, path, last used; missing ones greyed and named so.
#pragma once

#include "client/session.h"

#include <QAbstractTableModel>
#include <QSet>

namespace qw::ui {

class RecentModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Name, Path, Used, ColumnCount };
    explicit RecentModel(Session& session, QObject* parent = nullptr);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

    [[nodiscard]] QString pathAt(int row) const { return m_items.value(row).path; }
    [[nodiscard]] bool isProjectAt(int row) const { return m_items.value(row).isProject; }
    [[nodiscard]] bool isMissing(int row) const { return m_missing.contains(pathAt(row)); }
    void lookAgain(); // asks the disk, in the background, which of them still exist

Q_SIGNALS:
    void looked();

private:
    void reload();
    Session& m_session;
    QVector<RecentItem> m_items;
    QSet<QString> m_missing;
};

} // namespace qw::ui
