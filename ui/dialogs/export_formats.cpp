// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialogs/export_formats.h"

#include <QCoreApplication>

namespace qw::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("Export", text); }

// Weights in the model's own type: what the source has.
qint64 plainBytes(const RunFacts& run) { return run.info.model ? run.info.model->bytes : run.modelBytes; }
QString needsCodes(const RunFacts& run) { return run.nativeBytes > 0 ? QString() : tr("this run has no quantized weights"); }
QString needsLatent(const RunFacts& run) {
    return run.modelBytes > 0 ? QString() : tr("this run trained nothing, so it has no latent weights");
}

} // namespace

const std::vector<ExportFormat>& exportFormats() {
    static const std::vector<ExportFormat> table{
        {QStringLiteral("hf"), tr("Hugging Face, dequantized weights"),
         tr("Exact: every weight is the value of its stored code. Loads in transformers, vLLM and whatever reads safetensors; as large as "
            "the float model."),
         needsCodes, plainBytes},
        {QStringLiteral("hf-latent"), tr("Hugging Face, latent weights"),
         tr("The float weights that QAT trained, not quantized yet: for another quantizer with the same grid."), needsLatent,
         [](const RunFacts& run) { return qint64(run.modelBytes); }},
        {QStringLiteral("native"), tr("QAT Workbench, codes and scales"),
         tr("Exact and small: codes, scales and zero points in safetensors. Loads in QAT Workbench and its plugins."), needsCodes,
         [](const RunFacts& run) { return qint64(run.nativeBytes); }},
    };
    return table;
}

} // namespace qw::ui
