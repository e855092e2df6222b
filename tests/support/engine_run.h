// SPDX-License-Identifier: GPL-3.0-or-later
// What: training runs for the real engine: a folder as the tool makes it, the process, its log, a client on its socket.
#pragma once

#include "config/recipe_file.h"
#include "drive/engine_client.h"
#include "drive/run_driver.h"
#include "drive/single_run.h"
#include "program.h"
#include "study/members.h"
#include "tiny_project.h"
#include "wire/event_log.h"
#include "wire/local_socket.h"

#include <map>

namespace qw::test {

class EngineRuns {
public:
    [[nodiscard]] Status prepare() const { return makeTinyWorld(m_dir.path() / "world"); }
    // steps decide how long it takes; checkpoint replaces that block of the recipe.
    [[nodiscard]] wire::RunFolder make(const std::string& project, int steps, const Json& checkpoint = {}) const {
        auto json = tinyRecipe(m_dir.path() / "world", "run", steps);
        json.erase("schemes");
        if (!checkpoint.is_null()) json["checkpoint"] = checkpoint;
        const auto recipe = config::parseRecipe(json.dump(), m_dir.path() / "recipe.yaml");
        if (!recipe) qFatal("%s", recipe.error().message.c_str());
        auto members = study::expand(*recipe);
        if (!members) qFatal("%s", members.error().message.c_str());
        auto identity = members->front().run;
        const auto folder = drive::makeRun(m_dir.path() / project, identity, members->front().recipe, "");
        if (!folder) qFatal("%s", folder.error().message.c_str());
        return *folder;
    }

private:
    TempDir m_dir;
};

inline std::unique_ptr<QProcess> engine(const wire::RunFolder& folder, const QString& fault = {},
                                        const char* program = "qat-engine-faults") {
    auto environment = testEnvironment();
    if (!fault.isEmpty()) environment.insert(QStringLiteral("QATW_FAULT"), fault);
    return startProgram(program, {QStringLiteral("--run"), text(folder.dir)}, environment);
}

inline std::vector<wire::Event> eventsOf(const wire::RunFolder& folder) {
    wire::EventLogReader reader(folder.events());
    auto events = reader.readAfter(0);
    return events ? *std::move(events) : std::vector<wire::Event>{};
}

template<class T> int64_t countOf(const std::vector<wire::Event>& events) {
    return std::ranges::count_if(events, [](const wire::Event& event) { return std::holds_alternative<T>(event.payload); });
}

inline int64_t stepOf(const wire::RunFolder& folder) {
    int64_t step = 0;
    for (const auto& event : eventsOf(folder))
        if (const auto* metrics = std::get_if<wire::Metrics>(&event.payload)) step = std::max(step, metrics->step);
    return step;
}

inline std::optional<drive::EngineClient> connect(const wire::RunFolder& folder) {
    std::optional<drive::EngineClient> client;
    waitUntil(
        [&] {
            auto transport = wire::connectLocal(folder.socket());
            if (!transport) return false;
            auto greeted = drive::EngineClient::greet(*std::move(transport), 5000);
            if (greeted) client.emplace(*std::move(greeted));
            return client.has_value();
        },
        20'000);
    return client;
}

// The last value of every step, as its bits.
inline std::map<int64_t, double> lossesOf(const wire::RunFolder& folder) {
    std::map<int64_t, double> losses;
    for (const auto& event : eventsOf(folder))
        if (const auto* metrics = std::get_if<wire::Metrics>(&event.payload))
            for (const auto& [name, value] : metrics->values)
                if (name == "train.loss") losses[metrics->step] = value;
    return losses;
}

} // namespace qw::test
