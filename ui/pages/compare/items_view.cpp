// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/compare/items_view.h"

#include "theme/theme.h"
#include "widgets/table_copy.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSplitter>
#include <QTableView>
#include <QTextBrowser>
#include <QVBoxLayout>
#include <algorithm>

namespace qw::ui {

ItemsView::ItemsView(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    m_model = new ItemsModel(this);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    buildBar();
    m_note = new QLabel(this);
    m_note->setObjectName(QStringLiteral("itemsNote"));
    m_note->setProperty("look", QStringLiteral("muted"));
    m_note->setWordWrap(true);
    m_note->hide();
    column->addWidget(m_note);
    auto* splitter = new QSplitter(Qt::Horizontal, this);
    splitter->setChildrenCollapsible(false);
    m_table = new QTableView(splitter);
    m_table->setObjectName(QStringLiteral("itemsTable"));
    m_table->setAccessibleName(tr("Items of the task"));
    m_table->setModel(m_model);
    copyRowsWithCtrlC(m_table);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setAlternatingRowColors(true);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() * 8 / 5);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_details = new QTextBrowser(splitter);
    m_details->setObjectName(QStringLiteral("itemDetails"));
    m_details->setAccessibleName(tr("The selected item"));
    m_details->setTabChangesFocus(true);
    splitter->addWidget(m_table);
    splitter->addWidget(m_details);
    splitter->setStretchFactor(0, 3);
    splitter->setStretchFactor(1, 2);
    column->addWidget(splitter, 1);
    wire();
}

void ItemsView::buildBar() {
    auto* row = new QHBoxLayout;
    m_task = new QComboBox(this);
    m_task->setObjectName(QStringLiteral("itemsTask"));
    m_task->setAccessibleName(tr("Task"));
    m_task->setToolTip(tr("The task whose items are shown"));
    m_task->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_metric = new QComboBox(this);
    m_metric->setObjectName(QStringLiteral("itemsMetric"));
    m_metric->setAccessibleName(tr("What right means"));
    m_metric->setToolTip(tr("acc: the most likely choice; acc_norm: the most likely one a character"));
    m_metric->addItems({QStringLiteral("acc"), QStringLiteral("acc_norm")});
    row->addWidget(m_task);
    row->addWidget(m_metric);
    auto* filters = new QHBoxLayout;
    m_filters = new QButtonGroup(this);
    for (int filter = 0; filter < ItemsModel::FilterCount; ++filter) {
        auto* button = new QPushButton(this);
        button->setObjectName(QStringLiteral("itemsFilter%1").arg(filter));
        button->setCheckable(true);
        m_filters->addButton(button, filter);
        filters->addWidget(button);
    }
    m_filters->button(ItemsModel::All)->setChecked(true);
    m_words = new QLineEdit(this);
    m_words->setObjectName(QStringLiteral("itemsWords"));
    m_words->setPlaceholderText(tr("Find in the texts"));
    m_words->setAccessibleName(tr("Find in the texts"));
    m_words->setToolTip(tr("Only items whose text has these words"));
    m_words->setClearButtonEnabled(true);
    row->addWidget(m_words, 1);
    filters->addStretch(1);
    qobject_cast<QVBoxLayout*>(layout())->addLayout(row);
    qobject_cast<QVBoxLayout*>(layout())->addLayout(filters);
}

void ItemsView::wire() {
    connect(m_task, &QComboBox::activated, this, &ItemsView::taskChosen);
    connect(m_metric, &QComboBox::activated, this, [this](int index) {
        m_model->setNorm(index == 1);
        showCounts();
    });
    connect(m_filters, &QButtonGroup::idClicked, this, &ItemsView::applyFilter);
    connect(m_words, &QLineEdit::textChanged, this, &ItemsView::applyFilter);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, &ItemsView::showItem);
    connect(m_model, &QAbstractItemModel::modelReset, this, [this] {
        if (m_model->rowCount() > 0)
            m_table->selectRow(0);
        else
            showItem();
    });
    connect(&Theme::instance(), &Theme::changed, this, &ItemsView::showItem);
}

