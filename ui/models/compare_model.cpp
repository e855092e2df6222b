// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/compare_model.h"

#include "theme/theme.h"

#include <QFont>
#include <QLocale>
#include <cmath>

namespace qw::ui {
namespace {

using Kind = study::TextTable::Kind;

QString number(const study::Column& column, double value) {
    return QLocale().toString(column.accuracy ? 100 * value : value, 'f', column.accuracy ? 2 : column.metric == "loss" ? 4 : 3);
}

QString columnName(const study::Column& column) { return text(column.task + " " + column.metric); }

} // namespace

QString shownCell(const std::string& cell) {
    QString shown = text(cell);
    if (shown.startsWith(QLatin1String("~~"))) shown = shown.mid(2, shown.size() - 4);
    const QString point = QLocale().decimalPoint();
    if (point != QLatin1String(".")) shown.replace(QLatin1Char('.'), point);
    return shown;
}

void CompareModel::setComparison(ComparisonPtr comparison) {
    beginResetModel();
    m_comparison = std::move(comparison);
    m_text = m_comparison ? study::textTable(m_comparison->table) : study::TextTable{};
    endResetModel();
}

int CompareModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_text.rows.size()); }
int CompareModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_text.header.size()); }

const study::Cell* CompareModel::cell(int row, int column) const {
    const auto& line = m_comparison->table.lines[m_text.origin[static_cast<size_t>(row)].line];
    return column >= 1 && column <= static_cast<int>(line.cells.size()) ? &line.cells[static_cast<size_t>(column - 1)] : nullptr;
}

