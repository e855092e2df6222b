// SPDX-License-Identifier: GPL-3.0-or-later
// What: the shipped sample study as a project in which all members but the last are done; real folders and logs, values by formula.
// Why here: pages show a study as a user has it, and no engine has to train for that.
#pragma once

#include "config/recipe_file.h"
#include "store_fixture.h"
#include "study/study_file.h"

#include <cmath>
#include <optional>

namespace qw::test {

class SampleStudy {
public:
    static constexpr int64_t kSteps = 150, kTrainedSoFar = 87;
    static constexpr int kItems = 400, kDocuments = 40;

    // What became of the last member; beside a killed one a row was measured on another task file, so that it cannot be compared.
    enum class Last : uint8_t { Training, Killed };

    SampleStudy(const std::filesystem::path& project, Last last) {
        auto store = *store::Store::open(project);
        const std::filesystem::path file = std::filesystem::path(QW_SOURCE_DIR) / "resources/sample/study.yaml";
        const auto recipe = *config::loadRecipe(file);
        auto study = *study::makeStudy(recipe.recipe, recipe.text, {});
        const auto info = *store.createStudy(study.name);
        if (!study::writeStudy(study, info.uid, info.dir, info.createdMs)) qFatal("the study cannot be written");
        for (size_t i = 0; i < study.rows.size(); ++i) {
            study::Row& row = study.rows[i];
            const bool open = i + 1 == study.rows.size();
            m_otherFile = last == Last::Killed && row.member.run.scheme == "int3-g32" && row.member.run.role == Role::Qat;
            row.runUid = writeMember(project, row.member, open ? std::optional(last) : std::nullopt);
            if (!store.putStudyRow({study.uid, row.member.run.role, row.member.run.scheme, row.member.run.method, row.member.run.block,
                                    row.member.run.seed, row.runUid}))
                qFatal("a row cannot be written");
        }
        if (!study::saveStudy(study)) qFatal("the study cannot be saved");
        m_uid = study.uid;
        if (last == Last::Training) m_driver.emplace(*wire::LockFile::take(study.dir / "study.lock"));
    }
    [[nodiscard]] const std::string& uid() const { return m_uid; }
    [[nodiscard]] const std::string& lastRun() const { return m_lastRun; }

private:
    using Role = records::RowRole;

    // How much a row loses: grows as bits shrink, QAT wins most of it back.
    static double damage(const study::Member& member) {
        const auto& run = member.run;
        if (run.scheme.empty()) return 0;
        const double ptq = run.scheme == "8da4w" ? 0.05 : run.scheme == "int3-g32" ? 0.14 : run.scheme == "int3-channel" ? 0.31 : 0.62;
        return run.role == Role::Ptq ? ptq : ptq * 0.2;
    }
    static double bits(const study::Member& member) {
        const std::string& s = member.run.scheme;
        return s == "8da4w" ? 5 : s == "int3-g32" ? 4 : s == "int3-channel" ? 3.4166666666666665 : 3;
    }
    static std::vector<records::LayerInfo> layers(double bits) {
        std::vector<records::LayerInfo> all;
        for (int i = 0; i < 3; ++i)
            for (const char* name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj",
                                     "mlp.up_proj", "mlp.down_proj"})
                all.push_back({"model.layers." + std::to_string(i) + "." + name, 64, 192, "int3 g32 sym", "", bits});
        all.push_back({"lm_head", 1056, 64, "", "the embedding of the same weights is not quantized", 32});
        return all;
    }
    [[nodiscard]] records::EvalResult tellResult(const wire::RunFolder& folder, bool choices, double lost, bool quantized) const {
        records::EvalResult result;
        result.uid = newUlid();
        result.task = choices ? "people" : "pages";
        result.kind = choices ? "hellaswag" : "wikitext";
        result.taskVersion = choices ? "1.0" : "2.0";
        result.variant = quantized ? "quantized" : "float";
        result.n = choices ? kItems : kDocuments;
        result.taskDigest = (m_otherFile ? "other digest of " : "digest of ") + result.task;
        result.settings = "{\"bos\":\"auto\"}";
        result.settingsHash = "settings";
        result.tokensPerSecond = 161600;
        result.createdMs = 1767225600000;
        result.itemsPath = "eval/" + result.uid + ".jsonl";
        std::filesystem::create_directories(folder.eval());
        std::ofstream items(folder.dir / result.itemsPath);
        if (choices) {
            const int right = static_cast<int>(std::lround(kItems * 0.94 * (1 - lost)));
            for (int i = 0; i < kItems; ++i) {
                const int hit = (i * 7919) % kItems < right ? 1 : 0;
                items << wire::toJson(records::EvalItem{i, hit ? std::vector<double>{-1, -2, -4, -5} : std::vector<double>{-2, -1, -4, -5},
                                                        hit, hit, 0, 0, 3})
                      << '\n';
            }
            const double acc = double(right) / kItems, error = std::sqrt(acc * (1 - acc) / (kItems - 1));
            result.metrics = {{"acc", acc, error}, {"acc_norm", acc, error}};
        } else {
            double nll = 0;
            for (int i = 0; i < kDocuments; ++i) {
                const double perWord = 1.4 + 0.02 * (i % 7) + 2 * lost;
                nll += 100 * perWord;
                items << wire::toJson(records::EvalItem{i, {-100 * perWord}, -1, -1, 100, 520, 140}) << '\n';
            }
            const double words = 100.0 * kDocuments, bytes = 520.0 * kDocuments;
            result.metrics = {{"word_perplexity", std::exp(nll / words), {}},
                              {"byte_perplexity", std::exp(nll / bytes), {}},
                              {"bits_per_byte", nll / bytes / std::log(2.0), {}}};
        }
        return result;
    }
    static void tellTraining(wire::EventLogWriter& log, const study::Member& member, int64_t steps) {
        const double lost = damage(member);
        for (int64_t s = 1; s <= steps; ++s) {
            const auto x = static_cast<double>(s);
            append(log, wire::Metrics{s,
                                      {{"train.loss", 0.64 + lost + 1.2 / (1 + 0.15 * x) + 0.04 * std::sin(1.7 * x)},
                                       {"train.lr", 2e-3 * 0.5 * (1 + std::cos(3.14159 * x / kSteps))},
                                       {"train.grad_norm", 0.7 + 0.2 * std::cos(x)},
                                       {"train.fake_quant", member.run.role == Role::Qat ? 1.0 : 0.0},
                                       {"perf.tokens_per_s", 52000 + 900 * std::sin(x)},
                                       {"time.total", 157}},
                                      0,
                                      {}});
            if (s % 50 == 0) append(log, wire::Metrics{s, {{"eval.loss", 0.66 + lost + 1.0 / (1 + 0.15 * x)}}, 0, {}});
            if (s % 10 == 0 && member.run.role == Role::Qat)
                for (const auto& layer : layers(bits(member)))
                    if (layer.skipReason.empty())
                        append(log, wire::LayerStats{s,
                                                     layer.name,
                                                     {{"w_sqnr", 14 + 3 * std::log(x) + double(layer.name.size() % 5)},
                                                      {"clip_frac", 0.002},
                                                      {"flip_rate", 0.03 / x}},
                                                     0,
                                                     {}});
        }
        append(log, wire::Progress{"train", "steps", steps, kSteps, 0.157 * double(kSteps - steps)});
    }

