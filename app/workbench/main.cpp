// SPDX-License-Identifier: GPL-3.0-or-later
// What: qat-workbench: arguments, settings, session, window.
#include "base/build_info.h"
#include "client/process_engine_client.h"
#include "config/resources.h"
#include "dialogs/dialogs.h"
#include "shell/choose_theme.h"
#include "shell/main_window.h"
#include "shell/shots.h"
#include "store/project.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QTextStream>

using namespace qw;
using namespace qw::ui;

namespace {

// After the first painted frame, once.
class FirstFrame : public QObject {
public:
    FirstFrame(QWidget& window, std::function<void()> then) : QObject(&window), m_then(std::move(then)) { window.installEventFilter(this); }

private:
    bool eventFilter(QObject* watched, QEvent* event) override {
        if (event->type() == QEvent::Paint) {
            watched->removeEventFilter(this);
            QMetaObject::invokeMethod(
                this, [this] { m_then(); }, Qt::QueuedConnection);
        }
        return QObject::eventFilter(watched, event);
    }
    std::function<void()> m_then;
};

// The project to open at start: the one asked for, the last one, or none.
QString startProject(const QCommandLineParser& line, const Settings& settings) {
    if (line.isSet(QStringLiteral("project"))) return QFileInfo(line.value(QStringLiteral("project"))).absoluteFilePath();
    const QString last = settings.viewState(QStringLiteral("window/project")).toString();
    if (settings.value(QStringLiteral("general/reopenProject")).toBool() && !last.isEmpty() &&
        QFileInfo::exists(last + QStringLiteral("/project.qatw")))
        return last;
    return text(store::defaultProject().string());
}

} // namespace

int main(int argc, char** argv) {
    QElapsedTimer sinceStart;
    sinceStart.start();
    QCoreApplication::setOrganizationName(QStringLiteral("qat-workbench"));
    QCoreApplication::setApplicationName(QStringLiteral("qat-workbench"));
    QCoreApplication::setApplicationVersion(text(std::string(version())));
    QGuiApplication::setDesktopFileName(QStringLiteral("qat-workbench"));
    QGuiApplication::setHighDpiScaleFactorRoundingPolicy(Qt::HighDpiScaleFactorRoundingPolicy::PassThrough);
    QApplication app(argc, argv);
    QApplication::setWindowIcon(QIcon(text((config::resourcesDir() / "qat-workbench.svg").string())));

    QCommandLineParser line;
    line.setApplicationDescription(
        QCoreApplication::translate("main", "Which quantization scheme do I ship? The window of QAT Workbench."));
    line.addHelpOption();
    line.addVersionOption();
    line.addPositionalArgument(QStringLiteral("path"), QCoreApplication::translate("main", "a model folder, a project or a recipe to open"),
                               QStringLiteral("[path]"));
    line.addOption({QStringLiteral("project"), QCoreApplication::translate("main", "project folder"), QStringLiteral("DIR")});
    line.addOption({QStringLiteral("settings"), QCoreApplication::translate("main", "settings file instead of the user's own"),
                    QStringLiteral("FILE")});
    line.addOption({QStringLiteral("shots"), QCoreApplication::translate("main", "write a picture of every page in both themes and exit"),
                    QStringLiteral("DIR")});
    line.addOption({QStringLiteral("about"), QCoreApplication::translate("main", "print versions and licences and exit")});
    line.addOption(
        {QStringLiteral("measure-start"), QCoreApplication::translate("main", "print the milliseconds to the first frame and exit")});
    line.process(app);

    Settings settings(line.value(QStringLiteral("settings")));
    chooseTheme(settings, Theme::Sheet::Later);
    ProcessEngineClient engine;
    Session session(settings, engine);
    MainWindow window(session);
    Theme::instance().dress();
    if (line.isSet(QStringLiteral("measure-start")))
        new FirstFrame(window, [&] {
            QTextStream(stdout) << sinceStart.elapsed() << '\n';
            QApplication::exit(0);
        });
    window.show();
    // Everything that reads the disk begins after the first frame is asked for.
    session.project.open(startProject(line, settings));
    const QStringList paths = line.positionalArguments();
    if (!paths.isEmpty()) session.openPath(QFileInfo(paths.front()).absoluteFilePath());
    const bool shots = line.isSet(QStringLiteral("shots")), about = line.isSet(QStringLiteral("about"));
    if (shots || about) {
        QObject::connect(&session.project, &Project::opened, &window, [&, shots] {
            if (shots) {
                auto* pictures =
                    new Shots(session, window, line.value(QStringLiteral("shots")), [](int code) { QApplication::exit(code); });
                pictures->start();
            } else {
                QTextStream(stdout) << aboutText(session) << '\n';
                QApplication::exit(0);
            }
        });
        QObject::connect(&session.project, &Project::failed, &window, [](const Error& error) {
            QTextStream(stderr) << text(error.message) << '\n';
            QApplication::exit(4);
        });
    }
    return QApplication::exec();
}
