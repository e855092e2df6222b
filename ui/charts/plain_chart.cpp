// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/plain_chart.h"

#include "charts/chart_style.h"
#include "charts/plot_base.h"
#include "theme/theme.h"

#include <QEvent>
#include <QHelpEvent>
#include <QLabel>
#include <QToolTip>
#include <QVBoxLayout>

namespace qw::ui {

PlainChart::PlainChart(const QString& name, QWidget* parent) : QWidget(parent), m_theme(&Theme::instance().table()) {
    setObjectName(name);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    m_title = new QLabel(this);
    m_title->setProperty("look", QStringLiteral("heading"));
    m_title->hide();
    column->addWidget(m_title);
    m_plot = new PlotBase(this);
    m_plot->setObjectName(name + QStringLiteral(".plot"));
    m_plot->setMinimumSize(fontMetrics().averageCharWidth() * 20, fontMetrics().height() * 6);
    m_plot->installEventFilter(this);
    column->addWidget(m_plot, 1);
    setFocusProxy(m_plot);
    setTitle({});
    styleAxes(*m_plot, *m_theme);
    connect(&Theme::instance(), &Theme::changed, this, [this] { applyTheme(Theme::instance().table()); });
}

PlainChart::~PlainChart() = default;

void PlainChart::setTitle(const QString& title) {
    m_title->setText(title);
    m_title->setVisible(!title.isEmpty());
    m_plot->setAccessibleName(title.isEmpty() ? tr("Chart") : tr("Chart: %1").arg(title));
    setAccessibleName(m_plot->accessibleName());
}

QString PlainChart::title() const { return m_title->text(); }

void PlainChart::setWords(const QString& words) {
    m_plot->setAccessibleDescription(words);
    setAccessibleDescription(words);
}

void PlainChart::applyTheme(const ThemeTable& theme) {
    m_theme = &theme;
    styleAxes(*m_plot, theme);
    styled();
    m_plot->scheduleReplot();
}

QImage PlainChart::image(double scale) const { return paint(scale, Theme::instance().table()); }
QImage PlainChart::lightImage(double scale) const { return paint(scale, Theme::light()); }

QImage PlainChart::paint(double scale, const ThemeTable& theme) const {
    auto* self = const_cast<PlainChart*>(this); // the plot can only be asked to paint itself
    const QSize size = m_plot->isVisible() ? m_plot->size() : QSize(720, 400);
    const int head = title().isEmpty() ? 0 : fontMetrics().height() * 2;
    QImage image((QSizeF(size.width(), size.height() + head) * scale).toSize(), QImage::Format_ARGB32_Premultiplied);
    image.setDevicePixelRatio(scale);
    image.fill(theme[Token::Base]);
    QCPPainter painter(&image);
    QFont bold = font();
    bold.setBold(true);
    painter.setFont(bold);
    painter.setPen(theme[Token::Text]);
    painter.drawText(QRect(head / 3, 0, size.width(), head), Qt::AlignLeft | Qt::AlignVCenter, title());
    painter.translate(0, head);
    self->applyTheme(theme);
    m_plot->toPainter(&painter, size.width(), size.height());
    self->applyTheme(Theme::instance().table());
    return image;
}

void PlainChart::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_plot) applyTheme(Theme::instance().table());
}

bool PlainChart::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_plot && event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const QString text = tipAt(help->pos());
        if (text.isEmpty())
            QToolTip::hideText();
        else
            QToolTip::showText(help->globalPos(), text, m_plot);
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace qw::ui
