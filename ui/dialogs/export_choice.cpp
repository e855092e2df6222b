// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialogs/export_choice.h"

#include "base/ids.h"
#include "models/run_texts.h"
#include "widgets/action_registry.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStyledItemDelegate>
#include <QTreeView>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

using formats::Fidelity;
constexpr const char* kJudge = "exportVerdicts";
constexpr const char* kTarget = "exportTarget";

// Rows stand apart, icons or none; in a list that waits for an export all words are as faint as the list.
class FormatLine final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const QSize size = QStyledItemDelegate::sizeHint(option, index);
        return {size.width(), std::max(size.height(), option.fontMetrics.height() * 4 / 3)};
    }

protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
        QStyledItemDelegate::initStyleOption(option, index);
        if (option->widget && !option->widget->isEnabled()) option->palette = option->widget->palette();
    }
};

QString fidelityHelp(const formats::Verdict& v) {
    const QLocale locale;
    if (v.fidelity != Fidelity::NearExact || v.inexact == 0) return {};
    return QStringLiteral(" (") +
           ExportChoice::tr("%1 of %2 scales")
               .arg(locale.toString(static_cast<qlonglong>(v.inexact)), locale.toString(static_cast<qlonglong>(v.groups))) +
           QLatin1Char(')');
}

} // namespace

ExportChoice::ExportChoice(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    build();
    wire();
}

ExportChoice::~ExportChoice() {
    for (const char* tag : {kJudge, kTarget}) m_session.compute.cancel(QLatin1String(tag));
}

void ExportChoice::build() {
    m_model = new FormatsModel(this);
    m_exportFormat = new QTreeView(this);
    m_exportFormat->setModel(m_model);
    m_exportFormat->setItemDelegate(new FormatLine(m_exportFormat));
    m_exportFormat->setRootIsDecorated(false);
    m_exportFormat->setUniformRowHeights(true);
    m_exportFormat->setAlternatingRowColors(true);
    m_exportFormat->setTabKeyNavigation(false);
    m_exportFormat->setAllColumnsShowFocus(true);
    m_exportFormat->setTextElideMode(Qt::ElideRight);
    m_exportFormat->setAccessibleName(tr("Format"));
    m_exportFormat->setMinimumHeight(fontMetrics().height() * 9);
    for (int column = 0; column < FormatsModel::RunsOn; ++column)
        m_exportFormat->header()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
    m_exportVerdict = new QLabel(this);
    m_exportVerdict->setWordWrap(true);
    m_exportVerdict->setTextFormat(Qt::PlainText);
    m_exportVerdict->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_exportVerdict->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    m_exportVerdict->setMinimumHeight(fontMetrics().lineSpacing() * 5);
    m_exportLossy = new QCheckBox(tr("Write it although values are &lost"), this);
    m_exportLossy->setToolTip(tr("The numbers a reader computes are then not those that were trained"));
    m_exportFolder = new QLineEdit(this);
    m_exportFolder->setToolTip(tr("Folder to write: a new or an empty one"));
    m_exportFolder->setAccessibleName(tr("Folder"));
    m_browse = new QPushButton(tr("&Browse…"), this);
    m_browse->setToolTip(tr("Choose the folder"));
    m_exportOverwrite = new QCheckBox(tr("Re&place the export that the folder holds"), this);
    m_exportOverwrite->setToolTip(tr("Only an earlier export is ever replaced, and only once the new one is complete"));
    m_exportSize = new QLabel(this);
    m_exportSize->setTextFormat(Qt::PlainText);
    m_exportCheckpoint = new QComboBox(this);
    m_exportCheckpoint->setAccessibleName(tr("Checkpoint"));
    m_exportCheckpoint->setToolTip(tr("The weights that the run ended with, or those of one of its checkpoints"));
    const std::pair<QWidget*, const char*> names[] = {
        {m_exportFormat, "exportFormat"}, {m_exportVerdict, "exportVerdict"},      {m_exportLossy, "exportLossy"},
        {m_exportFolder, "exportFolder"}, {m_exportOverwrite, "exportOverwrite"},  {m_exportSize, "exportSize"},
        {m_browse, "exportBrowse"},       {m_exportCheckpoint, "exportCheckpoint"}};
    for (const auto& [widget, name] : names) widget->setObjectName(QString::fromLatin1(name));

    auto* folder = new QHBoxLayout;
    folder->addWidget(m_exportFolder, 1);
    folder->addWidget(m_browse);
    auto* form = new QFormLayout;
    auto* folderLabel = new QLabel(tr("F&older"), this);
    folderLabel->setBuddy(m_exportFolder);
    form->addRow(folderLabel, folder);
    form->addRow(QString(), m_exportOverwrite);
    form->addRow(tr("Size"), m_exportSize);
    auto* source = new QFormLayout;
    source->addRow(tr("&Checkpoint"), m_exportCheckpoint);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, column->spacing(), 0, 0);
    column->addLayout(source);
    column->addWidget(m_exportFormat, 1);
    column->addWidget(m_exportVerdict);
    column->addWidget(m_exportLossy);
    column->addLayout(form);
}

