// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/run_filter.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>
#include <array>
#include <functional>

namespace qw::ui {
namespace {

QString tr(const char* words) { return QCoreApplication::translate("RunFilter", words); }

enum class Unit : uint8_t { None, Bytes, Seconds, Percent, Date };
struct NumberKey {
    const char* name;
    double RunRow::*field;
    Unit unit;
};
struct TextKey {
    const char* name;
    QString RunRow::*field;
};
constexpr std::array<NumberKey, 11> kNumbers{{{"bits", &RunRow::bits, Unit::None},
                                              {"size", &RunRow::bytes, Unit::Bytes},
                                              {"step", &RunRow::step, Unit::None},
                                              {"loss", &RunRow::loss, Unit::None},
                                              {"eval", &RunRow::bestEval, Unit::None},
                                              {"hellaswag", &RunRow::hellaswag, Unit::Percent},
                                              {"ppl", &RunRow::wordPpl, Unit::None},
                                              {"recovered", &RunRow::recovered, Unit::None},
                                              {"time", &RunRow::seconds, Unit::Seconds},
                                              {"seed", &RunRow::seed, Unit::None},
                                              {"created", nullptr, Unit::Date}}};
constexpr std::array<TextKey, 8> kTexts{{{"name", &RunRow::name},
                                         {"scheme", &RunRow::scheme},
                                         {"model", &RunRow::model},
                                         {"study", &RunRow::study},
                                         {"notes", &RunRow::notes},
                                         {"role", &RunRow::role},
                                         {"uid", &RunRow::uid},
                                         {"tag", nullptr}}};

const NumberKey* numberKey(const QString& key) {
    for (const auto& known : kNumbers)
        if (key == QLatin1String(known.name)) return &known;
    return nullptr;
}
const TextKey* textKey(const QString& key) {
    for (const auto& known : kTexts)
        if (key == QLatin1String(known.name)) return &known;
    return nullptr;
}

QString allKeys() {
    QStringList names{QStringLiteral("state")};
    for (const auto& known : kTexts) names << QString::fromLatin1(known.name);
    for (const auto& known : kNumbers) names << QString::fromLatin1(known.name);
    return names.join(QStringLiteral(", "));
}

// "2GB", "90%", "1.5h", "2026-01-31"; false: no number.
bool readNumber(const QString& value, Unit unit, double& number) {
    if (unit == Unit::Date) {
        const QDate date = QDate::fromString(value, Qt::ISODate);
        number = date.isValid() ? static_cast<double>(date.startOfDay().toMSecsSinceEpoch()) : 0;
        return date.isValid();
    }
    qsizetype digits = 0;
    while (digits < value.size() && (value[digits].isDigit() || QStringLiteral("+-.e").contains(value[digits]))) ++digits;
    bool good = false;
    number = QLocale::c().toDouble(value.left(digits), &good);
    const QString tail = value.mid(digits).trimmed();
    if (!good) return false;
    static const std::pair<const char*, double> bytes[] = {{"b", 1},   {"k", 1e3},  {"kb", 1e3}, {"m", 1e6},  {"mb", 1e6},
                                                           {"g", 1e9}, {"gb", 1e9}, {"t", 1e12}, {"tb", 1e12}};
    static const std::pair<const char*, double> seconds[] = {{"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    if (unit == Unit::Percent && (tail.isEmpty() || tail == QLatin1String("%"))) { // 0.5 and 50 and 50% are one
        if (number > 1 || !tail.isEmpty()) number /= 100;
        return true;
    }
    if (tail.isEmpty() || (unit == Unit::None && tail == QLatin1String("%"))) return true;
    if (unit == Unit::Bytes)
        for (const auto& [name, factor] : bytes)
            if (tail == QLatin1String(name)) return number *= factor, true;
    if (unit == Unit::Seconds)
        for (const auto& [name, factor] : seconds)
            if (tail == QLatin1String(name)) return number *= factor, true;
    return false;
}

bool knownState(const QString& value) {
    for (int i = 0; i <= static_cast<int>(RunWord::Interrupted); ++i)
        if (wordToken(static_cast<RunWord>(i)).startsWith(value)) return true;
    return value == QLatin1String("active");
}

void judge(FilterTerm& term) {
    using Op = FilterTerm::Op;
    if (term.key.isEmpty()) return;
    const bool state = term.key == QLatin1String("state");
    const NumberKey* number = numberKey(term.key);
    const TextKey* words = textKey(term.key);
    term.field = number  ? static_cast<int>(number - kNumbers.data())
                 : words ? static_cast<int>(kNumbers.size() + static_cast<size_t>(words - kTexts.data()))
                         : -1;
    if (!state && !number && !words) {
        term.error = tr("There is no key '%1'; known keys: %2").arg(term.key, allKeys());
    } else if (term.value.isEmpty()) {
        term.error = tr("A value is missing after '%1'").arg(term.key);
    } else if (number) {
        if (term.op == Op::Has) term.op = Op::Equal;
        if (!readNumber(term.value, number->unit, term.number))
            term.error = number->unit == Unit::Date ? tr("'%1' is no date like 2026-01-31").arg(term.value)
                                                    : tr("'%1' is no number").arg(term.value);
    } else if (term.op != Op::Has && term.op != Op::Equal && term.op != Op::NotEqual) {
        term.error = tr("'%1' is text: write %1:value").arg(term.key);
    } else if (state && !knownState(term.value)) {
        term.error = tr("There is no state '%1'").arg(term.value);
    }
}

FilterTerm readTerm(const QString& piece) {
    using Op = FilterTerm::Op;
    FilterTerm term;
    qsizetype at = 0;
    if (piece.size() > 1 && (piece[0] == QLatin1Char('-') || piece[0] == QLatin1Char('!'))) {
        term.negated = true;
        at = 1;
    }
    qsizetype sign = at;
    while (sign < piece.size() && (piece[sign].isLetter() || piece[sign] == QLatin1Char('_'))) ++sign;
    static const std::pair<const char*, Op> signs[] = {{"<=", Op::LessEqual}, {">=", Op::GreaterEqual}, {"!=", Op::NotEqual},
                                                       {"<", Op::Less},       {">", Op::Greater},       {"=", Op::Equal},
                                                       {":", Op::Has}};
    QString value = piece.mid(at);
    if (sign > at)
        for (const auto& [text, op] : signs)
            if (piece.mid(sign).startsWith(QLatin1String(text))) {
                term.key = piece.mid(at, sign - at).toLower();
                term.op = op;
                value = piece.mid(sign + static_cast<qsizetype>(qstrlen(text)));
                break;
            }
    value.remove(QLatin1Char('"'));
    term.value = value.toLower();
    judge(term);
    return term;
}

bool compare(double have, FilterTerm::Op op, double want) {
    using Op = FilterTerm::Op;
    if (have != have) return false; // a missing value is neither below nor above
    switch (op) {
    case Op::Less:
        return have < want;
    case Op::LessEqual:
        return have <= want;
    case Op::Greater:
        return have > want;
    case Op::GreaterEqual:
        return have >= want;
    case Op::NotEqual:
        return have != want;
    case Op::Has:
    case Op::Equal:
        break;
    }
    return have == want;
}

bool holds(const FilterTerm& term, const RunRow& row) {
    using Op = FilterTerm::Op;
    const auto has = [&](const QString& text) { return text.contains(term.value, Qt::CaseInsensitive); };
    const auto fits = [&](const QString& text) {
        return term.op == Op::Has ? has(text) : (text.compare(term.value, Qt::CaseInsensitive) == 0) == (term.op == Op::Equal);
    };
    if (term.key.isEmpty())
        return has(row.name) || has(row.tags) || has(row.notes) || has(row.scheme) || has(row.study) || has(wordText(row.state));
    if (term.field < 0) {
        const bool is = term.value == QLatin1String("active") ? isActive(row.state) : wordToken(row.state).startsWith(term.value);
        return is == (term.op != Op::NotEqual);
    }
    const auto field = static_cast<size_t>(term.field);
    if (field >= kNumbers.size() && !kTexts[field - kNumbers.size()].field) {
        for (const QString& tag : row.tagList)
            if (term.op == Op::Has ? tag.startsWith(term.value, Qt::CaseInsensitive) : tag.compare(term.value, Qt::CaseInsensitive) == 0)
                return term.op != Op::NotEqual;
        return term.op == Op::NotEqual;
    }
    if (field < kNumbers.size()) {
        const NumberKey* key = &kNumbers[field];
        if (key->field) return compare(row.*(key->field), term.op, term.number);
        const double day = 86'400'000.0; // a date means the whole day
        const double from = static_cast<double>(row.createdMs);
        if (term.op == Op::Equal) return from >= term.number && from < term.number + day;
        return compare(term.op == Op::LessEqual || term.op == Op::Greater ? from - day + 1 : from, term.op, term.number);
    }
    return fits(row.*(kTexts[field - kNumbers.size()].field));
}

} // namespace

RunFilter::RunFilter(const QString& text) {
    for (qsizetype at = 0; at < text.size();) {
        if (text[at].isSpace()) {
            ++at;
            continue;
        }
        qsizetype end = at;
        for (bool quoted = false; end < text.size() && (quoted || !text[end].isSpace()); ++end)
            if (text[end] == QLatin1Char('"')) quoted = !quoted;
        FilterTerm term = readTerm(text.mid(at, end - at));
        term.start = at;
        term.length = end - at;
        m_terms.push_back(std::move(term));
        at = end;
    }
}

bool RunFilter::matches(const RunRow& row) const {
    for (const FilterTerm& term : m_terms)
        if (term.error.isEmpty() && holds(term, row) == term.negated) return false;
    return true;
}

QString RunFilter::firstError() const {
    for (const FilterTerm& term : m_terms)
        if (!term.error.isEmpty()) return term.error;
    return {};
}

QString RunFilter::help() {
    return tr("Words, and terms like state:done, bits<5, tag:paper, size<2GB, time>1h, created>=2026-01-31; -tag:old leaves out.\nKeys: %1")
        .arg(allKeys());
}

} // namespace qw::ui
