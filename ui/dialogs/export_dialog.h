// SPDX-License-Identifier: GPL-3.0-or-later
// What: writes a finished run's weights for other programs and shows the sheet that proves the folder (ui.md 5 Export).
// Limits: the work is `qatw export` in a process of its own; the formats are those of core/formats.
#pragma once

#include "client/session.h"

#include <QDialog>

class QComboBox;
class QLabel;
class QProgressBar;
class QPushButton;
class QTabWidget;

namespace qw::ui {

class Banner;
class ExportChoice;
class PastExports;

class ExportDialog : public QDialog {
    Q_OBJECT
public:
    ExportDialog(Session& session, const QString& run, QWidget* parent = nullptr); // objectName exportDialog
    ~ExportDialog() override;
    void reject() override; // an export in work is cancelled first

private:
    void build();
    void wire();
    void fillRuns(const QString& chosen);
    void showRun();
    void showState();
    void start();
    void prepare(int64_t step);
    void command(const QString& title, const QStringList& arguments, Reply done);
    void showFailure(const Error& error);
    void showProgress(const QString& sentence);
    void showReply(const Result<QByteArray>& reply);
    [[nodiscard]] QString run() const;

    Session& m_session;
    Banner* m_banner = nullptr;
    QComboBox* m_exportRun = nullptr;
    QTabWidget* m_exportTabs = nullptr;
    ExportChoice* m_choice = nullptr;
    PastExports* m_past = nullptr;
    QProgressBar* m_exportProgress = nullptr;
    QLabel* m_progressText = nullptr;
    QPushButton* m_exportButton = nullptr;
    QPushButton* m_exportCancel = nullptr;
    int m_command = 0; // running; 0: none
};

} // namespace qw::ui
