// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/sweep.h"

#include "client/project.h"
#include "config/scheme_entry.h"
#include "study/members.h"

#include <QCoreApplication>
#include <QLocale>
#include <QRegularExpression>
#include <QStringList>
#include <algorithm>
#include <cmath>

namespace qw::ui {
namespace {

constexpr int64_t kMostInRange = 1000;

QString tr(const char* text) { return QCoreApplication::translate("Sweep", text); }

Error wrong(const QString& part, const QString& what) {
    return Error{"config.invalid", utf8(tr("“%1” is %2").arg(part, what)), utf8(tr("separate values by commas")), "", false};
}

QStringList parts(const QString& text) {
    QStringList found;
    for (const QString& part : text.split(QRegularExpression(QStringLiteral("[,;]")), Qt::SkipEmptyParts))
        if (!part.trimmed().isEmpty()) found << part.trimmed();
    return found;
}

template<class T> void addOnce(std::vector<T>& all, T value) {
    if (std::ranges::find(all, value) == all.end()) all.push_back(value);
}

// One variant: what its name gets behind the scheme's, and what its entry gets on top.
struct Variant {
    QString suffix;
    std::vector<std::string> sets;
};

std::vector<Variant> variants(const Sweep& sweep) {
    std::vector<Variant> all{{}};
    const auto cross = [&all](const auto& values, const auto& one) {
        if (values.empty()) return;
        std::vector<Variant> next;
        for (const Variant& before : all)
            for (const auto value : values) {
                Variant made = before;
                one(made, value);
                next.push_back(std::move(made));
            }
        all = std::move(next);
    };
    cross(sweep.bits, [](Variant& v, int64_t bits) {
        v.suffix += QStringLiteral("-w%1").arg(bits);
        v.sets.push_back("weight.dtype=int" + std::to_string(bits));
    });
    cross(sweep.groupSizes, [](Variant& v, int64_t size) {
        v.suffix += QStringLiteral("-g%1").arg(size);
        v.sets.push_back("weight.granularity=per_group");
        v.sets.push_back("weight.group_size=" + std::to_string(size));
    });
    cross(sweep.rates, [](Variant& v, double rate) {
        const QString number = QString::number(rate, 'g', 6);
        v.suffix += QStringLiteral("-lr") + number;
        v.sets.push_back("optim.lr=" + utf8(number));
    });
    return all;
}

} // namespace

Result<std::vector<int64_t>> wholeNumbers(const QString& text, int64_t least, int64_t most) {
    static const QRegularExpression range(QStringLiteral("^(\\d+)\\s*(?:-|–|\\.\\.)\\s*(\\d+)$"));
    std::vector<int64_t> all;
    for (const QString& part : parts(text)) {
        const auto match = range.match(part);
        bool good = true;
        const int64_t first = match.hasMatch() ? match.captured(1).toLongLong(&good) : part.toLongLong(&good);
        const int64_t last = match.hasMatch() && good ? match.captured(2).toLongLong(&good) : first;
        if (!good) return wrong(part, tr("no whole number"));
        if (first < least || last > most || last < first)
            return wrong(part, tr("outside of %1 to %2").arg(QLocale().toString(qlonglong(least)), QLocale().toString(qlonglong(most))));
        if (last - first >= kMostInRange) return wrong(part, tr("a range of too many values"));
        for (int64_t value = first; value <= last; ++value) addOnce(all, value);
    }
    return all;
}

Result<std::vector<double>> learningRates(const QString& text) {
    std::vector<double> all;
    for (const QString& part : parts(text)) {
        bool good = false;
        const double value = QLocale::c().toDouble(part, &good);
        if (!good || !std::isfinite(value) || value <= 0) return wrong(part, tr("no learning rate"));
        addOnce(all, value);
    }
    return all;
}

Result<records::Recipe> sweptRecipe(const records::Recipe& recipe, const Sweep& sweep) {
    if (recipe.schemes.empty())
        return Error{"config.invalid", utf8(tr("the study has no scheme to vary")), utf8(tr("choose one on the page Scheme first")), "",
                     false};
    records::Recipe out = recipe;
    out.schemes.clear();
    for (const records::SchemeEntry& scheme : recipe.schemes)
        for (const Variant& variant : variants(sweep)) {
            const std::string name = scheme.name + utf8(variant.suffix);
            if (std::ranges::any_of(out.schemes, [&](const records::SchemeEntry& other) { return other.name == name; }))
                return Error{"config.invalid", utf8(tr("two variants would be called %1").arg(ui::text(name))),
                             utf8(tr("rename one of the schemes")), "", false};
            QW_TRY(auto made, config::withSets(scheme, name, variant.sets));
            if (const auto reading = config::readScheme(recipe, made); !reading.problem.empty())
                return Error{"config.invalid", name + ": " + (reading.key.empty() ? "" : reading.key + " ") + reading.problem, "", "",
                             false};
            out.schemes.push_back(std::move(made));
        }
    if (!sweep.seeds.empty()) out.seeds = sweep.seeds;
    return out;
}

Result<SweepCost> costOf(const records::Recipe& swept, const std::optional<Forecast>& before) {
    QW_TRY(const auto members, study::expand(swept));
    SweepCost cost;
    cost.rows = static_cast<int>(members.size());
    cost.trained = static_cast<int>(std::ranges::count_if(members, [](const study::Member& member) {
        return member.run.role == records::RowRole::FloatTrained || member.run.role == records::RowRole::Qat;
    }));
    if (!before) return cost;
    if (before->seconds && before->trained > 0) cost.seconds = *before->seconds / before->trained * cost.trained;
    const auto kept = static_cast<double>(swept.checkpoint.keep + (swept.checkpoint.loadBestAtEnd ? 1 : 0));
    cost.diskBytes = cost.trained * (kept * static_cast<double>(before->stateBytes) + static_cast<double>(before->modelBytes));
    return cost;
}

} // namespace qw::ui
