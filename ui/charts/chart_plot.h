// SPDX-License-Identifier: GPL-3.0-or-later
// What: the plot of a QatChart: window on the data, gestures, crosshair and pins.
// Limits: inside ui/charts only; pages see QatChart.
#pragma once

#include "charts/chart_data.h"
#include "charts/chart_layers.h"
#include "charts/chart_range.h"
#include "charts/chart_style.h"
#include "charts/plot_base.h"

#include <QElapsedTimer>
#include <optional>

namespace qw::ui {

struct ChartPicture { // everything beside the lines that is drawn
    std::vector<ChartBand> bands;
    std::vector<ChartFlag> flags;
    std::vector<double> pins; // steps
    double crosshair = std::numeric_limits<double>::quiet_NaN();
    QString lifted; // curve under the pointer in the legend
    QString emptyText;
    double lineWidth = 1.5;
    bool rawBehind = true; // the raw line stays behind the smoothed one
    const ThemeTable* theme = nullptr;
};

class ChartPlot : public PlotBase {
    Q_OBJECT
public:
    static constexpr size_t kMostPins = 4;
    ChartPlot(ChartData& data, QWidget* parent);

    [[nodiscard]] const ChartData& data() const { return m_data; }
    [[nodiscard]] const ChartPicture& picture() const { return m_picture; }
    [[nodiscard]] const ThemeTable& theme() const { return *m_picture.theme; }
    [[nodiscard]] const ChartRange& range() const { return m_range; }
    [[nodiscard]] bool logY() const { return m_logY; }
    [[nodiscard]] QRectF box() const; // being dragged; empty: none
    // Where a step lies on the x axis of a curve, and of the chart (its first drawn line); nothing: not on this axis.
    [[nodiscard]] static std::optional<double> xOfStep(const ChartCurve& curve, double step, ChartX axis);
    [[nodiscard]] std::optional<double> xOfStep(double step) const;
    [[nodiscard]] std::optional<double> stepAt(double x) const; // nearest step of any drawn line
    // The next step of any drawn line before or behind this one; not a number starts at the last.
    [[nodiscard]] std::optional<double> stepBeside(double step, int direction) const;
    [[nodiscard]] PixelMap pixelMap(double ratio) const;

    template<typename Change> void change(Change change) { // of the picture
        change(m_picture);
        scheduleReplot();
    }
    void setLogY(bool on);
    void setUnit(const QString& unit);
    void axisChanged(); // another x axis: the old window means nothing any more
    void setFollowing(bool on);
    void resetZoom();
    void zoomBack();
    void zoomBy(double factor);
    void setWindow(const ChartWindow& window); // a gesture of its own
    void setCrosshair(double step);            // snapped; no signal
    void togglePin(double step);
    void applyTheme(const ThemeTable& theme);

    // Into a picture or a page: same window, no crosshair.
    void paintInto(QCPPainter& painter, const QSize& size, const ThemeTable& theme);

Q_SIGNALS:
    void windowChanged();
    void followingChanged(bool on);
    void crosshairMoved(double step); // by the pointer; not a number: it left
    void pinsChanged();

protected:
    void prepare() override; // the window follows the data
    bool event(QEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    enum class Part : uint8_t { Inside, XAxis, YAxis, Outside };
    [[nodiscard]] Part partAt(const QPointF& at) const;
    [[nodiscard]] ChartWindow dataWindow() const;
    [[nodiscard]] QString tipAt(const QPointF& at) const;
    void userZoom(const ChartWindow& window, int gesture);
    void syncAxes();
    void setTickers();
    void drawOverlay();

    ChartData& m_data;
    ChartRange m_range;
    ChartPicture m_picture;
    bool m_logY = false;
    QElapsedTimer m_sinceWheel;
    int m_gesture = 0;
    struct Drag {
        bool on = false, moved = false, box = false;
        Part part = Part::Inside;
        QPointF from, to;
        ChartWindow window;
    } m_drag;
};

} // namespace qw::ui
