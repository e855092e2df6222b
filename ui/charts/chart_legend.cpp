// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/chart_legend.h"

#include "charts/chart_style.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QListView>
#include <QPainter>
#include <QSortFilterProxyModel>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

double lastValue(const ChartCurve& curve) {
    const std::vector<double>& values = curve.line->values(Values::Smoothed);
    return values.empty() ? std::numeric_limits<double>::quiet_NaN() : values.back();
}

} // namespace

ChartLegendModel::ChartLegendModel(ChartData& data, QObject* parent) : QAbstractListModel(parent), m_data(data) {}

int ChartLegendModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_ids.size()); }

void ChartLegendModel::refresh() {
    QStringList ids;
    for (const ChartCurve& curve : m_data.curves()) ids << curve.spec.id;
    if (ids == m_ids) {
        if (!ids.isEmpty()) Q_EMIT dataChanged(index(0), index(static_cast<int>(ids.size()) - 1));
        return;
    }
    beginResetModel();
    m_ids = ids;
    endResetModel();
}

QString ChartLegendModel::counts(const ChartCurve& curve) {
    QStringList parts;
    if (curve.line->nanCount() > 0) parts << tr("%1 NaN").arg(curve.line->nanCount());
    if (curve.line->infCount() > 0) parts << tr("%1 Inf").arg(curve.line->infCount());
    return parts.join(QStringLiteral(", "));
}

QVariant ChartLegendModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const ChartCurve* curve = m_data.curve(m_ids[index.row()]);
    if (!curve) return {};
    const QString last = curve->line->empty() ? QString() : numberText(lastValue(*curve), 4);
    const QString label = curve->members > 1 ? tr("%1 (%2 seeds)").arg(curve->spec.label).arg(curve->members) : curve->spec.label;
    switch (role) {
    case Qt::DisplayRole:
        return label;
    case Qt::ToolTipRole:
        return tr("%1\n%2 points, last %3\nClick hides or shows, double click shows it alone")
            .arg(label, QLocale().toString(static_cast<qulonglong>(curve->line->size())), last);
    case Qt::AccessibleTextRole: {
        QString text = curve->visible ? tr("%1, shown, last value %2").arg(label, last) : tr("%1, hidden").arg(label);
        if (const QString bad = counts(*curve); !bad.isEmpty()) text += QStringLiteral(", ") + bad;
        return text;
    }
    case IdRole:
        return curve->spec.id;
    case VisibleRole:
        return curve->visible;
    case CountsRole:
        return counts(*curve);
    case LastRole:
        return last;
    case SpecRole:
        return QVariant::fromValue(curve->spec);
    default:
        return {};
    }
}

QSize ChartLegendDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const int line = option.fontMetrics.height();
    const bool two = !index.data(ChartLegendModel::CountsRole).toString().isEmpty();
    return {line * 13, line * (two ? 2 : 1) + line / 2};
}

void ChartLegendDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const Theme& theme = Theme::instance();
    const bool visible = index.data(ChartLegendModel::VisibleRole).toBool();
    painter->save();
    if (option.state.testFlag(QStyle::State_MouseOver)) painter->fillRect(option.rect, theme.colour(Token::Alternate));
    if (option.state.testFlag(QStyle::State_HasFocus)) {
        painter->setPen(theme.colour(Token::Accent));
        painter->drawRect(option.rect.adjusted(0, 0, -1, -1));
    }
    const int line = option.fontMetrics.height(), pad = line / 4;
    const QRect row = QRect(option.rect.topLeft(), QSize(option.rect.width(), line + line / 2)).adjusted(pad, pad, -pad, -pad);
    LineStyle style = lineStyle(index.data(ChartLegendModel::SpecRole).value<SeriesSpec>(), theme.table());
    if (!visible) style.colour = theme.colour(Token::Disabled);
    drawSwatch(*painter, QRectF(row.left(), row.top(), kSwatchWidth * line, row.height()), style, theme.colour(Token::Base));
    const QString last = visible ? index.data(ChartLegendModel::LastRole).toString() : tr("hidden");
    const int lastWidth = option.fontMetrics.horizontalAdvance(last) + pad;
    painter->setFont(option.font);
    painter->setPen(theme.colour(Token::Muted));
    painter->drawText(row, Qt::AlignRight | Qt::AlignVCenter, last);
    painter->setPen(theme.colour(visible ? Token::Text : Token::Disabled));
    const int indent = static_cast<int>((kSwatchWidth + 0.4) * line);
    const QRect text = row.adjusted(indent, 0, -lastWidth, 0);
    painter->drawText(text, Qt::AlignLeft | Qt::AlignVCenter,
                      option.fontMetrics.elidedText(index.data().toString(), Qt::ElideMiddle, text.width()));
    if (const QString counts = index.data(ChartLegendModel::CountsRole).toString(); !counts.isEmpty()) {
        painter->setPen(theme.colour(Token::Bad));
        painter->drawText(row.translated(indent, line), Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("△ ") + counts);
    }
    painter->restore();
}

