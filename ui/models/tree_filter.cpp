// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/tree_filter.h"

namespace qw::ui {

NamePattern::NamePattern(const QString& text) : m_text(text.trimmed()) {
    m_wild = m_text.contains(QLatin1Char('*')) || m_text.contains(QLatin1Char('?')) || m_text.contains(QLatin1Char('['));
    if (m_wild) m_expression = QRegularExpression(QRegularExpression::wildcardToRegularExpression(m_text));
}

bool NamePattern::matches(const QString& name) const {
    if (m_text.isEmpty()) return true;
    if (!m_wild) return name.contains(m_text, Qt::CaseInsensitive);
    if (m_expression.match(name).hasMatch()) return true;
    const QString suffix = QStringLiteral(".weight");
    return name.endsWith(suffix) && m_expression.match(name.chopped(suffix.size())).hasMatch();
}

TreeFilter::TreeFilter(int nameRole, int sortRole, QObject* parent) : QSortFilterProxyModel(parent), m_nameRole(nameRole) {
    setSortRole(sortRole);
    setRecursiveFilteringEnabled(true);
    setAutoAcceptChildRows(true);
}

void TreeFilter::setPattern(const QString& text) {
    m_pattern = NamePattern(text);
    invalidateFilter();
}

int TreeFilter::matches() const {
    const std::function<int(const QModelIndex&)> leaves = [&](const QModelIndex& above) {
        const int rows = rowCount(above);
        if (rows == 0) return above.isValid() ? 1 : 0;
        int sum = 0;
        for (int row = 0; row < rows; ++row) sum += leaves(index(row, 0, above));
        return sum;
    };
    return leaves({});
}

bool TreeFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
    return m_pattern.isEmpty() || m_pattern.matches(sourceModel()->index(row, 0, parent).data(m_nameRole).toString());
}

bool TreeFilter::lessThan(const QModelIndex& left, const QModelIndex& right) const {
    const QVariant a = left.data(sortRole()), b = right.data(sortRole());
    if (!a.isValid() || !b.isValid()) return sortOrder() == Qt::AscendingOrder ? a.isValid() && !b.isValid() : !a.isValid() && b.isValid();
    return QVariant::compare(a, b) == QPartialOrdering::Less;
}

} // namespace qw::ui