void ItemsView::setComparison(const ComparisonPtr& comparison, const QString& first, const QString& second) {
    m_comparison = comparison;
    m_first = first;
    m_second = second;
    const QString before = m_task->currentText();
    QStringList names;
    if (comparison)
        for (const auto& row : comparison->rows)
            for (const auto& task : row.tasks)
                if (!task.items.empty() && !names.contains(text(task.result.task))) names << text(task.result.task);
    // Tasks with choices first: flips are what people look for.
    std::ranges::stable_sort(names, std::greater<>(), [&](const QString& name) {
        for (const auto& row : comparison->rows)
            for (const auto& task : row.tasks)
                if (text(task.result.task) == name && !task.items.empty()) return task.items.front().correct >= 0;
        return false;
    });
    const QSignalBlocker quiet(m_task);
    m_task->clear();
    m_task->addItems(names);
    m_task->setCurrentIndex(std::max<int>(0, static_cast<int>(names.indexOf(before))));
    taskChosen();
}

void ItemsView::taskChosen() {
    const QString task = m_task->currentText();
    m_model->setComparison(m_comparison, task, m_first, m_second);
    m_metric->setVisible(m_model->isChoice());
    const int em = fontMetrics().averageCharWidth();
    m_table->setColumnWidth(0, 8 * em);
    m_table->setColumnWidth(1, 44 * em);
    for (int column = 2; column < m_model->columnCount(); ++column) m_table->setColumnWidth(column, 15 * em);
    showCounts();
    if (!m_comparison || task.isEmpty()) return;
    m_session.compute.request<std::shared_ptr<const TaskTexts>>(
        QStringLiteral("itemTexts"), [comparison = m_comparison, task](const CancelFlag&) { return loadTexts(*comparison, task); }, this,
        [this](std::shared_ptr<const TaskTexts> texts) {
            m_model->setTexts(std::move(texts));
            showCounts();
        });
}

void ItemsView::showCounts() {
    const QLocale locale;
    const auto count = [&](ItemsModel::Filter filter) { return locale.toString(static_cast<qlonglong>(m_model->count(filter))); };
    const auto name = [this](const QString& uid) {
        const int at = m_comparison ? m_comparison->indexOf(uid) : -1;
        return at < 0 ? QString() : text(m_comparison->rows[static_cast<size_t>(at)].label);
    };
    const QString first = name(m_first), second = name(m_second);
    const bool choice = m_model->isChoice(), pair = choice && m_model->hasPair();
    const std::pair<QString, QString> words[] = {
        {tr("all %1"), tr("Every item")},
        {tr("%1 ✗ %2 ✓  %3").arg(QStringLiteral("PTQ"), QStringLiteral("QAT")), tr("Wrong with %1, right with %2").arg(first, second)},
        {tr("%1 ✓ %2 ✗  %3").arg(QStringLiteral("PTQ"), QStringLiteral("QAT")), tr("Right with %1, wrong with %2").arg(first, second)},
        {tr("all ✓ %1"), tr("Right with every run")},
        {tr("all ✗ %1"), tr("Wrong with every run")},
        {tr("differ %1"), tr("Right with some runs, wrong with others")}};
    for (int filter = 0; filter < ItemsModel::FilterCount; ++filter) {
        QAbstractButton* button = m_filters->button(filter);
        const bool flip = filter == ItemsModel::OnlySecond || filter == ItemsModel::OnlyFirst;
        QString label = words[filter].first;
        label.replace(flip ? QStringLiteral("%3") : QStringLiteral("%1"), count(static_cast<ItemsModel::Filter>(filter)));
        button->setText(label);
        button->setToolTip(words[filter].second);
        button->setVisible(filter == ItemsModel::All || (flip ? pair : choice));
    }
    const QString problem = m_model->textProblem();
    m_note->setText(m_task->count() == 0 ? tr("The results of these runs were stored without their items.") : problem);
    m_note->setVisible(!m_note->text().isEmpty());
}

void ItemsView::applyFilter() { m_model->setFilter(static_cast<ItemsModel::Filter>(m_filters->checkedId()), m_words->text()); }

void ItemsView::openItem(int row) {
    if (row >= 0 && row < m_model->rowCount()) m_table->selectRow(row);
}

