// SPDX-License-Identifier: GPL-3.0-or-later
// What: two tables of the export dialog: the formats with their verdict for one run, and the exports of a run so far.
#pragma once

#include "models/exports.h"

#include <QAbstractTableModel>

namespace qw::ui {

class FormatsModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column : int { Format, Weights, Size, RunsOn, ColumnCount };
    enum Role : int { NameRole = Qt::UserRole, SortRole };
    explicit FormatsModel(QObject* parent = nullptr); // every format, not judged yet
    void setVerdicts(std::vector<FormatVerdict> verdicts);
    void forget(bool judging = true); // of another run; judging: verdicts are on their way
    [[nodiscard]] const formats::Format* format(int row) const;
    [[nodiscard]] const formats::Verdict* verdict(int row) const; // null: not known yet
    [[nodiscard]] int rowOf(const QString& name) const;           // -1: none
    [[nodiscard]] int best() const;                               // the first that can hold the run exactly, else nearly; 0: none

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    [[nodiscard]] QString shown(int row, int column) const;
    bool m_judging = true;
    std::vector<FormatVerdict> m_verdicts; // empty, or one a format
};

class PastExportsModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column : int { Format, State, Written, Size, Folder, ColumnCount };
    using QAbstractTableModel::QAbstractTableModel;
    void setExports(std::vector<PastExport> exports);
    void replace(int row, const QJsonObject& sheet); // checked again
    [[nodiscard]] const PastExport* at(int row) const;
    [[nodiscard]] int rowOf(const QString& dir) const; // -1: none

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::vector<PastExport> m_exports;
};

} // namespace qw::ui
