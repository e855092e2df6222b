// SPDX-License-Identifier: GPL-3.0-or-later
// What: every page in every state, both themes and two window sizes, and every dialog: nothing clipped, overlapping, nameless or faint.
// Pictures of all of them go to QATW_SHOTS (else to a folder that is removed), with "2x" in their names under QT_SCALE_FACTOR=2.
#include "dialogs/dialogs.h"
#include "runs_fixture.h"
#include "shell/main_window.h"
#include "study_fixture.h"
#include "theme/theme.h"
#include "ui_walk.h"

#include <QComboBox>
#include <QDialog>
#include <QDockWidget>
#include <QPushButton>
#include <QTabWidget>
#include <QTest>
#include <algorithm>
#include <fstream>

using namespace qw;
using namespace qw::ui;
namespace fs = std::filesystem;

namespace {

enum class World { Empty, Ready, Error };
constexpr const char* kWorlds[] = {"empty", "ready", "error"};

// What `qatw plan --json` says about the sample study, cut to one member.
const QByteArray kPlan =
    QByteArrayLiteral("{\"members\":10,\"train_seconds\":214.5,\"warnings\":[],\"plans\":[{\"member\":\"8da4w QAT\",\"device\":\"cpu\","
                      "\"memory_bytes\":138517504,\"available_bytes\":8589934592,\"steps\":150,\"warnings\":[],\"skipped\":[],"
                      "\"memory\":[{\"name\":\"weights\",\"bytes\":861952},{\"name\":\"optimizer state\",\"bytes\":1723904},"
                      "{\"name\":\"gradients\",\"bytes\":861952},{\"name\":\"fake-quantized weights\",\"bytes\":589824},"
                      "{\"name\":\"activations\",\"bytes\":125829120},{\"name\":\"loss chunk\",\"bytes\":8650752}]}]}");

fs::path sample() { return fs::path(QW_SOURCE_DIR) / "resources/sample"; }
QString qt(const fs::path& path) { return QString::fromStdString(path.string()); }

// A window on a project in one of the states, with an engine that answers plans.
struct Stage {
    test::TempDir dir;
    World world;
    std::optional<test::SampleStudy> study;
    Settings settings{qt(dir.path() / "settings.ini")};
    test::FakeEngineClient engine;
    Session session{settings, engine};
    std::optional<MainWindow> window;
    int quiet = 0;
    qsizetype answered = 0;

