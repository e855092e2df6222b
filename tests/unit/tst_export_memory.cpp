// SPDX-License-Identifier: GPL-3.0-or-later
// What: exports of checkpoints with one very large tensor, in every format: no tensor exists as a whole (performance.md 6). Measured is
// the peak resident memory of a child process that exports, which is all its anonymous memory and the program itself: files are read
// with pread and are no part of it.
#include "checkpoint/native.h"
#include "formats/format.h"
#include "quantized_model.h"
#include "tokenizer_files.h"

#include <sys/resource.h>
#include <sys/wait.h>

using namespace qw;
namespace fs = std::filesystem;

namespace {

constexpr int64_t kHidden = 1024;
constexpr int64_t kMegabyte = 1'000'000;

// A stream of bytes that looks like weights: mask and base keep bf16 and fp32 numbers small and finite.
checkpoint::TensorSource noise(const std::string& name, const std::string& dtype, const std::vector<int64_t>& shape) {
    checkpoint::TensorSource out{name, dtype, shape, {}};
    const uint64_t bytes = *checkpoint::sourceBytes(out);
    const uint64_t mask = dtype == "BF16" ? 0x807f807f807f807f : dtype == "F32" ? 0x007fffff007fffff : ~uint64_t{0};
    const uint64_t base = dtype == "BF16" ? 0x3c003c003c003c00 : dtype == "F32" ? 0x3c0000003c000000 : 0;
    out.write = [=](const std::function<Status(const void*, uint64_t)>& sink) -> Status {
        std::vector<uint64_t> piece(1 << 17);
        uint64_t state = bytes;
        for (uint64_t left = bytes; left > 0;) {
            for (uint64_t& word : piece) word = ((state = state * 6364136223846793005ULL + 1442695040888963407ULL) & mask) | base;
            const uint64_t n = std::min<uint64_t>(left, piece.size() * sizeof(uint64_t));
            QW_CHECK(sink(piece.data(), n));
            left -= n;
        }
        return {};
    };
    return out;
}

records::QuantBlock int4(records::ScaleDtype scale) {
    records::QuantBlock block;
    block.bits = 4;
    block.groupSize = 32;
    block.granularity = records::Granularity::PerGroup;
    block.scaleDtype = scale;
    return block;
}

// A native folder of one layer; its scales are such that the judges have to look at the codes too.
Status writeModel(const fs::path& dir, int64_t vocab, int64_t inner, bool embedding) {
    records::QatBlock scheme;
    scheme.weight = int4(records::ScaleDtype::Input);
    if (embedding) scheme.embedding = int4(records::ScaleDtype::Float32);
    const std::string config = "{\"model_type\":\"llama\",\"vocab_size\":" + std::to_string(vocab) +
                               ",\"hidden_size\":1024,\"intermediate_size\":" + std::to_string(inner) +
                               ",\"num_hidden_layers\":1,\"num_attention_heads\":8,\"num_key_value_heads\":2,\"head_dim\":128,"
                               "\"max_position_embeddings\":128,\"rms_norm_eps\":1e-05,\"bos_token_id\":1,\"eos_token_id\":2,"
                               "\"tie_word_embeddings\":true,\"torch_dtype\":\"bfloat16\",\"quantization_config\":" +
                               formats::nativeConfig() + "}";
    test::writeText(dir / "config.json", config);
    auto tokenizer = test::worked(false);
    tokenizer["added_tokens"] = {test::added("</s>", {"special"})};
    test::writeText(dir / "tokenizer.json", tokenizer.dump());
    test::writeText(dir / "tokenizer_config.json", "{\"eos_token\": \"</s>\"}");
    QW_TRY(const auto parsed, checkpoint::parseModelConfig(config));
    checkpoint::NativeInfo info;
    info.type = records::DType::BF16;
    info.schemes = {scheme};
    std::vector<checkpoint::TensorSource> sources;
    for (const auto& tensor : checkpoint::expectedTensors(parsed, true)) {
        const std::string module = tensor.name.substr(0, tensor.name.rfind('.'));
        const auto* block = tensor.shape.size() == 2 ? checkpoint::blockFor(scheme, module) : nullptr;
        if (!block) {
            sources.push_back(noise(tensor.name, "BF16", tensor.shape));
            continue;
        }
        QW_TRY(const auto layout, checkpoint::nativeLayout(*block, module, info.type, tensor.shape[0], tensor.shape[1]));
        sources.push_back(noise(module + checkpoint::kCodesSuffix, layout.codesDtype, layout.codesShape));
        sources.push_back(noise(module + checkpoint::kScaleSuffix, layout.scaleDtype, layout.scaleShape));
        info.modules.push_back({module, 0, layout.packed, tensor.shape[0], tensor.shape[1]});
    }
    const auto written = checkpoint::writeSafetensors(dir / "model.safetensors", std::move(sources),
                                                      {{checkpoint::kNativeKey, checkpoint::nativeToJson(info)}});
    return written ? Status{} : Status(written.error());
}

// Peak resident bytes of a process that does the work, -1 when it failed.
int64_t peakOf(const std::function<bool()>& work) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work() ? 0 : 1);
    int status = 0;
    rusage usage{};
    if (child < 0 || ::wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return -1;
    return int64_t{usage.ru_maxrss} * 1024;
}

} // namespace

