// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/layer_tree.h"

#include "client/project.h"
#include "models/run_texts.h"

#include <QFont>
#include <QLocale>
#include <algorithm>

namespace qw::ui {
namespace {

constexpr quintptr kTop = ~quintptr{0}; // of rows without parent; others hold the number of their top
constexpr double kBestDb = 50;          // where the bar is full
constexpr QLatin1String kLayerPrefix("model.layers.");

QString kindOf(const checkpoint::Matrix& m) {
    return m.isEmbedding ? LayerTree::tr("embedding") : m.isHead ? LayerTree::tr("head") : LayerTree::tr("linear");
}

} // namespace

void LayerTree::show(const std::vector<LayerFact>& layers) {
    const bool same = layers.size() == m_facts.size() &&
                      std::equal(layers.begin(), layers.end(), m_facts.begin(), [](const LayerFact& a, const LayerFact& b) {
                          return a.matrix.name == b.matrix.name && a.matrix.rows == b.matrix.rows && a.matrix.cols == b.matrix.cols;
                      });
    if (same) {
        m_facts = layers;
        tellAll(0, ColumnCount - 1);
        return;
    }
    beginResetModel();
    m_facts = layers;
    m_tops.clear();
    m_place.clear();
    for (size_t i = 0; i < m_facts.size(); ++i) {
        const QString name = text(m_facts[i].matrix.name);
        const bool inLayer = name.startsWith(kLayerPrefix);
        const QString label = inLayer ? tr("layer %1").arg(name.section(QLatin1Char('.'), 2, 2)) : name.section(QLatin1Char('.'), -1);
        if (m_tops.empty() || !inLayer || m_tops.back().label != label) m_tops.push_back({label, {}, inLayer});
        Top& top = m_tops.back();
        m_place.emplace_back(static_cast<int>(m_tops.size()) - 1, inLayer ? static_cast<int>(top.facts.size()) : -1);
        top.facts.push_back(static_cast<int>(i));
    }
    endResetModel();
}

void LayerTree::setErrors(const QHash<QString, LayerError>& errors) {
    m_errors = errors;
    tellAll(Sqnr, Sqnr);
}

void LayerTree::tellAll(int first, int last) {
    if (m_tops.empty()) return;
    Q_EMIT dataChanged(index(0, first), index(static_cast<int>(m_tops.size()) - 1, last));
    for (int row = 0; row < static_cast<int>(m_tops.size()); ++row) {
        const QModelIndex above = index(row, 0);
        if (const int children = rowCount(above)) Q_EMIT dataChanged(index(0, first, above), index(children - 1, last, above));
    }
}

const LayerTree::Top& LayerTree::top(const QModelIndex& index) const {
    return m_tops[index.internalId() == kTop ? static_cast<size_t>(index.row()) : static_cast<size_t>(index.internalId())];
}

std::vector<int> LayerTree::factsBelow(const QModelIndex& index) const {
    if (!index.isValid()) return {};
    const Top& above = top(index);
    if (index.internalId() == kTop) return above.facts;
    return {above.facts[static_cast<size_t>(index.row())]};
}

const LayerFact* LayerTree::fact(const QModelIndex& index) const {
    if (!index.isValid() || (index.internalId() == kTop && top(index).isGroup)) return nullptr;
    return &m_facts[static_cast<size_t>(factsBelow(index).front())];
}

QStringList LayerTree::namesBelow(const QModelIndex& index) const {
    QStringList out;
    for (const int i : factsBelow(index)) out << text(m_facts[static_cast<size_t>(i)].matrix.name);
    return out;
}

QModelIndex LayerTree::find(const QString& name) const {
    for (size_t i = 0; i < m_facts.size(); ++i) {
        if (text(m_facts[i].matrix.name) != name) continue;
        const auto& [above, row] = m_place[i];
        return row < 0 ? index(above, 0) : index(row, 0, index(above, 0));
    }
    return {};
}

QModelIndex LayerTree::index(int row, int column, const QModelIndex& parent) const {
    if (!hasIndex(row, column, parent)) return {};
    return createIndex(row, column, parent.isValid() ? static_cast<quintptr>(parent.row()) : kTop);
}

QModelIndex LayerTree::parent(const QModelIndex& index) const {
    if (!index.isValid() || index.internalId() == kTop) return {};
    return createIndex(static_cast<int>(index.internalId()), 0, kTop);
}

int LayerTree::rowCount(const QModelIndex& parent) const {
    if (!parent.isValid()) return static_cast<int>(m_tops.size());
    if (parent.column() > 0 || parent.internalId() != kTop) return 0;
    const Top& above = m_tops[static_cast<size_t>(parent.row())];
    return above.isGroup ? static_cast<int>(above.facts.size()) : 0;
}

QVariant LayerTree::checkState(const std::vector<int>& facts) const {
    const auto in = std::ranges::count_if(facts, [&](int i) { return m_facts[static_cast<size_t>(i)].aimed; });
    return in == 0 ? Qt::Unchecked : in == static_cast<int64_t>(facts.size()) ? Qt::Checked : Qt::PartiallyChecked;
}

QVariant LayerTree::groupData(const QModelIndex& index, int role) const {
    const Top& group = top(index);
    double bits = 0, elements = 0, worst = 0;
    qint64 bytes = 0;
    int quantized = 0, known = 0;
    bool exact = true;
    for (const int i : group.facts) {
        const LayerFact& f = m_facts[static_cast<size_t>(i)];
        const double n = double(f.matrix.rows) * double(f.matrix.cols);
        bits += f.bits * n;
        elements += n;
        bytes += f.bytes();
        quantized += f.quantized;
        const auto error = m_errors.constFind(text(f.matrix.name));
        if (!f.quantized || error == m_errors.cend()) continue;
        worst = known++ ? std::min(worst, error->sqnrDb) : error->sqnrDb;
        exact = exact && error->exact;
    }
    const QLocale locale;
    const bool sort = role == SortRole;
    switch (index.column()) {
    case Layer:
        return sort ? QVariant(index.row()) : QVariant(group.label);
    case Kind:
        return tr("layer");
    case Scheme:
        return tr("%1 of %2 quantized").arg(quantized).arg(group.facts.size());
    case Bits:
        return sort ? QVariant(bits / elements) : QVariant(locale.toString(bits / elements, 'f', 2));
    case Size:
        return sort ? QVariant(bytes) : QVariant(sizeText(double(bytes)));
    case Sqnr:
        if (!known) return {};
        return sort ? QVariant(worst)
                    : QVariant(tr("worst %1%2 dB").arg(exact ? QString() : QStringLiteral("≈ "), locale.toString(worst, 'f', 1)));
    default:
        return {};
    }
}

QVariant LayerTree::factData(const LayerFact& f, const QString& label, int column, int role) const {
    const QLocale locale;
    const bool sort = role == SortRole;
    switch (column) {
    case Layer:
        return sort ? QVariant(f.matrix.index) : QVariant(label);
    case Kind:
        return kindOf(f.matrix);
    case Scheme:
        return f.quantized ? f.scheme : f.reason.isEmpty() ? tr("the scheme cannot be used") : tr("as it is: %1").arg(f.reason);
    case Bits:
        return sort ? QVariant(f.bits) : QVariant(locale.toString(f.bits, 'f', 2));
    case Size:
        return sort ? QVariant(f.bytes()) : QVariant(sizeText(double(f.bytes())));
    case Sqnr: {
        const auto error = m_errors.constFind(text(f.matrix.name));
        if (!f.quantized || error == m_errors.cend()) return {};
        if (sort) return error->sqnrDb;
        return tr("%1%2 dB").arg(error->exact ? QString() : QStringLiteral("≈ "), locale.toString(error->sqnrDb, 'f', 1));
    }
    default:
        return {};
    }
}

QVariant LayerTree::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const LayerFact* one = fact(index);
    const bool isTop = index.internalId() == kTop;
    switch (role) {
    case Qt::DisplayRole:
    case SortRole: {
        if (!one) return groupData(index, role);
        const QString name = text(one->matrix.name);
        return factData(*one, isTop ? name.section(QLatin1Char('.'), -1) : name.section(QLatin1Char('.'), 3), index.column(), role);
    }
    case NameRole:
        return one ? text(one->matrix.name) : namesBelow(index).join(QLatin1Char('\n'));
    case Qt::CheckStateRole:
        return index.column() == Layer ? checkState(factsBelow(index)) : QVariant();
    case Qt::TextAlignmentRole:
        return index.column() == Bits || index.column() == Size ? int(Qt::AlignRight | Qt::AlignVCenter)
                                                                : int(Qt::AlignLeft | Qt::AlignVCenter);
    case Qt::FontRole: {
        if (!one || !one->overridden) return {};
        QFont font;
        font.setBold(true);
        return font;
    }
    case Qt::ToolTipRole:
        if (!one) return index.data(Qt::DisplayRole);
        return one->overridden ? tr("%1\noverridden: %2").arg(text(one->matrix.name), one->quantized ? tr("taken in") : one->reason)
                               : text(one->matrix.name);
    case HeatRole: {
        if (index.column() != Sqnr) return {};
        const QVariant db = index.data(SortRole);
        return db.isValid() ? QVariant(std::clamp(db.toDouble() / kBestDb, 0.0, 1.0)) : QVariant();
    }
    default:
        return {};
    }
}

