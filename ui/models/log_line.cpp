// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/log_line.h"

#include <cstdio>

namespace qw::ui {
namespace {

std::string number(double value) {
    char text[48];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
}

std::string bytes(int64_t n) {
    char text[48];
    std::snprintf(text, sizeof text, "%.2f MB", static_cast<double>(n) * 1e-6);
    return text;
}

std::string valuesText(const std::vector<std::pair<std::string, double>>& values) {
    std::string text;
    for (const auto& [name, value] : values) {
        if (name.starts_with("time.") || name.starts_with("mem.")) continue; // the tiles have them
        const size_t dot = name.starts_with("eval.") ? std::string::npos : name.find('.');
        text += ' ' + (dot == std::string::npos ? name : name.substr(dot + 1)) + ' ' + number(value);
    }
    return text;
}

struct Words {
    LogRow& row;
    int64_t& step;

    bool operator()(const wire::StateChange& p) const {
        row.text = std::string("state ") + records::stateName(p.state) + (p.phase.empty() ? "" : ", " + p.phase) +
                   (p.reason.empty() ? "" : ": " + p.reason);
        return true;
    }
    bool operator()(const wire::Attempt& p) const {
        step = p.fromStep;
        row.text = "attempt " + std::to_string(p.attempt) + " on " + p.host + " (" + p.device + ", " + std::to_string(p.threads) +
                   " threads, process " + std::to_string(p.pid) + ") from step " + std::to_string(p.fromStep) +
                   (p.bitwise ? "" : "; another build or other flags than before");
        return true;
    }
    bool operator()(const wire::ModelFacts& p) const {
        row.text =
            "model " + p.path + ": " + p.arch + ", " + std::to_string(p.parameters) + " parameters, " + p.dtype + ", " + bytes(p.bytes);
        if (p.bitsPerWeight > 0) row.text += ", " + number(p.bitsPerWeight) + " bits a weight";
        return true;
    }
    bool operator()(const wire::Metrics& p) const {
        step = p.step;
        row.level = LogLevel::Step;
        row.text = "step " + std::to_string(p.step) + valuesText(p.values);
        return true;
    }
    bool operator()(const wire::LayerStats& p) const {
        row.level = LogLevel::Step;
        row.text = "step " + std::to_string(p.step) + ' ' + p.layer + valuesText(p.values);
        return true;
    }
    bool operator()(const wire::CheckpointSaved& p) const {
        row.text = "checkpoint " + p.path + ", " + bytes(p.bytes) + (p.best ? ", the best so far" : "");
        return true;
    }
    bool operator()(const wire::EvalDone& p) const {
        row.text = "result of " + p.result.task + " (" + p.result.variant + ", " + std::to_string(p.result.n) + " items):";
        for (const auto& metric : p.result.metrics) row.text += ' ' + metric.name + ' ' + number(metric.value);
        return true;
    }
    bool operator()(const wire::Artifact& p) const {
        row.text = "wrote " + p.path + ", " + bytes(p.bytes);
        return true;
    }
    bool operator()(const wire::Notice& p) const {
        row.level = p.isError ? LogLevel::Error : LogLevel::Warning;
        row.text = p.message + (p.hint.empty() ? "" : "; " + p.hint) + " [" + p.code + "]";
        return true;
    }
    bool operator()(const wire::LogLine& p) const {
        row.level = p.level >= 3 ? LogLevel::Error : p.level == 2 ? LogLevel::Warning : p.level == 1 ? LogLevel::Info : LogLevel::Step;
        row.text = p.text;
        return true;
    }
    bool operator()(const wire::Bye& p) const {
        row.text = "the engine ends with code " + std::to_string(p.exitCode) + (p.reason.empty() ? "" : ": " + p.reason);
        return true;
    }
    bool operator()(const wire::Settings& p) const {
        step = p.step;
        row.text = "behind step " + std::to_string(p.step) + ":";
        for (const auto& [key, value] : p.values) row.text += ' ' + key + ' ' + number(value);
        return true;
    }
    bool operator()(const wire::RawEvent& p) const {
        row.text = p.name + ' ' + p.data;
        return true;
    }
    template<class T> bool operator()(const T&) const { return false; }
};

} // namespace

std::optional<LogRow> logRow(const wire::Event& event, int64_t& step) {
    LogRow row;
    row.tsMs = event.tsMs;
    if (!std::visit(Words{row, step}, event.payload)) return std::nullopt;
    row.step = step;
    return row;
}

} // namespace qw::ui
