// SPDX-License-Identifier: GPL-3.0-or-later
// What: the items of one task, side by side for all compared runs: who has which right; flips between two runs can be filtered.
// Limits: texts come from the task file as it is now; they are left out when it is not the file that was scored.
#pragma once

#include "models/comparison.h"

#include <QAbstractTableModel>

namespace qw::ui {

struct TaskTexts {
    QString task;
    tasks::TaskData data;
    QString problem; // why there are no texts
};

class ItemsModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Filter : int { All, OnlySecond, OnlyFirst, AllRight, AllWrong, Mixed, FilterCount };
    enum Role : int { HitRole = Qt::UserRole, SortRole };

    explicit ItemsModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}
    // first, second: uids of the pair whose flips are counted (PTQ, QAT).
    void setComparison(ComparisonPtr comparison, const QString& task, const QString& first, const QString& second);
    void setTexts(std::shared_ptr<const TaskTexts> texts);
    void setNorm(bool norm); // acc_norm instead of acc
    void setFilter(Filter filter, const QString& words);
    [[nodiscard]] int64_t count(Filter filter) const { return m_counts[filter]; }
    [[nodiscard]] bool isChoice() const { return m_choice; }
    [[nodiscard]] bool hasPair() const { return m_first >= 0 && m_second >= 0; }

    struct Side {
        QString name;
        const records::EvalItem* item = nullptr; // null: this run has none of it
    };
    [[nodiscard]] std::vector<Side> sides(int row) const;
    [[nodiscard]] int64_t itemNumber(int row) const { return m_numbers[m_shown[static_cast<size_t>(row)]]; }
    [[nodiscard]] const tasks::ChoiceRow* choiceText(int row) const; // null: no text
    [[nodiscard]] QString documentText(int row) const;
    [[nodiscard]] QString textProblem() const { return m_texts ? m_texts->problem : QString(); }

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override; // number, text, one a run
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Run {
        QString name;
        const std::vector<records::EvalItem>* items = nullptr;
    };
    void choose();
    void countAll();
    [[nodiscard]] bool passes(size_t item, Filter filter) const;
    [[nodiscard]] int hit(size_t run, size_t item) const; // 1 right, 0 wrong, -1 not known
    [[nodiscard]] QString textOf(size_t item) const;

    ComparisonPtr m_comparison; // keeps the items alive
    std::shared_ptr<const TaskTexts> m_texts;
    QString m_task, m_words;
    std::vector<Run> m_runs;
    std::vector<int64_t> m_numbers; // item numbers that all runs share, in order
    std::vector<size_t> m_shown;    // indices into m_numbers
    int m_first = -1, m_second = -1;
    Filter m_filter = All;
    bool m_norm = false, m_choice = false;
    std::array<int64_t, FilterCount> m_counts{};
};

// Off the GUI thread.
[[nodiscard]] std::shared_ptr<const TaskTexts> loadTexts(const Comparison& comparison, const QString& task);

} // namespace qw::ui