bool LayerTree::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::CheckStateRole || !index.isValid() || index.column() != Layer) return false;
    Q_EMIT inclusionWanted(namesBelow(index), value.toInt() == Qt::Checked);
    return true;
}

Qt::ItemFlags LayerTree::flags(const QModelIndex& index) const {
    if (!index.isValid()) return Qt::NoItemFlags;
    const Qt::ItemFlags usual = Qt::ItemIsEnabled | Qt::ItemIsSelectable;
    return index.column() == Layer ? usual | Qt::ItemIsUserCheckable : usual;
}

QVariant LayerTree::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount) return {};
    const QString names[] = {tr("Layer"), tr("Kind"), tr("Scheme"), tr("Bits/weight"), tr("Size"), tr("SQNR")};
    const QString tips[] = {tr("Ticked: the scheme is aimed at it"),
                            tr("What it is in the network"),
                            tr("What it becomes, or why it stays as it is; bold: changed by you"),
                            tr("Scales and zero points included"),
                            tr("In the quantized folder"),
                            tr("Signal over rounding error of round-to-nearest, before any training; 6 dB are about one bit")};
    if (role == Qt::TextAlignmentRole) return section == Bits || section == Size ? int(Qt::AlignRight) : int(Qt::AlignLeft);
    return role == Qt::DisplayRole ? QVariant(names[section]) : role == Qt::ToolTipRole ? QVariant(tips[section]) : QVariant();
}

} // namespace qw::ui
