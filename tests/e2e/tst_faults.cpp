// SPDX-License-Identifier: GPL-3.0-or-later
// What: what a user sees and can do when the engine is killed, the window is killed, or the disk fills up while a study trains.
// Real window, tool and engine on a tiny model; this program run with --window is the window that gets killed.
#include "engine_run.h"
#include "window_driver.h"

#include "widgets/banner.h"

#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QScopeGuard>
#include <QStandardPaths>
#include <QTableView>
#include <QToolButton>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

using namespace qw;
using namespace qw::ui;
namespace fs = std::filesystem;

namespace {

constexpr int kSteps = 1200, kEvery = 100;         // some seconds on quiet processors
constexpr int kSoon = 60'000, kPatience = 300'000; // of a machine that others use too
const QString kStudy = QStringLiteral("faults");

// One training: the QAT run of one scheme, which comes last; nobody works on after it.
void writeRecipe(const fs::path& world, const fs::path& file) {
    auto json = test::tinyRecipe(world, kStudy.toStdString(), kSteps);
    json["schemes"].erase(json["schemes"].begin() + 1, json["schemes"].end());
    json["baseline"] = {{"float", "start"}};
    json["checkpoint"] = {{"every", kEvery}, {"keep", 2}};
    test::writeText(file, json.dump(1));
}

// A recipe dropped on the window and started from the Train page.
void startStudy(const test::WindowDriver& user, const fs::path& recipe) {
    QTRY_VERIFY_WITH_TIMEOUT(user.session.project.isOpen(), kSoon);
    user.drop(recipe);
    QTRY_VERIFY_WITH_TIMEOUT(user.isOn("pageTrain") && user.state() == QLatin1String("ready"), kSoon);
    QTRY_VERIFY_WITH_TIMEOUT(user.find<QPushButton>("startButton")->isEnabled(), kSoon);
    user.click("startButton");
    QTRY_VERIFY_WITH_TIMEOUT(user.isOn("pageLive"), kSoon);
}

// A new mount namespace, so that a small file system can be mounted for this program and its children alone.
bool ownMounts() {
    if (::unshare(CLONE_NEWNS) != 0) return false;
    // Below a changed root "/" is no mount point; what is mounted there is taken off again at the end of its test.
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 || errno == EINVAL;
}
bool g_ownMounts = false;
fs::path g_self; // below a changed root the kernel names it wrongly once the mounts are our own

} // namespace

class FaultsTest : public QObject {
    Q_OBJECT

    test::TempDir m_dir;
    fs::path m_recipe;
    QStringList m_table; // of the undisturbed study

