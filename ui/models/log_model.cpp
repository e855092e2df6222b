// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/log_model.h"

#include "theme/theme.h"

#include <QColor>
#include <QDateTime>
#include <QElapsedTimer>
#include <QIcon>
#include <QLocale>
#include <algorithm>
#include <array>

namespace qw::ui {
namespace {

constexpr size_t kBlock = 4096;
constexpr int kSliceMs = 8, kCheckEvery = 256;
constexpr std::array<const char*, 4> kLevelWords{QT_TRANSLATE_NOOP("LogModel", "step"), QT_TRANSLATE_NOOP("LogModel", "info"),
                                                 QT_TRANSLATE_NOOP("LogModel", "warning"), QT_TRANSLATE_NOOP("LogModel", "error")};
constexpr std::array<const char*, 4> kLevelIcons{"chart", "info", "warning", "error"};
constexpr std::array<Token, 4> kLevelTokens{Token::Muted, Token::Info, Token::Warning, Token::Bad};

} // namespace

LogModel::LogModel(QObject* parent) : QAbstractTableModel(parent) {
    m_slice.setInterval(0);
    connect(&m_slice, &QTimer::timeout, this, &LogModel::filterSlice);
}

const LogModel::Line& LogModel::line(uint64_t number) const {
    const uint64_t at = number - m_first;
    return m_blocks[at / kBlock].lines[at % kBlock];
}

std::string_view LogModel::textOf(uint64_t number) const {
    const Line& of = line(number);
    return std::string_view(m_blocks[(number - m_first) / kBlock].text).substr(of.offset, of.length);
}

bool LogModel::passes(uint64_t number) const {
    if (line(number).level < m_least) return false;
    if (m_only.pattern().isEmpty()) return true;
    const std::string_view text = textOf(number);
    return m_only.match(QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()))).hasMatch();
}

void LogModel::push(const LogRow& row) {
    if (m_blocks.empty() || m_blocks.back().lines.size() == kBlock) {
        m_blocks.emplace_back();
        m_blocks.back().lines.reserve(kBlock);
    }
    Block& block = m_blocks.back();
    block.lines.push_back(
        {row.tsMs, row.step, static_cast<uint32_t>(block.text.size()), static_cast<uint32_t>(row.text.size()), row.level, row.source});
    block.text += row.text;
    ++m_count;
}

void LogModel::append(const std::vector<LogRow>& rows) {
    if (rows.empty()) return;
    const uint64_t from = m_first + m_count;
    for (const LogRow& row : rows) push(row);
    if (!isFiltering()) { // else the slices come to them
        std::vector<uint64_t> shown;
        for (uint64_t number = from; number < m_first + m_count; ++number)
            if (passes(number)) shown.push_back(number);
        m_next = m_first + m_count;
        if (!shown.empty()) {
            const int at = static_cast<int>(m_visible.size());
            beginInsertRows({}, at, at + static_cast<int>(shown.size()) - 1);
            m_visible.insert(m_visible.end(), shown.begin(), shown.end());
            endInsertRows();
        }
    }
    if (m_count > static_cast<uint64_t>(m_limit) + kBlock) dropOldest();
}

void LogModel::dropOldest() {
    while (m_count >= static_cast<uint64_t>(m_limit) + kBlock) {
        const uint64_t end = m_first + kBlock;
        const auto gone = std::lower_bound(m_visible.begin(), m_visible.end(), end) - m_visible.begin();
        if (gone > 0) beginRemoveRows({}, 0, static_cast<int>(gone) - 1);
        m_visible.erase(m_visible.begin(), m_visible.begin() + gone);
        m_blocks.pop_front();
        m_first = end;
        m_count -= kBlock;
        m_next = std::max(m_next, m_first);
        if (gone > 0) endRemoveRows();
    }
}

void LogModel::clear(LogSource source) {
    std::vector<LogRow> kept;
    for (uint64_t number = m_first; number < m_first + m_count; ++number)
        if (line(number).source != source)
            kept.push_back({line(number).tsMs, line(number).step, line(number).level, line(number).source, std::string(textOf(number))});
    beginResetModel();
    m_slice.stop();
    m_blocks.clear();
    m_visible.clear();
    m_first = m_count = m_next = 0;
    endResetModel();
    append(kept);
}

