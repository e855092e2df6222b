// SPDX-License-Identifier: GPL-3.0-or-later
// What: what histogram, bars and points have in common: a title above a themed plot, a picture of it, words for it.
#pragma once

#include <QImage>
#include <QPointF>
#include <QString>
#include <QWidget>

class QLabel;

namespace qw::ui {

class PlotBase;
struct ThemeTable;

class PlainChart : public QWidget {
    Q_OBJECT
public:
    // name: objectName; the plot is "<name>.plot".
    PlainChart(const QString& name, QWidget* parent);
    ~PlainChart() override;
    void setTitle(const QString& title);
    [[nodiscard]] QString title() const;
    [[nodiscard]] QImage image(double scale) const;      // title and plot, in the colours of the screen
    [[nodiscard]] QImage lightImage(double scale) const; // for paper and reports

protected:
    [[nodiscard]] PlotBase& plot() const { return *m_plot; }
    [[nodiscard]] const ThemeTable& theme() const { return *m_theme; }
    void setWords(const QString& words); // accessibleDescription
    virtual void styled() {}             // after the axes took the theme's colours
    [[nodiscard]] virtual QString tipAt(const QPointF& at) const = 0;
    void changeEvent(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void applyTheme(const ThemeTable& theme);
    [[nodiscard]] QImage paint(double scale, const ThemeTable& theme) const;
    QLabel* m_title = nullptr;
    PlotBase* m_plot = nullptr;
    const ThemeTable* m_theme = nullptr;
};

} // namespace qw::ui
