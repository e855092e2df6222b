// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/user_schemes.h"

#include "base/files.h"
#include "client/project.h"
#include "config/scheme_entry.h"

#include <QDir>
#include <QStandardPaths>
#include <QUrl>

namespace qw::ui {

UserSchemes::UserSchemes(const QString& folder)
    : m_folder(folder.isEmpty() ? QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QStringLiteral("/schemes") : folder) {
}

// A name may hold any letter; in the file's name those that a path does not like are written as %XX.
QString UserSchemes::file(const QString& name) const {
    return m_folder + QLatin1Char('/') + QString::fromLatin1(QUrl::toPercentEncoding(name)) + QStringLiteral(".yaml");
}

QStringList UserSchemes::names() const {
    QStringList out;
    for (const QString& one : QDir(m_folder).entryList({QStringLiteral("*.yaml")}, QDir::Files, QDir::Name))
        out << QUrl::fromPercentEncoding(one.chopped(5).toLatin1());
    return out;
}

Result<records::SchemeEntry> UserSchemes::read(const QString& name) const {
    QW_TRY(const std::string yaml, readFile(utf8(file(name)), uint64_t{1} << 20));
    return config::parseScheme(yaml, utf8(name));
}

Status UserSchemes::write(const records::SchemeEntry& entry) {
    QW_CHECK(makeDirs(utf8(m_folder)));
    return writeFileAtomic(utf8(file(text(entry.name))), config::schemeYaml(entry));
}

Status UserSchemes::remove(const QString& name) {
    if (!QFile::remove(file(name)))
        return Error{
            "file.io", utf8(QStringLiteral("%1 cannot be deleted").arg(file(name))), "look at the rights of the folder", {}, false};
    return {};
}

} // namespace qw::ui
