// SPDX-License-Identifier: GPL-3.0-or-later
// What: every colour of the window as a named token, in two tables (light, dark), and the palette and icons made from them.
// Why here: widgets, delegates and charts read tokens, so that one switch changes all of them at once.
#pragma once

#include <QColor>
#include <QIcon>
#include <QObject>
#include <QPalette>
#include <QString>
#include <array>
#include <vector>

namespace qw::ui {

enum class Token : uint8_t {
    Window,
    Base,
    Alternate,
    Raised,
    Border,
    Text,
    Muted,
    Disabled,
    Accent,
    AccentText,
    Selection,
    SelectionText,
    Good,
    GoodBack,
    Warning,
    WarningBack,
    Bad,
    BadBack,
    Info,
    InfoBack,
    Tooltip,
    TooltipText,
    Grid,
    Axis,
    Band,
    Heat,
    Count
};
constexpr size_t kSeriesColours = 8;

struct ThemeTable {
    std::array<QColor, static_cast<size_t>(Token::Count)> colours;
    std::array<QColor, kSeriesColours> series; // Okabe-Ito, moved towards the ground's contrast
    [[nodiscard]] const QColor& operator[](Token token) const { return colours[static_cast<size_t>(token)]; }
};

class Theme : public QObject {
    Q_OBJECT
public:
    enum class Choice : uint8_t { System, Light, Dark };
    enum class Sheet : uint8_t { Now, Later };

    [[nodiscard]] static Theme& instance(); // one a process, like the application's palette
    [[nodiscard]] static const ThemeTable& light();
    [[nodiscard]] static const ThemeTable& dark();
    // Pairs (text, ground) that carry words; each has a contrast of at least 4.5.
    [[nodiscard]] static const std::vector<std::pair<Token, Token>>& textPairs();

    // Sets the application's palette and style sheet. Under a sheet every widget that is given a parent is styled anew with all its
    // children, which is half of what building a window costs: a program that builds one says Later, and dress() when it stands.
    void choose(Choice choice, Sheet sheet = Sheet::Now);
    void dress();
    [[nodiscard]] Choice choice() const { return m_choice; }
    [[nodiscard]] bool isDark() const { return m_dark; }
    [[nodiscard]] const ThemeTable& table() const { return m_dark ? dark() : light(); }
    [[nodiscard]] const QColor& colour(Token token) const { return table()[token]; }
    // The colour of run or series number n, the same in every view; after eight the dash changes (dashOf).
    [[nodiscard]] const QColor& series(int n) const { return table().series[static_cast<size_t>(n) % kSeriesColours]; }
    [[nodiscard]] static Qt::PenStyle dashOf(int n);
    [[nodiscard]] static int seriesCount() { return kSeriesColours; }

    // An icon of resources/icons in the text colour of the theme; a null icon for an unknown name.
    [[nodiscard]] QIcon icon(const QString& name) const;
    [[nodiscard]] QIcon icon(const QString& name, Token token) const;

    void followSystem(); // call on ApplicationPaletteChange

Q_SIGNALS:
    void changed();

private:
    Theme() = default;
    void apply();
    Choice m_choice = Choice::System;
    bool m_dark = false;
    bool m_dressed = false;
    bool m_applying = false;
    QPalette m_system;
    bool m_haveSystem = false;
};

// WCAG 2 contrast ratio, 1 to 21.
[[nodiscard]] double contrast(const QColor& a, const QColor& b);

} // namespace qw::ui
