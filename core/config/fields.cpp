// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/fields.h"

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
    f.flag("async", b.async);
    f.group("best", [&](Fields& g) {
        g.text("metric", b.bestMetric);
        g.choice("mode", b.bestMode, {"min", "max"});
        g.flag("load_at_end", b.loadBestAtEnd);
    });
    f.choice("on_disk_full", b.onDiskFull, {"pause", "continue", "stop"});
    f.neutral("resume", {"auto"});
    f.neutral("adapter_only", {"false"});
}

} // namespace

void describe(Fields& f, TrainBlock& b) {
    f.integer("max_steps", b.maxSteps, 0);
    f.real("epochs", b.epochs, 0);
    f.integer("micro_batch", b.microBatch, 1, 1 << 20);
    f.integer("grad_accum", b.gradAccum, 1, 1 << 20);
    f.choice("partial_accumulation", b.partialAccumulation, {"step", "drop"});
    f.neutral("global_batch", {"null"});
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
    f.group("oom", [&](Fields& g) { g.flag("auto", r.oomAuto); });
    f.choice("kernels", r.kernels, {"fused", "reference"});
    f.group("verdict", [&](Fields& g) {
        g.text("metric", r.verdict.metric);
        g.real("max_loss", r.verdict.maxLoss, 0);
    });
    f.list(
        "export", r.exports.size(), [&](size_t n) { r.exports.assign(n, {}); },
        [&](Fields& item, size_t i) {
            item.text("scheme", r.exports[i].scheme);
            item.choice("format", r.exports[i].format,
                        {"native", "hf", "hf-latent", "compressed-tensors", "compressed-tensors-w4a8", "compressed-tensors-w4a8-int8",
                         "gguf", "gguf-f32", "gptq"},
                        {"torchao", "onnx", "awq"});
        });
    for (const char* key : {"lora", "distill", "distributed", "telemetry"}) f.neutral(key, {"null"});
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
