// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/activity_list.h"

#include "theme/theme.h"
#include "widgets/action_registry.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

namespace qw::ui {
namespace {

constexpr int kSteps = 1000; // of a bar

} // namespace

ActivityList::ActivityList(Activities& activities, int afterMs, int most, QWidget* parent)
    : QWidget(parent), m_activities(activities), m_afterMs(afterMs), m_most(static_cast<size_t>(most)) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(fontMetrics().height() / 4);
    m_later.setSingleShot(true);
    connect(&m_later, &QTimer::timeout, this, &ActivityList::refresh);
    connect(&activities, &Activities::changed, this, &ActivityList::refresh);
    refresh();
}

ActivityList::Row ActivityList::makeRow() {
    Row row;
    row.frame = new QWidget(this);
    auto* line = new QHBoxLayout(row.frame);
    line->setContentsMargins(0, 0, 0, 0);
    row.title = new QLabel(row.frame);
    row.title->setObjectName(QStringLiteral("activityTitle"));
    row.title->setTextFormat(Qt::PlainText);
    row.bar = new QProgressBar(row.frame);
    row.bar->setObjectName(QStringLiteral("activityBar"));
    row.bar->setTextVisible(false);
    row.bar->setMaximumSize(fontMetrics().averageCharWidth() * 16, fontMetrics().height());
    row.cancel = new QToolButton(row.frame);
    row.cancel->setObjectName(QStringLiteral("activityCancel"));
    row.cancel->setAutoRaise(true);
    row.cancel->setIconSize({fontMetrics().height(), fontMetrics().height()});
    row.cancel->setIcon(Theme::instance().icon(QStringLiteral("close")));
    connect(&Theme::instance(), &Theme::changed, row.cancel,
            [button = row.cancel] { button->setIcon(Theme::instance().icon(QStringLiteral("close"))); });
    const size_t place = m_rows.size();
    connect(row.cancel, &QToolButton::clicked, this, [this, place] { m_activities.cancel(m_rows[place].id); });
    line->addWidget(row.title, 1);
    line->addWidget(row.bar);
    line->addWidget(row.cancel);
    layout()->addWidget(row.frame);
    return row;
}

void ActivityList::fill(Row& row, const Activity& one, int more) {
    row.id = one.id;
    row.title->setText(more > 0 ? tr("%1, and %2 more").arg(one.title).arg(more) : one.title);
    row.title->setToolTip(one.text);
    row.bar->setRange(0, one.share < 0 ? 0 : kSteps);
    if (one.share >= 0) row.bar->setValue(static_cast<int>(one.share * kSteps));
    row.bar->setAccessibleName(tr("Progress of: %1").arg(one.title));
    row.bar->setToolTip(one.text.isEmpty() ? one.title : one.text);
    row.cancel->setAccessibleName(tr("Cancel: %1").arg(one.title));
    row.cancel->setToolTip(tr("Cancel: %1").arg(one.title));
    setDisabledReason(row.cancel, one.cancel ? QString() : tr("this cannot be called off; it ends soon"));
    row.frame->show();
}

void ActivityList::refresh() {
    std::vector<const Activity*> shown;
    qint64 next = -1; // until the youngest comes of age
    for (const Activity& one : m_activities.all()) {
        const qint64 left = m_afterMs - one.since.elapsed();
        if (left <= 0)
            shown.push_back(&one);
        else if (next < 0 || left < next)
            next = left;
    }
    while (m_rows.size() < std::min(shown.size(), m_most)) m_rows.push_back(makeRow()); // a window that starts waits for none
    for (size_t i = 0; i < m_rows.size(); ++i) {
        const bool last = i + 1 == m_most;
        if (i < shown.size())
            fill(m_rows[i], *shown[i], last ? static_cast<int>(shown.size() - m_rows.size()) : 0);
        else
            m_rows[i].frame->hide();
    }
    setVisible(!shown.empty());
    if (next >= 0)
        m_later.start(static_cast<int>(next) + 1);
    else
        m_later.stop();
}

} // namespace qw::ui
