// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/start/recent_model.h"

#include "theme/theme.h"

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QLocale>

namespace qw::ui {

RecentModel::RecentModel(Session& session, QObject* parent) : QAbstractTableModel(parent), m_session(session) {
    connect(&session.recent, &RecentItems::changed, this, &RecentModel::reload);
    connect(&Theme::instance(), &Theme::changed, this, [this] {
        if (!m_items.isEmpty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
    });
    reload();
}

void RecentModel::reload() {
    beginResetModel();
    m_items = m_session.recent.items();
    endResetModel();
    lookAgain();
}

void RecentModel::lookAgain() {
    m_session.compute.request<QSet<QString>>(
        QStringLiteral("start/recent"),
        [items = m_items](const CancelFlag&) {
            QSet<QString> missing;
            for (const RecentItem& item : items)
                if (!QFileInfo::exists(item.path + (item.isProject ? QStringLiteral("/project.qatw") : QStringLiteral("/config.json"))))
                    missing.insert(item.path);
            return missing;
        },
        this,
        [this](const QSet<QString>& missing) {
            if (missing != m_missing) {
                m_missing = missing;
                if (!m_items.isEmpty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
            }
            Q_EMIT looked();
        });
}

int RecentModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_items.size()); }
int RecentModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant RecentModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= m_items.size()) return {};
    const RecentItem& item = m_items[index.row()];
    const bool missing = m_missing.contains(item.path);
    const QString kind = item.isProject ? tr("Project") : tr("Model");
    switch (role) {
    case Qt::DisplayRole:
        if (index.column() == Name) return missing ? tr("%1 (missing)").arg(item.name()) : item.name();
        if (index.column() == Path) return QDir::toNativeSeparators(item.path);
        return QLocale().toString(QDateTime::fromMSecsSinceEpoch(item.usedMs), QLocale::ShortFormat);
    case Qt::DecorationRole:
        if (index.column() != Name) return {};
        return Theme::instance().icon(item.isProject ? QStringLiteral("project") : QStringLiteral("model"),
                                      missing ? Token::Disabled : Token::Text);
    case Qt::ForegroundRole:
        return missing ? QVariant(Theme::instance().colour(Token::Disabled)) : QVariant();
    case Qt::ToolTipRole:
        return missing ? tr("%1 is not there any more: locate or remove it").arg(item.path) : tr("%1: %2").arg(kind, item.path);
    case Qt::AccessibleTextRole:
        return index.column() == Name ? tr("%1 %2%3").arg(kind, item.name(), missing ? tr(", missing") : QString()) : QVariant();
    default:
        return {};
    }
}

QVariant RecentModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    return QStringList{tr("Name"), tr("Path"), tr("Last used")}.value(section);
}

} // namespace qw::ui
