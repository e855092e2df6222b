// SPDX-License-Identifier: GPL-3.0-or-later
// What: every matrix a scheme could act on, by layer: in or out, width, size, estimated error. Ticking a row asks for an override.
#pragma once

#include "models/scheme_facts.h"

#include <QAbstractItemModel>
#include <QHash>
#include <optional>

namespace qw::ui {

struct LayerError {
    double sqnrDb = 0;
    bool exact = false;
};

class LayerTree : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Column { Layer, Kind, Scheme, Bits, Size, Sqnr, ColumnCount };
    enum Role { SortRole = Qt::UserRole, NameRole, HeatRole }; // NameRole: full module name; HeatRole: 0 … 1 of the bar, invalid: none
    explicit LayerTree(QObject* parent = nullptr) : QAbstractItemModel(parent) {}

    void show(const std::vector<LayerFact>& layers); // same matrices: rows stay
    void setErrors(const QHash<QString, LayerError>& errors);
    [[nodiscard]] const LayerFact* fact(const QModelIndex& index) const; // null: a layer as a whole
    [[nodiscard]] QStringList namesBelow(const QModelIndex& index) const;
    [[nodiscard]] QModelIndex find(const QString& name) const;

    [[nodiscard]] QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    [[nodiscard]] QModelIndex parent(const QModelIndex& index) const override;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& = {}) const override { return ColumnCount; }
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override; // ticks only ask
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

Q_SIGNALS:
    void inclusionWanted(const QStringList& names, bool in);

private:
    struct Top {
        QString label;
        std::vector<int> facts; // one: stands for itself
        bool isGroup = false;
    };
    [[nodiscard]] const Top& top(const QModelIndex& index) const;
    [[nodiscard]] std::vector<int> factsBelow(const QModelIndex& index) const;
    [[nodiscard]] QVariant groupData(const QModelIndex& index, int role) const;
    [[nodiscard]] QVariant factData(const LayerFact& fact, const QString& label, int column, int role) const;
    [[nodiscard]] QVariant checkState(const std::vector<int>& facts) const;
    void tellAll(int first, int last);
    std::vector<LayerFact> m_facts;
    std::vector<Top> m_tops;
    std::vector<std::pair<int, int>> m_place; // of each fact: top, row in it (-1: the top itself)
    QHash<QString, LayerError> m_errors;
};

} // namespace qw::ui
