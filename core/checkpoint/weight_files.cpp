// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/weight_files.h"

#include "base/files.h"
#include "checkpoint/json_value.h"

#include <algorithm>
#include <map>
#include <set>

namespace qw::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxIndexBytes = uint64_t{64} << 20; // engine.md 8
constexpr size_t kMaxShards = 512;                      // one open descriptor each
constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

Error unsafe(const std::string& what, const std::string& hint) { return {"file.unsafe", what, hint, {}, false}; }

bool isBasename(const std::string& name) {
    const bool drive = name.size() >= 2 && name[1] == ':';
    return !name.empty() && !drive && name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos &&
           name.find("..") == std::string::npos;
}

// The Hugging Face cache keeps snapshots/<revision>/<file> as links to ../../blobs/<digest>.
fs::path blobsOf(const fs::path& dir) {
    return dir.parent_path().filename() == "snapshots" ? dir.parent_path().parent_path() / "blobs" : fs::path();
}

Result<TensorFile> openInside(const fs::path& dir, const std::string& name) {
    QW_TRY(const fs::path path, resolveInside(dir, name));
    return TensorFile::open(path);
}

std::string firstPickle(const fs::path& dir) {
    static const std::set<std::string> extensions{".bin", ".pt", ".pth", ".ckpt", ".pkl"};
    std::vector<std::string> found;
    std::error_code code;
    for (fs::directory_iterator it(dir, code), end; !code && it != end; it.increment(code))
        if (extensions.contains(it->path().extension().string())) found.push_back(it->path().filename().string());
    std::ranges::sort(found);
    return found.empty() ? std::string() : found.front();
}

Status place(WeightFiles& out) {
    for (size_t i = 0; i < out.files.size(); ++i)
        for (const TensorInfo& t : out.files[i].tensors()) {
            const auto [at, fresh] = out.where.try_emplace(t.name, WeightFiles::Place{i, &t});
            if (!fresh)
                return Error{"model.format",
                             "tensor " + jsonQuoted(t.name) + " is in two shards, " +
                                 out.files[at->second.file].path().filename().string() + " and " + out.files[i].path().filename().string(),
                             "fetch the model again, or remove the file that does not belong to it",
                             {},
                             false};
        }
    return {};
}

Result<std::map<std::string, std::string>> readIndex(const fs::path& path) {
    QW_TRY(const std::string text, readFile(path, kMaxIndexBytes));
    auto root = parseJson(text, "model.format");
    if (!root) return std::move(root).error().at(path.string());
    const auto bad = [&](const std::string& what) {
        return Error{"model.format", path.string() + ": " + what, "fetch the index file again", {}, false};
    };
    const JsonValue* map = root->find("weight_map");
    if (!map || !map->is(JsonValue::Kind::Object)) return bad("has no weight_map object");
    if (map->members.empty()) return bad("weight_map is empty");
    std::map<std::string, std::string> out;
    for (const auto& [tensor, file] : map->members) {
        if (!file.is(JsonValue::Kind::String))
            return bad("weight_map of " + jsonQuoted(tensor) + " is " + file.shown() + ", not a file name");
        if (!isBasename(file.text))
            return unsafe(path.string() + ": weight_map sends " + jsonQuoted(tensor) + " to " + file.shown() +
                              ", only plain file names are allowed",
                          "do not use this index file");
        if (!file.text.ends_with(".safetensors"))
            return unsafe(path.string() + ": weight_map sends " + jsonQuoted(tensor) + " to " + file.shown() +
                              ", only .safetensors files are read",
                          "convert the weights to safetensors");
        out.emplace(tensor, file.text);
    }
    return out;
}

Result<WeightFiles> openGguf(const fs::path& dir, const std::string& name) {
    QW_TRY(const fs::path path, resolveInside(dir, name));
    WeightFiles out;
    out.gguf = true;
    QW_TRY(TensorFile file, TensorFile::openGguf(path));
    out.files.push_back(std::move(file));
    QW_CHECK(place(out));
    return out;
}

std::vector<std::string> ggufNames(const fs::path& dir) {
    std::vector<std::string> found;
    std::error_code code;
    for (fs::directory_iterator it(dir, code), end; !code && it != end; it.increment(code))
        if (it->path().extension() == ".gguf") found.push_back(it->path().filename().string());
    std::ranges::sort(found);
    return found;
}

