// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/event_log.h"

#include "base/clock.h"
#include "base/files.h"
#include "wire/json_events.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace qw::wire {
namespace {

static_assert(std::endian::native == std::endian::little, "log records are little endian");
constexpr int64_t kFlushNs = 250'000'000, kSyncNs = 5'000'000'000;
constexpr uint64_t kWindowBytes = 1 << 20;

struct Fd {
    int fd = -1;
    Fd() = default;
    explicit Fd(int value) : fd(value) {}
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() {
        if (fd >= 0) ::close(fd);
    }
};

template<class T> void put(std::string& out, T value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }
template<class T> T get(const char* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

uint32_t recordCrc(std::string_view lengthAndSeq, std::string_view json) { return crc32c(json, crc32c(lengthAndSeq)); }

std::string frame(int64_t seq, std::string_view json) {
    std::string record;
    record.reserve(kLogHeaderBytes + json.size());
    put(record, kLogMagic);
    put(record, static_cast<uint32_t>(json.size()));
    put(record, static_cast<uint64_t>(seq));
    put(record, recordCrc(std::string_view(record).substr(4, 12), json));
    record.append(json);
    return record;
}

// Length of the good record at the start of bytes, 0: bad or not whole.
size_t goodRecord(std::string_view bytes, int64_t& seq) {
    if (bytes.size() < kLogHeaderBytes || get<uint32_t>(bytes.data()) != kLogMagic) return 0;
    const auto length = get<uint32_t>(bytes.data() + 4);
    if (length > kMaxLogRecordBytes || bytes.size() - kLogHeaderBytes < length) return 0;
    const std::string_view json = bytes.substr(kLogHeaderBytes, length);
    if (get<uint32_t>(bytes.data() + 16) != recordCrc(bytes.substr(4, 12), json)) return 0;
    seq = static_cast<int64_t>(get<uint64_t>(bytes.data() + 8));
    return kLogHeaderBytes + length;
}

bool hasGoodRecord(std::string_view bytes) {
    char magic[4];
    std::memcpy(magic, &kLogMagic, sizeof magic);
    int64_t seq = 0;
    for (size_t i = bytes.find(std::string_view(magic, 4)); i != std::string_view::npos; i = bytes.find(std::string_view(magic, 4), i + 1))
        if (goodRecord(bytes.substr(i), seq) > 0) return true;
    return false;
}

} // namespace

uint32_t crc32c(std::string_view bytes, uint32_t seed) {
    // Slicing by 8 over the reflected polynomial 0x82F63B78.
    static const auto tables = [] {
        std::array<std::array<uint32_t, 256>, 8> t{};
        for (uint32_t i = 0; i < 256; ++i) {
            uint32_t c = i;
            for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) ? 0x82F63B78u : 0);
            t[0][i] = c;
        }
        for (size_t k = 1; k < 8; ++k)
            for (size_t i = 0; i < 256; ++i) t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xFF];
        return t;
    }();
    uint32_t crc = ~seed;
    size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        const uint64_t v = get<uint64_t>(bytes.data() + i) ^ crc;
        crc = 0;
        for (size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][(v >> (8 * k)) & 0xFF];
    }
    for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<uint8_t>(bytes[i])) & 0xFF];
    return ~crc;
}

struct EventLogWriter::State {
    std::filesystem::path path;
    Fd file;
    std::string buffer;
    uint64_t good = 0; // bytes of whole records on disk
    uint64_t cut = 0;
    int64_t seq = 0;
    int64_t waitingSince = 0; // monotonic ns of the first record in the buffer
    int64_t lastSync = 0;
    bool unsynced = false;

