// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/queue_model.h"

#include "client/project.h"
#include "study/study_file.h"

#include <QLocale>
#include <QMimeData>
#include <algorithm>

namespace qw::ui {
namespace {

constexpr quintptr kTop = ~quintptr{0};
const char* const kMime = "application/x-qatw-queue-row";

QueueMember memberOf(const study::Row& row, const Snapshot& snapshot, bool driven) {
    QueueMember member;
    member.id = text(row.member.id);
    member.name = text(row.member.run.name);
    member.run = text(row.runUid);
    member.baseline = row.member.run.role == records::RowRole::Ptq;
    member.reused = row.reused;
    const RunFacts* run = row.runUid.empty() ? nullptr : snapshot.run(member.run);
    if (!run) return member;
    member.state = runWord(run->info, driven);
    if (run->info.totalSteps > 0 && isActive(member.state))
        member.progress = static_cast<double>(run->info.step) / static_cast<double>(run->info.totalSteps);
    if (run->info.error && member.state != RunWord::Done) member.error = text(run->info.error->message);
    return member;
}

} // namespace

int QueueStudy::count(RunWord word) const { return static_cast<int>(std::ranges::count(members, word, &QueueMember::state)); }
bool QueueStudy::isActive() const {
    return std::ranges::any_of(members, [](const QueueMember& member) { return qw::ui::isActive(member.state); });
}

QStringList queueOrder(const Snapshot& snapshot) {
    return snapshot.flags.value(QStringLiteral("queue.order")).split(QLatin1Char(' '), Qt::SkipEmptyParts);
}

std::vector<QueueStudy> queueOf(const Snapshot& snapshot) {
    const QStringList order = queueOrder(snapshot);
    std::vector<std::pair<qsizetype, QueueStudy>> placed;
    for (auto facts = snapshot.studies.rbegin(); facts != snapshot.studies.rend(); ++facts) { // oldest first
        const QString uid = text(facts->info.uid);
        const qsizetype place = order.indexOf(uid);
        if (facts->info.dir.empty() || (place < 0 && !facts->driven)) continue;
        QueueStudy study{uid, text(facts->info.name), text(facts->info.dir.string()), facts->driven, {}};
        if (const auto opened = study::openStudy(facts->info.dir))
            for (const auto& row : opened->rows) study.members.push_back(memberOf(row, snapshot, facts->driven));
        placed.emplace_back(place < 0 ? order.size() : place, std::move(study));
    }
    std::ranges::stable_sort(placed, {}, [](const auto& one) { return one.first; });
    std::vector<QueueStudy> found;
    for (auto& [place, study] : placed) found.push_back(std::move(study));
    return found;
}

void QueueModel::setStudies(std::vector<QueueStudy> studies, bool paused) {
    const auto shape = [](const std::vector<QueueStudy>& list) {
        QStringList words;
        for (const QueueStudy& study : list) words << study.uid + QLatin1Char(':') + QString::number(study.members.size());
        return words;
    };
    if (shape(studies) != shape(m_studies)) {
        beginResetModel();
        m_studies = std::move(studies);
        m_paused = paused;
        endResetModel();
        return;
    }
    if (studies == m_studies && paused == m_paused) return;
    m_studies = std::move(studies);
    m_paused = paused;
    if (m_studies.empty()) return;
    Q_EMIT dataChanged(index(0, 0), index(static_cast<int>(m_studies.size()) - 1, 1));
    for (size_t i = 0; i < m_studies.size(); ++i) {
        const QModelIndex top = index(static_cast<int>(i), 0);
        if (!m_studies[i].members.empty())
            Q_EMIT dataChanged(index(0, 0, top), index(static_cast<int>(m_studies[i].members.size()) - 1, 1, top));
    }
}

const QueueStudy* QueueModel::studyAt(const QModelIndex& index) const {
    if (!index.isValid()) return nullptr;
    const auto row = static_cast<size_t>(index.internalId() == kTop ? index.row() : static_cast<int>(index.internalId()));
    return row < m_studies.size() ? &m_studies[row] : nullptr;
}

void QueueModel::move(int from, int to) {
    const int last = static_cast<int>(m_studies.size()) - 1;
    if (from < 0 || from > last || to < 0 || to > last || from == to) return;
    QStringList uids;
    for (const QueueStudy& study : m_studies) uids << study.uid;
    uids.move(from, to);
    Q_EMIT orderWanted(uids);
}

QModelIndex QueueModel::index(int row, int column, const QModelIndex& parent) const {
    if (!hasIndex(row, column, parent)) return {};
    return createIndex(row, column, parent.isValid() ? static_cast<quintptr>(parent.row()) : kTop);
}

QModelIndex QueueModel::parent(const QModelIndex& child) const {
    return !child.isValid() || child.internalId() == kTop ? QModelIndex() : createIndex(static_cast<int>(child.internalId()), 0, kTop);
}

int QueueModel::rowCount(const QModelIndex& parent) const {
    if (!parent.isValid()) return static_cast<int>(m_studies.size());
    return parent.internalId() == kTop && parent.column() == 0
               ? static_cast<int>(m_studies[static_cast<size_t>(parent.row())].members.size())
               : 0;
}
int QueueModel::columnCount(const QModelIndex&) const { return 2; }

QVariant QueueModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    if (index.internalId() == kTop) return studyData(m_studies[static_cast<size_t>(index.row())], index.row(), index.column(), role);
    return memberData(m_studies[index.internalId()].members[static_cast<size_t>(index.row())], index.column(), role);
}

