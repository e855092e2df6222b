// SPDX-License-Identifier: GPL-3.0-or-later
// What: the export dialog in each of its states, both themes: nothing clipped, overlapping, nameless or faint.
// Pictures of all of them go to QATW_SHOTS (else to a folder that is removed).
#include "export_desk.h"
#include "theme/theme.h"
#include "ui_walk.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>

using namespace qw;
using namespace qw::ui;
using test::kSoon;
namespace fs = std::filesystem;

namespace {

const char* const kLayer = "model.layers.1.mlp.up_proj";

// What no format of the registry says of this run, so that the dialog has to show it.
void pretend(test::ExportDesk& desk, formats::Fidelity fidelity, const std::string& why, uint64_t bytes) {
    std::vector<FormatVerdict> all;
    for (int row = 0; row < desk.model()->rowCount(); ++row) all.push_back({desk.model()->format(row), *desk.model()->verdict(row)});
    FormatVerdict& first = all.front();
    first.verdict.fidelity = fidelity;
    first.verdict.why = why;
    first.verdict.bytes = static_cast<decltype(first.verdict.bytes)>(bytes);
    desk.model()->setVerdicts(std::move(all));
    desk.choose("native");
    desk.choose(desk.model()->format(0)->name);
}

void judging(test::ExportDesk& desk) {
    QVERIFY(desk.open());
    desk.dialog = std::make_unique<ExportDialog>(desk.session, QString::fromStdString(desk.run));
    desk.dialog->show();
}
void noRun(test::ExportDesk& desk) {
    fs::remove_all(desk.project() / "runs");
    judging(desk);
}
void sourceGone(test::ExportDesk& desk) {
    fs::remove_all(test::folderOf(desk.project(), desk.run).nativeExport());
    desk.show();
}
void unsupported(test::ExportDesk& desk) {
    desk.show();
    desk.choose("hf-latent");
}
void lossy(test::ExportDesk& desk) {
    desk.show();
    pretend(desk, formats::Fidelity::Lossy, "zero points are rounded to whole codes", 800'000);
}
void lossyTicked(test::ExportDesk& desk) {
    lossy(desk);
    desk.find<QCheckBox>("exportLossy")->setChecked(true);
}
void readOnlyFolder(test::ExportDesk& desk) {
    desk.show();
    desk.setFolder("/proc/self/out"); // even root cannot write there
    QTRY_VERIFY_WITH_TIMEOUT(desk.whyNot().contains(QStringLiteral("written")), kSoon);
}
void noSpace(test::ExportDesk& desk) {
    desk.show();
    pretend(desk, formats::Fidelity::Exact, "codes and scales are written as they are", uint64_t{1} << 60);
    QTRY_VERIFY_WITH_TIMEOUT(desk.whyNot().contains(QStringLiteral("free")), kSoon);
}
void otherFiles(test::ExportDesk& desk) {
    desk.show();
    test::writeText(desk.dir.path() / "mine" / "thesis.txt", "keep");
    desk.setFolder(desk.dir.path() / "mine");
    QTRY_VERIFY_WITH_TIMEOUT(desk.whyNot().contains(QStringLiteral("other files")), kSoon);
}
void earlierExport(test::ExportDesk& desk) {
    QVERIFY(test::exportRun(desk.project(), desk.run, "compressed-tensors", desk.dir.path() / "out").ok());
    desk.show();
    desk.setFolder(desk.dir.path() / "out");
    QTRY_VERIFY_WITH_TIMEOUT(desk.whyNot().contains(QStringLiteral("earlier export")), kSoon);
}
void begun(test::ExportDesk& desk) {
    desk.show();
    desk.setFolder(desk.dir.path() / "out");
    desk.start();
}
void writing(test::ExportDesk& desk) {
    begun(desk);
    desk.engine.asked.last().progress(QStringLiteral("export bytes 1000000/4000000 (25 %)"));
}
void readingBack(test::ExportDesk& desk) {
    begun(desk);
    desk.engine.asked.last().progress(QStringLiteral("export bytes 4000000/4000000 (100 %)"));
}
void cancelled(test::ExportDesk& desk) {
    writing(desk);
    desk.engine.answer(QStringLiteral("command"), Error{"engine.cancelled", "cancelled", "", "", true});
}
void diskFull(test::ExportDesk& desk) {
    writing(desk);
    desk.engine.answer(QStringLiteral("command"),
                       Error{"disk.full",
                             "cannot write " + (desk.dir.path() / "out.partial/model.safetensors").string() + ": No space left on device",
                             "free some space or choose another folder", "", false});
}
void verified(test::ExportDesk& desk) {
    begun(desk);
    desk.work();
    QTRY_COMPARE_WITH_TIMEOUT(desk.find<QTreeView>("exportList")->model()->rowCount(), 1, kSoon);
}
void unverified(test::ExportDesk& desk) {
    begun(desk);
    desk.engine.answer(
        QStringLiteral("command"),
        QByteArray(
            R"({"format":"compressed-tensors","dir":"/models/int4","verified":false,"bytes":812345,"hash":"91af","checks":[)"
            R"({"name":"weights read back bit for bit","value":"13 of 14 tensors; first in model.layers.1.mlp.up_proj","ok":false},)"
            R"({"name":"logits on the probe text","value":"largest difference 3.1, mean 0.2","ok":false},)"
            R"({"name":"size","value":"812.3 kB, forecast 812.3 kB","ok":true}],)"
            R"("verdict":{"fidelity":"exact","why":"codes and scales are written as they are","runs_on":"vLLM, transformers","notes":[]}})"));
}
void damagedLater(test::ExportDesk& desk) {
    verified(desk);
    test::flipBit(desk.dir.path() / "out", std::string(kLayer) + ".weight_packed");
    QTest::mouseClick(desk.find<QPushButton>("checkExportButton"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(!desk.sheet()->property("verified").toBool(), kSoon);
}
void folderGone(test::ExportDesk& desk) {
    verified(desk);
    fs::remove_all(desk.dir.path() / "out");
    desk.dialog.reset();
    desk.show();
    QTRY_COMPARE_WITH_TIMEOUT(desk.find<QTreeView>("exportList")->model()->rowCount(), 1, kSoon);
    desk.find<QTabWidget>("exportTabs")->setCurrentIndex(1);
}
void noExport(test::ExportDesk& desk) {
    desk.show();
    desk.find<QTabWidget>("exportTabs")->setCurrentIndex(1);
}

void readingCheckpoint(test::ExportDesk& desk) {
    desk.writeCheckpoint(75);
    desk.show();
    auto* weights = desk.find<QComboBox>("exportCheckpoint");
    weights->setCurrentIndex(weights->findText(QStringLiteral("step 75"), Qt::MatchStartsWith));
    desk.engine.asked.last().progress(QStringLiteral("convert folders 0/2 (0 %)"));
}
void ofCheckpoint(test::ExportDesk& desk) {
    readingCheckpoint(desk);
    desk.makeCheckpointFolders(75);
    desk.engine.answer(QStringLiteral("command"), QByteArray("[]"));
    QTRY_VERIFY_WITH_TIMEOUT(desk.model()->verdict(0) && desk.button()->isEnabled(), kSoon);
}

struct State {
    const char* name;
    void (*reach)(test::ExportDesk&);
};
constexpr State kStates[] = {{"judging", judging},          {"no-run", noRun},          {"source-gone", sourceGone},
                             {"unsupported", unsupported},  {"lossy", lossy},           {"lossy-ticked", lossyTicked},
                             {"read-only", readOnlyFolder}, {"no-space", noSpace},      {"other-files", otherFiles},
                             {"earlier", earlierExport},    {"begun", begun},           {"writing", writing},
                             {"reading-back", readingBack}, {"cancelled", cancelled},   {"disk-full", diskFull},
                             {"verified", verified},        {"unverified", unverified}, {"damaged-later", damagedLater},
                             {"folder-gone", folderGone},   {"no-export", noExport},    {"checkpoint-reading", readingCheckpoint},
                             {"checkpoint", ofCheckpoint}};

} // namespace

class ExportLooksTest : public QObject {
    Q_OBJECT

    test::TempDir m_shots;
    QString m_where;

private Q_SLOTS:
    void initTestCase() {
        m_where = qEnvironmentVariable("QATW_SHOTS");
        if (m_where.isEmpty()) m_where = test::qt(m_shots.path());
        QVERIFY(QDir().mkpath(m_where));
    }
    void cleanup() { Theme::instance().choose(Theme::Choice::System); }

    void everyState_data() {
        QTest::addColumn<int>("state");
        QTest::addColumn<bool>("dark");
        for (size_t state = 0; state < std::size(kStates); ++state)
            for (const bool dark : {false, true})
                QTest::addRow("%s %s", kStates[state].name, dark ? "dark" : "light") << static_cast<int>(state) << dark;
    }
    void everyState() {
        QFETCH(int, state);
        QFETCH(bool, dark);
        Theme::instance().choose(dark ? Theme::Choice::Dark : Theme::Choice::Light);
        test::ExportDesk desk;
        kStates[state].reach(desk);
        if (QTest::currentTestFailed()) return;
        const auto problems = [&] {
            QCoreApplication::sendPostedEvents(nullptr, QEvent::LayoutRequest); // the layout follows the last text
            const test::UiWalk walk(*desk.dialog);
            walk.image().save(
                QStringLiteral("%1/export-%2-%3.png")
                    .arg(m_where, QLatin1String(kStates[state].name), dark ? QStringLiteral("dark") : QStringLiteral("light")));
            return walk.problems();
        };
        QTRY_COMPARE(problems(), QStringList());
    }
};

QTEST_MAIN(ExportLooksTest)
#include "tst_export_looks.moc"
