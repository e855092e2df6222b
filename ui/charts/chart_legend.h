// SPDX-License-Identifier: GPL-3.0-or-later
// What: the legend beside a plot: click hides, double click shows one alone, the pointer lifts; a filter box beyond eight lines.
#pragma once

#include "charts/chart_data.h"

#include <QAbstractListModel>
#include <QStyledItemDelegate>
#include <QWidget>

class QLineEdit;
class QListView;
class QSortFilterProxyModel;

namespace qw::ui {

class ChartLegendModel : public QAbstractListModel {
    Q_OBJECT
public:
    enum Role : int { IdRole = Qt::UserRole, VisibleRole, CountsRole, LastRole, SpecRole };
    explicit ChartLegendModel(ChartData& data, QObject* parent = nullptr);
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    void refresh(); // lines, counts and last values

private:
    [[nodiscard]] static QString counts(const ChartCurve& curve); // "2 NaN, 1 Inf"
    ChartData& m_data;
    QStringList m_ids; // of the rows shown
};

class ChartLegendDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

class ChartLegend : public QWidget {
    Q_OBJECT
public:
    static constexpr int kFilterBeyond = 8;
    ChartLegend(const QString& name, ChartData& data, QWidget* parent);
    void refresh();
    void toggle(const QString& id);
    void solo(const QString& id); // alone; again: all
    [[nodiscard]] QListView* list() const { return m_list; }
    [[nodiscard]] QSize sizeHint() const override;

Q_SIGNALS:
    void lifted(const QString& id); // empty: none
    void clicked(const QString& id);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    [[nodiscard]] QString idAt(const QModelIndex& index) const;
    ChartData& m_data;
    QLineEdit* m_filter = nullptr;
    QListView* m_list = nullptr;
    ChartLegendModel* m_model = nullptr;
    QSortFilterProxyModel* m_proxy = nullptr;
    QSet<QString> m_hiddenBeforeClick; // the first click of a double click must not count
};

} // namespace qw::ui
