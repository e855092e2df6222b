// SPDX-License-Identifier: GPL-3.0-or-later
// What: schemes that the user saved for other projects: one YAML file each in the user's data folder.
#pragma once

#include "base/result.h"
#include "records/recipe.h"

#include <QString>
#include <QStringList>

namespace qw::ui {

class UserSchemes {
public:
    explicit UserSchemes(const QString& folder = {}); // empty: the user's own
    [[nodiscard]] QStringList names() const;
    [[nodiscard]] Result<records::SchemeEntry> read(const QString& name) const;
    [[nodiscard]] Status write(const records::SchemeEntry& entry);
    [[nodiscard]] Status remove(const QString& name);

private:
    [[nodiscard]] QString file(const QString& name) const;
    QString m_folder;
};

} // namespace qw::ui
