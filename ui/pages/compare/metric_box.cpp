// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/compare/metric_box.h"

#include <QSignalBlocker>
#include <algorithm>

namespace qw::ui {

MetricBox::MetricBox(QWidget* parent) : QComboBox(parent) {
    setSizeAdjustPolicy(QComboBox::AdjustToContents);
    setAccessibleName(tr("Metric"));
    setToolTip(tr("The metric that is drawn"));
}

void MetricBox::fill(const Comparison& comparison) {
    const QString before = currentData().toString();
    const QSignalBlocker quiet(this);
    clear();
    for (const auto& column : comparison.table.columns)
        addItem(text(column.task + " " + column.metric), text(column.task + "." + column.metric));
    int at = findData(before);
    if (at < 0) at = findData(text(comparison.table.verdict.metric));
    setCurrentIndex(std::max(at, comparison.table.columns.empty() ? -1 : 0));
}

} // namespace qw::ui