    Status write() {
        if (buffer.empty()) return {};
        size_t done = 0;
        while (done < buffer.size()) {
            const ssize_t n = ::pwrite(file.fd, buffer.data() + done, buffer.size() - done, static_cast<off_t>(good + done));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) {
                const int errnum = n < 0 ? errno : ENOSPC;
                // Nothing half-written stays visible: readers would stop there for good.
                if (::ftruncate(file.fd, static_cast<off_t>(good)) != 0) return errnoError(errno, "truncate", path);
                return errnoError(errnum, "write", path);
            }
            done += static_cast<size_t>(n);
        }
        good += done;
        buffer.clear();
        unsynced = true;
        return {};
    }
    Status sync() {
        QW_CHECK(write());
        lastSync = monotonicNs();
        if (!unsynced) return {};
        if (::fdatasync(file.fd) != 0) return errnoError(errno, "sync", path);
        unsynced = false;
        return {};
    }
};

EventLogWriter::EventLogWriter(std::unique_ptr<State> state) : m_state(std::move(state)) {}
EventLogWriter::EventLogWriter(EventLogWriter&&) noexcept = default;
EventLogWriter& EventLogWriter::operator=(EventLogWriter&&) noexcept = default;
EventLogWriter::~EventLogWriter() {
    if (m_state) static_cast<void>(m_state->sync()); // nobody is left to tell; sync() before when it matters
}

Result<EventLogWriter> EventLogWriter::open(const std::filesystem::path& path) {
    auto state = std::make_unique<State>();
    state->path = path;
    EventLogReader reader(path);
    uint64_t size = 0;
    std::error_code missing;
    if (std::filesystem::exists(path, missing)) {
        for (;;) {
            QW_TRY(const auto records, reader.read(4096));
            if (records.empty()) break;
        }
        size = std::filesystem::file_size(path, missing);
    }
    state->good = reader.offset();
    state->seq = reader.lastSeq();
    state->file.fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (state->file.fd < 0) return errnoError(errno, "open", path);
    if (size > state->good) {
        state->cut = size - state->good;
        QW_TRY(const std::string tail, readAt(state->file.fd, path, state->good, state->cut));
        if (hasGoodRecord(tail)) QW_CHECK(writeFileAtomic(path.string() + ".cut-" + std::to_string(wallMs()), tail));
        if (::ftruncate(state->file.fd, static_cast<off_t>(state->good)) != 0) return errnoError(errno, "truncate", path);
    }
    state->lastSync = monotonicNs();
    return EventLogWriter(std::move(state));
}

Result<int64_t> EventLogWriter::append(Event& event) {
    State& s = *m_state;
    event.seq = s.seq + 1;
    const std::string json = toJson(event);
    if (json.size() > kMaxLogRecordBytes)
        return Error{"engine.internal",
                     "event '" + eventName(event.payload) + "' has " + std::to_string(json.size()) + " bytes, too many for the log",
                     {},
                     {},
                     false};
    s.seq = event.seq;
    if (s.buffer.empty()) s.waitingSince = monotonicNs();
    s.buffer += frame(event.seq, json);
    if (!isCoalescable(event.payload))
        QW_CHECK(s.sync());
    else
        QW_CHECK(tick());
    return event.seq;
}

Status EventLogWriter::tick() {
    State& s = *m_state;
    const int64_t now = monotonicNs();
    if ((s.unsynced || !s.buffer.empty()) && now - s.lastSync >= kSyncNs) return s.sync();
    if (!s.buffer.empty() && (now - s.waitingSince >= kFlushNs || s.buffer.size() >= (1 << 20))) return s.write();
    return {};
}

Status EventLogWriter::flush() { return m_state->write(); }
Status EventLogWriter::sync() { return m_state->sync(); }
int64_t EventLogWriter::lastSeq() const { return m_state->seq; }
uint64_t EventLogWriter::cutBytes() const { return m_state->cut; }
uint64_t EventLogWriter::bufferedBytes() const { return m_state->buffer.size(); }

struct EventLogReader::State {
    std::filesystem::path path;
    LogPlace place;
    uint64_t offset = 0; // behind the place
    bool placeLost = false, atBad = false;

