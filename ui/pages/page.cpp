// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/page.h"

#include <QAction>
#include <QGraphicsOpacityEffect>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QStackedWidget>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

constexpr const char* kStateNames[] = {"empty", "loading", "ready", "error"};

QWidget* centred(QWidget* parent, const std::vector<QWidget*>& widgets) {
    auto* frame = new QWidget(parent);
    auto* column = new QVBoxLayout(frame);
    column->addStretch();
    for (QWidget* widget : widgets) {
        widget->setParent(frame);
        column->addWidget(widget, 0, Qt::AlignHCenter);
    }
    column->addStretch();
    return frame;
}

} // namespace

Page::Page(PageId id, const QString& name, const QString& title, const QString& icon, Session& session, ActionRegistry& actions)
    : m_id(id), m_title(title), m_icon(icon), m_session(session), m_actions(actions) {
    setObjectName(name);
    setAccessibleName(title);
    m_banner = new Banner(this);
    m_stack = new QStackedWidget(this);

    m_emptyText = new QLabel;
    m_emptyText->setObjectName(QStringLiteral("emptyText"));
    m_emptyText->setProperty("look", QStringLiteral("muted"));
    m_emptyText->setAlignment(Qt::AlignCenter);
    m_emptyAction = new QPushButton;
    m_emptyAction->setObjectName(QStringLiteral("emptyAction"));
    m_emptyAction->setProperty("look", QStringLiteral("primary"));
    connect(m_emptyAction, &QPushButton::clicked, this, [this] {
        if (m_emptyRun) m_emptyRun();
    });
    m_emptySecond = new QPushButton;
    m_emptySecond->setObjectName(QStringLiteral("emptySecond"));
    m_emptySecond->hide();
    connect(m_emptySecond, &QPushButton::clicked, this, [this] {
        if (m_emptySecondRun) m_emptySecondRun();
    });
    m_empty = centred(m_stack, {m_emptyText, m_emptyAction, m_emptySecond});

    m_loadingText = new QLabel;
    m_loadingText->setProperty("look", QStringLiteral("muted"));
    auto* busy = new QProgressBar;
    busy->setRange(0, 0);
    busy->setTextVisible(false);
    busy->setAccessibleName(tr("Loading"));
    m_loading = centred(m_stack, {m_loadingText, busy});

    auto* nothing = new QLabel(tr("There is nothing to show here until that is solved."));
    nothing->setProperty("look", QStringLiteral("muted"));
    auto* guide = new QPushButton(tr("Guide to this page"));
    guide->setToolTip(tr("What this page is for and how to use it"));
    connect(guide, &QPushButton::clicked, this, [this] {
        if (QAction* help = m_actions.find(QStringLiteral("help.guide"))) help->trigger();
    });
    m_trouble = centred(m_stack, {nothing, guide});
    m_content = new QWidget(m_stack);
    for (QWidget* widget : {m_empty, m_loading, m_trouble, m_content}) m_stack->addWidget(widget);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    auto* message = new QVBoxLayout; // takes no room while the banner is hidden
    const int gap = fontMetrics().height() / 2;
    message->setContentsMargins(gap, gap, gap, 0);
    message->addWidget(m_banner);
    column->addLayout(message);
    column->addWidget(m_stack, 1);
    setProperty("viewState", QString::fromLatin1(kStateNames[0]));
}

QString Page::guideTopic() const { return objectName().mid(4).toLower(); }

void Page::setEmpty(const QString& text, const QString& button, std::function<void()> run) {
    m_emptyText->setText(text);
    m_emptyAction->setText(button);
    m_emptyAction->setVisible(!button.isEmpty());
    m_emptyRun = std::move(run);
}

void Page::setEmptySecond(const QString& button, std::function<void()> run) {
    m_emptySecond->setText(button);
    m_emptySecond->setVisible(!button.isEmpty());
    m_emptySecondRun = std::move(run);
}

void Page::setViewState(ViewState state, const QString& loadingText) {
    m_loadingText->setText(loadingText);
    QWidget* shown[] = {m_empty, m_loading, m_content, m_trouble};
    m_stack->setCurrentWidget(shown[static_cast<size_t>(state)]);
    if (state != ViewState::Error) m_banner->dismiss();
    if (state == m_state) return;
    m_state = state;
    setProperty("viewState", QString::fromLatin1(kStateNames[static_cast<size_t>(state)]));
    Q_EMIT viewStateChanged();
}

void Page::setStale(bool stale) {
    setProperty("stale", stale);
    if (!stale) {
        m_content->setGraphicsEffect(nullptr);
        return;
    }
    if (m_content->graphicsEffect()) return;
    auto* dim = new QGraphicsOpacityEffect(m_content);
    dim->setOpacity(0.55);
    m_content->setGraphicsEffect(dim);
}

void Page::setErrorContent(QWidget* widget) {
    m_stack->addWidget(widget);
    m_trouble = widget;
}

void Page::fail(const Error& error, const std::vector<WayOut>& ways, bool keepContent) {
    setViewState(ViewState::Error);
    if (keepContent) m_stack->setCurrentWidget(m_content);
    m_banner->show(Banner::Strength::Error, error, ways);
}

void Page::setBadge(const QString& text) {
    if (text == m_badge) return;
    m_badge = text;
    Q_EMIT badgeChanged();
}

} // namespace qw::ui
