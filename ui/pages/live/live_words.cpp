// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/live/live_words.h"

#include "client/project.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>

namespace qw::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("LiveWords", text); }

QString policyText(const QString& policy) {
    if (policy == QLatin1String("skip")) return tr("Policy taken: skip. The update was left out, training goes on.");
    if (policy == QLatin1String("rollback"))
        return tr("Policy taken: roll back. The run went back to its last checkpoint and leaves this data out.");
    if (policy == QLatin1String("continue")) return tr("Policy taken: continue. Training goes on without this checkpoint.");
    if (policy == QLatin1String("pause")) return tr("Policy taken: pause. The run waits; Resume goes on.");
    return tr("Policy taken: stop. The run ended.");
}

QString recipeWord(const std::string& config, const char* section, const char* key, const char* fallback) {
    const QJsonObject recipe = QJsonDocument::fromJson(QByteArray::fromStdString(config)).object();
    return recipe.value(QLatin1String(section)).toObject().value(QLatin1String(key)).toString(QLatin1String(fallback));
}

bool isActiveState(records::RunState state) {
    return !records::isEnded(state) && state != records::RunState::Created && state != records::RunState::Queued;
}

} // namespace

std::optional<Error> deathOf(const store::RunInfo& run, const QString& lastWords) {
    if (run.state != records::RunState::Failed && run.state != records::RunState::Interrupted) return std::nullopt;
    Error error = run.error ? *run.error : Error{"engine.lost", utf8(tr("the engine is gone without a last word")), "", "", true};
    if (error.code.empty()) error.code = "engine.lost";
    const bool saysWhere = text(error.message).contains(QStringLiteral("step %1").arg(run.step));
    const QString at = run.step > 0 && !saysWhere ? tr(" at step %1").arg(run.step) : QString();
    error.message = utf8((run.state == records::RunState::Failed ? tr("The run failed%1: %2") : tr("The run was interrupted%1: %2"))
                             .arg(at, text(error.message)));
    if (error.code == "train.nonfinite") error.hint = utf8(policyText(QStringLiteral("stop")) + QLatin1Char(' ') + text(error.hint));
    QString detail = text(error.detail);
    if (!lastWords.isEmpty())
        detail +=
            (detail.isEmpty() ? QString() : QStringLiteral("\n\n")) + tr("The last lines of the engine:") + QLatin1Char('\n') + lastWords;
    error.detail = utf8(detail);
    return error;
}

std::optional<Error> policyTaken(const wire::Notice& notice, const store::RunInfo& run) {
    const auto said = [&](const QString& policy) {
        return Error{notice.code, notice.message,
                     utf8(policyText(policy) + (notice.hint.empty() ? QString() : QLatin1Char(' ') + text(notice.hint))), notice.detail,
                     false};
    };
    if (notice.code == "warning.nonfinite_skipped") return said(QStringLiteral("skip"));
    if (notice.code == "warning.rollback") return said(QStringLiteral("rollback"));
    if (notice.code == "train.nonfinite") return said(QStringLiteral("stop"));
    // An error when it was a checkpoint: then the recipe decides. An event log that cannot be written always waits.
    if (notice.code == "disk.full")
        return said(notice.isError ? recipeWord(run.config, "checkpoint", "on_disk_full", "pause") : QStringLiteral("pause"));
    return std::nullopt;
}

Error nonfinitePoint(const store::RunInfo& run, const std::string& curve, int64_t step) {
    const QString policy = recipeWord(run.config, "watchdog", "nonfinite", "rollback");
    return Error{"train.nonfinite", utf8(tr("%1 is not a finite number at step %2").arg(text(curve)).arg(step)), utf8(policyText(policy)),
                 "", false};
}

QString runToFollow(const Snapshot& snapshot) {
    const RunFacts *active = nullptr, *trained = nullptr, *newest = nullptr;
    const auto newer = [](const RunFacts& run, const RunFacts* than) { return !than || run.info.lastEventMs >= than->info.lastEventMs; };
    for (const RunFacts& run : snapshot.runs) {
        if (run.info.trashedMs != 0) continue;
        if (newer(run, newest)) newest = &run;
        if (isActiveState(run.info.state) && newer(run, active)) active = &run;
        const bool hasLoss =
            std::any_of(run.metrics.begin(), run.metrics.end(), [](const auto& metric) { return metric.name == "train.loss"; });
        if (hasLoss && newer(run, trained)) trained = &run;
    }
    const RunFacts* chosen = active ? active : trained ? trained : newest;
    return chosen ? text(chosen->info.identity.uid) : QString();
}

} // namespace qw::ui
