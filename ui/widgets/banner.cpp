// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/banner.h"

#include "theme/theme.h"
#include "widgets/action_registry.h"

#include <QApplication>
#include <QClipboard>
#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QStyle>
#include <QToolButton>
#include <algorithm>

namespace qw::ui {
namespace {

// Hints of the core are clauses, for terminals; here they stand alone. Paths, keys and commands keep their first letter.
QString capital(QString words) {
    if (words.isEmpty()) return words;
    const QString first = words.section(QLatin1Char(' '), 0, 0);
    const bool word = std::ranges::all_of(first, [](QChar c) { return c.isLower() || c == QLatin1Char(',') || c == QLatin1Char(':'); });
    if (word && first != QLatin1String("qatw")) words[0] = words[0].toUpper();
    return words;
}

QString sentence(const QString& clause) {
    QString words = capital(clause);
    if (words.isEmpty()) return words;
    if (words.back().isLetterOrNumber() || words.back() == QLatin1Char(')')) words += QLatin1Char('.');
    return words;
}

} // namespace

Banner::Banner(QWidget* parent) : QFrame(parent) {
    setObjectName(QStringLiteral("bannerError"));
    m_icon = new QLabel(this);
    m_message = new QLabel(this);
    m_message->setProperty("look", QStringLiteral("heading"));
    m_hint = new QLabel(this);
    m_detail = new QLabel(this);
    m_detail->setProperty("look", QStringLiteral("mono"));
    for (QLabel* label : {m_message, m_hint, m_detail}) {
        label->setWordWrap(true);
        label->setTextFormat(Qt::PlainText);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        label->setFocusPolicy(Qt::NoFocus);
    }
    m_close = new QToolButton(this);
    m_close->setObjectName(QStringLiteral("bannerClose"));
    m_close->setText(QStringLiteral("×"));
    m_close->setAutoRaise(true);
    m_close->setAccessibleName(tr("Dismiss message"));
    m_close->setToolTip(tr("Dismiss message"));
    connect(m_close, &QToolButton::clicked, this, &Banner::dismiss);
    m_buttons = new QHBoxLayout;
    m_buttons->addStretch();
    auto* grid = new QGridLayout(this);
    grid->addWidget(m_icon, 0, 0, Qt::AlignTop);
    grid->addWidget(m_message, 0, 1);
    grid->addWidget(m_close, 0, 2, Qt::AlignTop);
    grid->addWidget(m_hint, 1, 1);
    grid->addWidget(m_detail, 2, 1);
    grid->addLayout(m_buttons, 3, 1);
    grid->setColumnStretch(1, 1);
    hide();
}

void Banner::show(Strength strength, const Error& error, const std::vector<WayOut>& ways) {
    const auto utf = [](const std::string& s) { return QString::fromStdString(s); };
    static constexpr const char* words[] = {"error", "warning", "info"};
    static constexpr Token tokens[] = {Token::Bad, Token::Warning, Token::Info};
    const auto index = static_cast<size_t>(strength);
    setProperty("code", utf(error.code));
    setProperty("banner", QString::fromLatin1(words[index]));
    setObjectName(strength == Strength::Error ? QStringLiteral("bannerError") : QStringLiteral("banner"));
    style()->unpolish(this);
    style()->polish(this);
    const int side = fontMetrics().height();
    m_icon->setPixmap(Theme::instance().icon(QString::fromLatin1(words[index]), tokens[index]).pixmap(side, side));
    m_message->setText(capital(utf(error.message)));
    m_hint->setText(sentence(utf(error.hint)));
    m_hint->setVisible(!error.hint.empty());
    m_detail->setText(utf(error.detail));
    m_detail->hide();
    setAccessibleName(utf(error.message));
    setAccessibleDescription(utf(error.hint));
    while (m_buttons->count() > 1) {
        QLayoutItem* item = m_buttons->takeAt(1);
        if (item->widget()) item->widget()->deleteLater();
        delete item;
    }
    const auto button = [this](const QString& text) {
        auto* made = new QPushButton(text, this);
        m_buttons->addWidget(made);
        return made;
    };
    for (const WayOut& way : ways) {
        QPushButton* made = button(way.text);
        connect(made, &QPushButton::clicked, this, [run = way.run] {
            if (run) run();
        });
        setDisabledReason(made, way.disabledReason);
    }
    if (!error.detail.empty()) {
        QPushButton* details = button(tr("Details"));
        details->setCheckable(true);
        connect(details, &QPushButton::toggled, m_detail, &QLabel::setVisible);
    }
    if (strength == Strength::Error) {
        QPushButton* copy = button(tr("Copy details"));
        copy->setToolTip(tr("Copy code, message, next step and details"));
        connect(copy, &QPushButton::clicked, this,
                [text = utf(error.code + "\n" + error.message + "\n" + error.hint + "\n" + error.detail)] {
                    QApplication::clipboard()->setText(text.trimmed());
                });
    }
    // The ways out come before the cross: whoever arrives by keyboard is offered help first.
    QWidget* before = this;
    for (int i = 1; i < m_buttons->count(); ++i) {
        setTabOrder(before, m_buttons->itemAt(i)->widget());
        before = m_buttons->itemAt(i)->widget();
    }
    setTabOrder(before, m_close);
    setVisible(true);
}

void Banner::dismiss() {
    if (isHidden()) return;
    hide();
    setProperty("code", QVariant());
    Q_EMIT dismissed();
}

} // namespace qw::ui
