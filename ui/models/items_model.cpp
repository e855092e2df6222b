// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/items_model.h"

#include "study/judge.h"
#include "theme/theme.h"

#include <QLocale>
#include <algorithm>
#include <numeric>

namespace qw::ui {

namespace {

// The pair stands beside the text, the others behind it.
std::vector<size_t> pairFirst(const Comparison* comparison, const QString& first, const QString& second) {
    std::vector<size_t> order(comparison ? comparison->rows.size() : 0);
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, {}, [&](size_t i) {
        const QString& uid = comparison->runs[i].uid;
        return uid == first ? 0 : uid == second ? 1 : 2;
    });
    return order;
}

} // namespace

std::shared_ptr<const TaskTexts> loadTexts(const Comparison& comparison, const QString& task) {
    auto texts = std::make_shared<TaskTexts>();
    texts->task = task;
    const auto at = comparison.tasks.constFind(task);
    if (at == comparison.tasks.cend()) {
        texts->problem = ItemsModel::tr("No recipe of these runs names the file of this task.");
        return texts;
    }
    auto loaded = tasks::loadTask(*at);
    if (!loaded) {
        texts->problem = text(loaded.error().message);
        return texts;
    }
    for (const auto& row : comparison.rows) {
        const study::TaskFacts* facts = study::taskOf(row, utf8(task));
        if (facts && facts->result.taskDigest != loaded->digest) {
            texts->problem = ItemsModel::tr("The task file has changed since it was scored; its texts are not shown.");
            return texts;
        }
    }
    texts->data = *std::move(loaded);
    return texts;
}

void ItemsModel::setComparison(ComparisonPtr comparison, const QString& task, const QString& first, const QString& second) {
    beginResetModel();
    m_comparison = std::move(comparison);
    if (m_texts && m_texts->task != task) m_texts.reset();
    m_task = task;
    m_runs.clear();
    m_numbers.clear();
    m_first = m_second = -1;
    m_choice = false;
    for (const size_t i : pairFirst(m_comparison.get(), first, second)) {
        const study::TaskFacts* facts = study::taskOf(m_comparison->rows[i], utf8(task));
        if (!facts || facts->items.empty()) continue;
        // Only the very same items stand side by side.
        if (!m_runs.empty() &&
            (facts->items.size() != m_numbers.size() || !std::ranges::equal(facts->items, m_numbers, {}, &records::EvalItem::item)))
            continue;
        if (m_runs.empty()) {
            std::ranges::transform(facts->items, std::back_inserter(m_numbers), &records::EvalItem::item);
            m_choice = facts->items.front().correct >= 0;
        }
        const auto run = static_cast<int>(m_runs.size());
        if (m_comparison->runs[i].uid == first) m_first = run;
        if (m_comparison->runs[i].uid == second) m_second = run;
        m_runs.push_back({text(m_comparison->rows[i].label), &facts->items});
    }
    countAll();
    choose();
    endResetModel();
}

void ItemsModel::setTexts(std::shared_ptr<const TaskTexts> texts) {
    if (texts && texts->task != m_task) return;
    beginResetModel();
    m_texts = std::move(texts);
    choose();
    endResetModel();
}

void ItemsModel::setNorm(bool norm) {
    if (norm == m_norm) return;
    beginResetModel();
    m_norm = norm;
    countAll();
    choose();
    endResetModel();
}

void ItemsModel::setFilter(Filter filter, const QString& words) {
    beginResetModel();
    m_filter = filter;
    m_words = words.trimmed();
    choose();
    endResetModel();
}

int ItemsModel::hit(size_t run, size_t item) const {
    const auto& one = (*m_runs[run].items)[item];
    return m_norm ? one.correctNorm : one.correct;
}

bool ItemsModel::passes(size_t item, Filter filter) const {
    const auto right = [&](size_t run) { return hit(run, item) == 1; };
    size_t hits = 0;
    for (size_t run = 0; run < m_runs.size(); ++run) hits += right(run);
    switch (filter) {
    case OnlySecond:
        return hasPair() && !right(static_cast<size_t>(m_first)) && right(static_cast<size_t>(m_second));
    case OnlyFirst:
        return hasPair() && right(static_cast<size_t>(m_first)) && !right(static_cast<size_t>(m_second));
    case AllRight:
        return hits == m_runs.size();
    case AllWrong:
        return hits == 0;
    case Mixed:
        return hits > 0 && hits < m_runs.size();
    default:
        return true;
    }
}

