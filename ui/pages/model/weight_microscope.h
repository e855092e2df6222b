// SPDX-License-Identifier: GPL-3.0-or-later
// What: histogram and statistics of one stored tensor, first from a sample, then of all of it.
#pragma once

#include "checkpoint/weight_preview.h"
#include "client/session.h"
#include "models/model_weights.h"

#include <QWidget>
#include <array>

class QLabel;

namespace qw::ui {

class HistogramChart;

class WeightMicroscope : public QWidget {
    Q_OBJECT
public:
    explicit WeightMicroscope(Session& session, QWidget* parent = nullptr);
    void look(const QString& tensor, qint64 elements); // of the opened model
    void clear(const QString& why);
    [[nodiscard]] bool isExact() const { return m_exact; }

private:
    using Picture = Result<checkpoint::TensorPicture>;
    void ask(qint64 limit);
    void show(const Picture& got);
    using QWidget::show;
    Session& m_session;
    std::shared_ptr<ModelWeights> m_weights = std::make_shared<ModelWeights>(); // of the compute thread
    QString m_tensor;
    qint64 m_elements = 0;
    bool m_exact = false;
    QLabel* m_title = nullptr;
    QLabel* m_sure = nullptr;
    HistogramChart* m_histogram = nullptr;
    std::array<QLabel*, 8> m_values{};
};

} // namespace qw::ui
