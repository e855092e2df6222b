// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/scheme_list.h"

#include "config/presets.h"

#include <QFont>

namespace qw::ui {
namespace {

QString bitsWords(const records::QatBlock& block) {
    QStringList parts;
    if (block.weight) {
        QString words = QStringLiteral("int%1").arg(block.weight->bits);
        if (block.weight->granularity == records::Granularity::PerGroup) words += QStringLiteral(" g%1").arg(block.weight->groupSize);
        parts << SchemeList::tr("%1 weights").arg(words);
    }
    if (block.activation) parts << SchemeList::tr("int%1 activations").arg(block.activation->bits);
    if (block.embedding) parts << SchemeList::tr("int%1 embedding").arg(block.embedding->bits);
    return parts.isEmpty() ? SchemeList::tr("quantizes nothing") : parts.join(QStringLiteral(", "));
}

} // namespace

SchemeList::SchemeList(SchemeDraft& draft, QObject* parent) : QAbstractListModel(parent), m_draft(draft) {
    fill();
    connect(&draft, &SchemeDraft::schemesChanged, this, &SchemeList::fill);
}

void SchemeList::fill() {
    std::vector<Row> rows;
    const auto heading = [&](const QString& words) { rows.push_back({Section::Heading, words, {}, {}, -1}); };
    const auto runtimesOf = [](const std::string& preset) {
        for (const auto& one : config::schemePresets())
            if (preset == one.name) return text(one.runtimes);
        return QString();
    };
    const auto& own = m_draft.recipe().schemes;
    if (!own.empty()) heading(tr("In this study"));
    for (size_t i = 0; i < own.size(); ++i) {
        const auto reading = config::readScheme(m_draft.recipe(), own[i]);
        rows.push_back({Section::Own, text(own[i].name), reading.problem.empty() ? bitsWords(reading.qat) : tr("cannot be used as it is"),
                        runtimesOf(reading.qat.preset), static_cast<int>(i)});
    }
    const QStringList saved = m_draft.saved().names();
    if (!saved.isEmpty()) heading(tr("Saved by you"));
    for (const QString& name : saved)
        if (const auto entry = m_draft.saved().read(name)) {
            const auto reading = config::readScheme(m_draft.recipe(), *entry);
            rows.push_back({Section::Saved, name, bitsWords(reading.qat), runtimesOf(reading.qat.preset), -1});
        }
    heading(tr("Presets"));
    for (const auto& one : config::schemePresets())
        rows.push_back({Section::Preset, text(one.name), text(one.summary), text(one.runtimes), -1});
    if (rows.size() == m_rows.size()) { // the selection stays where it is
        for (size_t i = 0; i < rows.size(); ++i) {
            if (rows[i] == m_rows[i]) continue;
            m_rows[i] = rows[i];
            Q_EMIT dataChanged(index(static_cast<int>(i)), index(static_cast<int>(i)));
        }
        return;
    }
    beginResetModel();
    m_rows = std::move(rows);
    endResetModel();
}

int SchemeList::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

SchemeList::Section SchemeList::section(const QModelIndex& index) const {
    return index.isValid() ? m_rows[static_cast<size_t>(index.row())].section : Section::Heading;
}

QVariant SchemeList::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const Row& row = m_rows[static_cast<size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole:
        return row.name;
    case Qt::ToolTipRole:
        return row.section == Section::Heading || row.runtimes.isEmpty() ? row.summary
                                                                         : tr("%1\nRuns on: %2").arg(row.summary, row.runtimes);
    case Qt::AccessibleTextRole:
        return row.summary.isEmpty() ? row.name : row.name + QStringLiteral(": ") + row.summary;
    case SectionRole:
        return static_cast<int>(row.section);
    case SummaryRole:
        return row.summary;
    case RuntimesRole:
        return row.runtimes;
    case OwnIndexRole:
        return row.own;
    default:
        return {};
    }
}

bool SchemeList::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::EditRole || section(index) != Section::Own) return false;
    m_draft.rename(m_rows[static_cast<size_t>(index.row())].own, value.toString());
    return true;
}

Qt::ItemFlags SchemeList::flags(const QModelIndex& index) const {
    if (!index.isValid() || section(index) == Section::Heading) return Qt::NoItemFlags;
    const Qt::ItemFlags usual = Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemNeverHasChildren;
    return section(index) == Section::Own ? usual | Qt::ItemIsEditable : usual;
}

QModelIndex SchemeList::find(Section section, const QString& name) const {
    for (size_t i = 0; i < m_rows.size(); ++i)
        if (m_rows[i].section == section && m_rows[i].name == name) return index(static_cast<int>(i));
    return {};
}

QModelIndex SchemeList::shown() const {
    if (m_draft.isEmpty()) return {};
    if (!m_draft.isOwn()) {
        const QModelIndex preset = find(Section::Preset, m_draft.name());
        return preset.isValid() ? preset : find(Section::Saved, m_draft.name());
    }
    for (size_t i = 0; i < m_rows.size(); ++i)
        if (m_rows[i].own == m_draft.index()) return index(static_cast<int>(i));
    return {};
}

} // namespace qw::ui
