// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialogs/parity_report.h"

#include "models/run_texts.h"
#include "theme/theme.h"
#include "widgets/table_copy.h"

#include <QHeaderView>
#include <QJsonArray>
#include <QJsonObject>
#include <QStyledItemDelegate>

namespace qw::ui {
namespace {

// As many lines as the words need in their column, and air between the rows.
class SheetLine final : public QStyledItemDelegate {
public:
    explicit SheetLine(QTreeView* view) : QStyledItemDelegate(view), m_view(view) {}
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        QSize size = QStyledItemDelegate::sizeHint(option, index);
        const int air = option.fontMetrics.height() / 3;
        if (index.column() == 1) {
            const int width = m_view->columnWidth(1) - 2 * (m_view->style()->pixelMetric(QStyle::PM_FocusFrameHMargin) + 1);
            QFont font = option.font;
            if (const QVariant own = index.data(Qt::FontRole); own.isValid()) font = own.value<QFont>();
            const QString words = index.data().toString();
            size = QFontMetrics(font).boundingRect(QRect(0, 0, std::max(width, 1), 1 << 16), Qt::TextWordWrap, words).size();
        }
        return {size.width(), size.height() + air};
    }

private:
    QTreeView* m_view;
};

} // namespace

ParityReport::ParityReport(QWidget* parent) : QTreeWidget(parent) {
    setObjectName(QStringLiteral("parityReport"));
    setAccessibleName(tr("Sheet of the export"));
    setToolTip(tr("What was measured after the folder was written"));
    setHeaderLabels({tr("Check"), tr("Result")});
    setWordWrap(true);
    setItemDelegate(new SheetLine(this));
    setAlternatingRowColors(true);
    setTabKeyNavigation(false);
    header()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    header()->setStretchLastSection(true);
    copyRowsWithCtrlC(this);
}

QTreeWidgetItem* ParityReport::add(QTreeWidgetItem* parent, const QString& name, const QString& value) {
    auto* item = parent ? new QTreeWidgetItem(parent, {name, value}) : new QTreeWidgetItem(this, {name, value});
    item->setToolTip(1, value);
    return item;
}

void ParityReport::showSheet(const QJsonObject& sheet, bool gone) {
    clear();
    setProperty("verified", sheet.value(QLatin1String("verified")).toBool());
    if (sheet.isEmpty()) return;
    const Theme& theme = Theme::instance();
    const bool verified = property("verified").toBool();
    QTreeWidgetItem* state =
        add(nullptr, tr("State"),
            verified ? (gone ? tr("✓ verified when it was written; the folder is gone") : tr("✓ verified")) : tr("✗ UNVERIFIED"));
    state->setForeground(1, theme.colour(!verified ? Token::Bad : gone ? Token::Muted : Token::Good));
    QFont bold = font();
    bold.setBold(true);
    state->setFont(1, bold);
    const QJsonArray checks = sheet.value(QLatin1String("checks")).toArray();
    QTreeWidgetItem* all = add(nullptr, tr("Checks"), {});
    int passed = 0;
    for (const QJsonValue& check : checks) {
        const bool ok = check[QLatin1String("ok")].toBool();
        passed += ok ? 1 : 0;
        QTreeWidgetItem* one = add(all, check[QLatin1String("name")].toString(),
                                   (ok ? QStringLiteral("✓ ") : QStringLiteral("✗ ")) + check[QLatin1String("value")].toString());
        if (!ok) one->setForeground(1, theme.colour(Token::Bad));
    }
    all->setText(1, tr("%1 of %2 passed").arg(passed).arg(checks.size()));
    const QJsonObject verdict = sheet.value(QLatin1String("verdict")).toObject();
    QTreeWidgetItem* promised =
        add(nullptr, tr("Verdict"),
            verdict.value(QLatin1String("fidelity")).toString() + QStringLiteral(": ") + verdict.value(QLatin1String("why")).toString());
    for (const QJsonValue& note : verdict.value(QLatin1String("notes")).toArray()) add(promised, tr("Note"), note.toString());
    if (const QJsonValue step = sheet.value(QLatin1String("step")); step.isDouble())
        add(nullptr, tr("Checkpoint"), tr("step %1").arg(locale().toString(step.toInteger())));
    add(nullptr, tr("Loads in"), verdict.value(QLatin1String("runs_on")).toString());
    QTreeWidgetItem* folder = add(nullptr, tr("Folder"), sheet.value(QLatin1String("dir")).toString());
    add(folder, tr("Weight files"), sizeText(sheet.value(QLatin1String("bytes")).toDouble()));
    add(folder, tr("Checksum"), sheet.value(QLatin1String("hash")).toString());
    all->setExpanded(true);
    promised->setExpanded(true);
}

// Wrapped cells get their height from the column's width.
void ParityReport::resizeEvent(QResizeEvent* event) {
    QTreeWidget::resizeEvent(event);
    scheduleDelayedItemsLayout();
}

} // namespace qw::ui
