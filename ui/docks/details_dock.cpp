// SPDX-License-Identifier: GPL-3.0-or-later
#include "docks/details_dock.h"

#include "models/run_row.h"
#include "models/run_texts.h"
#include "pages/live/live_words.h"

#include <QFormLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QScrollArea>
#include <QSortFilterProxyModel>
#include <QTableView>
#include <QVBoxLayout>
#include <cmath>

namespace qw::ui {
namespace {

// Missing values stand at the end in both orders.
class LayerSorter final : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;

protected:
    [[nodiscard]] bool lessThan(const QModelIndex& a, const QModelIndex& b) const override {
        const QVariant left = a.data(kSortRole), right = b.data(kSortRole);
        if (left.isValid() != right.isValid()) return left.isValid() == (sortOrder() == Qt::AscendingOrder);
        return QSortFilterProxyModel::lessThan(a, b);
    }
};

} // namespace

DetailsDock::DetailsDock(Session& session, QWidget* parent) : QDockWidget(tr("Details"), parent), m_session(session) {
    setObjectName(QStringLiteral("dockDetails"));
    build();
    m_deferrer.request();
    connect(&session.project, &Project::changed, &m_deferrer, &RefreshDeferrer::request);
    connect(&session.project, &Project::closed, &m_deferrer, &RefreshDeferrer::request);
    connect(&session, &Session::liveRunChanged, &m_deferrer, &RefreshDeferrer::request);
}

void DetailsDock::build() {
    auto* outer = new QWidget(this);
    auto* column = new QVBoxLayout(outer);
    m_none = new QLabel(tr("No run yet"), outer);
    m_none->setProperty("look", QStringLiteral("muted"));
    m_none->setAlignment(Qt::AlignCenter);
    m_title = new QLabel(outer);
    m_title->setObjectName(QStringLiteral("detailsTitle"));
    m_title->setProperty("look", QStringLiteral("heading"));
    m_title->setWordWrap(true);
    m_body = new QWidget(outer);
    auto* body = new QVBoxLayout(m_body);
    body->setContentsMargins(0, 0, 0, 0);
    m_facts = new QFormLayout;
    m_facts->setHorizontalSpacing(fontMetrics().averageCharWidth() * 2);
    m_facts->setVerticalSpacing(fontMetrics().height() / 6);
    body->addLayout(m_facts);
    m_filter = new QLineEdit(m_body);
    m_filter->setObjectName(QStringLiteral("layerFilter"));
    m_filter->setAccessibleName(tr("Filter layers"));
    m_filter->setPlaceholderText(tr("filter layers (*.k_proj)"));
    m_filter->setToolTip(tr("Names with * and ?"));
    m_filter->setClearButtonEnabled(true);
    m_sorted = new LayerSorter(this);
    m_sorted->setSourceModel(&m_layers);
    m_sorted->setSortRole(kSortRole);
    m_sorted->setFilterKeyColumn(LayerFactsModel::Layer);
    m_table = new QTableView(m_body);
    m_table->setObjectName(QStringLiteral("layerTable"));
    m_table->setAccessibleName(tr("Layers of the run"));
    m_table->setModel(m_sorted);
    m_table->setShowGrid(false);
    m_table->setAlternatingRowColors(true);
    m_table->setTabKeyNavigation(false);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(-1, Qt::AscendingOrder); // the model's own order
    m_table->setTextElideMode(Qt::ElideLeft);      // the end of a layer's name tells it from its neighbours
    m_table->setWordWrap(false);
    m_table->horizontalHeader()->moveSection(LayerFactsModel::Scheme, LayerFactsModel::Columns - 1);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + fontMetrics().height() / 3);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_layer = new QLabel(m_body);
    m_layer->setObjectName(QStringLiteral("layerDetails"));
    m_layer->setWordWrap(true);
    m_layer->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_layer->setFocusPolicy(Qt::NoFocus);
    m_layer->hide();
    for (QWidget* widget : {static_cast<QWidget*>(m_filter), static_cast<QWidget*>(m_table), static_cast<QWidget*>(m_layer)})
        body->addWidget(widget, widget == m_table ? 1 : 0);
    column->addWidget(m_title);
    column->addWidget(m_none, 1);
    column->addWidget(m_body, 1);
    auto* scroll = new QScrollArea(this); // a low dock scrolls instead of cutting lines off
    scroll->setObjectName(QStringLiteral("detailsScroll"));
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(outer);
    m_table->setMinimumHeight(fontMetrics().height() * 9);
    setWidget(scroll);
    m_body->hide();
    m_title->hide();
    connect(m_filter, &QLineEdit::textChanged, m_sorted, &QSortFilterProxyModel::setFilterWildcard);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, &DetailsDock::showLayer);
    connect(&m_layers, &QAbstractItemModel::dataChanged, this, &DetailsDock::showLayer);
    connect(&m_layers, &QAbstractItemModel::modelReset, this, &DetailsDock::showLayer);
}

