// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/start/file_actions.h"

#include "config/recipe_file.h"
#include "config/resources.h"
#include "store/project.h"

#include <QDir>
#include <QFileDialog>
#include <QStandardPaths>

namespace qw::ui {
namespace {

// Where dialogs start: the folder of what was opened last, else the home folder.
QString startFolder(const Session& session, bool project) {
    for (const RecentItem& item : session.recent.items())
        if (item.isProject == project) return QFileInfo(item.path).absolutePath();
    return QStandardPaths::writableLocation(QStandardPaths::HomeLocation);
}

void ask(QWidget* parent, const QString& title, const QString& folder, QFileDialog::FileMode mode, const QString& filter,
         std::function<void(const QString&)> done) {
    auto* dialog = new QFileDialog(parent, title, folder);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(mode);
    if (mode == QFileDialog::Directory) dialog->setOption(QFileDialog::ShowDirsOnly);
    if (!filter.isEmpty()) dialog->setNameFilter(filter);
    QObject::connect(dialog, &QFileDialog::fileSelected, parent, [done = std::move(done)](const QString& path) { done(path); });
    dialog->open();
}

void refuse(Session& session, const QString& message, const QString& hint) {
    Q_EMIT session.notice(Error{"file.not_found", utf8(message), utf8(hint), "", false});
}

void openProject(Session& session, const QString& path) {
    if (QFileInfo::exists(path + QStringLiteral("/project.qatw")))
        session.openPath(path);
    else
        refuse(session, QObject::tr("there is no project in %1").arg(path),
               QObject::tr("choose a folder with project.qatw, or make a new project"));
}

void newProject(Session& session, const QString& path) {
    const QDir dir(path);
    if (dir.exists() && !dir.isEmpty() && !dir.exists(QStringLiteral("project.qatw")))
        return refuse(session, QObject::tr("%1 is not empty").arg(path), QObject::tr("choose a new folder for the project"));
    session.project.open(path);
}

} // namespace

QString sampleProject() { return text((store::defaultProject().parent_path() / "sample").string()); }

void openSample(Session& session) {
    const auto folder = config::resourcesDir() / "sample";
    session.compute.request<Result<config::RecipeFile>>(
        QStringLiteral("start/sample"), [file = folder / "study.yaml"](const CancelFlag&) { return config::loadRecipe(file); }, &session,
        [&session](Result<config::RecipeFile> file) {
            if (!file) {
                Q_EMIT session.notice(file.error());
                return;
            }
            session.project.open(sampleProject());
            session.draft.replace(QObject::tr("sample recipe"), file->recipe); // its model is opened with it
            session.goTo(PageId::Train);
        });
}

void registerFileActions(Session& session, ActionRegistry& actions, QWidget* parent) {
    actions.add({QStringLiteral("file.newProject"),
                 QObject::tr("&New project…"),
                 QStringLiteral("project"),
                 QObject::tr("Make an empty folder for runs and their results."),
                 {QKeySequence(QStringLiteral("Ctrl+N"))}},
                parent, [&session, parent] {
                    ask(parent, QObject::tr("Folder of the new project"), startFolder(session, true), QFileDialog::Directory, {},
                        [&session](const QString& path) { newProject(session, path); });
                });
    actions.add({QStringLiteral("file.openProject"),
                 QObject::tr("Open pro&ject…"),
                 QStringLiteral("open"),
                 QObject::tr("Open a folder with project.qatw: its runs, queue and comparisons."),
                 {QKeySequence(QStringLiteral("Ctrl+Shift+O"))}},
                parent, [&session, parent] {
                    ask(parent, QObject::tr("Open project"), startFolder(session, true), QFileDialog::Directory, {},
                        [&session](const QString& path) { openProject(session, path); });
                });
    actions.add({QStringLiteral("file.openModel"),
                 QObject::tr("&Open model…"),
                 QStringLiteral("model-folder"),
                 QObject::tr("Open a Hugging Face folder with config.json and *.safetensors."),
                 {QKeySequence(QStringLiteral("Ctrl+O"))}},
                parent, [&session, parent] {
                    ask(parent, QObject::tr("Open model folder"), startFolder(session, false), QFileDialog::Directory, {},
                        [&session](const QString& path) { session.openPath(path); });
                });
    actions.add({QStringLiteral("file.sample"),
                 QObject::tr("Try the &sample"),
                 QStringLiteral("sample"),
                 QObject::tr("Open the small model that comes with the program, with four schemes to compare."),
                 {}},
                parent, [&session] { openSample(session); });
    actions.add({QStringLiteral("file.importRecipe"),
                 QObject::tr("&Import recipe…"),
                 QStringLiteral("import"),
                 QObject::tr("Read a recipe of ours, of axolotl, torchtune or the Hugging Face trainer."),
                 {QKeySequence(QStringLiteral("Ctrl+I"))}},
                parent, [&session, parent] {
                    ask(parent, QObject::tr("Import recipe"), startFolder(session, true), QFileDialog::ExistingFile,
                        QObject::tr("Recipes (*.yaml *.yml *.json)"), [&session](const QString& path) {
                            session.goTo(PageId::Train);
                            Q_EMIT session.recipeWanted(path);
                        });
                });
}

} // namespace qw::ui
