// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/output_file.h"
#include "checkpoint/json_value.h"
#include "checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <set>

namespace qw::checkpoint {
namespace {

Error badInput(const std::string& what) { return {"engine.internal", "safetensors writer: " + what, {}, {}, false}; }

std::string headerText(const std::vector<TensorSource>& tensors, const std::vector<uint64_t>& sizes,
                       std::map<std::string, std::string> metadata) {
    metadata.emplace("format", "pt"); // readers of the transformers family refuse files without it
    std::string text = "{\"__metadata__\":{";
    bool first = true;
    for (const auto& [key, value] : metadata) {
        text.append(first ? "" : ",").append(jsonQuoted(key)).append(":").append(jsonQuoted(value));
        first = false;
    }
    text += "}";
    uint64_t offset = 0;
    for (size_t i = 0; i < tensors.size(); ++i) {
        text.append(",").append(jsonQuoted(tensors[i].name)).append(":{\"dtype\":\"").append(tensors[i].dtype).append("\",\"shape\":[");
        for (size_t d = 0; d < tensors[i].shape.size(); ++d) text.append(d ? "," : "").append(std::to_string(tensors[i].shape[d]));
        text.append("],\"data_offsets\":[")
            .append(std::to_string(offset))
            .append(",")
            .append(std::to_string(offset + sizes[i]))
            .append("]}");
        offset += sizes[i];
    }
    text += "}";
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
}

Status writeTensors(OutputFile& out, const std::vector<TensorSource>& tensors, const std::vector<uint64_t>& sizes) {
    for (size_t i = 0; i < tensors.size(); ++i) {
        const uint64_t before = out.written();
        QW_CHECK(tensors[i].write([&](const void* data, uint64_t size) -> Status {
            if (size > sizes[i] - (out.written() - before))
                return badInput("tensor " + tensors[i].name + " gives more bytes than its shape has");
            return out.write(data, size);
        }));
        if (out.written() - before != sizes[i])
            return badInput("tensor " + tensors[i].name + " gave " + std::to_string(out.written() - before) + " of " +
                            std::to_string(sizes[i]) + " bytes");
    }
    return {};
}

} // namespace

Result<uint64_t> sourceBytes(const TensorSource& source) {
    const auto bits = dtypeBits(source.dtype);
    if (!bits) return badInput("tensor " + source.name + " has the unknown dtype " + source.dtype);
    auto total = static_cast<uint64_t>(*bits);
    for (const int64_t d : source.shape)
        if (d < 0 || __builtin_mul_overflow(total, static_cast<uint64_t>(d), &total))
            return badInput("tensor " + source.name + " has a bad shape");
    if (total % 8 != 0) return badInput("tensor " + source.name + " does not fill whole bytes");
    return total / 8;
}

TensorSource bytesSource(std::string name, std::string dtype, std::vector<int64_t> shape, const void* data) {
    TensorSource source{std::move(name), std::move(dtype), std::move(shape), {}};
    const auto bytes = sourceBytes(source);
    const uint64_t size = bytes ? *bytes : 0; // a bad dtype is reported by the write
    source.write = [data, size](const std::function<Status(const void*, uint64_t)>& sink) { return size ? sink(data, size) : Status{}; };
    return source;
}

Result<std::string> writeSafetensors(const std::filesystem::path& path, std::vector<TensorSource> tensors,
                                     const std::map<std::string, std::string>& metadata) {
    std::set<std::string_view> names;
    for (const TensorSource& t : tensors) {
        if (t.name.empty() || t.name == "__metadata__" || !names.insert(t.name).second)
            return badInput("tensor name '" + t.name + "' is empty or used twice");
        QW_TRY([[maybe_unused]] const uint64_t checked, sourceBytes(t));
    }
    std::ranges::sort(tensors, [](const TensorSource& a, const TensorSource& b) {
        const int wa = *dtypeBits(a.dtype), wb = *dtypeBits(b.dtype);
        return wa != wb ? wa > wb : a.name < b.name;
    });
    std::vector<uint64_t> sizes;
    uint64_t total = 0;
    for (const TensorSource& t : tensors) {
        QW_TRY(const uint64_t bytes, sourceBytes(t));
        sizes.push_back(bytes);
        total += bytes;
    }
    const std::string header = headerText(tensors, sizes, metadata);
    QW_TRY(const auto file, OutputFile::create(path));
    OutputFile& out = *file;
    const Status status = [&]() -> Status {
        QW_CHECK(out.reserve(8 + header.size() + total));
        std::array<unsigned char, 8> prefix{};
        for (size_t i = 0; i < 8; ++i) prefix[i] = static_cast<unsigned char>(header.size() >> (8 * i));
        QW_CHECK(out.write(prefix.data(), prefix.size()));
        QW_CHECK(out.write(header.data(), header.size()));
        QW_CHECK(writeTensors(out, tensors, sizes));
        return out.finish();
    }();
    if (!status) {
        out.discard();
        return status.error();
    }
    return out.hash();
}

} // namespace qw::checkpoint
