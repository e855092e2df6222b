// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/list_editor.h"

#include "client/project.h"
#include "pages/train/field_form.h"
#include "widgets/action_registry.h"

#include <QComboBox>
#include <QFileDialog>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

// Cells with a list of words are edited by choosing one of them.
class WordDelegate final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const QStringList choices = index.data(RecipeListModel::ChoicesRole).toStringList();
        const QStringList words = index.data(RecipeListModel::ChoiceWordsRole).toStringList();
        if (choices.isEmpty()) return QStyledItemDelegate::createEditor(parent, option, index);
        auto* box = new QComboBox(parent);
        for (qsizetype i = 0; i < choices.size(); ++i) box->addItem(words[i], choices[i]);
        connect(box, &QComboBox::activated, this, [this, box] {
            auto* self = const_cast<WordDelegate*>(this); // Qt declares the signals of a delegate non-const
            Q_EMIT self->commitData(box);
            Q_EMIT self->closeEditor(box);
        });
        return box;
    }
    void setEditorData(QWidget* editor, const QModelIndex& index) const override {
        if (auto* box = qobject_cast<QComboBox*>(editor))
            box->setCurrentIndex(box->findData(index.data(Qt::EditRole)));
        else
            QStyledItemDelegate::setEditorData(editor, index);
    }
    void setModelData(QWidget* editor, QAbstractItemModel* model, const QModelIndex& index) const override {
        if (auto* box = qobject_cast<QComboBox*>(editor))
            model->setData(index, box->currentData());
        else
            QStyledItemDelegate::setModelData(editor, model, index);
    }
};

} // namespace

ListEditor::ListEditor(const RecipeList& list, const QString& title, RecipeDraft& draft, QWidget* parent) : QWidget(parent), m_list(list) {
    m_model = new RecipeListModel(list, draft, this);
    build(title);
    connect(m_model, &QAbstractItemModel::modelReset, this, &ListEditor::fit);
    const auto selection = [this] {
        setDisabledReason(m_remove, m_table->selectionModel()->hasSelection() ? QString() : tr("Select a row first"));
    };
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, selection);
    connect(m_model, &QAbstractItemModel::modelReset, this, selection);
    connect(m_remove, &QPushButton::clicked, this, [this] { m_model->remove(m_table->currentIndex().row()); });
    selection();
    fit();
}

void ListEditor::build(const QString& title) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(fontMetrics().height() / 4);
    auto* head = new QHBoxLayout;
    auto* label = new QLabel(title, this);
    head->addWidget(label, 1);
    const bool files = !m_list.filter.isEmpty();
    auto* add = new QPushButton(files ? tr("Add…") : tr("Add"), this);
    add->setObjectName(m_list.name + QStringLiteral("Add"));
    add->setAccessibleName(tr("Add %1").arg(m_list.what));
    add->setToolTip(files ? tr("Choose files of %1").arg(m_list.what) : tr("One more %1, to be edited in its row").arg(m_list.what));
    connect(add, &QPushButton::clicked, this, [this, files] {
        if (files)
            addFiles();
        else
            m_model->append({});
    });
    m_remove = new QPushButton(tr("Remove"), this);
    m_remove->setObjectName(m_list.name + QStringLiteral("Remove"));
    m_remove->setAccessibleName(tr("Remove %1").arg(m_list.what));
    m_remove->setToolTip(tr("Take the selected row out of the recipe"));
    head->addWidget(add);
    head->addWidget(m_remove);
    m_table = new QTableView(this);
    m_table->setObjectName(m_list.name);
    m_table->setAccessibleName(title);
    m_table->setToolTip(tr("Double click or F2 edits a cell"));
    m_table->setModel(m_model);
    m_table->setItemDelegate(new WordDelegate(m_table));
    m_table->verticalHeader()->hide();
    m_table->setShowGrid(false);
    m_table->setAlternatingRowColors(true);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setTabKeyNavigation(false);
    m_table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_table->setTextElideMode(Qt::ElideMiddle);
    auto* header = m_table->horizontalHeader();
    header->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    header->setHighlightSections(false);
    for (int i = 0; i < m_model->columnCount(); ++i)
        header->setSectionResizeMode(i, m_list.columns[static_cast<size_t>(i)].isPath || (!files && i + 1 == m_model->columnCount())
                                            ? QHeaderView::Stretch
                                            : QHeaderView::ResizeToContents);
    label->setBuddy(m_table);
    m_empty = new QLabel(m_list.empty, this);
    m_empty->setProperty("look", QStringLiteral("muted"));
    m_empty->setWordWrap(true);
    m_note = new QLabel(this);
    m_note->setObjectName(m_list.name + QStringLiteral("Note"));
    m_note->setProperty("look", QStringLiteral("error"));
    m_note->setWordWrap(true);
    m_note->setTextFormat(Qt::PlainText);
    m_note->hide();
    column->addLayout(head);
    column->addWidget(m_empty);
    column->addWidget(m_table);
    column->addWidget(m_note);
}

// As high as its rows, up to six; beyond that it scrolls.
void ListEditor::fit() {
    const int rows = m_model->rowCount();
    m_empty->setVisible(rows == 0);
    m_table->setVisible(rows > 0);
    const int row = m_table->verticalHeader()->defaultSectionSize();
    m_table->setFixedHeight(m_table->horizontalHeader()->sizeHint().height() + row * std::clamp(rows, 1, 6) + 2 * m_table->frameWidth() +
                            2);
}

void ListEditor::addFiles() {
    auto* dialog = new QFileDialog(this, tr("Add %1").arg(m_list.what));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFiles);
    dialog->setNameFilter(m_list.filter);
    connect(dialog, &QFileDialog::filesSelected, this, [this](const QStringList& files) {
        for (const QString& file : files) m_model->append(file);
    });
    dialog->open();
}

int ListEditor::showFindings(const std::vector<config::Finding>& findings) {
    QStringList lines;
    int shown = 0;
    for (const config::Finding& finding : findings) {
        const QString key = text(finding.key);
        if (key != m_list.key && !key.startsWith(m_list.key + QLatin1Char('['))) continue;
        const QString row = key.mid(m_list.key.size() + 1).section(QLatin1Char(']'), 0, 0);
        lines << sentences(finding, row.isEmpty() ? m_list.what : tr("row %1 of %2").arg(row.toInt() + 1).arg(m_list.what));
        ++shown;
    }
    m_note->setText(lines.join(QLatin1Char('\n')));
    m_note->setVisible(shown > 0);
    m_note->setProperty("code", shown > 0 ? QVariant(QStringLiteral("config.invalid")) : QVariant());
    m_table->setAccessibleDescription(lines.join(QLatin1Char(' ')));
    return shown;
}

} // namespace qw::ui
