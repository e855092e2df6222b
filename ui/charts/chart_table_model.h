// SPDX-License-Identifier: GPL-3.0-or-later
// What: the points of a chart as a table: one row a step, a column for every visible line. The data table shows it, CSV writes it.
#pragma once

#include "charts/chart_data.h"

#include <QAbstractTableModel>

namespace qw::ui {

class ChartTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role : int { SortRole = Qt::UserRole };
    explicit ChartTableModel(const ChartData& data, QObject* parent = nullptr);

    // Rows: every step with a point in this range of the x axis.
    void rebuild(double xLower, double xUpper, bool withSmoothed);
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

    // Comma separated, C locale, one line of names; an empty field where a line has no point.
    [[nodiscard]] QByteArray csv() const;

private:
    struct Column {
        QString id, name;
        Values values = Values::Raw;
    };
    [[nodiscard]] const double* at(int row, int column) const; // null: no point
    const ChartData& m_data;
    std::vector<double> m_steps;
    std::vector<Column> m_columns;
};

} // namespace qw::ui
