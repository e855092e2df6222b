// SPDX-License-Identifier: GPL-3.0-or-later
// What: what became of every key of an imported recipe, as a table: mapped, changed, unsupported, unknown.
#pragma once

#include "config/import_recipe.h"

#include <QAbstractTableModel>
#include <QDialog>

namespace qw::ui {

class ImportModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Line, Key, Value, FateColumn, Ours, Note, ColumnCount };
    explicit ImportModel(config::ImportedRecipe imported, QObject* parent = nullptr);
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] QString summary() const; // "26 keys of axolotl: 17 mapped, …"
    [[nodiscard]] QString asText() const;  // tab separated, for the clipboard

private:
    config::ImportedRecipe m_imported;
};

class ImportReport : public QDialog {
    Q_OBJECT
public:
    ImportReport(const config::ImportedRecipe& imported, const QString& file, QWidget* parent);

Q_SIGNALS:
    void undoWanted();
};

} // namespace qw::ui
