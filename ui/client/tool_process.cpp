// SPDX-License-Identifier: GPL-3.0-or-later
#include "client/tool_process.h"

#include "client/project.h"
#include "drive/locate.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTimer>

namespace qw::ui {
namespace {

constexpr int kTellAgainMs = 1000, kKillMs = 15'000; // a second SIGTERM means now, engine.md 3
constexpr int kLeaveMs = 300;
constexpr qsizetype kKeptErrors = 4096;

} // namespace

ToolProcess::ToolProcess(QStringList arguments, QString recipeText)
    : m_arguments(std::move(arguments)), m_recipeText(std::move(recipeText)) {
    connect(&m_process, &QProcess::readyReadStandardError, this, &ToolProcess::readProgress);
    connect(&m_process, &QProcess::finished, this, &ToolProcess::finish);
    connect(&m_process, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart) finish();
    });
}

ToolProcess::~ToolProcess() {
    m_process.disconnect(this);
    if (m_process.state() == QProcess::NotRunning) return;
    m_process.terminate();
    if (!m_process.waitForFinished(kLeaveMs)) m_process.kill();
}

void ToolProcess::start() {
    const auto tool = drive::findTool();
    if (!tool) {
        Q_EMIT ended(tool.error());
        return;
    }
    if (const Status written = writeRecipe(); !written) {
        Q_EMIT ended(written.error());
        return;
    }
    m_process.start(text(tool->string()), m_arguments);
    m_process.closeWriteChannel();
}

Status ToolProcess::writeRecipe() {
    if (m_recipeText.isNull()) return {};
    m_recipe = std::make_unique<QTemporaryFile>(QDir::tempPath() + QStringLiteral("/qat-workbench-XXXXXX.yaml"));
    const QByteArray bytes = m_recipeText.toUtf8();
    if (!m_recipe->open() || m_recipe->write(bytes) != bytes.size() || !m_recipe->flush())
        return Error{"file.io", utf8(tr("the recipe could not be written to %1").arg(QDir::tempPath())), utf8(tr("free some space there")),
                     utf8(m_recipe->errorString()), true};
    m_arguments.insert(1, m_recipe->fileName());
    return {};
}

void ToolProcess::cancel() {
    m_process.terminate();
    QTimer::singleShot(kTellAgainMs, &m_process, &QProcess::terminate);
    QTimer::singleShot(kKillMs, &m_process, &QProcess::kill);
}

void ToolProcess::readProgress() {
    const QByteArray bytes = m_process.readAllStandardError();
    m_errors = (m_errors + bytes).right(kKeptErrors);
    for (const QByteArray& line : bytes.split('\n'))
        if (const QString sentence = cleaned(QString::fromUtf8(line.trimmed())); !sentence.isEmpty()) Q_EMIT said(sentence);
}

QString ToolProcess::cleaned(QString text) const {
    if (m_recipe) {
        const QFileInfo file(m_recipe->fileName());
        text.replace(file.absoluteFilePath(), tr("recipe")).replace(file.fileName(), tr("recipe"));
    }
    return text;
}

Result<QByteArray> ToolProcess::result() {
    const QByteArray out = m_process.readAllStandardOutput().trimmed();
    const QJsonObject body = QJsonDocument::fromJson(out).object();
    if (body.contains(QLatin1String("error"))) {
        const QJsonObject e = body.value(QLatin1String("error")).toObject();
        const auto field = [&](const char* key) { return utf8(cleaned(e.value(QLatin1String(key)).toString())); };
        Error error{field("code"), field("msg"), field("hint"), "", e.value(QLatin1String("retry")).toBool()};
        const QJsonValue detail = e.value(QLatin1String("detail"));
        if (detail.isObject()) error.detail = QJsonDocument(detail.toObject()).toJson(QJsonDocument::Compact).toStdString();
        return error;
    }
    if (m_process.exitStatus() == QProcess::NormalExit && m_process.exitCode() == 0) return out;
    if (!out.isEmpty() && !body.isEmpty() && m_process.exitStatus() == QProcess::NormalExit) return out; // says itself what failed
    const QString name = m_arguments.value(0);
    const QString how = m_process.error() == QProcess::FailedToStart    ? tr("could not be started: %1").arg(m_process.errorString())
                        : m_process.exitStatus() == QProcess::CrashExit ? tr("died of signal %1").arg(m_process.exitCode())
                                                                        : tr("ended with code %1").arg(m_process.exitCode());
    return Error{"engine.internal", utf8(tr("the command '%1' %2").arg(name, how)), utf8(tr("details has what it said")),
                 utf8(cleaned(QString::fromUtf8(m_errors)).trimmed()), true};
}

void ToolProcess::finish() {
    if (m_process.state() != QProcess::NotRunning) return;
    readProgress();
    Q_EMIT ended(result());
}

} // namespace qw::ui
