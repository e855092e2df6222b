// SPDX-License-Identifier: GPL-3.0-or-later
// What: guide, shortcuts, about, diagnostics.
#include "base/build_info.h"
#include "config/resources.h"
#include "dialogs/dialogs.h"
#include "dialogs/shortcut_editor.h"

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QDialog>
#include <QDialogButtonBox>
#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QPushButton>
#include <QScrollBar>
#include <QSysInfo>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("Help", text); }

QDialog* frame(const QString& name, const QString& title, QWidget* parent) {
    auto* dialog = new QDialog(parent);
    dialog->setObjectName(name);
    dialog->setWindowTitle(title);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    new QVBoxLayout(dialog);
    return dialog;
}

void finish(QDialog* dialog, int columns, int lines, const QList<QPushButton*>& more = {}) {
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, dialog);
    for (QPushButton* button : more) buttons->addButton(button, QDialogButtonBox::ActionRole);
    QObject::connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::reject);
    dialog->layout()->addWidget(buttons);
    dialog->resize(dialog->fontMetrics().averageCharWidth() * columns, dialog->fontMetrics().height() * lines);
    dialog->open();
}

// Version, build, libraries; the engine's part comes from the newest run of the open project.
QStringList versions(const Session& session) {
    QStringList lines{QStringLiteral("QAT Workbench %1, build %2").arg(text(std::string(version())), text(std::string(buildId()))),
                      QStringLiteral("Qt %1").arg(QString::fromLatin1(qVersion())), QStringLiteral("QCustomPlot 2.1"),
                      QStringLiteral("%1, %2").arg(QSysInfo::prettyProductName(), QSysInfo::currentCpuArchitecture())};
    QString engine = tr("Engine: not seen yet");
    if (const auto snapshot = session.project.snapshot())
        for (const RunFacts& run : snapshot->runs) {
            const QJsonObject env = QJsonDocument::fromJson(QByteArray::fromStdString(run.info.env)).object();
            if (env.isEmpty()) continue;
            engine = tr("Engine: LibTorch %1, device %2, %3 threads")
                         .arg(env.value(QLatin1String("libtorch")).toString(), env.value(QLatin1String("device")).toString())
                         .arg(env.value(QLatin1String("threads")).toInt());
        }
    return lines << engine;
}

QString licenceText() {
    return tr("QAT Workbench is free software: GNU General Public License, version 3 or later.\n\n"
              "It uses, unchanged:\n"
              "Qt 6: LGPL 3 or GPL 2 and later\n"
              "QCustomPlot: GPL 3 or later (or a commercial licence of its author)\n"
              "LibTorch (PyTorch): BSD 3-clause; libgomp (GCC): GPL 3 or later with the runtime library exception\n"
              "libcudart and libcupti, which LibTorch asks for: NVIDIA's CUDA licence (not free software)\n"
              "SQLite: public domain\n"
              "yaml-cpp, nlohmann-json: MIT\n"
              "ICU: Unicode licence · PCRE2, xxHash, libmd: BSD 2-clause or 3-clause · zlib: zlib licence · CLI11: BSD 3-clause\n"
              "DejaVu fonts: Bitstream Vera licence");
}

} // namespace

QString aboutText(const Session& session) { return versions(session).join(QLatin1Char('\n')) + QStringLiteral("\n\n") + licenceText(); }

void showGuide(const QString& topic, QWidget* parent) {
    QDialog* dialog = frame(QStringLiteral("guideDialog"), tr("Guide"), parent);
    auto* browser = new QTextBrowser(dialog);
    browser->setObjectName(QStringLiteral("guideText"));
    browser->setAccessibleName(tr("Guide"));
    browser->setOpenExternalLinks(false);
    const QDir guide(text((config::resourcesDir() / "guide").string()));
    browser->setSearchPaths({guide.absolutePath()});
    const QString file = guide.filePath(topic + QStringLiteral(".md"));
    if (QFile::exists(file))
        browser->setSource(QUrl::fromLocalFile(file), QTextDocument::MarkdownResource);
    else
        browser->setPlainText(tr("There is no page \"%1\" in the guide at %2.").arg(topic, guide.absolutePath()));
    browser->document()->setDocumentMargin(dialog->fontMetrics().height());
    browser->document()->setIndentWidth(dialog->fontMetrics().height() * 1.5);
    dialog->layout()->addWidget(browser);
    finish(dialog, 100, 36);
}

void showShortcuts(ActionRegistry& actions, QWidget* parent) {
    QDialog* dialog = frame(QStringLiteral("shortcutsDialog"), tr("Shortcuts"), parent);
    dialog->layout()->addWidget(new ShortcutEditor(actions, dialog));
    finish(dialog, 120, 34);
}

void copyDiagnostics(Session& session, bool withPaths) {
    QStringList lines = versions(session);
    if (const auto snapshot = session.project.snapshot()) {
        lines << QStringLiteral("runs %1, studies %2").arg(snapshot->runs.size()).arg(snapshot->studies.size());
        if (withPaths) lines << QStringLiteral("project %1").arg(snapshot->project);
    }
    QApplication::clipboard()->setText(lines.join(QLatin1Char('\n')));
}

void showAbout(Session& session, QWidget* parent) {
    QDialog* dialog = frame(QStringLiteral("aboutDialog"), tr("About QAT Workbench"), parent);
    auto* title = new QLabel(tr("QAT Workbench"), dialog);
    title->setProperty("look", QStringLiteral("title"));
    auto* what = new QLabel(tr("Which quantization scheme do I ship?"), dialog);
    auto* facts = new QLabel(versions(session).join(QLatin1Char('\n')), dialog);
    facts->setObjectName(QStringLiteral("aboutVersions"));
    facts->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* licences = new QTextBrowser(dialog);
    licences->setObjectName(QStringLiteral("aboutLicences"));
    licences->setAccessibleName(tr("Licences"));
    licences->setPlainText(licenceText());
    for (QWidget* widget : std::initializer_list<QWidget*>{title, what, facts, licences}) dialog->layout()->addWidget(widget);
    auto* copy = new QPushButton(tr("Copy diagnostics"), dialog);
    copy->setObjectName(QStringLiteral("copyDiagnosticsButton"));
    auto* paths = new QCheckBox(tr("Diagnostics with the &paths of my folders"), dialog);
    paths->setObjectName(QStringLiteral("diagnosticsPaths"));
    paths->setToolTip(tr("Paths often hold a name; without the tick none is copied"));
    dialog->layout()->addWidget(paths);
    QObject::connect(copy, &QPushButton::clicked, dialog, [&session, paths] { copyDiagnostics(session, paths->isChecked()); });
    finish(dialog, 84, 26, {copy});
}

} // namespace qw::ui
