// SPDX-License-Identifier: GPL-3.0-or-later
// What: what follows from a scheme and a model's shapes alone: decision, width and size of every matrix, totals, and what stands in the
// way. Limits: without a model there is one made-up matrix, so that bits per weight can be said.
#pragma once

#include "checkpoint/inspect.h"
#include "checkpoint/module_plan.h"

#include <QString>
#include <QStringList>
#include <memory>
#include <vector>

namespace qw::ui {

struct LayerFact {
    checkpoint::Matrix matrix;
    bool aimed = false, quantized = false, overridden = false;
    QString scheme; // "int4 g32 sym"; of an excluded layer: what it would get
    QString reason; // why it is not quantized
    double bits = 0;
    [[nodiscard]] qint64 bytes() const { return static_cast<qint64>(bits / 8.0 * double(matrix.rows) * double(matrix.cols)); }
};

struct SchemeFacts {
    bool synthetic = true; // no model is open
    std::vector<LayerFact> layers;
    QStringList indivisible; // modules that the group size does not divide
    double bits = 0;         // per weight, over all matrices aimed at
    qint64 bytes = 0;        // of the native folder's weights; 0: no model
    qint64 plainBytes = 0;   // the same weights in T
    qint64 usualBytes = 0;   // with the same scheme and no overrides
    int quantized = 0, skipped = 0;
    QString code, problem, fix; // why the scheme cannot be used; code: scheme.conflict or what the plan said
};

[[nodiscard]] SchemeFacts schemeFacts(const records::QatBlock& block, records::DType type, const checkpoint::Inspection* model);
[[nodiscard]] checkpoint::Matrix syntheticMatrix(); // 1024 × 4096

} // namespace qw::ui
