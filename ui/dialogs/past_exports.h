// SPDX-License-Identifier: GPL-3.0-or-later
// What: the exports of a run so far, the sheet of the selected one, and what can be done with its folder.
#pragma once

#include "client/session.h"
#include "models/export_models.h"

#include <QWidget>
#include <optional>

class QLabel;
class QPushButton;
class QTreeView;

namespace qw::ui {

class ParityReport;

class PastExports : public QWidget {
    Q_OBJECT
public:
    explicit PastExports(Session& session, QWidget* parent = nullptr);
    ~PastExports() override;

    void showRun(const QString& uid, const QString& selectDir = {}); // reads them anew; selectDir: the one to select
    // A sheet just measured, before the store tells of it.
    void showSheet(const QJsonObject& sheet);
    [[nodiscard]] int count() const { return m_model->rowCount(); }

Q_SIGNALS:
    void counted();

private:
    void build();
    void wire();
    void refresh();
    void take(std::vector<PastExport> found);
    void showSelected();
    void showParts();
    void checkAgain();
    void openFolder();
    void evaluate();
    void compare();
    [[nodiscard]] const PastExport* selected() const;
    [[nodiscard]] const RunFacts* evaluation(const PastExport& one) const; // the newest of this folder; null: none
    void showEvaluation(const PastExport* one);

    Session& m_session;
    QString m_run, m_wanted;
    PastExportsModel* m_model = nullptr;
    QTreeView* m_exportList = nullptr;
    ParityReport* m_parityReport = nullptr;
    QWidget* m_parts = nullptr; // list and sheet
    QLabel* m_none = nullptr;   // in their place while there is nothing
    QPushButton* m_openFolder = nullptr;
    QPushButton* m_openModel = nullptr;
    QPushButton* m_checkAgain = nullptr;
    QPushButton* m_evaluate = nullptr;
    bool m_starting = false; // an evaluation
    QLabel* m_said = nullptr;
    bool m_checking = false;
    int m_activity = 0;
};

} // namespace qw::ui
