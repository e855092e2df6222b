// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/model_tree.h"

#include "client/project.h"
#include "models/run_texts.h"

#include <QLocale>

namespace qw::ui {
namespace {

QString roleWord(checkpoint::TensorRole role) {
    switch (role) {
    case checkpoint::TensorRole::Embedding:
        return ModelTree::tr("embedding");
    case checkpoint::TensorRole::Head:
        return ModelTree::tr("head");
    case checkpoint::TensorRole::Norm:
        return ModelTree::tr("norm");
    case checkpoint::TensorRole::Linear:
        return ModelTree::tr("linear");
    case checkpoint::TensorRole::Bias:
        return ModelTree::tr("bias");
    }
    return {};
}

QString moduleWord(const QString& label, const QString& parent) {
    bool number = false;
    label.toInt(&number);
    if (number && parent == QLatin1String("layers")) return ModelTree::tr("layer");
    if (label == QLatin1String("self_attn")) return ModelTree::tr("attention");
    if (label == QLatin1String("mlp")) return ModelTree::tr("MLP");
    return ModelTree::tr("module");
}

qint64 elements(const std::vector<int64_t>& shape) {
    qint64 n = 1;
    for (const int64_t d : shape) n *= d;
    return n;
}

} // namespace

int ModelTree::add(const QString& label, const QString& full, int parent) {
    Node node;
    node.label = label;
    node.full = full;
    node.parent = parent;
    m_nodes.push_back(std::move(node));
    const int at = static_cast<int>(m_nodes.size()) - 1;
    if (parent >= 0) m_nodes[static_cast<size_t>(parent)].children.push_back(at);
    return at;
}

void ModelTree::addTensor(int tensor, QHash<QString, int>& modules) {
    const auto& t = m_model->tensors[static_cast<size_t>(tensor)];
    const QStringList parts = text(t.name).split(QLatin1Char('.'));
    int at = 0;
    QString path;
    for (qsizetype i = 0; i < parts.size(); ++i) {
        path += (i ? QStringLiteral(".") : QString()) + parts[i];
        const bool leaf = i + 1 == parts.size();
        if (const auto known = modules.constFind(path); known != modules.cend() && !leaf) {
            at = *known;
            continue;
        }
        const int made = add(parts[i], path, at);
        if (!leaf) {
            modules.insert(path, made);
            m_nodes[static_cast<size_t>(made)].kind = moduleWord(parts[i], i ? parts[i - 1] : QString());
        }
        at = made;
    }
    Node& leaf = m_nodes[static_cast<size_t>(at)];
    leaf.tensor = tensor;
    leaf.kind = m_kinds.value(leaf.full, tr("other"));
    const qint64 count = elements(t.shape);
    for (int up = at; up >= 0; up = m_nodes[static_cast<size_t>(up)].parent) {
        m_nodes[static_cast<size_t>(up)].parameters += count;
        m_nodes[static_cast<size_t>(up)].bytes += static_cast<qint64>(t.bytes);
    }
}

void ModelTree::addHeaders() {
    QHash<QString, qint64> data;
    for (const auto& t : m_model->tensors) data[text(t.shard)] += static_cast<qint64>(t.bytes);
    const int group = add(tr("file headers"), tr("file headers"), 0);
    m_nodes[static_cast<size_t>(group)].kind = tr("files");
    for (const auto& shard : m_model->shards) {
        const int one = add(text(shard.file), text(shard.file), group);
        m_nodes[static_cast<size_t>(one)].kind = tr("header");
        const qint64 bytes = static_cast<qint64>(shard.bytes) - data.value(text(shard.file));
        for (const int node : {one, group, 0}) m_nodes[static_cast<size_t>(node)].bytes += bytes;
    }
}

void ModelTree::foldSingles() {
    for (size_t i = 1; i < m_nodes.size(); ++i) {
        Node& node = m_nodes[i];
        if (node.children.size() != 1 || node.tensor >= 0) continue;
        Node& only = m_nodes[static_cast<size_t>(node.children.front())];
        if (only.tensor < 0) continue;
        node.label += QLatin1Char('.') + only.label;
        node.full = only.full;
        node.kind = only.kind;
        node.tensor = only.tensor;
        node.children.clear();
    }
}

void ModelTree::number(int node) {
    int row = 0;
    for (const int child : m_nodes[static_cast<size_t>(node)].children) {
        m_nodes[static_cast<size_t>(child)].row = row++;
        number(child);
    }
}

void ModelTree::show(std::shared_ptr<const checkpoint::Inspection> model) {
    beginResetModel();
    m_model = std::move(model);
    m_nodes.clear();
    m_kinds.clear();
    if (m_model) {
        for (const auto& t : checkpoint::expectedTensors(m_model->config, m_model->tied)) m_kinds.insert(text(t.name), roleWord(t.role));
        for (const auto& m : m_model->modules) // of a native folder: codes and their parameters
            for (const char* suffix : {".weight.codes", ".weight.scale", ".weight.zero"})
                m_kinds.insert(text(m.name + suffix), tr("quantized %1").arg(QString::fromLatin1(suffix + 8)));
        add({}, {}, -1);
        QHash<QString, int> modules;
        // In the order of the network, which the names do not sort into (layers.10 before layers.2).
        std::vector<int> order;
        for (size_t i = 0; i < m_model->tensors.size(); ++i) order.push_back(static_cast<int>(i));
        QHash<QString, int> place;
        for (const auto& t : checkpoint::expectedTensors(m_model->config, m_model->tied))
            place.insert(text(t.name), static_cast<int>(place.size()));
        std::ranges::stable_sort(order, {}, [&](int i) {
            const QString name = text(m_model->tensors[static_cast<size_t>(i)].name);
            const qsizetype cut = name.lastIndexOf(QLatin1String(".weight."));
            return place.value(cut > 0 ? name.left(cut + 7) : name, INT_MAX);
        });
        for (const int i : order) addTensor(i, modules);
        addHeaders();
        foldSingles();
        number(0);
    }
    endResetModel();
}

void ModelTree::setVerdicts(QHash<QString, QuantVerdict> verdicts) {
    m_verdicts = std::move(verdicts);
    const std::function<void(const QModelIndex&)> tell = [&](const QModelIndex& above) {
        const int rows = rowCount(above);
        if (rows == 0) return;
        Q_EMIT dataChanged(index(0, Quantizes, above), index(rows - 1, Quantizes, above));
        for (int row = 0; row < rows; ++row) tell(index(row, 0, above));
    };
    tell({});
}

const checkpoint::InspectedTensor* ModelTree::tensor(const QModelIndex& index) const {
    if (!index.isValid()) return nullptr;
    const int at = m_nodes[index.internalId()].tensor;
    return at < 0 ? nullptr : &m_model->tensors[static_cast<size_t>(at)];
}

QModelIndex ModelTree::find(const QString& tensor) const {
    for (size_t i = 1; i < m_nodes.size(); ++i)
        if (m_nodes[i].tensor >= 0 && m_nodes[i].full == tensor && m_nodes[static_cast<size_t>(m_nodes[i].parent)].tensor < 0)
            return createIndex(m_nodes[i].row, 0, static_cast<quintptr>(i));
    return {};
}

qint64 ModelTree::totalBytes() const { return m_nodes.empty() ? 0 : m_nodes.front().bytes; }

QModelIndex ModelTree::index(int row, int column, const QModelIndex& parent) const {
    if (!hasIndex(row, column, parent)) return {};
    const Node& above = m_nodes[parent.isValid() ? parent.internalId() : 0];
    return createIndex(row, column, static_cast<quintptr>(above.children[static_cast<size_t>(row)]));
}

QModelIndex ModelTree::parent(const QModelIndex& index) const {
    if (!index.isValid()) return {};
    const int up = m_nodes[index.internalId()].parent;
    if (up <= 0) return {};
    return createIndex(m_nodes[static_cast<size_t>(up)].row, 0, static_cast<quintptr>(up));
}

int ModelTree::rowCount(const QModelIndex& parent) const {
    if (m_nodes.empty() || parent.column() > 0) return 0;
    return static_cast<int>(m_nodes[parent.isValid() ? parent.internalId() : 0].children.size());
}

QString ModelTree::words(const Node& node, int column) const {
    const auto* t = node.tensor < 0 ? nullptr : &m_model->tensors[static_cast<size_t>(node.tensor)];
    switch (column) {
    case Name:
        return node.label;
    case Kind:
        return node.kind;
    case Shape: {
        if (!t) return {};
        QStringList sides;
        for (const int64_t d : t->shape) sides << QString::number(d);
        return sides.isEmpty() ? tr("scalar") : sides.join(QStringLiteral(" × "));
    }
    case Type:
        return t ? text(t->dtype) : QString();
    case Parameters:
        return node.parameters ? QLocale().toString(node.parameters) : QString();
    case Bytes:
        return sizeText(static_cast<double>(node.bytes));
    case Share:
        return totalBytes() > 0 ? tr("%1 %").arg(QLocale().toString(100.0 * double(node.bytes) / double(totalBytes()), 'f', 2)) : QString();
    case Quantizes:
        return t ? m_verdicts.value(node.full).words : QString();
    default:
        return {};
    }
}

QVariant ModelTree::sortKey(const Node& node, int column) const {
    switch (column) {
    case Name:
        return node.row; // the order of the network
    case Shape:
        return node.tensor < 0 ? QVariant() : QVariant(elements(m_model->tensors[static_cast<size_t>(node.tensor)].shape));
    case Parameters:
        return node.parameters;
    case Bytes:
    case Share:
        return node.bytes;
    default: {
        const QString shown = words(node, column);
        return shown.isEmpty() ? QVariant() : QVariant(shown);
    }
    }
}

QVariant ModelTree::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const Node& node = m_nodes[index.internalId()];
    const int column = index.column();
    switch (role) {
    case Qt::DisplayRole:
        return words(node, column);
    case Qt::ToolTipRole:
        return column == Quantizes && node.tensor >= 0 ? node.full + QStringLiteral(": ") + words(node, column) : node.full;
    case Qt::TextAlignmentRole:
        return column >= Parameters && column <= Share ? int(Qt::AlignRight | Qt::AlignVCenter) : int(Qt::AlignLeft | Qt::AlignVCenter);
    case SortRole:
        return sortKey(node, column);
    case FullNameRole:
        return node.full;
    case CanRole:
        return node.tensor < 0 || !m_verdicts.contains(node.full) ? QVariant() : QVariant(m_verdicts.value(node.full).can);
    default:
        return {};
    }
}

QVariant ModelTree::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole) return section >= Parameters && section <= Share ? int(Qt::AlignRight) : int(Qt::AlignLeft);
    const QString names[] = {tr("Module"),     tr("Kind"), tr("Shape"), tr("Type"),
                             tr("Parameters"), tr("Size"), tr("Share"), tr("With the scheme")};
    const QString tips[] = {tr("Modules and tensors in the order of the network"),
                            tr("What it is in the network"),
                            tr("Rows × columns"),
                            tr("Number type in the file"),
                            tr("Numbers in it"),
                            tr("Bytes in the weight files"),
                            tr("Share of the weight files"),
                            tr("What the current scheme makes of it, or why it cannot be quantized")};
    if (section < 0 || section >= ColumnCount) return {};
    return role == Qt::DisplayRole ? QVariant(names[section]) : role == Qt::ToolTipRole ? QVariant(tips[section]) : QVariant();
}

} // namespace qw::ui