void ItemsView::showItem() {
    const QModelIndex at = m_table->currentIndex();
    if (!at.isValid() || at.row() >= m_model->rowCount()) {
        m_details->setPlainText(m_model->rowCount() == 0 ? tr("No item passes the filter.") : QString());
        return;
    }
    m_details->setHtml(m_model->isChoice() ? choiceHtml(at.row()) : documentHtml(at.row()));
}

QString ItemsView::choiceHtml(int row) const {
    const tasks::ChoiceRow* words = m_model->choiceText(row);
    const auto sides = m_model->sides(row);
    const QLocale locale;
    QString html =
        QStringLiteral("<p><b>%1</b></p>").arg(tr("Item %1").arg(locale.toString(static_cast<qlonglong>(m_model->itemNumber(row) + 1))));
    if (words) html += QStringLiteral("<p>%1</p>").arg(text(words->query).toHtmlEscaped());
    const size_t choices = sides.empty() || !sides[0].item ? 0 : sides[0].item->ll.size();
    const QString good = Theme::instance().colour(Token::Good).name();
    const auto letter = [](size_t choice) { return QString(QChar(u'A' + static_cast<char16_t>(choice))); };
    for (size_t choice = 0; words && choice < words->choices.size(); ++choice) {
        const QString line = letter(choice) + QStringLiteral("  ") + text(words->choices[choice]).toHtmlEscaped();
        html += QStringLiteral("<p style='margin:0'>%1</p>")
                    .arg(static_cast<int>(choice) == words->gold
                             ? QStringLiteral("<b style='color:%1'>%2 %3</b>").arg(good, line, tr("(right)"))
                             : line);
    }
    html +=
        QStringLiteral("<br><table cellpadding='3' cellspacing='0' width='100%'><tr><th align='left'>%1</th>").arg(tr("Log-likelihood"));
    for (size_t choice = 0; choice < choices; ++choice) html += QStringLiteral("<th align='right'>%1</th>").arg(letter(choice));
    html += QStringLiteral("</tr>");
    for (const auto& side : sides) {
        const auto best = std::ranges::max_element(side.item->ll) - side.item->ll.begin();
        html += QStringLiteral("<tr><td>%1</td>").arg(side.name.toHtmlEscaped());
        for (size_t choice = 0; choice < side.item->ll.size(); ++choice) {
            const QString value = locale.toString(side.item->ll[choice], 'f', 2);
            const bool chosen = best == static_cast<ptrdiff_t>(choice), right = words && static_cast<int>(choice) == words->gold;
            html += QStringLiteral("<td align='right'%2>%1</td>")
                        .arg(chosen ? QStringLiteral("<b>▸ %1</b>").arg(value) : value,
                             right ? QStringLiteral(" style='color:%1'").arg(good) : QString());
        }
        html += QStringLiteral("</tr>");
    }
    return html + QStringLiteral("</table><p style='color:%1'>%2</p>")
                      .arg(Theme::instance().colour(Token::Muted).name(), tr("▸ marks what a run chose."));
}

QString ItemsView::documentHtml(int row) const {
    const QLocale locale;
    QString html = QStringLiteral("<p><b>%1</b></p><table cellpadding='4' cellspacing='0' width='100%'><tr><th align='left'>%2</th><th "
                                  "align='right'>%3</th><th align='right'>%4</th></tr>")
                       .arg(tr("Document %1").arg(locale.toString(static_cast<qlonglong>(m_model->itemNumber(row) + 1))), tr("Run"),
                            tr("Log-likelihood"), tr("Word perplexity"));
    for (const auto& side : m_model->sides(row)) {
        const double ll = side.item->ll.empty() ? 0 : side.item->ll.front();
        const double ppl = side.item->words > 0 ? std::exp(-ll / static_cast<double>(side.item->words)) : 0;
        html +=
            QStringLiteral("<tr><td>%1</td><td align='right'>%2</td><td align='right'>%3</td></tr>")
                .arg(side.name.toHtmlEscaped(), locale.toString(ll, 'f', 2), ppl > 0 ? locale.toString(ppl, 'f', 3) : QStringLiteral("–"));
    }
    return html + QStringLiteral("</table><p>%1</p>")
                      .arg(m_model->documentText(row).left(20'000).toHtmlEscaped().replace(QLatin1Char('\n'), QStringLiteral("<br>")));
}

} // namespace qw::ui
