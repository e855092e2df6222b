// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialogs/export_dialog.h"

#include "dialogs/dialogs.h"
#include "dialogs/export_choice.h"
#include "dialogs/past_exports.h"
#include "models/run_texts.h"
#include "widgets/banner.h"

#include <QComboBox>
#include <QFormLayout>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QRegularExpression>
#include <QSignalBlocker>
#include <QTabWidget>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

constexpr int kSteps = 1000; // of the progress bar

// The first check of a sheet that failed, as "name: value".
QString failedCheck(const QJsonObject& sheet) {
    for (const QJsonValue& check : sheet.value(QLatin1String("checks")).toArray())
        if (!check[QLatin1String("ok")].toBool())
            return check[QLatin1String("name")].toString() + QStringLiteral(": ") + check[QLatin1String("value")].toString();
    return {};
}

} // namespace

ExportDialog::ExportDialog(Session& session, const QString& run, QWidget* parent) : QDialog(parent), m_session(session) {
    setObjectName(QStringLiteral("exportDialog"));
    setWindowTitle(tr("Export checkpoint"));
    build();
    fillRuns(run);
    wire();
    showRun();
}

ExportDialog::~ExportDialog() {
    if (m_command != 0) m_session.engine.cancelCommand(m_command);
}

void ExportDialog::build() {
    m_banner = new Banner(this);
    m_exportRun = new QComboBox(this);
    m_exportRun->setToolTip(tr("A run that has written weights"));
    m_exportRun->setPlaceholderText(tr("No run of this project has written weights yet"));
    m_exportRun->setAccessibleName(tr("Run"));
    m_choice = new ExportChoice(m_session, this);
    m_past = new PastExports(m_session, this);
    m_exportTabs = new QTabWidget(this);
    m_exportTabs->setDocumentMode(true);
    m_exportTabs->addTab(m_choice, tr("&Write"));
    m_exportTabs->addTab(m_past, tr("E&xports of this run"));
    m_exportProgress = new QProgressBar(this);
    m_exportProgress->setFormat(tr("%p %"));
    m_exportProgress->setAccessibleName(tr("Export in work"));
    m_progressText = new QLabel(this);
    m_progressText->setTextFormat(Qt::PlainText);
    m_progressText->setWordWrap(true);
    m_exportButton = new QPushButton(tr("&Export"), this);
    m_exportButton->setProperty("look", QStringLiteral("primary"));
    m_exportButton->setDefault(true);
    m_exportCancel = new QPushButton(tr("Close"), this);
    m_exportCancel->setAutoDefault(false);
    const std::pair<QWidget*, const char*> names[] = {{m_exportRun, "exportRun"},       {m_exportTabs, "exportTabs"},
                                                      {m_exportButton, "exportButton"}, {m_exportProgress, "exportProgress"},
                                                      {m_exportCancel, "exportCancel"}, {m_progressText, "exportProgressText"}};
    for (const auto& [widget, name] : names) widget->setObjectName(QString::fromLatin1(name));

    auto* form = new QFormLayout;
    form->addRow(tr("&Run"), m_exportRun);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_progressText, 1);
    buttons->addWidget(m_exportButton);
    buttons->addWidget(m_exportCancel);
    auto* column = new QVBoxLayout(this);
    column->addWidget(m_banner);
    column->addLayout(form);
    column->addWidget(m_exportTabs, 1);
    column->addWidget(m_exportProgress);
    column->addLayout(buttons);
    m_exportProgress->hide();
    const int letter = fontMetrics().averageCharWidth();
    resize(letter * 118, std::max(sizeHint().height(), fontMetrics().height() * 40));
    setMinimumWidth(letter * 80);
}

void ExportDialog::fillRuns(const QString& chosen) {
    const auto snapshot = m_session.project.snapshot();
    if (!snapshot) return;
    const QSignalBlocker quiet(m_exportRun);
    m_exportRun->clear();
    for (const RunFacts& run : snapshot->runs) {
        if (run.info.trashedMs > 0 || !run.hasWeights()) continue;
        const QString study = text(run.info.identity.studyName);
        m_exportRun->addItem(text(run.info.identity.name), text(run.info.identity.uid));
        m_exportRun->setItemData(m_exportRun->count() - 1, study.isEmpty() ? QVariant() : tr("of the study “%1”").arg(study),
                                 Qt::ToolTipRole);
    }
    const int at = m_exportRun->findData(chosen);
    m_exportRun->setCurrentIndex(at >= 0 ? at : m_exportRun->count() - 1);
}

void ExportDialog::wire() {
    connect(m_exportRun, &QComboBox::currentIndexChanged, this, &ExportDialog::showRun);
    connect(m_choice, &ExportChoice::checkpointChosen, this, &ExportDialog::prepare);
    connect(m_choice, &ExportChoice::changed, this, &ExportDialog::showState);
    connect(m_exportTabs, &QTabWidget::currentChanged, this, &ExportDialog::showState);
    connect(m_past, &PastExports::counted, this, [this] {
        const int count = m_past->count();
        m_exportTabs->setTabText(1, count > 0 ? tr("E&xports of this run (%1)").arg(count) : tr("E&xports of this run"));
    });
    connect(m_exportButton, &QPushButton::clicked, this, &ExportDialog::start);
    connect(m_exportCancel, &QPushButton::clicked, this, &ExportDialog::reject);
}

