// SPDX-License-Identifier: GPL-3.0-or-later
#include "client/activities.h"

#include <QRegularExpression>
#include <algorithm>

namespace qw::ui {

double shareOf(const QString& sentence) {
    static const QRegularExpression counts(QStringLiteral("(\\d+)/(\\d+)"));
    const auto match = counts.match(sentence);
    const double total = match.captured(2).toDouble();
    return match.hasMatch() && total > 0 ? std::clamp(match.captured(1).toDouble() / total, 0.0, 1.0) : -1;
}

Activity* Activities::find(int id) {
    const auto at = std::ranges::find(m_all, id, &Activity::id);
    return at == m_all.end() ? nullptr : &*at;
}

int Activities::begin(const QString& title, std::function<void()> cancel) {
    Activity one;
    one.id = m_next++;
    one.title = title;
    one.cancel = std::move(cancel);
    one.since.start();
    m_all.push_back(std::move(one));
    Q_EMIT changed();
    return m_all.back().id;
}

void Activities::progress(int id, const QString& sentence) {
    Activity* one = find(id);
    if (!one) return;
    one->text = sentence;
    one->share = shareOf(sentence);
    Q_EMIT changed();
}

void Activities::end(int id) {
    if (std::erase_if(m_all, [id](const Activity& one) { return one.id == id; }) > 0) Q_EMIT changed();
}

void Activities::cancel(int id) {
    const Activity* one = find(id);
    if (!one || !one->cancel) return;
    const auto cancel = one->cancel; // it may end the activity
    cancel();
}

} // namespace qw::ui
