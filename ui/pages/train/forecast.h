// SPDX-License-Identifier: GPL-3.0-or-later
// What: the engine's plan of a study, read from `qatw plan --json`: the largest member's memory in parts, time of all, what is skipped.
#pragma once

#include "base/result.h"
#include "records/recipe.h"

#include <QByteArray>
#include <QString>
#include <QStringList>
#include <functional>
#include <optional>
#include <vector>

namespace qw::ui {

struct Forecast {
    struct Part {
        QString name;
        qint64 bytes = 0;
    };
    QString member; // that needs most memory
    QString device;
    std::vector<Part> parts;         // those that are not empty
    qint64 total = 0, available = 0; // bytes; available 0: unknown
    qint64 steps = 0;                // of that member
    std::optional<double> seconds;   // training of all members, evaluation not included
    QString timeUnknown;
    int trained = 0;       // members that the plan is of
    qint64 stateBytes = 0; // weights and optimizer state of that member: about what a checkpoint takes
    qint64 modelBytes = 0; // its weights: about what the trained model takes
    QStringList skipped, warnings;

    enum class Fit : uint8_t { Unknown, Good, Tight, Over };
    [[nodiscard]] Fit fit() const; // tight from 85 % of what is available
    [[nodiscard]] double share() const { return available > 0 ? double(total) / double(available) : 0; }
};
[[nodiscard]] Result<Forecast> readForecast(const QByteArray& json);

// What to change when it will not fit, the mildest first; each keeps the size of an update where it can.
struct WayToFit {
    QString text;
    std::function<void(records::Recipe&)> change;
};
[[nodiscard]] std::vector<WayToFit> waysToFit(const records::Recipe& recipe);

// Marks for cadences that never fire within so many steps, by field name.
[[nodiscard]] QString neverFires(double every, qint64 steps);

} // namespace qw::ui
