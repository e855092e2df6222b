// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/live/live_page.h"

#include "charts/qat_chart.h"
#include "pages/live/live_header.h"
#include "pages/live/live_words.h"
#include "pages/live/run_actions.h"
#include "pages/live/tile_board.h"

#include <QScrollArea>
#include <QShortcut>
#include <QVBoxLayout>
#include <cmath>

namespace qw::ui {

LivePage::LivePage(Session& session, ActionRegistry& actions)
    : Page(PageId::Live, QStringLiteral("pageLive"), tr("Live"), QStringLiteral("live"), session, actions), m_run(session) {
    m_group.setSmoothing(session.settings.value(QStringLiteral("charts/smoothing")).toDouble());
    m_runActions = new RunActions(session, actions, m_run, this);
    build();
    wire();
    restoreViewState();
    chooseRun();
    updateState();
}

LivePage::~LivePage() = default;

void LivePage::build() {
    showEmpty();
    m_header = new LiveHeader(session(), actions(), m_run, m_group, content());
    m_board = new TileBoard;
    m_scroll = new QScrollArea(content());
    m_scroll->setObjectName(QStringLiteral("tileScroll"));
    m_scroll->setAccessibleName(tr("Tiles"));
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setWidgetResizable(true);
    m_scroll->setFocusPolicy(Qt::NoFocus);
    m_scroll->setWidget(m_board);
    auto* column = new QVBoxLayout(content());
    const int margin = fontMetrics().height() / 2;
    column->setContentsMargins(margin, margin, margin, 0);
    column->addWidget(m_header);
    column->addWidget(m_scroll, 1);
    m_escape = new QShortcut(QKeySequence(Qt::Key_Escape), this);
    m_escape->setContext(Qt::WidgetWithChildrenShortcut);
    m_escape->setEnabled(false);
}

void LivePage::wire() {
    Session& s = session();
    connect(m_escape, &QShortcut::activated, this, [this] { setFullPage(nullptr); });
    connect(&s, &Session::liveRunChanged, this, &LivePage::chooseRun);
    connect(&s.project, &Project::changed, this, [this] {
        chooseRun();
        updateState();
    });
    connect(&s.project, &Project::closed, this, &LivePage::updateState);
    connect(&m_run, &LiveRun::shownChanged, this, [this] {
        m_deathKey.clear();
        banner().dismiss();
        showRun();
        updateState();
    });
    connect(&m_run, &LiveRun::loaded, this, [this] {
        showRun();
        updateState();
    });
    connect(&m_run, &LiveRun::edited, this, &LivePage::applyEdits);
    connect(&m_run, &LiveRun::statusChanged, this, [this] {
        showStatus();
        updateState();
    });
    connect(&m_run, &LiveRun::marksChanged, this, &LivePage::showMarks);
    connect(&m_run, &LiveRun::noticed, this, [this](const wire::Notice& notice) {
        if (!m_run.info()) return;
        const auto error = policyTaken(notice, *m_run.info());
        const bool goesOn = !notice.isError || notice.code == "disk.full"; // what ends the run is told as its death
        if (error && goesOn) banner().show(Banner::Strength::Warning, *error);
    });
    connect(m_runActions, &RunActions::failed, this, [this](const Error& error) { banner().show(Banner::Strength::Error, error); });
    connect(m_runActions, &RunActions::resuming, this, [this] { banner().dismiss(); });
    connect(m_header, &LiveHeader::runChosen, this, [this](const QString& uid) {
        session().showLive(uid);
        chooseRun();
    });
    connect(m_header, &LiveHeader::overlaysChanged, this, &LivePage::showOverlays);
    connect(m_header, &LiveHeader::layersChanged, this, [this] {
        std::vector<std::string> layers;
        for (const QString& name : m_header->layers()) layers.push_back(utf8(name));
        for (LiveTile* tile : m_board->tiles()) tile->setLayers(layers);
        saveViewState();
    });
    connect(m_header, &LiveHeader::tileWanted, this, [this](const QString& id) {
        addTile(id);
        tilesChanged();
    });
    connect(m_header, &LiveHeader::tilesResetWanted, this, &LivePage::resetTiles);
    connect(m_header, &LiveHeader::logYChanged, this, [this](bool on) {
        for (LiveTile* tile : m_board->tiles())
            if (tile->spec().positive) tile->chart().setLogY(on);
        saveViewState();
    });
    connect(m_board, &TileBoard::orderChanged, this, &LivePage::tilesChanged);
    connect(&m_group, &ChartGroup::smoothingChanged, this, &LivePage::saveViewState);
    connect(&m_group, &ChartGroup::xAxisChanged, this, &LivePage::saveViewState);
}

// --- tiles

LiveTile* LivePage::addTile(const QString& id) {
    const TileSpec* spec = findTile(id);
    if (!spec || m_board->find(id)) return nullptr;
    auto* tile = new LiveTile(*spec, m_group, m_board);
    m_board->add(tile);
    connect(tile, &LiveTile::fullPageWanted, this, [this, tile] { setFullPage(m_board->fullPage() == tile ? nullptr : tile); });
    connect(tile, &LiveTile::removeWanted, this, [this, tile] { m_board->remove(tile); });
    connect(tile, &LiveTile::moveWanted, this, [this, tile](int places) { m_board->move(tile, places); });
    std::vector<std::string> layers;
    for (const QString& name : m_header->layers()) layers.push_back(utf8(name));
    tile->setLayers(layers);
    if (spec->positive) tile->chart().setLogY(m_header->logY());
    tile->setRuns(tileRuns());
    tile->setBands(m_bands);
    return tile;
}

void LivePage::resetTiles() {
    const std::vector<LiveTile*> old = m_board->tiles();
    m_restoring = true;
    for (LiveTile* tile : old) m_board->remove(tile);
    for (const QString& id : defaultTiles()) addTile(id);
    m_restoring = false;
    tilesChanged();
    showMarks();
}

void LivePage::tilesChanged() {
    if (m_restoring) return;
    QStringList shown;
    for (const LiveTile* tile : m_board->tiles()) shown << tile->spec().id;
    m_header->setTileChoices(shown);
    saveViewState();
}

void LivePage::setFullPage(LiveTile* tile) {
    m_board->setFullPage(tile);
    m_escape->setEnabled(tile != nullptr);
    if (tile) tile->chart().setFocus();
}

void LivePage::saveViewState() {
    if (m_restoring) return;
    Settings& settings = session().settings;
    QStringList tiles;
    for (const LiveTile* tile : m_board->tiles()) tiles << tile->spec().id;
    settings.setViewState(QStringLiteral("live/tiles"), tiles);
    settings.setViewState(QStringLiteral("live/layers"), m_header->layers());
    settings.setViewState(QStringLiteral("live/logY"), m_header->logY());
    settings.setViewState(QStringLiteral("live/smoothing"), m_group.smoothing());
    settings.setViewState(QStringLiteral("live/xAxis"), static_cast<int>(m_group.xAxis()));
}

void LivePage::restoreViewState() {
    m_restoring = true;
    const Settings& settings = session().settings;
    m_group.setSmoothing(settings.viewState(QStringLiteral("live/smoothing"), m_group.smoothing()).toDouble());
    const int axis = settings.viewState(QStringLiteral("live/xAxis"), 0).toInt();
    if (axis >= 0 && axis <= static_cast<int>(ChartX::Time)) m_group.setXAxis(static_cast<ChartX>(axis));
    m_header->setLayers(settings.viewState(QStringLiteral("live/layers")).toStringList());
    m_header->setLogY(settings.viewState(QStringLiteral("live/logY"), false).toBool());
    QStringList tiles = settings.viewState(QStringLiteral("live/tiles"), defaultTiles()).toStringList();
    if (tiles.isEmpty()) tiles = defaultTiles();
    for (const QString& id : tiles) addTile(id);
    m_restoring = false;
    QStringList shown;
    for (const LiveTile* tile : m_board->tiles()) shown << tile->spec().id;
    m_header->setTileChoices(shown);
}

} // namespace qw::ui
