// SPDX-License-Identifier: GPL-3.0-or-later
// What: labelled bars with whiskers and a line of reference, grouped when there are several values a label.
#pragma once

#include <QString>
#include <QWidget>
#include <limits>
#include <memory>
#include <vector>

namespace qw::ui {

struct Bar {
    QString id, label;
    double value = 0;
    double lower = std::numeric_limits<double>::quiet_NaN(), upper = std::numeric_limits<double>::quiet_NaN(); // of the whisker; NaN: none
    int colour = 0;                                                                                            // Theme::series
    bool faint = false;
    QString tip; // beside the value when the pointer rests on it
};

class BarChart : public QWidget {
    Q_OBJECT
public:
    explicit BarChart(const QString& name, QWidget* parent = nullptr);
    ~BarChart() override;
    void setTitle(const QString& title);
    void setUnit(const QString& unit);
    void setBars(std::vector<Bar> bars);
    void setReference(double value, const QString& label); // the baseline; NaN: none
    void setFromZero(bool on);                             // false: the axis starts near the smallest whisker
    [[nodiscard]] QString selected() const;
    void select(const QString& id);

Q_SIGNALS:
    void barClicked(const QString& id);

protected:
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    struct Parts;
    std::unique_ptr<Parts> m_parts;
};

} // namespace qw::ui