ChartLegend::ChartLegend(const QString& name, ChartData& data, QWidget* parent) : QWidget(parent), m_data(data) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    m_filter = new QLineEdit(this);
    m_filter->setObjectName(name + QStringLiteral("Filter"));
    m_filter->setPlaceholderText(tr("Filter lines"));
    m_filter->setAccessibleName(tr("Filter lines of the legend"));
    m_filter->setToolTip(tr("Show only lines whose name contains this"));
    m_filter->setClearButtonEnabled(true);
    m_filter->hide();
    column->addWidget(m_filter);
    m_model = new ChartLegendModel(data, this);
    m_proxy = new QSortFilterProxyModel(this);
    m_proxy->setSourceModel(m_model);
    m_proxy->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_list = new QListView(this);
    m_list->setObjectName(name);
    m_list->setAccessibleName(tr("Legend"));
    m_list->setToolTip(tr("Space hides or shows a line, Return shows it alone"));
    m_list->setModel(m_proxy);
    m_list->setItemDelegate(new ChartLegendDelegate(m_list));
    m_list->setMouseTracking(true);
    m_list->setSelectionMode(QAbstractItemView::NoSelection);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setResizeMode(QListView::Adjust);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setStyleSheet(QStringLiteral("QListView { border: none; }")); // one surface with the plot; rows show the focus
    m_list->installEventFilter(this);
    m_list->viewport()->installEventFilter(this);
    column->addWidget(m_list);
    connect(m_filter, &QLineEdit::textChanged, m_proxy, &QSortFilterProxyModel::setFilterFixedString);
    connect(m_list, &QListView::entered, this, [this](const QModelIndex& index) { Q_EMIT lifted(idAt(index)); });
    connect(m_list, &QListView::clicked, this, [this](const QModelIndex& index) {
        m_hiddenBeforeClick = m_data.hidden();
        const QString id = idAt(index);
        toggle(id);
        Q_EMIT clicked(id);
    });
    connect(m_list, &QListView::doubleClicked, this, [this](const QModelIndex& index) {
        m_data.setHidden(m_hiddenBeforeClick);
        solo(idAt(index));
    });
}

QString ChartLegend::idAt(const QModelIndex& index) const { return index.data(ChartLegendModel::IdRole).toString(); }

QSize ChartLegend::sizeHint() const {
    const int number = fontMetrics().horizontalAdvance(QStringLiteral("0.0000")); // values come later than names
    int text = fontMetrics().averageCharWidth() * 8;
    for (int row = 0; row < m_model->rowCount(); ++row) {
        const QModelIndex index = m_model->index(row);
        const int last = std::max(fontMetrics().horizontalAdvance(index.data(ChartLegendModel::LastRole).toString()), number);
        text = std::max(text, fontMetrics().horizontalAdvance(index.data().toString()) + last);
    }
    const int most = fontMetrics().averageCharWidth() * 40, line = fontMetrics().height();
    return {std::min(text, most) + line * 17 / 4, line * 6};
}

void ChartLegend::refresh() {
    m_model->refresh();
    const bool many = m_model->rowCount() > kFilterBeyond;
    if (!many && !m_filter->text().isEmpty()) m_filter->clear();
    m_filter->setVisible(many);
    updateGeometry();
}

void ChartLegend::toggle(const QString& id) {
    if (const ChartCurve* curve = m_data.curve(id)) m_data.setVisible(id, !curve->visible);
}

void ChartLegend::solo(const QString& id) {
    QSet<QString> others;
    for (const ChartCurve& curve : m_data.curves())
        if (curve.spec.id != id) others.insert(curve.spec.id);
    m_data.setHidden(m_data.hidden() == others ? QSet<QString>() : others);
}

bool ChartLegend::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_list->viewport() && event->type() == QEvent::Leave) Q_EMIT lifted({});
    if (watched == m_list && event->type() == QEvent::KeyPress && m_list->currentIndex().isValid()) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        const QString id = idAt(m_list->currentIndex());
        if (key == Qt::Key_Space) toggle(id);
        if (key == Qt::Key_Return || key == Qt::Key_Enter) solo(id);
        if (key == Qt::Key_Space || key == Qt::Key_Return || key == Qt::Key_Enter) return true;
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace qw::ui
