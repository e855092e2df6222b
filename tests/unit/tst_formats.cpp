// SPDX-License-Identifier: GPL-3.0-or-later
// What: exports: verdicts, the page's worked words, nothing half-written after faults, damage named by layer (export.md 1, 4.3, 7).
#include "formats/format.h"
#include "formats/sheet.h"

#include "config/recipe_file.h"
#include "expect.h"
#include "quantized_model.h"

#include <array>
#include <csignal>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace qw;
using formats::Fidelity;
namespace fs = std::filesystem;

namespace {

const formats::Format& format(const char* name) { return **formats::findFormat(name); }
bool always(uint64_t, uint64_t) { return true; }

// The only folder that a test leaves is what it asked for.
std::vector<std::string> namesIn(const fs::path& dir) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir)) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

uint32_t wordAt(const fs::path& folder, const std::string& tensor, uint64_t index) {
    const auto file = checkpoint::TensorFile::open(folder / "model.safetensors");
    uint32_t word = 0;
    if (!file->read(*file->find(tensor), &word, index * 4, 4)) return 0;
    return word;
}

// A writer that makes a mistake of one bit in a tensor of this name.
const std::string kLayer = "model.layers.1.mlp.up_proj";
template<int which> Status writeDamaged(const checkpoint::Checkpoint& source, const fs::path& dir, const formats::Progress& progress) {
    constexpr std::array kPlaces{std::pair{"compressed-tensors", ".weight_packed"},
                                 std::pair{"compressed-tensors", ".weight_scale"},
                                 std::pair{"compressed-tensors", ".weight_zero_point"},
                                 std::pair{"gptq", ".qweight"},
                                 std::pair{"gptq", ".scales"},
                                 std::pair{"gptq", ".qzeros"}};
    QW_CHECK(format(kPlaces[which].first).write(source, dir, progress));
    test::flipBit(dir, kLayer + kPlaces[which].second, which == 4 ? 1 : 0); // the last bits of an fp16 scale vanish in bf16
    return {};
}

} // namespace

class FormatsTest : public QObject {
    Q_OBJECT
    test::TempFolders m_folders;

private Q_SLOTS:
    void everyFormatHasAName() {
        std::set<std::string> names;
        for (const formats::Format* f : formats::formats()) {
            QVERIFY(names.insert(f->name).second);
            QVERIFY(*f->title && *f->about);
            const std::string recipe =
                "recipe: 1\nname: x\nmodel: {path: /m}\nexport: [{scheme: all, format: " + std::string(f->name) + "}]\n";
            const auto parsed = config::parseRecipe(recipe, "recipe.yaml");
            if (!f->write) { // in the list to say what to take instead
                QVERIFY(!parsed.ok());
                continue;
            }
            OK(parsed);
            QCOMPARE(parsed->exports.front().format, std::string(f->name));
        }
        const auto unknown = formats::findFormat("zip");
        QVERIFY(!unknown.ok());
        QVERIFY(unknown.error().hint.find("compressed-tensors") != std::string::npos);
    }

