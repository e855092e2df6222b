// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/single_run.h"

#include "base/build_info.h"
#include "base/files.h"
#include "config/recipe_file.h"

namespace qw::drive {

Result<wire::RunFolder> makeRun(const std::filesystem::path& project, records::RunIdentity& identity, const records::Recipe& recipe,
                                const std::string& recipeText) {
    identity.buildId = std::string(buildId());
    QW_TRY(const wire::RunFolder folder, wire::createRunFolder(project, identity));
    const std::string resolved = config::writeRecipe(recipe);
    QW_CHECK(writeFileAtomic(folder.config(), recipeText.empty() ? resolved : recipeText));
    QW_CHECK(writeFileAtomic(folder.resolvedConfig(), resolved));
    return folder;
}

} // namespace qw::drive
