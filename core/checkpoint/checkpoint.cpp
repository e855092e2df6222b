// SPDX-License-Identifier: GPL-3.0-or-later
#include "checkpoint/checkpoint_state.h"

#include "base/digest.h"
#include "base/files.h"
#include "checkpoint/arch_table.h"
#include "checkpoint/convert.h"
#include "checkpoint/json_value.h"
#include "checkpoint/native.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

namespace qw::checkpoint {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{8} << 20; // engine.md 8
constexpr int64_t kPiece = int64_t{1} << 22;            // elements converted at a time
constexpr int64_t kBlockBytes = int64_t{8} << 20;       // performance.md 6

int64_t rowsOf(const TensorInfo& tensor) { return tensor.shape.empty() ? 1 : tensor.shape.front(); }

} // namespace

Status forRowBlocks(int64_t rows, int64_t bytesPerRow, const std::function<Status(RowRange)>& each) {
    const int64_t most = std::max<int64_t>(1, kBlockBytes / std::max<int64_t>(1, bytesPerRow));
    for (int64_t first = 0; first < rows; first += most) QW_CHECK(each({first, std::min(most, rows - first)}));
    return {};
}

Status Checkpoint::State::readConfig() {
    std::error_code code;
    const auto kind = std::filesystem::status(dir, code).type();
    if (kind == std::filesystem::file_type::not_found) return errnoError(ENOENT, "open", dir);
    const bool gguf = kind == std::filesystem::file_type::regular && dir.extension() == ".gguf";
    if (gguf)
        dir = dir.has_parent_path() ? dir.parent_path() : std::filesystem::path(".");
    else if (kind != std::filesystem::file_type::directory)
        return Error{
            "file.not_found", dir.string() + " is not a folder", "choose a model folder: config.json, weights and tokenizer", {}, false};
    const auto path = dir / "config.json";
    auto bytes = readFile(path, kMaxConfigBytes);
    if (!bytes) {
        Error error = std::move(bytes).error();
        if (error.code == "file.not_found")
            error.hint = gguf ? "put config.json and the tokenizer of the model it was made from beside the GGUF"
                              : "choose a model folder: config.json, weights and tokenizer";
        return error;
    }
    configBytes = *std::move(bytes);
    auto parsed = parseModelConfig(configBytes);
    if (!parsed) return std::move(parsed).error().at(path.string());
    config = *std::move(parsed);
    for (const std::string& note : config.notes) warn("model.format", "config.json: " + note);
    if (!config.quantMethod.empty()) format = config.quantMethod == kNativeKey ? "native" : config.quantMethod;
    if (format != "huggingface" && format != "native" && format != kCompressedTensors && format != kGptq)
        return Error{"model.format",
                     dir.string() + " is already quantised (" + config.quantMethod + "), in a format that cannot be read",
                     "use the float model that it was made from",
                     {},
                     false};
    if (format == "native" && config.quantFormat != kNativeFormat)
        return Error{"model.format",
                     path.string() + ": quantization_config.format " + std::to_string(config.quantFormat) + " is not known, only " +
                         std::to_string(kNativeFormat) + " is",
                     "use the version of this program that wrote the folder",
                     {},
                     false};
    return {};
}

Status Checkpoint::State::openQuantized() {
    auto opened = format == "native" ? openNativeModules(weights)
                  : format == kGptq  ? openGptq(weights, configBytes, config)
                  : format == "gguf" ? openGgufModules(weights, config)
                                     : openCompressedTensors(weights, configBytes, config);
    if (!opened) return std::move(opened).error().at(dir.string());
    quantized = *std::move(opened);
    if (quantized) type = quantized->type;
    return {};
}

const QuantizedContents& Checkpoint::State::contents() const {
    static const QuantizedContents none;
    return quantized ? *quantized : none;
}