    std::unique_ptr<test::WindowDriver> open(const fs::path& project) {
        return std::make_unique<test::WindowDriver>(m_dir.path() / "settings.ini", project);
    }
    static std::optional<wire::RunFolder> qatRun(const fs::path& project) {
        for (const auto& folder : wire::listRunFolders(project))
            if (const auto identity = wire::readIdentity(folder); identity && identity->role == records::RowRole::Qat) return folder;
        return std::nullopt;
    }
    static int64_t saved(const wire::RunFolder& folder) {
        int64_t step = 0;
        for (const auto& event : test::eventsOf(folder))
            if (const auto* checkpoint = std::get_if<wire::CheckpointSaved>(&event.payload)) step = checkpoint->step;
        return step;
    }
    // Has trained behind a checkpoint and is still at it. A fast run's log gets to the disk with its checkpoints: one step behind is what
    // can be seen of it.
    static bool trains(const std::optional<wire::RunFolder>& folder) {
        if (!folder || !wire::isLive(*folder)) return false;
        const int64_t at = saved(*folder), step = test::stepOf(*folder);
        return at > 0 && step > at && step < kSteps - kEvery;
    }
    // Not QTRY_VERIFY, which asks once more at the end: by then it may be over.
    static bool comesToTrain(const fs::path& project) {
        return QTest::qWaitFor([&] { return trains(qatRun(project)); }, kPatience);
    }
    static Banner* banner(const test::WindowDriver& user) {
        auto* found = user.window->currentPage()->findChild<Banner*>(QStringLiteral("bannerError"));
        return found && found->isVisible() ? found : nullptr;
    }
    static QPushButton* way(const test::WindowDriver& user, const QString& words) {
        if (Banner* shown = banner(user)) {
            const auto buttons = shown->findChildren<QPushButton*>();
            for (QPushButton* button : buttons)
                if (button->text().startsWith(words)) return button;
        }
        return nullptr;
    }
    static QString said(const test::WindowDriver& user) {
        QStringList words;
        if (Banner* shown = banner(user)) {
            words << shown->property("code").toString();
            const auto labels = shown->findChildren<QLabel*>();
            for (const QLabel* label : labels)
                if (label->isVisible() && !label->text().isEmpty()) words << label->text();
            const auto buttons = shown->findChildren<QPushButton*>();
            for (const QPushButton* button : buttons)
                words << QStringLiteral("[%1%2]").arg(button->text(), button->isEnabled() ? QString() : QStringLiteral(", off"));
        }
        return words.join(QStringLiteral(" | "));
    }
    // Every cell that the window shows, without the measured speed.
    static QStringList table(test::WindowDriver& user) {
        QStringList cells;
        user.page(PageId::Compare);
        const auto shown = [&] {
            if (user.isOn("pageCompare") && user.state() == QLatin1String("empty")) user.click("emptyAction");
            return user.isOn("pageCompare") && user.state() == QLatin1String("ready") &&
                   user.find<QTableView>("compareTable")->model()->rowCount() > 4;
        };
        if (!QTest::qWaitFor(shown, kSoon)) {
            qWarning("%s is %s", qPrintable(user.window->currentPage()->objectName()), qPrintable(user.state()));
            if (const auto* view = user.window->findChild<QTableView*>(QStringLiteral("compareTable")))
                for (int row = 0; row < view->model()->rowCount(); ++row)
                    qWarning("  %s", qPrintable(view->model()->index(row, 0).data().toString()));
            return cells;
        }
        const QAbstractItemModel* model = user.find<QTableView>("compareTable")->model();
        for (int row = 0; row < model->rowCount(); ++row)
            for (int column = 0; column < model->columnCount(); ++column)
                if (!model->headerData(column, Qt::Horizontal).toString().contains(QLatin1String("tok")))
                    cells << model->index(row, column).data().toString();
        cells << user.find<QLabel>("verdictLabel")->text();
        return cells;
    }
    static QStringList halfWritten(const fs::path& project) {
        QStringList found;
        for (const auto& entry : fs::recursive_directory_iterator(project)) {
            const std::string name = entry.path().filename().string();
            if (name.find(".tmp.") != std::string::npos) found << test::qt(entry.path());
            if (name.starts_with("step_") && entry.is_directory() && fs::is_empty(entry.path())) found << test::qt(entry.path());
        }
        return found;
    }
    // Where the curve that the window draws is not 1, 2, … kSteps; empty: it is.
    static QString gaps(const test::WindowDriver& user) {
        const auto steps = user.lossSteps();
        QString found;
        for (size_t i = 0; i < steps.size(); ++i)
            if (steps[i] != (i == 0 ? 0 : steps[i - 1]) + 1)
                found += QStringLiteral(" %1 behind %2").arg(steps[i]).arg(i == 0 ? 0 : steps[i - 1]);
        if (steps.empty() || steps.back() != kSteps) found += QStringLiteral(" ends at %1").arg(steps.empty() ? 0 : steps.back());
        return found;
    }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(test::makeTinyWorld(m_dir.path() / "world").ok());
        m_recipe = m_dir.path() / "faults.yaml";
        writeRecipe(m_dir.path() / "world", m_recipe);
        auto user = open(m_dir.path() / "calm");
        startStudy(*user, m_recipe);
        QTRY_VERIFY_WITH_TIMEOUT(user->isDone(kStudy), kPatience);
        m_table = table(*user);
        QVERIFY2(m_table.size() > 10, qPrintable(m_table.join(QLatin1Char('|'))));
    }

    void killOfTheEngine() {
        const fs::path project = m_dir.path() / "engine";
        auto user = open(project);
        startStudy(*user, m_recipe);
        QVERIFY(comesToTrain(project));
        const auto folder = *qatRun(project);
        QCOMPARE(::kill(static_cast<pid_t>(wire::readLockHolder(folder.lock()).pid), SIGKILL), 0);
        QTRY_VERIFY_WITH_TIMEOUT(banner(*user), kSoon);
        QCOMPARE(user->state(), QStringLiteral("error"));
        const auto offered = [&] {
            return way(*user, QStringLiteral("Resume from step")) && way(*user, QStringLiteral("Resume"))->isEnabled();
        };
        const bool resumable = QTest::qWaitFor(offered, kSoon);
        qInfo("%s", qPrintable(said(*user)));
        QVERIFY(resumable);
        const QString code = banner(*user)->property("code").toString();
        QVERIFY2(code == QLatin1String("engine.killed") || code == QLatin1String("engine.lost"), qPrintable(code));
        QVERIFY(way(*user, QStringLiteral("Edit settings")) && way(*user, QStringLiteral("Copy details")));
        QTest::mouseClick(way(*user, QStringLiteral("Resume")), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(user->isDone(kStudy), kPatience);
        QTRY_COMPARE_WITH_TIMEOUT(gaps(*user), QString(), kSoon);
        QCOMPARE(user->state(), QStringLiteral("ready"));
        QVERIFY(!banner(*user));
        QCOMPARE(table(*user), m_table);
        QCOMPARE(halfWritten(project), QStringList());
    }

    void killOfTheWindow() {
        const fs::path project = m_dir.path() / "window";
        auto environment = test::testEnvironment();
        environment.insert(QStringLiteral("QT_QPA_PLATFORM"), QStringLiteral("offscreen"));
        QProcess first;
        first.setProcessEnvironment(environment);
        first.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        first.start(test::qt(g_self),
                    {QStringLiteral("--window"), test::qt(m_dir.path() / "first.ini"), test::qt(project), test::qt(m_recipe)});
        QVERIFY(first.waitForStarted());
        QTRY_VERIFY_WITH_TIMEOUT(std::ranges::any_of(wire::listRunFolders(project), [](const auto& f) { return wire::isLive(f); }),
                                 kPatience);
        ::kill(static_cast<pid_t>(first.processId()), SIGKILL);
        QVERIFY(first.waitForFinished());
        // The program itself, as a user starts it, on the study that goes on.
        const auto second = test::startProgram(
            "qat-workbench",
            {QStringLiteral("--project"), test::qt(project), QStringLiteral("--settings"), test::qt(m_dir.path() / "second.ini")},
            environment);
        QVERIFY(comesToTrain(project));
        QCOMPARE(second->state(), QProcess::Running);
        const auto folder = *qatRun(project);
        const int64_t engine = wire::readLockHolder(folder.lock()).pid;
        ::kill(static_cast<pid_t>(second->processId()), SIGKILL);
        QVERIFY(second->waitForFinished());
        QCOMPARE(::kill(static_cast<pid_t>(engine), 0), 0); // works on

        auto user = open(project);
        user->page(PageId::Live);
        QTRY_VERIFY_WITH_TIMEOUT(user->live().run().uid() == QString::fromStdString(wire::readIdentity(folder)->uid), kSoon);
        QTRY_VERIFY_WITH_TIMEOUT(user->isDone(kStudy), kPatience);
        QTRY_COMPARE_WITH_TIMEOUT(gaps(*user), QString(), kSoon);
        QCOMPARE(test::countOf<wire::Attempt>(test::eventsOf(folder)), 1); // nobody started it twice
        QCOMPARE(table(*user), m_table);
    }

    void fullDisk() {
        if (!g_ownMounts) QSKIP("needs the right to mount a small file system");
        const fs::path disk = m_dir.path() / "disk";
        fs::create_directories(disk);
        // 256 MB that a checkpoint keeps free, 64 MB ballast, and room for the project.
        if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=400m") != 0) QSKIP("needs the right to mount a small file system");
        const auto away = qScopeGuard([&] { ::umount2(disk.c_str(), MNT_DETACH); });
        const fs::path project = disk / "project";
        auto user = open(project);
        startStudy(*user, m_recipe);
        QVERIFY(comesToTrain(project));
        fillUp(disk);
        const auto paused = [&] { return user->live().run().status().state == records::RunState::Paused; };
        QTRY_VERIFY_WITH_TIMEOUT(paused(), kSoon);
        QTRY_VERIFY_WITH_TIMEOUT(anyBanner(*user, QStringLiteral("disk.full")), kSoon);
        qInfo("%s", qPrintable(anyBanner(*user, QStringLiteral("disk.full"))->accessibleName() + QStringLiteral(" | ") +
                               anyBanner(*user, QStringLiteral("disk.full"))->accessibleDescription()));
        QCOMPARE(halfWritten(project), QStringList());
        fs::remove(disk / "filler");
        auto* resume = user->find<QToolButton>("pauseButton");
        QTRY_VERIFY_WITH_TIMEOUT(resume->isEnabled() && resume->text().contains(QLatin1String("Resume")), kSoon);
        QTest::mouseClick(resume, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(user->isDone(kStudy), kPatience);
        QTRY_COMPARE_WITH_TIMEOUT(gaps(*user), QString(), kSoon);
        QCOMPARE(table(*user), m_table);
        QCOMPARE(halfWritten(project), QStringList());
    }

private:
    static void fillUp(const fs::path& disk) {
        const int file = ::open((disk / "filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        const std::vector<char> block(1 << 20, 'x');
        while (::write(file, block.data(), block.size()) > 0) {
        }
        while (::write(file, block.data(), 512) > 0) {
        }
        ::close(file);
    }
    static Banner* anyBanner(const test::WindowDriver& user, const QString& code) {
        const auto all = user.window->findChildren<Banner*>();
        for (Banner* one : all)
            if (one->isVisible() && one->property("code").toString() == code) return one;
        return nullptr;
    }
};

int main(int argc, char** argv) {
    QStandardPaths::setTestModeEnabled(true);
    qputenv("QTEST_FUNCTION_TIMEOUT", "1100000"); // the deadlines here are our own
    g_self = fs::read_symlink("/proc/self/exe");
    for (const auto& [name, program] : {std::pair{"QATW_TOOL", "qatw"}, {"QATW_ENGINE", "qat-engine"}})
        if (!qEnvironmentVariableIsSet(name)) qputenv(name, QByteArray::fromStdString(g_self.parent_path() / program));
    g_ownMounts = ownMounts(); // while there is one thread
    QCoreApplication::setOrganizationName(QStringLiteral("qat-workbench"));
    QCoreApplication::setApplicationName(QStringLiteral("qat-workbench"));
    QApplication app(argc, argv);
    if (argc == 5 && std::string_view(argv[1]) == "--window") {
        test::WindowDriver user(argv[2], argv[3]);
        startStudy(user, argv[4]);
        return QApplication::exec();
    }
    FaultsTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_faults.moc"
