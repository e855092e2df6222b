// SPDX-License-Identifier: GPL-3.0-or-later
// What: one line of text that ends in "…" where its place is too narrow; the tooltip has all of it.
#pragma once

#include <QLabel>
#include <QPainter>
#include <QStyle>

namespace qw::ui {

class ElidedLabel : public QLabel {
public:
    using QLabel::QLabel;

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const QString shown = fontMetrics().elidedText(text(), Qt::ElideRight, contentsRect().width());
        style()->drawItemText(&painter, contentsRect(), static_cast<int>(alignment()), palette(), isEnabled(), shown, foregroundRole());
    }
};

} // namespace qw::ui
