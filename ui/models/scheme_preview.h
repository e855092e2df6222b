// SPDX-License-Identifier: GPL-3.0-or-later
// What: round-to-nearest of the shown scheme on the real weights, in the background: first a sample, then all; the newest question wins.
// Limits: above kExactLimit elements only the chosen layer is computed exactly, the others keep the answer of their sample.
#pragma once

#include "checkpoint/weight_preview.h"
#include "client/session.h"
#include "models/layer_tree.h"
#include "models/model_weights.h"
#include "models/scheme_facts.h"

#include <QElapsedTimer>

namespace qw::ui {

class SchemePreview : public QObject {
    Q_OBJECT
public:
    static constexpr int kBins = 160;
    static constexpr qint64 kExactLimit = 400'000'000;
    explicit SchemePreview(Session& session, QObject* parent = nullptr);

    // layer: module that the picture is of; empty or unknown: the first quantized one.
    void ask(const records::QatBlock& block, records::DType type, const QString& layer);
    void stop();
    void setHeld(bool held); // nothing is computed while nobody looks; the last question waits
    [[nodiscard]] const SchemeFacts& facts() const { return m_facts; }
    [[nodiscard]] QString layer() const { return m_layer; }
    [[nodiscard]] const std::optional<checkpoint::LayerPicture>& picture() const { return m_picture; }
    [[nodiscard]] const QHash<QString, LayerError>& errors() const { return m_errors; }
    [[nodiscard]] QString howSure() const;                           // "sampled 65 536 of 4.2 M", "all 4.2 M values"
    [[nodiscard]] qint64 firstAnswerMs() const { return m_firstMs; } // of the last question; -1: none yet
    [[nodiscard]] const std::optional<Error>& problem() const { return m_problem; }

Q_SIGNALS:
    void factsChanged();
    void pictureChanged(); // sampled, then exact
    void errorsChanged();
    void finished(); // nothing more will come for the last question

private:
    using Picture = Result<checkpoint::LayerPicture>;
    using Errors = Result<QHash<QString, LayerError>>;
    void askPicture(qint64 limit);
    void askErrors(qint64 limit);
    void picked(const Picture& got, qint64 limit);
    [[nodiscard]] const LayerFact* chosen() const;
    [[nodiscard]] checkpoint::PreviewJob job(const LayerFact& fact, qint64 limit) const;
    [[nodiscard]] qint64 quantizedElements() const;
    Session& m_session;
    std::shared_ptr<ModelWeights> m_weights = std::make_shared<ModelWeights>(); // of the compute thread
    WeightsOf m_of;
    records::QatBlock m_block;
    records::DType m_type = records::DType::F32;
    SchemeFacts m_facts;
    QString m_wanted, m_layer;
    std::optional<checkpoint::LayerPicture> m_picture;
    QHash<QString, LayerError> m_errors;
    std::optional<Error> m_problem;
    QElapsedTimer m_since;
    qint64 m_firstMs = -1;
    bool m_held = false, m_waiting = false;
};

[[nodiscard]] QString countText(double n); // "65 536", "4.2 M"

} // namespace qw::ui
