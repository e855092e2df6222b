// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/scheme/preview_panel.h"

#include "charts/histogram_chart.h"
#include "models/run_texts.h"
#include "widgets/grid_line.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <cmath>

namespace qw::ui {
namespace {

QString decibels(double db) {
    return std::isfinite(db) ? PreviewPanel::tr("%1 dB").arg(QLocale().toString(db, 'f', 1)) : PreviewPanel::tr("no error");
}

} // namespace

PreviewPanel::PreviewPanel(SchemePreview& preview, QWidget* parent) : QWidget(parent), m_preview(preview) {
    setObjectName(QStringLiteral("schemePreview"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(column->spacing(), column->spacing(), 0, 0);
    column->addWidget(buildFigures());
    m_layer = new QComboBox(this);
    m_layer->setObjectName(QStringLiteral("previewLayer"));
    m_layer->setAccessibleName(tr("Layer of the pictures"));
    m_layer->setToolTip(tr("The layer whose weights are shown below"));
    m_layer->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_layer->setMinimumContentsLength(10);
    m_sure = new QLabel(this);
    m_sure->setObjectName(QStringLiteral("previewSure"));
    m_sure->setProperty("look", QStringLiteral("muted"));
    m_sure->setWordWrap(true);
    m_sure->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    auto* line = new QHBoxLayout;
    line->addWidget(m_layer, 3);
    line->addWidget(m_sure, 2);
    column->addLayout(line);
    m_histogram = new HistogramChart(QStringLiteral("previewHistogram"), this);
    m_histogram->setTitle(tr("Weights and grid"));
    m_histogram->setAccessibleName(tr("Histogram of the layer with the grid"));
    column->addWidget(m_histogram, 1);
    m_none = new QLabel(this);
    m_none->setObjectName(QStringLiteral("previewNone"));
    m_none->setProperty("look", QStringLiteral("muted"));
    m_none->setWordWrap(true);
    m_none->setAlignment(Qt::AlignCenter);
    m_none->hide();
    column->addWidget(m_none, 1);
    m_grid = new GridLine(this);
    m_grid->setObjectName(QStringLiteral("previewGrid"));
    m_grid->setAccessibleName(tr("Grid of one group on a number line"));
    column->addWidget(m_grid);
    m_more = new QLabel(this);
    m_more->setObjectName(QStringLiteral("previewMore"));
    m_more->setProperty("look", QStringLiteral("muted"));
    m_more->setWordWrap(true);
    column->addWidget(m_more);
    connect(&preview, &SchemePreview::factsChanged, this, &PreviewPanel::showFacts);
    connect(&preview, &SchemePreview::pictureChanged, this, &PreviewPanel::showPicture);
    connect(m_layer, &QComboBox::activated, this, [this](int at) { Q_EMIT layerChosen(m_layer->itemData(at).toString()); });
}

QLabel* PreviewPanel::figure(QLayout* into, const QString& name, const QString& caption, const QString& help) {
    auto* pair = new QWidget(this);
    auto* value = new QLabel(QStringLiteral("–"), pair);
    value->setObjectName(name);
    value->setProperty("look", QStringLiteral("figure"));
    value->setAccessibleName(caption);
    value->setToolTip(help);
    auto* under = new QLabel(caption, pair);
    under->setProperty("look", QStringLiteral("muted"));
    auto* column = new QVBoxLayout(pair);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(value);
    column->addWidget(under);
    into->addWidget(pair);
    return value;
}

QWidget* PreviewPanel::buildFigures() {
    auto* card = new QFrame(this);
    card->setProperty("look", QStringLiteral("card"));
    auto* row = new QHBoxLayout(card);
    row->setSpacing(fontMetrics().averageCharWidth() * 3 / 2);
    m_bits = figure(row, QStringLiteral("previewBits"), tr("bits/weight"),
                    tr("Over all layers that the scheme is aimed at, scales and zero points included"));
    m_size = figure(row, QStringLiteral("previewSize"), tr("weights"),
                    tr("All weights of the quantized folder; what is not quantized counts as it is"));
    m_ratio = figure(row, QStringLiteral("previewRatio"), tr("smaller"), tr("Weights without quantization, divided by this size"));
    m_sqnr = figure(row, QStringLiteral("previewSqnr"), tr("SQNR"),
                    tr("Signal over rounding error of the layer below, round-to-nearest, before any training"));
    return card;
}

QString PreviewPanel::layer() const { return m_layer->currentData().toString(); }

void PreviewPanel::showFacts() {
    const SchemeFacts& facts = m_preview.facts();
    const QLocale locale;
    m_bits->setText(facts.bits > 0 ? locale.toString(facts.bits, 'f', 2) : QStringLiteral("–"));
    const bool sized = facts.bytes > 0 && facts.bits > 0;
    m_size->setText(sized ? sizeText(double(facts.bytes)) : QStringLiteral("–"));
    m_size->setToolTip(facts.bytes > 0 ? tr("%1 bytes of weights; what is not quantized counts as it is").arg(locale.toString(facts.bytes))
                                       : tr("Open a model to see its size"));
    m_ratio->setText(sized ? tr("%1×").arg(locale.toString(double(facts.plainBytes) / double(facts.bytes), 'f', 2)) : QStringLiteral("–"));
    QStringList names;
    for (const LayerFact& f : facts.layers)
        if (f.quantized) names << text(f.matrix.name);
    QStringList have;
    for (int i = 0; i < m_layer->count(); ++i) have << m_layer->itemData(i).toString();
    if (names == have) return;
    const QSignalBlocker quiet(m_layer);
    const QString before = layer();
    m_layer->clear();
    const QString prefix = QStringLiteral("model.layers.");
    for (const QString& name : names)
        m_layer->addItem(facts.synthetic           ? tr("synthetic weights")
                         : name.startsWith(prefix) ? tr("layer %1").arg(name.mid(prefix.size()))
                                                   : name,
                         name);
    m_layer->setCurrentIndex(std::max(0, m_layer->findData(before)));
}

void PreviewPanel::showPicture() {
    m_sure->setText(m_preview.howSure());
    if (m_preview.problem()) m_sure->setText(text(m_preview.problem()->message));
    const auto& picture = m_preview.picture();
    const bool isShown = picture.has_value();
    for (QWidget* part : {static_cast<QWidget*>(m_histogram), static_cast<QWidget*>(m_grid), static_cast<QWidget*>(m_layer)})
        part->setVisible(isShown);
    m_none->setHidden(isShown);
    if (!isShown) {
        m_sqnr->setText(QStringLiteral("–"));
        m_more->clear();
        m_none->setText(m_preview.facts().bits > 0 ? tr("The weights are not quantized.")
                                                   : tr("No preview: the scheme cannot be used as it is."));
        return;
    }
    const QSignalBlocker quiet(m_layer);
    m_layer->setCurrentIndex(m_layer->findData(m_preview.layer()));
    m_layer->setToolTip(m_layer->currentText() + QLatin1Char('\n') + tr("The layer whose weights are shown below")); // may be cut off
    const QLocale locale;
    const auto& stats = picture->preview.stats;
    m_sqnr->setText(decibels(stats.sqnrDb()));
    const double n = std::max<double>(1, double(stats.count)), clipped = 100.0 * double(stats.clipped) / n;
    m_grid->setLevels(
        picture->levels,
        tr("grid of the middle group: %1 levels, step %2").arg(picture->levels.size()).arg(locale.toString(picture->step, 'g', 4)));
    HistogramFacts shown;
    shown.lower = picture->histogram.low;
    shown.upper = picture->histogram.high;
    shown.before.assign(picture->histogram.bins.begin(), picture->histogram.bins.end());
    shown.levels = picture->levels;
    shown.clippedPercent = clipped;
    if (m_preview.facts().synthetic) shown.note = tr("synthetic weights");
    m_histogram->setFacts(shown);
    int64_t used = 0;
    for (const int64_t count : picture->codeCounts) used += count > 0;
    m_more->setText(tr("%1 of %2 codes used · %3 % clipped · %4 % rounded to zero")
                        .arg(used)
                        .arg(picture->codeCounts.size())
                        .arg(locale.toString(clipped, 'f', 2), locale.toString(100.0 * double(stats.underflow) / n, 'f', 2)));
}

} // namespace qw::ui