void ExportChoice::wire() {
    connect(m_exportFormat->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this] {
        suggestFolder();
        describe();
    });
    connect(m_exportFormat, &QTreeView::clicked, this, [this] { m_ownFormat = true; });
    connect(m_exportFolder, &QLineEdit::textEdited, this, [this] { m_ownFolder = true; });
    connect(m_exportFolder, &QLineEdit::textChanged, this, &ExportChoice::lookAgain);
    connect(m_exportCheckpoint, &QComboBox::currentIndexChanged, this, [this] {
        const int64_t step = m_exportCheckpoint->currentData().toLongLong();
        if (step == drive::kEndOfRun) return showWeights(step);
        m_model->forget();
        describe();
        Q_EMIT checkpointChosen(step);
    });
    for (QCheckBox* box : {m_exportLossy, m_exportOverwrite}) connect(box, &QCheckBox::toggled, this, &ExportChoice::changed);
    connect(m_browse, &QPushButton::clicked, this, [this] {
        const QString dir = QFileDialog::getExistingDirectory(this, tr("Folder for the export"), folder());
        if (dir.isEmpty()) return;
        m_ownFolder = true;
        m_exportFolder->setText(dir);
    });
}

int ExportChoice::row() const { return m_exportFormat->currentIndex().row(); }
QString ExportChoice::folder() const { return m_exportFolder->text().trimmed(); }

void ExportChoice::showRun(const QString& uid) {
    m_run = uid;
    const QSignalBlocker quiet(m_exportCheckpoint);
    m_exportCheckpoint->clear();
    if (row() < 0) m_exportFormat->setCurrentIndex(m_model->index(0, 0));
    showWeights(drive::kEndOfRun);
}

void ExportChoice::showWeights(int64_t step) {
    m_step = step;
    m_problem.clear();
    m_model->forget(!m_run.isEmpty());
    suggestFolder();
    describe();
    if (!m_run.isEmpty()) judge();
}

void ExportChoice::judge() {
    using Verdicts = Result<std::vector<FormatVerdict>>;
    const auto judge = [this, step = m_step](Result<ExportSources> sources) {
        if (!sources) return judged(sources.error());
        fillCheckpoints(*sources);
        m_session.compute.request<Verdicts>(
            QLatin1String(kJudge),
            [sources = *std::move(sources), step](const CancelFlag& cancelled) -> Verdicts {
                return judgeFormats(sources, step, cancelled);
            },
            this, [this](Verdicts verdicts) { judged(std::move(verdicts)); });
    };
    m_session.compute.cancel(QLatin1String(kJudge));
    m_session.project.query<ExportSources>(
        QStringLiteral("exportSources"), [uid = m_run](store::Store& store) { return exportSources(store, uid); }, this, judge);
}

void ExportChoice::fillCheckpoints(const ExportSources& sources) {
    const QSignalBlocker quiet(m_exportCheckpoint);
    m_exportCheckpoint->clear();
    for (const ExportWeights& weights : exportWeights(sources)) m_exportCheckpoint->addItem(weights.text, qlonglong(weights.step));
    m_exportCheckpoint->setCurrentIndex(m_exportCheckpoint->findData(qlonglong(m_step)));
}

void ExportChoice::judged(Result<std::vector<FormatVerdict>> verdicts) {
    if (verdicts)
        m_model->setVerdicts(*std::move(verdicts));
    else
        m_problem = text(verdicts.error().message);
    // What was chosen by hand stays, also where this run cannot be written so: the reason is shown.
    if (verdicts && !m_ownFormat) m_exportFormat->setCurrentIndex(m_model->index(m_model->best(), 0));
    suggestFolder();
    describe();
}

void ExportChoice::suggestFolder() {
    const auto snapshot = m_session.project.snapshot();
    const RunFacts* run = snapshot ? snapshot->run(m_run) : nullptr;
    const formats::Format* format = m_model->format(row());
    if (m_ownFolder || !run || !format) return;
    const auto& id = run->info.identity;
    const QString step = m_step == drive::kEndOfRun ? QString() : QStringLiteral("-step-%1").arg(m_step);
    const QString name = text(slug(id.name)) + step + QLatin1Char('-') + QLatin1String(format->name);
    const QString study = id.studyName.empty() ? QString() : text(slug(id.studyName)) + QLatin1Char('/');
    m_exportFolder->setText(m_session.project.dir() + QStringLiteral("/exports/") + study + name);
}

