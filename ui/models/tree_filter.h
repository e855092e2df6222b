// SPDX-License-Identifier: GPL-3.0-or-later
// What: filters a tree by a name or a pattern with wildcards and sorts it by number roles, missing values last.
#pragma once

#include <QRegularExpression>
#include <QSortFilterProxyModel>

namespace qw::ui {

// "*.k_proj" as a whole name (of a module or of its tensor), "k_proj" anywhere in it.
class NamePattern {
public:
    explicit NamePattern(const QString& text = {});
    [[nodiscard]] bool matches(const QString& name) const;
    [[nodiscard]] bool isEmpty() const { return m_text.isEmpty(); }

private:
    QString m_text;
    bool m_wild = false;
    QRegularExpression m_expression;
};

class TreeFilter : public QSortFilterProxyModel {
    Q_OBJECT
public:
    // nameRole: full names; sortRole: numbers or words, invalid where there is nothing.
    TreeFilter(int nameRole, int sortRole, QObject* parent = nullptr);
    void setPattern(const QString& text);
    [[nodiscard]] int matches() const; // leaves that are left

protected:
    [[nodiscard]] bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
    [[nodiscard]] bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

private:
    int m_nameRole;
    NamePattern m_pattern;
};

} // namespace qw::ui
