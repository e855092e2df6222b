// SPDX-License-Identifier: GPL-3.0-or-later
// What: keys of a QatChart, its export dialog, its events.
#include "charts/chart_parts.h"
#include "charts/qat_chart.h"

#include <QFileDialog>
#include <QKeyEvent>
#include <QMessageBox>
#include <cmath>

namespace qw::ui {

void QatChart::askExport(const QString& kind, double scale) {
    if (kind == QLatin1String("copy")) return copyToClipboard();
    auto* dialog = new QFileDialog(this, tr("Save chart"), {},
                                   kind == QLatin1String("png")   ? tr("Picture (*.png)")
                                   : kind == QLatin1String("pdf") ? tr("Page (*.pdf)")
                                                                  : tr("Numbers (*.csv)"));
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(kind);
    dialog->selectFile((m_parts->title.isEmpty() ? QStringLiteral("chart") : m_parts->title) + QLatin1Char('.') + kind);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QFileDialog::fileSelected, this, [this, kind, scale](const QString& file) {
        const ExportOptions options{m_parts->controls->exportVisibleRange(), m_parts->controls->exportSmoothed(), scale};
        const Status done = kind == QLatin1String("png")   ? exportPng(file, options)
                            : kind == QLatin1String("pdf") ? exportPdf(file, options)
                                                           : exportCsv(file, options);
        if (done) return;
        auto* box =
            new QMessageBox(QMessageBox::Warning, tr("Not saved"), QString::fromStdString(done.error().message), QMessageBox::Ok, this);
        box->setInformativeText(QString::fromStdString(done.error().hint));
        box->setAttribute(Qt::WA_DeleteOnClose);
        box->open();
    });
    dialog->open();
}

void QatChart::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_parts && m_parts->plot) m_parts->plot->applyTheme(Theme::instance().table());
}

void QatChart::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    updateLayout();
}

void QatChart::enterEvent(QEnterEvent* event) {
    QWidget::enterEvent(event);
    m_parts->controls->setHovered(true);
}

void QatChart::leaveEvent(QEvent* event) {
    QWidget::leaveEvent(event);
    m_parts->controls->setHovered(false);
}

void QatChart::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy)) return copyToClipboard();
    constexpr double kZoom = 0.7;
    ChartPlot& plot = *m_parts->plot;
    switch (event->key()) {
    case Qt::Key_Home:
        return resetZoom();
    case Qt::Key_Backspace:
        return zoomBack();
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return zoomBy(kZoom);
    case Qt::Key_Minus:
        return zoomBy(1 / kZoom);
    case Qt::Key_Left:
    case Qt::Key_Right:
        return moveCrosshair((event->key() == Qt::Key_Left ? -1 : 1) * (event->modifiers() & Qt::ShiftModifier ? 10 : 1));
    case Qt::Key_L:
        return setLogY(!logY());
    case Qt::Key_S:
        return m_parts->controls->focusSmoothing();
    case Qt::Key_P:
    case Qt::Key_Return:
        if (!std::isnan(crosshair())) plot.togglePin(crosshair());
        return;
    case Qt::Key_F11:
        Q_EMIT fullPageRequested();
        return;
    default:
        QWidget::keyPressEvent(event);
    }
}

void QatChart::moveCrosshair(int by) {
    double step = crosshair();
    for (int i = 0; i < std::abs(by); ++i)
        if (const auto next = m_parts->plot->stepBeside(step, by)) step = *next;
    if (std::isnan(step)) return;
    setCrosshair(step);
    if (m_parts->group) m_parts->group->setCrosshair(step);
    Q_EMIT crosshairMoved(step);
}

} // namespace qw::ui
