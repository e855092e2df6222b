// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/fields.h"

#include "config/presets.h"

namespace qw::config {

using namespace records;

namespace {

void dataSource(Fields& f, DataSource& s) {
    f.path("path", s.path);
    f.choice("format", s.format, {"text", "jsonl_text"}, {"instruct", "chat", "daring_anteater", "tokens"});
    f.text("column", s.column);
    f.choice("document", s.document, {"file", "line"});
    f.pair("split_range", s.splitRange, 0, 1);
    if (!f.writing() && s.splitRange[0] >= s.splitRange[1]) f.problem("split_range", "the first share must be below the second");
    f.integer("max_samples", s.maxSamples, 0);
    f.neutral("weight", {"1", "1.0"});
}

void sources(Fields& f, const char* key, std::vector<DataSource>& v) {
    f.list(
        key, v.size(), [&](size_t n) { v.assign(n, {}); }, [&](Fields& item, size_t i) { dataSource(item, v[i]); });
}

void data(Fields& f, DataBlock& b) {
    sources(f, "train", b.train);
    sources(f, "eval", b.eval);
    f.integer("seq_len", b.seqLen, 2, int64_t{1} << 22);
    f.choice("packing", b.packing, {"none", "greedy", "bfd"});
    f.choice("excess", b.excess, {"split", "truncate", "drop", "error"});
    f.flag("add_bos", b.addBos);
    f.flag("add_eos", b.addEos);
    f.flag("match_specials", b.matchSpecials);
    f.flag("document_mask", b.documentMask);
    f.flag("shuffle", b.shuffle);
    f.flag("drop_last", b.dropLast);
    f.integer("pad_multiple", b.padMultiple, 1, 4096);
    f.integer("pack_window", b.packWindow, 1);
    f.real("max_bad", b.maxBad, 0, 1);
    f.neutral("mix", {"concat"});
    f.neutral("train_on", {"all"});
    f.neutral("pad_to_seq_len", {"false"});
    f.neutral("eval_fraction", {"0", "null"});
}

void evaluation(Fields& f, EvalBlock& b) {
    f.real("every", b.every, 0);
    f.integer("batch", b.batch, 0);
    f.choice("bos", b.bos, {"auto", "on", "off"});
    f.autoInteger("max_length", b.maxLength);
    f.choice("dtype", b.dtype, {"auto", "fp32", "bf16"});
    f.autoInteger("batch_tokens", b.batchTokens);
    f.neutral("tasks_every", {"0"});
    const auto one = [&](Fields& item, size_t i) {
        EvalTask& task = b.tasks[i];
        item.text("name", task.name);
        item.path("path", task.path);
        item.real("limit", task.limit, 0);
        const bool known = task.name == "hellaswag" || task.name == "wikitext";
        if (!item.writing() && task.name.empty()) item.problem("name", "is missing: every task has a name");
        if (task.mode.empty() && known) task.mode = task.name;
        if (!item.writing() && !known && !item.given("mode") && !task.name.empty())
            item.problem("mode", "is missing: task '" + task.name + "' must say hellaswag, wikitext, plain or jsonl");
        item.choice("mode", task.mode, {"hellaswag", "wikitext", "plain", "jsonl"});
        item.neutral("fewshot", {"0"});
    };
    f.list(
        "tasks", b.tasks.size(), [&](size_t n) { b.tasks.assign(n, {}); }, one);
}

void checkpoint(Fields& f, CheckpointBlock& b) {
    f.real("every", b.every, 0);
    f.integer("keep", b.keep, 1, 100000);
    f.flag("at_end", b.atEnd);
    f.flag("at_first_step", b.atFirstStep);
    f.flag("weights_only", b.weightsOnly);
    f.group("best", [&](Fields& g) {
        g.text("metric", b.bestMetric);
        g.choice("mode", b.bestMode, {"min", "max"});
        g.flag("load_at_end", b.loadBestAtEnd);
    });
    f.choice("on_disk_full", b.onDiskFull, {"pause", "continue", "stop"});
    f.neutral("resume", {"auto"});
    f.neutral("async", {"false"});
    f.neutral("adapter_only", {"false"});
}

void qatBlocks(Fields& f, QatBlock& b) {
    const auto block = [&](const char* key, std::optional<QuantBlock>& slot, Role role) {
        if (f.writing() && !slot) {
            // Without a preset a missing block is the default; with one it must be taken away again.
            if (!b.preset.empty()) f.null(key);
            return;
        }
        if (f.isNull(key)) slot.reset();
        if (!f.given(key) || f.isNull(key)) return;
        const bool fresh = !slot;
        QuantBlock value = slot.value_or(QuantBlock{});
        f.group(key, [&](Fields& g) { describe(g, value, role, fresh); });
        slot = value;
    };
    block("weight", b.weight, Role::Weight);
    block("activation", b.activation, Role::Activation);
    block("embedding", b.embedding, Role::Embedding);
}

const char* granularityName(Granularity g) {
    switch (g) {
    case Granularity::PerTensor:
        return "per_tensor";
    case Granularity::PerChannel:
        return "per_channel";
    case Granularity::PerGroup:
        return "per_group";
    case Granularity::PerToken:
        break;
    }
    return "per_token";
}

void granularity(Fields& f, QuantBlock& b, Role role, bool fresh) {
    std::string word = granularityName(b.granularity);
    f.choice("granularity", word, {"per_group", "per_channel", "per_row", "per_token", "per_tensor"});
    const bool named = f.given("granularity") && !f.isNull("granularity");
    const bool grouped = f.given("group_size") && !f.isNull("group_size");
    if (!f.writing() && fresh && !named && !grouped && b.format != Format::Int4Zp) {
        if (role == Role::Activation)
            word = "per_token";
        else if (b.format == Format::Int8)
            word = "per_row";
        else
            f.problem("granularity", "is missing: say per_channel, or give a group_size");
    }
    if (word == "per_row") word = role == Role::Activation ? "per_token" : "per_channel";
    if (!f.writing() && grouped) {
        if (named && word != "per_group") f.problem("group_size", "conflicts with granularity " + word);
        word = "per_group";
    }
    b.granularity = word == "per_group"     ? Granularity::PerGroup
                    : word == "per_channel" ? Granularity::PerChannel
                    : word == "per_token"   ? Granularity::PerToken
                                            : Granularity::PerTensor;
    if (b.granularity == Granularity::PerGroup)
        f.integer("group_size", b.groupSize, 1, int64_t{1} << 20);
    else
        b.groupSize = QuantBlock{}.groupSize;
}

void crossChecks(Fields& f, const QuantBlock& b, Role role) {
    const bool activation = role == Role::Activation;
    if (!b.isSigned && b.mapping != Mapping::Asymmetric)
        f.problem("dtype", "an unsigned type needs mapping asymmetric: negative weights would vanish");
    if (activation && b.granularity != Granularity::PerToken && b.granularity != Granularity::PerTensor)
        f.problem("granularity", "activations are quantized per_token");
    if (!activation && b.granularity == Granularity::PerToken)
        f.problem("granularity", "per_token is for activations; weights have per_channel or a group_size");
    if (activation && b.format == Format::Intx && b.mapping != Mapping::Asymmetric)
        f.problem("mapping", "per-token intx activations are asymmetric; for symmetric ones use format int8");
    if (activation && b.format == Format::Int4Zp) f.problem("format", "int4_zp is for weights");
    if (activation && b.zeroDomain == ZeroDomain::Float) f.problem("zero_point_domain", "float is for weights");
    if (b.zeroDomain == ZeroDomain::None) f.problem("zero_point_domain", "none is an error in every family; use int or float");
    if (b.format == Format::Intx && b.zeroDomain == ZeroDomain::Float && (b.mapping != Mapping::Asymmetric || b.isSigned))
        f.problem("zero_point_domain", "float needs an unsigned dtype and mapping asymmetric");
    if (b.format == Format::Int8 && b.bits != 8) f.problem("dtype", "format int8 has dtype int8");
    if (b.reduceRange && b.format != Format::Int8) f.problem("reduce_range", "is for format int8");
}

} // namespace

void describe(Fields& f, QuantBlock& b, Role role, bool fresh) {
    std::string format = b.format == Format::Int4Zp ? "int4_zp" : b.format == Format::Int8 ? "int8" : "intx";
    f.choice("format", format, {"intx", "int4_zp", "int8"}, {"int4_fp8", "mx", "nvfp4", "float8"});
    const Format wanted = format == "int4_zp" ? Format::Int4Zp : format == "int8" ? Format::Int8 : Format::Intx;
    const bool changed = wanted != b.format;
    if (changed) b = QuantBlock{};
    b.format = wanted;
    const bool first = (fresh || changed) && !f.writing();
    if (first && role == Role::Activation) {
        b.granularity = Granularity::PerToken;
        if (wanted == Format::Intx) b.mapping = Mapping::Asymmetric;
    }
    if (first && wanted == Format::Int4Zp) b.groupSize = 128;

    std::string dtype = (b.isSigned ? "int" : "uint") + std::to_string(b.bits);
    if (first && !f.given("dtype") && wanted == Format::Intx) f.problem("dtype", "is missing: int2 to int8, or uint2 to uint8");
    f.choice("dtype", dtype,
             {"int2", "int3", "int4", "int5", "int6", "int7", "int8", "uint2", "uint3", "uint4", "uint5", "uint6", "uint7", "uint8"},
             {"int1", "uint1", "float8_e4m3", "float8_e5m2"});
    b.isSigned = dtype[0] == 'i';
    b.bits = dtype.back() - '0';
    granularity(f, b, role, first);
    std::string mapping = b.mapping == Mapping::Symmetric    ? "symmetric"
                          : b.mapping == Mapping::Asymmetric ? "asymmetric"
                                                             : "symmetric_no_clip";
    f.choice("mapping", mapping, {"symmetric", "asymmetric", "symmetric_no_clip"});
    b.mapping = mapping == "symmetric" ? Mapping::Symmetric : mapping == "asymmetric" ? Mapping::Asymmetric : Mapping::SymmetricNoClip;
    static constexpr const char* kScale[] = {"float32", "bfloat16", "float16", "input"};
    std::string scale = kScale[static_cast<int>(b.scaleDtype)];
    f.choice("scale_dtype", scale, {"float32", "bfloat16", "float16", "input"});
    for (int i = 0; i < 4; ++i)
        if (scale == kScale[i]) b.scaleDtype = static_cast<ScaleDtype>(i);
    static constexpr const char* kDomain[] = {"int", "float", "none"};
    std::string domain = kDomain[static_cast<int>(b.zeroDomain)];
    f.choice("zero_point_domain", domain, {"int", "float", "none"});
    for (int i = 0; i < 3; ++i)
        if (domain == kDomain[i]) b.zeroDomain = static_cast<ZeroDomain>(i);
    f.real("eps", b.eps, 0, false);
    f.flag("reduce_range", b.reduceRange);
    f.neutral("zero_point_dtype", {"int32", "int8", "bfloat16", "float32", "null"});
    f.neutral("scale_update", {"dynamic"});
    if (b.format == Format::Int4Zp) { // one family, nothing to choose but the group
        if (!f.writing() && f.given("dtype") && b.bits != 4) f.problem("dtype", "int4_zp has dtype uint4");
        if (!f.writing() && f.given("mapping") && b.mapping != Mapping::Asymmetric) f.problem("mapping", "int4_zp is asymmetric");
        if (!f.writing() && b.granularity != Granularity::PerGroup) f.problem("granularity", "int4_zp has a group_size");
        b.bits = 4;
        b.isSigned = false;
        b.mapping = Mapping::Asymmetric;
        b.zeroDomain = ZeroDomain::Float;
    }
    if (!f.writing()) crossChecks(f, b, role);
}

void describe(Fields& f, QatBlock& b) {
    std::string name = b.preset;
    f.text("preset", name);
    if (!f.writing() && f.given("preset") && !f.isNull("preset")) {
        if (auto preset = schemePreset(name)) {
            b.weight = preset->weight;
            b.activation = preset->activation;
            b.embedding = preset->embedding;
            b.preset = name;
        } else {
            f.problem("preset", preset.error().message + " (" + preset.error().hint + ")");
        }
    }
    qatBlocks(f, b);
    f.group("modules", [&](Fields& g) {
        ModuleRules& m = b.modules;
        g.texts("include", m.include);
        g.texts("exclude", m.exclude);
        g.flag("lm_head", m.lmHead);
        std::string word = m.onIndivisible == OnIndivisible::Skip ? "skip" : "error";
        g.choice("on_indivisible", word, {"skip", "error"});
        m.onIndivisible = word == "skip" ? OnIndivisible::Skip : OnIndivisible::Error;
        g.neutral("embedding", {"false"});
    });
    f.integer("fake_quant_after_n_steps", b.fakeQuantAfterSteps, 0);
    std::string ste = b.ste == Ste::Clipped ? "clipped" : "identity";
    f.choice("ste", ste, {"clipped", "identity"});
    b.ste = ste == "clipped" ? Ste::Clipped : Ste::Identity;
    f.flag("qparam_grad", b.qparamGrad);
    f.flag("log_float_eval", b.logFloatEval);
    if (!f.writing()) f.group("calibration", [](Fields& g) { g.neutral("num_batches", {"0"}); });
    if (!f.writing()) f.group("convert", [](Fields& g) { g.neutral("qparam_storage", {"exact"}); });
    f.neutral("qparam_lr", {"null"});
    f.neutral("frozen_refresh_every", {"0"});
    f.neutral("oscillation", {"none"});
}

void describe(Fields& f, TrainBlock& b) {
    f.integer("max_steps", b.maxSteps, 0);
    f.real("epochs", b.epochs, 0);
    f.integer("micro_batch", b.microBatch, 1, 1 << 20);
    f.integer("grad_accum", b.gradAccum, 1, 1 << 20);
    f.choice("partial_accumulation", b.partialAccumulation, {"step", "drop"});
}

void describe(Fields& f, OptimBlock& b) {
    f.choice("name", b.name, {"adamw", "sgd"}, {"adamw8bit"});
    f.real("lr", b.lr, 0);
    f.pair("betas", b.betas, 0, 1);
    if (!f.writing() && (b.betas[0] >= 1 || b.betas[1] >= 1)) f.problem("betas", "both must be below 1");
    f.real("eps", b.eps, 0);
    f.real("weight_decay", b.weightDecay, 0);
    f.flag("amsgrad", b.amsgrad);
    f.real("momentum", b.momentum, 0);
    f.real("dampening", b.dampening, 0);
    f.flag("nesterov", b.nesterov);
    f.real("clip_norm", b.clipNorm, 0, true);
    if (!f.writing() && b.clipNorm && *b.clipNorm == 0) f.problem("clip_norm", "must be above 0; null leaves the norm out");
    f.choice("decay_rule", b.decayRule, {"hf", "all"});
    f.flag("decay_embeddings", b.decayEmbeddings);
    f.list(
        "lr_groups", b.lrGroups.size(), [&](size_t n) { b.lrGroups.assign(n, {}); },
        [&](Fields& item, size_t i) {
            item.text("pattern", b.lrGroups[i].pattern);
            item.real("lr_scale", b.lrGroups[i].lrScale, 0);
        });
    f.texts("freeze", b.freeze);
    f.neutral("in_backward", {"false"});
}

void describe(Fields& f, ScheduleBlock& b) {
    f.choice("name", b.name, {"constant", "constant_warmup", "linear", "cosine", "cosine_min", "wsd"});
    f.integer("warmup_steps", b.warmupSteps, 0);
    f.real("warmup_ratio", b.warmupRatio, 0, 1);
    f.real("cycles", b.cycles, 0);
    f.real("min_lr_ratio", b.minLrRatio, 0, 1);
    f.integer("decay_steps", b.decaySteps, 0);
    f.choice("warmup_from", b.warmupFrom, {"zero", "one"});
}

void describeScheme(Fields& f, std::string& name, QatBlock& qat, Recipe& overrides) {
    f.text("name", name);
    describe(f, qat);
    f.group("train", [&](Fields& g) { describe(g, overrides.train); });
    f.group("optim", [&](Fields& g) { describe(g, overrides.optim); });
    f.group("schedule", [&](Fields& g) { describe(g, overrides.schedule); });
}

namespace {

void describeRun(Fields& f, Recipe& r) {
    f.group("early_stop", [&](Fields& g) { g.integer("patience", r.earlyStopPatience, 0); });
    f.group("watchdog", [&](Fields& g) {
        g.real("loss_above", r.watchdog.lossAbove, 0, false);
        g.integer("patience", r.watchdog.patience, 1);
        g.choice("nonfinite", r.watchdog.nonfinite, {"skip", "rollback", "stop"});
    });
    f.group("log", [&](Fields& g) {
        g.integer("every", r.logEvery, 1);
        g.integer("layer_every", r.layerEvery, 0);
        g.flag("telemetry", r.telemetry);
    });
    f.choice("kernels", r.kernels, {"fused", "reference"});
    f.group("verdict", [&](Fields& g) {
        g.text("metric", r.verdict.metric);
        g.real("max_loss", r.verdict.maxLoss, 0);
    });
    f.list(
        "export", r.exports.size(), [&](size_t n) { r.exports.assign(n, {}); },
        [&](Fields& item, size_t i) {
            item.text("scheme", r.exports[i].scheme);
            item.choice("format", r.exports[i].format, {"native"}, {"gguf", "compressed-tensors", "torchao", "onnx", "hf", "plain"});
        });
    for (const char* key : {"lora", "distill", "distributed"}) f.neutral(key, {"null"});
}

} // namespace

void describe(Fields& f, Recipe& r) {
    f.text("name", r.name);
    f.group("model", [&](Fields& g) {
        g.path("path", r.model.path);
        g.path("config", r.model.config);
        g.path("tokenizer", r.model.tokenizer);
        std::string init = r.model.init.empty() ? "pretrained" : r.model.init;
        g.choice("init", init, {"pretrained", "random"});
        r.model.init = init == "random" ? init : "";
        g.choice("tie", r.model.tie, {"auto", "true", "false"});
    });
    f.text("device", r.device);
    f.seeds("seed", r.seeds);
    f.flag("deterministic", r.deterministic);
    f.integer("threads", r.threads, 0, 4096);
    f.group("data", [&](Fields& g) { data(g, r.data); });
    f.group("train", [&](Fields& g) { describe(g, r.train); });
    f.group("optim", [&](Fields& g) { describe(g, r.optim); });
    f.group("schedule", [&](Fields& g) { describe(g, r.schedule); });
    f.group("precision", [&](Fields& g) {
        g.choice("mode", r.precision.mode, {"fp32", "bf16_pure", "bf16_master"}, {"bf16_sr", "fp16"});
        g.choice("export_dtype", r.precision.exportDtype, {"auto", "fp32", "bf16"});
        g.choice("grad_dtype", r.precision.gradDtype, {"auto", "fp32", "bf16"});
        g.flag("tf32", r.precision.tf32);
    });
    f.group("memory", [&](Fields& g) {
        g.choice("activation_checkpointing", r.activationCheckpointing, {"none", "layer"}, {"selective"});
        g.neutral("offload_activations", {"false"});
        g.neutral("offload_optimizer", {"false"});
    });
    f.group("loss", [&](Fields& g) {
        g.choice("normalise", r.lossNormalise, {"token", "micro"});
        g.neutral("z_loss", {"0", "0.0"});
        g.neutral("label_smoothing", {"0", "0.0"});
    });
    if (f.writing() ? r.qat.has_value() : f.given("qat") && !f.isNull("qat")) {
        if (!r.qat) r.qat.emplace();
        f.group("qat", [&](Fields& g) { describe(g, *r.qat); });
    } else {
        r.qat.reset();
        f.null("qat");
    }
    f.group("baseline", [&](Fields& g) {
        g.choice("float", r.baselineFloat, {"trained", "start"});
        g.choices("ptq", r.baselinePtq, {"rtn", "mse"}, {"gptq", "awq", "smoothquant", "hqq"});
    });
    f.group("eval", [&](Fields& g) { evaluation(g, r.eval); });
    f.group("checkpoint", [&](Fields& g) { checkpoint(g, r.checkpoint); });
    describeRun(f, r);
}

} // namespace qw::config