class ExportMemoryTest : public QObject {
    Q_OBJECT
    test::TempDir m_temp;
    fs::path model(const QString& kind) {
        const fs::path dir = m_temp.path() / kind.toStdString();
        if (fs::exists(dir)) return dir;
        for (const auto& entry : fs::directory_iterator(m_temp.path())) fs::remove_all(entry.path()); // one at a time on the disk
        const bool linears = kind == QStringLiteral("linears");
        if (const auto written = writeModel(dir, linears ? 2048 : 200'000, linears ? 100'000 : 1024, kind == QStringLiteral("codes"));
            !written)
            qFatal("%s", written.error().message.c_str());
        return dir;
    }

private Q_SLOTS:
    void initTestCase() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        QSKIP("sanitizers keep freed memory");
#endif
    }
    // The measure sees a tensor that is held as a whole.
    void aWholeTensorIsSeen() {
        const fs::path dir = model(QStringLiteral("plain"));
        const int64_t peak = peakOf([&] {
            const auto source = checkpoint::Checkpoint::open(dir);
            std::vector<char> whole(200'000 * kHidden * 2);
            return source.ok() && source->readAs("model.embed_tokens.weight", records::DType::BF16, whole.data()).ok();
        });
        QVERIFY2(peak > 200'000 * kHidden * 2, qPrintable(QString::number(peak)));
    }

    void noTensorIsHeldAsAWhole_data() {
        QTest::addColumn<QString>("kind"); // plain: a large embedding; codes: the same quantized; linears: large layers
        QTest::addColumn<QString>("format");
        const auto row = [](const char* kind, const char* format) {
            QTest::addRow("%s, %s", kind, format) << QString::fromLatin1(kind) << QString::fromLatin1(format);
        };
        for (const char* format : {"compressed-tensors", "gguf", "gguf-f32", "gptq", "hf", "native"}) row("plain", format);
        for (const char* format : {"compressed-tensors", "gguf", "hf", "native"}) row("codes", format);
        for (const char* format : {"compressed-tensors", "gguf", "gptq"}) row("linears", format);
    }
    void noTensorIsHeldAsAWhole() {
        QFETCH(QString, kind);
        QFETCH(QString, format);
        const fs::path dir = model(kind), out = m_temp.path() / "out";
        const int64_t largest = (kind == QStringLiteral("linears") ? 100'000 : 200'000) * kHidden * 2; // in T
        const int64_t peak = peakOf([&] {
            const auto source = checkpoint::Checkpoint::open(dir);
            if (!source) return false;
            const auto done = formats::exportModel(
                **formats::findFormat(format.toStdString()), *source, {out}, [](uint64_t, uint64_t) { return true; }, test::equalLogits);
            if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
            return done.ok() && done->sheet.different <= done->verdict.inexact;
        });
        fs::remove_all(out);
        const QString figures = QStringLiteral("peak %1 MB, largest tensor %2 MB").arg(peak / kMegabyte).arg(largest / kMegabyte);
        qInfo("%s", qPrintable(figures));
        QVERIFY2(peak > 0 && peak <= largest * 6 / 5 + 200 * kMegabyte, qPrintable(figures)); // the page's limit
        QVERIFY2(peak <= 120 * kMegabyte, qPrintable(figures));                               // and that it does not grow with the tensor
    }
};

QTEST_GUILESS_MAIN(ExportMemoryTest)
#include "tst_export_memory.moc"