const QuantizedModule* Checkpoint::State::quantizedWeight(std::string_view tensor) const {
    constexpr std::string_view suffix = ".weight";
    if (!quantized || !tensor.ends_with(suffix)) return nullptr;
    return quantized->find(tensor.substr(0, tensor.size() - suffix.size()));
}

bool Checkpoint::State::headsAreEqual() const {
    const auto* head = weights.find("lm_head.weight");
    const auto* table = weights.find("model.embed_tokens.weight");
    if (!head || !table || head->info->dtype != table->info->dtype || head->info->shape != table->info->shape) return false;
    std::vector<char> a(size_t{1} << 20), b(a.size());
    for (uint64_t at = 0; at < head->info->bytes(); at += a.size()) {
        const uint64_t n = std::min<uint64_t>(a.size(), head->info->bytes() - at);
        if (!weights.files[head->file].read(*head->info, a.data(), at, n) ||
            !weights.files[table->file].read(*table->info, b.data(), at, n))
            return false;
        if (std::memcmp(a.data(), b.data(), n) != 0) return false;
    }
    return true;
}

Status Checkpoint::State::resolveTie(const std::string& tie) {
    tied = tie == "auto" ? config.tied : tie == "true";
    const bool headPresent = weights.find("lm_head.weight") || (quantized && quantized->find("lm_head"));
    if (format == "native") {
        tied = tied && !headPresent; // quantizing one side of a tied pair stores both
        return {};
    }
    if (!tied && !headPresent)
        return shapeError(dir.string() + ": lm_head.weight is missing, but " +
                              (tie == "auto" ? "tie_word_embeddings is false" : "model.tie is false"),
                          "older exports drop a tied head: set model.tie to true to treat it as tied");
    if (tied && headPresent && !headsAreEqual())
        warn("model.format", "lm_head.weight differs from the embedding and is ignored, because the two are tied",
             "set model.tie to false to use it");
    return {};
}

Status Checkpoint::State::checkTensor(const ExpectedTensor& e) const {
    const std::string wanted = "expected " + shapeWords(e.shape);
    if (const QuantizedModule* m = quantizedWeight(e.name)) {
        if (std::vector<int64_t>{m->rows, m->cols} != e.shape)
            return shapeError(e.name + ": " + wanted + " (" + e.shapeWords + "), file has " + shapeWords({m->rows, m->cols}));
        return quantized->check(weights, *m);
    }
    const auto* at = weights.find(e.name);
    if (!at) return shapeError(e.name + " is missing, " + wanted + " (" + e.shapeWords + ")");
    if (at->info->shape != e.shape)
        return shapeError(e.name + ": " + wanted + " (" + e.shapeWords + "), file has " + shapeWords(at->info->shape));
    if (!isWeightDtype(at->info->dtype))
        return Error{"model.format",
                     e.name + ": dtype " + at->info->dtype + " is not supported for weights",
                     "convert it to BF16, F16 or F32",
                     {},
                     false};
    return {};
}

Status Checkpoint::State::checkTensors() {
    expected = expectedTensors(config, tied);
    std::optional<Error> first;
    int bad = 0;
    for (const ExpectedTensor& e : expected) {
        Status status = checkTensor(e);
        if (status) continue;
        if (bad++ == 0) first = std::move(status).error();
    }
    if (!first) return {};
    if (bad > 1) first->message += ", and " + std::to_string(bad - 1) + " more like this";
    return std::move(*first).at(dir.string());
}

// T of a plain folder: the dtype that most weights have.
void Checkpoint::State::chooseType() {
    std::array<int64_t, 3> counts{};
    bool wide = false;
    std::set<std::string> seen;
    for (const ExpectedTensor& e : expected) {
        const auto* at = weights.find(e.name);
        if (!at) continue;
        seen.insert(at->info->dtype);
        wide = wide || at->info->dtype == "F64";
        const auto stored = at->info->dtype == "BF16"  ? records::DType::BF16
                            : at->info->dtype == "F16" ? records::DType::F16
                                                       : records::DType::F32;
        counts[static_cast<size_t>(stored)] += at->info->elements();
    }
    if (wide) warn("model.format", "F64 weights are rounded to F32 when they are read");
    if (seen.size() > 1 && format != "gguf") { // GGUF keeps norms in F32 beside everything
        std::string list;
        for (const std::string& s : seen) list.append(list.empty() ? "" : ", ").append(s);
        warn("model.format", "the weights have several dtypes: " + list);
    }
    if (!quantized) type = static_cast<records::DType>(std::ranges::max_element(counts) - counts.begin());
}

