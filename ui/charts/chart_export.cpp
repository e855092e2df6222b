// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/chart_export.h"

#include <QBuffer>
#include <QPageSize>
#include <QPdfWriter>
#include <QSaveFile>
#include <cmath>

namespace qw::ui {
namespace {

struct Layout {
    QSize plot, whole;
    int title = 0, legend = 0, line = 0;
};

Layout layoutOf(const ChartPlot& plot) {
    Layout layout;
    layout.line = plot.fontMetrics().height() + 4;
    layout.plot = plot.isVisible() ? plot.size() : QSize(800, 420);
    layout.title = layout.line * 3 / 2;
    for (const ChartCurve& curve : plot.data().curves())
        if (curve.visible) layout.legend = std::max(layout.legend, plot.fontMetrics().horizontalAdvance(curve.spec.label));
    if (layout.legend > 0) layout.legend += static_cast<int>((kSwatchWidth + 2) * layout.line);
    layout.whole = layout.plot + QSize(layout.legend, layout.title);
    return layout;
}

void paint(QCPPainter& painter, ChartPlot& plot, const QString& title, const ThemeTable& theme) {
    const Layout layout = layoutOf(plot);
    painter.fillRect(QRect(QPoint(), layout.whole), theme[Token::Base]);
    QFont bold = plot.font();
    bold.setBold(true);
    painter.setFont(bold);
    painter.setPen(theme[Token::Text]);
    painter.drawText(QRect(layout.line / 2, 0, layout.whole.width() - layout.line, layout.title), Qt::AlignLeft | Qt::AlignVCenter, title);
    painter.setFont(plot.font());
    int y = layout.title;
    for (const ChartCurve& curve : plot.data().curves()) {
        if (!curve.visible || y + layout.line > layout.whole.height()) continue;
        drawSwatch(painter, QRectF(layout.plot.width() + layout.line / 2, y, layout.line * kSwatchWidth, layout.line),
                   lineStyle(curve.spec, theme), theme[Token::Base]);
        painter.setPen(theme[Token::Text]);
        painter.drawText(QRect(layout.plot.width() + static_cast<int>((kSwatchWidth + 0.9) * layout.line), y, layout.legend, layout.line),
                         Qt::AlignLeft | Qt::AlignVCenter, curve.spec.label);
        y += layout.line;
    }
    painter.translate(0, layout.title);
    plot.paintInto(painter, layout.plot, theme);
}

Error unwritable(const QString& file, const QString& why) {
    Error error;
    error.code = "file.write";
    error.message = "could not write " + file.toStdString() + ": " + why.toStdString();
    error.hint = "choose another folder or free some space";
    return error;
}

} // namespace

QSize exportSize(const ChartPlot& plot) { return layoutOf(plot).whole; }

QImage chartImage(ChartPlot& plot, const QString& title, double scale, const ThemeTable& theme) {
    QImage image((QSizeF(exportSize(plot)) * scale).toSize(), QImage::Format_ARGB32_Premultiplied);
    image.setDevicePixelRatio(scale);
    image.fill(theme[Token::Base]);
    QCPPainter painter(&image);
    painter.setRenderHint(QPainter::Antialiasing);
    paint(painter, plot, title, theme);
    return image;
}

Status writePng(const QString& file, const QImage& image) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    if (!buffer.open(QIODevice::WriteOnly) || !image.save(&buffer, "PNG")) return unwritable(file, QStringLiteral("no PNG encoder"));
    return writeBytes(file, bytes);
}

Status writePdf(const QString& file, ChartPlot& plot, const QString& title) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    {
        constexpr double kPointsPerInch = 72;
        QPdfWriter writer(&buffer);
        writer.setResolution(plot.logicalDpiX());
        writer.setPageSize(
            QPageSize(QSizeF(exportSize(plot)) * kPointsPerInch / plot.logicalDpiX(), QPageSize::Point, {}, QPageSize::ExactMatch));
        writer.setPageMargins({});
        writer.setTitle(title);
        QCPPainter painter(&writer);
        painter.setMode(QCPPainter::pmVectorized);
        painter.setMode(QCPPainter::pmNoCaching);
        paint(painter, plot, title, Theme::light());
    }
    return writeBytes(file, bytes);
}

Status writeBytes(const QString& file, const QByteArray& bytes) {
    QSaveFile out(file);
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size() || !out.commit()) return unwritable(file, out.errorString());
    return {};
}

} // namespace qw::ui
