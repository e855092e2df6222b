// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/live/live_tile.h"

#include "charts/qat_chart.h"
#include "client/project.h"
#include "theme/theme.h"
#include "widgets/elided_label.h"

#include <QApplication>
#include <QDrag>
#include <QLabel>
#include <QLocale>
#include <QMenu>
#include <QMimeData>
#include <QMouseEvent>
#include <QToolButton>
#include <QVBoxLayout>
#include <cmath>

namespace qw::ui {
namespace {

QString seriesId(const QString& run, const std::string& curve) { return run + QLatin1Char('/') + text(curve); }

QString valueText(double value) {
    if (std::isnan(value)) return LiveTile::tr("NaN");
    if (std::isinf(value)) return LiveTile::tr("Inf");
    return std::abs(value) >= 1000 ? QLocale().toString(value, 'f', 0)
                                   : QLocale().toString(value, 'g', std::abs(value) < 0.01 ? 3 : 4); // a narrow tile's title needs its room
}

} // namespace

LiveTile::LiveTile(const TileSpec& spec, ChartGroup& group, QWidget* parent) : QFrame(parent), m_spec(spec) {
    setObjectName(QStringLiteral("tile_") + spec.id);
    setProperty("look", QStringLiteral("card"));
    setAccessibleName(spec.title);
    m_chart = new QatChart(QStringLiteral("live_") + spec.id, this);
    m_chart->setCompact(true);
    m_chart->setEmptyText(spec.emptyText);
    m_chart->setGroup(&group);
    m_chart->setLegendShown(false);
    if (auto* plot = m_chart->findChild<QWidget*>(m_chart->objectName() + QStringLiteral(".plot")))
        plot->setAccessibleName(tr("Chart: %1").arg(spec.title));
    connect(m_chart, &QatChart::fullPageRequested, this, &LiveTile::fullPageWanted);
    buildHeader();
    buildMenu();
    auto* header = new QHBoxLayout;
    header->setSpacing(fontMetrics().averageCharWidth() / 2);
    header->addWidget(m_handle);
    header->addWidget(m_title, 1);
    header->addWidget(m_value);
    header->addWidget(m_menu);
    auto* column = new QVBoxLayout(this);
    const int margin = fontMetrics().height() / 4;
    column->setContentsMargins(margin, margin, margin, margin);
    column->setSpacing(0);
    column->addLayout(header);
    column->addWidget(m_key);
    column->addWidget(m_chart, 1);
}

void LiveTile::buildHeader() {
    m_handle = new QToolButton(this);
    m_handle->setAutoRaise(true);
    m_handle->setIcon(Theme::instance().icon(QStringLiteral("drag"), Token::Muted));
    m_handle->setIconSize(QSize(fontMetrics().height() * 2 / 3, fontMetrics().height()));
    m_handle->setCursor(Qt::OpenHandCursor);
    m_handle->setFocusPolicy(Qt::NoFocus);
    m_handle->setAccessibleName(tr("Move %1").arg(m_spec.title));
    m_handle->setToolTip(tr("Drag to another place; the menu moves it too"));
    m_handle->installEventFilter(this);
    m_title = new ElidedLabel(m_spec.unit.isEmpty() ? m_spec.title : tr("%1, %2").arg(m_spec.title, m_spec.unit), this);
    m_title->setProperty("look", QStringLiteral("heading"));
    m_title->setMinimumWidth(1);
    m_title->setToolTip(m_title->text());
    m_value = new QLabel(this);
    m_value->setObjectName(objectName() + QStringLiteral(".value"));
    m_value->setProperty("look", QStringLiteral("mono"));
    m_value->setToolTip(tr("Newest value"));
    m_key = new QLabel(this);
    m_key->setProperty("look", QStringLiteral("muted"));
    m_key->setIndent(fontMetrics().averageCharWidth());
    m_key->setMinimumWidth(1);
    m_key->hide();
    connect(&Theme::instance(), &Theme::changed, this, [this] {
        m_handle->setIcon(Theme::instance().icon(QStringLiteral("drag"), Token::Muted));
        m_menu->setIcon(Theme::instance().icon(QStringLiteral("down")));
    });
}

void LiveTile::buildMenu() {
    m_menu = new QToolButton(this);
    m_menu->setObjectName(objectName() + QStringLiteral(".menu"));
    m_menu->setAutoRaise(true);
    m_menu->setIcon(Theme::instance().icon(QStringLiteral("down")));
    m_menu->setPopupMode(QToolButton::InstantPopup);
    m_menu->setAccessibleName(tr("Menu of the tile %1").arg(m_spec.title));
    m_menu->setToolTip(tr("Full page, move, remove"));
    m_menu->setStyleSheet(QStringLiteral("QToolButton::menu-indicator { image: none; }"));
    m_menu->setProperty("noArrow", true);
    auto* menu = new QMenu(m_menu);
    menu->addMenu(m_chart->exportMenu())->setText(tr("Export"));
    connect(menu->addAction(tr("Full page (F11)")), &QAction::triggered, this, &LiveTile::fullPageWanted);
    QAction* table = menu->addAction(tr("Show data table"));
    table->setCheckable(true);
    connect(table, &QAction::toggled, this, [this](bool on) { m_chart->setTableShown(on); });
    connect(menu, &QMenu::aboutToShow, table, [this, table] { table->setChecked(m_chart->isTableShown()); });
    menu->addSeparator();
    connect(menu->addAction(tr("Move earlier")), &QAction::triggered, this, [this] { Q_EMIT moveWanted(-1); });
    connect(menu->addAction(tr("Move later")), &QAction::triggered, this, [this] { Q_EMIT moveWanted(1); });
    menu->addSeparator();
    connect(menu->addAction(tr("Remove tile")), &QAction::triggered, this, &LiveTile::removeWanted);
    m_menu->setMenu(menu);
}

bool LiveTile::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_handle && event->type() == QEvent::MouseButtonPress)
        m_pressed = static_cast<QMouseEvent*>(event)->pos();
    else if (watched == m_handle && event->type() == QEvent::MouseMove) {
        const auto* move = static_cast<QMouseEvent*>(event);
        if ((move->buttons() & Qt::LeftButton) != 0 && (move->pos() - m_pressed).manhattanLength() >= QApplication::startDragDistance()) {
            auto* drag = new QDrag(this);
            auto* data = new QMimeData;
            data->setData(QString::fromLatin1(kTileMime), m_spec.id.toUtf8());
            drag->setMimeData(data);
            drag->setPixmap(grab().scaledToWidth(width() / 2, Qt::SmoothTransformation));
            drag->exec(Qt::MoveAction);
            m_handle->setDown(false);
            return true;
        }
    }
    return QFrame::eventFilter(watched, event);
}

