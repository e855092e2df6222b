// SPDX-License-Identifier: GPL-3.0-or-later
#include "charts/column_canvas.h"

#include <algorithm>
#include <cmath>

namespace qw::ui {
namespace {

QRgb scaled(QRgb colour, uint32_t by) { // by: 0 to 256
    const uint32_t even = ((colour & 0xff00ffU) * by >> 8U) & 0xff00ffU;
    const uint32_t odd = ((colour >> 8U) & 0xff00ffU) * by & 0xff00ff00U;
    return even | odd;
}

void blend(QRgb& pixel, QRgb colour) { pixel = colour + scaled(pixel, 256 - qAlpha(colour)); }

} // namespace

void ColumnCanvas::begin(int width, int height) {
    m_width = static_cast<size_t>(std::max(1, width));
    m_height = static_cast<size_t>(std::max(1, height));
    m_pixels.assign(m_width * m_height, 0);
}

void ColumnCanvas::span(size_t column, double top, double bottom, QRgb colour) {
    top = std::clamp(top, 0.0, static_cast<double>(m_height));
    bottom = std::clamp(bottom, 0.0, static_cast<double>(m_height));
    if (bottom - top < 1.0 / 512) return;
    QRgb* const pixels = m_pixels.data() + column * m_height;
    const auto first = std::min(static_cast<size_t>(top), m_height - 1);
    const auto last = std::min(static_cast<size_t>(bottom), m_height - 1);
    const auto cover = [&](size_t row, double share) { blend(pixels[row], scaled(colour, static_cast<uint32_t>(share * 256))); };
    if (first == last) return cover(first, bottom - top);
    cover(first, static_cast<double>(first + 1) - top);
    if (qAlpha(colour) == 255)
        std::fill(pixels + first + 1, pixels + last, colour);
    else
        for (size_t row = first + 1; row < last; ++row) blend(pixels[row], colour);
    cover(last, std::min(1.0, bottom - static_cast<double>(last)));
}

void ColumnCanvas::stroke(const std::vector<ColumnSpan>& spans, const QColor& colour, double width, int dashOn, int dashOff) {
    const QRgb ink = qPremultiply(colour.rgba());
    const size_t period = static_cast<size_t>(dashOn + dashOff);
    for (size_t c = 0; c < std::min(spans.size(), m_width); ++c) {
        const ColumnSpan& s = spans[c];
        if (s.empty() || (dashOff > 0 && c % period >= static_cast<size_t>(dashOn))) continue;
        // A straight line of slope m covers width * sqrt(1 + m^2) of a column; a spike keeps its height.
        const double rise = static_cast<double>(s.bottom) - static_cast<double>(s.top);
        const double pad = std::min(width / 2, std::max(0.0, width / 2 * std::sqrt(1 + rise * rise) - rise / 2));
        span(c, static_cast<double>(s.top) - pad, static_cast<double>(s.bottom) + pad, ink);
    }
}

void ColumnCanvas::fill(const std::vector<ColumnSpan>& spans, const QColor& colour) {
    const QRgb ink = qPremultiply(colour.rgba());
    for (size_t c = 0; c < std::min(spans.size(), m_width); ++c)
        if (!spans[c].empty()) span(c, static_cast<double>(spans[c].top), static_cast<double>(spans[c].bottom), ink);
}

QImage ColumnCanvas::image() const {
    QImage image(static_cast<int>(m_width), static_cast<int>(m_height), QImage::Format_ARGB32_Premultiplied);
    constexpr size_t kTile = 32; // both sides of the transposition stay in the nearest cache
    auto* const out = reinterpret_cast<QRgb*>(image.bits());
    const size_t stride = static_cast<size_t>(image.bytesPerLine()) / sizeof(QRgb);
    for (size_t y0 = 0; y0 < m_height; y0 += kTile)
        for (size_t x0 = 0; x0 < m_width; x0 += kTile)
            for (size_t y = y0; y < std::min(y0 + kTile, m_height); ++y)
                for (size_t x = x0; x < std::min(x0 + kTile, m_width); ++x) out[y * stride + x] = m_pixels[x * m_height + y];
    return image;
}

} // namespace qw::ui
