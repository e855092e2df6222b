// SPDX-License-Identifier: GPL-3.0-or-later
// What: pictures of a page for people to look at, and what a program can see of them: clipped labels, focus without a name.
// Limits: pictures are kept only where QATW_PICTURES names a folder.
#pragma once

#include "theme/theme.h"

#include <QAbstractButton>
#include <QComboBox>
#include <QDir>
#include <QLabel>
#include <QLineEdit>
#include <QTest>
#include <QWidget>

namespace qw::test {

inline void pictureRows() {
    QTest::addColumn<bool>("dark");
    QTest::addColumn<QSize>("size");
    for (const bool dark : {false, true})
        for (const QSize size : {QSize(1100, 740), QSize(840, 620)})
            QTest::addRow("%s %dx%d", dark ? "dark" : "light", size.width(), size.height()) << dark << size;
}

inline void picture(QWidget& page, const char* name) {
    const QString folder = qEnvironmentVariable("QATW_PICTURES");
    if (folder.isEmpty()) return;
    QCoreApplication::sendPostedEvents(nullptr, QEvent::LayoutRequest); // grab() leaves them for later
    QDir().mkpath(folder);
    page.grab().save(
        QStringLiteral("%1/%2-%3-%4.png")
            .arg(folder, QString::fromLatin1(name), ui::Theme::instance().isDark() ? QStringLiteral("dark") : QStringLiteral("light"))
            .arg(page.width()));
}

// Buttons and one-line labels that are narrower than their words.
inline QStringList clipped(const QWidget& page) {
    QStringList out;
    for (const auto* widget : page.findChildren<QWidget*>()) {
        if (!widget->isVisible()) continue;
        const auto* label = qobject_cast<const QLabel*>(widget);
        const auto* button = qobject_cast<const QAbstractButton*>(widget);
        const bool meant = label && label->sizePolicy().horizontalPolicy() == QSizePolicy::Ignored;
        if (meant || (!label && !button)) continue;
        if (label && (label->wordWrap() || label->text().isEmpty())) continue;
        if (widget->width() + 1 < widget->minimumSizeHint().width())
            out << widget->objectName() + QLatin1Char(' ') + (label ? label->text() : button->text());
        if (label && widget->height() + 1 < label->fontMetrics().height()) out << label->text() + QStringLiteral(" (height)");
    }
    return out;
}

// Widgets that take the keyboard and would be read out as nothing.
inline QStringList withoutName(const QWidget& page) {
    QStringList out;
    for (const auto* widget : page.findChildren<QWidget*>()) {
        if (widget->inherits("QComboBoxListView")) continue; // Qt's own list behind a box that has a name
        if (widget->focusPolicy() == Qt::NoFocus || widget->objectName().startsWith(QLatin1String("qt_"))) continue;
        const auto* button = qobject_cast<const QAbstractButton*>(widget);
        const QString inherits = QString::fromLatin1(widget->metaObject()->className());
        if (!widget->accessibleName().isEmpty() || (button && !button->text().isEmpty())) continue;
        if (qobject_cast<const QLabel*>(widget) || inherits == QLatin1String("QTabBar") || inherits == QLatin1String("QTabWidget"))
            continue;
        if (widget->parentWidget() && !widget->parentWidget()->accessibleName().isEmpty()) continue; // parts of a named widget
        out << inherits + QLatin1Char(' ') + widget->objectName();
    }
    return out;
}

} // namespace qw::test
