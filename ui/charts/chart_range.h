// SPDX-License-Identifier: GPL-3.0-or-later
// What: the visible window of a chart: following the data, or zoomed by the user, with the way back.
// Why here: plain, so that "new data never resets a zoom" is tested without a window.
#pragma once

#include <vector>

namespace qw::ui {

struct ChartWindow {
    double xLower = 0, xUpper = 1, yLower = 0, yUpper = 1;
    bool operator==(const ChartWindow&) const = default;
};

class ChartRange {
public:
    [[nodiscard]] const ChartWindow& window() const { return m_window; }
    [[nodiscard]] bool isFollowing() const { return m_following; }
    [[nodiscard]] bool canGoBack() const { return !m_back.empty(); }

    void fit(const ChartWindow& data);   // the data's own window; taken while following
    void reset(const ChartWindow& data); // follows again and forgets the way back

    // The user's zoom. Steps of one gesture (wheel turns in a row, a drag) pass the same number and are one step back.
    void zoom(const ChartWindow& window, int gesture);
    void freeze(int gesture);                                        // stays where it is, in the same window
    void back(const ChartWindow& data);                              // the window before the last gesture; the first one followed
    void setWindow(const ChartWindow& window) { m_window = window; } // without a step: the axes have changed their meaning
    void forget() { m_back.clear(); }

    // factor < 1 shows less; (fx, fy) in 0 to 1 is the place that stays where it is. log: y is a logarithmic axis.
    [[nodiscard]] static ChartWindow scaled(ChartWindow window, double factorX, double factorY, double fx, double fy, bool log);
    // By shares of the window.
    [[nodiscard]] static ChartWindow moved(ChartWindow window, double dx, double dy, bool log);
    // Room around the data's smallest and largest value, so that no line lies on the frame.
    static void padY(ChartWindow& window, bool log);

private:
    struct Step {
        ChartWindow window;
        bool following = false;
    };
    ChartWindow m_window;
    std::vector<Step> m_back;
    bool m_following = true;
    int m_gesture = -1;
};

} // namespace qw::ui