    // Is the last record still the one that was read?
    Status checkPlace(int fd) {
        if (place.seq == 0) return {};
        QW_TRY(const std::string header, readAt(fd, path, place.start, kLogHeaderBytes));
        if (header.size() == kLogHeaderBytes && get<uint32_t>(header.data()) == kLogMagic &&
            static_cast<int64_t>(get<uint64_t>(header.data() + 8)) == place.seq && get<uint32_t>(header.data() + 16) == place.crc) {
            offset = place.start + kLogHeaderBytes + get<uint32_t>(header.data() + 4);
            return {};
        }
        placeLost = true;
        place = {};
        offset = 0;
        return {};
    }
    // Bytes from the current offset: 1 MiB, or the whole record there when it is longer.
    Result<std::string> window(int fd, uint64_t size) const {
        const uint64_t left = size - offset;
        auto bytes = readAt(fd, path, offset, std::min<uint64_t>(left, kWindowBytes));
        if (!bytes || bytes->size() < kLogHeaderBytes || get<uint32_t>(bytes->data()) != kLogMagic) return bytes;
        const uint64_t whole = kLogHeaderBytes + uint64_t{get<uint32_t>(bytes->data() + 4)};
        if (whole <= bytes->size() || whole > left || whole > kLogHeaderBytes + kMaxLogRecordBytes) return bytes;
        return readAt(fd, path, offset, whole);
    }
};

EventLogReader::EventLogReader(std::filesystem::path path, LogPlace place) : m_state(std::make_unique<State>()) {
    m_state->path = std::move(path);
    m_state->place = place;
}
EventLogReader::EventLogReader(EventLogReader&&) noexcept = default;
EventLogReader& EventLogReader::operator=(EventLogReader&&) noexcept = default;
EventLogReader::~EventLogReader() = default;

Result<std::vector<LogRecord>> EventLogReader::read(size_t maxRecords) {
    State& s = *m_state;
    const Fd file(::open(s.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.fd < 0) return errnoError(errno, "open", s.path);
    struct stat info {};
    if (::fstat(file.fd, &info) != 0) return errnoError(errno, "read", s.path);
    const auto size = static_cast<uint64_t>(info.st_size);
    std::vector<LogRecord> records;
    QW_CHECK(s.checkPlace(file.fd));
    if (s.offset > size) return records; // cut in the middle of the last record: its writer will cut it off
    std::string bytes;
    size_t at = 0;
    bool fresh = false; // the window starts at the current offset
    s.atBad = false;
    while (records.size() < maxRecords) {
        int64_t seq = 0;
        const size_t length = goodRecord(std::string_view(bytes).substr(at), seq);
        if (length > 0 && seq == s.place.seq + 1) {
            records.push_back({seq, bytes.substr(at + kLogHeaderBytes, length - kLogHeaderBytes)});
            s.place = {seq, s.offset, get<uint32_t>(bytes.data() + at + 16)};
            s.offset += length;
            at += length;
            fresh = false;
        } else if (length > 0 || fresh) {
            s.atBad = s.offset < size;
            break;
        } else {
            QW_TRY(bytes, s.window(file.fd, size));
            at = 0;
            fresh = true;
        }
    }
    return records;
}

Result<std::vector<Event>> EventLogReader::readAfter(int64_t afterSeq, size_t maxEvents) {
    std::vector<Event> events;
    while (events.size() < maxEvents) {
        QW_TRY(const auto records, read(std::min<size_t>(maxEvents - events.size(), 4096)));
        if (records.empty()) break;
        for (const LogRecord& record : records) {
            if (record.seq <= afterSeq) continue;
            auto event = eventFromJson(record.json);
            if (!event) return std::move(event).error().at(m_state->path.string() + ", record " + std::to_string(record.seq));
            events.push_back(*std::move(event));
        }
    }
    return events;
}

const LogPlace& EventLogReader::place() const { return m_state->place; }
int64_t EventLogReader::lastSeq() const { return m_state->place.seq; }
uint64_t EventLogReader::offset() const { return m_state->offset; }
bool EventLogReader::atBadRecord() const { return m_state->atBad; }
bool EventLogReader::placeLost() const { return m_state->placeLost; }

} // namespace qw::wire