QVariant CompareModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const auto& origin = m_text.origin[static_cast<size_t>(index.row())];
    const auto& line = m_comparison->table.lines[origin.line];
    const study::Cell* one = cell(index.row(), index.column());
    const bool crossed = one && !one->notComparable.empty();
    switch (role) {
    case Qt::DisplayRole:
    case Qt::AccessibleTextRole:
        return shownCell(m_text.rows[static_cast<size_t>(index.row())][static_cast<size_t>(index.column())]);
    case Qt::ToolTipRole:
        return index.column() == 0 ? rowTip(index.row()) : tip(index.row(), index.column());
    case Qt::TextAlignmentRole:
        return static_cast<int>((index.column() == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    case Qt::FontRole: {
        QFont font;
        font.setStrikeOut(crossed && origin.kind == Kind::Value);
        font.setBold(origin.kind == Kind::Value && static_cast<int>(origin.line) == m_comparison->table.verdict.line);
        return font;
    }
    case Qt::ForegroundRole:
        if (crossed) return Theme::instance().colour(Token::Muted);
        return origin.kind == Kind::Value ? QVariant() : QVariant(Theme::instance().colour(Token::Text));
    case Qt::DecorationRole:
        if (index.column() == 0 && origin.kind == Kind::Value && static_cast<int>(origin.line) == m_comparison->table.verdict.line)
            return Theme::instance().icon(QStringLiteral("check"), Token::Good);
        return {};
    case ColourRole:
        if (index.column() != 0 || origin.kind != Kind::Value || line.rows.empty()) return {};
        return m_comparison->runs[line.rows.front()].colour;
    case KindRole:
        return static_cast<int>(origin.kind);
    case UidRole:
        return m_comparison->runOfLine(static_cast<int>(origin.line));
    case NotComparableRole:
        return crossed;
    default:
        return {};
    }
}

// "(57.25 − 51.74) / (57.86 − 51.74)", filled in.
QString CompareModel::formula(const study::TextTable::Origin& origin, size_t column) const {
    const auto& table = m_comparison->table;
    const auto& line = table.lines[origin.line];
    const auto& metric = table.columns[column];
    const study::Cell& own = line.cells[column];
    if (line.reference < 0 || !own.value) return {};
    const auto& reference = table.lines[static_cast<size_t>(line.reference)].cells[column];
    if (!reference.value) return {};
    const QString minus = QStringLiteral(" \u2212 ");
    if (origin.kind == Kind::Degradation)
        return own.degradation ? number(metric, *own.value) + minus + number(metric, *reference.value) + QStringLiteral(" = ") +
                                     number(metric, *own.degradation)
                               : QString();
    if (line.twin < 0) return {};
    const auto& ptq = table.lines[static_cast<size_t>(line.twin)].cells[column];
    if (!ptq.value) return {};
    if (!own.recovered) return tr("n/a: %1").arg(text(own.recoveredNote));
    return QStringLiteral("(%1%5%2) / (%3%5%2) = %4 %")
               .arg(number(metric, *own.value), number(metric, *ptq.value), number(metric, *reference.value),
                    QLocale().toString(*own.recovered, 'f', 1), minus) +
           (own.recoveredNote.empty() ? QString() : QStringLiteral("; ") + text(own.recoveredNote));
}

QString CompareModel::rowTip(int row) const {
    const auto& origin = m_text.origin[static_cast<size_t>(row)];
    const auto& line = m_comparison->table.lines[origin.line];
    if (origin.kind == Kind::Value) {
        QString words = text(line.label);
        if (line.reference >= 0)
            words +=
                QLatin1Char('\n') + tr("held against %1").arg(text(m_comparison->table.lines[static_cast<size_t>(line.reference)].label));
        if (!line.problem.empty()) words += QLatin1Char('\n') + text(line.problem);
        return words;
    }
    QString words = origin.kind == Kind::Degradation ? tr("Degradation = this row \u2212 reference (%1)")
                                                           .arg(text(m_comparison->table.lines[static_cast<size_t>(line.reference)].label))
                                                     : tr("Recovered = (QAT \u2212 PTQ) / (float \u2212 PTQ)");
    for (size_t c = 0; c < m_comparison->table.columns.size(); ++c)
        if (const QString filled = formula(origin, c); !filled.isEmpty())
            words += QLatin1Char('\n') + columnName(m_comparison->table.columns[c]) + QStringLiteral(": ") + filled;
    return words;
}

QString CompareModel::tip(int row, int column) const {
    const auto& origin = m_text.origin[static_cast<size_t>(row)];
    const study::Cell* own = cell(row, column);
    if (!own) return {};
    const auto& metric = m_comparison->table.columns[static_cast<size_t>(column - 1)];
    QStringList words;
    if (!own->notComparable.empty()) words << tr("not comparable: %1").arg(text(own->notComparable));
    if (origin.kind != Kind::Value) {
        if (const QString filled = formula(origin, static_cast<size_t>(column - 1)); !filled.isEmpty()) words << filled;
        const auto p = [](double value) {
            return value < 1e-4 ? QStringLiteral("< 0.0001") : QStringLiteral("= ") + QLocale().toString(value, 'f', 4);
        };
        if (origin.kind == Kind::Degradation) {
            if (own->pReference) words << tr("against the reference: p %1, paired on the same items").arg(p(*own->pReference));
            if (own->pTwin) words << tr("against PTQ: p %1, paired on the same items").arg(p(*own->pTwin));
            if (own->onlyQat + own->onlyPtq > 0)
                words << tr("items right with QAT only: %1, with PTQ only: %2").arg(own->onlyQat).arg(own->onlyPtq);
            if (!own->pReference && own->degradation) words << tr("no p-value: the results have no items in common");
        }
    } else if (own->value) {
        if (own->n > 0) words << tr("items: %1").arg(QLocale().toString(static_cast<qlonglong>(own->n)));
        if (own->stderror) words << tr("± is one standard error");
        if (own->spread) words << tr("± is the deviation over the seeds");
        if (own->whisker) words << tr("95 %: %1 to %2").arg(number(metric, own->whisker->lower), number(metric, own->whisker->upper));
    } else
        words << tr("no result");
    return words.join(QLatin1Char('\n'));
}

QVariant CompareModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columnCount()) return {};
    if (role == Qt::TextAlignmentRole) return static_cast<int>((section == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    if (role == Qt::DisplayRole) return section == 0 ? tr("Run") : text(m_text.header[static_cast<size_t>(section)]);
    if (role != Qt::ToolTipRole || section == 0) return {};
    const auto metrics = static_cast<int>(m_comparison->table.columns.size());
    if (section > metrics)
        return section == metrics + 1   ? tr("Bytes of the weights; ≈ is a forecast")
               : section == metrics + 2 ? tr("Bits a weight, scales and zero points included")
               : section == metrics + 3
                   ? tr("Tokens a second while the first task was evaluated")
                   : tr("ln(perplexity / the reference's), per token of the same documents, ± one standard error paired "
                        "by document; 0: as good, 0.01: about 1 % worse");
    const auto& metric = m_comparison->table.columns[static_cast<size_t>(section - 1)];
    return columnName(metric) + QStringLiteral(": ") + (metric.higherIsBetter ? tr("higher is better") : tr("lower is better"));
}

} // namespace qw::ui