    std::string writeMember(const std::filesystem::path& project, const study::Member& member, std::optional<Last> last) {
        records::RunIdentity identity = member.run;
        const wire::RunFolder folder = *wire::createRunFolder(project, identity);
        std::ofstream(folder.resolvedConfig()) << config::writeRecipe(member.recipe);
        if (last == Last::Training) m_lock.emplace(*wire::takeRunLock(folder)); // an engine seems to be at work
        auto log = *wire::EventLogWriter::open(folder.events());
        const bool quantized = !identity.scheme.empty(), trained = identity.role == Role::FloatTrained || identity.role == Role::Qat;
        append(log, wire::Attempt{1, "host", "cpu", "2.11.0", "build", 77, 0, 2, true});
        wire::ModelFacts facts;
        facts.path = identity.modelPath;
        facts.arch = "llama";
        facts.fingerprint = "f00d";
        facts.dtype = facts.exportDtype = "float32";
        facts.parameters = 215488;
        facts.bytes = 861952;
        facts.quantizedBytes = quantized ? static_cast<int64_t>(290000 + 15000 * bits(member)) : 0;
        facts.bitsPerWeight = quantized ? bits(member) : 0;
        facts.totalSteps = trained ? kSteps : 0;
        if (quantized) facts.layers = layers(bits(member));
        append(log, facts);
        append(log, wire::StateChange{records::RunState::Running, trained ? "train" : "eval", {}});
        append(log, wire::LogLine{1, "the model has 215488 weights in 21 matrices", 0});
        if (trained) tellTraining(log, member, last ? kTrainedSoFar : kSteps);
        if (trained) append(log, wire::CheckpointSaved{75, 2586000, "checkpoints/step_75", false});
        if (last) {
            append(log, wire::LogLine{2, "step 80 took 1.4 s, the ones before 0.2 s", 0});
            m_lastRun = identity.uid;
            return identity.uid;
        }
        for (const bool choices : {true, false}) append(log, wire::EvalDone{tellResult(folder, choices, damage(member), quantized)});
        if (quantized) append(log, wire::Artifact{"native", "exports/native", "abc", "{}", facts.quantizedBytes, -1});
        if (trained) append(log, wire::Artifact{"model", "model", "abc", "{}", facts.bytes, kSteps});
        append(log, wire::StateChange{records::RunState::Completed, {}, {}});
        append(log, wire::Bye{0, "done"});
        return identity.uid;
    }

    std::string m_uid, m_lastRun;
    bool m_otherFile = false;                      // the row that is being written
    std::optional<wire::RunLock> m_lock, m_driver; // of an engine and a supervisor
};

} // namespace qw::test
