// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/recipe_list.h"

#include "client/project.h"
#include "formats/format.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QLocale>

namespace qw::ui {
namespace {

using records::Recipe;

QString tr(const char* text) { return QCoreApplication::translate("RecipeList", text); }

using Sources = std::vector<records::DataSource> records::DataBlock::*;

std::vector<RecipeColumn> sourceColumns(Sources list) {
    const auto at = [list](auto& recipe, size_t row) -> auto& { return (recipe.data.*list)[row]; };
    return {
        {tr("File"),
         tr("Text to read; .gz is read as is."),
         {},
         [at](const Recipe& r, size_t i) { return QVariant(text(at(r, i).path)); },
         [at](Recipe& r, size_t i, const QVariant& v) { at(r, i).path = utf8(v.toString()); },
         true},
        {tr("Format"),
         tr("jsonl_text: one JSON object a line. text: plain text."),
         {QStringLiteral("jsonl_text"), QStringLiteral("text")},
         [at](const Recipe& r, size_t i) { return QVariant(text(at(r, i).format)); },
         [at](Recipe& r, size_t i, const QVariant& v) { at(r, i).format = utf8(v.toString()); }},
        {tr("Column"),
         tr("Key of the text in each JSON object."),
         {},
         [at](const Recipe& r, size_t i) { return QVariant(text(at(r, i).column)); },
         [at](Recipe& r, size_t i, const QVariant& v) { at(r, i).column = utf8(v.toString()); }},
        {tr("Rows"),
         tr("At most so many rows; 0: all."),
         {},
         [at](const Recipe& r, size_t i) { return QVariant(static_cast<qlonglong>(at(r, i).maxSamples)); },
         [at](Recipe& r, size_t i, const QVariant& v) { at(r, i).maxSamples = std::max<qlonglong>(0, v.toLongLong()); }},
    };
}

records::DataSource sourceOf(const QString& path) {
    records::DataSource source;
    source.path = utf8(path);
    const QString name = QFileInfo(path).fileName();
    if (name.endsWith(QLatin1String(".txt")) || name.endsWith(QLatin1String(".raw"))) source.format = "text";
    return source;
}

RecipeList sources(const char* name, const char* key, const QString& what, const QString& empty, Sources list) {
    return {QString::fromLatin1(name),
            QString::fromLatin1(key),
            what,
            empty,
            tr("Text (*.jsonl *.json *.txt *.raw *.gz);;All files (*)"),
            [list](const Recipe& r) { return (r.data.*list).size(); },
            [list](Recipe& r, const QString& path) { (r.data.*list).push_back(sourceOf(path)); },
            [list](Recipe& r, size_t row) { (r.data.*list).erase((r.data.*list).begin() + static_cast<std::ptrdiff_t>(row)); },
            sourceColumns(list)};
}

// A name that no other task has; the two known file names give their own.
void appendTask(Recipe& r, const QString& path) {
    records::EvalTask task;
    task.path = utf8(path);
    const QString base = QFileInfo(path).baseName().toLower();
    const bool choice = base.contains(QLatin1String("hellaswag")) || path.endsWith(QLatin1String(".jsonl"));
    task.mode = choice ? "hellaswag" : "wikitext";
    const QString stem = base.contains(QLatin1String("hellaswag")) ? QStringLiteral("hellaswag")
                         : base.contains(QLatin1String("wiki"))    ? QStringLiteral("wikitext")
                                                                   : base;
    QString name = stem;
    const auto taken = [&] { return std::ranges::any_of(r.eval.tasks, [&](const auto& t) { return t.name == utf8(name); }); };
    for (int n = 2; taken(); ++n) name = stem + QString::number(n);
    task.name = utf8(name);
    r.eval.tasks.push_back(std::move(task));
}

} // namespace

const RecipeList& trainingText() {
    static const RecipeList list =
        sources("dataset", "data.train", tr("training text"), tr("No training text yet: add a file."), &records::DataBlock::train);
    return list;
}

const RecipeList& evaluationText() {
    static const RecipeList list = sources("evalDataset", "data.eval", tr("evaluation text"),
                                           tr("No evaluation text: the evaluation loss is left out."), &records::DataBlock::eval);
    return list;
}

const RecipeList& evaluationTasks() {
    static const auto at = [](auto& recipe, size_t row) -> auto& { return recipe.eval.tasks[row]; };
    static const RecipeList list{
        QStringLiteral("taskList"),
        QStringLiteral("eval.tasks"),
        tr("task"),
        tr("No task: schemes are compared by the evaluation loss alone."),
        tr("Tasks (*.jsonl *.raw *.txt *.gz);;All files (*)"),
        [](const Recipe& r) { return r.eval.tasks.size(); },
        appendTask,
        [](Recipe& r, size_t row) { r.eval.tasks.erase(r.eval.tasks.begin() + static_cast<std::ptrdiff_t>(row)); },
        {{tr("Task"),
          tr("Name in tables and charts."),
          {},
          [](const Recipe& r, size_t i) { return QVariant(text(at(r, i).name)); },
          [](Recipe& r, size_t i, const QVariant& v) { at(r, i).name = utf8(v.toString()); }},
         {tr("Kind"),
          tr("How it is scored: multiple choice as HellaSwag, or perplexity of text."),
          {QStringLiteral("hellaswag"), QStringLiteral("wikitext"), QStringLiteral("plain"), QStringLiteral("jsonl")},
          [](const Recipe& r, size_t i) { return QVariant(text(at(r, i).mode)); },
          [](Recipe& r, size_t i, const QVariant& v) { at(r, i).mode = utf8(v.toString()); }},
         {tr("File"),
          tr("The published file of the task."),
          {},
          [](const Recipe& r, size_t i) { return QVariant(text(at(r, i).path)); },
          [](Recipe& r, size_t i, const QVariant& v) { at(r, i).path = utf8(v.toString()); },
          true},
         {tr("Limit"),
          tr("0: all items; n: the first n; below 1: a share."),
          {},
          [](const Recipe& r, size_t i) { return QVariant(at(r, i).limit); },
          [](Recipe& r, size_t i, const QVariant& v) { at(r, i).limit = std::max(0.0, v.toDouble()); }}}};
    return list;
}

const RecipeList& exportList() {
    static const auto at = [](auto& recipe, size_t row) -> auto& { return recipe.exports[row]; };
    static const auto schemes = [](const Recipe& r) {
        QStringList all{QStringLiteral("verdict"), QStringLiteral("all")};
        for (const auto& scheme : r.schemes) all << text(scheme.name);
        return all;
    };
    static const auto formatNames = [](const Recipe&) {
        QStringList all;
        for (const formats::Format* format : formats::formats())
            if (format->write) all << QLatin1String(format->name);
        return all;
    };
    static const RecipeList list{
        QStringLiteral("exportList"),
        QStringLiteral("export"),
        tr("export"),
        tr("Nothing is exported at the end; any run can be exported later."),
        {},
        [](const Recipe& r) { return r.exports.size(); },
        [](Recipe& r, const QString&) { r.exports.push_back({}); },
        [](Recipe& r, size_t row) { r.exports.erase(r.exports.begin() + static_cast<std::ptrdiff_t>(row)); },
        {{tr("Scheme"),
          tr("verdict: the one that the study says to ship, if any; all: every scheme."),
          {},
          [](const Recipe& r, size_t i) { return QVariant(text(at(r, i).scheme)); },
          [](Recipe& r, size_t i, const QVariant& v) { at(r, i).scheme = utf8(v.toString()); },
          false,
          schemes,
          [](const QString& word) {
              return word == QLatin1String("verdict") ? tr("the one to ship") : word == QLatin1String("all") ? tr("every scheme") : word;
          }},
         {tr("Format"),
          tr("What it is written as; a format that cannot hold a scheme is named at the end, and the others are written."),
          {},
          [](const Recipe& r, size_t i) { return QVariant(text(at(r, i).format)); },
          [](Recipe& r, size_t i, const QVariant& v) { at(r, i).format = utf8(v.toString()); },
          false,
          formatNames,
          [](const QString& word) {
              const auto found = formats::findFormat(utf8(word));
              return found ? QString::fromUtf8((*found)->title) : word;
          }}}};
    return list;
}

RecipeListModel::RecipeListModel(const RecipeList& list, RecipeDraft& draft, QObject* parent)
    : QAbstractTableModel(parent), m_list(list), m_draft(draft) {
    m_rows = static_cast<int>(m_list.count(m_draft.recipe()));
    connect(&m_draft, &RecipeDraft::changed, this, &RecipeListModel::follow);
}

void RecipeListModel::follow() {
    const int now = static_cast<int>(m_list.count(m_draft.recipe()));
    if (now != m_rows) {
        beginResetModel();
        m_rows = now;
        endResetModel();
    } else if (m_rows > 0)
        Q_EMIT dataChanged(index(0, 0), index(m_rows - 1, columnCount() - 1));
}

int RecipeListModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : m_rows; }
int RecipeListModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_list.columns.size()); }

