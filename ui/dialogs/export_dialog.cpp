// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialogs/export_dialog.h"

#include "dialogs/dialogs.h"
#include "dialogs/export_formats.h"
#include "widgets/banner.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QStorageInfo>
#include <QTreeWidget>
#include <QVBoxLayout>

namespace qw::ui {

ExportDialog::ExportDialog(Session& session, const QString& run, QWidget* parent) : QDialog(parent), m_session(session) {
    setObjectName(QStringLiteral("exportDialog"));
    setWindowTitle(tr("Export checkpoint"));
    build();
    fillRuns(run);
    wire();
    describe();
}

ExportDialog::~ExportDialog() {
    if (m_command != 0) m_session.engine.cancelCommand(m_command);
}

void ExportDialog::build() {
    m_banner = new Banner(this);
    m_exportRun = new QComboBox(this);
    m_exportFormat = new QComboBox(this);
    m_exportVerdict = new QLabel(this);
    m_exportVerdict->setWordWrap(true);
    m_exportVerdict->setProperty("look", QStringLiteral("muted"));
    m_exportFolder = new QLineEdit(this);
    m_browse = new QPushButton(tr("Browse…"), this);
    m_overwrite = new QCheckBox(tr("Replace what the folder holds"), this);
    m_exportSize = new QLabel(this);
    m_progress = new QProgressBar(this);
    m_progress->setRange(0, 0);
    m_progress->setAccessibleName(tr("Export in work"));
    m_progressText = new QLabel(this);
    m_parityReport = new QTreeWidget(this);
    m_parityReport->setHeaderLabels({tr("Check"), tr("Result")});
    m_parityReport->setRootIsDecorated(false);
    m_parityReport->header()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_parityReport->setAccessibleName(tr("Parity sheet"));
    m_exportButton = new QPushButton(tr("Export"), this);
    m_exportButton->setProperty("look", QStringLiteral("primary"));
    m_exportButton->setDefault(true);
    m_cancelButton = new QPushButton(tr("Close"), this);
    const std::pair<QWidget*, const char*> names[] = {{m_exportRun, "exportRun"},         {m_exportFormat, "exportFormat"},
                                                      {m_exportVerdict, "exportVerdict"}, {m_exportFolder, "exportFolder"},
                                                      {m_overwrite, "exportOverwrite"},   {m_exportSize, "exportSize"},
                                                      {m_progress, "exportProgress"},     {m_parityReport, "parityReport"},
                                                      {m_exportButton, "exportButton"},   {m_cancelButton, "exportCancel"}};
    for (const auto& [widget, name] : names) widget->setObjectName(QString::fromLatin1(name));
    for (const ExportFormat& format : exportFormats()) m_exportFormat->addItem(format.title, format.name);

    auto* folder = new QHBoxLayout;
    folder->addWidget(m_exportFolder, 1);
    folder->addWidget(m_browse);
    auto* form = new QFormLayout;
    form->addRow(tr("&Run"), m_exportRun);
    form->addRow(tr("&Format"), m_exportFormat);
    form->addRow(QString(), m_exportVerdict);
    auto* folderLabel = new QLabel(tr("F&older"), this);
    folderLabel->setBuddy(m_exportFolder);
    form->addRow(folderLabel, folder);
    form->addRow(QString(), m_overwrite);
    form->addRow(tr("Size"), m_exportSize);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_progressText, 1);
    buttons->addWidget(m_exportButton);
    buttons->addWidget(m_cancelButton);
    auto* column = new QVBoxLayout(this);
    column->addWidget(m_banner);
    column->addLayout(form);
    column->addWidget(m_progress);
    column->addWidget(m_parityReport, 1);
    column->addLayout(buttons);
    m_progress->hide();
    m_parityReport->hide();
    resize(fontMetrics().averageCharWidth() * 96, sizeHint().height());
    setMinimumWidth(fontMetrics().averageCharWidth() * 72);
}

void ExportDialog::fillRuns(const QString& chosen) {
    const auto snapshot = m_session.project.snapshot();
    if (!snapshot) return;
    for (const RunFacts& run : snapshot->runs)
        if (run.info.trashedMs == 0 && (run.nativeBytes > 0 || run.modelBytes > 0))
            m_exportRun->addItem(text(run.info.identity.name), text(run.info.identity.uid));
    const int at = m_exportRun->findData(chosen);
    m_exportRun->setCurrentIndex(at >= 0 ? at : m_exportRun->count() - 1);
}

void ExportDialog::wire() {
    for (QComboBox* box : {m_exportRun, m_exportFormat}) connect(box, &QComboBox::currentIndexChanged, this, &ExportDialog::describe);
    connect(m_exportFolder, &QLineEdit::textChanged, this, &ExportDialog::describe);
    connect(m_overwrite, &QCheckBox::toggled, this, &ExportDialog::describe);
    connect(m_browse, &QPushButton::clicked, this, [this] {
        const QString dir = QFileDialog::getExistingDirectory(this, tr("Folder for the export"), m_exportFolder->text());
        if (!dir.isEmpty()) m_exportFolder->setText(dir);
    });
    connect(m_exportButton, &QPushButton::clicked, this, &ExportDialog::start);
    connect(m_cancelButton, &QPushButton::clicked, this, &QDialog::reject);
}

