// SPDX-License-Identifier: GPL-3.0-or-later
#include "docks/log_dock.h"

#include "base/clock.h"
#include "pages/live/live_words.h"
#include "theme/theme.h"
#include "widgets/action_registry.h"

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QIntValidator>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QScrollBar>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

namespace qw::ui {

LogDock::LogDock(Session& session, QWidget* parent) : QDockWidget(tr("Log"), parent), m_session(session) {
    setObjectName(QStringLiteral("dockLog"));
    setProperty("area", QStringLiteral("bottom"));
    m_model.setLimit(session.settings.value(QStringLiteral("advanced/logLines")).toLongLong());
    auto* body = new QWidget(this);
    auto* column = new QVBoxLayout(body);
    const int gap = fontMetrics().height() / 4;
    column->setContentsMargins(gap, gap, gap, gap);
    column->setSpacing(gap);
    column->addWidget(buildBar());
    m_view = new QTableView(body);
    m_view->setObjectName(QStringLiteral("logView"));
    m_view->setAccessibleName(tr("Log"));
    m_view->setToolTip({});
    m_view->setModel(&m_model);
    m_view->setShowGrid(false);
    m_view->setWordWrap(false);
    m_view->setTabKeyNavigation(false);
    m_view->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_view->setVerticalScrollMode(QAbstractItemView::ScrollPerItem);
    m_view->verticalHeader()->hide();
    m_view->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_view->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + fontMetrics().height() / 4);
    m_view->horizontalHeader()->setStretchLastSection(true);
    m_view->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_view->horizontalHeader()->setHighlightSections(false);
    const int em = fontMetrics().averageCharWidth();
    for (const auto& [section, ems] : {std::pair{LogModel::Time, 11}, {LogModel::Level, 14}, {LogModel::Source, 9}, {LogModel::Step, 8}})
        m_view->setColumnWidth(section, em * ems);
    column->addWidget(m_view, 1);
    setWidget(body);
    wire();
    setTail(true);
    chooseRun();
}

QToolButton* LogDock::button(const char* name, const char* icon, const QString& help) {
    auto* made = new QToolButton(this);
    made->setObjectName(QLatin1String(name));
    made->setAutoRaise(true);
    made->setIcon(Theme::instance().icon(QLatin1String(icon)));
    connect(&Theme::instance(), &Theme::changed, made, [made, icon] { made->setIcon(Theme::instance().icon(QLatin1String(icon))); });
    made->setAccessibleName(help);
    made->setToolTip(help);
    return made;
}

