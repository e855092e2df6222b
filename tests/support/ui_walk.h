// SPDX-License-Identifier: GPL-3.0-or-later
// What: looks at every visible widget of a window: clipped text, overlap, missing names, faint text (ui.md 2 and 6).
// Limits: geometry and palettes, not taste; cells of tables may elide, their views scroll.
#pragma once

#include "theme/theme.h"

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractScrollArea>
#include <QAccessible>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDockWidget>
#include <QGroupBox>
#include <QHash>
#include <QHeaderView>
#include <QImage>
#include <QLabel>
#include <QLayout>
#include <QMainWindow>
#include <QMenuBar>
#include <QScrollBar>
#include <QSizeGrip>
#include <QSplitter>
#include <QSplitterHandle>
#include <QStackedWidget>
#include <QStyleOptionComboBox>
#include <QTabBar>
#include <QTextDocument>
#include <QToolButton>
#include <algorithm>

namespace qw::test {

class UiWalk {
public:
    explicit UiWalk(QWidget& window) : m_window(window), m_image(window.grab().toImage()) {
        const auto all = window.findChildren<QWidget*>();
        for (QWidget* widget : all)
            if (widget->isVisible() && widget->window() == &window && !widget->visibleRegion().isEmpty()) m_shown.push_back(widget);
    }
    [[nodiscard]] const QImage& image() const { return m_image; }

    [[nodiscard]] QStringList problems() const {
        QStringList all;
        for (QWidget* widget : m_shown) {
            for (const QString& what : {clipped(*widget), nameless(*widget), faint(*widget), cutOff(*widget)})
                if (!what.isEmpty()) all << where(*widget) + QStringLiteral(": ") + what;
            all << overlaps(*widget);
        }
        all.sort();
        all.removeDuplicates();
        return all;
    }

private:
    static QString where(const QWidget& widget) {
        QStringList path;
        for (const QWidget* w = &widget; w && !w->isWindow(); w = w->parentWidget())
            if (path.isEmpty() || (!w->objectName().isEmpty() && !w->objectName().startsWith(QLatin1String("qt_"))))
                path.prepend(w->objectName().isEmpty() ? QString::fromLatin1(w->metaObject()->className()) : w->objectName());
        return path.mid(std::max<qsizetype>(0, path.size() - 3)).join(QLatin1Char('/'));
    }
    static bool ours(const QWidget& widget) { return !widget.objectName().startsWith(QLatin1String("qt_")); }
    static QString plain(QString text) {
        text.replace(QLatin1String("&&"), QLatin1String("\x01"));
        text.remove(QLatin1Char('&'));
        return text.replace(QLatin1Char('\x01'), QLatin1Char('&'));
    }
    static QString tooSmall(const QString& text, int has, int needs, const char* what) {
        return QStringLiteral("“%1” is clipped: %2 %3 of %4").arg(text.left(40), QLatin1String(what)).arg(has).arg(needs);
    }

