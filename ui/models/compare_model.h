// SPDX-License-Identifier: GPL-3.0-or-later
// What: the comparison as a table on screen: measured rows, then degradations and recovered shares, each with its formula in the tooltip.
// Limits: cells are those of study::textTable, with the user's decimal sign; nothing is computed here but the words of the tooltips.
#pragma once

#include "models/comparison.h"
#include "study/compare_text.h"

#include <QAbstractTableModel>

namespace qw::ui {

// A cell of study::textTable as it is shown: without strike-through marks, with the locale's decimal sign.
[[nodiscard]] QString shownCell(const std::string& cell);

class CompareModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Role : int { ColourRole = Qt::UserRole, KindRole, UidRole, NotComparableRole };
    explicit CompareModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
    void setComparison(ComparisonPtr comparison);
    [[nodiscard]] const study::TextTable& cells() const { return m_text; }

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override; // the row's name first
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    [[nodiscard]] QString tip(int row, int column) const;
    [[nodiscard]] QString rowTip(int row) const; // formula, with the numbers of every column
    [[nodiscard]] QString formula(const study::TextTable::Origin& origin, size_t column) const;
    [[nodiscard]] const study::Cell* cell(int row, int column) const; // null: no metric

    ComparisonPtr m_comparison;
    study::TextTable m_text;
};

} // namespace qw::ui