Result<WeightFiles> openSharded(const fs::path& dir) {
    QW_TRY(const auto map, readIndex(dir / kIndex));
    WeightFiles out;
    std::set<std::string> names;
    for (const auto& [tensor, file] : map) names.insert(file);
    if (names.size() > kMaxShards)
        return unsafe((dir / kIndex).string() + " names " + std::to_string(names.size()) + " files, at most " + std::to_string(kMaxShards) +
                          " are read",
                      {});
    for (const std::string& name : names) {
        QW_TRY(TensorFile file, openInside(dir, name));
        out.files.push_back(std::move(file));
    }
    QW_CHECK(place(out));
    for (const auto& [tensor, file] : map) {
        const auto* found = out.find(tensor);
        if (!found || out.files[found->file].path().filename() != file)
            return Error{"model.format",
                         (dir / file).string() + " does not hold tensor " + jsonQuoted(tensor) + ", which the index places there",
                         "index and shards are of different versions: fetch the model again",
                         {},
                         false};
    }
    std::vector<std::string> extra;
    for (const auto& [tensor, unused] : out.where)
        if (!map.contains(tensor)) extra.push_back(tensor);
    std::ranges::sort(extra);
    if (!extra.empty())
        out.warnings.push_back(
            {false,
             "model.format",
             std::to_string(extra.size()) + " tensors are in the shards but not in the index, first " + jsonQuoted(extra.front()),
             {}});
    return out;
}

} // namespace

Result<fs::path> resolveInside(const fs::path& dir, const std::string& name) {
    const fs::path path = dir / name;
    std::error_code code;
    const fs::path target = fs::canonical(path, code);
    if (code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory)
        return Error{"model.shard_missing",
                     path.string() + " is missing",
                     "fetch the missing file again; all shards belong into one folder",
                     {},
                     false};
    if (code) return errnoError(code.value(), "open", path);
    if (target.parent_path() != dir && (blobsOf(dir).empty() || target.parent_path() != blobsOf(dir)))
        return unsafe(path.string() + " is a link to " + target.string() + ", outside of the model folder",
                      "copy the file into the folder");
    return path;
}

const WeightFiles::Place* WeightFiles::find(std::string_view name) const {
    const auto at = where.find(std::string(name));
    return at == where.end() ? nullptr : &at->second;
}

uint64_t WeightFiles::bytes() const {
    uint64_t sum = 0;
    for (const TensorFile& f : files) sum += f.fileBytes();
    return sum;
}

Result<WeightFiles> openWeightFiles(const fs::path& folder) {
    std::error_code code;
    if (fs::is_regular_file(folder, code)) {
        const fs::path parent = fs::canonical(folder.has_parent_path() ? folder.parent_path() : fs::path("."), code);
        if (code) return errnoError(code.value(), "open", folder);
        return openGguf(parent, folder.filename().string());
    }
    const fs::path dir = fs::canonical(folder, code);
    if (code) return errnoError(code.value(), "open", folder);
    const bool single = fs::symlink_status(dir / kSingle, code).type() != fs::file_type::not_found;
    const bool index = fs::symlink_status(dir / kIndex, code).type() != fs::file_type::not_found;
    if (single) {
        WeightFiles out;
        QW_TRY(TensorFile file, openInside(dir, kSingle));
        out.files.push_back(std::move(file));
        QW_CHECK(place(out));
        if (index) out.warnings.push_back({false, "model.format", std::string(kIndex) + " is ignored because there is a " + kSingle, {}});
        return out;
    }
    if (index) return openSharded(dir);
    const auto ggufs = ggufNames(dir);
    if (ggufs.size() == 1) return openGguf(dir, ggufs.front());
    if (ggufs.size() > 1)
        return Error{"model.format",
                     dir.string() + " holds " + std::to_string(ggufs.size()) + " GGUF files, first " + ggufs[0] + " and " + ggufs[1],
                     "name the file that is meant",
                     {},
                     false};
    if (const std::string pickle = firstPickle(dir); !pickle.empty())
        return unsafe((dir / pickle).string() + " is a pickle, which can run code when it is opened; it is not read",
                      "convert the weights to safetensors on a machine you trust");
    return Error{"file.not_found",
                 dir.string() + " has no " + kSingle + ", no " + kIndex + " and no .gguf",
                 "choose a Hugging Face model folder",
                 {},
                 false};
}

} // namespace qw::checkpoint
