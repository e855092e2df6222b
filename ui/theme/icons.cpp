// SPDX-License-Identifier: GPL-3.0-or-later
// What: icons of resources/icons, tinted: their files draw with currentColor, which becomes a token's colour.
#include "theme/theme.h"

#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QSvgRenderer>

// A static library's resources are linked in only when somebody asks for them; the macro must stand outside of namespaces.
static void registerIcons() { Q_INIT_RESOURCE(icons); }

namespace qw::ui {
namespace {

// Draws at whatever size and pixel ratio is asked for, in the theme's colour of that moment.
class TintedIcon final : public QIconEngine {
public:
    TintedIcon(QByteArray svg, Token token) : m_svg(std::move(svg)), m_token(token) {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
        const Token token = mode == QIcon::Disabled ? Token::Disabled : mode == QIcon::Selected ? Token::SelectionText : m_token;
        QByteArray tinted = m_svg;
        tinted.replace("currentColor", Theme::instance().colour(token).name().toLatin1());
        QSvgRenderer(tinted).render(painter, rect);
    }
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
        QPixmap pixmap(size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return pixmap;
    }
    [[nodiscard]] QIconEngine* clone() const override { return new TintedIcon(m_svg, m_token); }

private:
    QByteArray m_svg;
    Token m_token;
};

} // namespace

QIcon Theme::icon(const QString& name) const { return icon(name, Token::Text); }

QIcon Theme::icon(const QString& name, Token token) const {
    static const bool registered = (registerIcons(), true);
    static_cast<void>(registered);
    QFile file(QStringLiteral(":/icons/") + name + QStringLiteral(".svg"));
    if (name.isEmpty() || !file.open(QIODevice::ReadOnly)) return {};
    return QIcon(new TintedIcon(file.readAll(), token));
}

} // namespace qw::ui
