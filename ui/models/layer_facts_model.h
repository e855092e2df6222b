// SPDX-License-Identifier: GPL-3.0-or-later
// What: the layers of one run as a table: what the scheme did to each, and its newest statistics. Missing values sort last.
#pragma once

#include "models/live_history.h"

#include <QAbstractTableModel>
#include <vector>

namespace qw::ui {

constexpr int kSortRole = Qt::UserRole + 1; // numbers as numbers

class LayerFactsModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column : int { Layer, Scheme, Bits, Sqnr, Clipped, Flips, Columns };
    using QAbstractTableModel::QAbstractTableModel;

    void setFacts(const std::vector<records::LayerInfo>& layers, const LiveSeries& series);
    [[nodiscard]] QString describe(int row) const; // everything about a layer, a line each

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Row {
        records::LayerInfo info;
        double sqnr, clipped, flips, drift; // not a number: not measured
        bool operator==(const Row& other) const;
    };
    [[nodiscard]] double number(const Row& row, int column) const;
    std::vector<Row> m_rows;
};

} // namespace qw::ui
