// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/runs_model.h"

#include "models/run_texts.h"
#include "theme/theme.h"

#include <QRegularExpression>
#include <algorithm>
#include <limits>
#include <numeric>

namespace qw::ui {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double numberOf(const RunRow& row, int column) {
    using M = RunsModel;
    switch (column) {
    case M::Colour:
        return row.colour;
    case M::State:
        return static_cast<double>(row.state);
    case M::Bits:
        return row.bits;
    case M::Size:
        return row.bytes;
    case M::Step:
        return row.step;
    case M::Loss:
        return row.loss;
    case M::BestEval:
        return row.bestEval;
    case M::HellaSwag:
        return row.hellaswag;
    case M::WordPpl:
        return row.wordPpl;
    case M::Recovered:
        return row.recovered;
    case M::Time:
        return row.seconds;
    case M::Created:
        return static_cast<double>(row.createdMs);
    default:
        return kNone;
    }
}

const QString* textOf(const RunRow& row, int column) {
    using M = RunsModel;
    switch (column) {
    case M::Name:
        return &row.name;
    case M::Scheme:
        return &row.scheme;
    case M::Model:
        return &row.model;
    case M::Tags:
        return &row.tags;
    case M::Notes:
        return &row.notes;
    default:
        return nullptr;
    }
}

} // namespace

RunsModel::RunsModel(QObject* parent) : QAbstractTableModel(parent), m_rows(std::make_shared<std::vector<RunRow>>()) {}

std::vector<uint32_t> RunsModel::selected() const {
    std::vector<uint32_t> found;
    for (const uint32_t i : m_order) {
        const RunRow& row = (*m_rows)[i];
        if ((row.trashedMs > 0) == m_trash && m_filter.matches(row)) found.push_back(i);
    }
    return found;
}

// Words are compared once when they come, later sorts compare their places.
const std::vector<double>& RunsModel::values(int column) const {
    const auto known = m_values.find(column);
    if (known != m_values.end()) return known->second;
    std::vector<double> values(m_rows->size(), kNone);
    if (!m_rows->empty() && textOf(m_rows->front(), column)) {
        std::vector<std::pair<QString, uint32_t>> words;
        for (uint32_t i = 0; i < m_rows->size(); ++i)
            if (const QString& word = *textOf((*m_rows)[i], column); !word.isEmpty()) words.emplace_back(word.toCaseFolded(), i);
        std::ranges::sort(words);
        double rank = 0;
        for (size_t i = 0; i < words.size(); ++i) {
            if (i > 0 && words[i].first != words[i - 1].first) ++rank;
            values[words[i].second] = rank;
        }
    } else
        for (size_t i = 0; i < m_rows->size(); ++i) {
            const RunRow& run = (*m_rows)[i];
            values[i] = column != Mark ? numberOf(run, column) : run.uid == m_baseline ? 0 : m_compared.contains(run.uid) ? 1 : kNone;
        }
    return m_values.emplace(column, std::move(values)).first->second;
}

// Missing values stay behind whatever the order is; ties keep the order of the rows.
void RunsModel::sortAll() {
    struct Key {
        const std::vector<double>* values;
        bool down;
    };
    std::vector<Key> keys;
    for (const SortKey& key : m_keys) keys.push_back({&values(key.column), key.order == Qt::DescendingOrder});
    m_order.resize(m_rows->size());
    std::iota(m_order.begin(), m_order.end(), 0u);
    std::ranges::stable_sort(m_order, [&](uint32_t a, uint32_t b) {
        for (const Key& key : keys) {
            const double x = (*key.values)[a], y = (*key.values)[b];
            if (x == y) continue;
            const bool noX = x != x, noY = y != y;
            if (noX && noY) continue;
            if (noX || noY) return noY;
            return key.down ? x > y : x < y;
        }
        return false;
    });
}

