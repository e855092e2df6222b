// SPDX-License-Identifier: GPL-3.0-or-later
// What: exported folders: every family back bit for bit, damage found and the layer named, targets protected, equal input gives equal
// bytes.
#include "checkpoint/convert.h"
#include "checkpoint/native.h"
#include "checkpoint/quant_json.h"
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

using namespace qw;
using namespace qw::records;
namespace fs = std::filesystem;

namespace {

QuantBlock block(int bits, bool isSigned, Granularity granularity, int64_t group, Mapping mapping, ScaleDtype scale = ScaleDtype::Float32,
                 ZeroDomain domain = ZeroDomain::Int, Format format = Format::Intx) {
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

std::map<std::string, std::string> filesOf(const fs::path& dir) {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::directory_iterator(dir)) out[entry.path().filename().string()] = test::readText(entry.path());
    return out;
}

// Changes one byte inside a tensor of a folder's single weight file.
void flip(const fs::path& folder, const std::string& tensor, uint64_t at, unsigned char bits) {
    const auto file = checkpoint::SafetensorsFile::open(folder / "model.safetensors");
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

} // namespace

Q_DECLARE_METATYPE(qw::records::QuantBlock)

#define OK(result) QVERIFY2((result).ok(), (result).ok() ? "" : (result).error().message.c_str())

class ExportTest : public QObject {
    Q_OBJECT
    test::TempDir m_temp;
    int m_count = 0;
    fs::path fresh() { return m_temp.path() / ("out" + std::to_string(++m_count)); }
    // A source folder with weights, tokenizer and side files.
    fs::path source(const std::string& type, bool tied) {
        const fs::path dir = m_temp.path() / ("source-" + type + (tied ? "-tied" : ""));
        if (fs::exists(dir)) return dir;
        const std::string config =
            test::tinyConfig(type, std::string("\"unknown_key\":[1e-05,\"x\"],\"torch_dtype\":\"float32\",\"tie_word_embeddings\":") +
                                       (tied ? "true," : "false,"));
        if (!test::writeTinyModel(dir, config, test::tinyTensors(config, tied))) qFatal("cannot write the source");
        test::writeText(dir / "tokenizer.json", "{\"bytes\": \"kept \\u00e9 as they are\"}\n");
        test::writeText(dir / "LICENSE.txt", "terms");
        test::writeText(dir / "secret.bin", "not a side file");
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

private Q_SLOTS:
    void families_data() {
        QTest::addColumn<QuantBlock>("weight");
        QTest::addColumn<QString>("codes"); // dtype and columns of a [64,64] matrix
        using G = Granularity;
        using M = Mapping;
        using S = ScaleDtype;
        using Z = ZeroDomain;
        for (int bits = 2; bits <= 8; ++bits)
            QTest::newRow(qPrintable(QStringLiteral("2.1 int%1 g32").arg(bits)))
                << block(bits, true, G::PerGroup, 32, M::Symmetric)
                << QStringLiteral("%1 %2").arg(bits < 8 ? QStringLiteral("U8") : QStringLiteral("I8")).arg(8 * bits);
        QTest::newRow("2.1 int4 per channel, scale as input")
            << block(4, true, G::PerChannel, 32, M::Symmetric, S::Input) << QStringLiteral("U8 32");
        QTest::newRow("2.1 int3 no clipping, bf16 scale")
            << block(3, true, G::PerGroup, 32, M::SymmetricNoClip, S::BFloat16) << QStringLiteral("U8 24");
        QTest::newRow("2.1 int8 per tensor") << block(8, true, G::PerTensor, 32, M::Symmetric) << QStringLiteral("I8 64");
        QTest::newRow("2.3 int4 asymmetric") << block(4, true, G::PerGroup, 32, M::Asymmetric) << QStringLiteral("U8 32");
        QTest::newRow("2.3 uint4 asymmetric") << block(4, false, G::PerGroup, 32, M::Asymmetric) << QStringLiteral("U8 32");
        QTest::newRow("2.3 uint8 asymmetric") << block(8, false, G::PerGroup, 32, M::Asymmetric) << QStringLiteral("U8 64");
        QTest::newRow("2.3 int5 asymmetric per channel")
            << block(5, true, G::PerChannel, 32, M::Asymmetric, S::Input) << QStringLiteral("U8 40");
        QTest::newRow("2.4 tinygemm") << block(4, false, G::PerGroup, 32, M::Asymmetric, S::BFloat16, Z::Float) << QStringLiteral("U8 32");
        QTest::newRow("2.5 int4-zp") << block(4, true, G::PerGroup, 32, M::Asymmetric, S::Float32, Z::Float, Format::Int4Zp)
                                     << QStringLiteral("U8 32");
        QTest::newRow("2.7 int8 per row") << block(8, true, G::PerChannel, 32, M::Symmetric, S::Float32, Z::Int, Format::Int8)
                                          << QStringLiteral("I8 64");
    }
    void families() {
        QFETCH(QuantBlock, weight);
        QFETCH(QString, codes);
        for (const DType type : {DType::F32, DType::BF16, DType::F16}) {
            const model::Decoder decoder = load(source("llama", true), model::toTorch(type));
            for (const char* method : {"rtn", "mse"}) {
                const auto plan = quant::plan(decoder, weightOnly(weight));
                OK(plan);
                const fs::path out = fresh();
                const auto written = exporter::writeNative(decoder, *plan, type, method, source("llama", true), out, false);
                OK(written);
                const auto back = checkpoint::Checkpoint::open(out);
                OK(back);
                QVERIFY(back->isQuantized());
                QCOMPARE(back->dtype(), type);
                QCOMPARE(back->quantizedModules().size(), size_t{14});
                QCOMPARE(back->bytes(), written->bytes);
                QVERIFY(back->quantizedModules().front().block == weight);
                const auto* stored = back->find("model.layers.0.self_attn.q_proj.weight.codes");
                QCOMPARE(QStringLiteral("%1 %2").arg(QString::fromStdString(stored->dtype)).arg(stored->shape[1]), codes);
                // The decoder that is loaded from the codes has the bits of the fake-quantized weight.
                const model::Decoder again = load(out, model::toTorch(type));
                for (size_t i = 0; i < decoder.parameters().size(); ++i) {
                    const model::Parameter& p = decoder.parameters()[i];
                    at::Tensor want = p.tensor.clone();
                    if (p.role == checkpoint::TensorRole::Linear) {
                        const auto grid = numerics::resolveGrid(weight, Role::Weight, type, want.size(0), want.size(1));
                        OK(grid);
                        numerics::Outputs y;
                        y.y = want.mutable_data_ptr();
                        if (std::string(method) == "mse")
                            numerics::rangeSearchQuantize(*grid, {}, p.tensor.const_data_ptr(), y, serial());
                        else
                            numerics::fakeQuantizeReference(*grid, p.tensor.const_data_ptr(), y);
                    }
                    QCOMPARE(again.parameters()[i].name, p.name);
                    QVERIFY2(std::memcmp(again.parameters()[i].tensor.const_data_ptr(), want.const_data_ptr(), want.nbytes()) == 0,
                             p.name.c_str());
                }
            }
        }
    }

    void codesComeBackUnpacked() {
        const model::Decoder decoder = load(source("qwen3", false));
        const auto plan = quant::plan(decoder, weightOnly(block(3, true, Granularity::PerGroup, 32, Mapping::Asymmetric)));
        OK(plan);
        const fs::path out = fresh();
        OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("qwen3", false), out, false));
        const auto back = checkpoint::Checkpoint::open(out);
        OK(back);
        QCOMPARE(back->find("model.layers.0.self_attn.q_proj.weight.zero")->dtype, std::string("I8"));
        for (const checkpoint::QuantizedModule& m : back->quantizedModules()) {
            const auto index = std::ranges::find(decoder.modules(), m.name, &model::Module::name) - decoder.modules().begin();
            const auto converted = quant::convert(decoder, *plan, static_cast<int>(index), DType::F32, "rtn");
            std::vector<int8_t> codes(static_cast<size_t>(m.rows * m.cols));
            std::vector<float> scale(codes.size() / 32);
            std::vector<int32_t> zero(scale.size());
            OK(back->readCodes(m, codes.data(), scale.data(), zero.data()));
            QCOMPARE(std::memcmp(codes.data(), converted.codes.const_data_ptr(), codes.size()), 0);
            QCOMPARE(std::memcmp(scale.data(), converted.scale.const_data_ptr(), scale.size() * 4), 0);
            QCOMPARE(std::memcmp(zero.data(), converted.zero.const_data_ptr(), zero.size() * 4), 0);
        }
    }

