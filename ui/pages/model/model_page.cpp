// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/model/model_page.h"

#include "config/recipe_file.h"
#include "models/run_texts.h"
#include "models/scheme_draft.h"
#include "models/scheme_facts.h"
#include "models/scheme_preview.h"
#include "pages/model/model_trouble.h"
#include "pages/model/quant_strip.h"
#include "pages/model/weight_microscope.h"
#include "theme/theme.h"
#include "tokenizer/tokenizer.h"

#include <QFileDialog>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QSplitter>
#include <QTreeView>
#include <QVBoxLayout>

namespace qw::ui {

ModelPage::ModelPage(Session& session, ActionRegistry& actions)
    : Page(PageId::Model, QStringLiteral("pageModel"), tr("Model"), QStringLiteral("model"), session, actions) {
    setEmpty(tr("Drop a model folder here: config.json and *.safetensors, as Hugging Face writes them."), tr("Open model…"),
             [this] { chooseFolder(); });
    setEmptySecond(tr("Try the sample"), [this] {
        if (QAction* sample = this->actions().find(QStringLiteral("file.sample"))) sample->trigger();
    });
    auto* column = new QVBoxLayout(content());
    m_splitter = new QSplitter(Qt::Horizontal, content());
    m_splitter->setObjectName(QStringLiteral("modelSplitter"));
    m_splitter->setChildrenCollapsible(false);
    m_splitter->addWidget(buildTree());
    m_splitter->addWidget(buildFacts());
    m_splitter->setStretchFactor(0, 2);
    m_splitter->setStretchFactor(1, 1);
    m_splitter->setSizes({fontMetrics().averageCharWidth() * 120, fontMetrics().averageCharWidth() * 56});
    column->addWidget(m_splitter);
    m_trouble = new ModelTrouble(session, actions, [this] { chooseFolder(); });
    setErrorContent(m_trouble);
    buildActions();
    const QByteArray sizes = session.settings.viewState(QStringLiteral("model/splitter")).toByteArray();
    if (!sizes.isEmpty()) m_splitter->restoreState(sizes);
    const QByteArray header = session.settings.viewState(QStringLiteral("model/header")).toByteArray();
    if (!header.isEmpty()) m_tree->header()->restoreState(header);
    wire();
    modelChanged();
}

QWidget* ModelPage::buildTree() {
    auto* side = new QWidget(m_splitter);
    m_filter = new QLineEdit(side);
    m_filter->setObjectName(QStringLiteral("modelFilter"));
    m_filter->setPlaceholderText(tr("Filter names: k_proj, *.mlp.*"));
    m_filter->setAccessibleName(tr("Filter tensors"));
    m_filter->setToolTip(tr("Part of a name, or a pattern with * and ?"));
    m_filter->setClearButtonEnabled(true);
    m_count = new QLabel(side);
    m_count->setObjectName(QStringLiteral("modelCount"));
    m_count->setProperty("look", QStringLiteral("muted"));
    m_tree = new QTreeView(side);
    m_tree->setObjectName(QStringLiteral("modelTree"));
    m_tree->setAccessibleName(tr("Modules and tensors"));
    m_rows.setSourceModel(&m_model);
    m_tree->setModel(&m_rows);
    m_tree->setUniformRowHeights(true);
    m_tree->setAlternatingRowColors(true);
    m_tree->setSortingEnabled(true);
    m_tree->sortByColumn(ModelTree::Name, Qt::AscendingOrder);
    m_tree->setTabKeyNavigation(false);
    m_tree->setItemDelegateForColumn(ModelTree::Quantizes, new QuantStripDelegate(ModelTree::CanRole, m_tree));
    const int em = fontMetrics().averageCharWidth();
    m_tree->setIndentation(fontMetrics().height());
    m_tree->setTextElideMode(Qt::ElideMiddle);
    m_tree->header()->moveSection(ModelTree::Quantizes, ModelTree::Kind + 1); // in sight in a narrow window too
    m_tree->header()->setStretchLastSection(false);
    const int widths[] = {30, 13, 13, 7, 15, 12, 10, 22};
    for (int i = 0; i < ModelTree::ColumnCount; ++i) m_tree->header()->resizeSection(i, widths[i] * em);
    auto* bar = new QHBoxLayout;
    bar->addWidget(m_filter, 1);
    bar->addWidget(m_count);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(0, 0, column->spacing(), 0);
    column->addLayout(bar);
    column->addWidget(m_tree, 1);
    return side;
}

QWidget* ModelPage::buildFacts() {
    auto* side = new QWidget(m_splitter);
    auto* card = new QFrame(side);
    card->setProperty("look", QStringLiteral("card"));
    m_title = new QLabel(card);
    m_title->setProperty("look", QStringLiteral("heading"));
    m_title->setTextFormat(Qt::PlainText);
    m_title->setWordWrap(true);
    m_summary = new QLabel(card);
    m_summary->setObjectName(QStringLiteral("modelSummary"));
    m_summary->setWordWrap(true);
    m_summary->setTextFormat(Qt::RichText);
    m_summary->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_notes = new QLabel(card);
    m_notes->setObjectName(QStringLiteral("modelNotes"));
    m_notes->setTextFormat(Qt::PlainText);
    m_notes->setWordWrap(true);
    auto* inside = new QVBoxLayout(card);
    inside->addWidget(m_title);
    inside->addWidget(m_summary);
    inside->addWidget(m_notes);
    m_microscope = new WeightMicroscope(session(), side);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(column->spacing(), 0, 0, 0);
    column->addWidget(card);
    column->addWidget(m_microscope, 1);
    return side;
}

void ModelPage::buildActions() {
    actions().add({QStringLiteral("model.inspect"), tr("&Inspect"), QStringLiteral("model"), tr("Show the opened model"), {}}, this,
                  [this] { session().goTo(PageId::Model); });
    actions().add({QStringLiteral("model.reload"), tr("&Reload"), QStringLiteral("refresh"), tr("Read the model's files again"), {}}, this,
                  [this] { session().model.reload(); });
    actions().add({QStringLiteral("model.close"), tr("&Close model"), QStringLiteral("close"), tr("Forget the opened model"), {}}, this,
                  [this] { session().model.close(); });
}

void ModelPage::wire() {
    connect(&session().model, &OpenModel::changed, this, &ModelPage::modelChanged);
    connect(&session().draft, &RecipeDraft::changed, this, &ModelPage::judge);
    connect(&session().draft, &RecipeDraft::schemeSelected, this, &ModelPage::judge);
    connect(m_filter, &QLineEdit::textChanged, this, [this](const QString& pattern) {
        m_rows.setPattern(pattern);
        if (!pattern.trimmed().isEmpty()) m_tree->expandAll();
        showCount();
    });
    connect(m_tree->selectionModel(), &QItemSelectionModel::currentChanged, this, &ModelPage::selected);
    connect(&banner(), &Banner::dismissed, this, [this] { // read and put away; a folder that loads again dismisses it too
        if (session().model.state() == OpenModel::State::Failed) session().model.close();
    });
}

void ModelPage::modelChanged() {
    const OpenModel& model = session().model;
    const bool open = model.state() != OpenModel::State::None;
    for (const char* id : {"model.reload", "model.close"})
        ActionRegistry::setDisabledReason(actions().find(QString::fromLatin1(id)), open ? QString() : tr("no model is open"));
    setStale(model.state() == OpenModel::State::Loading && m_shownFolder == model.folder());
    switch (model.state()) {
    case OpenModel::State::None:
        m_shownFolder.clear();
        m_model.show(nullptr);
        m_microscope->clear({});
        setViewState(ViewState::Empty);
        break;
    case OpenModel::State::Loading:
        if (m_shownFolder != model.folder()) setViewState(ViewState::Loading, tr("Reading the headers of %1…").arg(model.folder()));
        break;
    case OpenModel::State::Failed:
        showProblem();
        break;
    case OpenModel::State::Ready:
        showModel(*model.inspection());
        setViewState(ViewState::Ready);
        break;
    }
}

void ModelPage::showProblem() {
    m_shownFolder.clear();
    m_model.show(nullptr);
    m_microscope->clear({});
    m_trouble->show(session().model.folder());
    fail(session().model.error(),
         {{tr("Reload"), [this] { session().model.reload(); }, {}}, {tr("Choose another…"), [this] { chooseFolder(); }, {}}});
}

void ModelPage::showModel(const checkpoint::Inspection& model) {
    m_shownFolder = session().model.folder();
    m_tokenizer.clear();
    m_model.show(session().model.inspection());
    m_microscope->clear(tr("Select a tensor to look at its numbers."));
    judge();
    showSummary(model);
    askTokenizer();
    showCount();
    m_tree->expandToDepth(1);
    // The first linear layer is what people look at first.
    for (const auto& matrix : checkpoint::matricesOf(model.config, model.tied))
        if (!matrix.isEmbedding)
            if (const QModelIndex at = m_rows.mapFromSource(m_model.find(text(matrix.tensor))); at.isValid()) {
                m_tree->setCurrentIndex(at);
                break;
            }
}

void ModelPage::showSummary(const checkpoint::Inspection& m) {
    const QLocale locale;
    const auto& c = m.config;
    m_title->setText(m_shownFolder.section(QLatin1Char('/'), -1));
    m_title->setToolTip(m_shownFolder);
    QString quantized = m.quantized
                            ? tr("%1, %2 bits/weight; can be evaluated, not trained")
                                  .arg(m.format == "native" ? tr("quantized by QAT Workbench") : tr("quantized (%1)").arg(text(m.format)),
                                       locale.toString(m.bitsPerWeight, 'f', 3))
                            : QString();
    if (!m.quantMethod.empty() && !m.quantized)
        quantized = tr("quantized by another program (%1): shown, not trained").arg(text(m.quantMethod));
    const auto row = [](const QString& name, const QString& value) {
        return value.isEmpty()
                   ? QString()
                   : QStringLiteral("<tr><td style='padding-right:1em'>%1</td><td>%2</td></tr>").arg(name, value.toHtmlEscaped());
    };
    QString html = QStringLiteral("<table>");
    html += row(tr("Architecture"), tr("%1, %2 layers, width %3").arg(text(c.modelType)).arg(c.layers).arg(c.hidden));
    html += row(tr("Heads"), tr("%1 (%2 for keys and values) of %3").arg(c.heads).arg(c.kvHeads).arg(c.headDim));
    html += row(tr("Parameters"), tr("%1 (%2 in linear layers)").arg(countText(double(m.parameters)), countText(double(m.linear))));
    html += row(tr("Weights"), tr("%1, %2").arg(text(m.dtype), sizeText(double(m.bytes))));
    html += row(tr("Context"), tr("%1 tokens").arg(locale.toString(qlonglong(c.maxPositions))));
    html += row(tr("Tokenizer"), m_tokenizer.isEmpty() ? tr("looking…") : m_tokenizer);
    html += row(tr("Head"), m.tied ? tr("shares the embedding table") : tr("its own matrix"));
    html += row(tr("Files"),
                m.shards.size() == 1 ? tr("1 weight file, none missing") : tr("%1 weight files, none missing").arg(m.shards.size()));
    html += row(tr("Quantized"), quantized);
    m_summary->setText(html + QStringLiteral("</table>"));
    QStringList notes;
    for (const auto& problem : m.problems)
        notes << QStringLiteral("⚠ ") + text(problem.message) +
                     (problem.hint.empty() ? QString() : QStringLiteral(": ") + text(problem.hint));
    for (const auto& note : c.notes) notes << QStringLiteral("ℹ ") + text(note);
    m_notes->setText(notes.join(QLatin1Char('\n')));
    m_notes->setVisible(!notes.isEmpty());
}

void ModelPage::askTokenizer() {
    session().compute.request<QString>(
        QStringLiteral("model.tokenizer"),
        [folder = utf8(m_shownFolder)](const CancelFlag&) {
            const auto loaded = tokenizer::Tokenizer::load(folder);
            return loaded ? tr("%1 tokens").arg(QLocale().toString(qlonglong(loaded->vocabSize())))
                          : tr("none: %1").arg(text(loaded.error().message));
        },
        this,
        [this](const QString& words) {
            m_tokenizer = words;
            if (const auto model = session().model.inspection()) showSummary(*model);
        });
}

void ModelPage::judge() {
    const auto model = session().model.inspection();
    if (!model || session().model.state() != OpenModel::State::Ready) return;
    m_judgeLater = !isVisible();
    if (m_judgeLater) return;
    const auto& recipe = session().draft.recipe();
    const int at = session().draft.currentScheme();
    config::SchemeReading reading;
    if (at >= 0)
        reading = config::readScheme(recipe, recipe.schemes[static_cast<size_t>(at)]);
    else if (const auto usual = config::makeScheme("8da4w", "{preset: 8da4w}"))
        reading = config::readScheme(recipe, *usual);
    QHash<QString, QuantVerdict> verdicts;
    for (const auto& t : checkpoint::expectedTensors(model->config, model->tied)) {
        const bool norm = t.role == checkpoint::TensorRole::Norm;
        if (norm || t.shape.size() != 2)
            verdicts.insert(text(t.name), {false, norm ? tr("norm: stays as it is") : tr("1-D: stays as it is")});
    }
    const auto type = checkpoint::memberType(recipe.precision.exportDtype, recipe.precision.mode);
    for (const LayerFact& f : schemeFacts(reading.qat, type, model.get()).layers) {
        const QString name = text(f.matrix.tensor);
        if (f.matrix.isHead && model->tied) continue; // the table's row speaks for both
        verdicts.insert(name, {f.quantized, f.quantized ? f.scheme : f.reason});
    }
    m_model.setVerdicts(std::move(verdicts));
}

void ModelPage::showEvent(QShowEvent* event) {
    Page::showEvent(event);
    if (m_judgeLater) judge();
}

void ModelPage::selected(const QModelIndex& index) {
    const auto* tensor = m_model.tensor(m_rows.mapToSource(index));
    if (!tensor) return;
    int64_t elements = 1;
    for (const int64_t d : tensor->shape) elements *= d;
    m_microscope->look(text(tensor->name), elements);
}

void ModelPage::chooseFolder() {
    if (QAction* open = actions().find(QStringLiteral("file.openModel"))) return open->trigger();
    const QString folder = QFileDialog::getExistingDirectory(this, tr("Open model"));
    if (!folder.isEmpty()) session().openPath(folder);
}

void ModelPage::showCount() {
    const auto model = session().model.inspection();
    const int headers = model && m_filter->text().trimmed().isEmpty() ? static_cast<int>(model->shards.size()) : 0;
    const int left = m_rows.matches() - headers;
    m_count->setText(left == 1 ? tr("1 tensor") : tr("%1 tensors").arg(left));
}

void ModelPage::find() {
    m_filter->setFocus(Qt::ShortcutFocusReason);
    m_filter->selectAll();
}

void ModelPage::saveViewState() {
    session().settings.setViewState(QStringLiteral("model/splitter"), m_splitter->saveState());
    session().settings.setViewState(QStringLiteral("model/header"), m_tree->header()->saveState());
}

} // namespace qw::ui
