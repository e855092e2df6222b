// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/chart_readout.h"

#include <QLocale>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace qw::ui {

std::vector<ReadoutRow> readoutAt(const ChartPlot& plot, double step, ReadoutOrder order) {
    std::vector<ReadoutRow> rows;
    const ChartX axis = plot.data().xAxis();
    const auto x = std::isnan(step) ? std::nullopt : plot.xOfStep(step);
    if (!x) return rows;
    for (const ChartCurve& curve : plot.data().curves()) {
        if (!ChartData::drawn(curve, axis)) continue;
        const size_t i = curve.line->nearest(*x, axis, curve.spec.tokensPerStep);
        rows.push_back({curve.spec.id, curve.spec.label, curve.line->steps()[i], curve.line->values(Values::Raw)[i],
                        curve.line->values(Values::Smoothed)[i]});
    }
    const auto last = [](double v) { return std::isnan(v) ? std::numeric_limits<double>::infinity() : v; };
    if (order == ReadoutOrder::Name)
        std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.label.localeAwareCompare(b.label) < 0; });
    if (order == ReadoutOrder::Lowest)
        std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) { return last(a.smoothed) < last(b.smoothed); });
    if (order == ReadoutOrder::Highest)
        std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) { return last(-a.smoothed) < last(-b.smoothed); });
    return rows;
}

ChartReadout::ChartReadout(const QString& name, ChartPlot& plot) : QWidget(&plot), m_plot(plot) {
    setObjectName(name);
    setAccessibleName(tr("Values at the crosshair"));
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setFocusPolicy(Qt::NoFocus);
    hide();
}

void ChartReadout::setOrder(ReadoutOrder order) {
    m_order = order;
    refresh();
}

void ChartReadout::fill(double step) {
    const auto& pins = m_plot.picture().pins;
    const auto& curves = m_plot.data().curves();
    const bool smoothed = std::any_of(curves.begin(), curves.end(), [](const ChartCurve& c) { return c.visible && c.line->isSmoothed(); });
    m_columns = smoothed ? QStringList{tr("raw"), tr("smoothed")} : QStringList{tr("value")};
    std::vector<std::vector<ReadoutRow>> pinned;
    for (size_t p = 0; p < pins.size(); ++p) {
        pinned.push_back(readoutAt(m_plot, pins[p], ReadoutOrder::Legend));
        m_columns << QStringLiteral("Δ") + QChar(static_cast<char16_t>(u'A' + p));
    }
    m_rows.clear();
    for (const ReadoutRow& facts : readoutAt(m_plot, step, m_order)) {
        Row row{facts, {numberText(facts.raw)}};
        if (smoothed) row.cells << numberText(facts.smoothed);
        for (const auto& at : pinned) {
            const auto same = std::find_if(at.begin(), at.end(), [&](const ReadoutRow& r) { return r.id == facts.id; });
            const double by = same == at.end() ? std::numeric_limits<double>::quiet_NaN() : facts.smoothed - same->smoothed;
            row.cells << (std::isnan(by) ? QStringLiteral("–") : (by > 0 ? QStringLiteral("+") : QString()) + numberText(by, 3));
        }
        if (facts.step != step) row.facts.label += tr(" @ %1").arg(QLocale().toString(facts.step, 'f', 0));
        m_rows.push_back(std::move(row));
    }
    const auto x = m_plot.xOfStep(step);
    m_heading = x ? xText(*x, m_plot.data().xAxis()) : QString();
    if (x && m_plot.data().xAxis() != ChartX::Step) m_heading += tr(" (step %1)").arg(QLocale().toString(step, 'f', 0));
    for (size_t p = 0; p < pins.size(); ++p)
        m_heading += tr("  %1: %2").arg(QChar(static_cast<char16_t>(u'A' + p))).arg(QLocale().toString(step - pins[p], 'f', 0));
}