QWidget* LogDock::buildBar() {
    auto* bar = new QWidget(this);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(0, 0, 0, 0);
    m_level = new QComboBox(bar);
    m_level->setObjectName(QStringLiteral("logLevel"));
    m_level->setAccessibleName(tr("Least level"));
    m_level->setToolTip(tr("Lines below this level are left out"));
    m_level->addItems({tr("all"), tr("no steps"), tr("warnings"), tr("errors")});
    m_find = new QLineEdit(bar);
    m_find->setObjectName(QStringLiteral("logFind"));
    m_find->setAccessibleName(tr("Find in the log"));
    m_find->setPlaceholderText(tr("find (regular expression)"));
    m_find->setToolTip(tr("Enter: next match, Shift+Enter: the one before"));
    m_find->setClearButtonEnabled(true);
    m_previous = button("logFindPrevious", "up", tr("Previous match"));
    m_next = button("logFindNext", "down", tr("Next match"));
    m_only = new QCheckBox(tr("only matches"), bar);
    m_only->setObjectName(QStringLiteral("logOnlyMatches"));
    m_only->setToolTip(tr("Leave out lines that do not match"));
    m_step = new QLineEdit(bar);
    m_step->setObjectName(QStringLiteral("logStep"));
    m_step->setAccessibleName(tr("Jump to step"));
    m_step->setPlaceholderText(tr("step"));
    m_step->setToolTip(tr("Enter: to the first line of this step"));
    m_step->setValidator(new QIntValidator(0, 1'000'000'000, m_step));
    m_step->setMaximumWidth(fontMetrics().averageCharWidth() * 10);
    m_tail = new QCheckBox(tr("follow"), bar);
    m_tail->setObjectName(QStringLiteral("logFollow"));
    m_tail->setToolTip(tr("Stay at the newest line; scrolling up ends it"));
    m_count = new QLabel(bar);
    m_count->setObjectName(QStringLiteral("logCount"));
    m_count->setProperty("look", QStringLiteral("muted"));
    m_copy = button("logCopy", "copy", tr("Copy the selected lines"));
    m_save = button("logSave", "save", tr("Save the visible lines to a file"));
    for (QWidget* widget :
         {static_cast<QWidget*>(m_level), static_cast<QWidget*>(m_find), static_cast<QWidget*>(m_previous), static_cast<QWidget*>(m_next),
          static_cast<QWidget*>(m_only), static_cast<QWidget*>(m_step), static_cast<QWidget*>(m_tail), static_cast<QWidget*>(m_count),
          static_cast<QWidget*>(m_copy), static_cast<QWidget*>(m_save)})
        row->addWidget(widget, widget == m_find ? 1 : 0);
    return bar;
}

void LogDock::wire() {
    connect(&m_deferrer, &RefreshDeferrer::visibleChanged, &m_follower, &LogFollower::setActive);
    connect(&m_session.project, &Project::changed, &m_deferrer, &RefreshDeferrer::request);
    connect(&m_session.project, &Project::closed, &m_deferrer, &RefreshDeferrer::request);
    connect(&m_session, &Session::liveRunChanged, &m_deferrer, &RefreshDeferrer::request);
    connect(&m_session, &Session::notice, this, [this](const Error& error) {
        say(LogLevel::Warning, text(error.message + (error.hint.empty() ? "" : "; " + error.hint) + " [" + error.code + "]"));
    });
    connect(&m_follower, &LogFollower::started, this, [this] { m_model.clear(LogSource::Engine); });
    connect(&m_follower, &LogFollower::rows, &m_model, &LogModel::append);
    for (auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
        connect(&m_model, signal, this, [this] {
            showCount();
            if (m_tail->isChecked()) m_view->scrollToBottom();
        });
    connect(&m_model, &QAbstractItemModel::modelReset, this, &LogDock::showCount);
    connect(m_level, &QComboBox::currentIndexChanged, this, [this](int index) { m_model.setLeastLevel(static_cast<LogLevel>(index)); });
    connect(m_find, &QLineEdit::returnPressed, this, [this] { find((QApplication::keyboardModifiers() & Qt::ShiftModifier) == 0); });
    const auto filter = [this] { m_model.setOnly(m_only->isChecked() ? pattern() : QRegularExpression()); };
    connect(m_find, &QLineEdit::textChanged, this, filter);
    connect(m_only, &QCheckBox::toggled, this, filter);
    connect(m_next, &QToolButton::clicked, this, [this] { find(true); });
    connect(m_previous, &QToolButton::clicked, this, [this] { find(false); });
    connect(m_step, &QLineEdit::returnPressed, this, [this] { jumpToStep(m_step->text().toLongLong()); });
    connect(m_tail, &QCheckBox::toggled, this, [this](bool on) {
        if (on) m_view->scrollToBottom();
    });
    connect(m_view->verticalScrollBar(), &QScrollBar::sliderMoved, this,
            [this](int value) { setTail(value >= m_view->verticalScrollBar()->maximum()); });
    connect(m_view->verticalScrollBar(), &QScrollBar::actionTriggered, this,
            [this](int) { setTail(m_view->verticalScrollBar()->sliderPosition() >= m_view->verticalScrollBar()->maximum()); });
    connect(m_copy, &QToolButton::clicked, this, [this] { QApplication::clipboard()->setText(selectedText()); });
    connect(m_save, &QToolButton::clicked, this, [this] {
        auto* dialog = new QFileDialog(this, tr("Save the log"), QString(), tr("Text (*.txt *.log);;All files (*)"));
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setAcceptMode(QFileDialog::AcceptSave);
        dialog->setDefaultSuffix(QStringLiteral("log"));
        connect(dialog, &QFileDialog::fileSelected, this, &LogDock::save);
        dialog->open();
    });
    m_findSlice.setInterval(0);
    connect(&m_findSlice, &QTimer::timeout, this, &LogDock::findOn);
    m_saveSlice.setInterval(0);
    connect(&m_saveSlice, &QTimer::timeout, this, &LogDock::saveOn);
}

void LogDock::setTail(bool on) {
    if (m_tail->isChecked() != on) m_tail->setChecked(on);
}

void LogDock::chooseRun() {
    const auto snapshot = m_session.project.snapshot();
    const QString uid = !snapshot ? QString() : m_session.liveRun().isEmpty() ? runToFollow(*snapshot) : m_session.liveRun();
    const RunFacts* run = snapshot ? snapshot->run(uid) : nullptr;
    m_follower.follow(run ? text(run->info.dir.string()) : QString());
}

void LogDock::say(LogLevel level, const QString& said) { m_model.append({{wallMs(), -1, level, LogSource::Window, utf8(said)}}); }

void LogDock::showCount() {
    const QLocale locale;
    const qlonglong shown = m_model.rowCount(), all = m_model.lineCount();
    m_count->setText(shown == all ? tr("%1 lines").arg(locale.toString(all))
                                  : tr("%1 of %2 lines").arg(locale.toString(shown), locale.toString(all)));
}

} // namespace qw::ui