void ExportChoice::lookAgain() {
    m_target.reset();
    if (!folder().isEmpty())
        m_session.compute.request<TargetFolder>(
            QLatin1String(kTarget), [path = folder()](const CancelFlag&) { return lookAtTarget(path); }, this,
            [this](const TargetFolder& target) {
                m_target = target;
                describe();
            });
    describe();
}

QString ExportChoice::whyNotFolder(const formats::Verdict& verdict) const {
    if (folder().isEmpty()) return tr("choose a folder");
    if (!m_target) return tr("the folder is being looked at");
    if (!m_target->problem.isEmpty()) return m_target->problem;
    if (!m_target->isEmpty && !m_target->isExport) return tr("the folder holds other files; choose a new or an empty one");
    if (!m_target->isEmpty && !m_exportOverwrite->isChecked())
        return tr("the folder holds an earlier export; tick the box to replace it, or choose another");
    if (m_target->freeBytes > 0 && m_target->freeBytes < verdict.bytes)
        return tr("only %1 are free there, about %2 are needed")
            .arg(sizeText(static_cast<double>(m_target->freeBytes)), sizeText(static_cast<double>(verdict.bytes)));
    return {};
}

bool ExportChoice::isLooking() const {
    if (m_run.isEmpty() || !m_problem.isEmpty() || row() < 0) return false;
    const formats::Verdict* verdict = m_model->verdict(row());
    if (verdict && verdict->fidelity == Fidelity::Lossy && !m_exportLossy->isChecked()) return false;
    return !verdict || (verdict->fidelity != Fidelity::Unsupported && !folder().isEmpty() && !m_target);
}

QString ExportChoice::whyNot() const {
    if (m_run.isEmpty()) return tr("no finished run with weights; train or quantize one first");
    if (!m_problem.isEmpty()) return m_problem;
    const formats::Verdict* verdict = m_model->verdict(row());
    if (row() < 0) return tr("choose a format");
    if (!verdict) return tr("the formats are being judged for this run");
    if (verdict->fidelity == Fidelity::Unsupported) return text(verdict->why);
    if (verdict->fidelity == Fidelity::Lossy && !m_exportLossy->isChecked())
        return tr("values would be lost; tick the box to write it all the same");
    return whyNotFolder(*verdict);
}

void ExportChoice::describe() {
    const formats::Format* format = m_model->format(row());
    const formats::Verdict* verdict = m_model->verdict(row());
    QStringList lines;
    if (format) lines << text(format->about);
    if (verdict) {
        lines << fidelityText(verdict->fidelity) + fidelityHelp(*verdict) + QStringLiteral(": ") + text(verdict->why);
        if (!verdict->runsOn.empty()) lines << tr("Runs on: %1").arg(text(verdict->runsOn));
        for (const auto& note : verdict->notes) lines << tr("Note: %1").arg(text(note));
    }
    m_exportVerdict->setText(lines.join(QLatin1Char('\n')));
    const bool lossy = verdict && verdict->fidelity == Fidelity::Lossy;
    m_exportLossy->setVisible(lossy);
    if (!lossy) m_exportLossy->setChecked(false);
    const bool replaces = m_target && !m_target->isEmpty && m_target->isExport;
    setDisabledReason(m_exportOverwrite, replaces ? QString() : tr("the folder holds no earlier export"));
    QString size = QStringLiteral("–");
    if (verdict && verdict->fidelity != Fidelity::Unsupported) {
        size = tr("about %1").arg(sizeText(static_cast<double>(verdict->bytes)));
        if (m_target && m_target->freeBytes > 0) size += tr(", %1 free").arg(sizeText(static_cast<double>(m_target->freeBytes)));
    }
    m_exportSize->setText(size);
    Q_EMIT changed();
}

QStringList ExportChoice::arguments() const {
    const formats::Format* format = m_model->format(row());
    QStringList out{QStringLiteral("export"), m_run,   QStringLiteral("--format"), format ? QLatin1String(format->name) : QString(),
                    QStringLiteral("--out"),  folder()};
    if (m_step != drive::kEndOfRun) out << QStringLiteral("--step") << QString::number(m_step);
    const bool replaces = m_exportOverwrite->isEnabled() && m_exportOverwrite->isChecked();
    if (replaces) out << QStringLiteral("--overwrite");
    if (m_exportLossy->isChecked()) out << QStringLiteral("--lossy");
    return out;
}

} // namespace qw::ui
