// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/scheme/override_panel.h"

#include "delegates/heat_bar_delegate.h"
#include "models/run_texts.h"
#include "models/scheme_rules.h"
#include "widgets/action_registry.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QTreeView>
#include <QVBoxLayout>

namespace qw::ui {

OverridePanel::OverridePanel(SchemeDraft& draft, SchemePreview& preview, QWidget* parent)
    : QWidget(parent), m_draft(draft), m_preview(preview) {
    m_rows.setSourceModel(&m_layers);
    m_tree = new QTreeView(this);
    m_tree->setObjectName(QStringLiteral("overrideTree"));
    m_tree->setAccessibleName(tr("Layers under the scheme"));
    m_tree->setModel(&m_rows);
    m_tree->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_tree->setUniformRowHeights(true);
    m_tree->setAlternatingRowColors(true);
    m_tree->setSortingEnabled(true);
    m_tree->sortByColumn(LayerTree::Layer, Qt::AscendingOrder);
    m_tree->setTabKeyNavigation(false);
    m_tree->setItemDelegateForColumn(LayerTree::Sqnr, new HeatBarDelegate(LayerTree::HeatRole, m_tree));
    m_tree->setIndentation(fontMetrics().height());
    m_tree->header()->setStretchLastSection(false);
    m_tree->header()->setSectionResizeMode(LayerTree::Scheme, QHeaderView::Stretch);
    const int em = fontMetrics().averageCharWidth();
    const int widths[] = {25, 13, 0, 13, 12, 15};
    for (int i = 0; i < LayerTree::ColumnCount; ++i)
        if (widths[i]) m_tree->header()->resizeSection(i, widths[i] * em);
    m_rules = new QLabel(this);
    m_rules->setObjectName(QStringLiteral("overrideRules"));
    m_rules->setProperty("look", QStringLiteral("muted"));
    m_rules->setWordWrap(true);
    m_totals = new QLabel(this);
    m_totals->setObjectName(QStringLiteral("overrideTotals"));
    m_totals->setWordWrap(true);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, column->spacing(), 0, 0);
    column->addWidget(buildBar());
    column->addWidget(m_tree, 1);
    column->addWidget(m_rules);
    column->addWidget(buildButtons());
    wire();
    showFacts();
}

QPushButton* OverridePanel::button(const QString& name, const QString& text, const QString& help) {
    auto* made = new QPushButton(text, this);
    made->setObjectName(name);
    made->setToolTip(help);
    return made;
}

QWidget* OverridePanel::buildBar() {
    auto* bar = new QWidget(this);
    m_pattern = new QLineEdit(bar);
    m_pattern->setObjectName(QStringLiteral("overridePattern"));
    m_pattern->setPlaceholderText(tr("Pattern of module names: *.k_proj"));
    m_pattern->setAccessibleName(tr("Pattern of module names"));
    m_pattern->setToolTip(
        tr("* stands for anything, ? for one letter; matched against full names such as model.layers.0.self_attn.k_proj"));
    m_pattern->setClearButtonEnabled(true);
    m_matches = new QLabel(bar);
    m_matches->setObjectName(QStringLiteral("overrideCount"));
    m_matches->setProperty("look", QStringLiteral("muted"));
    m_without = button(QStringLiteral("excludeMatchingButton"), tr("Leave out"), tr("Leave out every layer that the pattern matches"));
    m_only = button(QStringLiteral("includeOnlyButton"), tr("Only these"), tr("Quantize only layers that the pattern matches"));
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(m_pattern, 1);
    for (QWidget* widget : std::initializer_list<QWidget*>{m_matches, m_without, m_only}) row->addWidget(widget);
    return bar;
}

QWidget* OverridePanel::buildButtons() {
    auto* bar = new QWidget(this);
    m_in = button(QStringLiteral("includeSelectedButton"), tr("Take in"), tr("Quantize the selected layers"));
    m_out = button(QStringLiteral("excludeSelectedButton"), tr("Leave out"), tr("Do not quantize the selected layers"));
    m_reset = button(QStringLiteral("resetOverridesButton"), tr("Reset"), tr("Back to every linear layer, without exceptions"));
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(m_totals, 1);
    for (QWidget* widget : {m_in, m_out, m_reset}) row->addWidget(widget);
    return bar;
}

void OverridePanel::wire() {
    connect(&m_preview, &SchemePreview::factsChanged, this, &OverridePanel::showFacts);
    connect(&m_preview, &SchemePreview::errorsChanged, this, [this] { m_layers.setErrors(m_preview.errors()); });
    connect(&m_layers, &LayerTree::inclusionWanted, this, [this](const QStringList& names, bool in) {
        std::set<std::string> plain;
        for (const QString& name : names) plain.insert(utf8(name));
        include(plain, in);
    });
    connect(m_pattern, &QLineEdit::textChanged, this, &OverridePanel::showPattern);
    connect(m_without, &QPushButton::clicked, this, [this] { addPattern(false); });
    connect(m_only, &QPushButton::clicked, this, [this] { addPattern(true); });
    connect(m_in, &QPushButton::clicked, this, [this] { include(selected(), true); });
    connect(m_out, &QPushButton::clicked, this, [this] { include(selected(), false); });
    connect(m_reset, &QPushButton::clicked, this, [this] { m_draft.edit(tr("reset overrides"), resetOverrides); });
    connect(m_tree->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        const QString reason = selected().empty() ? tr("select layers first") : QString();
        for (QWidget* widget : {m_in, m_out}) setDisabledReason(widget, reason);
    });
    connect(m_tree->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& now) {
        const LayerFact* fact = m_layers.fact(m_rows.mapToSource(now.siblingAtColumn(0)));
        if (fact && fact->quantized) Q_EMIT layerChosen(text(fact->matrix.name));
    });
}

