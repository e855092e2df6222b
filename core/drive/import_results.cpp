// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/import_results.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/ids.h"
#include "wire/event_log.h"
#include "wire/run_folder.h"

namespace qw::drive {
namespace {

namespace fs = std::filesystem;

records::EvalResult resultOf(const study::PublishedRow& row, const study::PublishedTask& task, const std::string& source) {
    records::EvalResult result;
    result.uid = newUlid();
    result.task = task.name;
    result.kind = task.name;
    result.taskVersion = task.version;
    result.variant = row.role == records::RowRole::Ptq ? "ptq" : row.role == records::RowRole::Qat ? "quantized" : "float";
    result.n = task.n;
    result.metrics = task.metrics;
    result.taskDigest = "published " + source; // what the task's file was is not known
    result.settings = "{}";
    result.settingsHash = result.taskDigest;
    return result;
}

Status writeRun(const wire::RunFolder& folder, const study::PublishedRow& row, const std::string& uid, const std::string& source) {
    QW_TRY(auto log, wire::EventLogWriter::open(folder.events()));
    const auto say = [&](wire::Payload payload) -> Status {
        wire::Event event;
        event.run = uid;
        event.tsMs = wallMs();
        event.payload = std::move(payload);
        QW_TRY(const auto seq, log.append(event));
        static_cast<void>(seq);
        return {};
    };
    if (row.bytes > 0 || row.bitsPerWeight > 0) {
        wire::ModelFacts facts;
        facts.path = row.name;
        const bool quantized = row.role >= records::RowRole::Ptq;
        (quantized ? facts.quantizedBytes : facts.bytes) = row.bytes;
        facts.bitsPerWeight = row.bitsPerWeight;
        QW_CHECK(say(facts));
    }
    const int64_t now = wallMs();
    for (size_t i = 0; i < row.tasks.size(); ++i) { // columns stand in the order of time: that of the file
        records::EvalResult result = resultOf(row, row.tasks[i], source);
        result.createdMs = now + static_cast<int64_t>(i);
        QW_CHECK(say(wire::EvalDone{std::move(result)}));
    }
    QW_CHECK(say(wire::StateChange{records::RunState::Completed, {}, {}}));
    QW_CHECK(say(wire::Bye{0, "published results"}));
    return log.flush();
}

} // namespace

Result<std::vector<std::string>> importResults(store::Store& store, const fs::path& file) {
    QW_TRY(const auto rows, study::readPublished(file)); // all of it is read before anything is written
    QW_TRY(const std::string source, xxh3File(file));
    std::vector<std::string> made;
    for (const study::PublishedRow& row : rows) {
        records::RunIdentity identity;
        identity.name = row.name;
        identity.kind = "eval";
        identity.role = row.role;
        identity.scheme = row.scheme.empty() && row.role >= records::RowRole::Ptq ? row.name : row.scheme;
        identity.block = row.role == records::RowRole::Float ? "" : "published " + source;
        identity.key = "published " + source + " " + row.name;
        identity.tags = {"published"};
        identity.notes = "from " + file.filename().string();
        QW_TRY(const auto folder, wire::createRunFolder(store.project(), identity));
        QW_CHECK(writeRun(folder, row, identity.uid, source));
        made.push_back(identity.uid);
    }
    QW_CHECK(store.sync());
    return made;
}

} // namespace qw::drive
