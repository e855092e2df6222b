// SPDX-License-Identifier: GPL-3.0-or-later
// What: modules and tensors of the opened model as a tree, with what the current scheme can do with each.
// Limits: the headers of the weight files are rows of their own, so that the sum of all bytes is the size of the files.
#pragma once

#include "checkpoint/inspect.h"

#include <QAbstractItemModel>
#include <QHash>
#include <memory>
#include <vector>

namespace qw::ui {

// Of one stored tensor.
struct QuantVerdict {
    bool can = false;
    QString words; // "int4 g32 sym", or why not: "norm", "group_size 32 does not divide 127 columns"
};

class ModelTree : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Column { Name, Kind, Shape, Type, Parameters, Bytes, Share, Quantizes, ColumnCount };
    enum Role { SortRole = Qt::UserRole, FullNameRole, CanRole }; // CanRole: bool, invalid for modules
    explicit ModelTree(QObject* parent = nullptr) : QAbstractItemModel(parent) {}

    void show(std::shared_ptr<const checkpoint::Inspection> model);                          // null: nothing
    void setVerdicts(QHash<QString, QuantVerdict> verdicts);                                 // by tensor name
    [[nodiscard]] const checkpoint::InspectedTensor* tensor(const QModelIndex& index) const; // null: a module or a header
    [[nodiscard]] QModelIndex find(const QString& tensor) const;
    [[nodiscard]] qint64 totalBytes() const;

    [[nodiscard]] QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    [[nodiscard]] QModelIndex parent(const QModelIndex& index) const override;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& = {}) const override { return ColumnCount; }
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Node {
        QString label, full, kind;
        int parent = -1, row = 0, tensor = -1;
        std::vector<int> children;
        qint64 parameters = 0, bytes = 0;
    };
    int add(const QString& label, const QString& full, int parent);
    void addTensor(int tensor, QHash<QString, int>& modules);
    void addHeaders();
    void foldSingles(); // q_proj > weight becomes q_proj.weight
    void number(int node);
    [[nodiscard]] QString words(const Node& node, int column) const;
    [[nodiscard]] QVariant sortKey(const Node& node, int column) const;
    std::shared_ptr<const checkpoint::Inspection> m_model;
    std::vector<Node> m_nodes; // [0]: above all
    QHash<QString, QString> m_kinds;
    QHash<QString, QuantVerdict> m_verdicts;
};

} // namespace qw::ui
