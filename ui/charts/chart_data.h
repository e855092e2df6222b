// SPDX-License-Identifier: GPL-3.0-or-later
// What: all lines of a chart with what is chosen about them: hidden, smoothing, x axis, seed bands. Plot, legend, readout, table and
// exports read the same lines from here.
#pragma once

#include "charts/chart_series.h"

#include <QObject>
#include <QSet>
#include <QStringList>
#include <memory>
#include <vector>

namespace qw::ui {

// One drawn line: a series, or the mean of a group of seeds.
struct ChartCurve {
    SeriesSpec spec; // of a mean: id "group:<group>"
    bool visible = true;
    int members = 1;
    const ChartSeries* line = nullptr;
    const ChartSeries* low = nullptr; // of the band; null: none
    const ChartSeries* high = nullptr;

    [[nodiscard]] bool hasAxis(ChartX axis) const { return line->hasAxis(axis, spec.tokensPerStep); }
    [[nodiscard]] double x(size_t i, ChartX axis) const { return line->x(i, axis, spec.tokensPerStep); }
    [[nodiscard]] size_t lowerBound(double x, ChartX axis) const { return line->lowerBound(x, axis, spec.tokensPerStep); }
};

class ChartData : public QObject {
    Q_OBJECT
public:
    explicit ChartData(QObject* parent = nullptr);
    ~ChartData() override;

    void addSeries(const SeriesSpec& spec);
    void removeSeries(const QString& id);
    void clear();
    [[nodiscard]] QStringList ids() const;
    [[nodiscard]] bool has(const QString& id) const { return find(id) != nullptr; }
    [[nodiscard]] const SeriesSpec* spec(const QString& id) const;
    [[nodiscard]] const ChartSeries* points(const QString& id) const;

    void setPoints(const QString& id, std::span<const int64_t> steps, std::span<const double> values, std::span<const int64_t> tsMs);
    void append(const QString& id, std::span<const int64_t> steps, std::span<const double> values, std::span<const int64_t> tsMs);
    void truncate(const QString& id, double fromStep);
    void setTokensPerStep(const QString& id, double tokens);

    void setVisible(const QString& curveId, bool visible);
    void setHidden(const QSet<QString>& curveIds);
    [[nodiscard]] const QSet<QString>& hidden() const { return m_hidden; }
    void setSmoothing(double weight);
    [[nodiscard]] double smoothing() const { return m_smoothing; }
    void setXAxis(ChartX axis);
    [[nodiscard]] ChartX xAxis() const { return m_xAxis; }
    void setSeedBands(SeedBands bands);
    [[nodiscard]] SeedBands seedBands() const { return m_seedBands; }

    // In the order they were added, hidden ones included; valid until the next change.
    [[nodiscard]] const std::vector<ChartCurve>& curves() const;
    [[nodiscard]] const ChartCurve* curve(const QString& id) const;
    [[nodiscard]] static bool drawn(const ChartCurve& curve, ChartX axis) {
        return curve.visible && !curve.line->empty() && curve.hasAxis(axis);
    }

    struct Range {
        double lower = 0, upper = 0;
        [[nodiscard]] bool valid() const { return lower <= upper; }
    };
    [[nodiscard]] Range xRange() const;                                      // of all drawn lines; invalid: nothing to show
    [[nodiscard]] stats::Extent yExtent(double xLower, double xUpper) const; // of what is drawn there, bands included
    [[nodiscard]] size_t hiddenOnLog() const;                                // values <= 0 of the drawn lines

Q_SIGNALS:
    void curvesChanged(); // other lines, names or choices
    void pointsChanged();

private:
    struct Entry {
        SeriesSpec spec;
        ChartSeries points;
    };
    struct Mean {
        QString group;
        ChartSeries line, low, high;
        bool stale = true;
    };
    Entry* find(const QString& id) const;
    void touch(Entry& entry);
    void changed();
    Mean& meanOf(const QString& group) const;
    void compute(Mean& mean) const;
    std::vector<std::unique_ptr<Entry>> m_entries;
    mutable std::vector<std::unique_ptr<Mean>> m_means;
    mutable std::vector<ChartCurve> m_curves;
    mutable bool m_stale = true;
    QSet<QString> m_hidden;
    double m_smoothing = 0;
    ChartX m_xAxis = ChartX::Step;
    SeedBands m_seedBands = SeedBands::Off;
};

} // namespace qw::ui
