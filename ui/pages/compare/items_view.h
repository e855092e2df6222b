// SPDX-License-Identifier: GPL-3.0-or-later
// What: the items of a task one by one: who flipped, and one item opened with the log-likelihoods of its choices.
#pragma once

#include "client/session.h"
#include "models/items_model.h"

#include <QWidget>

class QButtonGroup;
class QComboBox;
class QLabel;
class QLineEdit;
class QTableView;
class QTextBrowser;

namespace qw::ui {

class ItemsView : public QWidget {
    Q_OBJECT
public:
    explicit ItemsView(Session& session, QWidget* parent = nullptr);
    void setComparison(const ComparisonPtr& comparison, const QString& first, const QString& second);
    [[nodiscard]] ItemsModel& model() const { return *m_model; }
    void openItem(int row);

private:
    void buildBar();
    void wire();
    void taskChosen();
    void applyFilter();
    void showCounts();
    void showItem();
    [[nodiscard]] QString choiceHtml(int row) const;
    [[nodiscard]] QString documentHtml(int row) const;

    Session& m_session;
    ItemsModel* m_model = nullptr;
    ComparisonPtr m_comparison;
    QString m_first, m_second;
    QComboBox* m_task = nullptr;
    QComboBox* m_metric = nullptr;
    QButtonGroup* m_filters = nullptr;
    QLineEdit* m_words = nullptr;
    QLabel* m_note = nullptr;
    QTableView* m_table = nullptr;
    QTextBrowser* m_details = nullptr;
};

} // namespace qw::ui