void DetailsDock::addFact(const QString& name, const QString& value) {
    if (value.isEmpty()) return;
    auto* label = new QLabel(name, m_body);
    label->setProperty("look", QStringLiteral("muted"));
    auto* shown = new QLabel(value, m_body);
    shown->setWordWrap(true);
    shown->setTextInteractionFlags(Qt::TextSelectableByMouse);
    shown->setFocusPolicy(Qt::NoFocus);
    m_facts->addRow(label, shown);
}

void DetailsDock::refresh() {
    const auto snapshot = m_session.project.snapshot();
    const QString pinned = m_session.liveRun();
    const RunFacts* run = !snapshot ? nullptr : snapshot->run(pinned.isEmpty() || !snapshot->run(pinned) ? runToFollow(*snapshot) : pinned);
    m_none->setVisible(!run);
    m_body->setVisible(run);
    m_title->setVisible(run);
    if (!run) {
        m_uid.clear();
        m_seq = -1;
        return;
    }
    const QString uid = text(run->info.identity.uid);
    if (uid == m_uid && run->info.ingestSeq == m_seq) return;
    m_uid = uid;
    m_seq = run->info.ingestSeq;
    showRun(*run);
    m_session.project.query<LiveRead>(
        QStringLiteral("details.run"), [uid = utf8(uid)](store::Store& store) { return readLive(store, uid); }, this,
        [this, uid](Result<LiveRead> read) {
            if (!read || uid != m_uid) return;
            LiveSeries series;
            series.setHistory(std::move(read->history));
            m_layers.setFacts(read->layers, series);
            m_filter->setVisible(!read->layers.empty());
            m_table->setVisible(!read->layers.empty());
            m_table->resizeColumnsToContents();
            const int em = fontMetrics().averageCharWidth();
            for (const int column : {LayerFactsModel::Layer, LayerFactsModel::Scheme})
                m_table->setColumnWidth(column, std::min(m_table->columnWidth(column), em * 21));
        });
}

void DetailsDock::showRun(const RunFacts& run) {
    const QLocale locale;
    m_title->setText(text(run.info.identity.name));
    while (m_facts->rowCount() > 0) m_facts->removeRow(0);
    addFact(tr("State"), wordText(runWord(run.info, false)));
    if (run.info.error) addFact(tr("Why"), text(run.info.error->message));
    addFact(tr("Scheme"), run.info.identity.scheme.empty() ? tr("none (float)") : text(run.info.identity.scheme));
    if (run.info.model && run.info.model->bitsPerWeight > 0)
        addFact(tr("Bits a weight"), locale.toString(run.info.model->bitsPerWeight, 'f', 2));
    if (run.nativeBytes > 0) addFact(tr("Size"), locale.formattedDataSize(run.nativeBytes, 1, QLocale::DataSizeSIFormat));
    if (run.info.totalSteps > 0)
        addFact(tr("Step"), tr("%1 of %2")
                                .arg(locale.toString(static_cast<qlonglong>(run.info.step)),
                                     locale.toString(static_cast<qlonglong>(run.info.totalSteps))));
    for (const auto& metric : run.metrics) {
        if (metric.name == "train.loss") addFact(tr("Last loss"), locale.toString(metric.value, 'g', 4));
        if (metric.name == "eval.loss") addFact(tr("Best evaluation"), locale.toString(metric.min, 'g', 4));
    }
    if (run.info.endedMs > run.info.startedMs && run.info.startedMs > 0)
        addFact(tr("Time"), durationText(static_cast<double>(run.info.endedMs - run.info.startedMs) / 1000));
    addFact(tr("Seed"), QString::number(run.info.identity.seed));
}

void DetailsDock::showLayer() {
    const QModelIndex current = m_sorted->mapToSource(m_table->currentIndex());
    m_layer->setVisible(current.isValid());
    if (current.isValid()) m_layer->setText(m_layers.describe(current.row()));
}

} // namespace qw::ui