void ItemsModel::countAll() {
    m_counts.fill(0);
    for (size_t item = 0; item < m_numbers.size(); ++item)
        for (int filter = All; filter < FilterCount; ++filter)
            if (filter == All || (m_choice && passes(item, static_cast<Filter>(filter)))) ++m_counts[static_cast<size_t>(filter)];
}

void ItemsModel::choose() {
    m_shown.clear();
    const Filter filter = m_choice ? m_filter : All;
    for (size_t item = 0; item < m_numbers.size(); ++item)
        if (passes(item, filter) && (m_words.isEmpty() || textOf(item).contains(m_words, Qt::CaseInsensitive))) m_shown.push_back(item);
}

QString ItemsModel::textOf(size_t item) const {
    const auto at = static_cast<size_t>(m_numbers[item]);
    if (!m_texts) return {};
    if (at < m_texts->data.rows.size()) return text(m_texts->data.rows[at].query);
    if (at < m_texts->data.documents.size()) return text(m_texts->data.documents[at].text);
    return {};
}

const tasks::ChoiceRow* ItemsModel::choiceText(int row) const {
    const auto at = static_cast<size_t>(itemNumber(row));
    return m_texts && at < m_texts->data.rows.size() ? &m_texts->data.rows[at] : nullptr;
}

QString ItemsModel::documentText(int row) const {
    const auto at = static_cast<size_t>(itemNumber(row));
    return m_texts && at < m_texts->data.documents.size() ? text(m_texts->data.documents[at].text) : QString();
}

std::vector<ItemsModel::Side> ItemsModel::sides(int row) const {
    std::vector<Side> found;
    for (const Run& run : m_runs) found.push_back({run.name, &(*run.items)[m_shown[static_cast<size_t>(row)]]});
    return found;
}

int ItemsModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_shown.size()); }
int ItemsModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_runs.size()) + 2; }

QVariant ItemsModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const size_t item = m_shown[static_cast<size_t>(index.row())];
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>((index.column() == 1                ? Qt::AlignLeft
                                 : index.column() == 0 || !m_choice ? Qt::AlignRight
                                                                    : Qt::AlignHCenter) |
                                Qt::AlignVCenter);
    if (index.column() == 0)
        return role == Qt::DisplayRole ? QVariant(QLocale().toString(static_cast<qlonglong>(m_numbers[item] + 1))) : QVariant();
    if (index.column() == 1) {
        if (role != Qt::DisplayRole && role != Qt::ToolTipRole) return {};
        const QString words = textOf(item).simplified();
        return role == Qt::DisplayRole ? words.left(300) : words.left(1500);
    }
    const auto run = static_cast<size_t>(index.column() - 2);
    const auto& own = (*m_runs[run].items)[item];
    const int right = hit(run, item);
    if (role == HitRole) return right;
    if (role == Qt::ForegroundRole && m_choice) return Theme::instance().colour(right == 1 ? Token::Good : Token::Bad);
    if (role != Qt::DisplayRole) return {};
    if (!m_choice)
        return own.ll.empty() || own.tokens <= 0 ? QString()
                                                 : QLocale().toString(-own.ll.front() / static_cast<double>(own.tokens), 'f', 4);
    const auto best = std::ranges::max_element(own.ll) - own.ll.begin(); // of acc: the largest log-likelihood
    const QString letter = m_norm || own.ll.empty() ? QString() : QString(QChar(u'A' + static_cast<char16_t>(best))) + QLatin1Char(' ');
    return letter + (right == 1 ? QStringLiteral("✓") : QStringLiteral("✗"));
}

QVariant ItemsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columnCount()) return {};
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>((section == 1                ? Qt::AlignLeft
                                 : section == 0 || !m_choice ? Qt::AlignRight
                                                             : Qt::AlignHCenter) |
                                Qt::AlignVCenter);
    if (role == Qt::ToolTipRole && section > 1)
        return m_choice ? tr("What this run chose, and whether it is right") : tr("Negative log-likelihood a token");
    if (role != Qt::DisplayRole) return {};
    return section == 0 ? tr("Item") : section == 1 ? tr("Text") : m_runs[static_cast<size_t>(section - 2)].name;
}

} // namespace qw::ui
