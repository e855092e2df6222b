// SPDX-License-Identifier: GPL-3.0-or-later
#include "theme/theme.h"

#include "theme/style_sheet.h"
#include "theme/theme_style.h"

#include <QApplication>
#include <QStyle>
#include <QToolTip>
#include <cmath>

namespace qw::ui {
namespace {

constexpr QRgb kLight[] = {0xF4F5F7, 0xFFFFFF, 0xF7F8FA, 0xFFFFFF, 0xD3D7DE, 0x1C2128, 0x57606A, 0x8C959F, 0x0B5CAD,
                           0xFFFFFF, 0xCFE3F8, 0x0C2A4A, 0x1A6E36, 0xDDF4E4, 0x805500, 0xFFF3D1, 0xB3261E, 0xFDE7E6,
                           0x0B5CAD, 0xE3F0FC, 0x24292F, 0xFFFFFF, 0xE4E7EC, 0x57606A, 0xDDE7F5, 0x2F7EC8};
constexpr QRgb kDark[] = {0x1B1E23, 0x14161A, 0x191C21, 0x24282F, 0x3A4049, 0xE6EAF0, 0xA3ADBA, 0x6B7480, 0x6CB6FF,
                          0x0A1A2B, 0x1F4468, 0xE9F3FF, 0x6FD08C, 0x17331F, 0xE8B84A, 0x3A2E10, 0xFF8A80, 0x441D1B,
                          0x6CB6FF, 0x17304A, 0xE6EAF0, 0x14161A, 0x2A2F37, 0xA3ADBA, 0x20324A, 0x4A90D9};
static_assert(std::size(kLight) == static_cast<size_t>(Token::Count) && std::size(kDark) == static_cast<size_t>(Token::Count));

// Okabe and Ito, "Color Universal Design", 2008; darker on white, lighter on black.
constexpr QRgb kSeriesLight[kSeriesColours] = {0x0072B2, 0xC04E00, 0x00805F, 0xA8478C, 0x2E8CC4, 0x9A7000, 0x5B5B5B, 0x7A3FBF};
constexpr QRgb kSeriesDark[kSeriesColours] = {0x56B4E9, 0xF08A4B, 0x35C9A0, 0xE08FC4, 0x4C9BD6, 0xF0D442, 0xB8BEC7, 0xB794F4};

ThemeTable makeTable(const QRgb* colours, const QRgb* series) {
    ThemeTable table;
    for (size_t i = 0; i < table.colours.size(); ++i) table.colours[i] = QColor(colours[i]);
    for (size_t i = 0; i < kSeriesColours; ++i) table.series[i] = QColor(series[i]);
    return table;
}

QPalette makePalette(const ThemeTable& t) {
    QPalette palette;
    palette.setColor(QPalette::Window, t[Token::Window]);
    palette.setColor(QPalette::WindowText, t[Token::Text]);
    palette.setColor(QPalette::Base, t[Token::Base]);
    palette.setColor(QPalette::AlternateBase, t[Token::Alternate]);
    palette.setColor(QPalette::Text, t[Token::Text]);
    palette.setColor(QPalette::PlaceholderText, t[Token::Muted]);
    palette.setColor(QPalette::Button, t[Token::Raised]);
    palette.setColor(QPalette::ButtonText, t[Token::Text]);
    palette.setColor(QPalette::Highlight, t[Token::Selection]);
    palette.setColor(QPalette::HighlightedText, t[Token::SelectionText]);
    palette.setColor(QPalette::ToolTipBase, t[Token::Tooltip]);
    palette.setColor(QPalette::ToolTipText, t[Token::TooltipText]);
    palette.setColor(QPalette::Link, t[Token::Accent]);
    palette.setColor(QPalette::Mid, t[Token::Border]);
    palette.setColor(QPalette::Midlight, t[Token::Alternate]);
    palette.setColor(QPalette::Light, t[Token::Raised]);
    palette.setColor(QPalette::Dark, t[Token::Border]);
    palette.setColor(QPalette::Shadow, t[Token::Border]);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, t[Token::Disabled]);
    return palette;
}

double luminance(const QColor& c) {
    const auto linear = [](double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(c.redF()) + 0.7152 * linear(c.greenF()) + 0.0722 * linear(c.blueF());
}

} // namespace

double contrast(const QColor& a, const QColor& b) {
    const double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
    return std::max(x, y) / std::min(x, y);
}

const ThemeTable& Theme::light() {
    static const ThemeTable table = makeTable(kLight, kSeriesLight);
    return table;
}
const ThemeTable& Theme::dark() {
    static const ThemeTable table = makeTable(kDark, kSeriesDark);
    return table;
}

const std::vector<std::pair<Token, Token>>& Theme::textPairs() {
    static const std::vector<std::pair<Token, Token>> pairs{{Token::Text, Token::Window},
                                                            {Token::Text, Token::Base},
                                                            {Token::Text, Token::Alternate},
                                                            {Token::Text, Token::Raised},
                                                            {Token::Muted, Token::Window},
                                                            {Token::Muted, Token::Base},
                                                            {Token::Muted, Token::Raised},
                                                            {Token::Accent, Token::Window},
                                                            {Token::Accent, Token::Base},
                                                            {Token::AccentText, Token::Accent},
                                                            {Token::SelectionText, Token::Selection},
                                                            {Token::Good, Token::GoodBack},
                                                            {Token::Warning, Token::WarningBack},
                                                            {Token::Bad, Token::BadBack},
                                                            {Token::Info, Token::InfoBack},
                                                            {Token::Good, Token::Base},
                                                            {Token::Warning, Token::Base},
                                                            {Token::Bad, Token::Base},
                                                            {Token::Text, Token::GoodBack},
                                                            {Token::Text, Token::WarningBack},
                                                            {Token::Text, Token::BadBack},
                                                            {Token::Text, Token::InfoBack},
                                                            {Token::TooltipText, Token::Tooltip},
                                                            {Token::Axis, Token::Base},
                                                            {Token::Text, Token::Band}};
    return pairs;
}

Theme& Theme::instance() {
    static Theme theme;
    return theme;
}

Qt::PenStyle Theme::dashOf(int n) {
    static constexpr Qt::PenStyle dashes[] = {Qt::SolidLine, Qt::DashLine, Qt::DotLine, Qt::DashDotLine};
    return dashes[(static_cast<size_t>(n) / kSeriesColours) % std::size(dashes)];
}

void Theme::choose(Choice choice, Sheet sheet) {
    if (!m_haveSystem) {
        m_system = QApplication::palette();
        m_haveSystem = true;
        QApplication::setStyle(new ThemeStyle); // the application's from here on
    }
    m_choice = choice;
    m_dressed = m_dressed || sheet == Sheet::Now;
    apply();
}

void Theme::dress() {
    m_dressed = true;
    qApp->setStyleSheet(styleSheet(table()));
}

void Theme::followSystem() {
    if (m_applying || m_choice != Choice::System) return;
    m_system = QApplication::palette();
    m_haveSystem = true;
    apply();
}

void Theme::apply() {
    m_applying = true;
    const bool systemDark = m_system.color(QPalette::Window).lightness() < m_system.color(QPalette::WindowText).lightness();
    m_dark = m_choice == Choice::Dark || (m_choice == Choice::System && systemDark);
    QApplication::setPalette(makePalette(table()));
    QToolTip::setPalette(QApplication::palette());
    if (m_dressed) qApp->setStyleSheet(styleSheet(table()));
    m_applying = false;
    Q_EMIT changed();
}

} // namespace qw::ui