void RunsModel::setRows(RunRows rows) {
    const int before = m_total;
    const RunRows old = std::exchange(m_rows, std::move(rows));
    m_total = static_cast<int>(std::ranges::count_if(*m_rows, [&](const RunRow& row) { return (row.trashedMs > 0) == m_trash; }));
    m_values.clear();
    sortAll();
    auto fresh = selected();
    const auto uidAt = [](const RunRows& all, uint32_t i) -> const QString& { return (*all)[i].uid; };
    const bool same = fresh.size() == m_shown.size() &&
                      std::ranges::equal(fresh, m_shown, [&](uint32_t a, uint32_t b) { return uidAt(m_rows, a) == uidAt(old, b); });
    if (!same) {
        beginResetModel();
        m_shown = std::move(fresh);
        endResetModel();
    } else {
        const std::vector<uint32_t> shown = std::exchange(m_shown, std::move(fresh));
        int first = -1, last = -1;
        for (size_t i = 0; i < shown.size(); ++i)
            if (!((*old)[shown[i]] == (*m_rows)[m_shown[i]])) {
                if (first < 0) first = static_cast<int>(i);
                last = static_cast<int>(i);
            }
        if (first >= 0) Q_EMIT dataChanged(index(first, 0), index(last, ColumnCount - 1));
    }
    if (!same || before != m_total) Q_EMIT countsChanged();
}

void RunsModel::setFilter(const RunFilter& filter) {
    m_filter = filter;
    auto fresh = selected();
    if (fresh == m_shown) return;
    beginResetModel();
    m_shown = std::move(fresh);
    endResetModel();
    Q_EMIT countsChanged();
}

void RunsModel::setTrashShown(bool shown) {
    if (shown == m_trash) return;
    m_trash = shown;
    beginResetModel();
    m_total = static_cast<int>(std::ranges::count_if(*m_rows, [&](const RunRow& row) { return (row.trashedMs > 0) == m_trash; }));
    m_shown = selected();
    endResetModel();
    Q_EMIT countsChanged();
}

void RunsModel::setSortKeys(const std::vector<SortKey>& keys) {
    m_keys.clear();
    for (const SortKey& key : keys)
        if (key.column >= 0 && key.column < ColumnCount) m_keys.push_back(key);
    sortAll();
    reorder(selected());
    Q_EMIT headerDataChanged(Qt::Horizontal, 0, ColumnCount - 1);
}

void RunsModel::sortBy(int column, bool additional) {
    auto keys = m_keys;
    const auto at = std::ranges::find(keys, column, &SortKey::column);
    // Numbers that matter are looked at from the top, words from A.
    const auto natural = column == Created ? Qt::DescendingOrder : Qt::AscendingOrder;
    const auto turned = [](Qt::SortOrder o) { return o == Qt::AscendingOrder ? Qt::DescendingOrder : Qt::AscendingOrder; };
    if (additional) {
        if (at != keys.end())
            at->order = turned(at->order);
        else
            keys.push_back({column, natural});
    } else {
        const bool again = keys.size() == 1 && at != keys.end();
        keys = {{column, again ? turned(keys[0].order) : natural}};
    }
    setSortKeys(keys);
}

void RunsModel::reorder(std::vector<uint32_t> rows) {
    if (rows == m_shown) return;
    Q_EMIT layoutAboutToBeChanged({}, QAbstractItemModel::VerticalSortHint);
    const QModelIndexList before = persistentIndexList();
    std::vector<int> place(m_rows->size(), -1);
    for (size_t i = 0; i < rows.size(); ++i) place[rows[i]] = static_cast<int>(i);
    QModelIndexList after;
    after.reserve(before.size());
    for (const QModelIndex& one : before) after << index(place[m_shown[static_cast<size_t>(one.row())]], one.column());
    m_shown = std::move(rows);
    changePersistentIndexList(before, after);
    Q_EMIT layoutChanged({}, QAbstractItemModel::VerticalSortHint);
}

void RunsModel::setMarks(const QString& baseline, const QStringList& compared) {
    m_baseline = baseline;
    m_compared = QSet<QString>(compared.begin(), compared.end());
    m_values.erase(Mark);
    if (rowCount() > 0) Q_EMIT dataChanged(index(0, Mark), index(rowCount() - 1, Mark));
}