    static QString clipped(const QWidget& widget) {
        if (const auto* label = qobject_cast<const QLabel*>(&widget)) return clippedLabel(*label);
        if (const auto* box = qobject_cast<const QComboBox*>(&widget)) return clippedCombo(*box);
        if (const auto* bar = qobject_cast<const QTabBar*>(&widget)) return clippedTabs(*bar);
        if (const auto* header = qobject_cast<const QHeaderView*>(&widget)) return clippedHeader(*header);
        const bool wordy = qobject_cast<const QAbstractButton*>(&widget) || qobject_cast<const QGroupBox*>(&widget);
        if (!wordy || !ours(widget)) return {};
        const auto* button = qobject_cast<const QAbstractButton*>(&widget);
        if (button && button->text().isEmpty()) return {};
        const QString text = button ? button->text() : qobject_cast<const QGroupBox*>(&widget)->title();
        const QSize needs = button ? widget.sizeHint() : widget.minimumSizeHint();
        if (widget.width() < needs.width()) return tooSmall(text, widget.width(), needs.width(), "width");
        if (widget.height() < widget.minimumSizeHint().height())
            return tooSmall(text, widget.height(), widget.minimumSizeHint().height(), "height");
        return {};
    }
    static QString clippedLabel(const QLabel& label) {
        const QString text = label.text();
        if (text.isEmpty() || !label.pixmap(Qt::ReturnByValue).isNull()) return {};
        if (label.wordWrap()) {
            const int needs = label.heightForWidth(label.width());
            return label.height() < needs ? tooSmall(text, label.height(), needs, "height") : QString();
        }
        if (label.height() < label.minimumSizeHint().height())
            return tooSmall(text, label.height(), label.minimumSizeHint().height(), "height");
        // A label that may shrink says its whole text in the tooltip.
        const int needs = label.sizeHint().width();
        if (label.width() >= needs) return {};
        const bool elided = label.toolTip().contains(text) || label.accessibleName().contains(text);
        return elided && !label.toolTip().isEmpty() ? QString() : tooSmall(text, label.width(), needs, "width");
    }
    static QString clippedCombo(const QComboBox& box) {
        QStyleOptionComboBox option;
        option.initFrom(&box);
        option.editable = box.isEditable();
        const QRect field = box.style()->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, &box);
        const int needs = box.fontMetrics().horizontalAdvance(box.currentText());
        if (needs <= field.width() || box.toolTip().contains(box.currentText())) return {};
        return tooSmall(box.currentText(), field.width(), needs, "width");
    }
    static QString clippedTabs(const QTabBar& bar) {
        for (int i = 0; i < bar.count(); ++i)
            if (bar.isTabVisible(i) && bar.tabRect(i).width() < bar.fontMetrics().horizontalAdvance(plain(bar.tabText(i))) &&
                bar.tabToolTip(i).isEmpty())
                return tooSmall(bar.tabText(i), bar.tabRect(i).width(), bar.fontMetrics().horizontalAdvance(bar.tabText(i)), "width");
        return {};
    }
    static QString clippedHeader(const QHeaderView& header) {
        if (header.orientation() != Qt::Horizontal || !header.model()) return {};
        for (int i = 0; i < header.count(); ++i) {
            if (header.isSectionHidden(i)) continue;
            const QString text = header.model()->headerData(i, Qt::Horizontal).toString();
            const QString tip = header.model()->headerData(i, Qt::Horizontal, Qt::ToolTipRole).toString();
            int needs = 0;
            for (const QString& line : text.split(QLatin1Char('\n'))) needs = std::max(needs, header.fontMetrics().horizontalAdvance(line));
            if (header.sectionSize(i) < needs && tip.isEmpty()) return tooSmall(text, header.sectionSize(i), needs, "width");
        }
        return {};
    }

    // A widget outside of its parent is invisible without a way to scroll to it.
    static QString cutOff(const QWidget& widget) {
        const QWidget* parent = widget.parentWidget();
        if (!parent || parent->isWindow() || !ours(widget)) return {};
        const auto* area = qobject_cast<const QAbstractScrollArea*>(parent->parentWidget());
        if ((area && area->viewport() == parent) || qobject_cast<const QAbstractScrollArea*>(parent) ||
            qobject_cast<const QSplitterHandle*>(&widget) || qobject_cast<const QSizeGrip*>(&widget) ||
            qobject_cast<const QTabBar*>(parent))
            return {};
        if (parent->rect().adjusted(-1, -1, 1, 1).contains(widget.geometry())) return {};
        const QRect g = widget.geometry();
        return QStringLiteral("lies at %1,%2 %3x%4 in a parent of %5x%6")
            .arg(g.x())
            .arg(g.y())
            .arg(g.width())
            .arg(g.height())
            .arg(parent->width())
            .arg(parent->height());
    }