std::vector<TileLine> LiveTile::linesOf(const TileRun& run) const {
    std::vector<TileLine> lines = m_spec.lines;
    if (m_spec.taskLines)
        for (const auto& [name, curve] : run.series->curves())
            if (name.starts_with("task."))
                lines.push_back({name, text(name.substr(5)), static_cast<int>(lines.size() % 4), true, false, true});
    return lines;
}

void LiveTile::addLine(const TileRun& run, const TileLine& line, int colour, bool background) {
    const LiveCurve* curve = run.series->curve(line.curve);
    if (!curve || curve->steps.empty()) return;
    SeriesSpec spec;
    spec.id = seriesId(run.uid, line.curve);
    spec.label = line.label.isEmpty() ? run.name : background ? tr("%1, %2").arg(run.name, line.label) : line.label;
    spec.colour = colour;
    spec.dash = line.dash;
    spec.background = background;
    spec.points = line.points;
    spec.smooth = line.smooth;
    spec.tokensPerStep = run.series->tokensPerStep();
    m_chart->addSeries(spec);
    std::vector<double> values = curve->values;
    for (double& value : values) value *= m_spec.factor;
    m_chart->setPoints(spec.id, curve->steps, values, run.series->timesOf(curve->steps));
}

void LiveTile::addLines() {
    m_chart->clearSeries();
    for (size_t i = m_runs.size(); i-- > 0;) { // the shown run last: on top
        for (const TileLine& line : linesOf(m_runs[i]))
            if (i == 0 || line.overlaid) addLine(m_runs[i], line, m_runs[i].colour, false);
    }
    if (m_runs.empty()) return;
    int colour = m_runs.front().colour;
    if (!m_spec.layerKind.empty())
        for (const std::string& layer : m_layers)
            addLine(m_runs.front(), {"layer." + m_spec.layerKind + ":" + layer, text(layer), 2, false, false, false}, ++colour, false);
    // What a run that has stepped does not have by now was not measured in it.
    const LiveCurve* loss = m_runs.front().series->curve("train.loss");
    const bool stepped = loss && !loss->steps.empty() && m_spec.emptyText == tileTextForSteps();
    m_chart->setEmptyText(stepped ? tr("Not measured in this run") : m_spec.emptyText);
    showKey();
    showValue();
}

