// SPDX-License-Identifier: GPL-3.0-or-later
// What: writes a finished run's weights for other programs and shows the sheet that proves the file (ui.md 5 Export).
// Limits: the work is `qatw export` in a process of its own; formats come from kExportFormats, later ones are one line each.
#pragma once

#include "client/session.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QTreeWidget;

namespace qw::ui {

class Banner;

class ExportDialog : public QDialog {
    Q_OBJECT
public:
    ExportDialog(Session& session, const QString& run, QWidget* parent = nullptr); // objectName exportDialog
    ~ExportDialog() override;

private:
    void build();
    void wire();
    void fillRuns(const QString& chosen);
    void describe();
    void start();
    void showReply(const Result<QByteArray>& reply);
    void showSheet(const QByteArray& json);
    [[nodiscard]] QString whyNot() const;

    Session& m_session;
    QComboBox* m_exportRun = nullptr;
    QComboBox* m_exportFormat = nullptr;
    QLabel* m_exportVerdict = nullptr;
    QLineEdit* m_exportFolder = nullptr;
    QPushButton* m_browse = nullptr;
    QCheckBox* m_overwrite = nullptr;
    QLabel* m_exportSize = nullptr;
    QProgressBar* m_progress = nullptr;
    QLabel* m_progressText = nullptr;
    QTreeWidget* m_parityReport = nullptr;
    Banner* m_banner = nullptr;
    QPushButton* m_exportButton = nullptr;
    QPushButton* m_cancelButton = nullptr;
    int m_command = 0; // running; 0: none
};

} // namespace qw::ui