    static bool stacks(const QWidget& parent) {
        return qobject_cast<const QStackedWidget*>(&parent) || qobject_cast<const QAbstractScrollArea*>(&parent) ||
               qobject_cast<const QMainWindow*>(&parent) || qobject_cast<const QTabBar*>(&parent) ||
               qobject_cast<const QComboBox*>(&parent) || qobject_cast<const QMenuBar*>(&parent) || parent.inherits("QLineEdit") ||
               parent.inherits("QAbstractSpinBox") || parent.inherits("QTabWidget");
    }
    static bool floats(const QWidget& widget) { // made to lie over others
        return qobject_cast<const QSplitterHandle*>(&widget) || qobject_cast<const QSizeGrip*>(&widget) ||
               widget.property("floating").toBool();
    }
    static QStringList overlaps(const QWidget& parent) {
        QStringList found;
        if (stacks(parent)) return found;
        std::vector<QWidget*> shown;
        for (QObject* child : parent.children())
            if (auto* widget = qobject_cast<QWidget*>(child); widget && widget->isVisible() && !widget->isWindow() && !floats(*widget))
                shown.push_back(widget);
        for (size_t i = 0; i < shown.size(); ++i)
            for (size_t k = i + 1; k < shown.size(); ++k)
                if (shown[i]->geometry().intersects(shown[k]->geometry()))
                    found << where(*shown[i]) + QStringLiteral(" overlaps ") + where(*shown[k]);
        return found;
    }

    static QString nameless(QWidget& widget) {
        auto* button = qobject_cast<QAbstractButton*>(&widget);
        if (button && ours(widget) && !button->icon().isNull() && showsIconOnly(*button)) {
            if (button->toolTip().isEmpty()) return QStringLiteral("an icon without a tooltip");
            if (button->accessibleName().isEmpty() && button->text().isEmpty()) return QStringLiteral("an icon without a name");
        }
        if (!(widget.focusPolicy() & Qt::TabFocus) || !widget.isEnabled() || widget.focusProxy() || !ours(widget)) return {};
        if (qobject_cast<QScrollBar*>(&widget)) return {};
        QAccessibleInterface* access = QAccessible::queryAccessibleInterface(&widget);
        if (!access || !access->text(QAccessible::Name).isEmpty()) return {};
        return QStringLiteral("%1 takes the focus and has no accessible name").arg(QString::fromLatin1(widget.metaObject()->className()));
    }
    static bool showsIconOnly(const QAbstractButton& button) {
        if (const auto* tool = qobject_cast<const QToolButton*>(&button))
            return tool->toolButtonStyle() == Qt::ToolButtonIconOnly || tool->text().isEmpty();
        return button.text().isEmpty();
    }

    // The text's colour of the palette in use against what was really painted behind it.
    [[nodiscard]] QString faint(const QWidget& widget) const {
        const bool wordy = qobject_cast<const QLabel*>(&widget) || qobject_cast<const QAbstractButton*>(&widget);
        if (!wordy || !widget.isEnabled() || !ours(widget)) return {};
        const auto* label = qobject_cast<const QLabel*>(&widget);
        const auto* button = qobject_cast<const QAbstractButton*>(&widget);
        if ((label && label->text().isEmpty()) || (button && (button->text().isEmpty() || showsIconOnly(*button)))) return {};
        const QRect place = widget.visibleRegion().boundingRect().translated(widget.mapTo(&m_window, QPoint()));
        const QColor ink = widget.palette().color(widget.foregroundRole());
        const QColor ground = commonest(place.adjusted(3, 3, -3, -3), ink);
        if (!ground.isValid()) return {};
        const double ratio = ui::contrast(ink, ground);
        return ratio >= 4.5 ? QString()
                            : QStringLiteral("“%1” has a contrast of %2 (%3 on %4)")
                                  .arg((label ? label->text() : button->text()).left(30))
                                  .arg(ratio, 0, 'f', 2)
                                  .arg(ink.name(), ground.name());
    }
    [[nodiscard]] QColor commonest(const QRect& place, const QColor& ink) const { // of the pixels that are not the ink itself
        const qreal scale = m_image.devicePixelRatio();
        const QRect inside = QRect(place.topLeft() * scale, place.size() * scale).intersected(m_image.rect());
        if (inside.width() < 2 || inside.height() < 2) return {};
        QHash<QRgb, int> count;
        QRgb best = 0;
        for (int y = inside.top(); y <= inside.bottom(); ++y)
            for (int x = inside.left(); x <= inside.right(); ++x) {
                const QRgb pixel = m_image.pixel(x, y);
                if (pixel != ink.rgb() && ++count[pixel] > count.value(best)) best = pixel;
            }
        return count.isEmpty() ? ink : QColor(best);
    }

    QWidget& m_window;
    QImage m_image;
    std::vector<QWidget*> m_shown;
};

} // namespace qw::test
