// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/model/model_trouble.h"

#include <QAction>
#include <QDir>
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

constexpr int kRecent = 4; // models offered again: the page stays below the fold of no window

QLabel* words(QWidget* parent, const char* look, const QString& text = {}) {
    auto* label = new QLabel(text, parent);
    label->setProperty("look", QString::fromLatin1(look));
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    return label;
}

} // namespace

ModelTrouble::ModelTrouble(Session& session, ActionRegistry& actions, std::function<void()> choose)
    : m_session(session), m_actions(actions), m_choose(std::move(choose)) {
    setObjectName(QStringLiteral("modelTrouble"));
    build();
}

void ModelTrouble::build() {
    const int unit = fontMetrics().height();
    auto* card = new QFrame(this);
    card->setProperty("look", QStringLiteral("card"));
    m_heading = words(card, "heading");
    m_heading->setObjectName(QStringLiteral("troubleHeading"));
    m_folder = words(card, "muted");
    m_folder->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_folder->setFocusPolicy(Qt::NoFocus);
    auto* choose = new QPushButton(tr("Choose another folder…"), card);
    choose->setObjectName(QStringLiteral("troubleChoose"));
    choose->setProperty("look", QStringLiteral("primary"));
    choose->setToolTip(tr("A folder with config.json, tokenizer.json and *.safetensors"));
    connect(choose, &QPushButton::clicked, this, [this] { m_choose(); });
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(choose);
    buttons->addWidget(actionButton(QStringLiteral("file.sample"), tr("Try the sample"), "troubleSample"));
    buttons->addWidget(actionButton(QStringLiteral("help.guide"), tr("What a model folder needs"), "troubleGuide"));
    buttons->addStretch();
    m_recentHeading = words(card, "heading", tr("Models that were open before"));
    m_recent = new QVBoxLayout;
    m_recent->setSpacing(unit / 4);
    auto* inside = new QVBoxLayout(card);
    inside->setContentsMargins(unit, unit, unit, unit);
    inside->addWidget(m_heading);
    inside->addWidget(m_folder);
    inside->addWidget(
        words(card, "muted",
              tr("Nothing of it is shown, because every number would be in doubt. Mend what is named above and press Reload, or go "
                 "on with another model.")));
    inside->addSpacing(unit / 2);
    inside->addLayout(buttons);
    inside->addSpacing(unit / 2);
    inside->addWidget(m_recentHeading);
    inside->addLayout(m_recent);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(unit / 2, unit / 2, unit / 2, unit / 2);
    column->addWidget(card);
    column->addStretch();
}

// Actions of the window may be registered after the page, so they are looked up when pressed.
QPushButton* ModelTrouble::actionButton(const QString& action, const QString& text, const char* name) {
    auto* button = new QPushButton(text, this);
    button->setObjectName(QString::fromLatin1(name));
    connect(button, &QPushButton::clicked, this, [this, action] {
        if (QAction* found = m_actions.find(action)) found->trigger();
    });
    return button;
}

void ModelTrouble::show(const QString& folder) {
    m_heading->setText(tr("“%1” could not be opened").arg(QDir(folder).dirName()));
    m_folder->setText(QDir::toNativeSeparators(folder));
    listRecent(QDir::cleanPath(folder));
}

void ModelTrouble::listRecent(const QString& except) {
    while (QLayoutItem* item = m_recent->takeAt(0)) {
        if (item->widget()) item->widget()->deleteLater();
        delete item;
    }
    for (const RecentItem& recent : m_session.recent.items()) {
        if (recent.isProject || recent.path == except || m_recent->count() == kRecent) continue;
        auto* button = new QPushButton(tr("%1   %2").arg(recent.name(), QDir::toNativeSeparators(recent.path)), this);
        button->setObjectName(QStringLiteral("troubleRecent"));
        button->setToolTip(tr("Open %1").arg(recent.path));
        button->setProperty("look", QStringLiteral("row"));
        connect(button, &QPushButton::clicked, this, [this, path = recent.path] { m_session.openPath(path); });
        m_recent->addWidget(button);
    }
    m_recentHeading->setVisible(m_recent->count() > 0);
}

} // namespace qw::ui