QString ExportDialog::run() const { return m_exportRun->currentData().toString(); }

void ExportDialog::showRun() {
    m_choice->showRun(run());
    m_past->showRun(run());
    showState();
}

void ExportDialog::showState() {
    m_exportRun->setEnabled(m_command == 0);
    m_choice->setEnabled(m_command == 0);
    m_exportButton->setVisible(m_exportTabs->currentWidget() == m_choice);
    const QString why = m_command != 0 ? tr("an export is in work") : m_choice->whyNot();
    setDisabledReason(m_exportButton, why);
    m_exportButton->setToolTip(why.isEmpty() ? tr("Write the folder, read it back and compare") : m_exportButton->toolTip());
    if (m_command == 0) // the reason in sight too: a disabled button is easily taken for a broken one
        m_progressText->setText(!m_exportButton->isVisibleTo(this) || why.isEmpty() ? QString()
                                : m_choice->isLooking()                             ? tr("One moment: %1").arg(why)
                                                                                    : tr("Cannot export: %1").arg(why));
    m_exportCancel->setText(m_command != 0 ? tr("Cancel") : tr("Close"));
}

void ExportDialog::command(const QString& title, const QStringList& arguments, Reply done) {
    m_banner->dismiss();
    m_command = m_session.command(
        title, QStringList(arguments) << QStringLiteral("--project") << m_session.project.dir() << QStringLiteral("--json"), this,
        [this](const QString& sentence) { showProgress(sentence); },
        [this, done = std::move(done)](const Result<QByteArray>& reply) {
            m_command = 0;
            m_exportProgress->hide();
            m_progressText->clear();
            done(reply);
            showState();
        });
    m_exportProgress->setRange(0, 0);
    m_exportProgress->show();
    m_progressText->setText(tr("Starting…"));
    showState();
}

void ExportDialog::start() {
    if (m_command == 0)
        command(tr("Exporting %1").arg(m_exportRun->currentText()), m_choice->arguments(),
                [this](const Result<QByteArray>& reply) { showReply(reply); });
}

// A checkpoint holds what training needs; formats start from folders, which the tool makes once.
void ExportDialog::prepare(int64_t step) {
    if (m_command != 0) return;
    const QStringList arguments{QStringLiteral("export"), run(), QStringLiteral("--check"), QStringLiteral("--step"),
                                QString::number(step)};
    command(tr("Reading step %1 of %2").arg(QLocale().toString(qlonglong(step)), m_exportRun->currentText()), arguments,
            [this, step](const Result<QByteArray>& reply) {
                if (!reply) showFailure(reply.error());
                m_session.project.refresh(); // reads what the run's log has by now, before it is asked for
                m_choice->showWeights(reply ? step : drive::kEndOfRun);
            });
}

// "export bytes 1048576/4194304 (25 %)", "convert folders …", "check folders …"; other sentences stand as they are.
void ExportDialog::showProgress(const QString& sentence) {
    static const QRegularExpression bytes(QStringLiteral("^export bytes (\\d+)/(\\d+)"));
    const auto match = bytes.match(sentence);
    const double done = match.captured(1).toDouble(), total = match.captured(2).toDouble();
    const bool known = match.hasMatch() && total > 0 && done < total;
    m_exportProgress->setRange(0, known ? kSteps : 0);
    if (known) m_exportProgress->setValue(static_cast<int>(kSteps * done / total));
    m_progressText->setText(known ? tr("%1 of %2 written").arg(sizeText(done), sizeText(total))
                            : match.hasMatch() || sentence.startsWith(QLatin1String("check ")) ? tr("Written; reading back and comparing…")
                            : sentence.startsWith(QLatin1String("convert ")) ? tr("Quantizing the weights of the checkpoint…")
                                                                             : sentence);
}

void ExportDialog::reject() {
    if (m_command != 0)
        m_session.engine.cancelCommand(m_command); // the answer comes at once
    else
        QDialog::reject();
}

void ExportDialog::showFailure(const Error& error) {
    if (error.code == "engine.cancelled")
        m_banner->show(Banner::Strength::Info, Error{error.code, utf8(tr("Cancelled. Nothing was written.")), "", "", true});
    else
        m_banner->show(Banner::Strength::Error, error);
}

void ExportDialog::showReply(const Result<QByteArray>& reply) {
    if (!reply) {
        showFailure(reply.error());
    } else {
        // {"verified", "checks": [{"name", "value", "ok"}], "dir", …}: every line was measured by the tool after writing.
        const QJsonObject sheet = QJsonDocument::fromJson(*reply).object();
        m_past->showSheet(sheet);
        m_past->showRun(run(), sheet.value(QLatin1String("dir")).toString());
        m_exportTabs->setCurrentWidget(m_past);
        if (!sheet.value(QLatin1String("verified")).toBool())
            m_banner->show(Banner::Strength::Warning,
                           Error{"export.unverified", utf8(tr("The folder was written but is UNVERIFIED: %1").arg(failedCheck(sheet))),
                                 utf8(tr("Do not ship it. The files are kept so that they can be looked at.")), "", false});
    }
    m_choice->lookAgain();
    m_session.project.refresh();
}

void showExport(Session& session, const QString& run, QWidget* parent) {
    auto* dialog = new ExportDialog(session, run, parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

} // namespace qw::ui
