// SPDX-License-Identifier: GPL-3.0-or-later
// What: the line chart of the window: title, controls, plot, legend, readout, data table and exports in one widget.
// Why here: every curve of every page behaves the same (ui.md 3); pages see no QCustomPlot.
// Limits: x of a line never falls; a point at or before the last step cuts the line there first (a resumed run).
#pragma once

#include "base/result.h"
#include "charts/chart_types.h"

#include <QImage>
#include <QVariantMap>
#include <QWidget>
#include <memory>
#include <span>
#include <vector>

class QMenu;

namespace qw::ui {

class ChartData;
class ChartGroup;
class ChartParts;

class QatChart : public QWidget {
    Q_OBJECT
public:
    // name: objectName; children are "<name>.plot", "<name>.smoothing", "<name>.logY", "<name>.xAxis", "<name>.legend", "<name>.readout".
    explicit QatChart(const QString& name, QWidget* parent = nullptr);
    ~QatChart() override;

    void setTitle(const QString& title);    // "loss"
    void setUnit(const QString& unit);      // "dB"; may be empty
    void setEmptyText(const QString& text); // instead of an empty plot
    // A tile: only title, follow and export above the plot, over its corner when there is no title; the keys still do the rest.
    void setCompact(bool compact);
    [[nodiscard]] QMenu* exportMenu() const; // for a page's own menu; stays the chart's
    void setLegendShown(bool shown);
    void setGroup(ChartGroup* group); // crosshair, smoothing, x axis and follow are shared; not owned; null: alone

    // --- lines; all cheap, drawn at most 30 times a second
    void addSeries(const SeriesSpec& spec); // an id that is there: the new spec, its points stay
    void removeSeries(const QString& id);
    void clearSeries();
    [[nodiscard]] QStringList seriesIds() const;
    [[nodiscard]] bool hasSeries(const QString& id) const;
    // tsMs may be empty (no axis of time for that line). steps grow.
    void setPoints(const QString& id, std::span<const int64_t> steps, std::span<const double> values, std::span<const int64_t> tsMs = {});
    void append(const QString& id, int64_t step, double value, int64_t tsMs = 0);
    void append(const QString& id, std::span<const int64_t> steps, std::span<const double> values, std::span<const int64_t> tsMs = {});
    void truncate(const QString& id, int64_t fromStep); // forgets this step and all behind it
    void setTokensPerStep(const QString& id, double tokens);
    void setSeriesVisible(const QString& id, bool visible);
    [[nodiscard]] bool isSeriesVisible(const QString& id) const;
    [[nodiscard]] int64_t lastStep(const QString& id) const; // -1: no points
    [[nodiscard]] QColor colourOf(const QString& id) const;

    // --- x annotations
    void setBand(const ChartBand& band); // an id that is there is replaced
    void removeBand(const QString& id);
    void setFlags(const std::vector<ChartFlag>& flags);
    void addFlag(const ChartFlag& flag);

    // --- view
    void setSmoothing(double weight); // of the debiased average, 0 to 0.999
    [[nodiscard]] double smoothing() const;
    void setLogY(bool on);
    [[nodiscard]] bool logY() const;
    void setXAxis(ChartX axis);
    [[nodiscard]] ChartX xAxis() const;
    void setSeedBands(SeedBands bands);
    void setLook(double lineWidth, bool rawBehindSmoothed); // settings charts/lineWidth, charts/rawBehindSmoothed
    void setFollowing(bool on);
    [[nodiscard]] bool isFollowing() const;
    void setReadoutOrder(ReadoutOrder order);
    void resetZoom();
    void zoomBack();
    void zoomBy(double factor);          // around the crosshair or the middle; below 1 shows less
    [[nodiscard]] double xLower() const; // of the visible range, in units of the x axis
    [[nodiscard]] double xUpper() const;
    [[nodiscard]] double yLower() const;
    [[nodiscard]] double yUpper() const;
    void setRange(double xLower, double xUpper, double yLower, double yUpper); // a zoom of the user's

    // --- crosshair and pins
    void setCrosshair(double step); // snaps to the nearest step of a visible line; not a number: off
    [[nodiscard]] double crosshair() const;
    [[nodiscard]] std::vector<ReadoutRow> readout() const; // all visible lines at the crosshair
    void togglePin(double step);                           // up to four
    [[nodiscard]] std::vector<double> pins() const;

    // --- table, exports
    void setTableShown(bool shown); // `chartDataTable` instead of the plot
    [[nodiscard]] bool isTableShown() const;
    struct ExportOptions {
        bool visibleRange = true; // or all points
        bool smoothed = false;    // or raw
        double scale = 1;         // of a PNG: 1, 2, 4
    };
    [[nodiscard]] QImage image(double scale) const; // plot with title and legend
    Status exportPng(const QString& file, const ExportOptions& options) const;
    Status exportPdf(const QString& file, const ExportOptions& options) const;
    Status exportCsv(const QString& file, const ExportOptions& options) const;
    void copyToClipboard() const;

    // Smoothing, log, x axis, seed bands, hidden lines, readout order: for Settings::setViewState.
    [[nodiscard]] QVariantMap viewState() const;
    void restoreViewState(const QVariantMap& state);

    [[nodiscard]] double replotTime() const; // of the last frame, milliseconds
    void replotNow();                        // what the next frame would draw

Q_SIGNALS:
    void viewStateChanged();
    void crosshairMoved(double step);
    void followingChanged(bool on);
    void seriesClicked(const QString& id);
    void fullPageRequested(); // F11 or double click on the title

protected:
    void changeEvent(QEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void build(const QString& name);
    void wire();
    void updateLayout(); // what is shown beside the plot
    void updateWords();  // legend, readout, description and notes after a frame
    void updateTable();
    void placeControls();
    void askExport(const QString& kind, double scale);
    void moveCrosshair(int by); // steps of the data

    std::unique_ptr<ChartData> m_data;
    std::unique_ptr<ChartParts> m_parts;
};

} // namespace qw::ui
