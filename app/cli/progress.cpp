// SPDX-License-Identifier: GPL-3.0-or-later
#include "progress.h"

#include "base/clock.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <unistd.h>

namespace qw::cli {
namespace {

volatile std::sig_atomic_t g_interrupts = 0;
volatile std::sig_atomic_t g_signal = 0;

void onInterrupt(int signal) {
    g_signal = signal;
    g_interrupts = g_interrupts + 1;
}

std::string seconds(double value) {
    if (value < 0) return "";
    char text[64];
    const auto whole = static_cast<long>(value + 0.5);
    if (whole < 60)
        std::snprintf(text, sizeof text, ", %ld s left", whole);
    else if (whole < 3600)
        std::snprintf(text, sizeof text, ", %ld:%02ld left", whole / 60, whole % 60);
    else
        std::snprintf(text, sizeof text, ", %ld:%02ld:%02ld left", whole / 3600, whole / 60 % 60, whole % 60);
    return text;
}

std::string metricText(const wire::Metrics& metrics) {
    std::string text = "step " + std::to_string(metrics.step);
    for (const auto& [name, value] : metrics.values) {
        if (name != "train.loss" && name != "eval.loss" && name != "perf.tokens_per_s") continue;
        char part[64];
        std::snprintf(part, sizeof part, "  %s %.4g", name.c_str(), value);
        text += part;
    }
    return text;
}

} // namespace

void watchInterrupts() {
    struct sigaction action {};
    action.sa_handler = onInterrupt;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

drive::Wish interruptWish() {
    const int count = g_interrupts;
    if (count == 0) return drive::Wish::GoOn;
    return count == 1 ? drive::Wish::Stop : count == 2 ? drive::Wish::StopNow : drive::Wish::Leave;
}

int interruptExitCode() { return g_interrupts > 0 ? 128 + g_signal : 0; }

Progress::Progress(bool quiet, int64_t lineMs) : m_lineMs(lineMs), m_quiet(quiet), m_terminal(::isatty(STDERR_FILENO) != 0) {}

drive::Watch Progress::watch() {
    drive::Watch watch;
    watch.onEvent = [this](const wire::Event& event) { this->event(event); };
    watch.onNote = [this](const std::string& text) { note(text); };
    watch.wish = [this, told = 0]() mutable {
        const drive::Wish wish = interruptWish();
        if (static_cast<int>(wish) > told) {
            told = static_cast<int>(wish);
            note(wish == drive::Wish::Stop      ? "stopping with a checkpoint; once more: stop at once"
                 : wish == drive::Wish::StopNow ? "stopping at once; once more: leave the engine alone"
                                                : "leaving; the engine goes on");
        }
        return wish;
    };
    return watch;
}

void Progress::event(const wire::Event& event) {
    if (const auto* notice = std::get_if<wire::Notice>(&event.payload)) {
        note((notice->isError ? "error: " : "warning: ") + notice->message + (notice->hint.empty() ? "" : "  (" + notice->hint + ")"));
        return;
    }
    if (m_quiet) return;
    if (const auto* p = std::get_if<wire::Progress>(&event.payload)) {
        const int percent = p->total > 0 ? static_cast<int>(100 * p->done / p->total) : 0;
        show(p->phase + " " + p->unit + " " + std::to_string(p->done) + "/" + std::to_string(p->total) + " (" + std::to_string(percent) +
                 " %" + seconds(p->etaSeconds) + ")",
             p->done == p->total && p->total > 0);
    } else if (const auto* m = std::get_if<wire::Metrics>(&event.payload))
        show(metricText(*m), false);
    else if (const auto* s = std::get_if<wire::StateChange>(&event.payload)) {
        const bool running = s->state == records::RunState::Running;
        show(running && !s->phase.empty() ? s->phase : records::stateName(s->state), !running);
    } else if (const auto* c = std::get_if<wire::CheckpointSaved>(&event.payload))
        show("checkpoint at step " + std::to_string(c->step), true);
    else if (const auto* e = std::get_if<wire::EvalDone>(&event.payload)) {
        std::string text = e->result.task + ":";
        for (const auto& metric : e->result.metrics) {
            char part[96];
            std::snprintf(part, sizeof part, " %s %.6g", metric.name.c_str(), metric.value);
            text += part;
        }
        note((m_heading.empty() ? "" : m_heading + "  ") + text);
    }
}

// On a terminal every text replaces the last; elsewhere one line now and then is enough.
void Progress::show(const std::string& text, bool always) {
    const int64_t now = monotonicNs();
    const std::string line = (m_heading.empty() ? "" : m_heading + "  ") + text;
    if (m_terminal) {
        if (!always && now - m_lastNs < 100'000'000) return;
        m_lastNs = now;
        const std::string cut = line.substr(0, 110);
        std::fprintf(stderr, "\r%-*s", static_cast<int>(std::max(m_width, cut.size())), cut.c_str());
        m_width = cut.size();
        std::fflush(stderr);
        return;
    }
    if (line == m_last || (!always && now - m_lastNs < m_lineMs * 1'000'000)) return;
    m_lastNs = now;
    m_last = line;
    std::fprintf(stderr, "%s\n", line.c_str());
}

void Progress::clear() {
    if (m_terminal && m_width > 0) std::fprintf(stderr, "\r%-*s\r", static_cast<int>(m_width), "");
    m_width = 0;
}

void Progress::note(const std::string& text) {
    clear();
    std::fprintf(stderr, "%s\n", text.c_str());
}

} // namespace qw::cli
