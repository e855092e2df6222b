// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/live/tile_board.h"

#include "pages/live/live_tile.h"
#include "theme/theme.h"

#include <QDragEnterEvent>
#include <QMimeData>
#include <QPainter>
#include <algorithm>

namespace qw::ui {
namespace {

constexpr int kMostColumns = 4;
constexpr int kColumnEms = 15, kRowEms = 9; // least size of a tile of one cell, in line heights
constexpr int kRowsInView = 3;

} // namespace

TileBoard::TileBoard(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("tileBoard"));
    setAcceptDrops(true);
}

void TileBoard::add(LiveTile* tile) {
    tile->setParent(this);
    m_tiles.push_back(tile);
    tile->setVisible(!m_full);
    arrange();
}

void TileBoard::remove(LiveTile* tile) {
    if (m_full == tile) setFullPage(nullptr);
    std::erase(m_tiles, tile);
    tile->hide();
    tile->deleteLater();
    arrange();
    Q_EMIT orderChanged();
}

void TileBoard::move(LiveTile* tile, int places) {
    const auto at = std::find(m_tiles.begin(), m_tiles.end(), tile) - m_tiles.begin();
    const auto to = std::clamp<std::ptrdiff_t>(at + places, 0, static_cast<std::ptrdiff_t>(m_tiles.size()) - 1);
    if (to == at) return;
    m_tiles.erase(m_tiles.begin() + at);
    m_tiles.insert(m_tiles.begin() + to, tile);
    arrange();
    Q_EMIT orderChanged();
}

void TileBoard::place(LiveTile* tile, LiveTile* before) {
    if (tile == before) return;
    std::erase(m_tiles, tile);
    m_tiles.insert(before ? std::find(m_tiles.begin(), m_tiles.end(), before) : m_tiles.end(), tile);
    arrange();
    Q_EMIT orderChanged();
}

LiveTile* TileBoard::find(const QString& id) const {
    const auto at = std::find_if(m_tiles.begin(), m_tiles.end(), [&](const LiveTile* tile) { return tile->spec().id == id; });
    return at == m_tiles.end() ? nullptr : *at;
}

void TileBoard::setFullPage(LiveTile* tile) {
    if (tile == m_full) return;
    if (m_full) m_full->setFullPage(false);
    m_full = tile;
    if (m_full) m_full->setFullPage(true);
    for (LiveTile* one : m_tiles) one->setVisible(!m_full || one == m_full);
    arrange();
}

int TileBoard::viewHeight() const { return parentWidget() ? parentWidget()->height() : height(); }

void TileBoard::arrange() {
    const int em = fontMetrics().height(), gap = em / 2;
    if (m_full) {
        setMinimumHeight(0);
        m_full->setGeometry(0, 0, width(), viewHeight());
        return;
    }
    const int columns = std::clamp((width() + gap) / (kColumnEms * em + gap), 1, kMostColumns);
    const int cellWidth = (width() - (columns - 1) * gap) / columns;
    const int cellHeight = std::max(kRowEms * em, (viewHeight() - (kRowsInView - 1) * gap) / kRowsInView);
    std::vector<std::vector<bool>> used; // rows of cells
    const auto isFree = [&](int row, int column, int rows, int wide) {
        for (int r = row; r < row + rows; ++r)
            for (int c = column; c < column + wide; ++c)
                if (static_cast<size_t>(r) < used.size() && used[static_cast<size_t>(r)][static_cast<size_t>(c)]) return false;
        return true;
    };
    for (LiveTile* tile : m_tiles) {
        const int wide = std::min(tile->spec().columns, columns), rows = tile->spec().rows;
        int row = 0, column = 0;
        while (!isFree(row, column, rows, wide))
            if (++column + wide > columns) {
                column = 0;
                ++row;
            }
        if (used.size() < static_cast<size_t>(row + rows))
            used.resize(static_cast<size_t>(row + rows), std::vector<bool>(static_cast<size_t>(columns)));
        for (int r = row; r < row + rows; ++r)
            for (int c = column; c < column + wide; ++c) used[static_cast<size_t>(r)][static_cast<size_t>(c)] = true;
        tile->setGeometry(column * (cellWidth + gap), row * (cellHeight + gap), wide * cellWidth + (wide - 1) * gap,
                          rows * cellHeight + (rows - 1) * gap);
    }
    const int rows = static_cast<int>(used.size());
    setMinimumHeight(rows * cellHeight + std::max(0, rows - 1) * gap);
}

void TileBoard::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    arrange();
}

LiveTile* TileBoard::tileAt(const QPoint& point) const {
    const auto at = std::find_if(m_tiles.begin(), m_tiles.end(), [&](const LiveTile* tile) { return tile->geometry().contains(point); });
    return at == m_tiles.end() ? nullptr : *at;
}

void TileBoard::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasFormat(QString::fromLatin1(kTileMime))) event->acceptProposedAction();
}

void TileBoard::dragMoveEvent(QDragMoveEvent* event) {
    m_dragging = true;
    m_target = tileAt(event->position().toPoint());
    update();
    event->acceptProposedAction();
}

void TileBoard::dragLeaveEvent(QDragLeaveEvent*) {
    m_dragging = false;
    update();
}

void TileBoard::dropEvent(QDropEvent* event) {
    m_dragging = false;
    update();
    LiveTile* tile = find(QString::fromUtf8(event->mimeData()->data(QString::fromLatin1(kTileMime))));
    if (!tile) return;
    place(tile, tileAt(event->position().toPoint()));
    event->acceptProposedAction();
}

void TileBoard::paintEvent(QPaintEvent*) {
    if (!m_dragging || !m_target) return;
    QPainter painter(this);
    const int wide = std::max(2, fontMetrics().height() / 6);
    const QRect to = m_target->geometry();
    painter.fillRect(QRect(std::max(0, to.left() - wide - 1), to.top(), wide, to.height()), Theme::instance().colour(Token::Accent));
}

} // namespace qw::ui
