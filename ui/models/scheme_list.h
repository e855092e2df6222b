// SPDX-License-Identifier: GPL-3.0-or-later
// What: the list left of a scheme: the recipe's own schemes, the ones the user saved, and the built-in presets with what they are for.
#pragma once

#include "models/scheme_draft.h"

#include <QAbstractListModel>

namespace qw::ui {

class SchemeList : public QAbstractListModel {
    Q_OBJECT
public:
    enum class Section : uint8_t { Heading, Own, Saved, Preset };
    enum Role { SectionRole = Qt::UserRole, SummaryRole, RuntimesRole, OwnIndexRole };
    explicit SchemeList(SchemeDraft& draft, QObject* parent = nullptr);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override; // another name of an own scheme
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;
    [[nodiscard]] Section section(const QModelIndex& index) const;
    [[nodiscard]] QModelIndex find(Section section, const QString& name) const;
    [[nodiscard]] QModelIndex shown() const; // the row of what the draft shows

private:
    struct Row {
        Section section;
        QString name, summary, runtimes;
        int own = -1;
        bool operator==(const Row&) const = default;
    };
    void fill();
    SchemeDraft& m_draft;
    std::vector<Row> m_rows;
};

} // namespace qw::ui