    void verdicts_data() {
        QTest::addColumn<int>("bits");
        QTest::addColumn<int>("group");
        QTest::addColumn<bool>("asymmetric");
        QTest::addColumn<int>("activation"); // bits; 0: none
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("fidelity");
        const int exact = int(Fidelity::Exact), no = int(Fidelity::Unsupported);
        QTest::newRow("int4 group") << 4 << 32 << false << 0 << "compressed-tensors" << exact;
        QTest::newRow("int4 channel") << 4 << 0 << false << 0 << "compressed-tensors" << exact;
        QTest::newRow("int4 zero points") << 4 << 32 << true << 0 << "compressed-tensors" << exact;
        QTest::newRow("int8 zero points") << 8 << 32 << true << 0 << "compressed-tensors" << no;
        QTest::newRow("w8a8") << 8 << 0 << false << 8 << "compressed-tensors" << exact;
        QTest::newRow("w4a8") << 4 << 32 << false << 8 << "compressed-tensors-w4a8" << exact;
        QTest::newRow("w4a8 of w4a16") << 4 << 32 << false << 0 << "compressed-tensors-w4a8" << no;
        QTest::newRow("w4a8 bytes, zero points") << 4 << 32 << true << 8 << "compressed-tensors-w4a8-int8" << no;
        QTest::newRow("gptq") << 4 << 32 << false << 0 << "gptq" << exact;
        QTest::newRow("gptq 3 bits") << 3 << 32 << false << 0 << "gptq" << no;
        QTest::newRow("gptq zero points") << 4 << 32 << true << 0 << "gptq" << no;
        QTest::newRow("hf") << 4 << 32 << true << 8 << "hf" << exact;
        QTest::newRow("hf latent") << 4 << 32 << false << 0 << "hf-latent" << no;
        QTest::newRow("awq") << 4 << 32 << false << 0 << "awq" << no;
        QTest::newRow("torchao") << 4 << 32 << false << 0 << "torchao" << no;
        QTest::newRow("native") << 2 << 32 << true << 8 << "native" << exact;
    }
    void verdicts() {
        QFETCH(int, bits);
        QFETCH(int, group);
        QFETCH(bool, asymmetric);
        QFETCH(int, activation);
        QFETCH(QString, name);
        QFETCH(int, fidelity);
        auto block = test::weightScheme(bits, group, asymmetric ? records::Mapping::Asymmetric : records::Mapping::Symmetric);
        if (activation > 0) {
            block.activation = records::QuantBlock{};
            block.activation->bits = activation;
            block.activation->granularity = records::Granularity::PerToken;
            block.activation->mapping = records::Mapping::Asymmetric;
        }
        const fs::path dir = m_folders.fresh(), out = m_folders.fresh() / "out";
        OK(test::writeQuantized(dir, block));
        const auto source = checkpoint::Checkpoint::open(dir);
        OK(source);
        const formats::Format& chosen = format(qPrintable(name));
        const auto verdict = chosen.check(*source);
        OK(verdict);
        QCOMPARE(int(verdict->fidelity), fidelity);
        QVERIFY(!verdict->why.empty());
        const auto exported = formats::exportModel(chosen, *source, {out}, always, test::equalLogits);
        QCOMPARE(exported.ok(), verdict->fidelity != Fidelity::Unsupported);
        if (!exported) {
            QCOMPARE(exported.error().code, std::string("usage"));
            QVERIFY(!fs::exists(out));
            return;
        }
        QCOMPARE(exported->sheet.different, int64_t{0});
        QCOMPARE(exported->sheet.equal, exported->sheet.tensors);
        QVERIFY(exported->bytes >= verdict->bytes && exported->bytes < verdict->bytes + 16384);
    }

    void aPlainModelHasNoCodes() {
        const fs::path dir = m_folders.fresh();
        const std::string config = test::tinyConfig("llama");
        OK(test::writeTinyModel(dir, config, test::tinyTensors(config, false, "BF16")));
        const auto source = checkpoint::Checkpoint::open(dir);
        OK(source);
        for (const char* name : {"compressed-tensors", "gptq", "native"})
            QCOMPARE(format(name).check(*source)->fidelity, Fidelity::Unsupported);
        for (const char* name : {"hf", "hf-latent"}) QCOMPARE(format(name).check(*source)->fidelity, Fidelity::Exact);
    }

    // export.md 4.3 and 7: the page's words.
    void workedWords() {
        const fs::path dir = m_folders.fresh();
        const std::vector<int8_t> row{-8, -7, -1, 0, 1, 2, 6, 7};
        OK(test::writeQuantized(dir, test::weightScheme(4, 32), "BF16", [&](test::TinyCodes& m) {
            if (m.module != kLayer) return;
            std::ranges::copy(row, m.codes.begin());
        }));
        const auto source = checkpoint::Checkpoint::open(dir);
        OK(source);
        OK(formats::exportModel(format("compressed-tensors"), *source, {dir / "ct"}, always, test::equalLogits));
        QCOMPARE(wordAt(dir / "ct", kLayer + ".weight_packed", 0), 0xFEA98710u);
        OK(formats::exportModel(format("gptq"), *source, {dir / "gptq"}, always, test::equalLogits));
        QCOMPARE(wordAt(dir / "gptq", kLayer + ".qweight", 0), 0xFEA98710u); // [0, 0]: the same eight codes down the first output
        QCOMPARE(wordAt(dir / "gptq", kLayer + ".qzeros", 0), 0x77777777u);
    }
    void workedZeroPoints() {
        const fs::path dir = m_folders.fresh();
        const int32_t first[] = {-8, -3, 0, 2, 7, -5, 4, 1}, second[] = {-1, 0, 1, -2, 3, -8, 6, -4};
        OK(test::writeQuantized(dir, test::weightScheme(4, 32, records::Mapping::Asymmetric), "BF16", [&](test::TinyCodes& m) {
            auto* zero = reinterpret_cast<int32_t*>(m.zero.data());
            for (int r = 0; m.module == kLayer && r < 8; ++r) {
                zero[2 * r] = first[r];
                zero[2 * r + 1] = second[r];
            }
        }));
        const auto source = checkpoint::Checkpoint::open(dir);
        OK(source);
        OK(formats::exportModel(format("compressed-tensors"), *source, {dir / "ct"}, always, test::equalLogits));
        QCOMPARE(wordAt(dir / "ct", kLayer + ".weight_zero_point", 0), 0x9C3FA850u);
        QCOMPARE(wordAt(dir / "ct", kLayer + ".weight_zero_point", 1), 0x4E0B6987u);
    }

