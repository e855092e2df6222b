// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/chart_table_model.h"

#include "charts/chart_style.h"

#include <algorithm>

namespace qw::ui {
namespace {

QByteArray quoted(const QString& text) {
    QByteArray bytes = text.toUtf8();
    return QByteArrayLiteral("\"") + bytes.replace('"', "\"\"") + QByteArrayLiteral("\"");
}

QByteArray exact(double value) { // shortest text that reads back as the same number
    return QLocale::c().toString(value, 'g', QLocale::FloatingPointShortest).toUtf8();
}

} // namespace

ChartTableModel::ChartTableModel(const ChartData& data, QObject* parent) : QAbstractTableModel(parent), m_data(data) {}

void ChartTableModel::rebuild(double xLower, double xUpper, bool withSmoothed) {
    beginResetModel();
    m_steps.clear();
    m_columns.clear();
    const ChartX axis = m_data.xAxis();
    for (const ChartCurve& curve : m_data.curves()) {
        if (!ChartData::drawn(curve, axis)) continue;
        m_columns.push_back({curve.spec.id, curve.spec.label, Values::Raw});
        if (withSmoothed && curve.line->isSmoothed())
            m_columns.push_back({curve.spec.id, tr("%1 (smoothed)").arg(curve.spec.label), Values::Smoothed});
        const std::vector<double>& steps = curve.line->steps();
        const size_t from = curve.lowerBound(xLower, axis);
        size_t to = curve.lowerBound(xUpper, axis);
        while (to < steps.size() && curve.x(to, axis) <= xUpper) ++to;
        const auto middle = static_cast<std::ptrdiff_t>(m_steps.size());
        m_steps.insert(m_steps.end(), steps.begin() + static_cast<std::ptrdiff_t>(std::min(from, to)),
                       steps.begin() + static_cast<std::ptrdiff_t>(to));
        std::inplace_merge(m_steps.begin(), m_steps.begin() + middle, m_steps.end());
        m_steps.erase(std::unique(m_steps.begin(), m_steps.end()), m_steps.end());
    }
    endResetModel();
}

int ChartTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_steps.size()); }
int ChartTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_columns.size()) + 1; }

const double* ChartTableModel::at(int row, int column) const {
    const Column& c = m_columns[static_cast<size_t>(column - 1)];
    const ChartCurve* curve = m_data.curve(c.id);
    if (!curve) return nullptr;
    const double step = m_steps[static_cast<size_t>(row)];
    const size_t i = curve->line->lowerBound(step, ChartX::Step, 0);
    return i < curve->line->size() && curve->line->steps()[i] == step ? &curve->line->values(c.values)[i] : nullptr;
}

QVariant ChartTableModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    if (role == Qt::TextAlignmentRole) return QVariant::fromValue(Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter));
    if (role != Qt::DisplayRole && role != SortRole) return {};
    if (index.column() == 0) {
        const double step = m_steps[static_cast<size_t>(index.row())];
        return role == SortRole ? QVariant(step) : QVariant(QLocale().toString(step, 'f', 0));
    }
    const double* value = at(index.row(), index.column());
    if (!value) return {};
    return role == SortRole ? QVariant(*value) : QVariant(numberText(*value, 7));
}

QVariant ChartTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (role != Qt::DisplayRole) return {};
    if (orientation == Qt::Vertical) return section + 1;
    if (section == 0) return tr("Step");
    return static_cast<size_t>(section) <= m_columns.size() ? m_columns[static_cast<size_t>(section - 1)].name : QVariant();
}

QByteArray ChartTableModel::csv() const {
    QByteArray out = "step";
    for (const Column& column : m_columns) out += ',' + quoted(column.name);
    out += '\n';
    for (int row = 0; row < rowCount(); ++row) {
        out += QByteArray::number(static_cast<qint64>(m_steps[static_cast<size_t>(row)]));
        for (int column = 1; column < columnCount(); ++column) {
            out += ',';
            if (const double* value = at(row, column)) out += exact(*value);
        }
        out += '\n';
    }
    return out;
}

} // namespace qw::ui
