// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/export_models.h"

#include "client/project.h"
#include "models/run_texts.h"
#include "theme/theme.h"

#include <QDateTime>
#include <QDir>
#include <QLocale>
#include <limits>

namespace qw::ui {
namespace {

using formats::Fidelity;

QIcon iconOf(Fidelity fidelity) {
    const Theme& theme = Theme::instance();
    switch (fidelity) {
    case Fidelity::Exact:
        return theme.icon(QStringLiteral("check"), Token::Good);
    case Fidelity::NearExact:
        return theme.icon(QStringLiteral("info"), Token::Info);
    case Fidelity::Lossy:
        return theme.icon(QStringLiteral("warning"), Token::Warning);
    case Fidelity::Unsupported:
        return theme.icon(QStringLiteral("close"), Token::Muted);
    }
    return {};
}

int rightIf(bool number) { return static_cast<int>((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter); }

} // namespace

FormatsModel::FormatsModel(QObject* parent) : QAbstractTableModel(parent) {}

void FormatsModel::setVerdicts(std::vector<FormatVerdict> verdicts) {
    if (verdicts.size() != formats::formats().size()) verdicts.clear();
    m_verdicts = std::move(verdicts);
    Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
}

void FormatsModel::forget(bool judging) {
    m_judging = judging;
    setVerdicts({});
}

const formats::Format* FormatsModel::format(int row) const {
    return row >= 0 && row < rowCount() ? formats::formats()[static_cast<size_t>(row)] : nullptr;
}

const formats::Verdict* FormatsModel::verdict(int row) const {
    return row >= 0 && row < static_cast<int>(m_verdicts.size()) ? &m_verdicts[static_cast<size_t>(row)].verdict : nullptr;
}

int FormatsModel::rowOf(const QString& name) const {
    for (int row = 0; row < rowCount(); ++row)
        if (name == QLatin1String(format(row)->name)) return row;
    return -1;
}

int FormatsModel::best() const {
    for (const Fidelity wanted : {Fidelity::Exact, Fidelity::NearExact, Fidelity::Lossy})
        for (int row = 0; row < static_cast<int>(m_verdicts.size()); ++row)
            if (verdict(row)->fidelity == wanted) return row;
    return 0;
}

int FormatsModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(formats::formats().size()); }
int FormatsModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QString FormatsModel::shown(int row, int column) const {
    if (column == Format) return text(format(row)->title);
    const formats::Verdict* v = verdict(row);
    if (!v) return column == Weights && m_judging ? tr("judging…") : QString();
    const bool can = v->fidelity != Fidelity::Unsupported;
    switch (column) {
    case Weights:
        return fidelityText(v->fidelity);
    case Size:
        return can ? sizeText(static_cast<double>(v->bytes)) : QStringLiteral("–");
    case RunsOn:
        return can ? text(v->runsOn) : text(v->why);
    default:
        return {};
    }
}

QVariant FormatsModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const formats::Verdict* v = verdict(index.row());
    switch (role) {
    case Qt::DisplayRole:
    case Qt::AccessibleTextRole:
        return shown(index.row(), index.column());
    case Qt::DecorationRole:
        return v && index.column() == Weights ? QVariant(iconOf(v->fidelity)) : QVariant();
    case Qt::ForegroundRole:
        return v && v->fidelity == Fidelity::Unsupported ? QVariant(Theme::instance().colour(Token::Muted)) : QVariant();
    case Qt::ToolTipRole: {
        QString tip = text(format(index.row())->about);
        if (v) tip += QLatin1Char('\n') + fidelityText(v->fidelity) + QStringLiteral(": ") + text(v->why);
        return tip;
    }
    case Qt::TextAlignmentRole:
        return rightIf(index.column() == Size);
    case NameRole:
        return text(format(index.row())->name);
    case SortRole: // missing values last
        if (index.column() == Size)
            return v && v->fidelity != Fidelity::Unsupported ? static_cast<double>(v->bytes) : std::numeric_limits<double>::infinity();
        if (index.column() == Weights) return v ? static_cast<int>(v->fidelity) : std::numeric_limits<int>::max();
        return shown(index.row(), index.column());
    default:
        return {};
    }
}

QVariant FormatsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    const std::pair<QString, QString> words[ColumnCount] = {
        {tr("Format"), tr("What is written")},
        {tr("Weights"), tr("Whether a reader computes the weights that were trained")},
        {tr("Size"), tr("Forecast of the weight files")},
        {tr("Runs on"), tr("Programs that load it, or why this run cannot be written so")}};
    if (section < 0 || section >= ColumnCount) return {};
    if (role == Qt::TextAlignmentRole) return rightIf(section == Size);
    return role == Qt::DisplayRole   ? QVariant(words[section].first)
           : role == Qt::ToolTipRole ? QVariant(words[section].second)
                                     : QVariant();
}

void PastExportsModel::setExports(std::vector<PastExport> exports) {
    beginResetModel();
    m_exports = std::move(exports);
    endResetModel();
}

void PastExportsModel::replace(int row, const QJsonObject& sheet) {
    if (!at(row)) return;
    PastExport& one = m_exports[static_cast<size_t>(row)];
    one.sheet = sheet;
    one.verified = sheet.value(QLatin1String("verified")).toBool();
    Q_EMIT dataChanged(index(row, 0), index(row, ColumnCount - 1));
}

const PastExport* PastExportsModel::at(int row) const {
    return row >= 0 && row < rowCount() ? &m_exports[static_cast<size_t>(row)] : nullptr;
}

int PastExportsModel::rowOf(const QString& dir) const {
    for (int row = 0; row < rowCount(); ++row)
        if (QDir::cleanPath(at(row)->dir) == QDir::cleanPath(dir)) return row;
    return -1;
}

int PastExportsModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_exports.size()); }
int PastExportsModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant PastExportsModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const PastExport& one = *at(index.row());
    if (role == Qt::TextAlignmentRole) return rightIf(index.column() == Size);
    if (role == Qt::ToolTipRole) return one.missing ? tr("%1\nThe folder is gone: it was moved or deleted.").arg(one.dir) : one.dir;
    if (role == Qt::ForegroundRole) {
        if (one.missing) return Theme::instance().colour(Token::Muted);
        if (index.column() == State) return Theme::instance().colour(one.verified ? Token::Good : Token::Bad);
        return {};
    }
    if (role != Qt::DisplayRole && role != Qt::AccessibleTextRole) return {};
    switch (index.column()) {
    case Format:
        return one.title;
    case State:
        return sheetWord(one);
    case Written:
        return QLocale().toString(QDateTime::fromMSecsSinceEpoch(one.createdMs), QLocale::ShortFormat);
    case Size:
        return sizeText(static_cast<double>(one.bytes));
    case Folder:
        return one.dir;
    default:
        return {};
    }
}

QVariant PastExportsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount) return {};
    const QString words[ColumnCount] = {tr("Format"), tr("State"), tr("Written"), tr("Size"), tr("Folder")};
    if (role == Qt::TextAlignmentRole) return rightIf(section == Size);
    return role == Qt::DisplayRole ? QVariant(words[section]) : QVariant();
}

} // namespace qw::ui
