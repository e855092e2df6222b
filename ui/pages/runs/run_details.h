// SPDX-License-Identifier: GPL-3.0-or-later
// What: everything about one run: facts, environment, hashes, recipe, difference to the baseline, checkpoints, how to repeat it.
#pragma once

#include "client/session.h"
#include "models/config_diff.h"

#include <QWidget>

class QFormLayout;
class QLabel;
class QPlainTextEdit;
class QPushButton;
class QTabWidget;
class QTableView;

namespace qw::ui {

class RunFiles;

class RunDetails : public QWidget {
    Q_OBJECT
public:
    explicit RunDetails(Session& session, QWidget* parent = nullptr); // objectName runDetails
    void showRun(const QString& uid);                                 // empty: none
    void refresh();                                                   // facts may have changed
    [[nodiscard]] QString run() const { return m_uid; }
    void showFiles(); // their tab, with the keyboard in it

private:
    struct Found {
        std::vector<store::ArtifactInfo> artifacts;
        std::vector<store::AttemptInfo> attempts;
        std::vector<std::pair<QString, QString>> dataHashes; // file, digest of what lies there now
    };
    QWidget* buildFacts();
    QWidget* buildDiff();
    void showFacts(const RunFacts& run);
    void showDiff(const RunFacts& run);
    void addFact(const QString& name, const QString& value, bool mono = false);

    Session& m_session;
    QString m_uid, m_stamp; // m_stamp: of what is shown
    QLabel* m_title = nullptr;
    QLabel* m_problem = nullptr;
    QTabWidget* m_tabs = nullptr;
    QWidget* m_facts = nullptr;
    QFormLayout* m_form = nullptr;
    QPlainTextEdit* m_recipe = nullptr;
    ConfigDiff* m_diff = nullptr;
    QLabel* m_diffTitle = nullptr;
    RunFiles* m_files = nullptr;
    QPushButton* m_copyCommandButton = nullptr;
    Found m_found;
};

} // namespace qw::ui
