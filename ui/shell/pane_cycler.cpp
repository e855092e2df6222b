// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/pane_cycler.h"

#include <QApplication>
#include <QDockWidget>
#include <QStackedWidget>

namespace qw::ui {
namespace {

// The first widget inside that takes the Tab key; the pane itself when none does.
QWidget* entryOf(QWidget* pane) {
    const auto inside = pane->findChildren<QWidget*>();
    if (pane->focusPolicy() & Qt::TabFocus) return pane;
    for (QWidget* widget : inside)
        if ((widget->focusPolicy() & Qt::TabFocus) && widget->isVisible() && widget->isEnabled()) return widget;
    pane->setFocusPolicy(Qt::StrongFocus);
    return pane;
}

} // namespace

QList<QWidget*> panesOf(QMainWindow& window) {
    QList<QWidget*> panes;
    if (auto* list = window.findChild<QWidget*>(QStringLiteral("navList"))) panes << list;
    if (auto* stack = window.findChild<QStackedWidget*>(QStringLiteral("pageStack")); stack && stack->currentWidget())
        panes << stack->currentWidget();
    const auto docks = window.findChildren<QDockWidget*>(QString(), Qt::FindDirectChildrenOnly);
    for (QDockWidget* dock : docks)
        if (dock->isVisible() && dock->widget()) panes << dock->widget();
    return panes;
}

void focusNextPane(QMainWindow& window, int direction) {
    const QList<QWidget*> panes = panesOf(window);
    if (panes.isEmpty()) return;
    QWidget* focused = QApplication::focusWidget();
    qsizetype at = -1;
    for (qsizetype i = 0; i < panes.size(); ++i)
        if (focused && (panes[i] == focused || panes[i]->isAncestorOf(focused))) at = i;
    const qsizetype next = at < 0 ? 0 : (at + direction + panes.size()) % panes.size();
    entryOf(panes[next])->setFocus(Qt::TabFocusReason);
}

} // namespace qw::ui
