// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench_tokenize.h"

#include "base/clock.h"
#include "base/files.h"
#include "tokenizer/tokenizer.h"

#include <nlohmann/json.hpp>
#include <string_view>

namespace qw::cli {
namespace {

std::vector<std::string_view> linesOf(std::string_view text, size_t most) {
    std::vector<std::string_view> lines;
    while (!text.empty() && lines.size() < most) {
        const size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

struct Measured {
    double megabytesPerSecond = 0;
    uint64_t checksum = 0; // as tests/bench/tokenize_peer.py: sum over lines of id * (place in the line + 1), modulo 2^53
};

Result<Measured> measure(const std::filesystem::path& folder, const std::vector<std::string_view>& lines) {
    QW_TRY(const auto tokenizer, tokenizer::Tokenizer::load(folder));
    Measured measured;
    size_t bytes = 0;
    int64_t ns = 0;
    for (const std::string_view line : lines) {
        const int64_t begin = monotonicNs();
        const auto encoded = tokenizer.encode(line, {.addSpecial = false, .matchSpecials = true});
        ns += monotonicNs() - begin;
        bytes += line.size();
        for (size_t i = 0; i < encoded.ids.size(); ++i) measured.checksum += static_cast<uint64_t>(encoded.ids[i]) * (i + 1);
    }
    measured.checksum &= (uint64_t{1} << 53) - 1;
    measured.megabytesPerSecond = static_cast<double>(bytes) / static_cast<double>(std::max<int64_t>(1, ns)) * 1e3;
    return measured;
}

} // namespace

Result<records::BenchResult> benchTokenize(const BenchOptions& options, const std::string& peerJson) {
    if (options.data.empty())
        return Error{"file.not_found", "the reference data is not at hand", "set QATW_TEST_DATA to its folder", {}, false};
    QW_TRY(const std::string text, readFile(options.data / "wikitext-2-raw/wiki.valid.raw"));
    const auto lines = linesOf(text, options.quick ? 200 : text.size());
    const auto peers = nlohmann::json::parse(peerJson, nullptr, false);
    records::BenchResult result;
    result.name = "tokenize";
    result.gate = ">= 1x the tokenizers package, one thread";
    bool equal = true;
    // The byte-level tokenizer is trained by the peer, which leaves it in the scratch folder.
    const std::pair<const char*, std::filesystem::path> kinds[]{{"byte-fallback", options.data / "stories260K"},
                                                                {"byte-level", options.scratch / "byte-level"}};
    for (const auto& [name, folder] : kinds) {
        std::error_code missing;
        if (!std::filesystem::exists(folder, missing)) continue;
        QW_TRY(const Measured ours, measure(folder, lines));
        result.figures.push_back({std::string(name) + " ours", ours.megabytesPerSecond, "MB/s"});
        if (!peers.contains(name)) continue;
        const double theirs = peers[name].value("MB/s", 0.0);
        result.figures.push_back({std::string(name) + " tokenizers", theirs, "MB/s"});
        result.figures.push_back({std::string(name) + " ratio", ours.megabytesPerSecond / theirs, "x", 1.0});
        equal = equal && peers[name].value("checksum", uint64_t{0}) == ours.checksum;
    }
    if (peers.empty()) return result;
    result.peer = "tokenizers " + peers.value("version", "") + ", encode line by line";
    result.note = equal ? "ids equal the peer's" : "ids differ from the peer's";
    if (!equal) result.met = false;
    return result;
}

} // namespace qw::cli