    void schemeIsKept() {
        const model::Decoder decoder = load(source("llama", true));
        QatBlock block = weightOnly(int4());
        block.preset = "8da4w";
        block.activation = ::block(8, true, Granularity::PerToken, 32, Mapping::Asymmetric);
        block.activation->eps = 1.1920929e-07;
        block.modules.exclude = {"*.down_proj"};
        const auto plan = quant::plan(decoder, block);
        OK(plan);
        const fs::path out = fresh();
        OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("llama", true), out, false));
        const auto back = checkpoint::Checkpoint::open(out);
        OK(back);
        QCOMPARE(back->quantizedModules().size(), size_t{12});
        QCOMPARE(back->schemes().size(), size_t{1});
        QVERIFY(back->schemes().front() == block);
    }

    void skippedLayersAreNamed() {
        const model::Decoder decoder = load(source("llama", true));
        const auto plan = quant::plan(decoder, weightOnly(block(4, true, Granularity::PerGroup, 64, Mapping::Symmetric))); // 96 columns: no
        OK(plan);
        const fs::path out = fresh();
        OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("llama", true), out, false));
        const auto back = checkpoint::Checkpoint::open(out);
        OK(back);
        QCOMPARE(back->skipped().size(), size_t{2});
        QCOMPARE(back->skipped().front().first, std::string("model.layers.0.mlp.down_proj"));
    }

    // Quantizing one side of a tied pair unties it.
    void tiedSides() {
        const model::Decoder decoder = load(source("llama", true));
        QatBlock embedding;
        embedding.embedding = int4();
        QatBlock head = weightOnly(int4());
        head.modules.lmHead = true;
        QatBlock both = head;
        both.embedding = block(8, true, Granularity::PerChannel, 32, Mapping::Symmetric);
        for (const QatBlock& scheme : {embedding, head, both}) {
            const auto plan = quant::plan(decoder, scheme);
            OK(plan);
            const fs::path out = fresh();
            OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("llama", true), out, false));
            const auto back = checkpoint::Checkpoint::open(out);
            OK(back);
            QVERIFY(!back->tied());
            QVERIFY(!back->config().tied);
            OK(exporter::verifyFolder(decoder, &*plan, DType::F32, "rtn", out));
        }
    }

    void damageIsFoundAndNamed() {
        const model::Decoder decoder = load(source("llama", true));
        const auto plan = quant::plan(decoder, weightOnly(int4()));
        OK(plan);
        const fs::path out = fresh();
        OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("llama", true), out, false));
        OK(exporter::verifyFolder(decoder, &*plan, DType::F32, "rtn", out));
        const auto damaged = [&](const std::string& tensor, uint64_t at, unsigned char bits) {
            flip(out, tensor, at, bits);
            const Status status = exporter::verifyFolder(decoder, &*plan, DType::F32, "rtn", out);
            flip(out, tensor, at, bits);
            return status.ok() ? Error{"", "not noticed", "", "", false} : status.error();
        };
        const Error nibble = damaged("model.layers.1.mlp.up_proj.weight.codes", 77, 0x10);
        QCOMPARE(nibble.code, std::string("file.corrupt"));
        QVERIFY2(nibble.message.find("model.layers.1.mlp.up_proj.weight") != std::string::npos, nibble.message.c_str());
        QVERIFY2(nibble.message.find("1 values, first at element 155") != std::string::npos,
                 nibble.message.c_str()); // byte 77, high nibble
        const Error scale = damaged("model.layers.0.self_attn.v_proj.weight.scale", 0, 1);
        QVERIFY2(scale.message.find("model.layers.0.self_attn.v_proj.weight") != std::string::npos, scale.message.c_str());
        const Error norm = damaged("model.norm.weight", 4, 1);
        QVERIFY2(norm.message.find("model.norm.weight") != std::string::npos, norm.message.c_str());
        OK(exporter::verifyFolder(decoder, &*plan, DType::F32, "rtn", out));
    }

    void huggingFaceFolder() {
        const fs::path from = source("qwen2", false);
        const model::Decoder decoder = load(from);
        const fs::path out = fresh();
        const auto written = exporter::writeHuggingFace(decoder, from, out, DType::BF16, false);
        OK(written);
        const auto files = filesOf(out);
        QCOMPARE(files.at("tokenizer.json"), test::readText(from / "tokenizer.json"));
        QVERIFY(files.contains("LICENSE.txt") && !files.contains("secret.bin"));
        QVERIFY(files.at("config.json").find("1e-05") != std::string::npos);
        auto config = nlohmann::json::parse(files.at("config.json")),
             original = nlohmann::json::parse(test::readText(from / "config.json"));
        QCOMPARE(config.at("torch_dtype").get<std::string>(), std::string("bfloat16"));
        config.erase("torch_dtype");
        original.erase("torch_dtype");
        QVERIFY(config == original);
        const auto back = checkpoint::Checkpoint::open(out);
        OK(back);
        QVERIFY(!back->isQuantized());
        QCOMPARE(back->dtype(), DType::BF16);
        QVERIFY(back->find("lm_head.weight") != nullptr);
        const auto facts = nlohmann::json::parse(files.at("qat_workbench_export.json"));
        QCOMPARE(facts.at("source").at("xxh3_128").get<std::string>(), *checkpoint::Checkpoint::open(from)->fingerprint());
        const fs::path tied = fresh();
        OK(exporter::writeHuggingFace(load(source("llama", true)), source("llama", true), tied, DType::F32, false));
        QVERIFY(checkpoint::Checkpoint::open(tied)->find("lm_head.weight") == nullptr);
        OK(exporter::verifyFolder(load(source("llama", true)), nullptr, DType::F32, {}, tied));
    }

    void equalInputGivesEqualBytes() {
        const model::Decoder decoder = load(source("mistral", false));
        const auto plan = quant::plan(decoder, weightOnly(block(4, true, Granularity::PerGroup, 32, Mapping::Asymmetric)));
        OK(plan);
        const fs::path a = fresh(), b = fresh();
        const auto first = exporter::writeNative(decoder, *plan, DType::BF16, "rtn", source("mistral", false), a, false);
        const auto second = exporter::writeNative(decoder, *plan, DType::BF16, "rtn", source("mistral", false), b, false);
        OK(first);
        OK(second);
        QCOMPARE(first->hash, second->hash);
        QVERIFY(filesOf(a) == filesOf(b));
    }

    void nativeSourceGivesAPlainFolder() {
        const model::Decoder decoder = load(source("llama", true));
        const auto plan = quant::plan(decoder, weightOnly(int4()));
        OK(plan);
        const fs::path native = fresh(), plain = fresh();
        OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("llama", true), native, false));
        OK(exporter::writeHuggingFace(load(native), native, plain, DType::F32, false));
        const auto back = checkpoint::Checkpoint::open(plain);
        OK(back);
        QVERIFY(!back->isQuantized());
        QVERIFY(back->config().quantMethod.empty());
    }

    void targetsAreProtected() {
        const fs::path from = source("llama", true), out = fresh();
        const model::Decoder decoder = load(from);
        test::writeText(out / "thesis.txt", "years of work");
        const auto refused = exporter::writeHuggingFace(decoder, from, out, DType::F32, false);
        QVERIFY(!refused.ok());
        QCOMPARE(refused.error().code, std::string("file.unsafe"));
        QCOMPARE(filesOf(out).size(), size_t{1});
        OK(exporter::writeHuggingFace(decoder, from, out, DType::F32, true));
        QVERIFY(!fs::exists(out / "thesis.txt"));
        const fs::path file = fresh();
        test::writeText(file, "a file");
        QCOMPARE(exporter::writeHuggingFace(decoder, from, file, DType::F32, true).error().code, std::string("file.unsafe"));
        const fs::path empty = fresh();
        fs::create_directories(empty);
        OK(exporter::writeHuggingFace(decoder, from, fs::path(empty.string() + "/"), DType::F32, false));
        const auto readOnly =
            exporter::writeHuggingFace(decoder, from, "/proc/self/export", DType::F32, false); // even root cannot write there
        QVERIFY(!readOnly.ok());
        QCOMPARE(exitCode(readOnly.error().code), 4);
        // A failing write leaves nothing behind.
        const fs::path gone = fresh();
        QVERIFY(!exporter::writeHuggingFace(decoder, m_temp.path() / "no source", gone, DType::F32, false).ok());
        QVERIFY(!fs::exists(gone));
        for (const auto& entry : fs::directory_iterator(m_temp.path()))
            QVERIFY2(entry.path().string().find(".partial.") == std::string::npos, entry.path().c_str());
        // What a killed process left is removed by the next export to the same place; a living one's is not.
        const fs::path next = fresh();
        fs::create_directories(next.string() + ".partial.2147483646");
        fs::create_directories(next.string() + ".partial.1");
        OK(exporter::writeHuggingFace(decoder, from, next, DType::F32, false));
        QVERIFY(!fs::exists(next.string() + ".partial.2147483646"));
        QVERIFY(fs::exists(next.string() + ".partial.1"));
        fs::remove_all(next.string() + ".partial.1");
    }

    void lyingNativeFolders() {
        const model::Decoder decoder = load(source("llama", true));
        const auto plan = quant::plan(decoder, weightOnly(int4()));
        OK(plan);
        const fs::path out = fresh();
        OK(exporter::writeNative(decoder, *plan, DType::F32, "rtn", source("llama", true), out, false));
        const auto file = checkpoint::SafetensorsFile::open(out / "model.safetensors");
        OK(file);
        const auto description = nlohmann::ordered_json::parse(file->metadata().at("qat_workbench"));
        QCOMPARE(description.at("format").get<int>(), 1);
        QCOMPARE(description.at("dtype").get<std::string>(), std::string("float32"));
        const std::string name = "model.layers.0.self_attn.q_proj";
        const auto with = [&](const std::function<void(nlohmann::ordered_json&)>& edit) {
            auto changed = description;
            edit(changed);
            std::vector<test::TinyTensor> tensors;
            for (const auto& t : file->tensors()) {
                tensors.push_back({t.name, t.dtype, t.shape, std::vector<char>(t.bytes())});
                if (!file->read(t, tensors.back().bytes.data())) qFatal("read");
            }
            const fs::path dir = fresh();
            test::writeText(dir / "config.json", test::readText(out / "config.json"));
            if (!test::writeTensors(dir / "model.safetensors", tensors, {{"qat_workbench", changed.dump()}})) qFatal("write");
            const auto opened = checkpoint::Checkpoint::open(dir);
            return opened ? Error{"opened", "", "", "", false} : opened.error();
        };
        QCOMPARE(with([](auto&) {}).code, std::string("opened"));
        QCOMPARE(with([](auto& j) { j["format"] = 2; }).code, std::string("model.format"));
        QCOMPARE(with([](auto& j) { j["dtype"] = "int3"; }).code, std::string("model.format"));
        QCOMPARE(with([&](auto& j) { j["modules"][name]["scheme"] = 1; }).code, std::string("model.format"));
        QCOMPARE(with([&](auto& j) { j["modules"][name]["packed"] = false; }).code, std::string("model.format"));
        QCOMPARE(with([&](auto& j) { j["modules"][name]["rows"] = 32; }).code, std::string("model.shape"));
        QCOMPARE(with([&](auto& j) { j["modules"].erase(name); }).code, std::string("model.shape"));
        QCOMPARE(with([](auto& j) { j["schemes"][0]["weight"]["dtype"] = "int3"; }).code, std::string("model.shape"));
        QCOMPARE(with([](auto& j) { j["schemes"][0]["weight"]["group_size"] = 7; }).code, std::string("model.format"));
        QCOMPARE(with([](auto& j) { j["schemes"][0].erase("weight"); }).code, std::string("model.format"));
    }
};

QTEST_GUILESS_MAIN(ExportTest)
#include "tst_export.moc"
