// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/forecast.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocale>

namespace qw::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("Forecast", text); }
QLatin1String key(const char* name) { return QLatin1String(name); }

} // namespace

Forecast::Fit Forecast::fit() const {
    if (available <= 0 || total <= 0) return Fit::Unknown;
    return share() >= 1 ? Fit::Over : share() >= 0.85 ? Fit::Tight : Fit::Good;
}

Result<Forecast> readForecast(const QByteArray& json) {
    const QJsonObject whole = QJsonDocument::fromJson(json).object();
    if (!whole.contains(key("plans")))
        return Error{"engine.protocol", "the forecast could not be read", "check that the program and its engine are of one build",
                     json.left(400).toStdString(), false};
    Forecast out;
    if (whole.contains(key("train_seconds"))) out.seconds = whole[key("train_seconds")].toDouble();
    for (const QJsonValue& warning : whole[key("warnings")].toArray()) out.warnings << warning.toString();
    QJsonObject largest;
    for (const QJsonValue& value : whole[key("plans")].toArray()) {
        const QJsonObject plan = value.toObject();
        if (plan[key("memory_bytes")].toDouble() > largest[key("memory_bytes")].toDouble(-1)) largest = plan;
        for (const QJsonValue& warning : plan[key("warnings")].toArray())
            if (!out.warnings.contains(warning.toString())) out.warnings << warning.toString();
        for (const QJsonValue& layer : plan[key("skipped")].toArray()) {
            const QString line = layer[key("name")].toString() + QStringLiteral(": ") + layer[key("reason")].toString();
            if (!out.skipped.contains(line)) out.skipped << line;
        }
        if (out.timeUnknown.isEmpty()) out.timeUnknown = plan[key("time_unknown")].toString();
    }
    out.member = largest[key("member")].toString();
    out.device = largest[key("device")].toString();
    out.total = static_cast<qint64>(largest[key("memory_bytes")].toDouble());
    out.available = static_cast<qint64>(largest[key("available_bytes")].toDouble());
    out.steps = static_cast<qint64>(largest[key("steps")].toDouble());
    out.trained = static_cast<int>(whole[key("plans")].toArray().size());
    for (const QJsonValue& part : largest[key("memory")].toArray())
        if (const auto bytes = static_cast<qint64>(part[key("bytes")].toDouble()); bytes > 0)
            out.parts.push_back({part[key("name")].toString(), bytes});
    for (const Forecast::Part& part : out.parts) {
        const bool weights = part.name == QLatin1String("weights");
        if (weights) out.modelBytes += part.bytes;
        if (weights || part.name == QLatin1String("optimizer state") || part.name.contains(QLatin1String("master")))
            out.stateBytes += part.bytes;
    }
    return out;
}

std::vector<WayToFit> waysToFit(const records::Recipe& recipe) {
    using records::Recipe;
    std::vector<WayToFit> ways;
    if (recipe.activationCheckpointing == "none")
        ways.push_back({tr("Activation checkpointing"), [](Recipe& r) { r.activationCheckpointing = "layer"; }});
    if (recipe.train.microBatch > 1) {
        const int64_t half = (recipe.train.microBatch + 1) / 2, times = recipe.train.microBatch % 2 == 0 ? 2 : 1;
        ways.push_back({tr("Micro-batch %1, accumulate %2").arg(half).arg(recipe.train.gradAccum * times), [half, times](Recipe& r) {
                            r.train.microBatch = half;
                            r.train.gradAccum *= times;
                        }});
    }
    if (recipe.data.seqLen >= 128)
        ways.push_back({tr("Sequence length %1").arg(recipe.data.seqLen / 2), [](Recipe& r) { r.data.seqLen /= 2; }});
    if (recipe.optim.name == "adamw" && recipe.precision.mode != "bf16_pure")
        ways.push_back({tr("bf16 only"), [](Recipe& r) { r.precision.mode = "bf16_pure"; }});
    return ways;
}

QString neverFires(double every, qint64 steps) {
    if (steps <= 0 || every < 1 || every <= double(steps)) return {};
    return tr("Never fires: the training has %1 steps. The end is evaluated and saved all the same.").arg(QLocale().toString(steps));
}

} // namespace qw::ui
