// SPDX-License-Identifier: GPL-3.0-or-later
#include "client/session.h"

#include <QDir>
#include <QFileInfo>
#include <QPointer>

namespace qw::ui {
namespace {

void keepFlag(Project& project, const char* key, const QString& value) {
    if (!project.isOpen() || project.snapshot()->readOnly) return;
    project.change([key = std::string(key), value = utf8(value)](store::Store& store) { return store.setFlag(key, value); });
}

} // namespace

Session::Session(Settings& settings, EngineClient& engine, QObject* parent)
    : QObject(parent), settings(settings), engine(engine), draft(undo), recent(settings) {
    connect(&project, &Project::opened, this, &Session::readFlags);
    connect(&project, &Project::opened, this, [this] { recent.note(project.dir(), true); });
    connect(&project, &Project::problem, this, &Session::notice);
    connect(&model, &OpenModel::changed, this, &Session::followModel);
    connect(&draft, &RecipeDraft::changed, this, &Session::followDraft);
}

int Session::command(const QString& title, const QStringList& arguments, QObject* context, OnProgress progress, Reply done) {
    const auto command = std::make_shared<int>(0);
    const int activity = activities.begin(title, [this, command] { engine.cancelCommand(*command); });
    const QPointer<QObject> guard(context); // the activity ends even when nobody waits for the answer any more
    *command = engine.command(
        arguments, this,
        [this, activity, guard, progress = std::move(progress)](const QString& sentence) {
            activities.progress(activity, sentence);
            if (guard && progress) progress(sentence);
        },
        [this, activity, guard, done = std::move(done)](const Result<QByteArray>& reply) {
            activities.end(activity);
            if (guard && done) done(reply);
        });
    return *command;
}

void Session::followModel() {
    if (model.state() != OpenModel::State::Ready) return;
    recent.note(model.folder(), false);
    const std::string folder = utf8(model.folder());
    if (draft.recipe().model.path == folder) return;
    draft.edit(tr("model %1").arg(QFileInfo(model.folder()).fileName()), [&](records::Recipe& recipe) {
        recipe.model = {};
        recipe.model.path = folder;
    });
}

// Only when the path itself is another one: a model that is still being opened must not be closed by an edit elsewhere.
void Session::followDraft() {
    const QString path = text(draft.recipe().model.path);
    if (path == m_draftModel) return;
    m_draftModel = path;
    if (!path.isEmpty() && path != model.folder()) model.open(path);
}

void Session::readFlags() {
    const auto& flags = project.snapshot()->flags;
    m_liveRun = flags.value(QStringLiteral("live.run"));
    m_baseline = flags.value(QStringLiteral("compare.baseline"));
    m_compared = flags.value(QStringLiteral("compare.runs")).split(QLatin1Char(' '), Qt::SkipEmptyParts);
    undo.clear();
    Q_EMIT liveRunChanged();
    Q_EMIT comparisonChanged();
}

void Session::showLive(const QString& run) {
    if (run == m_liveRun) return;
    m_liveRun = run;
    keepFlag(project, "live.run", run);
    Q_EMIT liveRunChanged();
}

void Session::setBaseline(const QString& run) {
    if (run == m_baseline) return;
    m_baseline = run;
    keepFlag(project, "compare.baseline", run);
    Q_EMIT comparisonChanged();
}

void Session::setCompared(const QStringList& runs) {
    if (runs == m_compared) return;
    m_compared = runs;
    keepFlag(project, "compare.runs", runs.join(QLatin1Char(' ')));
    Q_EMIT comparisonChanged();
}

QString Session::whatIs(const QString& path, QString& why) {
    const QFileInfo info(path);
    const QString suffix = info.suffix().toLower();
    if (info.isFile() && suffix == QLatin1String("qatw")) return tr("Open project %1").arg(info.dir().dirName());
    if (info.isFile() && (suffix == QLatin1String("yaml") || suffix == QLatin1String("yml")))
        return tr("Import recipe %1").arg(info.fileName());
    if (info.isDir() && QFileInfo::exists(path + QStringLiteral("/project.qatw"))) return tr("Open project %1").arg(info.fileName());
    why = OpenModel::whyNot(path);
    return why.isEmpty() ? tr("Open model %1").arg(info.fileName()) : QString();
}

void Session::openPath(const QString& path) {
    QString why;
    if (whatIs(path, why).isEmpty()) {
        Q_EMIT notice(Error{"file.not_found", utf8(tr("%1 cannot be opened: %2").arg(path, why)),
                            utf8(tr("choose a model folder, a project or a recipe")), "", false});
        return;
    }
    const QFileInfo info(path);
    const QString suffix = info.suffix().toLower();
    if (info.isFile() && suffix == QLatin1String("qatw"))
        project.open(info.absolutePath());
    else if (info.isFile())
        Q_EMIT recipeWanted(info.absoluteFilePath());
    else if (QFileInfo::exists(path + QStringLiteral("/project.qatw")))
        project.open(info.absoluteFilePath());
    else {
        model.open(info.absoluteFilePath());
        Q_EMIT modelWanted(info.absoluteFilePath());
    }
}

} // namespace qw::ui
