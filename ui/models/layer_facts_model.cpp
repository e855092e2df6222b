// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/layer_facts_model.h"

#include "client/project.h"

#include <QLocale>
#include <cmath>

namespace qw::ui {
namespace {

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

} // namespace

bool LayerFactsModel::Row::operator==(const Row& o) const {
    return info.name == o.info.name && info.scheme == o.info.scheme && info.skipReason == o.info.skipReason && same(sqnr, o.sqnr) &&
           same(clipped, o.clipped) && same(flips, o.flips) && same(drift, o.drift);
}

void LayerFactsModel::setFacts(const std::vector<records::LayerInfo>& layers, const LiveSeries& series) {
    std::vector<Row> rows;
    for (const auto& layer : layers) {
        const auto last = [&](const char* kind) { return series.last("layer." + std::string(kind) + ":" + layer.name); };
        rows.push_back({layer, last("w_sqnr"), last("clip_frac"), last("flip_rate"), last("scale_drift_mean")});
    }
    const bool sameLayers =
        rows.size() == m_rows.size() &&
        std::equal(rows.begin(), rows.end(), m_rows.begin(), [](const Row& a, const Row& b) { return a.info.name == b.info.name; });
    if (!sameLayers) {
        beginResetModel();
        m_rows = std::move(rows);
        endResetModel();
        return;
    }
    for (size_t i = 0; i < rows.size(); ++i) { // a selection survives
        if (rows[i] == m_rows[i]) continue;
        m_rows[i] = std::move(rows[i]);
        Q_EMIT dataChanged(index(static_cast<int>(i), 0), index(static_cast<int>(i), Columns - 1));
    }
}

int LayerFactsModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }
int LayerFactsModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : Columns; }

double LayerFactsModel::number(const Row& row, int column) const {
    switch (column) {
    case Bits:
        return row.info.bitsPerWeight > 0 ? row.info.bitsPerWeight : std::nan("");
    case Sqnr:
        return row.sqnr;
    case Clipped:
        return row.clipped * 100;
    case Flips:
        return row.flips * 100;
    default:
        return std::nan("");
    }
}

QVariant LayerFactsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const Row& row = m_rows[static_cast<size_t>(index.row())];
    const int column = index.column();
    if (role == Qt::ToolTipRole) return describe(index.row());
    if (role == Qt::TextAlignmentRole && column >= Bits) return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole && role != kSortRole) return {};
    if (column == Layer) return text(row.info.name);
    if (column == Scheme)
        return row.info.skipReason.empty() ? text(row.info.scheme) : tr("not quantized: %1").arg(text(row.info.skipReason));
    const double value = number(row, column);
    if (role == kSortRole) return std::isnan(value) ? QVariant() : QVariant(value);
    return std::isnan(value) ? QString() : QLocale().toString(value, 'f', 2);
}

QString LayerFactsModel::describe(int row) const {
    const Row& of = m_rows[static_cast<size_t>(row)];
    QStringList lines{text(of.info.name), tr("%1 × %2").arg(of.info.rows).arg(of.info.cols)};
    lines << (of.info.skipReason.empty() ? text(of.info.scheme) : tr("not quantized: %1").arg(text(of.info.skipReason)));
    const auto add = [&](const QString& name, double value, const QString& unit) {
        if (!std::isnan(value)) lines << tr("%1 %2 %3").arg(name, QLocale().toString(value, 'g', 4), unit).trimmed();
    };
    add(tr("bits a weight"), number(of, Bits), {});
    add(tr("SQNR"), of.sqnr, tr("dB"));
    add(tr("clipped"), of.clipped * 100, tr("%"));
    add(tr("scale drift, mean |log2|"), of.drift, {});
    add(tr("codes flipped per step"), of.flips * 100, tr("%"));
    return lines.join(QLatin1Char('\n'));
}

QVariant LayerFactsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    const QString names[Columns] = {tr("Layer"), tr("Scheme"), tr("Bits"), tr("SQNR dB"), tr("Clipped %"), tr("Flips %")};
    if (role == Qt::DisplayRole) return names[section];
    if (role == Qt::TextAlignmentRole) return QVariant((section >= Bits ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    return {};
}

} // namespace qw::ui
