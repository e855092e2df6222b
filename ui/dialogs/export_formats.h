// SPDX-License-Identifier: GPL-3.0-or-later
// What: the formats that the export dialog offers. A later one is one line of the table.
#pragma once

#include "client/snapshot.h"

#include <functional>

namespace qw::ui {

struct ExportFormat {
    QString name;                                   // of `qatw export --format`
    QString title;                                  // in the list
    QString about;                                  // what is in it, and who loads it
    std::function<QString(const RunFacts&)> whyNot; // empty: this run can be written so
    std::function<qint64(const RunFacts&)> bytes;   // forecast
};
[[nodiscard]] const std::vector<ExportFormat>& exportFormats();

} // namespace qw::ui
