// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/runs/run_details.h"
#include "pages/runs/run_files.h"
#include "pages/runs/run_recipe.h"

#include "config/recipe_file.h"
#include "models/run_row.h"
#include "models/run_texts.h"
#include "study/keys.h"
#include "wire/run_folder.h"

#include <QCheckBox>
#include <QClipboard>
#include <QDateTime>
#include <QFileInfo>
#include <QFormLayout>
#include <QGuiApplication>
#include <QHeaderView>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QTabWidget>
#include <QTableView>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

QString timeText(int64_t ms) { return ms > 0 ? QLocale().toString(QDateTime::fromMSecsSinceEpoch(ms), QLocale::ShortFormat) : QString(); }

// The window's recipe as people read it: JSON with two blanks is YAML too.
QString readable(const std::string& json) {
    const auto document = QJsonDocument::fromJson(QByteArray::fromStdString(json));
    return QString::fromUtf8(document.toJson(QJsonDocument::Indented));
}

std::vector<std::pair<QString, QString>> hashesOf(const std::string& config) {
    std::vector<std::pair<QString, QString>> found;
    const auto recipe = config::parseRecipe(config, "config.resolved.json");
    if (!recipe) return found;
    for (const auto* sources : {&recipe->data.train, &recipe->data.eval})
        for (const auto& source : *sources) {
            const auto digest = study::fileFingerprint(source.path);
            found.emplace_back(text(source.path), digest ? text(*digest) : RunDetails::tr("the file is gone"));
        }
    return found;
}

} // namespace

