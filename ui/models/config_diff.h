// SPDX-License-Identifier: GPL-3.0-or-later
// What: recipes side by side, key by key: only the keys that differ, or all of them.
#pragma once

#include <QAbstractTableModel>
#include <QMap>
#include <QString>
#include <vector>

namespace qw::ui {

// "optim.lr" -> "0.002"; lists of scalars stay one value, absent and null are "–".
[[nodiscard]] QMap<QString, QString> flattenConfig(const QByteArray& json);

class ConfigDiff : public QAbstractTableModel {
    Q_OBJECT
public:
    struct Side {
        QString title;
        QMap<QString, QString> values;
    };
    enum Role : int { DiffersRole = Qt::UserRole };
    using QAbstractTableModel::QAbstractTableModel;
    void setSides(std::vector<Side> sides);
    void setAllShown(bool all); // also keys with equal values
    [[nodiscard]] int differing() const { return m_differing; }

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override; // key, then one a side
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Key {
        QString name;
        bool differs = false;
    };
    void choose();
    std::vector<Side> m_sides;
    std::vector<Key> m_keys, m_shown;
    bool m_all = false;
    int m_differing = 0;
};

} // namespace qw::ui
