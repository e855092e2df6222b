// SPDX-License-Identifier: GPL-3.0-or-later
// What: a run's events.qlog: u32 magic, u32 length, u64 seq, u32 crc32c (of length, seq and text), JSON text; little endian.
// Why here: the engine writes it, the store projects it, an attaching client gets its gap from it.
// Limits: one writer (run.lock sees to that), any number of readers; a writer or reader belongs to one thread at a time.
#pragma once

#include "base/result.h"
#include "wire/events.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qw::wire {

constexpr uint32_t kLogMagic = 0x474C5751; // "QWLG"
constexpr size_t kLogHeaderBytes = 20;
constexpr uint32_t kMaxLogRecordBytes = 64u << 20;

[[nodiscard]] uint32_t crc32c(std::string_view bytes, uint32_t seed = 0); // Castagnoli, RFC 3720

class EventLogWriter {
public:
    // Creates the file, or continues after its last good record. A torn tail is cut off; where good records follow the damage,
    // the tail is kept beside it as events.qlog.cut-<ms> and cutBytes() says how much.
    [[nodiscard]] static Result<EventLogWriter> open(const std::filesystem::path& path);
    EventLogWriter(EventLogWriter&&) noexcept;
    EventLogWriter& operator=(EventLogWriter&&) noexcept;
    ~EventLogWriter(); // flushes

    // Gives the event its seq and puts it in the buffer. A lossless event is written and synced at once, others when due:
    // 250 ms after the first waiting one, fdatasync every 5 s. On an error (disk.full) the record stays buffered and counted;
    // flush() tries again once there is room.
    Result<int64_t> append(Event& event);
    // Call at least every 250 ms: writes and syncs what is due.
    Status tick();
    Status flush(); // writes the buffer
    Status sync();  // flush and fdatasync

    [[nodiscard]] int64_t lastSeq() const;
    [[nodiscard]] uint64_t cutBytes() const;
    [[nodiscard]] uint64_t bufferedBytes() const;

private:
    struct State;
    explicit EventLogWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

struct LogRecord {
    int64_t seq = 0;
    std::string json;
};

// The last record that was read. A log cut by a power failure no longer has it.
struct LogPlace {
    int64_t seq = 0; // 0: the beginning
    uint64_t start = 0;
    uint32_t crc = 0;
};

// Reads forward and remembers its place, so that a second call returns only what was appended since.
class EventLogReader {
public:
    // Where the file no longer has the place, reading starts at the beginning again and placeLost() says so.
    explicit EventLogReader(std::filesystem::path path, LogPlace place = {});
    EventLogReader(EventLogReader&&) noexcept;
    EventLogReader& operator=(EventLogReader&&) noexcept;
    ~EventLogReader();

    // Up to maxRecords records behind the place; empty at the end, or at the first bad record.
    [[nodiscard]] Result<std::vector<LogRecord>> read(size_t maxRecords = SIZE_MAX);
    // The same, parsed; records up to afterSeq are skipped. A record that does not parse is proto.bad_line naming its seq.
    [[nodiscard]] Result<std::vector<Event>> readAfter(int64_t afterSeq, size_t maxEvents = SIZE_MAX);

    [[nodiscard]] const LogPlace& place() const;
    [[nodiscard]] int64_t lastSeq() const;  // of the last record returned
    [[nodiscard]] uint64_t offset() const;  // behind it
    [[nodiscard]] bool atBadRecord() const; // the last read stopped at damage, or at a record still being written
    [[nodiscard]] bool placeLost() const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace qw::wire
