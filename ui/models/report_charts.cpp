// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/report_charts.h"

#include "stats/pareto.h"
#include "theme/theme.h"

#include <QRectF>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace qw::ui {
namespace {

constexpr double kWidth = 760, kLabel = 190, kRow = 26, kTop = 34, kRight = 70;

QString n(double value) { return QString::number(value, 'f', 1); }
QString escaped(const std::string& words) { return text(words).toHtmlEscaped(); }
QString valueText(const study::Column& column, double value) {
    return QString::number(column.accuracy ? 100 * value : value, 'f', column.accuracy ? 2 : 3);
}
QString title(const study::Column& column) {
    return escaped(column.task + " " + column.metric) + (column.accuracy ? QStringLiteral(", %") : QString()) +
           (column.higherIsBetter ? QStringLiteral(" (higher is better)") : QStringLiteral(" (lower is better)"));
}

QString header(double height, const QString& words) {
    return QStringLiteral(
               "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %1 %2' width='%1' height='%2' font-family='sans-serif' font-size='12'>"
               "<rect width='100%' height='100%' fill='#ffffff'/><text x='0' y='16' font-weight='600'>%3</text>")
        .arg(n(kWidth), n(height), words);
}

QString colour(const Comparison& comparison, const study::Line& line) {
    const int number = line.rows.empty() ? 0 : comparison.runs[line.rows.front()].colour;
    return Theme::light().series[static_cast<size_t>(number) % kSeriesColours].name();
}

// Beside its point, moved up or down until it covers no other name; a thin line leads back then.
QString label(const QPointF& point, const std::string& words, const char* ink, std::vector<QRectF>& taken) {
    constexpr double kLetter = 7, kHeight = 15;
    QRectF box(point.x() + 12, point.y() - kHeight / 2, kLetter * static_cast<double>(text(words).size()), kHeight);
    const QRectF first = box;
    for (int step = 1; step < 16 && std::ranges::any_of(taken, [&](const QRectF& other) { return other.intersects(box); }); ++step)
        box = first.translated(0, (step % 2 ? 1 : -1) * (step + 1) / 2 * kHeight);
    taken.push_back(box);
    QString svg;
    if (box != first)
        svg = QStringLiteral("<path d='M%1 %2L%3 %4' stroke='#bbbbbb'/>")
                  .arg(n(point.x() + 6), n(point.y()), n(box.left() - 2), n(box.center().y()));
    return svg + QStringLiteral("<text x='%1' y='%2' fill='%3'>%4</text>")
                     .arg(n(box.left()), n(box.bottom() - 4), QString::fromLatin1(ink), escaped(words));
}

} // namespace

double paretoValue(const study::Line& line, ParetoX x) {
    const double value = x == ParetoX::Size   ? static_cast<double>(line.bytes)
                         : x == ParetoX::Bits ? line.bitsPerWeight
                                              : line.tokensPerSecond;
    return value > 0 ? value : std::numeric_limits<double>::quiet_NaN();
}

QByteArray barsSvg(const Comparison& comparison, size_t column) {
    const auto& table = comparison.table;
    const auto& metric = table.columns[column];
    double most = 0;
    size_t rows = 0;
    for (const auto& line : table.lines) {
        const auto& cell = line.cells[column];
        if (!cell.value) continue;
        ++rows;
        most = std::max({most, *cell.value, cell.whisker ? cell.whisker->upper : 0});
    }
    if (rows == 0 || most <= 0) return {};
    // One row that is far worse than all others would flatten them: perplexities are drawn on a logarithmic scale then.
    std::vector<double> sorted;
    for (const auto& line : table.lines)
        if (line.cells[column].value) sorted.push_back(*line.cells[column].value);
    std::ranges::sort(sorted);
    const bool logarithmic = !metric.accuracy && sorted.front() > 0 && most / sorted[sorted.size() / 2] > 5;
    const double least = logarithmic ? sorted.front() * 0.8 : 0;
    const auto x = [&](double value) {
        const double share = logarithmic ? std::log(std::max(value, least) / least) / std::log(most / least) : value / most;
        return kLabel + std::max(0.0, share) * (kWidth - kLabel - kRight);
    };
    QString svg =
        header(kTop + kRow * static_cast<double>(rows) + 8, title(metric) + (logarithmic ? QStringLiteral(", logarithmic") : QString()));
    double y = kTop;
    for (const auto& line : table.lines) {
        const auto& cell = line.cells[column];
        if (!cell.value) continue;
        const double middle = y + kRow / 2;
        svg += QStringLiteral("<text x='%1' y='%2' text-anchor='end'>%3</text>").arg(n(kLabel - 8), n(middle + 4), escaped(line.label));
        svg += QStringLiteral("<rect x='%1' y='%2' width='%3' height='%4' fill='%5' fill-opacity='%6'/>")
                   .arg(n(kLabel), n(y + 4), n(x(*cell.value) - kLabel), n(kRow - 8), colour(comparison, line),
                        cell.notComparable.empty() ? QStringLiteral("0.75") : QStringLiteral("0.2"));
        double end = x(*cell.value);
        if (cell.whisker) {
            const double a = x(cell.whisker->lower), b = x(cell.whisker->upper);
            svg += QStringLiteral("<path d='M%1 %3H%2M%1 %4V%5M%2 %4V%5' stroke='#222222' fill='none'/>")
                       .arg(n(a), n(b), n(middle), n(middle - 4), n(middle + 4));
            end = std::max(end, b);
        }
        svg += QStringLiteral("<text x='%1' y='%2'%4>%3</text>")
                   .arg(n(end + 6), n(middle + 4), valueText(metric, *cell.value),
                        cell.notComparable.empty() ? QString() : QStringLiteral(" text-decoration='line-through'"));
        y += kRow;
    }
    return (svg + QStringLiteral("</svg>")).toUtf8();
}

