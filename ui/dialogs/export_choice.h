// SPDX-License-Identifier: GPL-3.0-or-later
// What: what to export as what into which folder: verdict of every format for the run, its notes, and why the export cannot start.
#pragma once

#include "client/session.h"
#include "models/export_models.h"

#include <QWidget>
#include <optional>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QTreeView;

namespace qw::ui {

class ExportChoice : public QWidget {
    Q_OBJECT
public:
    explicit ExportChoice(Session& session, QWidget* parent = nullptr);
    ~ExportChoice() override;

    void showRun(const QString& uid); // judges every format for it, off this thread
    void showWeights(int64_t step);   // of that run: what it ended with, or a checkpoint that folders were made of
    // Why the export cannot start, in one sentence; empty when it can.
    [[nodiscard]] QString whyNot() const;
    [[nodiscard]] bool isLooking() const;        // the reason passes by itself in a moment
    [[nodiscard]] QStringList arguments() const; // of `qatw export`
    [[nodiscard]] QString folder() const;
    void lookAgain(); // the folder's content has changed

Q_SIGNALS:
    void changed();                        // whyNot() may be another
    void checkpointChosen(long long step); // its folders may have to be made before it can be shown

private:
    void build();
    void wire();
    void judge();
    void fillCheckpoints(const ExportSources& sources);
    void judged(Result<std::vector<FormatVerdict>> verdicts);
    void describe();
    void suggestFolder();
    [[nodiscard]] int row() const;
    [[nodiscard]] QString whyNotFolder(const formats::Verdict& verdict) const;

    Session& m_session;
    QString m_run;
    int64_t m_step = drive::kEndOfRun;
    FormatsModel* m_model = nullptr;
    QTreeView* m_exportFormat = nullptr;
    QLabel* m_exportVerdict = nullptr;
    QCheckBox* m_exportLossy = nullptr;
    QLineEdit* m_exportFolder = nullptr;
    QPushButton* m_browse = nullptr;
    QCheckBox* m_exportOverwrite = nullptr;
    QLabel* m_exportSize = nullptr;
    QComboBox* m_exportCheckpoint = nullptr;
    std::optional<TargetFolder> m_target; // none: being looked at
    QString m_problem;                    // why nothing can be judged
    bool m_ownFolder = false;             // typed or chosen, so no longer suggested
    bool m_ownFormat = false;
};

} // namespace qw::ui
