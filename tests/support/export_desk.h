// SPDX-License-Identifier: GPL-3.0-or-later
// What: the export dialog on a desk with a quantized run; exports are done for real when the test lets the tool work.
#pragma once

#include "dialogs/export_dialog.h"
#include "export_fixture.h"
#include "models/export_models.h"
#include "widgets/banner.h"

#include <QLineEdit>
#include <QPushButton>
#include <QTabWidget>
#include <QTest>
#include <QTreeView>
#include <QTreeWidget>

namespace qw::test {

constexpr int kSoon = 20'000; // ms

inline QString qt(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

struct ExportDesk : Desk {
    std::string run;
    std::unique_ptr<ui::ExportDialog> dialog;

    ExportDesk() : run(writeQuantizedRun(project(), {.name = "int4 QAT", .right = 40}, weightScheme(4, 32))) {}
    // A best checkpoint of the run, as far as lists look at it; and what the tool makes of one, here in 8 bits.
    void writeCheckpoint(int64_t step) const {
        const wire::RunFolder folder = folderOf(project(), run);
        const std::filesystem::path path = std::filesystem::path("checkpoints") / wire::checkpointName(step);
        writeText(folder.dir / path / wire::kCheckpointManifest, "{}");
        auto log = *wire::EventLogWriter::open(folder.events());
        append(log, wire::CheckpointSaved{step, 10, path.string(), true});
    }
    void makeCheckpointFolders(int64_t step) const {
        const wire::RunFolder folder = folderOf(project(), run);
        const std::filesystem::path path = std::filesystem::path("exports") / wire::checkpointName(step) / "native";
        if (const auto written = writeQuantized(folder.dir / path, weightScheme(8, 32)); !written)
            qFatal("%s", written.error().message.c_str());
        const auto native = *checkpoint::Checkpoint::open(folder.dir / path);
        auto log = *wire::EventLogWriter::open(folder.events());
        append(log, wire::Artifact{"checkpoint_native", path.string(), *checkpoint::weightsHash(native.shards()), "{}",
                                   static_cast<int64_t>(native.bytes()), step});
        if (!log.sync()) qFatal("the log cannot be written");
        auto store = *store::Store::open(project());
        if (const auto read = store.ingestRun(folder); !read) qFatal("%s", read.error().message.c_str());
    }
    void show() {
        QVERIFY(open());
        dialog = std::make_unique<ui::ExportDialog>(session, QString::fromStdString(run));
        dialog->show();
        QTRY_VERIFY_WITH_TIMEOUT(model()->verdict(0), kSoon);
    }
    template<class T> [[nodiscard]] T* find(const char* name) const {
        T* found = dialog->findChild<T*>(QLatin1String(name));
        if (!found) qFatal("there is no %s", name);
        return found;
    }
    [[nodiscard]] ui::Banner* banner() const { return dialog->findChild<ui::Banner*>(); }
    [[nodiscard]] QTreeView* list() const { return find<QTreeView>("exportFormat"); }
    [[nodiscard]] ui::FormatsModel* model() const { return qobject_cast<ui::FormatsModel*>(list()->model()); }
    [[nodiscard]] QPushButton* button() const { return find<QPushButton>("exportButton"); }
    [[nodiscard]] QString whyNot() const { return button()->property("disabledReason").toString(); }
    [[nodiscard]] QTreeWidget* sheet() const { return find<QTreeWidget>("parityReport"); }
    void choose(const char* format) { list()->setCurrentIndex(model()->index(model()->rowOf(QLatin1String(format)), 0)); }
    void setFolder(const std::filesystem::path& folder) {
        auto* line = find<QLineEdit>("exportFolder");
        line->selectAll();
        QTest::keyClicks(line, qt(folder));
    }
    void start() {
        QTRY_VERIFY2_WITH_TIMEOUT(button()->isEnabled(), qPrintable(whyNot()), kSoon);
        QTest::mouseClick(button(), Qt::LeftButton);
        QCOMPARE(engine.asked.last().what, QStringLiteral("command"));
    }
    // The tool's part: what was asked for last is done and answered.
    void work() {
        const QStringList asked = engine.asked.last().arguments;
        const auto after = [&](const char* option) { return asked.at(asked.indexOf(QLatin1String(option)) + 1).toStdString(); };
        const int64_t step = asked.contains(QStringLiteral("--step")) ? std::stoll(after("--step")) : drive::kEndOfRun;
        const auto done = exportRun(project(), run, after("--format"), after("--out"), asked.contains(QStringLiteral("--overwrite")), step);
        engine.answer(QStringLiteral("command"), done ? Result<QByteArray>(QByteArray::fromStdString(*done)) : done.error());
    }
    void exportTo(const std::filesystem::path& folder) {
        setFolder(folder);
        start();
        if (engine.asked.isEmpty()) return;
        work();
        QTRY_COMPARE_WITH_TIMEOUT(find<QTreeView>("exportList")->model()->rowCount(), 1, kSoon);
    }
};

} // namespace qw::test
