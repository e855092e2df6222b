// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/exports.h"

#include "base/files.h"
#include "client/project.h"
#include "config/recipe_file.h"
#include "formats/staging.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLocale>
#include <algorithm>
#include <optional>
#include <unistd.h>

namespace qw::ui {
namespace {

namespace fs = std::filesystem;
using checkpoint::Checkpoint;
using formats::Fidelity;

QString tr(const char* words) { return QCoreApplication::translate("Exports", words); }

formats::Verdict judge(const formats::Format& format, const Result<Checkpoint>& source) {
    if (!source) return formats::unsupported(source.error().message);
    auto verdict = format.check(*source);
    return verdict ? *std::move(verdict) : formats::unsupported(verdict.error().message);
}

QJsonObject line(const QString& name, const QString& value, bool ok) {
    return {{QStringLiteral("name"), name}, {QStringLiteral("value"), value}, {QStringLiteral("ok"), ok}};
}

QString number(int64_t value) { return QLocale().toString(static_cast<qlonglong>(value)); }

} // namespace

Result<ExportSources> exportSources(const store::Store& store, const QString& run) {
    QW_TRY(const auto info, store.run(utf8(run)));
    QW_TRY(auto artifacts, store.artifacts(info.identity.uid));
    auto steps = drive::exportableSteps(info, artifacts);
    return ExportSources{info, std::move(artifacts), std::move(steps)};
}

std::vector<ExportWeights> exportWeights(const ExportSources& sources) {
    const auto has = [&](const char* kind) {
        return std::ranges::find(sources.artifacts, std::string_view(kind), &store::ArtifactInfo::kind);
    };
    const auto model = has("model"), none = sources.artifacts.end();
    const auto recipe = config::parseRecipe(sources.run.config, "config.resolved.json");
    const bool bestAtEnd = recipe && recipe->checkpoint.loadBestAtEnd;
    const bool trained = model != none && model->step >= 0;
    std::vector<ExportWeights> out;
    if (trained)
        out.push_back({drive::kEndOfRun, bestAtEnd ? tr("the end: the lowest evaluation loss of %1 steps").arg(number(model->step))
                                                   : tr("the end: step %1").arg(number(model->step))});
    else
        out.push_back({drive::kEndOfRun, has("native") != none || sources.steps.empty() ? tr("none: the weights were not trained")
                                                                                        : tr("none yet: training has not ended")});
    for (auto at = sources.steps.rbegin(); at != sources.steps.rend(); ++at) {
        if (trained && !bestAtEnd && at->step == model->step) continue; // the end itself
        out.push_back({at->step, at->best ? tr("step %1, the best").arg(number(at->step)) : tr("step %1").arg(number(at->step))});
    }
    return out;
}

std::vector<FormatVerdict> judgeFormats(const ExportSources& sources, int64_t step, const CancelFlag& cancelled) {
    std::vector<FormatVerdict> out;
    std::optional<Result<Checkpoint>> opened[2];
    for (const formats::Format* format : formats::formats()) {
        if (cancelled) break;
        auto& source = opened[format->latent ? 1 : 0];
        if (!source) {
            const auto folder = drive::exportFolder(sources.run, sources.artifacts, *format, step);
            std::error_code error;
            if (!folder)
                source = Result<Checkpoint>(folder.error());
            else if (!fs::exists(*folder, error))
                source = Result<Checkpoint>(
                    Error{"file.missing",
                          utf8(tr("the weights that the run wrote are gone")) + ": " + folder->string() + utf8(tr(" was moved or deleted")),
                          "", "", false});
            else
                source = Checkpoint::open(*folder);
        }
        out.push_back({format, judge(*format, *source)});
    }
    return out;
}

QString fidelityText(Fidelity fidelity) {
    switch (fidelity) {
    case Fidelity::Exact:
        return tr("exact");
    case Fidelity::NearExact:
        return tr("near-exact");
    case Fidelity::Lossy:
        return tr("lossy");
    case Fidelity::Unsupported:
        return tr("unsupported");
    }
    return {};
}

QString formatTitle(const QString& name) {
    for (const formats::Format* format : formats::formats())
        if (name == QLatin1String(format->name)) return text(format->title);
    return name;
}

std::vector<PastExport> pastExports(const std::vector<store::ArtifactInfo>& artifacts) {
    std::vector<PastExport> out;
    for (auto artifact = artifacts.rbegin(); artifact != artifacts.rend(); ++artifact) {
        if (artifact->kind != "export") continue;
        PastExport one;
        one.sheet = QJsonDocument::fromJson(QByteArray::fromStdString(artifact->info)).object();
        one.dir = text(artifact->path);
        one.format = one.sheet.value(QLatin1String("format")).toString();
        one.step = artifact->step;
        one.title = formatTitle(one.format);
        if (one.step != drive::kEndOfRun) one.title += tr(" of step %1").arg(number(one.step));
        one.hash = text(artifact->hash);
        one.bytes = artifact->bytes;
        one.createdMs = artifact->createdMs;
        one.verified = one.sheet.value(QLatin1String("verified")).toBool();
        std::error_code error;
        one.missing = !fs::exists(fs::path(artifact->path), error);
        out.push_back(std::move(one));
    }
    std::ranges::stable_sort(out, std::greater<>(), &PastExport::createdMs);
    return out;
}

QString sheetWord(const PastExport& one) {
    if (one.missing) return tr("? folder is gone");
    return one.verified ? tr("✓ verified") : tr("✗ UNVERIFIED");
}

Result<QJsonObject> checkAgain(const ExportSources& sources, const PastExport& one, const CancelFlag& cancelled) {
    QJsonArray checks;
    const auto finish = [&](bool ok) {
        for (const QJsonValue& before : one.sheet.value(QLatin1String("checks")).toArray()) checks.append(before);
        QJsonObject sheet = one.sheet;
        sheet.insert(QLatin1String("checks"), checks);
        sheet.insert(QLatin1String("verified"), ok && one.verified);
        return sheet;
    };
    const auto written = Checkpoint::open(utf8(one.dir));
    if (!written) {
        checks.append(line(tr("now: the folder can be read"), text(written.error().message), false));
        return finish(false);
    }
    QW_TRY(const formats::Format* format, formats::findFormat(utf8(one.format)));
    QW_TRY(const fs::path folder, drive::exportSource(sources.run, sources.artifacts, *format, one.step));
    QW_TRY(const Checkpoint source, Checkpoint::open(folder));
    QW_TRY(const formats::WeightSheet sheet,
           formats::compareWeights(source, *written, [&](uint64_t, uint64_t) { return !cancelled.load(); }));
    const auto allowed = static_cast<int64_t>(one.sheet.value(QLatin1String("verdict"))[QLatin1String("inexact")].toDouble());
    const bool weights = sheet.different <= allowed;
    QString value = tr("%1 of %2 tensors equal").arg(number(sheet.equal), number(sheet.tensors));
    if (sheet.different > 0)
        value += (sheet.different == 1 ? tr("; %1 group differs, by %2 at most, first in %3")
                                       : tr("; %1 groups differ, by %2 at most, first in %3"))
                     .arg(number(sheet.different), QLocale().toString(sheet.maxAbs, 'g', 4), text(sheet.firstDifferent));
    checks.append(line(tr("now: weights against their source"), value, weights));
    if (cancelled) return Error{"engine.cancelled", utf8(tr("the check was stopped")), "", "", true};
    QW_TRY(const std::string hash, written->fingerprint());
    const bool same = text(hash) == one.hash;
    checks.append(
        line(tr("now: files as they were written"), same ? tr("same checksum") : tr("changed since: the checksum differs"), same));
    return finish(weights && same);
}

TargetFolder lookAtTarget(const QString& path) {
    TargetFolder out;
    std::error_code error;
    const fs::path target = fs::absolute(utf8(path), error).lexically_normal();
    out.path = text(target.string());
    const auto kind = fs::status(target, error).type();
    if (kind != fs::file_type::not_found && kind != fs::file_type::directory) {
        out.problem = tr("%1 is a file, not a folder").arg(out.path);
        return out;
    }
    if (kind == fs::file_type::directory) {
        out.isEmpty = fs::is_empty(target, error);
        out.isExport = formats::isExport(target);
        if (error) out.problem = tr("%1 cannot be read: %2").arg(out.path, text(error.message()));
    }
    fs::path parent = target.parent_path(); // the folder is written beside its target and then renamed
    while (!fs::exists(parent, error) && parent.has_relative_path()) parent = parent.parent_path();
    if (!fs::is_directory(parent, error))
        out.problem = tr("%1 is not a folder").arg(text(parent.string()));
    else if (::access(parent.c_str(), W_OK | X_OK) != 0)
        out.problem = tr("%1 may not be written to").arg(text(parent.string()));
    out.freeBytes = freeBytes(parent);
    return out;
}

} // namespace qw::ui