void ChartReadout::refresh() {
    const ChartPicture& picture = m_plot.picture();
    const double step = !std::isnan(picture.crosshair) ? picture.crosshair
                        : picture.pins.size() > 1      ? picture.pins.back()
                                                       : std::numeric_limits<double>::quiet_NaN();
    if (std::isnan(step) || !m_plot.xOfStep(step)) {
        hide();
        return;
    }
    fill(step);
    if (m_rows.empty()) {
        hide();
        return;
    }
    QStringList words{m_heading};
    for (const Row& row : m_rows) words << row.facts.label + QLatin1Char(' ') + row.cells.join(QLatin1Char(' '));
    setAccessibleDescription(words.join(QStringLiteral("; ")));
    place();
    show();
    update();
}

void ChartReadout::place() {
    const QFontMetrics metrics = fontMetrics();
    const int line = metrics.height(), gap = line;
    m_labelWidth = 0;
    m_widths.assign(static_cast<size_t>(m_columns.size()), 0);
    for (size_t c = 0; c < m_widths.size(); ++c) {
        m_widths[c] = metrics.horizontalAdvance(m_columns[static_cast<int>(c)]);
        for (const Row& row : m_rows) m_widths[c] = std::max(m_widths[c], metrics.horizontalAdvance(row.cells[static_cast<int>(c)]));
    }
    for (const Row& row : m_rows) m_labelWidth = std::max(m_labelWidth, metrics.horizontalAdvance(row.facts.label));
    m_labelWidth = std::min(m_labelWidth + 2, metrics.averageCharWidth() * 36); // 2: the text's true width is no whole number
    int width = static_cast<int>((kSwatchWidth + 0.4) * line) + m_labelWidth;
    for (const int w : m_widths) width += gap + w;
    width = std::max(width, metrics.horizontalAdvance(m_heading)) + line;
    const int height = line * (static_cast<int>(m_rows.size()) + 2) + line;
    const QRect inside = m_plot.axisRect()->rect();
    // On the side where the crosshair is not.
    const auto x = m_plot.xOfStep(m_plot.picture().crosshair);
    const bool left = x && m_plot.xAxis->coordToPixel(*x) > inside.center().x();
    setGeometry(left ? inside.left() + line / 2 : std::max(inside.left(), inside.right() - width - line / 2), inside.top() + line / 2,
                width, height);
}

void ChartReadout::paintEvent(QPaintEvent*) {
    const ThemeTable& theme = m_plot.theme();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QColor ground = theme[Token::Raised];
    ground.setAlphaF(0.94F);
    painter.setPen(theme[Token::Border]);
    painter.setBrush(ground);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    const int line = fontMetrics().height(), pad = line / 2, gap = line;
    painter.setPen(theme[Token::Text]);
    QFont bold = font();
    bold.setBold(true);
    painter.setFont(bold);
    painter.drawText(QRect(pad, pad / 2, width(), line), Qt::AlignLeft | Qt::AlignVCenter, m_heading);
    painter.setFont(font());
    const auto cellsAt = [&](int y, const QStringList& cells) {
        int right = width() - pad;
        for (size_t c = m_widths.size(); c-- > 0;) {
            painter.drawText(QRect(right - m_widths[c], y, m_widths[c], line), Qt::AlignRight | Qt::AlignVCenter,
                             cells[static_cast<int>(c)]);
            right -= m_widths[c] + gap;
        }
    };
    int y = pad / 2 + line;
    painter.setPen(theme[Token::Muted]);
    cellsAt(y, m_columns);
    for (const Row& row : m_rows) {
        y += line;
        if (const ChartCurve* curve = m_plot.data().curve(row.facts.id))
            drawSwatch(painter, QRectF(pad, y, line * kSwatchWidth, line), lineStyle(curve->spec, theme), theme[Token::Raised]);
        painter.setPen(theme[Token::Text]);
        painter.drawText(QRect(pad + static_cast<int>((kSwatchWidth + 0.4) * line), y, m_labelWidth, line),
                         Qt::AlignLeft | Qt::AlignVCenter, fontMetrics().elidedText(row.facts.label, Qt::ElideMiddle, m_labelWidth));
        cellsAt(y, row.cells);
    }
}

} // namespace qw::ui