std::vector<checkpoint::Matrix> OverridePanel::matrices() const {
    std::vector<checkpoint::Matrix> out;
    for (const LayerFact& f : m_preview.facts().layers) out.push_back(f.matrix);
    return out;
}

std::set<std::string> OverridePanel::matching() const {
    std::set<std::string> out;
    const NamePattern pattern(m_pattern->text());
    if (pattern.isEmpty()) return out;
    for (const LayerFact& f : m_preview.facts().layers)
        if (pattern.matches(text(f.matrix.name))) out.insert(f.matrix.name);
    return out;
}

std::set<std::string> OverridePanel::selected() const {
    std::set<std::string> out;
    for (const QModelIndex& row : m_tree->selectionModel()->selectedRows())
        for (const QString& name : m_layers.namesBelow(m_rows.mapToSource(row))) out.insert(utf8(name));
    return out;
}

void OverridePanel::include(const std::set<std::string>& names, bool in) {
    if (names.empty()) return;
    const QString what = names.size() == 1 ? text(*names.begin()) : tr("%1 layers").arg(names.size());
    m_draft.edit(in ? tr("take in %1").arg(what) : tr("leave out %1").arg(what),
                 [all = matrices(), names, in](records::QatBlock& b) { setIncluded(b, all, names, in); });
}

void OverridePanel::addPattern(bool only) {
    std::string pattern = utf8(m_pattern->text().trimmed());
    if (pattern.find_first_of("*?[") == std::string::npos) pattern = "*" + pattern + "*"; // what the filter shows is what is meant
    m_draft.edit(only ? tr("only %1").arg(text(pattern)) : tr("without %1").arg(text(pattern)), [pattern, only](records::QatBlock& b) {
        if (only)
            b.modules.include = {pattern};
        else
            b.modules.exclude.push_back(pattern);
    });
    m_pattern->clear();
}

void OverridePanel::showPattern() {
    m_rows.setPattern(m_pattern->text());
    if (!m_pattern->text().trimmed().isEmpty()) m_tree->expandAll();
    showMatches();
}

void OverridePanel::showMatches() {
    const auto found = matching();
    const bool empty = m_pattern->text().trimmed().isEmpty();
    m_matches->setText(empty ? QString() : found.size() == 1 ? tr("1 match") : tr("%1 matches").arg(found.size()));
    const QString reason = empty ? tr("write a pattern first") : found.empty() ? tr("the pattern matches no layer") : QString();
    for (QWidget* widget : {m_without, m_only}) setDisabledReason(widget, reason);
}

void OverridePanel::showFacts() {
    const SchemeFacts& facts = m_preview.facts();
    const bool open = !facts.synthetic;
    m_layers.show(open ? facts.layers : std::vector<LayerFact>{});
    if (open && !m_expanded && m_rows.rowCount() > 0) {
        m_expanded = true;
        m_tree->expandToDepth(m_rows.rowCount() > 8 ? 0 : 1);
    }
    const QStringList rules = overrideWords(m_draft.block());
    m_rules->setText(rules.join(QStringLiteral(" · ")));
    m_rules->setVisible(!rules.isEmpty());
    setDisabledReason(m_reset, hasOverrides(m_draft.block()) ? QString() : tr("there are no overrides"));
    const QString reason = selected().empty() ? tr("select layers first") : QString();
    for (QWidget* widget : {m_in, m_out}) setDisabledReason(widget, reason);
    if (open && facts.bits == 0)
        m_totals->setText(tr("The scheme cannot be used as it is."));
    else if (open) {
        const QLocale locale;
        const double delta = double(facts.bytes - facts.usualBytes);
        QStringList parts{tr("%1, %2 bits/weight").arg(sizeText(double(facts.bytes)), locale.toString(facts.bits, 'f', 3)),
                          tr("%1 of %2 matrices quantized").arg(facts.quantized).arg(facts.layers.size())};
        if (facts.skipped) parts << tr("%1 skipped").arg(facts.skipped);
        if (delta != 0)
            parts << tr("%1%2 by overrides").arg(delta > 0 ? QStringLiteral("+") : QStringLiteral("−"), sizeText(std::abs(delta)));
        m_totals->setText(parts.join(QStringLiteral(" · ")));
    } else
        m_totals->setText(tr("Open a model to see its layers."));
    showMatches();
}

void OverridePanel::focusPattern() {
    m_pattern->setFocus(Qt::ShortcutFocusReason);
    m_pattern->selectAll();
}

} // namespace qw::ui
