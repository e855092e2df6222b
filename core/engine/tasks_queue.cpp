// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/tasks_queue.h"

#include "engine/benches.h"
#include "engine/crash.h"
#include "engine/guard.h"
#include "engine/tasks_ops.h"

#include <nlohmann/json.hpp>

namespace qw::engine {
namespace {

using nlohmann::json;

constexpr const char* kOps[] = {"plan", "logits", "generate.start", "export", "export.check", "bench", "model.inspect"};

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

} // namespace

TaskQueue::TaskQueue(EventHub& hub, CancelToken& cancel) : m_hub(hub), m_cancel(cancel), m_thread([this] { work(); }) {}

void TaskQueue::offerTo(Server& server) {
    for (const char* op : kOps)
        server.addHandler(op, [this](const wire::Request& request) -> Result<std::string> {
            const std::lock_guard lock(m_mutex);
            const int64_t job = m_nextJob++;
            m_waiting.push_back({job, request.op, request.params});
            m_ready.notify_one();
            return dump({{"accepted", true}, {"job", job}});
        });
}

void TaskQueue::stop() {
    {
        const std::lock_guard lock(m_mutex);
        m_ending = true;
    }
    m_cancel.raise(CancelLevel::Now);
    m_ready.notify_one();
    if (m_thread.joinable()) m_thread.join();
}

void TaskQueue::work() {
    nameThread("job");
    for (;;) {
        std::unique_lock lock(m_mutex);
        m_ready.wait(lock, [this] { return m_ending || !m_waiting.empty(); });
        if (m_ending) return;
        const Task task = std::move(m_waiting.front());
        m_waiting.pop_front();
        lock.unlock();
        setPlace("request");
        const auto result = guarded([&] { return run(task); });
        json body{{"job", task.job}, {"ok", result.ok()}};
        if (result)
            body["r"] = json::parse(*result, nullptr, false);
        else {
            const Error& error = result.error();
            body["e"] = {{"code", error.code}, {"msg", error.message}, {"hint", error.hint}, {"retry", error.retry}};
            if (!error.detail.empty()) body["e"]["detail"] = json::parse(error.detail, nullptr, false);
        }
        m_hub.emit(wire::RawEvent{"result", dump(body)});
        setPlace("idle");
    }
}

Result<std::string> TaskQueue::run(const Task& task) {
    const TaskContext context{m_hub.sink(), m_cancel};
    if (task.op == "logits") return logitsTask(task.params, context);
    if (task.op == "generate.start") return generateTask(task.params, context);
    if (task.op == "plan") return planTask(task.params, context);
    if (task.op == "export") return exportTask(task.params, context);
    if (task.op == "export.check") return exportCheckTask(task.params, context);
    if (task.op == "model.inspect") return inspectTask(task.params);
    return benchTask(task.params);
}

} // namespace qw::engine
