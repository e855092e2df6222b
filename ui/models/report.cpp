// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/report.h"

#include "base/files.h"
#include "models/config_diff.h"
#include "models/report_charts.h"
#include "study/compare_text.h"

#include <QBuffer>
#include <QImage>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPageSize>
#include <QPainter>
#include <QPdfWriter>
#include <QSvgRenderer>
#include <QTextDocument>
#include <algorithm>
#include <cstdio>

namespace qw::ui {
namespace {

constexpr const char* kStyle =
    "body{font-family:sans-serif;margin:2em;max-width:70em;color:#1c1e21;background:#ffffff}"
    "table{border-collapse:collapse;margin:1em 0}th,td{padding:.35em .7em;border-bottom:1px solid "
    "#d0d4d9;text-align:right;white-space:nowrap}"
    "th:first-child,td:first-child{text-align:left}tr.derived{background:#f4f6f8}tr.ship{font-weight:600}s{color:#777777}"
    "pre{background:#f4f6f8;padding:1em;overflow-x:auto}.verdict{padding:.8em 1em;background:#eaf3fb;border-left:4px solid #0b62a8}"
    ".note{color:#555555}code{font-family:monospace}";

QString cellHtml(const std::string& cell) {
    const QString shown = text(cell);
    if (shown.startsWith(QLatin1String("~~")) && shown.size() > 4)
        return QStringLiteral("<s>%1</s>").arg(shown.mid(2, shown.size() - 4).toHtmlEscaped());
    return shown.toHtmlEscaped();
}

QString tableHtml(const Comparison& comparison) {
    const auto cells = study::textTable(comparison.table);
    QString html = QStringLiteral("<table border='0' cellspacing='0' cellpadding='4'><tr>");
    for (const auto& name : cells.header)
        html += QStringLiteral("<th align='%1'>%2</th>")
                    .arg(&name == &cells.header.front() ? QStringLiteral("left") : QStringLiteral("right"), text(name).toHtmlEscaped());
    html += QStringLiteral("</tr>\n");
    for (size_t r = 0; r < cells.rows.size(); ++r) {
        const bool ship = r < cells.values && static_cast<int>(cells.origin[r].line) == comparison.table.verdict.line;
        html += QStringLiteral("<tr%1>").arg(ship                ? QStringLiteral(" class='ship'")
                                             : r >= cells.values ? QStringLiteral(" class='derived'")
                                                                 : QString());
        for (size_t c = 0; c < cells.rows[r].size(); ++c)
            html += QStringLiteral("<td align='%1'>%2</td>")
                        .arg(c == 0 ? QStringLiteral("left") : QStringLiteral("right"), cellHtml(cells.rows[r][c]));
        html += QStringLiteral("</tr>\n");
    }
    html += QStringLiteral("</table>\n");
    for (const auto& note : study::footnotes(comparison.table))
        html += QStringLiteral("<p class='note'>%1</p>\n").arg(text(note).toHtmlEscaped());
    return html;
}

QString picture(const QByteArray& svg) {
    QSvgRenderer renderer(svg);
    QImage image(renderer.defaultSize() * 2, QImage::Format_RGB32);
    image.fill(Qt::white);
    QPainter painter(&image);
    renderer.render(&painter);
    painter.end();
    QByteArray png;
    QBuffer buffer(&png);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return QStringLiteral("<img width='620' src='data:image/png;base64,%1'>").arg(QString::fromLatin1(png.toBase64()));
}

QString chartsHtml(const Comparison& comparison, bool pictures) {
    QString html;
    const auto add = [&](const QByteArray& svg) {
        if (!svg.isEmpty()) html += QStringLiteral("<p>%1</p>\n").arg(pictures ? picture(svg) : QString::fromUtf8(svg));
    };
    for (size_t c = 0; c < comparison.table.columns.size(); ++c) add(barsSvg(comparison, c));
    const std::string& metric = comparison.table.verdict.metric;
    for (size_t c = 0; c < comparison.table.columns.size(); ++c)
        if (comparison.table.columns[c].task + "." + comparison.table.columns[c].metric == metric)
            add(paretoSvg(comparison, c, ParetoX::Size));
    return html;
}

QString readable(const QString& json) {
    return QString::fromUtf8(QJsonDocument::fromJson(json.toUtf8()).toJson(QJsonDocument::Indented)).toHtmlEscaped();
}

QString repeatHtml(const Comparison& comparison, const QString& project) {
    if (!comparison.studyRecipe.isEmpty())
        return QStringLiteral(
                   "<p>Save this recipe as <code>study.yaml</code>, then:</p>\n<pre>qatw run study.yaml --project again\nqatw compare "
                   "--project again</pre>\n<details><summary>Recipe of the study</summary><pre>%1</pre></details>\n")
            .arg(readable(comparison.studyRecipe));
    QStringList uids;
    for (const ComparedRun& run : comparison.runs) uids << run.uid;
    return QStringLiteral("<pre>qatw compare --project '%1' %2</pre>\n").arg(project.toHtmlEscaped(), uids.join(QLatin1Char(' ')));
}

// On paper the recipe of each run is what differs between them; the study's own stands above in full.
QString differingKeys(const Comparison& comparison, size_t i) {
    std::vector<QMap<QString, QString>> all;
    for (const ComparedRun& run : comparison.runs) all.push_back(flattenConfig(run.config.toUtf8()));
    QStringList lines;
    for (auto at = all[i].cbegin(); at != all[i].cend(); ++at)
        if (std::ranges::any_of(all, [&](const auto& other) { return other.value(at.key()) != at.value(); }))
            lines << at.key() + QStringLiteral(": ") + at.value();
    return QStringLiteral("<pre>%1</pre>\n").arg(lines.join(QLatin1Char('\n')).toHtmlEscaped());
}

QString runHtml(const Comparison& comparison, size_t i, bool paper) {
    const ComparedRun& run = comparison.runs[i];
    const auto& facts = comparison.rows[i];
    QString html = QStringLiteral("<h3>%1</h3>\n<table cellpadding='4'>").arg(text(facts.label).toHtmlEscaped());
    const auto add = [&](const QString& name, const QString& value) {
        if (!value.isEmpty())
            html +=
                QStringLiteral("<tr><td align='left'>%1</td><td align='left'><code>%2</code></td></tr>").arg(name, value.toHtmlEscaped());
    };
    add(QStringLiteral("run"), run.uid);
    add(QStringLiteral("seed"), QString::number(facts.seed));
    add(QStringLiteral("result key"), run.key);
    add(QStringLiteral("model hash"), run.modelHash);
    add(QStringLiteral("recipe hash"), run.configHash);
    for (const auto& task : facts.tasks)
        add(QStringLiteral("task file ") + text(task.result.task),
            text(task.result.taskDigest) + QStringLiteral(", settings ") + text(task.result.settingsHash) +
                QStringLiteral(", n = %1, limit = %2").arg(task.result.n).arg(task.result.limit));
    const QJsonObject env = QJsonDocument::fromJson(run.environment.toUtf8()).object();
    QStringList words;
    for (auto at = env.begin(); at != env.end(); ++at) words << at.key() + QLatin1Char(' ') + at.value().toVariant().toString();
    add(QStringLiteral("environment"), words.join(QStringLiteral(", ")));
    html += QStringLiteral("</table>\n");
    html += paper ? differingKeys(comparison, i)
                  : QStringLiteral("<details><summary>Recipe</summary><pre>%1</pre></details>\n").arg(readable(run.config));
    return html;
}

} // namespace

QString reportHtml(const Comparison& comparison, const ReportOptions& options) {
    const QString name = (comparison.studyName.isEmpty() ? QStringLiteral("Comparison") : comparison.studyName).toHtmlEscaped();
    QString html =
        QStringLiteral(
            "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'><title>%1</title><style>%2</style></head><body>\n<h1>%1</h1>\n")
            .arg(name, QString::fromLatin1(kStyle));
    html += QStringLiteral("<p class='note'>QAT Workbench, %1, project %2</p>\n")
                .arg(options.when.toString(QStringLiteral("yyyy-MM-dd HH:mm")), options.project.toHtmlEscaped());
    html += QStringLiteral("<p class='verdict'>%1</p>\n").arg(text(comparison.table.verdict.sentence).toHtmlEscaped());
    html +=
        tableHtml(comparison) +
        QStringLiteral(
            "<h2>Charts</h2>\n<p class='note'>Whiskers are 95 % intervals: Wilson for accuracies, bootstrap over documents else.</p>\n");
    html += chartsHtml(comparison, options.pictures);
    html += QStringLiteral("<h2>How to repeat it</h2>\n") + repeatHtml(comparison, options.project);
    html += QStringLiteral("<h2>Runs</h2>\n");
    for (size_t i = 0; i < comparison.runs.size(); ++i) html += runHtml(comparison, i, options.pictures);
    return html + QStringLiteral("</body></html>\n");
}

Status writeReportHtml(const Comparison& comparison, const ReportOptions& options, const QString& file) {
    return writeFileAtomic(utf8(file), utf8(reportHtml(comparison, options)));
}

Status writeReportPdf(const Comparison& comparison, ReportOptions options, const QString& file) {
    options.pictures = true;
    const QString temporary = file + QStringLiteral(".tmp");
    {
        QPdfWriter writer(temporary);
        writer.setPageSize(QPageSize(QPageSize::A4));
        writer.setPageOrientation(QPageLayout::Landscape);
        writer.setPageMargins(QMarginsF(12, 12, 12, 12), QPageLayout::Millimeter);
        writer.setResolution(96);
        writer.setTitle(comparison.studyName);
        QTextDocument document;
        QFont font = document.defaultFont();
        font.setPointSizeF(8);
        document.setDefaultFont(font);
        document.setHtml(reportHtml(comparison, options));
        document.print(&writer);
    }
    const QByteArray target = file.toUtf8(), from = temporary.toUtf8();
    if (std::rename(from.constData(), target.constData()) != 0)
        return Error{"file.io", utf8(QStringLiteral("%1 cannot be written").arg(file)), "choose another folder", "", false};
    return {};
}

} // namespace qw::ui
