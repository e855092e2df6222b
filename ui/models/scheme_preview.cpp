// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/scheme_preview.h"

#include <QLocale>

namespace qw::ui {
namespace {

const QString kPictureTag = QStringLiteral("scheme.picture");
const QString kErrorsTag = QStringLiteral("scheme.errors");

} // namespace

QString countText(double n) {
    const QLocale locale;
    if (n >= 1e9) return locale.toString(n / 1e9, 'f', 1) + QStringLiteral(" G");
    if (n >= 1e6) return locale.toString(n / 1e6, 'f', 1) + QStringLiteral(" M");
    return locale.toString(static_cast<qint64>(n));
}

SchemePreview::SchemePreview(Session& session, QObject* parent) : QObject(parent), m_session(session) {}

void SchemePreview::stop() {
    m_session.compute.cancel(kPictureTag);
    m_session.compute.cancel(kErrorsTag);
}

void SchemePreview::ask(const records::QatBlock& block, records::DType type, const QString& layer) {
    stop();
    m_since.start();
    m_firstMs = -1;
    const auto model = m_session.model.state() == OpenModel::State::Ready ? m_session.model.inspection() : nullptr;
    const bool sameWeights = model != nullptr && !m_facts.synthetic;
    m_of = {model ? utf8(m_session.model.folder()) : std::string(), model};
    m_block = block;
    m_type = type;
    m_wanted = layer;
    m_problem.reset();
    m_facts = schemeFacts(block, type, model.get());
    if (!sameWeights) m_errors.clear();
    Q_EMIT factsChanged();
    const LayerFact* one = chosen();
    m_layer = one ? text(one->matrix.name) : QString();
    if (!one) {
        m_picture.reset();
        m_errors.clear();
        Q_EMIT pictureChanged();
        Q_EMIT errorsChanged();
        Q_EMIT finished();
        return;
    }
    m_waiting = m_held;
    if (!m_held) askPicture(checkpoint::kPreviewSample);
}

void SchemePreview::setHeld(bool held) {
    m_held = held;
    if (held || !m_waiting) return;
    m_waiting = false;
    m_since.start();
    if (chosen()) askPicture(checkpoint::kPreviewSample);
}

const LayerFact* SchemePreview::chosen() const {
    const LayerFact* first = nullptr;
    for (const LayerFact& f : m_facts.layers) {
        if (!f.quantized || (!m_block.weight && !f.matrix.isEmbedding)) continue;
        if (text(f.matrix.name) == m_wanted) return &f;
        if (!first) first = &f;
    }
    return first;
}

checkpoint::PreviewJob SchemePreview::job(const LayerFact& fact, qint64 limit) const {
    return {fact.matrix, fact.matrix.isEmbedding ? *m_block.embedding : *m_block.weight, m_type, limit};
}

qint64 SchemePreview::quantizedElements() const {
    qint64 sum = 0;
    for (const LayerFact& f : m_facts.layers)
        if (f.quantized) sum += f.matrix.rows * f.matrix.cols;
    return sum;
}

void SchemePreview::askPicture(qint64 limit) {
    const LayerFact* one = chosen();
    m_session.compute.request<Picture>(
        kPictureTag,
        [weights = m_weights, of = m_of, job = job(*one, limit)](const CancelFlag& cancelled) -> Picture {
            QW_TRY(auto* source, weights->open(of));
            return checkpoint::pictureLayer(*source, job, kBins, cancelled);
        },
        this, [this, limit](Picture got) { picked(got, limit); });
}

void SchemePreview::picked(const Picture& got, qint64 limit) {
    if (m_firstMs < 0) m_firstMs = m_since.elapsed();
    if (!got) {
        m_picture.reset();
        m_problem = got.error();
        Q_EMIT pictureChanged();
        Q_EMIT finished();
        return;
    }
    m_picture = *got;
    m_errors.insert(m_layer, {got->preview.stats.sqnrDb(), got->preview.exact()});
    Q_EMIT pictureChanged();
    if (limit > 0 && !got->preview.exact())
        askPicture(0);
    else
        askErrors(checkpoint::kPreviewSample);
}

void SchemePreview::askErrors(qint64 limit) {
    std::vector<checkpoint::PreviewJob> jobs;
    for (const LayerFact& f : m_facts.layers)
        if (f.quantized && (f.matrix.isEmbedding || m_block.weight)) jobs.push_back(job(f, limit));
    m_session.compute.request<Errors>(
        kErrorsTag,
        [weights = m_weights, of = m_of, jobs = std::move(jobs)](const CancelFlag& cancelled) -> Errors {
            QW_TRY(auto* source, weights->open(of));
            QHash<QString, LayerError> out;
            for (const auto& job : jobs) {
                QW_TRY(const auto preview, checkpoint::previewLayer(*source, job, cancelled));
                out.insert(text(job.matrix.name), {preview.stats.sqnrDb(), preview.exact()});
            }
            return out;
        },
        this,
        [this, limit](Errors got) {
            if (!got) {
                m_problem = got.error();
                Q_EMIT errorsChanged();
                Q_EMIT finished();
                return;
            }
            const auto exactOne = m_errors.value(m_layer);
            m_errors = *std::move(got);
            if (exactOne.exact) m_errors.insert(m_layer, exactOne);
            Q_EMIT errorsChanged();
            const bool all = std::ranges::all_of(m_errors, [](const LayerError& e) { return e.exact; });
            if (limit > 0 && !all && quantizedElements() <= kExactLimit)
                askErrors(0);
            else
                Q_EMIT finished();
        });
}

QString SchemePreview::howSure() const {
    if (!m_picture) return {};
    const auto& p = m_picture->preview;
    const QString what = p.exact() ? tr("exact: %1 values").arg(countText(double(p.total)))
                                   : tr("sampled %1 of %2").arg(countText(double(p.stats.count)), countText(double(p.total)));
    return m_facts.synthetic ? tr("synthetic weights, %1").arg(what) : what;
}

} // namespace qw::ui