QVariant RecipeListModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || static_cast<size_t>(index.row()) >= m_list.count(m_draft.recipe())) return {};
    const RecipeColumn& column = m_list.columns[static_cast<size_t>(index.column())];
    const QVariant value = column.get(m_draft.recipe(), static_cast<size_t>(index.row()));
    switch (role) {
    case Qt::EditRole:
        return value;
    case Qt::DisplayRole:
        if (column.isPath) return QFileInfo(value.toString()).fileName();
        if (column.words) return column.words(value.toString());
        if (value.typeId() == QMetaType::LongLong || value.typeId() == QMetaType::Double)
            return value.toDouble() == 0 ? tr("all") : QLocale().toString(value.toDouble(), 'g', QLocale::FloatingPointShortest);
        return value;
    case Qt::ToolTipRole:
        return column.isPath ? QDir::toNativeSeparators(value.toString()) : column.help;
    case ChoicesRole:
        return column.choicesOf ? column.choicesOf(m_draft.recipe()) : column.choices;
    case ChoiceWordsRole: {
        QStringList words = index.data(ChoicesRole).toStringList();
        if (column.words)
            for (QString& word : words) word = column.words(word);
        return words;
    }
    default:
        return {};
    }
}

QVariant RecipeListModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columnCount()) return {};
    const RecipeColumn& column = m_list.columns[static_cast<size_t>(section)];
    if (role == Qt::DisplayRole) return column.title;
    return role == Qt::ToolTipRole ? QVariant(column.help) : QVariant();
}

Qt::ItemFlags RecipeListModel::flags(const QModelIndex& index) const {
    return index.isValid() ? Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsEditable | Qt::ItemNeverHasChildren : Qt::NoItemFlags;
}

bool RecipeListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (!index.isValid() || role != Qt::EditRole) return false;
    const RecipeColumn& column = m_list.columns[static_cast<size_t>(index.column())];
    m_draft.edit(tr("change %1").arg(m_list.what), [&](Recipe& recipe) { column.set(recipe, static_cast<size_t>(index.row()), value); });
    return true;
}

void RecipeListModel::append(const QString& path) {
    m_draft.edit(tr("add %1").arg(m_list.what), [&](Recipe& recipe) { m_list.append(recipe, path); });
}

void RecipeListModel::remove(int row) {
    if (row < 0 || row >= m_rows) return;
    m_draft.edit(tr("remove %1").arg(m_list.what), [&](Recipe& recipe) { m_list.remove(recipe, static_cast<size_t>(row)); });
}

} // namespace qw::ui
