// SPDX-License-Identifier: GPL-3.0-or-later
// What: source folders, schemes and damage for tests of exported folders.
#pragma once

#include "checkpoint/convert.h"
#include "checkpoint/native.h"
#include "checkpoint/quant_json.h"
#include "expect.h"
#include "export/folders.h"
#include "model/load.h"
#include "numerics/fake_quant.h"
#include "test_data.h"
#include "tiny_model.h"

#include <ATen/core/Tensor.h>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace qw::test {

using namespace records;
namespace fs = std::filesystem;

inline QuantBlock block(int bits, bool isSigned, Granularity granularity, int64_t group, Mapping mapping,
                        ScaleDtype scale = ScaleDtype::Float32, ZeroDomain domain = ZeroDomain::Int, Format format = Format::Intx) {
    QuantBlock b;
    b.format = format;
    b.bits = bits;
    b.isSigned = isSigned;
    b.granularity = granularity;
    b.groupSize = group;
    b.mapping = mapping;
    b.scaleDtype = scale;
    b.zeroDomain = domain;
    return b;
}

inline std::map<std::string, std::string> filesOf(const fs::path& dir) {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::directory_iterator(dir)) out[entry.path().filename().string()] = readText(entry.path());
    return out;
}

// Changes one byte inside a tensor of a folder's single weight file.
inline void flip(const fs::path& folder, const std::string& tensor, uint64_t at, unsigned char bits) {
    const auto file = checkpoint::TensorFile::open(folder / "model.safetensors");
    if (!file || !file->find(tensor)) qFatal("no tensor %s", tensor.c_str());
    uint64_t header = 0;
    if (!file->readRaw(0, &header, 8)) qFatal("no header");
    const auto place = static_cast<off_t>(8 + header + file->find(tensor)->begin + at);
    const int fd = ::open((folder / "model.safetensors").c_str(), O_RDWR);
    unsigned char byte = 0;
    if (::pread(fd, &byte, 1, place) != 1) qFatal("pread");
    byte ^= bits;
    if (::pwrite(fd, &byte, 1, place) != 1) qFatal("pwrite");
    ::close(fd);
}

// Folders of one test program.
class ExportWorld {
public:
    fs::path fresh() { return m_temp.path() / ("out" + std::to_string(++m_count)); }
    // A source folder with weights, tokenizer and side files.
    fs::path source(const std::string& type, bool tied) {
        const fs::path dir = m_temp.path() / ("source-" + type + (tied ? "-tied" : ""));
        if (fs::exists(dir)) return dir;
        const std::string config =
            tinyConfig(type, std::string("\"unknown_key\":[1e-05,\"x\"],\"torch_dtype\":\"float32\",\"tie_word_embeddings\":") +
                                 (tied ? "true," : "false,"));
        if (!writeTinyModel(dir, config, tinyTensors(config, tied))) qFatal("cannot write the source");
        writeText(dir / "tokenizer.json", "{\"bytes\": \"kept \\u00e9 as they are\"}\n");
        writeText(dir / "LICENSE.txt", "terms");
        writeText(dir / "secret.bin", "not a side file");
        return dir;
    }
    static model::Decoder load(const fs::path& dir, at::ScalarType type = at::kFloat) {
        const auto from = checkpoint::Checkpoint::open(dir);
        if (!from) qFatal("%s", from.error().message.c_str());
        auto decoder = model::Decoder::load(*from, type, at::kCPU);
        if (!decoder) qFatal("%s", decoder.error().message.c_str());
        return *std::move(decoder);
    }
    static QatBlock weightOnly(const QuantBlock& b) {
        QatBlock block;
        block.weight = b;
        return block;
    }
    static QuantBlock int4() { return block(4, true, Granularity::PerGroup, 32, Mapping::Symmetric); }

protected:
    TempDir m_temp;
    int m_count = 0;
};

} // namespace qw::test

Q_DECLARE_METATYPE(qw::records::QuantBlock)
