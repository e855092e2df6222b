// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/pages.h"

#include "pages/compare/compare_page.h"
#include "pages/live/live_page.h"
#include "pages/model/model_page.h"
#include "pages/runs/runs_page.h"
#include "pages/scheme/scheme_page.h"
#include "pages/start/start_page.h"
#include "pages/train/train_page.h"

namespace qw::ui {

std::vector<Page*> makePages(Session& session, ActionRegistry& actions) {
    // In the order of PageId, one line a page.
    return {
        new StartPage(session, actions),
        new ModelPage(session, actions),
        new SchemePage(session, actions),
        new TrainPage(session, actions),
        new LivePage(session, actions),
        new RunsPage(session, actions),
        new ComparePage(session, actions),
    };
}

} // namespace qw::ui
