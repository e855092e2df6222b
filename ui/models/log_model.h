// SPDX-License-Identifier: GPL-3.0-or-later
// What: a million lines of log as a table: text in blocks, a list of the visible ones, words made only for the cells that are painted.
// Limits: the oldest lines go once there are more than setLimit(); a filter by text works in slices of the event loop.
#pragma once

#include "models/log_line.h"

#include <QAbstractTableModel>
#include <QRegularExpression>
#include <QTimer>
#include <deque>
#include <vector>

namespace qw::ui {

class LogModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column : int { Time, Level, Source, Step, Text, Columns };
    explicit LogModel(QObject* parent = nullptr);

    void append(const std::vector<LogRow>& rows);
    void clear(LogSource source); // lines of the other source stay
    void setLimit(qsizetype lines) { m_limit = lines; }
    void setLeastLevel(LogLevel level);
    void setOnly(const QRegularExpression& pattern); // an empty pattern: all lines
    [[nodiscard]] bool isFiltering() const { return m_slice.isActive(); }

    [[nodiscard]] qsizetype lineCount() const { return static_cast<qsizetype>(m_count); }
    [[nodiscard]] int rowOfStep(int64_t step) const; // first visible line said at or behind the step; -1: none
    [[nodiscard]] bool matches(int row, const QRegularExpression& pattern) const;
    [[nodiscard]] QString lineText(int row) const; // one line of a file: time, level, source, step, text; tabs between

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

Q_SIGNALS:
    void filtered(); // a filter by text is through

private:
    struct Line {
        int64_t tsMs = 0;
        int64_t step = -1;
        uint32_t offset = 0, length = 0;
        LogLevel level = LogLevel::Info;
        LogSource source = LogSource::Engine;
    };
    struct Block { // kBlock lines; their text one behind the other
        std::string text;
        std::vector<Line> lines;
    };
    [[nodiscard]] const Line& line(uint64_t number) const;
    [[nodiscard]] std::string_view textOf(uint64_t number) const;
    [[nodiscard]] bool passes(uint64_t number) const;
    void push(const LogRow& row);
    void dropOldest();
    void refilter();
    void filterSlice();

    std::deque<Block> m_blocks;
    uint64_t m_first = 0, m_count = 0; // number of the first kept line (a multiple of the block), how many are kept
    std::vector<uint64_t> m_visible;   // numbers, rising
    uint64_t m_next = 0;               // first one the filter by text has not seen
    LogLevel m_least = LogLevel::Step;
    QRegularExpression m_only;
    qsizetype m_limit = 1'000'000;
    QTimer m_slice;
};

} // namespace qw::ui