// Why the button is off, in one sentence; empty when everything is there.
QString ExportDialog::whyNot() const {
    if (m_command != 0) return tr("an export is in work");
    const auto snapshot = m_session.project.snapshot();
    const RunFacts* run = snapshot ? snapshot->run(m_exportRun->currentData().toString()) : nullptr;
    if (!run) return tr("no finished run with weights; train or quantize one first");
    const ExportFormat& format = exportFormats()[static_cast<size_t>(m_exportFormat->currentIndex())];
    const QString unsupported = format.whyNot(*run);
    if (!unsupported.isEmpty()) return unsupported;
    if (m_exportFolder->text().trimmed().isEmpty()) return tr("choose a folder");
    const QDir target(m_exportFolder->text());
    if (target.exists() && !target.isEmpty() && !m_overwrite->isChecked()) return tr("the folder is not empty");
    QDir parent = target;
    while (!parent.exists() && parent.cdUp()) {
    }
    const qint64 free = QStorageInfo(parent.absolutePath()).bytesAvailable(), need = format.bytes(*run);
    if (free >= 0 && free < need)
        return tr("only %1 are free, about %2 are needed").arg(QLocale().formattedDataSize(free), QLocale().formattedDataSize(need));
    return {};
}

void ExportDialog::describe() {
    const auto snapshot = m_session.project.snapshot();
    const RunFacts* run = snapshot ? snapshot->run(m_exportRun->currentData().toString()) : nullptr;
    const ExportFormat& format = exportFormats()[static_cast<size_t>(m_exportFormat->currentIndex())];
    m_exportVerdict->setText(format.about);
    m_exportSize->setText(run ? tr("about %1").arg(QLocale().formattedDataSize(format.bytes(*run))) : tr("–"));
    setDisabledReason(m_exportButton, whyNot());
    // Wrapped texts have just changed their height.
    layout()->activate();
    const int needed = layout()->hasHeightForWidth() ? layout()->totalHeightForWidth(width()) : sizeHint().height();
    if (height() < needed) resize(width(), needed);
}

void ExportDialog::start() {
    m_banner->dismiss();
    m_parityReport->hide();
    QStringList arguments{QStringLiteral("export"),    m_exportRun->currentData().toString(),
                          QStringLiteral("--format"),  m_exportFormat->currentData().toString(),
                          QStringLiteral("--out"),     m_exportFolder->text().trimmed(),
                          QStringLiteral("--project"), m_session.project.dir(),
                          QStringLiteral("--json")};
    if (m_overwrite->isChecked()) arguments << QStringLiteral("--overwrite");
    m_command = m_session.engine.command(
        arguments, this, [this](const QString& sentence) { m_progressText->setText(sentence); },
        [this](const Result<QByteArray>& reply) { showReply(reply); });
    m_progress->show();
    m_cancelButton->setText(tr("Cancel"));
    describe();
}

void ExportDialog::showReply(const Result<QByteArray>& reply) {
    m_command = 0;
    m_progress->hide();
    m_progressText->clear();
    m_cancelButton->setText(tr("Close"));
    if (reply)
        showSheet(*reply);
    else
        m_banner->show(Banner::Strength::Error, reply.error());
    describe();
}

// {"verified": bool, "checks": [{"name", "value", "ok"}], "dir"}; every line was measured by the tool after writing.
void ExportDialog::showSheet(const QByteArray& json) {
    const QJsonObject sheet = QJsonDocument::fromJson(json).object();
    const bool verified = sheet.value(QLatin1String("verified")).toBool();
    m_parityReport->clear();
    m_parityReport->setProperty("verified", verified);
    new QTreeWidgetItem(m_parityReport, {tr("State"), verified ? tr("✓ verified") : tr("✗ unverified")});
    const QJsonArray checks = sheet.value(QLatin1String("checks")).toArray();
    for (const QJsonValue& check : checks)
        new QTreeWidgetItem(m_parityReport, {check[QLatin1String("name")].toString(),
                                             (check[QLatin1String("ok")].toBool() ? QStringLiteral("✓ ") : QStringLiteral("✗ ")) +
                                                 check[QLatin1String("value")].toString()});
    new QTreeWidgetItem(m_parityReport, {tr("Folder"), sheet.value(QLatin1String("dir")).toString()});
    m_parityReport->show();
    resize(width(), std::max(height(), sizeHint().height() + fontMetrics().height() * 10));
}

void showExport(Session& session, const QString& run, QWidget* parent) {
    auto* dialog = new ExportDialog(session, run, parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

} // namespace qw::ui
