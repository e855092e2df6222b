// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/import_report.h"

#include "client/project.h"
#include "theme/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QDialogButtonBox>
#include <QFileInfo>
#include <QHeaderView>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QTableView>
#include <QVBoxLayout>
#include <array>

namespace qw::ui {
namespace {

using config::Fate;

QString fateText(Fate fate) {
    switch (fate) {
    case Fate::Mapped:
        return ImportModel::tr("mapped");
    case Fate::Changed:
        return ImportModel::tr("changed");
    case Fate::Unsupported:
        return ImportModel::tr("not supported");
    case Fate::Unknown:
        break;
    }
    return ImportModel::tr("unknown");
}

const char* fateIcon(Fate fate) {
    return fate == Fate::Mapped ? "check" : fate == Fate::Changed ? "swap" : fate == Fate::Unsupported ? "warning" : "help";
}

} // namespace

ImportModel::ImportModel(config::ImportedRecipe imported, QObject* parent) : QAbstractTableModel(parent), m_imported(std::move(imported)) {}

int ImportModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_imported.keys.size()); }
int ImportModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant ImportModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) return {};
    const config::ImportedKey& key = m_imported.keys[static_cast<size_t>(index.row())];
    if (role == Qt::UserRole) { // sorts
        if (index.column() == Line) return key.line == 0 ? 1 << 30 : key.line;
        if (index.column() == FateColumn) return (3 - static_cast<int>(key.fate)) * 1000000 + (key.line == 0 ? 999999 : key.line);
        return data(index, Qt::DisplayRole);
    }
    if (role == Qt::DecorationRole && index.column() == FateColumn) {
        const Token token = key.fate == Fate::Mapped ? Token::Good : key.fate == Fate::Changed ? Token::Info : Token::Warning;
        return Theme::instance().icon(QString::fromLatin1(fateIcon(key.fate)), token);
    }
    if (role == Qt::ToolTipRole) return text(key.note.empty() ? key.ours : key.note);
    if (role == Qt::TextAlignmentRole && index.column() == Line) return int(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole) return {};
    switch (index.column()) {
    case Line:
        return key.line == 0 ? tr("default") : QLocale().toString(key.line);
    case Key:
        return text(key.key);
    case Value:
        return text(key.value);
    case FateColumn:
        return fateText(key.fate);
    case Ours:
        return text(key.ours);
    default:
        return text(key.note);
    }
}

QVariant ImportModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    return QStringList{tr("Line"), tr("Key"), tr("Value"), tr("Outcome"), tr("Becomes"), tr("Why")}.value(section);
}

QString ImportModel::summary() const {
    std::array<int, 4> counts{};
    int given = 0;
    for (const auto& key : m_imported.keys) {
        if (key.line == 0) continue;
        ++counts[static_cast<size_t>(key.fate)];
        ++given;
    }
    QStringList parts;
    for (const Fate fate : {Fate::Mapped, Fate::Changed, Fate::Unsupported, Fate::Unknown})
        if (const int n = counts[static_cast<size_t>(fate)]; n > 0) parts << QLocale().toString(n) + QLatin1Char(' ') + fateText(fate);
    return tr("%1 keys of %2: %3.").arg(QLocale().toString(given), text(m_imported.peer), parts.join(QStringLiteral(", ")));
}

QString ImportModel::asText() const {
    QString out;
    for (int row = 0; row < rowCount(); ++row) {
        QStringList cells;
        for (int column = 0; column < ColumnCount; ++column) cells << data(index(row, column), Qt::DisplayRole).toString();
        out += cells.join(QLatin1Char('\t')) + QLatin1Char('\n');
    }
    return out;
}

ImportReport::ImportReport(const config::ImportedRecipe& imported, const QString& file, QWidget* parent) : QDialog(parent) {
    setObjectName(QStringLiteral("importReport"));
    setWindowTitle(tr("Imported %1").arg(QFileInfo(file).fileName()));
    setAttribute(Qt::WA_DeleteOnClose);
    auto* model = new ImportModel(imported, this);
    auto* sorted = new QSortFilterProxyModel(this);
    sorted->setSourceModel(model);
    sorted->setSortRole(Qt::UserRole);
    auto* column = new QVBoxLayout(this);
    auto* summary = new QLabel(model->summary(), this);
    summary->setObjectName(QStringLiteral("importSummary"));
    summary->setProperty("look", QStringLiteral("heading"));
    auto* what =
        new QLabel(tr("The recipe is in the form now, as one step that can be undone. Every key of the file is listed here; what is not "
                      "supported or unknown was left out."),
                   this);
    what->setProperty("look", QStringLiteral("muted"));
    what->setWordWrap(true);
    auto* table = new QTableView(this);
    table->setObjectName(QStringLiteral("importTable"));
    table->setAccessibleName(tr("Keys of the imported recipe"));
    table->setToolTip(tr("Click a heading to sort"));
    table->setModel(sorted);
    table->setSortingEnabled(true);
    table->sortByColumn(ImportModel::FateColumn, Qt::AscendingOrder);
    table->verticalHeader()->hide();
    table->setShowGrid(false);
    table->setAlternatingRowColors(true);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setTabKeyNavigation(false);
    table->setWordWrap(false);
    table->horizontalHeader()->setStretchLastSection(true);
    table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    table->resizeColumnsToContents();
    const int most = fontMetrics().averageCharWidth() * 40;
    for (int i = 0; i < ImportModel::Note; ++i) table->setColumnWidth(i, std::min(table->columnWidth(i), most));
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    auto* undo = buttons->addButton(tr("Undo import"), QDialogButtonBox::ActionRole);
    undo->setObjectName(QStringLiteral("undoImportButton"));
    undo->setToolTip(tr("Back to the recipe before"));
    auto* copy = buttons->addButton(tr("Copy table"), QDialogButtonBox::ActionRole);
    copy->setToolTip(tr("As tab separated text"));
    connect(copy, &QPushButton::clicked, this, [model] { QApplication::clipboard()->setText(model->asText()); });
    connect(undo, &QPushButton::clicked, this, &ImportReport::undoWanted);
    connect(undo, &QPushButton::clicked, this, &QDialog::close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::close);
    column->addWidget(summary);
    column->addWidget(what);
    column->addWidget(table, 1);
    column->addWidget(buttons);
    resize(fontMetrics().averageCharWidth() * 160, fontMetrics().height() * 34);
}

} // namespace qw::ui