RunDetails::RunDetails(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    setObjectName(QStringLiteral("runDetails"));
    m_title = new QLabel(this);
    m_title->setProperty("look", QStringLiteral("title"));
    m_title->setWordWrap(true);
    m_title->setTextFormat(Qt::PlainText);
    m_problem = new QLabel(this);
    m_problem->setProperty("look", QStringLiteral("error"));
    m_problem->setWordWrap(true);
    m_problem->setTextFormat(Qt::PlainText);
    m_recipe = new QPlainTextEdit(this);
    m_recipe->setObjectName(QStringLiteral("runRecipe"));
    m_recipe->setProperty("look", QStringLiteral("mono"));
    m_recipe->setReadOnly(true);
    m_recipe->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_recipe->setTabChangesFocus(true);
    m_recipe->setAccessibleName(tr("Recipe of the run"));
    m_recipe->setToolTip(tr("The recipe as the run resolved it"));
    m_tabs = new QTabWidget(this);
    m_tabs->setObjectName(QStringLiteral("runTabs"));
    m_tabs->setDocumentMode(true);
    m_tabs->addTab(buildFacts(), tr("Facts"));
    m_tabs->addTab(m_recipe, tr("Recipe"));
    m_tabs->addTab(buildDiff(), tr("Diff"));
    m_files = new RunFiles(m_session, m_tabs);
    m_tabs->addTab(m_files, tr("Files"));
    m_copyCommandButton = new QPushButton(tr("Copy reproduce command"), this);
    m_copyCommandButton->setObjectName(QStringLiteral("copyCommandButton"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(fontMetrics().averageCharWidth(), 0, 0, 0);
    column->addWidget(m_title);
    column->addWidget(m_problem);
    column->addWidget(m_tabs, 1);
    column->addWidget(m_copyCommandButton, 0, Qt::AlignLeft);
    connect(m_copyCommandButton, &QPushButton::clicked, this, [this] {
        const auto snapshot = m_session.project.snapshot();
        if (const RunFacts* run = snapshot ? snapshot->run(m_uid) : nullptr) QGuiApplication::clipboard()->setText(reproduceCommand(*run));
    });
    connect(m_files, &RunFiles::extended, this, [this](const QString& run) {
        m_session.showLive(run);
        m_session.goTo(PageId::Live);
    });
    showRun({});
}

QWidget* RunDetails::buildFacts() {
    auto* area = new QScrollArea(this);
    area->setObjectName(QStringLiteral("runFacts"));
    area->setWidgetResizable(true);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setFrameShape(QFrame::NoFrame);
    area->setAccessibleName(tr("Facts of the run"));
    m_facts = new QWidget(area);
    m_form = new QFormLayout(m_facts);
    m_form->setLabelAlignment(Qt::AlignLeft);
    m_form->setRowWrapPolicy(QFormLayout::DontWrapRows);
    area->setWidget(m_facts);
    return area;
}

QWidget* RunDetails::buildDiff() {
    auto* frame = new QWidget(this);
    m_diff = new ConfigDiff(this);
    m_diffTitle = new QLabel(frame);
    m_diffTitle->setProperty("look", QStringLiteral("muted"));
    m_diffTitle->setWordWrap(true);
    auto* table = new QTableView(frame);
    table->setObjectName(QStringLiteral("runDiff"));
    table->setAccessibleName(tr("Keys that differ from the baseline"));
    table->setModel(m_diff);
    table->setAlternatingRowColors(true);
    table->setShowGrid(false);
    table->setTabKeyNavigation(false);
    table->setWordWrap(false);
    table->verticalHeader()->hide();
    table->horizontalHeader()->setStretchLastSection(true);
    auto* all = new QCheckBox(tr("All keys"), frame);
    all->setToolTip(tr("Show the keys with equal values too"));
    auto* column = new QVBoxLayout(frame);
    column->addWidget(m_diffTitle);
    column->addWidget(table, 1);
    column->addWidget(all);
    connect(all, &QCheckBox::toggled, m_diff, &ConfigDiff::setAllShown);
    connect(m_diff, &QAbstractItemModel::modelReset, table, [table] { table->resizeColumnsToContents(); });
    return frame;
}

// Long values without a place to break (hashes, paths) scroll in a line of their own.
void RunDetails::addFact(const QString& name, const QString& value, bool mono) {
    if (value.isEmpty()) return;
    auto* key = new QLabel(name, m_facts);
    key->setProperty("look", QStringLiteral("muted"));
    if (!mono) {
        auto* label = new QLabel(value, m_facts);
        label->setTextFormat(Qt::PlainText);
        label->setWordWrap(true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        m_form->addRow(key, label);
        return;
    }
    auto* line = new QLineEdit(value, m_facts);
    line->setReadOnly(true);
    line->setFrame(false);
    line->setCursorPosition(0);
    line->setAccessibleName(name);
    line->setToolTip(value);
    line->setStyleSheet(QStringLiteral("QLineEdit { background: transparent; border: none; padding: 0; }"));
    line->setTextMargins(-2, 0, 0, 0); // a line edit keeps two pixels to its left
    m_form->addRow(key, line);
}

void RunDetails::showRun(const QString& uid) {
    m_uid = uid;
    m_stamp.clear();
    m_found = {};
    refresh();
}

void RunDetails::refresh() {
    const auto snapshot = m_session.project.snapshot();
    const RunFacts* run = snapshot ? snapshot->run(m_uid) : nullptr;
    m_tabs->setVisible(run);
    m_copyCommandButton->setVisible(run);
    m_problem->setVisible(run && run->info.error && run->info.state != records::RunState::Completed);
    if (!run) {
        m_title->setText(tr("Select a run to see its facts."));
        m_title->setProperty("look", QStringLiteral("muted"));
        m_title->setStyleSheet(QString()); // polishes anew
        return;
    }
    m_title->setProperty("look", QStringLiteral("title"));
    m_title->setStyleSheet(QString());
    const auto& info = run->info;
    const QString stamp = QStringLiteral("%1 %2 %3 %4 %5")
                              .arg(info.ingestSeq)
                              .arg(text(info.identity.name), m_session.baseline())
                              .arg(info.trashedMs)
                              .arg(static_cast<int>(info.state));
    m_files->showRun(m_uid); // what can be done depends on more than this run
    if (stamp == m_stamp) return;
    m_stamp = stamp;
    m_title->setText(text(info.identity.name));
    m_copyCommandButton->setToolTip(reproduceCommand(*run));
    if (info.error) m_problem->setText(text(info.error->message));
    showFacts(*run);
    showDiff(*run);
    const QString recipe = readable(info.config);
    if (m_recipe->toPlainText() != recipe) m_recipe->setPlainText(recipe);
    m_session.project.query<Found>(
        QStringLiteral("runDetails"),
        [uid = info.identity.uid, info](store::Store& store) -> Result<Found> {
            Found found;
            QW_TRY(found.artifacts, store.artifacts(uid));
            std::erase_if(found.artifacts, [&](const auto& file) { return file.kind != "export" && !store::isOnDisk(info, file); });
            QW_TRY(found.attempts, store.attempts(uid));
            found.dataHashes = hashesOf(info.config);
            return found;
        },
        this,
        [this, uid = m_uid](Result<Found> found) {
            if (!found || uid != m_uid) return;
            m_found = *found;
            m_files->showFiles(m_found.artifacts);
            const auto now = m_session.project.snapshot();
            if (const RunFacts* shown = now ? now->run(m_uid) : nullptr) showFacts(*shown);
        });
}

void RunDetails::showFacts(const RunFacts& run) {
    while (m_form->rowCount() > 0) m_form->removeRow(0);
    const auto& info = run.info;
    const auto& id = info.identity;
    const QLocale locale;
    addFact(tr("State"),
            wordText(runWord(info, false)) + (info.totalSteps > 0 ? tr(", step %1 of %2")
                                                                        .arg(locale.toString(static_cast<qlonglong>(info.step)),
                                                                             locale.toString(static_cast<qlonglong>(info.totalSteps)))
                                                                  : QString()));
    addFact(tr("Study"), text(id.studyName));
    addFact(tr("Row"), text(records::roleName(id.role)) + (id.scheme.empty() ? QString() : QStringLiteral(" · ") + text(id.scheme)));
    addFact(tr("Model"), text(id.modelPath), true);
    if (info.model) {
        addFact(tr("Parameters"), locale.toString(static_cast<qlonglong>(info.model->parameters)));
        addFact(tr("Model hash"), text(info.model->fingerprint), true);
    }
    addFact(tr("Seed"), QString::number(id.seed));
    for (const auto& [file, digest] : m_found.dataHashes) addFact(tr("Data %1").arg(QFileInfo(file).fileName()), digest, true);
    for (const auto& stored : run.results)
        if (stored.result.atStep < 0) addFact(tr("Task %1").arg(text(stored.result.task)), text(stored.result.taskDigest), true);
    addFact(tr("Recipe hash"), text(info.configHash), true);
    const QJsonObject env = QJsonDocument::fromJson(QByteArray::fromStdString(info.env)).object();
    const std::pair<const char*, QString> names[] = {{"device", tr("Device")},
                                                     {"host", tr("Host")},
                                                     {"threads", tr("Threads")},
                                                     {"libtorch", tr("LibTorch")},
                                                     {"build_id", tr("Engine build")}};
    for (const auto& [field, name] : names) addFact(name, env.value(QLatin1String(field)).toVariant().toString());
    addFact(tr("Bitwise repeatable"), info.bitwise ? tr("yes") : tr("no: a resume differed in build, threads or flags"));
    addFact(tr("Created"), timeText(id.createdMs));
    addFact(tr("Started"), timeText(info.startedMs));
    addFact(tr("Ended"), timeText(info.endedMs));
    for (const auto& attempt : m_found.attempts)
        addFact(tr("Start %1").arg(attempt.attempt), tr("%1, process %2, from step %3; %4")
                                                         .arg(text(attempt.host))
                                                         .arg(attempt.pid)
                                                         .arg(attempt.fromStep)
                                                         .arg(attempt.reason.empty() ? tr("running") : text(attempt.reason)));
    addFact(tr("Folder"), text(info.dir.string()), true);
}

void RunDetails::showFiles() {
    m_tabs->setCurrentWidget(m_files);
    m_files->focusFiles();
}

void RunDetails::showDiff(const RunFacts& run) {
    const auto snapshot = m_session.project.snapshot();
    const RunFacts* baseline = snapshot->run(m_session.baseline());
    if (!baseline || baseline == &run) {
        m_diffTitle->setText(baseline ? tr("This run is the baseline.")
                                      : tr("No baseline yet: B in the table makes the selected run one."));
        m_diff->setSides({});
        return;
    }
    m_diff->setSides({{tr("baseline"), flattenConfig(QByteArray::fromStdString(baseline->info.config))},
                      {tr("this run"), flattenConfig(QByteArray::fromStdString(run.info.config))}});
    m_diffTitle->setText(tr("Keys that differ from %1: %2").arg(text(baseline->info.identity.name)).arg(m_diff->differing()));
}

} // namespace qw::ui