    explicit Stage(World which) : world(which) {
        if (world != World::Empty)
            study.emplace(dir.path() / "tiny-people",
                          world == World::Ready ? test::SampleStudy::Last::Training : test::SampleStudy::Last::Killed);
        window.emplace(session);
    }
    void open(QSize size) {
        window->resize(size);
        window->show();
        session.project.open(qt(dir.path() / "tiny-people"));
        QTRY_VERIFY_WITH_TIMEOUT(session.project.isOpen(), 30'000);
        if (world == World::Ready) {
            session.openPath(qt(sample() / "model"));
            QTRY_COMPARE_WITH_TIMEOUT(session.model.state(), OpenModel::State::Ready, 30'000);
            session.openPath(qt(sample() / "study.yaml"));
        }
        if (world == World::Error) {
            fs::copy(sample() / "model", dir.path() / "model");
            fs::resize_file(dir.path() / "model/model.safetensors", 500'000);
            session.openPath(qt(dir.path() / "model"));
            test::writeText(dir.path() / "wrong.yaml", "recipe: 1\nname: wrong\noptim: {lr: fast}\n");
            session.openPath(qt(dir.path() / "wrong.yaml"));
        }
        settle();
    }
    // A project of a newer version can only be read; Runs says so.
    void openNewer() {
        const fs::path project = dir.path() / "newer";
        { const test::SampleStudy made(project, test::SampleStudy::Last::Killed); }
        if (auto store = store::Store::open(project); store) QVERIFY(store->sync().ok());
        std::fstream file(wire::storeFile(project), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(63); // user_version, big-endian
        file.put(99);
        file.close();
        session.project.open(qt(project));
        settle();
    }
    // Start can only fail when its project cannot be opened, so it comes last.
    void failToOpen() {
        test::writeText(dir.path() / "file", "no folder");
        session.project.open(qt(dir.path() / "file/project"));
        settle();
    }
    void settle() {
        quiet = 0;
        QTRY_VERIFY_WITH_TIMEOUT(isQuiet(), 60'000);
    }
    bool isQuiet() {
        for (; answered < engine.asked.size(); ++answered)
            if (auto& asked = engine.asked[answered]; asked.what == QLatin1String("plan") && asked.context) asked.done(kPlan);
        const Page* page = window->currentPage();
        const bool calm = page->viewState() != Page::ViewState::Loading && !page->property("stale").toBool() && !session.compute.isBusy() &&
                          session.model.state() != OpenModel::State::Loading;
        quiet = calm ? quiet + 1 : 0;
        return quiet > 5; // answers may ask the next question
    }
    void goTo(Page* page) {
        window->goTo(page->id());
        settle();
        if (world == World::Empty || page->viewState() != Page::ViewState::Empty) return;
        if (page->id() != PageId::Compare && page->id() != PageId::Scheme) return;
        QTest::mouseClick(page->findChild<QPushButton*>(QStringLiteral("emptyAction")), Qt::LeftButton);
        settle();
        if (page->id() == PageId::Scheme) { // a symmetric preset on unsigned integers
            auto* box = page->findChild<QComboBox*>(QStringLiteral("weightDtype"));
            box->setCurrentIndex(box->findData(QStringLiteral("uint")));
            Q_EMIT box->activated(box->currentIndex());
            settle();
        }
    }
};

} // namespace

class WalkTest : public QObject {
    Q_OBJECT

    test::TempDir m_shots;
    QString m_where;
    bool m_twice = false;

    void look(QWidget& window, const QString& name, QStringList& problems) {
        const test::UiWalk walk(window);
        QVERIFY(walk.image().save(QStringLiteral("%1/%2%3.png").arg(m_where, name, m_twice ? QStringLiteral("-2x") : QString())));
        for (const QString& problem : walk.problems()) problems << name + QStringLiteral(": ") + problem;
    }
    // The page with each of its tabs.
    void lookAtPage(Stage& stage, Page* page, const QString& suffix, QStringList& problems) {
        const QString name = page->objectName().mid(4).toLower();
        look(*stage.window, name + suffix, problems);
        const auto tabbed = page->findChildren<QTabWidget*>();
        for (QTabWidget* tabs : tabbed) {
            if (!tabs->isVisible() || stage.world == World::Error) continue;
            for (int i = 1; i < tabs->count(); ++i) {
                tabs->setCurrentIndex(i);
                stage.settle();
                look(*stage.window,
                     name + QLatin1Char('-') + tabs->tabText(i).remove(QLatin1Char('&')).toLower().replace(u' ', u'_') + suffix, problems);
            }
            tabs->setCurrentIndex(0);
        }
    }
    static void expectNone(const QStringList& problems) {
        for (const QString& problem : problems) qWarning("%s", qPrintable(problem)); // a failure's own text is cut
        QCOMPARE(problems.size(), 0);
    }
    static bool shows(const QWidget& window, const char* code) {
        const auto all = window.findChildren<QWidget*>();
        return std::ranges::any_of(
            all, [&](const QWidget* w) { return w->isVisible() && w->property("code").toString() == QLatin1String(code); });
    }
    static QString expected(World world, PageId page) {
        if (world == World::Error)
            return page == PageId::Model || page == PageId::Train || page == PageId::Live ? QStringLiteral("error") : QString();
        return world == World::Ready || page == PageId::Start ? QStringLiteral("ready") : QStringLiteral("empty");
    }

private Q_SLOTS:
    void initTestCase() {
        m_where = qEnvironmentVariable("QATW_SHOTS"); // set but empty counts as not set
        if (m_where.isEmpty()) m_where = qt(m_shots.path());
        QVERIFY(QDir().mkpath(m_where));
        m_twice = qEnvironmentVariable("QT_SCALE_FACTOR").toDouble() == 2;
    }

    void pages_data() {
        QTest::addColumn<int>("world");
        QTest::addColumn<bool>("dark");
        QTest::addColumn<QSize>("size");
        for (int world = 0; world < 3; ++world)
            for (const bool dark : {false, true})
                for (const QSize size : {QSize(1280, 800), QSize(1160, 700)})
                    QTest::newRow(qPrintable(QStringLiteral("%1 %2 %3")
                                                 .arg(QLatin1String(kWorlds[world]), dark ? QLatin1String("dark") : QLatin1String("light"))
                                                 .arg(size.width())))
                        << world << dark << size;
    }
    void pages() {
        QFETCH(int, world);
        QFETCH(bool, dark);
        QFETCH(QSize, size);
        Theme::instance().choose(dark ? Theme::Choice::Dark : Theme::Choice::Light);
        Stage stage(static_cast<World>(world));
        stage.open(size);
        if (stage.window->size() != size) // who does not fit
            for (const auto* page : stage.window->pages())
                qWarning("%s needs a width of %d", qPrintable(page->objectName()), page->minimumSizeHint().width());
        QCOMPARE(stage.window->size(), size);
        QStringList problems;
        const QString suffix = QStringLiteral("-%1-%2%3")
                                   .arg(QLatin1String(kWorlds[world]), dark ? QStringLiteral("dark") : QStringLiteral("light"),
                                        size.width() == 1160 ? QStringLiteral("-small") : QString());
        for (Page* page : stage.window->pages()) {
            stage.goTo(page);
            const QString wanted = expected(stage.world, page->id());
            if (!wanted.isEmpty()) QTRY_COMPARE_WITH_TIMEOUT(page->property("viewState").toString(), wanted, 30'000);
            if (stage.world == World::Error && page->id() == PageId::Compare)
                QTRY_VERIFY_WITH_TIMEOUT(shows(*page, "compare.not_comparable"), 30'000);
            if (stage.world == World::Error && page->id() == PageId::Scheme) QVERIFY(shows(*page, "scheme.conflict"));
            stage.settle();
            lookAtPage(stage, page, suffix, problems);
        }
        if (stage.world == World::Error) {
            stage.window->goTo(PageId::Runs);
            stage.openNewer();
            QTRY_VERIFY_WITH_TIMEOUT(shows(*stage.window, "store.newer_schema"), 30'000);
            look(*stage.window, QStringLiteral("runs") + suffix, problems);
            stage.failToOpen();
            stage.window->goTo(PageId::Start);
            QTRY_COMPARE_WITH_TIMEOUT(stage.window->currentPage()->property("viewState").toString(), QStringLiteral("error"), 30'000);
            look(*stage.window, QStringLiteral("start") + suffix, problems);
        }
        expectNone(problems);
    }

    void docks_data() {
        QTest::addColumn<bool>("dark");
        QTest::newRow("light") << false;
        QTest::newRow("dark") << true;
    }
    void docks() {
        QFETCH(bool, dark);
        Theme::instance().choose(dark ? Theme::Choice::Dark : Theme::Choice::Light);
        Stage stage(World::Ready);
        stage.open(QSize(1600, 1000));
        const auto docks = stage.window->findChildren<QDockWidget*>();
        QVERIFY(!docks.isEmpty());
        for (QDockWidget* dock : docks) dock->show();
        stage.goTo(stage.window->page(PageId::Live));
        QStringList problems;
        look(*stage.window, dark ? QStringLiteral("docks-dark") : QStringLiteral("docks-light"), problems);
        expectNone(problems);
    }

    void dialogs_data() { docks_data(); }
    void dialogs() {
        QFETCH(bool, dark);
        Theme::instance().choose(dark ? Theme::Choice::Dark : Theme::Choice::Light);
        Stage stage(World::Ready);
        stage.open(QSize(1280, 800));
        stage.goTo(stage.window->page(PageId::Live));
        QStringList problems;
        const std::pair<const char*, const char*> actions[] = {
            {"edit.preferences", "settings"}, {"help.shortcuts", "shortcuts"}, {"help.guide", "guide"}, {"help.about", "about"},
            {"file.export", "export"},        {"view.finder", "finder"},       {"run.stop", "stop"}};
        for (const auto& [id, name] : actions) {
            QAction* action = stage.window->actions().find(QLatin1String(id));
            QVERIFY2(action && action->isEnabled(), id);
            action->trigger();
            QWidget* dialog = nullptr;
            const auto open = [&] {
                const auto tops = QApplication::topLevelWidgets();
                for (QWidget* top : tops)
                    if (top != &*stage.window && top->isVisible() && top->parentWidget()) dialog = top;
                return dialog != nullptr;
            };
            QTRY_VERIFY2(open(), id);
            stage.settle();
            look(*dialog, QStringLiteral("dialog-%1-%2").arg(QLatin1String(name), dark ? QLatin1String("dark") : QLatin1String("light")),
                 problems);
            dialog->close();
            QTRY_VERIFY(!QApplication::activeModalWidget());
        }
        expectNone(problems);
    }
};

QTEST_MAIN(WalkTest)
#include "tst_walk.moc"