QVariant QueueModel::studyData(const QueueStudy& study, int row, int column, int role) const {
    const int done = study.count(RunWord::Done), failed = study.count(RunWord::Failed), total = static_cast<int>(study.members.size());
    const bool active = study.isActive();
    const RunWord state = active                     ? RunWord::Training
                          : m_paused && study.driven ? RunWord::Paused
                          : study.driven             ? RunWord::Queued
                          : failed > 0               ? RunWord::Failed
                          : done == total            ? RunWord::Done
                                                     : RunWord::Interrupted;
    if (role == UidRole) return study.uid;
    if (role == StateRole) return column == 0 ? QVariant(static_cast<int>(state)) : QVariant();
    if (role == Qt::ToolTipRole) {
        if (!study.driven)
            return failed > 0 ? tr("Nobody works on it; Retry starts what failed again") : tr("Nobody works on it; Retry continues it");
        return active     ? tr("%1 is being worked on").arg(study.name)
               : m_paused ? tr("The queue is paused")
               : row > 0  ? tr("Waits for the studies above it")
                          : tr("Starts its next job now");
    }
    if (role != Qt::DisplayRole && role != Qt::AccessibleTextRole) return {};
    if (column == 0) return study.name;
    QString words = tr("%1 of %2 done").arg(QLocale().toString(done), QLocale().toString(total));
    if (failed > 0) words += tr(", %1 failed").arg(QLocale().toString(failed));
    if (!active && study.driven) words += m_paused ? tr(", paused") : tr(", waiting");
    if (!study.driven && done < total) words += tr(", at rest");
    return words;
}

QVariant QueueModel::memberData(const QueueMember& member, int column, int role) const {
    if (role == UidRole) return member.run;
    if (role == StateRole) return column == 0 ? QVariant(static_cast<int>(member.state)) : QVariant();
    if (role == ProgressRole) return column == 1 && member.progress >= 0 ? QVariant(member.progress) : QVariant();
    if (role == Qt::ToolTipRole) {
        if (!member.error.isEmpty()) return member.error;
        return member.baseline ? tr("Added automatically: the PTQ baseline of the scheme")
               : member.reused ? tr("Served by a run of another study")
                               : QVariant();
    }
    if (role != Qt::DisplayRole && role != Qt::AccessibleTextRole) return {};
    if (column == 0) return member.baseline ? tr("%1 · baseline").arg(member.name) : member.name;
    QString words = member.state == RunWord::Queued ? tr("Waiting") : wordText(member.state);
    if (member.progress >= 0)
        words += QLatin1Char(' ') + QLocale().toString(static_cast<int>(100 * member.progress + 1e-9)) + QStringLiteral(" %");
    return member.reused ? words + tr(" (reused)") : words;
}

QVariant QueueModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    return section == 0 ? tr("Study") : tr("State");
}

Qt::ItemFlags QueueModel::flags(const QModelIndex& index) const {
    if (!index.isValid()) return Qt::ItemIsDropEnabled; // between the studies
    const Qt::ItemFlags flags = Qt::ItemIsEnabled | Qt::ItemIsSelectable;
    return index.internalId() == kTop ? flags | Qt::ItemIsDragEnabled : flags | Qt::ItemNeverHasChildren;
}

QStringList QueueModel::mimeTypes() const { return {QString::fromLatin1(kMime)}; }

QMimeData* QueueModel::mimeData(const QModelIndexList& indexes) const {
    if (indexes.isEmpty() || indexes.front().internalId() != kTop) return nullptr;
    auto* data = new QMimeData;
    data->setData(QString::fromLatin1(kMime), QByteArray::number(indexes.front().row()));
    return data;
}

bool QueueModel::dropMimeData(const QMimeData* data, Qt::DropAction action, int row, int, const QModelIndex& parent) {
    if (action != Qt::MoveAction || !data->hasFormat(QString::fromLatin1(kMime))) return false;
    const int from = data->data(QString::fromLatin1(kMime)).toInt();
    int to = row >= 0 && !parent.isValid() ? row : parent.isValid() ? parent.row() : static_cast<int>(m_studies.size());
    if (to > from) --to; // the row leaves its place first
    move(from, to);
    return false; // the snapshot brings the new order; the view must remove nothing itself
}

} // namespace qw::ui
