// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/chart_actions.h"

#include "charts/qat_chart.h"
#include "shell/main_window.h"

#include <QApplication>

namespace qw::ui {

ChartActions::ChartActions(MainWindow& window, ActionRegistry& actions) : QObject(&window), m_window(window) {
    m_fullPage = actions.add({QStringLiteral("view.chart.fullPage"),
                              tr("&Full-screen chart"),
                              QStringLiteral("chart"),
                              tr("One chart on the whole page; Esc brings the others back"),
                              {QKeySequence(Qt::Key_F11)}},
                             this, [this] {
                                 if (QatChart* one = chart()) Q_EMIT one->fullPageRequested();
                                 update();
                             });
    m_table = actions.add({QStringLiteral("view.chart.table"),
                           tr("Show &data table"),
                           QStringLiteral("table"),
                           tr("The numbers of the chart instead of its lines"),
                           {QKeySequence(Qt::CTRL | Qt::Key_T)},
                           true},
                          this, [this] {
                              if (QatChart* one = chart()) one->setTableShown(!one->isTableShown());
                              update();
                          });
    connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
        for (QWidget* widget = now; widget; widget = widget->parentWidget())
            if (auto* one = qobject_cast<QatChart*>(widget)) m_last = one;
        update();
    });
    update();
}

QatChart* ChartActions::chart() const {
    const Page* page = m_window.currentPage();
    if (!page) return nullptr;
    if (m_last && m_last->isVisible() && page->isAncestorOf(m_last)) return m_last;
    QatChart* largest = nullptr;
    const auto area = [](const QWidget* widget) { return widget->width() * widget->height(); };
    const auto charts = page->findChildren<QatChart*>();
    for (QatChart* one : charts)
        if (one->isVisible() && (!largest || area(one) > area(largest))) largest = one;
    return largest;
}

void ChartActions::update() {
    const QatChart* one = chart();
    const QString why = one ? QString() : tr("There is no chart of curves on this page");
    ActionRegistry::setDisabledReason(m_fullPage, why);
    ActionRegistry::setDisabledReason(m_table, why);
    m_table->setChecked(one && one->isTableShown());
}

} // namespace qw::ui
