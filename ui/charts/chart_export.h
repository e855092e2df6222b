// SPDX-License-Identifier: GPL-3.0-or-later
// What: a chart as a picture or a page: title, plot, legend of the visible lines.
#pragma once

#include "base/result.h"
#include "charts/chart_plot.h"

#include <QImage>

namespace qw::ui {

[[nodiscard]] QSize exportSize(const ChartPlot& plot); // logical pixels, title and legend included
[[nodiscard]] QImage chartImage(ChartPlot& plot, const QString& title, double scale, const ThemeTable& theme);
Status writePng(const QString& file, const QImage& image);
Status writePdf(const QString& file, ChartPlot& plot, const QString& title); // in the light colours: paper is white
Status writeBytes(const QString& file, const QByteArray& bytes);

} // namespace qw::ui
