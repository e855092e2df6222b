// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/run_texts.h"

#include "models/runs_model.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>
#include <array>
#include <cmath>

namespace qw::ui {
namespace {

QString tr(const char* words) { return QCoreApplication::translate("RunsModel", words); }

struct Words {
    const char *title, *help;
};
constexpr std::array<Words, RunsModel::ColumnCount> kColumns{
    {{"Colour", "The run's colour and line in every chart"},
     {"Comparison", "Baseline (star) and compared runs"},
     {"Name", "Name; F2 renames"},
     {"State", "What the run does now, or how it ended"},
     {"Scheme", "Quantization scheme; float runs have none"},
     {"Bits/w", "Bits a weight, scales and zero points included"},
     {"Size", "Bytes of the written weights; \u2248 is a forecast"},
     {"Model", "The folder that the run started from"},
     {"Step", "Optimizer steps done"},
     {"Loss", "Newest training loss, nats a token"},
     {"Best eval", "Lowest loss on the evaluation data, nats a token"},
     {"HellaSwag", "Newest final result of a HellaSwag-like task: acc_norm, or acc where there is no other; percent"},
     {"Word ppl", "Newest final word perplexity of a WikiText-like task"},
     {"Recovered", "Share of the PTQ loss that QAT won back: (QAT \u2212 PTQ) / (float \u2212 PTQ) of the same study"},
     {"Time", "Wall time from the first start to the end"},
     {"Tags", "Words to find runs by; separated by blanks"},
     {"Notes", "Free text"},
     {"Created", "When the run was made"}}};

} // namespace

QString runColumnTitle(int column) { return tr(kColumns[static_cast<size_t>(column)].title); }
QString runColumnHelp(int column) { return tr(kColumns[static_cast<size_t>(column)].help); }

QString fixedText(double value, int digits) { return std::isfinite(value) ? QLocale().toString(value, 'f', digits) : QString(); }

QString runsText(int count) { return count == 1 ? tr("1 run") : tr("%1 runs").arg(QLocale().toString(count)); }

QString sizeText(double bytes) {
    return bytes == bytes ? QLocale().formattedDataSize(static_cast<qint64>(bytes), 2, QLocale::DataSizeSIFormat) : QString();
}

QString durationText(double seconds) {
    if (!(seconds == seconds)) return {};
    const auto whole = static_cast<qint64>(std::llround(seconds));
    if (whole < 60) return tr("%1 s").arg(QLocale().toString(seconds, 'f', whole < 10 ? 1 : 0));
    if (whole < 3600) return tr("%1 min %2 s").arg(whole / 60).arg(whole % 60);
    if (whole < 48 * 3600) return tr("%1 h %2 min").arg(whole / 3600).arg(whole / 60 % 60);
    return tr("%1 d %2 h").arg(whole / 86400).arg(whole / 3600 % 24);
}

QString runText(const RunRow& row, int column) {
    const QLocale locale;
    switch (column) {
    case RunsModel::Name:
        return row.name;
    case RunsModel::State:
        if (row.state == RunWord::Training && row.totalSteps > 0)
            return wordText(row.state) + QLatin1Char(' ') + locale.toString(std::floor(100 * row.step / row.totalSteps), 'f', 0) +
                   QStringLiteral(" %");
        return wordText(row.state);
    case RunsModel::Scheme:
        return row.scheme;
    case RunsModel::Bits:
        return fixedText(row.bits, 2);
    case RunsModel::Size:
        return row.bytes == row.bytes ? (row.bytesForecast ? QStringLiteral("\u2248 ") : QString()) + sizeText(row.bytes) : QString();
    case RunsModel::Model:
        return row.model;
    case RunsModel::Step:
        return row.step != row.step ? QString()
               : row.totalSteps > 0 && row.step < row.totalSteps
                   ? locale.toString(row.step, 'f', 0) + QStringLiteral(" / ") + locale.toString(row.totalSteps, 'f', 0)
                   : locale.toString(row.step, 'f', 0);
    case RunsModel::Loss:
        return fixedText(row.loss, 4);
    case RunsModel::BestEval:
        return fixedText(row.bestEval, 4);
    case RunsModel::HellaSwag:
        return fixedText(100 * row.hellaswag, 2);
    case RunsModel::WordPpl:
        return fixedText(row.wordPpl, 3);
    case RunsModel::Recovered:
        return row.recovered == row.recovered ? fixedText(row.recovered, 1) + QStringLiteral(" %") : QString();
    case RunsModel::Time:
        return durationText(row.seconds);
    case RunsModel::Tags:
        return row.tags;
    case RunsModel::Notes:
        return QString(row.notes).replace(QLatin1Char('\n'), QLatin1Char(' '));
    case RunsModel::Created:
        return row.createdMs > 0 ? locale.toString(QDateTime::fromMSecsSinceEpoch(row.createdMs), QLocale::ShortFormat) : QString();
    default:
        return {};
    }
}

QString runTip(const RunRow& row, int column) {
    switch (column) {
    case RunsModel::Name:
        return row.name + QLatin1Char('\n') + tr("Study %1").arg(row.study.isEmpty() ? tr("none") : row.study) + QLatin1Char('\n') +
               row.uid;
    case RunsModel::State:
        return row.error.isEmpty() ? wordText(row.state) : wordText(row.state) + QLatin1Char('\n') + row.error;
    case RunsModel::Notes:
        return row.notes;
    case RunsModel::Recovered:
        return row.recoveredMetric.isEmpty() ? tr("Needs a float run and a PTQ run of the same study, scheme and seed")
                                             : tr("On %1").arg(row.recoveredMetric);
    case RunsModel::Size:
        return row.bytesForecast ? tr("Forecast; nothing has been written yet") : QString();
    default:
        return {};
    }
}

} // namespace qw::ui
