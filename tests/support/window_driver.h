// SPDX-License-Identifier: GPL-3.0-or-later
// What: a user of the window for end-to-end tests: real session and engine client, widgets found by their objectNames, mouse and keys.
#pragma once

#include "client/process_engine_client.h"
#include "pages/live/live_page.h"
#include "shell/main_window.h"
#include "test_data.h"

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QClipboard>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QLineEdit>
#include <QMimeData>
#include <QScrollArea>
#include <QSpinBox>
#include <QTest>
#include <memory>

namespace qw::test {

inline QString qt(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

class WindowDriver {
public:
    WindowDriver(const std::filesystem::path& settingsFile, const std::filesystem::path& project)
        : settings(qt(settingsFile)), session(settings, engine), window(std::make_unique<ui::MainWindow>(session)) {
        window->resize(1280, 800);
        window->show();
        session.project.open(qt(project));
    }
    ~WindowDriver() { window.reset(); }

    ui::Settings settings;
    ui::ProcessEngineClient engine;
    ui::Session session;
    std::unique_ptr<ui::MainWindow> window;

    template<class T> [[nodiscard]] T* find(const char* name) const {
        QWidget* page = window->currentPage();
        T* here = page ? page->findChild<T*>(QLatin1String(name)) : nullptr;
        T* found = here ? here : window->findChild<T*>(QLatin1String(name));
        if (!found) qWarning("there is no %s", name);
        return found;
    }
    [[nodiscard]] QString state() const { return window->currentPage()->property("viewState").toString(); }
    [[nodiscard]] bool isOn(const char* page) const { return window->currentPage()->objectName() == QLatin1String(page); }
    [[nodiscard]] ui::LivePage& live() const { return *qobject_cast<ui::LivePage*>(window->page(ui::PageId::Live)); }

    // After a dialog a window manager gives the window the keyboard again; offscreen there is none.
    void activate() const {
        window->activateWindow();
        QTRY_VERIFY(window->isActiveWindow());
    }
    void page(ui::PageId id) const { // as a user does: Ctrl+number
        activate();
        QTest::keyClick(window.get(), static_cast<Qt::Key>(Qt::Key_1 + static_cast<int>(id)), Qt::ControlModifier);
    }
    void drop(const std::filesystem::path& path) const {
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(qt(path))});
        QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QCoreApplication::sendEvent(window.get(), &enter);
        QDropEvent event(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QCoreApplication::sendEvent(window.get(), &event);
    }
    static void bringIntoView(QWidget* widget) {
        for (QWidget* parent = widget->parentWidget(); parent; parent = parent->parentWidget())
            if (auto* area = qobject_cast<QScrollArea*>(parent)) area->ensureWidgetVisible(widget);
    }
    void click(const char* name) const {
        auto* button = find<QAbstractButton>(name);
        if (!button) return;
        bringIntoView(button);
        QTest::mouseClick(button, Qt::LeftButton);
    }
    // Types into a line, a number box or the editor of a cell, and presses Enter.
    static void type(QWidget* widget, const QString& text) {
        if (!widget) return;
        bringIntoView(widget);
        widget->setFocus();
        QTest::keySequence(widget, QKeySequence::SelectAll);
        QTest::keyClicks(widget, text);
        QTest::keyClick(widget, Qt::Key_Return);
    }
    void type(const char* name, const QString& text) const { type(find<QWidget>(name), text); }
    void editCell(const char* table, int row, int column, const QString& text) const {
        auto* view = find<QAbstractItemView>(table);
        if (!view) return;
        bringIntoView(view);
        const QModelIndex cell = view->model()->index(row, column);
        view->scrollTo(cell);
        const QPoint at = view->visualRect(cell).center();
        QTest::mouseClick(view->viewport(), Qt::LeftButton, {}, at);
        QTest::mouseDClick(view->viewport(), Qt::LeftButton, {}, at);
        QWidget* editor = view->indexWidget(cell);
        if (!editor) editor = QApplication::focusWidget();
        type(editor, text);
        QTRY_COMPARE(cell.data(Qt::EditRole).toString(), text); // the delegate commits by a posted call
    }
    // The file dialog that is open now gets this path.
    void chooseFile(const std::filesystem::path& path) const {
        QPointer<QFileDialog> dialog;
        QTRY_VERIFY((dialog = window->findChild<QFileDialog*>()) && dialog->isVisible());
        auto* name = dialog->findChild<QLineEdit*>(QStringLiteral("fileNameEdit"));
        QApplication::clipboard()->setText(qt(path));
        name->setFocus();
        QTest::keySequence(name, QKeySequence::SelectAll);
        QTest::keySequence(name, QKeySequence::Paste);
        QTest::keyClick(name, Qt::Key_Return);
        QTRY_VERIFY_WITH_TIMEOUT(!dialog || !dialog->isVisible(), 10'000);
        QTRY_VERIFY_WITH_TIMEOUT(!dialog, 10'000); // it deletes itself
    }

    [[nodiscard]] const ui::StudyFacts* study(const QString& name) const {
        const auto snapshot = session.project.snapshot();
        if (!snapshot) return nullptr;
        for (const ui::StudyFacts& study : snapshot->studies) // newest first
            if (ui::text(study.info.name) == name) return &study;
        return nullptr;
    }
    [[nodiscard]] bool isDone(const QString& name) const {
        const ui::StudyFacts* facts = study(name);
        if (!facts || facts->driven || facts->rows.empty()) return false;
        return std::ranges::all_of(facts->rows, [&](const store::StudyRow& row) {
            const ui::RunFacts* run = session.project.snapshot()->run(ui::text(row.runUid));
            return run && run->info.state == records::RunState::Completed;
        });
    }
    // Steps of the loss curve that the Live page draws now.
    [[nodiscard]] std::vector<int64_t> lossSteps() const {
        const ui::LiveCurve* curve = live().run().series().curve("train.loss");
        return curve ? curve->steps : std::vector<int64_t>{};
    }
};

} // namespace qw::test