void Checkpoint::State::listLeftovers() {
    std::set<std::string> used;
    for (const ExpectedTensor& e : expected) used.insert(e.name);
    if (quantized)
        for (const QuantizedModule& m : quantized->list)
            for (std::string& name : quantized->parts(m)) used.insert(std::move(name));
    if (tied) used.insert("lm_head.weight");                // judged by the tie rule
    if (format == "gguf") used.insert("rope_freqs.weight"); // compared with config.json
    const ArchRow* row = findArch(config.modelType);
    std::vector<std::string> left;
    for (const auto& [name, unused] : weights.where)
        if (!used.contains(name) && !(row && row->rotaryBuffers && name.ends_with(".rotary_emb.inv_freq"))) left.push_back(name);
    if (left.empty()) return;
    std::ranges::sort(left);
    std::string list;
    for (size_t i = 0; i < std::min<size_t>(left.size(), 5); ++i) list += (i ? ", " : "") + left[i];
    if (left.size() > 5) list += " and " + std::to_string(left.size() - 5) + " more";
    warn("model.format", "tensors that are no part of the model are ignored: " + list);
}

Status Checkpoint::State::readPlain(const WeightFiles::Place& at, records::DType as, RowRange rows, void* dst) const {
    const TensorFile& file = weights.files[at.file];
    const int64_t width = *dtypeBits(at.info->dtype) / 8, outWidth = numerics::sizeOf(as);
    const int64_t row = at.info->elements() / std::max<int64_t>(1, rowsOf(*at.info)), first = rows.first * row, count = rows.count * row;
    if (at.info->dtype == storedName(as))
        return file.read(*at.info, dst, static_cast<uint64_t>(first * width), static_cast<uint64_t>(count * width));
    std::vector<std::byte> piece(static_cast<size_t>(std::min(count, kPiece) * width));
    for (int64_t done = 0; done < count; done += kPiece) {
        const int64_t n = std::min(kPiece, count - done);
        QW_CHECK(file.read(*at.info, piece.data(), static_cast<uint64_t>((first + done) * width), static_cast<uint64_t>(n * width)));
        convertElements(at.info->dtype, piece.data(), n, as, static_cast<std::byte*>(dst) + done * outWidth);
    }
    return {};
}

Result<Checkpoint> Checkpoint::open(const std::filesystem::path& dir, const std::string& tie) {
    auto state = std::make_shared<State>();
    state->dir = dir;
    QW_CHECK(state->readConfig());
    QW_TRY(state->weights, openWeightFiles(dir));
    if (state->weights.gguf) {
        state->format = "gguf";
        if (auto same = checkGgufMetadata(state->weights, state->config); !same)
            return std::move(same).error().at(state->weights.files.front().path().string());
    }
    state->warnings.insert(state->warnings.end(), state->weights.warnings.begin(), state->weights.warnings.end());
    if (state->format != "huggingface") QW_CHECK(state->openQuantized());
    QW_CHECK(state->resolveTie(tie));
    QW_CHECK(state->checkTensors());
    state->chooseType();
    state->listLeftovers();
    Checkpoint out;
    out.m_state = std::move(state);
    return out;
}

