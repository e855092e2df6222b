// SPDX-License-Identifier: GPL-3.0-or-later
// What: the table of runs: filtered and sorted over all rows by several keys, missing values last; name, tags and notes can be edited.
// Why here: a proxy compares through variants; this sorts ten thousand plain rows within a frame or two.
// Limits: an edit is only announced; the page writes it to the store and the next snapshot shows it.
#pragma once

#include "models/run_filter.h"
#include "models/run_row.h"

#include <QAbstractTableModel>
#include <QSet>
#include <map>

namespace qw::ui {

class RunsModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column : int {
        Colour,
        Mark,
        Name,
        State,
        Scheme,
        Bits,
        Size,
        Model,
        Step,
        Loss,
        BestEval,
        HellaSwag,
        WordPpl,
        Recovered,
        Time,
        Tags,
        Notes,
        Created,
        ColumnCount
    };
    enum Role : int { SortRole = Qt::UserRole, UidRole, ColourRole, StateRole };
    struct SortKey {
        int column = Created;
        Qt::SortOrder order = Qt::DescendingOrder;
        bool operator==(const SortKey&) const = default;
    };

    explicit RunsModel(QObject* parent = nullptr);

    void setRows(RunRows rows);
    void setFilter(const RunFilter& filter);
    void setTrashShown(bool shown); // the rows in Trash instead of the others
    void setSortKeys(const std::vector<SortKey>& keys);
    void sortBy(int column, bool additional); // a click on the header; a second one turns the order
    void setMarks(const QString& baseline, const QStringList& compared);
    [[nodiscard]] const std::vector<SortKey>& sortKeys() const { return m_keys; }
    [[nodiscard]] bool isTrashShown() const { return m_trash; }
    [[nodiscard]] int total() const { return m_total; } // before the filter

    [[nodiscard]] const RunRow& run(int row) const { return (*m_rows)[m_shown[static_cast<size_t>(row)]]; }
    [[nodiscard]] int rowOf(const QString& uid) const; // -1: not shown
    [[nodiscard]] static QString columnTitle(int column);
    [[nodiscard]] static QString columnHelp(int column);
    [[nodiscard]] static bool isNumber(int column);
    [[nodiscard]] static QStringList readTags(const QString& text); // by blanks and commas, without repeats

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;

Q_SIGNALS:
    void edited(const QString& uid, int column, const QString& text);
    void countsChanged();

private:
    [[nodiscard]] std::vector<uint32_t> selected() const;              // by filter and Trash, in m_order
    [[nodiscard]] const std::vector<double>& values(int column) const; // one a row; words as their ranks; NaN: missing
    void sortAll();
    void reorder(std::vector<uint32_t> rows);
    [[nodiscard]] QString markTip(const RunRow& row) const;

    RunRows m_rows;
    std::vector<uint32_t> m_order; // indices into m_rows: all of them, sorted
    std::vector<uint32_t> m_shown; // of these, what is shown
    mutable std::map<int, std::vector<double>> m_values;
    RunFilter m_filter;
    std::vector<SortKey> m_keys{{Created, Qt::DescendingOrder}};
    QString m_baseline;
    QSet<QString> m_compared;
    bool m_trash = false;
    int m_total = 0;
};

} // namespace qw::ui
