// SPDX-License-Identifier: GPL-3.0-or-later
// What: dockDetails: the followed run in short, its layers with what the scheme did to them, and everything about the chosen layer.
#pragma once

#include "client/session.h"
#include "models/layer_facts_model.h"
#include "widgets/refresh_deferrer.h"

#include <QDockWidget>
#include <QTimer>

class QFormLayout;
class QLabel;
class QLineEdit;
class QSortFilterProxyModel;
class QTableView;

namespace qw::ui {

class DetailsDock : public QDockWidget {
    Q_OBJECT
public:
    explicit DetailsDock(Session& session, QWidget* parent = nullptr);
    [[nodiscard]] LayerFactsModel& layers() { return m_layers; }

private:
    void build();
    void refresh();
    void showRun(const RunFacts& run);
    void showLayer();
    void addFact(const QString& name, const QString& value);

    Session& m_session;
    LayerFactsModel m_layers;
    QSortFilterProxyModel* m_sorted = nullptr;
    QLabel* m_title = nullptr;
    QLabel* m_none = nullptr;
    QWidget* m_body = nullptr;
    QFormLayout* m_facts = nullptr;
    QLineEdit* m_filter = nullptr;
    QTableView* m_table = nullptr;
    QLabel* m_layer = nullptr;
    QString m_uid;
    int64_t m_seq = -1; // of the facts that are shown
    RefreshDeferrer m_deferrer{this, [this] { refresh(); }};
};

} // namespace qw::ui