int RunsModel::rowOf(const QString& uid) const {
    for (size_t i = 0; i < m_shown.size(); ++i)
        if ((*m_rows)[m_shown[i]].uid == uid) return static_cast<int>(i);
    return -1;
}

int RunsModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_shown.size()); }
int RunsModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant RunsModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const RunRow& row = run(index.row());
    const int column = index.column();
    switch (role) {
    case Qt::DisplayRole:
        return runText(row, column);
    case Qt::EditRole:
        return column == Name ? row.name : column == Tags ? row.tags : column == Notes ? row.notes : QVariant(runText(row, column));
    case Qt::DecorationRole:
        if (column == Mark && row.uid == m_baseline) return Theme::instance().icon(QStringLiteral("star"), Token::Accent);
        if (column == Mark && m_compared.contains(row.uid)) return Theme::instance().icon(QStringLiteral("compare"), Token::Accent);
        return {};
    case Qt::TextAlignmentRole:
        return static_cast<int>((isNumber(column) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::ToolTipRole:
        return column == Mark ? markTip(row) : runTip(row, column);
    case Qt::AccessibleTextRole:
        if (column == Mark) return markTip(row);
        return column == Colour ? tr("colour %1").arg(row.colour + 1) : columnTitle(column) + QLatin1Char(' ') + runText(row, column);
    case SortRole:
        if (const QString* text = textOf(row, column)) return *text;
        return numberOf(row, column);
    case UidRole:
        return row.uid;
    case ColourRole:
        return column == Colour ? QVariant(row.colour) : QVariant();
    case StateRole:
        return column == State ? QVariant(static_cast<int>(row.state)) : QVariant();
    default:
        return {};
    }
}

QString RunsModel::markTip(const RunRow& row) const {
    if (row.uid == m_baseline) return tr("Baseline of the comparison");
    return m_compared.contains(row.uid) ? tr("In the comparison") : tr("Not in the comparison; Space adds it, B makes it the baseline");
}

QVariant RunsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount) return {};
    if (role == Qt::TextAlignmentRole) return static_cast<int>((isNumber(section) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (role == Qt::ToolTipRole)
        return columnHelp(section) + QLatin1Char('\n') + tr("Click to sort, Shift+click to sort by one more column");
    if (role == Qt::AccessibleTextRole) return columnTitle(section);
    if (role != Qt::DisplayRole) return {};
    QString title = section == Colour || section == Mark ? QString() : columnTitle(section);
    for (size_t i = 0; i < m_keys.size(); ++i)
        if (m_keys[i].column == section) {
            title += (title.isEmpty() ? QString() : QStringLiteral(" ")) + QChar(m_keys[i].order == Qt::AscendingOrder ? 0x2191 : 0x2193);
            if (m_keys.size() > 1) title += QString::number(i + 1);
        }
    return title;
}

Qt::ItemFlags RunsModel::flags(const QModelIndex& index) const {
    Qt::ItemFlags flags = Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren;
    const bool editable = index.column() == Name || index.column() == Tags || index.column() == Notes;
    return index.isValid() ? (editable && !m_trash ? flags | Qt::ItemIsEditable : flags) : Qt::NoItemFlags;
}

bool RunsModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::EditRole || !(flags(index) & Qt::ItemIsEditable)) return false;
    const QString text = value.toString().trimmed();
    const QString before = data(index, Qt::EditRole).toString();
    if (text == before || (index.column() == Name && text.isEmpty())) return false;
    Q_EMIT edited(run(index.row()).uid, index.column(), text);
    return true;
}

QString RunsModel::columnTitle(int column) { return runColumnTitle(column); }
QString RunsModel::columnHelp(int column) { return runColumnHelp(column); }

bool RunsModel::isNumber(int column) { return (column >= Bits && column <= Size) || (column >= Step && column <= Time); }

QStringList RunsModel::readTags(const QString& text) {
    static const QRegularExpression gaps(QStringLiteral("[\\s,]+"));
    QStringList tags = text.split(gaps, Qt::SkipEmptyParts);
    tags.removeDuplicates();
    return tags;
}

} // namespace qw::ui
