// SPDX-License-Identifier: GPL-3.0-or-later
// What: the grid of tiles: as many columns as fit, tiles fill it in their order, dragged ones find a new place.
#pragma once

#include <QWidget>
#include <vector>

namespace qw::ui {

class LiveTile;

class TileBoard : public QWidget {
    Q_OBJECT
public:
    explicit TileBoard(QWidget* parent = nullptr);

    void add(LiveTile* tile); // takes it
    void remove(LiveTile* tile);
    void move(LiveTile* tile, int places);
    void place(LiveTile* tile, LiveTile* before); // null: at the end
    [[nodiscard]] const std::vector<LiveTile*>& tiles() const { return m_tiles; }
    [[nodiscard]] LiveTile* find(const QString& id) const;
    // One tile alone; null: all again.
    void setFullPage(LiveTile* tile);
    [[nodiscard]] LiveTile* fullPage() const { return m_full; }
    void arrange();

Q_SIGNALS:
    void orderChanged();

protected:
    void resizeEvent(QResizeEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragMoveEvent(QDragMoveEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    [[nodiscard]] LiveTile* tileAt(const QPoint& point) const;
    [[nodiscard]] int viewHeight() const;
    std::vector<LiveTile*> m_tiles;
    LiveTile* m_full = nullptr;
    LiveTile* m_target = nullptr; // a dragged tile would go before it
    bool m_dragging = false;
};

} // namespace qw::ui
