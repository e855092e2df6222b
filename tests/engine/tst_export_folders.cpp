// SPDX-License-Identifier: GPL-3.0-or-later
// What: whole folders: Hugging Face, from a native source, protected targets, folders that lie.
#include "folder_fixture.h"

using namespace qw;
using namespace qw::test;

class ExportFoldersTest : public QObject, protected ExportWorld {
    Q_OBJECT
private Q_SLOTS:
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
        const auto foreign = exporter::writeHuggingFace(decoder, from, out, DType::F32, true);
        QCOMPARE(foreign.error().code, std::string("file.unsafe"));
        QCOMPARE(filesOf(out).size(), size_t{1});
        const fs::path earlier = fresh();
        OK(exporter::writeHuggingFace(decoder, from, earlier, DType::F32, false));
        test::writeText(earlier / "left.txt", "of the earlier export");
        OK(exporter::writeHuggingFace(decoder, from, earlier, DType::F32, true));
        QVERIFY(!fs::exists(earlier / "left.txt"));
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
        const auto file = checkpoint::TensorFile::open(out / "model.safetensors");
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

QTEST_GUILESS_MAIN(ExportFoldersTest)
#include "tst_export_folders.moc"
