// SPDX-License-Identifier: GPL-3.0-or-later
#include "wire/json_events.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

namespace qw::wire {
namespace {

using Json = nlohmann::ordered_json;
using Values = std::vector<std::pair<std::string, double>>;

Json number(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return value;
}

std::optional<double> asNumber(const Json& json) {
    if (json.is_number()) return json.get<double>();
    if (!json.is_string()) return std::nullopt;
    const auto& text = json.get_ref<const std::string&>();
    if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (text == "inf") return std::numeric_limits<double>::infinity();
    if (text == "-inf") return -std::numeric_limits<double>::infinity();
    return std::nullopt;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Error bad(const std::string& what) { return {"proto.bad_line", what, {}, {}, false}; }

// Writes each named field; Reader below takes the same calls, so that a payload's fields are listed once.
struct Writer {
    Json out = Json::object();

    void operator()(const char* name, const std::string& v) { out[name] = v; }
    void operator()(const char* name, bool v) { out[name] = v; }
    void operator()(const char* name, int v) { out[name] = v; }
    void operator()(const char* name, int64_t v) { out[name] = v; }
    void operator()(const char* name, uint64_t v) {
        if (v <= static_cast<uint64_t>(kMaxWireInteger))
            out[name] = v;
        else
            out[name] = std::to_string(v);
    }
    void operator()(const char* name, double v) { out[name] = number(v); }
    void operator()(const char* name, const std::optional<double>& v) {
        if (v) out[name] = number(*v);
    }
    void operator()(const char* name, const std::vector<std::string>& v) { out[name] = v; }
    void operator()(const char* name, const std::vector<double>& v) {
        Json& list = out[name] = Json::array();
        for (const double x : v) list.push_back(number(x));
    }
    void operator()(const char* name, const Values& v) {
        Json& object = out[name] = Json::object();
        for (const auto& [key, value] : v) object[key] = number(value);
    }
    void operator()(const char* name, records::RunState v) { out[name] = records::stateName(v); }
    void operator()(const char* name, records::RowRole v) { out[name] = records::roleName(v); }
    template<class T> void operator()(const char* name, const std::vector<T>& v); // of structs
};

struct Reader {
    const Json& in;
    std::string wrong; // the first field of a wrong type

    template<class Check, class Take> void read(const char* name, Check check, Take take) {
        const auto found = in.find(name);
        if (found == in.end() || found->is_null()) return;
        if (check(*found))
            take(*found);
        else if (wrong.empty())
            wrong = name;
    }
    void operator()(const char* name, std::string& v) {
        read(
            name, [](const Json& j) { return j.is_string(); }, [&](const Json& j) { v = j.get_ref<const std::string&>(); });
    }
    void operator()(const char* name, bool& v) {
        read(
            name, [](const Json& j) { return j.is_boolean(); }, [&](const Json& j) { v = j.get<bool>(); });
    }
    void operator()(const char* name, int64_t& v) {
        const auto inRange = [](const Json& j) {
            return (j.is_number_unsigned() && j.get<uint64_t>() <= static_cast<uint64_t>(kMaxWireInteger)) ||
                   (j.is_number_integer() && !j.is_number_unsigned() && j.get<int64_t>() >= -kMaxWireInteger);
        };
        read(name, inRange, [&](const Json& j) { v = j.get<int64_t>(); });
    }
    void operator()(const char* name, int& v) {
        int64_t wide = v;
        (*this)(name, wide);
        if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max())
            wrong = wrong.empty() ? name : wrong;
        else
            v = static_cast<int>(wide);
    }
    void operator()(const char* name, uint64_t& v) {
        // Above 2^53 it is written as text.
        const auto parsed = [](const Json& j) -> std::optional<uint64_t> {
            if (j.is_number_unsigned()) return j.get<uint64_t>();
            if (!j.is_string()) return std::nullopt;
            const auto& text = j.get_ref<const std::string&>();
            uint64_t value = 0;
            const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
            return code == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
        };
        read(
            name, [&](const Json& j) { return parsed(j).has_value(); }, [&](const Json& j) { v = *parsed(j); });
    }
    void operator()(const char* name, double& v) {
        read(
            name, [](const Json& j) { return asNumber(j).has_value(); }, [&](const Json& j) { v = *asNumber(j); });
    }
    void operator()(const char* name, std::optional<double>& v) {
        read(
            name, [](const Json& j) { return asNumber(j).has_value(); }, [&](const Json& j) { v = *asNumber(j); });
    }
    void operator()(const char* name, std::vector<std::string>& v) {
        const auto strings = [](const Json& j) {
            if (!j.is_array()) return false;
            for (const Json& x : j)
                if (!x.is_string()) return false;
            return true;
        };
        read(name, strings, [&](const Json& j) { v = j.get<std::vector<std::string>>(); });
    }
    void operator()(const char* name, std::vector<double>& v) {
        const auto numbers = [](const Json& j) {
            if (!j.is_array()) return false;
            for (const Json& x : j)
                if (!asNumber(x)) return false;
            return true;
        };
        read(name, numbers, [&](const Json& j) {
            v.clear();
            for (const Json& x : j) v.push_back(*asNumber(x));
        });
    }
    void operator()(const char* name, Values& v) {
        const auto numbers = [](const Json& j) {
            if (!j.is_object()) return false;
            for (const Json& x : j)
                if (!asNumber(x)) return false;
            return true;
        };
        read(name, numbers, [&](const Json& j) {
            v.clear();
            v.reserve(j.size());
            for (const auto& [key, x] : j.items()) v.emplace_back(key, *asNumber(x));
        });
    }
    void operator()(const char* name, records::RunState& v) {
        read(
            name, [](const Json& j) { return j.is_string() && records::stateFromName(j.get<std::string>()); },
            [&](const Json& j) { v = *records::stateFromName(j.get<std::string>()); });
    }
    void operator()(const char* name, records::RowRole& v) {
        read(
            name, [](const Json& j) { return j.is_string() && records::roleFromName(j.get<std::string>()); },
            [&](const Json& j) { v = *records::roleFromName(j.get<std::string>()); });
    }
    template<class T> void operator()(const char* name, std::vector<T>& v); // of structs
};

// A is Writer or Reader, T const or not.
template<class T, class U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

template<class A, Is<MergedSpan> T> void fields(A& a, T& p) { a("min", p.min), a("max", p.max), a("mean", p.mean), a("n", p.n); }
template<class A, Is<records::LayerInfo> T> void fields(A& a, T& p) {
    a("name", p.name), a("rows", p.rows), a("cols", p.cols), a("scheme", p.scheme), a("skip_reason", p.skipReason),
        a("bits_per_weight", p.bitsPerWeight);
}
template<class A, Is<records::EvalMetric> T> void fields(A& a, T& p) { a("name", p.name), a("value", p.value), a("stderr", p.stderror); }
template<class A, Is<records::EvalItem> T> void fields(A& a, T& p) {
    a("item", p.item), a("ll", p.ll), a("correct", p.correct), a("correct_norm", p.correctNorm), a("words", p.words), a("bytes", p.bytes),
        a("tokens", p.tokens);
}
template<class A, Is<records::EvalResult> T> void fields(A& a, T& p) {
    a("uid", p.uid), a("task", p.task), a("kind", p.kind), a("task_version", p.taskVersion), a("variant", p.variant),
        a("at_step", p.atStep);
    a("limit", p.limit), a("n", p.n), a("metrics", p.metrics), a("task_digest", p.taskDigest), a("settings_hash", p.settingsHash),
        a("settings", p.settings);
    a("items_path", p.itemsPath), a("tokens_per_second", p.tokensPerSecond), a("created_ms", p.createdMs);
}
template<class A, Is<records::RunIdentity> T> void fields(A& a, T& p) {
    a("uid", p.uid), a("name", p.name), a("kind", p.kind), a("study_uid", p.studyUid), a("study_name", p.studyName), a("role", p.role);
    a("scheme", p.scheme), a("method", p.method), a("block", p.block), a("key", p.key), a("seed", p.seed), a("model_path", p.modelPath);
    a("parent_uid", p.parentUid), a("build_id", p.buildId), a("created_ms", p.createdMs), a("notes", p.notes), a("colour", p.colour),
        a("tags", p.tags);
}
template<class A, Is<Hello> T> void fields(A& a, T& p) {
    a("proto_min", p.protoMin), a("proto_max", p.protoMax), a("engine_version", p.engineVersion), a("build_id", p.buildId);
    a("libtorch", p.libtorch), a("cuda", p.cuda), a("devices", p.devices), a("features", p.features);
}
template<class A, Is<Heartbeat> T> void fields(A& a, T& p) {
    a("phase", p.phase), a("step", p.step), a("last_progress_mono", p.lastProgressMonoNs), a("rss", p.rssBytes);
}
template<class A, Is<StateChange> T> void fields(A& a, T& p) { a("state", p.state), a("phase", p.phase), a("reason", p.reason); }
template<class A, Is<Attempt> T> void fields(A& a, T& p) {
    a("attempt", p.attempt), a("host", p.host), a("device", p.device), a("libtorch", p.libtorch), a("build_id", p.buildId);
    a("pid", p.pid), a("from_step", p.fromStep), a("threads", p.threads), a("bitwise", p.bitwise);
}
template<class A, Is<ModelFacts> T> void fields(A& a, T& p) {
    a("path", p.path), a("arch", p.arch), a("fingerprint", p.fingerprint), a("dtype", p.dtype), a("export_dtype", p.exportDtype);
    a("parameters", p.parameters), a("bytes", p.bytes), a("quantized_bytes", p.quantizedBytes), a("bits_per_weight", p.bitsPerWeight);
    a("total_steps", p.totalSteps), a("layers", p.layers);
}
template<class A, Is<Progress> T> void fields(A& a, T& p) {
    a("phase", p.phase), a("unit", p.unit), a("done", p.done), a("total", p.total), a("eta_seconds", p.etaSeconds);
}
template<class A, class T> void mergedFields(A& a, T& p) {
    if (std::is_same_v<A, Writer> && p.merged == 0) return;
    a("n_merged", p.merged), a("spans", p.spans);
}
template<class A, Is<Metrics> T> void fields(A& a, T& p) { a("step", p.step), a("values", p.values), mergedFields(a, p); }
template<class A, Is<LayerStats> T> void fields(A& a, T& p) {
    a("step", p.step), a("layer", p.layer), a("values", p.values), mergedFields(a, p);
}
template<class A, Is<CheckpointSaved> T> void fields(A& a, T& p) {
    a("step", p.step), a("bytes", p.bytes), a("path", p.path), a("best", p.best);
}
template<class A, Is<EvalDone> T> void fields(A& a, T& p) { fields(a, p.result); }
template<class A, Is<Artifact> T> void fields(A& a, T& p) {
    a("kind", p.kind), a("path", p.path), a("hash", p.hash), a("info", p.info), a("bytes", p.bytes), a("step", p.step);
}
template<class A, Is<Notice> T> void fields(A& a, T& p) {
    a("code", p.code), a("msg", p.message), a("hint", p.hint), a("detail", p.detail);
}
template<class A, Is<LogLine> T> void fields(A& a, T& p) {
    a("level", p.level), a("text", p.text);
    if (!std::is_same_v<A, Writer> || p.suppressed > 0) a("suppressed", p.suppressed);
}
template<class A, Is<Bye> T> void fields(A& a, T& p) { a("exit_code", p.exitCode), a("reason", p.reason); }
template<class A, Is<Settings> T> void fields(A& a, T& p) { a("step", p.step), a("values", p.values); }
template<class A, Is<RawEvent> T> void fields(A&, T&) {}

template<class T> void Writer::operator()(const char* name, const std::vector<T>& v) {
    Json& list = out[name] = Json::array();
    for (const T& item : v) {
        Writer inner;
        fields(inner, item);
        list.push_back(std::move(inner.out));
    }
}

template<class T> void Reader::operator()(const char* name, std::vector<T>& v) {
    const auto objects = [](const Json& j) {
        if (!j.is_array()) return false;
        for (const Json& x : j)
            if (!x.is_object()) return false;
        return true;
    };
    read(name, objects, [&](const Json& j) {
        v.clear();
        for (const Json& x : j) {
            Reader inner{x, {}};
            fields(inner, v.emplace_back());
            if (wrong.empty() && !inner.wrong.empty()) wrong = std::string(name) + "." + inner.wrong;
        }
    });
}

template<class T> Json write(const T& value) {
    Writer writer;
    fields(writer, value);
    return std::move(writer.out);
}

Json payloadObject(const Payload& payload) {
    if (const auto* raw = std::get_if<RawEvent>(&payload)) {
        Json data = Json::parse(raw->data, nullptr, false);
        return data.is_discarded() ? Json::object() : data;
    }
    return std::visit([](const auto& p) { return write(p); }, payload);
}

template<size_t I = 0> Payload emptyPayload(size_t index) {
    if constexpr (I < std::variant_size_v<Payload>) {
        if (index == I) return Payload(std::in_place_index<I>);
        return emptyPayload<I + 1>(index);
    }
    return RawEvent{};
}

// Payload of this name with its defaults; RawEvent when the name is not ours.
Payload named(const std::string& name) {
    if (name == "warning" || name == "error") return Notice{name == "error", {}, {}, {}, {}};
    for (size_t i = 0; i + 1 < std::variant_size_v<Payload>; ++i) {
        Payload payload = emptyPayload(i);
        if (name == eventRow(payload).name) return payload;
    }
    return RawEvent{name, {}};
}

Result<Json> parseObject(std::string_view text, const char* what) {
    if (jsonDepth(text) > kMaxJsonDepth) return bad(std::string(what) + " is nested deeper than " + std::to_string(kMaxJsonDepth));
    Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return bad(std::string(what) + " is not a JSON object");
    return json;
}

template<class T> Result<T> readObject(std::string_view text, const char* what) {
    QW_TRY(const Json json, parseObject(text, what));
    T value;
    Reader reader{json, {}};
    fields(reader, value);
    if (!reader.wrong.empty()) return bad(std::string(what) + ": field '" + reader.wrong + "' has the wrong type");
    return value;
}

Result<Payload> readPayload(const std::string& name, const Json& data) {
    Payload payload = named(name);
    if (auto* raw = std::get_if<RawEvent>(&payload)) raw->data = dump(data);
    Reader reader{data, {}};
    std::visit([&](auto& p) { fields(reader, p); }, payload);
    if (!reader.wrong.empty()) return bad("event '" + name + "': field '" + reader.wrong + "' has the wrong type");
    return payload;
}

} // namespace

int jsonDepth(std::string_view text) {
    int depth = 0, deepest = 0;
    bool inString = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (inString) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                inString = false;
        } else if (c == '"')
            inString = true;
        else if (c == '{' || c == '[')
            deepest = std::max(deepest, ++depth);
        else if (c == '}' || c == ']')
            --depth;
    }
    return deepest;
}