const std::filesystem::path& Checkpoint::dir() const { return m_state->dir; }
const ModelConfig& Checkpoint::config() const { return m_state->config; }
bool Checkpoint::tied() const { return m_state->tied; }
const std::string& Checkpoint::format() const { return m_state->format; }
bool Checkpoint::isQuantized() const { return m_state->quantized != nullptr; }
records::DType Checkpoint::dtype() const { return m_state->type; }
const std::vector<TensorFile>& Checkpoint::shards() const { return m_state->weights.files; }
const std::vector<ExpectedTensor>& Checkpoint::tensors() const { return m_state->expected; }
const std::vector<QuantizedModule>& Checkpoint::quantizedModules() const { return m_state->contents().list; }
const std::vector<records::QatBlock>& Checkpoint::schemes() const { return m_state->contents().schemes; }
const std::vector<std::pair<std::string, std::string>>& Checkpoint::skipped() const { return m_state->contents().skipped; }
const std::vector<Problem>& Checkpoint::warnings() const { return m_state->warnings; }
uint64_t Checkpoint::bytes() const { return m_state->weights.bytes(); }

int64_t Checkpoint::parameters() const {
    int64_t sum = 0;
    for (const ExpectedTensor& e : m_state->expected) {
        int64_t n = 1;
        for (const int64_t d : e.shape) n *= d;
        sum += n;
    }
    return sum;
}

const TensorInfo* Checkpoint::find(std::string_view name) const {
    const auto* at = m_state->weights.find(name);
    return at ? at->info : nullptr;
}

Status Checkpoint::read(std::string_view name, void* dst) const {
    const auto* at = m_state->weights.find(name);
    if (!at) return shapeError(m_state->dir.string() + ": there is no tensor " + std::string(name));
    return m_state->weights.files[at->file].read(*at->info, dst);
}

Status Checkpoint::readAs(std::string_view name, records::DType as, void* dst) const {
    if (const QuantizedModule* module = m_state->quantizedWeight(name)) return readRows(name, as, module->all(), dst);
    const TensorInfo* stored = find(name);
    return readRows(name, as, {0, stored ? rowsOf(*stored) : 0}, dst);
}

Status Checkpoint::readRows(std::string_view name, records::DType as, RowRange rows, void* dst) const {
    if (const QuantizedModule* module = m_state->quantizedWeight(name))
        return m_state->quantized->dequantize(m_state->weights, *module, rows, as, dst);
    const auto* at = m_state->weights.find(name);
    if (!at) return shapeError(m_state->dir.string() + ": there is no tensor " + std::string(name));
    if (!isWeightDtype(at->info->dtype))
        return Error{"model.format", std::string(name) + ": dtype " + at->info->dtype + " is not supported for weights", {}, {}, false};
    return m_state->readPlain(*at, as, rows, dst);
}

Status Checkpoint::readCodes(const QuantizedModule& module, int8_t* codes, void* scale, void* zero) const {
    return readCodes(module, module.all(), codes, scale, zero);
}

Status Checkpoint::readCodes(const QuantizedModule& module, RowRange rows, int8_t* codes, void* scale, void* zero) const {
    if (!m_state->quantized || !m_state->quantized->find(module.name))
        return shapeError(m_state->dir.string() + ": " + module.name + " is not a quantized module");
    return m_state->quantized->read(m_state->weights, module, rows, codes, scale, zero);
}

Result<std::string> Checkpoint::fingerprint() const {
    const std::lock_guard lock(m_state->mutex);
    if (!m_state->fingerprint.empty()) return m_state->fingerprint;
    Xxh3 hash;
    hash.add(m_state->configBytes);
    std::vector<char> piece(size_t{16} << 20);
    for (const TensorFile& file : m_state->weights.files)
        for (uint64_t at = 0; at < file.fileBytes(); at += piece.size()) {
            const uint64_t n = std::min<uint64_t>(piece.size(), file.fileBytes() - at);
            QW_CHECK(file.readRaw(at, piece.data(), n));
            hash.add(piece.data(), n);
        }
    m_state->fingerprint = hash.hex();
    return m_state->fingerprint;
}

} // namespace qw::checkpoint