    void damageIsNamed() {
        for (const bool zeros : {false, true}) {
            const fs::path dir = m_folders.fresh();
            OK(test::writeQuantized(dir, test::weightScheme(4, 32, zeros ? records::Mapping::Asymmetric : records::Mapping::Symmetric)));
            const auto source = checkpoint::Checkpoint::open(dir);
            OK(source);
            const auto symmetric = {writeDamaged<0>, writeDamaged<1>, writeDamaged<3>, writeDamaged<4>, writeDamaged<5>};
            const auto asymmetric = {writeDamaged<0>, writeDamaged<1>, writeDamaged<2>};
            for (const auto write : zeros ? asymmetric : symmetric) {
                const formats::Format damaged{"damaged", "", "", false, format("native").check, write};
                const auto refused = formats::exportModel(damaged, *source, {dir / "out"}, always, test::equalLogits);
                QVERIFY(!refused.ok());
                QCOMPARE(refused.error().code, std::string("file.corrupt"));
                QVERIFY2(refused.error().message.find(kLayer) != std::string::npos, refused.error().message.c_str());
                QCOMPARE(namesIn(dir), (std::vector<std::string>{"config.json", "model.safetensors"}));
            }
        }
    }

    void faultsLeaveNothing() {
        const fs::path dir = m_folders.fresh(), work = m_folders.fresh();
        OK(test::writeQuantized(dir, test::weightScheme(4, 32)));
        const auto source = checkpoint::Checkpoint::open(dir);
        OK(source);
        const formats::Format& ct = format("compressed-tensors");
        const auto cancelled = formats::exportModel(
            ct, *source, {work / "out"}, [](uint64_t done, uint64_t total) { return done < total / 2; }, test::equalLogits);
        QCOMPARE(cancelled.error().code, std::string("engine.cancelled"));
        QVERIFY(namesIn(work).empty());

        test::writeText(work / "full" / "mine.txt", "keep");
        QCOMPARE(formats::exportModel(ct, *source, {work / "full"}, always, test::equalLogits).error().code, std::string("file.unsafe"));
        QCOMPARE(namesIn(work / "full"), std::vector<std::string>{"mine.txt"});
        const auto foreign = formats::exportModel(ct, *source, {work / "full", true}, always, test::equalLogits);
        QCOMPARE(foreign.error().code, std::string("file.unsafe"));
        QVERIFY2(foreign.error().message.find((work / "full").string()) != std::string::npos, foreign.error().message.c_str());
        QCOMPARE(namesIn(work / "full"), std::vector<std::string>{"mine.txt"});
        const auto itself = formats::exportModel(ct, *source, {dir, true}, always, test::equalLogits);
        QCOMPARE(itself.error().code, std::string("file.unsafe"));
        QCOMPARE(formats::exportModel(ct, *source, {dir / "config.json"}, always, test::equalLogits).error().code,
                 std::string("file.unsafe"));
        QVERIFY(!formats::exportModel(ct, *source, {"/proc/self/out"}, always, test::equalLogits).ok()); // even root cannot write there
        QCOMPARE(namesIn(work), std::vector<std::string>{"full"});
    }