// A legend beside the plot would leave a narrow tile no plot.
void LiveTile::showKey() {
    static constexpr const char* dashes[] = {"━━", "╍╍", "┅┅", "━·━"};
    const bool many = m_chart->seriesIds().size() > 1, narrow = m_spec.columns == 1 && !m_full;
    m_chart->setLegendShown(m_full || (many && !narrow));
    QStringList words;
    if (many && narrow && !m_runs.empty()) {
        for (const TileLine& line : linesOf(m_runs.front()))
            if (m_chart->hasSeries(seriesId(m_runs.front().uid, line.curve)) && !line.label.isEmpty())
                words << QString::fromUtf8(dashes[static_cast<size_t>(line.dash) % 4]) + QLatin1Char(' ') + line.label;
        if (m_runs.size() > 1) words << tr("and %1 more").arg(m_runs.size() - 1);
    }
    m_key->setText(words.join(QStringLiteral("   ")));
    m_key->setToolTip(m_key->text());
    m_key->setVisible(!words.isEmpty());
}

void LiveTile::setRuns(const std::vector<TileRun>& runs) {
    m_runs = runs;
    addLines();
}

void LiveTile::setLayers(const std::vector<std::string>& layers) {
    m_layers = layers;
    if (!m_spec.layerKind.empty()) addLines();
}

void LiveTile::apply(const std::vector<LiveEdit>& edits, const std::vector<int64_t>& timesMs) {
    if (m_runs.empty()) return;
    const TileRun& run = m_runs.front();
    bool anew = false, mine = false;
    for (size_t i = 0; i < edits.size(); ++i) {
        const LiveEdit& edit = edits[i];
        if (edit.kind == LiveEdit::Kind::Cut) {
            for (const QString& id : m_chart->seriesIds())
                if (id.startsWith(run.uid + QLatin1Char('/'))) m_chart->truncate(id, edit.step);
            mine = true;
            continue;
        }
        const QString id = seriesId(run.uid, edit.curve);
        if (m_chart->hasSeries(id)) {
            m_chart->append(id, edit.step, edit.value * m_spec.factor, i < timesMs.size() ? timesMs[i] : 0);
            mine = true;
            continue;
        }
        // The first point of a line that the tile wants.
        const auto lines = linesOf(run);
        const bool wanted = std::any_of(lines.begin(), lines.end(), [&](const TileLine& line) { return line.curve == edit.curve; });
        const auto [kind, layer] = layerOf(edit.curve);
        anew = anew || wanted ||
               (!kind.empty() && kind == m_spec.layerKind && std::find(m_layers.begin(), m_layers.end(), layer) != m_layers.end());
    }
    if (anew)
        addLines();
    else if (mine)
        showValue();
}

void LiveTile::showValue() {
    m_value->clear();
    if (m_runs.empty()) return;
    const auto lines = linesOf(m_runs.front());
    for (const TileLine& line : lines) {
        const LiveCurve* curve = m_runs.front().series->curve(line.curve);
        if (!curve || curve->values.empty()) continue;
        const double value = curve->values.back() * m_spec.factor;
        m_value->setText(valueText(value));
        m_value->setAccessibleName(tr("%1, newest value %2").arg(m_spec.title, m_value->text()));
        return;
    }
}

void LiveTile::setBands(const std::vector<std::pair<int64_t, int64_t>>& fakeQuant) {
    if (!m_spec.fakeQuant) return;
    const auto id = [](size_t i) { return QStringLiteral("fake_quant_%1").arg(i); };
    for (size_t i = 0; i < fakeQuant.size(); ++i) {
        ChartBand band;
        band.id = id(i);
        band.label = tr("fake quant on");
        band.fromStep = static_cast<double>(fakeQuant[i].first);
        if (fakeQuant[i].second >= 0) band.toStep = static_cast<double>(fakeQuant[i].second);
        m_chart->setBand(band);
    }
    for (size_t i = fakeQuant.size(); i < fakeQuant.size() + 4; ++i) m_chart->removeBand(id(i)); // of the run before
}

void LiveTile::setFullPage(bool on) {
    m_full = on;
    m_chart->setCompact(!on);
    m_chart->setUnit(on ? m_spec.unit : QString()); // a tile has it in its title
    m_handle->setVisible(!on);
    showKey();
}

} // namespace qw::ui