std::string payloadJson(const Payload& payload) { return dump(payloadObject(payload)); }

Result<Payload> payloadFromJson(const std::string& name, std::string_view data) {
    QW_TRY(const Json json, parseObject(data, "payload"));
    return readPayload(name, json);
}

std::string toJson(const Event& event) {
    Json json{{"v", kProtocolVersion}, {"t", "evt"}, {"ev", eventName(event.payload)}};
    if (!event.run.empty()) json["run"] = event.run;
    if (event.seq > 0) json["seq"] = event.seq;
    json["ts"] = event.tsMs;
    json["mono"] = event.monoNs;
    json["d"] = payloadObject(event.payload);
    return dump(json);
}

Result<Event> eventFromJson(std::string_view text) {
    QW_TRY(const Json json, parseObject(text, "event"));
    int version = 0;
    std::string kind, name;
    Event event;
    Reader envelope{json, {}};
    envelope("v", version), envelope("t", kind), envelope("ev", name), envelope("run", event.run);
    envelope("seq", event.seq), envelope("ts", event.tsMs), envelope("mono", event.monoNs);
    if (!envelope.wrong.empty()) return bad("event: field '" + envelope.wrong + "' has the wrong type");
    if (version != kProtocolVersion)
        return Error{"proto.version",
                     "event of protocol version " + std::to_string(version) + ", this program knows " + std::to_string(kProtocolVersion),
                     "update the older of the two programs",
                     {},
                     false};
    if (kind != "evt" || name.empty()) return bad("not an event");
    const auto data = json.find("d");
    if (data == json.end() || !data->is_object()) return bad("event '" + name + "' has no object 'd'");
    QW_TRY(event.payload, readPayload(name, *data));
    return event;
}

std::string toJson(const records::EvalItem& item) { return dump(write(item)); }
Result<records::EvalItem> evalItemFromJson(std::string_view text) { return readObject<records::EvalItem>(text, "item"); }

std::string toJson(const records::RunIdentity& identity, std::string_view before) {
    Json json = Json::parse(before, nullptr, false);
    if (!json.is_object()) json = Json::object();
    json.update(write(identity));
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}
Result<records::RunIdentity> identityFromJson(std::string_view text) { return readObject<records::RunIdentity>(text, "run.json"); }

} // namespace qw::wire