    // The logits are compared before the folder is in sight: a cancel there leaves what was there before.
    void aCancelWhileLogitsAreComparedLeavesNothing() {
        const fs::path dir = m_folders.fresh(), work = m_folders.fresh();
        OK(test::writeQuantized(dir, test::weightScheme(4, 32)));
        const auto source = checkpoint::Checkpoint::open(dir);
        OK(source);
        fs::path seen;
        const auto cancel = [&](const fs::path& written) -> Result<formats::LogitsCheck> {
            seen = written;
            if (!checkpoint::Checkpoint::open(written)) qFatal("the folder is not complete yet");
            return Error{"engine.cancelled", "stopped on request", "", "", true};
        };
        const formats::Format& ct = format("compressed-tensors");
        QCOMPARE(formats::exportModel(ct, *source, {work / "out"}, always, cancel).error().code, std::string("engine.cancelled"));
        QVERIFY(seen != work / "out" && !fs::exists(seen));
        QVERIFY(namesIn(work).empty());

        OK(formats::exportModel(format("gptq"), *source, {work / "out"}, always, test::equalLogits));
        const std::string before = *checkpoint::Checkpoint::open(work / "out")->fingerprint();
        QCOMPARE(formats::exportModel(ct, *source, {work / "out", true}, always, cancel).error().code, std::string("engine.cancelled"));
        QCOMPARE(namesIn(work), std::vector<std::string>{"out"});
        QCOMPARE(*checkpoint::Checkpoint::open(work / "out")->fingerprint(), before);
        OK(formats::exportModel(ct, *source, {work / "out", true}, always, test::equalLogits));
        QCOMPARE(checkpoint::Checkpoint::open(work / "out")->format(), std::string("compressed-tensors"));
    }

    void aFullDiskIsSaid() {
        const fs::path dir = m_folders.fresh(), work = m_folders.fresh();
        OK(test::writeQuantized(dir, test::weightScheme(4, 32)));
        const auto source = checkpoint::Checkpoint::open(dir);
        OK(source);
        rlimit before{};
        ::getrlimit(RLIMIT_FSIZE, &before);
        const rlimit small{20'000, before.rlim_max};
        std::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &small);
        const auto refused = formats::exportModel(format("compressed-tensors"), *source, {work / "out"}, always, test::equalLogits);
        ::setrlimit(RLIMIT_FSIZE, &before);
        QVERIFY(!refused.ok());
        QCOMPARE(refused.error().code, std::string("disk.full"));
        QVERIFY(namesIn(work).empty());
    }

    void aKilledExportIsCleanedUp() {
        const fs::path dir = m_folders.fresh(), work = m_folders.fresh();
        OK(test::writeQuantized(dir, test::weightScheme(4, 32)));
        const auto source = checkpoint::Checkpoint::open(dir);
        OK(source);
        const pid_t child = ::fork();
        if (child == 0) {
            (void)formats::exportModel(
                format("gptq"), *source, {work / "out"},
                [](uint64_t done, uint64_t total) {
                    if (done > total / 2) ::raise(SIGKILL);
                    return true;
                },
                test::equalLogits);
            ::_exit(0);
        }
        int status = 0;
        QCOMPARE(::waitpid(child, &status, 0), child);
        QVERIFY(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        QVERIFY(!fs::exists(work / "out"));
        QCOMPARE(namesIn(work).size(), size_t{1}); // what the killed one left, under another name
        OK(formats::exportModel(format("gptq"), *source, {work / "out"}, always, test::equalLogits));
        QCOMPARE(namesIn(work), std::vector<std::string>{"out"});
    }

    void scalesThatAreRoundedAreCounted() {
        const fs::path dir = m_folders.fresh();
        auto block = test::weightScheme(4, 32);
        block.weight->scaleDtype = records::ScaleDtype::Float32;
        OK(test::writeQuantized(dir, block, "BF16", [&](test::TinyCodes& m) {
            if (m.module != kLayer) return;
            reinterpret_cast<float*>(m.scale.data())[3] = 0.1f; // no bf16 number
        }));
        const auto source = checkpoint::Checkpoint::open(dir);
        OK(source);
        const auto exported = formats::exportModel(format("compressed-tensors"), *source, {dir / "ct"}, always, test::equalLogits);
        OK(exported);
        QCOMPARE(exported->verdict.fidelity, Fidelity::NearExact);
        QCOMPARE(exported->verdict.inexact, int64_t{1});
        QVERIFY(exported->sheet.different <= 1);
        const auto sheet = formats::sheetOf(format("compressed-tensors"), *exported, dir / "ct");
        QVERIFY(sheet.verified);
        QVERIFY(sheet.json.find("1 of ") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(FormatsTest)
#include "tst_formats.moc"
