// SPDX-License-Identifier: GPL-3.0-or-later
// What: the comparison as one self-contained HTML file: verdict, table, charts, recipes, hashes, the command that repeats it.
// Limits: numbers in the C locale; nothing is fetched from anywhere when it is opened.
#pragma once

#include "models/comparison.h"

#include <QDateTime>

namespace qw::ui {

struct ReportOptions {
    QString project;       // folder
    QDateTime when;        // stands in the head
    bool pictures = false; // charts as PNG, for paper and previews that draw no SVG
};
[[nodiscard]] QString reportHtml(const Comparison& comparison, const ReportOptions& options);
[[nodiscard]] Status writeReportHtml(const Comparison& comparison, const ReportOptions& options, const QString& file);
[[nodiscard]] Status writeReportPdf(const Comparison& comparison, ReportOptions options, const QString& file); // any thread

} // namespace qw::ui
