// SPDX-License-Identifier: GPL-3.0-or-later
// What: what every page, dock and dialog is given: the open project, model and recipe, other processes, and the few shared choices.
// Limits: owns nothing but the choices; made once in main() (or a test), outlives the window.
#pragma once

#include "client/activities.h"
#include "client/engine_client.h"
#include "client/open_model.h"
#include "client/project.h"
#include "client/recent_items.h"
#include "client/recipe_draft.h"
#include "client/worker.h"
#include "settings/settings.h"

#include <QObject>
#include <QStringList>
#include <QUndoStack>

namespace qw::ui {

// Order and Ctrl+number of the pages; Errors and Chat are kept free for later.
enum class PageId : uint8_t { Start = 0, Model, Scheme, Train, Live, Errors, Runs, Compare, Chat };

class Session : public QObject {
    Q_OBJECT
public:
    Session(Settings& settings, EngineClient& engine, QObject* parent = nullptr);

    Settings& settings;
    EngineClient& engine;
    QUndoStack undo;
    Project project;
    OpenModel model;
    RecipeDraft draft;  // its model.path and the open model follow each other
    RecentItems recent; // models and projects that were opened well
    Worker compute;     // numbers for the eye: previews, pyramids, comparisons
    Activities activities;

    // engine.command, listed among the activities under this title until it answers; there it can be called off.
    int command(const QString& title, const QStringList& arguments, QObject* context, OnProgress progress, Reply done);

    // Shared choices; kept in the project's flags.
    [[nodiscard]] QString liveRun() const { return m_liveRun; }
    [[nodiscard]] QString baseline() const { return m_baseline; }
    [[nodiscard]] QStringList compared() const { return m_compared; }
    void showLive(const QString& run);
    void setBaseline(const QString& run);
    void setCompared(const QStringList& runs);

    void goTo(PageId page) { Q_EMIT pageWanted(page); }
    void openPath(const QString& path); // a model folder, a project, a recipe: whatever it is
    // What openPath would do with it, in words; empty and `why` filled when it cannot.
    [[nodiscard]] static QString whatIs(const QString& path, QString& why);

Q_SIGNALS:
    void pageWanted(qw::ui::PageId page);
    void liveRunChanged();
    void comparisonChanged();
    void modelWanted(const QString& folder); // one for each good drop or open
    void recipeWanted(const QString& file);  // Train imports it
    void notice(const qw::Error& error);     // for the log dock and a banner
    void exportWanted(const QString& run);   // the export dialog

private:
    void readFlags();
    void followModel();
    void followDraft();
    QString m_liveRun, m_baseline;
    QStringList m_compared;
    QString m_draftModel; // model.path when it was looked at last
};

} // namespace qw::ui