QByteArray paretoSvg(const Comparison& comparison, size_t column, ParetoX axis) {
    constexpr double height = 380, left = 60, bottom = 330, top = 40, right = kWidth - 150;
    const auto& table = comparison.table;
    const auto& metric = table.columns[column];
    std::vector<stats::Candidate> candidates;
    std::vector<const study::Line*> lines;
    for (const auto& line : table.lines) {
        const auto& cell = line.cells[column];
        const double x = paretoValue(line, axis);
        if (!cell.value || !cell.notComparable.empty() || !(x == x)) continue;
        candidates.push_back({x, *cell.value});
        lines.push_back(&line);
    }
    if (candidates.size() < 2) return {};
    const auto front = stats::paretoFront(candidates, axis == ParetoX::Speed ? stats::Better::Higher : stats::Better::Lower,
                                          metric.higherIsBetter ? stats::Better::Higher : stats::Better::Lower);
    const auto [minX, maxX] = std::ranges::minmax(candidates, {}, &stats::Candidate::x);
    const auto [minY, maxY] = std::ranges::minmax(candidates, {}, &stats::Candidate::y);
    const auto spread = [](double from, double to) { return to > from ? to - from : std::max(std::abs(to), 1.0); };
    const auto px = [&, lo = minX.x, width = spread(minX.x, maxX.x)](double x) {
        return left + 20 + (x - lo) / width * (right - left - 40);
    };
    const auto py = [&, lo = minY.y, width = spread(minY.y, maxY.y)](double y) {
        return bottom - 20 - (y - lo) / width * (bottom - top - 40);
    };
    static const char* const names[] = {"size of the weights", "bits a weight", "tokens a second"};
    QString svg = header(height, title(metric));
    svg += QStringLiteral("<path d='M%1 %2V%3H%4' stroke='#888888' fill='none'/><text x='%5' y='%6' text-anchor='middle'>%7</text>")
               .arg(n(left), n(top), n(bottom), n(right), n((left + right) / 2), n(height - 12),
                    QString::fromLatin1(names[static_cast<size_t>(axis)]));
    const auto xText = [&](double x) {
        return axis == ParetoX::Size ? QString::number(x / 1e6, 'f', x < 1e7 ? 2 : 0) + QStringLiteral(" MB")
                                     : QString::number(x, 'f', axis == ParetoX::Bits ? 1 : 0);
    };
    for (const double x : {minX.x, maxX.x})
        svg += QStringLiteral("<text x='%1' y='%2' text-anchor='middle' fill='#555555'>%3</text>").arg(n(px(x)), n(bottom + 16), xText(x));
    for (const double y : {minY.y, maxY.y})
        svg += QStringLiteral("<text x='%1' y='%2' text-anchor='end' fill='#555555'>%3</text>")
                   .arg(n(left - 6), n(py(y) + 4), valueText(metric, y));
    QString joined;
    for (const size_t i : front) joined += QStringLiteral("%1 %2 ").arg(n(px(candidates[i].x)), n(py(candidates[i].y)));
    svg += QStringLiteral("<polyline points='%1' stroke='#444444' stroke-dasharray='4 3' fill='none'/>").arg(joined.trimmed());
    const auto isBest = [&](size_t i) { return std::ranges::find(front, i) != front.end(); };
    for (size_t i = 0; i < lines.size(); ++i)
        svg += QStringLiteral("<circle cx='%1' cy='%2' r='6' fill='%3' fill-opacity='%4'/>")
                   .arg(n(px(candidates[i].x)), n(py(candidates[i].y)), colour(comparison, *lines[i]),
                        isBest(i) ? QStringLiteral("1") : QStringLiteral("0.35"));
    std::vector<size_t> order(lines.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_partition(order, isBest); // the frontier's names get the best places
    std::vector<QRectF> taken;
    for (const size_t i : order)
        svg += label({px(candidates[i].x), py(candidates[i].y)}, lines[i]->label, isBest(i) ? "#222222" : "#777777", taken);
    return (svg + QStringLiteral("</svg>")).toUtf8();
}

} // namespace qw::ui