void LogModel::setLeastLevel(LogLevel level) {
    if (level == m_least) return;
    m_least = level;
    refilter();
}

void LogModel::setOnly(const QRegularExpression& pattern) {
    if (pattern == m_only) return;
    m_only = pattern;
    m_only.optimize();
    refilter();
}

void LogModel::refilter() {
    beginResetModel();
    m_visible.clear();
    m_next = m_first;
    if (m_only.pattern().isEmpty()) {
        for (uint64_t number = m_first; number < m_first + m_count; ++number)
            if (line(number).level >= m_least) m_visible.push_back(number);
        m_next = m_first + m_count;
        m_slice.stop();
    } else
        m_slice.start();
    endResetModel();
    if (!m_slice.isActive()) Q_EMIT filtered();
}

void LogModel::filterSlice() {
    QElapsedTimer timer;
    timer.start();
    std::vector<uint64_t> shown;
    const uint64_t end = m_first + m_count;
    for (int n = 0; m_next < end; ++n) {
        if (n % kCheckEvery == 0 && timer.elapsed() >= kSliceMs) break;
        if (passes(m_next)) shown.push_back(m_next);
        ++m_next;
    }
    if (!shown.empty()) {
        const int at = static_cast<int>(m_visible.size());
        beginInsertRows({}, at, at + static_cast<int>(shown.size()) - 1);
        m_visible.insert(m_visible.end(), shown.begin(), shown.end());
        endInsertRows();
    }
    if (m_next < end) return;
    m_slice.stop();
    Q_EMIT filtered();
}

int LogModel::rowOfStep(int64_t step) const {
    const auto at = std::find_if(m_visible.begin(), m_visible.end(), [&](uint64_t number) { return line(number).step >= step; });
    return at == m_visible.end() ? -1 : static_cast<int>(at - m_visible.begin());
}

bool LogModel::matches(int row, const QRegularExpression& pattern) const {
    const std::string_view text = textOf(m_visible[static_cast<size_t>(row)]);
    return pattern.match(QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()))).hasMatch();
}

QString LogModel::lineText(int row) const {
    const Line& of = line(m_visible[static_cast<size_t>(row)]);
    const std::string_view text = textOf(m_visible[static_cast<size_t>(row)]);
    return QDateTime::fromMSecsSinceEpoch(of.tsMs).toString(Qt::ISODateWithMs) + QLatin1Char('\t') +
           QLatin1String(kLevelWords[static_cast<size_t>(of.level)]) + QLatin1Char('\t') +
           QLatin1String(of.source == LogSource::Engine ? "engine" : "window") + QLatin1Char('\t') +
           (of.step >= 0 ? QString::number(of.step) : QString()) + QLatin1Char('\t') +
           QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

int LogModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_visible.size()); }
int LogModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : Columns; }

QVariant LogModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const uint64_t number = m_visible[static_cast<size_t>(index.row())];
    const Line& of = line(number);
    const auto level = static_cast<size_t>(of.level);
    if (role == Qt::DisplayRole || (role == Qt::ToolTipRole && index.column() == Text)) {
        switch (index.column()) {
        case Time:
            return QDateTime::fromMSecsSinceEpoch(of.tsMs).toString(QStringLiteral("HH:mm:ss"));
        case Level:
            return tr(kLevelWords[level]);
        case Source:
            return of.source == LogSource::Engine ? tr("engine") : tr("window");
        case Step:
            return of.step >= 0 ? QLocale().toString(static_cast<qlonglong>(of.step)) : QString();
        default: {
            const std::string_view text = textOf(number);
            return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
        }
        }
    }
    if (role == Qt::DecorationRole && index.column() == Level)
        return Theme::instance().icon(QLatin1String(kLevelIcons[level]), kLevelTokens[level]);
    if (role == Qt::ForegroundRole && of.level == LogLevel::Step) return Theme::instance().colour(Token::Muted);
    if (role == Qt::TextAlignmentRole && index.column() == Step) return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

QVariant LogModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    const QString names[Columns] = {tr("Time"), tr("Level"), tr("From"), tr("Step"), tr("Message")};
    return names[section];
}

} // namespace qw::ui
