// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/chunk_codec.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace qw::store {
namespace {

static_assert(std::endian::native == std::endian::little, "chunks are little endian");
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void putVarint(std::string& out, uint64_t v) {
    for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
    out += static_cast<char>(v);
}
uint64_t zigzag(int64_t v) { return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63); }
int64_t unzigzag(uint64_t v) { return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1); }
template<class T> void putRaw(std::string& out, T v) { out.append(reinterpret_cast<const char*>(&v), sizeof v); }

bool fitsFloat(double v) { return std::isnan(v) || static_cast<double>(static_cast<float>(v)) == v; }

struct Source {
    std::string_view data;
    bool bad = false;

    uint64_t varint() {
        uint64_t v = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (data.empty()) break;
            const auto byte = static_cast<uint8_t>(data.front());
            data.remove_prefix(1);
            v |= uint64_t{byte & 0x7Fu} << shift;
            if (byte < 0x80) return v;
        }
        bad = true;
        return 0;
    }
    double value(bool narrow) {
        const size_t size = narrow ? sizeof(float) : sizeof(double);
        if (data.size() < size) {
            bad = true;
            return kNan;
        }
        double v = 0;
        if (narrow) {
            float f = 0;
            std::memcpy(&f, data.data(), size);
            v = f;
        } else
            std::memcpy(&v, data.data(), size);
        data.remove_prefix(size);
        return v;
    }
    [[nodiscard]] Status end(int enc) const {
        if (!bad && data.empty() && enc >= 1 && enc <= 3) return {};
        return Error{"store.corrupt",
                     "a chunk of a series cannot be read (encoding " + std::to_string(enc) + ")",
                     "run 'qatw store rebuild'",
                     {},
                     false};
    }
};

void putValue(std::string& out, double v, bool narrow) {
    if (narrow)
        putRaw(out, static_cast<float>(v));
    else
        putRaw(out, v);
}

// Running minimum, maximum and mean over finite values.
struct Fold {
    double min = kNan, max = kNan, sum = 0;
    int n = 0;
    void add(double lo, double hi, double mean) {
        if (!std::isfinite(mean)) return;
        min = n == 0 ? lo : std::min(min, lo);
        max = n == 0 ? hi : std::max(max, hi);
        sum += mean;
        ++n;
    }
    [[nodiscard]] Entry entry(int64_t lastStep, double last) const { return {lastStep, min, max, n ? sum / n : kNan, last}; }
};

} // namespace

Encoded encodePoints(const std::vector<Point>& points) {
    bool narrow = true, evenly = points.size() > 1;
    for (size_t i = 0; i < points.size(); ++i) {
        narrow = narrow && fitsFloat(points[i].value);
        if (i > 0) evenly = evenly && points[i].step - points[i - 1].step == points[1].step - points[0].step;
    }
    Encoded out{narrow ? (evenly ? 1 : 2) : 3, {}};
    out.data.reserve(points.size() * 10);
    if (out.enc == 1)
        putVarint(out.data, static_cast<uint64_t>(points[1].step - points[0].step));
    else
        for (size_t i = 1; i < points.size(); ++i) putVarint(out.data, static_cast<uint64_t>(points[i].step - points[i - 1].step));
    for (size_t i = 1; i < points.size(); ++i) putVarint(out.data, zigzag(points[i].tsMs - points[i - 1].tsMs));
    for (const Point& p : points) putValue(out.data, p.value, narrow);
    return out;
}

Result<std::vector<Point>> decodePoints(int enc, std::string_view data, size_t n, int64_t step0, int64_t ts0) {
    Source in{data};
    std::vector<Point> points(std::min(n, kChunkPoints));
    in.bad = n == 0 || n > kChunkPoints;
    if (!points.empty()) points[0] = {step0, ts0, 0};
    const int64_t stride = enc == 1 ? static_cast<int64_t>(in.varint()) : 0;
    for (size_t i = 1; i < points.size(); ++i)
        points[i].step = points[i - 1].step + (enc == 1 ? stride : static_cast<int64_t>(in.varint()));
    for (size_t i = 1; i < points.size(); ++i) points[i].tsMs = points[i - 1].tsMs + unzigzag(in.varint());
    for (Point& p : points) p.value = in.value(enc != 3);
    QW_CHECK(in.end(enc));
    return points;
}

std::string encodeLayerPoints(const std::vector<Point>& points) {
    std::vector<Point> untimed = points;
    for (Point& p : untimed) p.tsMs = 0;
    const Encoded encoded = encodePoints(untimed);
    return static_cast<char>(encoded.enc) + encoded.data;
}

Result<std::vector<Point>> decodeLayerPoints(std::string_view data, size_t n, int64_t step0) {
    if (data.empty()) return decodePoints(0, data, n, step0, 0);
    return decodePoints(data[0], data.substr(1), n, step0, 0);
}

Encoded encodeEntries(const std::vector<Entry>& entries, int64_t step0) {
    bool narrow = true;
    for (const Entry& e : entries) narrow = narrow && fitsFloat(e.min) && fitsFloat(e.max) && fitsFloat(e.last);
    Encoded out{narrow ? 2 : 3, {}};
    int64_t step = step0;
    for (const Entry& e : entries) putVarint(out.data, static_cast<uint64_t>(e.lastStep - std::exchange(step, e.lastStep)));
    for (const auto field : {&Entry::min, &Entry::max, &Entry::mean, &Entry::last})
        for (const Entry& e : entries) putValue(out.data, e.*field, narrow);
    return out;
}

Result<std::vector<Entry>> decodeEntries(int enc, std::string_view data, size_t n, int64_t step0) {
    Source in{data};
    std::vector<Entry> entries(std::min(n, kChunkPoints));
    in.bad = n == 0 || n > kChunkPoints || enc == 1;
    int64_t step = step0;
    for (Entry& e : entries) e.lastStep = step += static_cast<int64_t>(in.varint());
    for (const auto field : {&Entry::min, &Entry::max, &Entry::mean, &Entry::last})
        for (Entry& e : entries) e.*field = in.value(enc != 3);
    QW_CHECK(in.end(enc));
    return entries;
}

Entry summarise(const Point* points, size_t n) {
    Fold fold;
    for (size_t i = 0; i < n; ++i) fold.add(points[i].value, points[i].value, points[i].value);
    return fold.entry(points[n - 1].step, points[n - 1].value);
}

Entry summarise(const Entry* entries, size_t n) {
    Fold fold;
    for (size_t i = 0; i < n; ++i) fold.add(entries[i].min, entries[i].max, entries[i].mean);
    return fold.entry(entries[n - 1].lastStep, entries[n - 1].last);
}

} // namespace qw::store
