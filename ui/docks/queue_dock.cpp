// SPDX-License-Identifier: GPL-3.0-or-later
#include "docks/queue_dock.h"

#include "base/files.h"
#include "delegates/state_delegate.h"
#include "models/run_texts.h"
#include "theme/theme.h"
#include "widgets/activity_list.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>
#include <algorithm>

namespace qw::ui {
namespace {

constexpr int kShownAfterMs = 10'000; // shorter work stands in the status bar alone (ui.md 5, Progress)

StateLook look(int state) {
    const auto word = static_cast<RunWord>(state);
    const Token token = word == RunWord::Done          ? Token::Good
                        : word == RunWord::Failed      ? Token::Bad
                        : word == RunWord::Interrupted ? Token::Warning
                        : isActive(word)               ? Token::Accent
                                                       : Token::Muted;
    return {wordIcon(word), token};
}

} // namespace

QueueDock::QueueDock(Session& session, ActionRegistry& actions, QWidget* parent)
    : QDockWidget(tr("Queue"), parent), m_session(session), m_actions(actions) {
    setObjectName(QStringLiteral("dockQueue"));
    m_model = new QueueModel(this);
    registerActions();
    build();
    wire();
    refresh();
}

void QueueDock::registerActions() {
    const auto add = [this](const char* id, const QString& words, const char* icon, const QString& help, const std::function<void()>& run,
                            bool checkable = false) {
        m_actions.add({QString::fromLatin1(id), words, QString::fromLatin1(icon), help, {}, checkable}, this, run);
    };
    add(
        "queue.pause", tr("&Pause queue"), "pause", tr("The job in work goes on; no other one starts until the queue goes on"),
        [this] { setPaused(!paused()); }, true);
    add("queue.up", tr("Move study &up"), "up", tr("Start the jobs of the selected study earlier"), [this] { move(-1); });
    add("queue.down", tr("Move study &down"), "down", tr("Start the jobs of the selected study later"), [this] { move(1); });
    add("queue.retry", tr("&Retry failed"), "refresh", tr("Start again what failed or was left of the selected study"),
        [this] { retry(); });
    add("queue.remove", tr("Re&move from queue"), "remove", tr("Take the selected study off the queue; its results stay"),
        [this] { removeStudy(); });
}

void QueueDock::build() {
    auto* frame = new QWidget(this);
    auto* bar = new QHBoxLayout;
    m_state = new QLabel(frame);
    m_state->setObjectName(QStringLiteral("queueState"));
    m_state->setProperty("look", QStringLiteral("muted"));
    bar->addWidget(m_state, 1);
    for (const char* id : {"queue.pause", "queue.up", "queue.down", "queue.retry", "queue.remove"}) {
        QAction* action = m_actions.find(QString::fromLatin1(id));
        auto* button = new QToolButton(frame);
        button->setDefaultAction(action);
        button->setAutoRaise(true);
        button->setAccessibleName(action->text().remove(QLatin1Char('&')));
        button->setObjectName(QString::fromLatin1(id).replace(QLatin1Char('.'), QLatin1Char('_')));
        bar->addWidget(button);
    }
    m_tree = new QTreeView(frame);
    m_tree->setObjectName(QStringLiteral("queueTree"));
    m_tree->setAccessibleName(tr("Studies in the queue"));
    m_tree->setModel(m_model);
    m_tree->setItemDelegateForColumn(0, new StateDelegate(QueueModel::StateRole, look, m_tree));
    m_tree->setDragDropMode(QAbstractItemView::InternalMove);
    m_tree->setDropIndicatorShown(true);
    m_tree->setUniformRowHeights(true);
    m_tree->setAlternatingRowColors(true);
    m_tree->header()->setStretchLastSection(false);
    m_tree->header()->setSectionResizeMode(0, QHeaderView::Stretch); // names are the longer ones
    m_tree->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    m_tree->header()->setHighlightSections(false);

    auto* empty = new QWidget(frame);
    auto* emptyText = new QLabel(tr("Queue is empty"), empty);
    emptyText->setObjectName(QStringLiteral("emptyText"));
    emptyText->setProperty("look", QStringLiteral("muted"));
    emptyText->setAlignment(Qt::AlignCenter);
    auto* plan = new QPushButton(tr("Plan a study"), empty);
    plan->setObjectName(QStringLiteral("emptyAction"));
    plan->setToolTip(tr("Go to Train"));
    connect(plan, &QPushButton::clicked, this, [this] { m_session.goTo(PageId::Train); });
    auto* emptyColumn = new QVBoxLayout(empty);
    emptyColumn->addStretch(1);
    emptyColumn->addWidget(emptyText);
    emptyColumn->addWidget(plan, 0, Qt::AlignHCenter);
    emptyColumn->addStretch(2);

    m_stack = new QStackedWidget(frame);
    m_stack->addWidget(empty);
    m_stack->addWidget(m_tree);
    auto* column = new QVBoxLayout(frame);
    column->addLayout(bar);
    m_banner = new Banner(frame);
    column->addWidget(m_banner);
    auto* work = new ActivityList(m_session.activities, kShownAfterMs, 4, frame);
    work->setObjectName(QStringLiteral("queueProgress"));
    column->addWidget(work);
    column->addWidget(m_stack, 1);
    setWidget(frame);
}

void QueueDock::wire() {
    connect(&m_session.project, &Project::changed, this, &QueueDock::refresh);
    connect(&m_session.project, &Project::closed, this, &QueueDock::refresh);
    connect(m_model, &QueueModel::orderWanted, this, &QueueDock::setOrder);
    connect(m_tree->selectionModel(), &QItemSelectionModel::currentChanged, this, [this] {
        if (const QueueStudy* study = selected()) m_selected = study->uid;
        showActions();
    });
    connect(m_tree, &QTreeView::doubleClicked, this, [this](const QModelIndex& at) {
        const QString run = at.siblingAtColumn(0).data(QueueModel::UidRole).toString();
        if (!at.parent().isValid() || run.isEmpty()) return;
        m_session.showLive(run);
        m_session.goTo(PageId::Live);
    });
}

void QueueDock::showEvent(QShowEvent* event) {
    QDockWidget::showEvent(event);
    if (m_stale) refresh();
}

void QueueDock::refresh() {
    const SnapshotPtr snapshot = m_session.project.snapshot();
    m_stale = !isVisible() && snapshot; // a hidden dock does no work
    if (!snapshot) {
        showStudies({});
        return;
    }
    if (m_stale && !m_model->studies().empty()) return;
    using Look = std::pair<std::vector<QueueStudy>, uint64_t>;
    m_session.compute.request<Look>(
        QStringLiteral("queue"),
        [snapshot](const CancelFlag&) {
            return Look{queueOf(*snapshot), freeBytes(utf8(snapshot->project))};
        },
        this,
        [this](Look look) {
            showStudies(std::move(look.first));
            showDisk(look.second);
        });
}

void QueueDock::showDisk(uint64_t freeBytes) {
    const double least = m_session.settings.value(QStringLiteral("storage/lowSpaceGb")).toDouble() * 1e9;
    const bool work = std::ranges::any_of(m_model->studies(), &QueueStudy::driven);
    if (!work || freeBytes == 0 || static_cast<double>(freeBytes) >= least) {
        m_banner->dismiss();
        return;
    }
    if (m_banner->isVisible()) return;
    m_banner->show(Banner::Strength::Warning,
                   Error{"queue.disk_low",
                         utf8(tr("Only %1 are free where the project lies.").arg(sizeText(static_cast<double>(freeBytes)))),
                         utf8(tr("Pause the queue, then empty Trash or delete checkpoints in Runs.")), "", false},
                   {{tr("Pause queue"), [this] { setPaused(true); }, paused() ? tr("the queue is paused already") : QString()},
                    {tr("Show runs"), [this] { m_session.goTo(PageId::Runs); }, {}}});
}

void QueueDock::showStudies(std::vector<QueueStudy> studies) {
    QSignalBlocker quiet(m_tree->selectionModel());
    m_model->setStudies(std::move(studies), paused());
    const auto& list = m_model->studies();
    m_stack->setCurrentIndex(list.empty() ? 0 : 1);
    int running = 0, waiting = 0;
    for (size_t i = 0; i < list.size(); ++i) {
        const QModelIndex top = m_model->index(static_cast<int>(i), 0);
        if (list[i].isActive() || list[i].count(RunWord::Failed) > 0) m_tree->expand(top);
        if (list[i].uid == m_selected && !m_tree->currentIndex().isValid()) m_tree->setCurrentIndex(top);
        for (const QueueMember& member : list[i].members) {
            running += isActive(member.state);
            waiting += list[i].driven && member.state == RunWord::Queued;
        }
    }
    m_state->setText(list.empty() ? QString()
                     : paused()   ? tr("Paused · %1 running, %2 waiting").arg(running).arg(waiting)
                                  : tr("%1 running, %2 waiting").arg(running).arg(waiting));
    quiet.unblock();
    showActions();
}

const QueueStudy* QueueDock::selected() const {
    const QModelIndex at = m_tree->currentIndex();
    if (at.isValid()) return m_model->studyAt(at);
    return m_model->studies().size() == 1 ? &m_model->studies().front() : nullptr;
}

bool QueueDock::paused() const {
    const SnapshotPtr snapshot = m_session.project.snapshot();
    return snapshot && snapshot->flags.value(QStringLiteral("queue.paused")) == QLatin1String("1");
}

void QueueDock::showActions() {
    const SnapshotPtr snapshot = m_session.project.snapshot();
    const QueueStudy* study = selected();
    const QString readOnly = !snapshot            ? tr("no project is open")
                             : snapshot->readOnly ? tr("the project is open for reading only")
                                                  : QString();
    const QString none = study ? QString() : tr("no study is selected");
    const auto say = [this](const char* id, std::initializer_list<QString> reasons) {
        QString why;
        for (const QString& reason : reasons)
            if (why.isEmpty()) why = reason;
        ActionRegistry::setDisabledReason(m_actions.find(QString::fromLatin1(id)), why);
    };
    const auto& list = m_model->studies();
    const bool first = study && study == &list.front(), last = study && study == &list.back();
    say("queue.pause", {readOnly});
    say("queue.up", {readOnly, none, first ? tr("it is the first one") : QString()});
    say("queue.down", {readOnly, none, last ? tr("it is the last one") : QString()});
    say("queue.retry",
        {readOnly, none, study && study->driven ? tr("it is being worked on; failed members are left for later") : QString()});
    say("queue.remove", {readOnly, none, study && study->isActive() ? tr("a job of it is running; stop it first") : QString()});
    QAction* pause = m_actions.find(QStringLiteral("queue.pause"));
    pause->setChecked(paused());
    pause->setText(paused() ? tr("Continue queue") : tr("&Pause queue"));
    pause->setIcon(Theme::instance().icon(paused() ? QStringLiteral("resume") : QStringLiteral("pause")));
}

void QueueDock::setPaused(bool paused) {
    m_session.project.change([paused](store::Store& store) { return store.setFlag("queue.paused", paused ? "1" : ""); });
}

void QueueDock::setOrder(const QStringList& uids) {
    m_session.project.change(
        [order = utf8(uids.join(QLatin1Char(' ')))](store::Store& store) { return store.setFlag("queue.order", order); });
}

void QueueDock::move(int by) {
    const QueueStudy* study = selected();
    if (!study) return;
    const int row = static_cast<int>(study - m_model->studies().data());
    m_model->move(row, row + by);
}

void QueueDock::retry() {
    const QueueStudy* study = selected();
    if (!study) return;
    m_session.engine.continueStudy(m_session.project.dir(), study->dir, this, [this](const Result<QByteArray>& reply) {
        if (!reply) Q_EMIT m_session.notice(reply.error());
        m_session.project.refresh();
    });
}

// A supervisor that waits is told to end; what has results stays.
void QueueDock::removeStudy() {
    const QueueStudy* study = selected();
    if (!study) return;
    const std::string uid = utf8(study->uid);
    if (study->driven)
        m_session.engine.control(m_session.project.dir(), study->uid, Control::Stop, this, [this](const Result<QByteArray>& reply) {
            if (!reply) Q_EMIT m_session.notice(reply.error());
        });
    m_session.project.change([uid](store::Store& store) { return store.dequeue(uid); });
}

} // namespace qw::ui
