// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/undo_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>

namespace qw::ui {

UndoBar::UndoBar(QWidget* parent) : QFrame(parent) {
    setObjectName(QStringLiteral("undoBar"));
    setProperty("banner", QStringLiteral("info"));
    m_text = new QLabel(this);
    m_button = new QPushButton(tr("Undo"), this);
    m_button->setObjectName(QStringLiteral("undoButton"));
    m_button->setToolTip(tr("Take this back (Ctrl+Z)"));
    auto* close = new QToolButton(this);
    close->setText(QStringLiteral("×"));
    close->setAutoRaise(true);
    close->setAccessibleName(tr("Dismiss message"));
    close->setToolTip(tr("Dismiss message"));
    auto* row = new QHBoxLayout(this);
    row->addWidget(m_text, 1);
    row->addWidget(m_button);
    row->addWidget(close);
    m_timer.setSingleShot(true);
    m_timer.setInterval(kShownMs);
    connect(&m_timer, &QTimer::timeout, this, &QWidget::hide);
    connect(close, &QToolButton::clicked, this, &QWidget::hide);
    connect(m_button, &QPushButton::clicked, this, [this] {
        hide();
        if (m_undo) m_undo();
    });
    hide();
}

void UndoBar::offer(const QString& what, std::function<void()> undo) {
    m_text->setText(what);
    setAccessibleName(what);
    m_undo = std::move(undo);
    show();
    m_timer.start();
}

} // namespace qw::ui
