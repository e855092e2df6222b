// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/config_diff.h"

#include <QFont>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>

namespace qw::ui {
namespace {

QString none() { return QStringLiteral("–"); }

QString scalar(const QJsonValue& value) {
    switch (value.type()) {
    case QJsonValue::Bool:
        return value.toBool() ? QStringLiteral("true") : QStringLiteral("false");
    case QJsonValue::Double:
        return QString::number(value.toDouble(), 'g', 9);
    case QJsonValue::String:
        return value.toString();
    default:
        return none();
    }
}

void flatten(const QString& key, const QJsonValue& value, QMap<QString, QString>& out) {
    const QString dot = key.isEmpty() ? QString() : key + QLatin1Char('.');
    if (value.isObject()) {
        const QJsonObject object = value.toObject();
        for (auto at = object.begin(); at != object.end(); ++at) flatten(dot + at.key(), at.value(), out);
    } else if (value.isArray()) {
        const QJsonArray list = value.toArray();
        const bool plain = std::all_of(list.begin(), list.end(), [](const auto& one) { return !one.isObject() && !one.isArray(); });
        QStringList words;
        for (qsizetype i = 0; i < list.size(); ++i) {
            if (plain)
                words << scalar(list[i]);
            else
                flatten(QStringLiteral("%1[%2]").arg(key).arg(i), list[i], out);
        }
        if (plain) out.insert(key, words.isEmpty() ? none() : words.join(QStringLiteral(", ")));
    } else if (!key.isEmpty())
        out.insert(key, scalar(value));
}

} // namespace

QMap<QString, QString> flattenConfig(const QByteArray& json) {
    QMap<QString, QString> values;
    flatten({}, QJsonDocument::fromJson(json).object(), values);
    return values;
}

void ConfigDiff::setSides(std::vector<Side> sides) {
    beginResetModel();
    m_sides = std::move(sides);
    QStringList names;
    for (const Side& side : m_sides) names << side.values.keys();
    names.sort();
    names.removeDuplicates();
    m_keys.clear();
    m_differing = 0;
    for (const QString& name : names) {
        Key key{name};
        for (const Side& side : m_sides)
            key.differs = key.differs || side.values.value(name, none()) != m_sides.front().values.value(name, none());
        m_differing += key.differs;
        m_keys.push_back(key);
    }
    choose();
    endResetModel();
}

void ConfigDiff::setAllShown(bool all) {
    if (all == m_all) return;
    beginResetModel();
    m_all = all;
    choose();
    endResetModel();
}

void ConfigDiff::choose() {
    m_shown.clear();
    std::ranges::copy_if(m_keys, std::back_inserter(m_shown), [this](const Key& key) { return m_all || key.differs; });
}

int ConfigDiff::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_shown.size()); }
int ConfigDiff::columnCount(const QModelIndex& parent) const {
    return parent.isValid() || m_sides.empty() ? 0 : static_cast<int>(m_sides.size()) + 1;
}

QVariant ConfigDiff::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const Key& key = m_shown[static_cast<size_t>(index.row())];
    if (role == DiffersRole) return key.differs;
    if (role == Qt::FontRole && key.differs && m_all) {
        QFont bold;
        bold.setBold(true);
        return bold;
    }
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole) return {};
    if (index.column() == 0) return key.name;
    return m_sides[static_cast<size_t>(index.column() - 1)].values.value(key.name, none());
}

QVariant ConfigDiff::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole || section < 0 || section >= columnCount()) return {};
    return section == 0 ? tr("Key") : m_sides[static_cast<size_t>(section - 1)].title;
}

} // namespace qw::ui
