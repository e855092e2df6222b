// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/import_table.h"

#include <algorithm>

namespace qw::config {

namespace {

using Words = std::vector<std::pair<const char*, const char*>>;

const Words kFlag{{"true", "true"}, {"false", "false"}, {"True", "true"}, {"False", "false"}};
const Words kPacking{{"true", "greedy"}, {"false", "none"}};
const Words kCheckpointing{{"true", "layer"}, {"false", "none"}, {"unsloth", "layer"}};
const Words kBf16{{"true", "bf16_master"}, {"auto", "bf16_master"}, {"full", "bf16_pure"}, {"false", "fp32"}};
const Words kOptimizers{
    {"adamw_torch", "adamw"},       {"adamw_torch_fused", "adamw"}, {"adamw_hf", "adamw"}, {"adamw_apex_fused", "adamw"},
    {"torch.optim.AdamW", "adamw"}, {"torch.optim.SGD", "sgd"},     {"adamw", "adamw"},    {"sgd", "sgd"}};
const Words kSchedules{{"cosine", "cosine"},
                       {"linear", "linear"},
                       {"constant", "constant"},
                       {"constant_with_warmup", "constant_warmup"},
                       {"cosine_with_min_lr", "cosine_min"},
                       {"warmup_stable_decay", "wsd"},
                       {"torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup", "cosine"},
                       {"torchtune.modules.get_cosine_schedule_with_warmup", "cosine"},
                       {"torchtune.training.get_cosine_schedule_with_warmup", "cosine"}};
const Words kBestMode{{"true", "max"}, {"false", "min"}};
const Words kMasters{{"bf16", "bf16_pure"}, {"fp32", "fp32"}, {"bfloat16", "bf16_pure"}, {"float32", "fp32"}};

const char* const kProject = "not needed: runs are kept in the project";
const char* const kOneProcess = "this build trains in one process on one device";
const char* const kNoAdapters = "this build trains all weights; there are no adapters";
const char* const kHub = "a hub cannot be reached from here: download the text and name the file";

std::vector<ImportRule> training() {
    return {
        {"micro_batch_size", Import::Set, "train.micro_batch"},
        {"batch_size", Import::Set, "train.micro_batch"},
        {"per_device_train_batch_size", Import::Set, "train.micro_batch"},
        {"gradient_accumulation_steps", Import::Set, "train.grad_accum"},
        {"num_epochs", Import::Set, "train.epochs"},
        {"num_train_epochs", Import::Set, "train.epochs"},
        {"epochs", Import::Set, "train.epochs"},
        {"max_steps", Import::Set, "train.max_steps"},
        {"max_steps_per_epoch", Import::Set, "train.max_steps", "counts all epochs together here"},
        {"optimizer", Import::Words, "optim.name", "", kOptimizers},
        {"optim", Import::Words, "optim.name", "", kOptimizers},
        {"optimizer._component_", Import::Words, "optim.name", "", kOptimizers},
        {"learning_rate", Import::Set, "optim.lr"},
        {"optimizer.lr", Import::Set, "optim.lr"},
        {"weight_decay", Import::Set, "optim.weight_decay"},
        {"optimizer.weight_decay", Import::Set, "optim.weight_decay"},
        {"optimizer.momentum", Import::Set, "optim.momentum"},
        {"optimizer.eps", Import::Set, "optim.eps"},
        {"optimizer.betas", Import::Set, "optim.betas"},
        {"adam_beta1", Import::Betas, "0"},
        {"adam_beta2", Import::Betas, "1"},
        {"adam_epsilon", Import::Set, "optim.eps"},
        {"optimizer.fused", Import::NotNeeded, "", "not needed: the update is fused already"},
        {"max_grad_norm", Import::Set, "optim.clip_norm"},
        {"clip_grad_norm", Import::Set, "optim.clip_norm"},
        {"optimizer_in_bwd", Import::Refused, "optim.in_backward"},
        {"lr_scheduler", Import::Words, "schedule.name", "", kSchedules},
        {"lr_scheduler_type", Import::Words, "schedule.name", "", kSchedules},
        {"lr_scheduler._component_", Import::Words, "schedule.name", "", kSchedules},
        {"lr_scheduler.num_warmup_steps", Import::Set, "schedule.warmup_steps"},
        {"warmup_steps", Import::Set, "schedule.warmup_steps"},
        {"warmup_ratio", Import::Set, "schedule.warmup_ratio"},
        {"cosine_min_lr_ratio", Import::Set, "schedule.min_lr_ratio", "the schedule becomes cosine_min"},
        {"seed", Import::Set, "seed"},
        {"data_seed", Import::NotNeeded, "", "not needed: one seed orders the data too"},
        {"full_determinism", Import::Words, "deterministic", "", kFlag},
        {"cudnn_deterministic_mode", Import::Words, "deterministic", "", kFlag},
        {"early_stopping_patience", Import::Set, "early_stop.patience"},
        {"early_stopping_steps", Import::Set, "early_stop.patience"},
        {"loss_watchdog_threshold", Import::Set, "watchdog.loss_above"},
        {"loss_watchdog_patience", Import::Set, "watchdog.patience"},
    };
}

std::vector<ImportRule> memoryAndSaving() {
    return {
        {"dtype", Import::Words, "precision.mode", "", kMasters},
        {"bf16", Import::Words, "precision.mode", "", kBf16},
        {"fp16", Import::Refused, "precision.mode"},
        {"tf32", Import::Words, "precision.tf32", "", kFlag},
        {"gradient_checkpointing", Import::Words, "memory.activation_checkpointing", "", kCheckpointing},
        {"enable_activation_checkpointing", Import::Words, "memory.activation_checkpointing", "", kCheckpointing},
        {"enable_activation_offloading", Import::Refused, "memory.offload_activations"},
        {"activation_offloading", Import::Refused, "memory.offload_activations"},
        {"save_steps", Import::Set, "checkpoint.every"},
        {"save_every_n_steps", Import::Set, "checkpoint.every"},
        {"save_total_limit", Import::Set, "checkpoint.keep"},
        {"save_first_step", Import::Words, "checkpoint.at_first_step", "", kFlag},
        {"save_only_model", Import::Words, "checkpoint.weights_only", "", kFlag},
        {"load_best_model_at_end", Import::Words, "checkpoint.best.load_at_end", "", kFlag},
        {"metric_for_best_model", Import::Set, "checkpoint.best.metric"},
        {"greater_is_better", Import::Words, "checkpoint.best.mode", "", kBestMode},
        {"eval_steps", Import::Set, "eval.every"},
        {"run_val_every_n_steps", Import::Set, "eval.every"},
        {"eval_batch_size", Import::Set, "eval.batch"},
        {"batch_size_val", Import::Set, "eval.batch"},
        {"per_device_eval_batch_size", Import::Set, "eval.batch"},
        {"logging_steps", Import::Set, "log.every"},
        {"log_every_n_steps", Import::Set, "log.every"},
        {"saves_per_epoch", Import::Refused, "checkpoint.every", "say the steps, or a share of them such as 0.5"},
        {"evals_per_epoch", Import::Refused, "eval.every", "say the steps, or a share of them such as 0.1"},
        {"eval_strategy", Import::NotNeeded, "", "eval.every says it"},
        {"evaluation_strategy", Import::NotNeeded, "", "eval.every says it"},
        {"save_strategy", Import::NotNeeded, "", "checkpoint.every says it"},
        {"logging_strategy", Import::NotNeeded, "", "log.every says it"},
        {"resume_from_checkpoint", Import::NotNeeded, "", "not needed: an interrupted run continues by itself"},
        {"auto_resume_from_checkpoints", Import::NotNeeded, "", "not needed: an interrupted run continues by itself"},
        {"output_dir", Import::NotNeeded, "", kProject},
        {"overwrite_output_dir", Import::NotNeeded, "", kProject},
        {"logging_dir", Import::NotNeeded, "", kProject},
        {"report_to", Import::NotNeeded, "", kProject},
        {"run_name", Import::Set, "name"},
        {"wandb_*", Import::NotNeeded, "", kProject},
        {"metric_logger.*", Import::NotNeeded, "", kProject},
        {"log_peak_memory_stats", Import::NotNeeded, "", "not needed: memory is always measured"},
        {"checkpointer.output_dir", Import::NotNeeded, "", kProject},
        {"torch_compile", Import::NotNeeded, "", "not needed: kernels are fused already"},
        {"compile", Import::NotNeeded, "", "not needed: kernels are fused already"},
        {"flash_attention", Import::NotNeeded, "", "not needed: attention never stores its matrix"},
        {"flash_attn", Import::NotNeeded, "", "not needed: attention never stores its matrix"},
        {"do_train", Import::NotNeeded, "", "a recipe trains"},
        {"do_eval", Import::NotNeeded, "", "data.eval says it"},
        {"loss._component_", Import::NotNeeded, "", "the loss is cross entropy"},
        {"device", Import::Set, "device"},
        {"enable_async_checkpointing", Import::Words, "checkpoint.async", "", kFlag},
        {"save_adapter_weights_only", Import::Refused, "checkpoint.adapter_only", kNoAdapters},
    };
}

std::vector<ImportRule> dataAndModel() {
    const Words split{{"true", "split"}, {"false", "truncate"}};
    const Words types{
        {"completion", "jsonl_text"}, {"pretrain", "jsonl_text"}, {"torchtune.datasets.text_completion_dataset", "jsonl_text"}};
    return {
        {"base_model", Import::Model, "model.path"},
        {"model_name_or_path", Import::Model, "model.path"},
        {"checkpointer.checkpoint_dir", Import::Model, "model.path"},
        {"model._component_", Import::NotNeeded, "", "the model folder's config.json says it"},
        {"model_type", Import::NotNeeded, "", "the model folder's config.json says it"},
        {"tokenizer_type", Import::NotNeeded, "", "the model folder's tokenizer.json is used"},
        {"tokenizer._component_", Import::NotNeeded, "", "the model folder's tokenizer.json is used"},
        {"tokenizer.path", Import::NotNeeded, "", "the model folder's tokenizer.json is used"},
        {"tokenizer_name", Import::NotNeeded, "", "the model folder's tokenizer.json is used"},
        {"checkpointer.*", Import::NotNeeded, "", "the model folder is read as it is"},
        {"tokenizer.max_seq_len", Import::Set, "data.seq_len"},
        {"sequence_len", Import::Set, "data.seq_len"},
        {"model_max_length", Import::Set, "data.seq_len"},
        {"cutoff_len", Import::Set, "data.seq_len"},
        {"max_seq_length", Import::Set, "data.seq_len"},
        {"max_length", Import::Set, "data.seq_len"},
        {"sample_packing", Import::Words, "data.packing", "", kPacking},
        {"packing", Import::Words, "data.packing", "", kPacking},
        {"neat_packing", Import::Words, "data.packing", "", kPacking},
        {"dataset.packed", Import::Words, "data.packing", "", kPacking},
        {"dataset.split_across_pack", Import::Words, "data.excess", "", split},
        {"dataloader_drop_last", Import::Words, "data.drop_last", "", kFlag},
        {"shuffle", Import::Words, "data.shuffle", "", kFlag},
        {"datasets[].path", Import::Train, "path"},
        {"datasets[].data_files", Import::Train, "path"},
        {"datasets[].type", Import::Train, "format", "", types},
        {"datasets[].field", Import::Train, "column"},
        {"datasets[].text_column", Import::Train, "column"},
        {"datasets[].ds_type", Import::NotNeeded, "", "the file's own form is seen"},
        {"datasets[].split", Import::NotNeeded, "", "a file is one split"},
        {"test_datasets[].path", Import::Eval, "path"},
        {"test_datasets[].data_files", Import::Eval, "path"},
        {"test_datasets[].type", Import::Eval, "format", "", types},
        {"test_datasets[].field", Import::Eval, "column"},
        {"test_datasets[].ds_type", Import::NotNeeded, "", "the file's own form is seen"},
        {"test_datasets[].split", Import::NotNeeded, "", "a file is one split"},
        {"dataset", Import::Train, "path"},
        {"dataset_name", Import::Train, "path"},
        {"train_file", Import::Train, "path"},
        {"eval_dataset", Import::Eval, "path"},
        {"validation_file", Import::Eval, "path"},
        {"eval_file", Import::Eval, "path"},
        {"dataset._component_", Import::Train, "format", "", types},
        {"dataset.source", Import::Train, "source"},
        {"dataset.data_files", Import::Train, "path"},
        {"dataset.column", Import::Train, "column"},
        {"dataset.split", Import::NotNeeded, "", "a file is one split"},
        {"dataset_val._component_", Import::Eval, "format", "", types},
        {"dataset_val.source", Import::Eval, "source"},
        {"dataset_val.data_files", Import::Eval, "path"},
        {"dataset_val.column", Import::Eval, "column"},
        {"dataset_val.split", Import::NotNeeded, "", "a file is one split"},
        {"val_set_size", Import::Refused, "data.eval", "name a file of its own, or cut one with split_range"},
        {"val_size", Import::Refused, "data.eval", "name a file of its own, or cut one with split_range"},
        {"dataset_prepared_path", Import::NotNeeded, "", "not needed: tokens are kept in the project"},
        {"tokenized_path", Import::NotNeeded, "", "not needed: tokens are kept in the project"},
        {"dataset_dir", Import::NotNeeded, "", kHub},
        {"train_on_inputs", Import::Refused, "data.train_on", "text is trained on as a whole"},
        {"train_on_prompt", Import::Refused, "data.train_on", "text is trained on as a whole"},
        {"dataset.train_on_input", Import::Refused, "data.train_on", "text is trained on as a whole"},
        {"mask_history", Import::Refused, "data.train_on", "text is trained on as a whole"},
        {"template", Import::Refused, "", "chat data are not supported by this build"},
        {"chat_template", Import::Refused, "", "chat data are not supported by this build"},
        {"pad_to_sequence_len", Import::Refused, "data.pad_to_seq_len"},
    };
}

std::vector<ImportRule> schemesAndOthers() {
    return {
        {"quantizer._component_", Import::Scheme, "torchtune"},
        {"quantizer.groupsize", Import::Scheme, "group_size"},
        {"qat.weight_dtype", Import::Scheme, "weight"},
        {"qat.activation_dtype", Import::Scheme, "activation"},
        {"qat.group_size", Import::Scheme, "group_size"},
        {"qat.quantize_embedding", Import::Scheme, "embedding"},
        {"qat.fake_quant_after_n_steps", Import::Set, "qat.fake_quant_after_n_steps"},
        {"fake_quant_after_n_steps", Import::Set, "qat.fake_quant_after_n_steps"},
        {"quant_scheme", Import::Refused, "schemes", "choose a scheme on the Scheme page; MX formats are not supported by this build"},
        {"quant_cfg", Import::Refused, "schemes", "choose a scheme on the Scheme page"},
        {"calib_size", Import::Refused, "qat.calibration", "ranges are taken from each batch"},
        {"compress", Import::NotNeeded, "", "export writes packed codes"},
        {"adapter", Import::Refused, "lora", kNoAdapters},
        {"finetuning_type", Import::Refused, "lora", kNoAdapters},
        {"stage", Import::NotNeeded, "", "a recipe trains on text"},
        {"lora", Import::Refused, "lora", kNoAdapters},
        {"lora_*", Import::Refused, "lora", kNoAdapters},
        {"model.lora_*", Import::Refused, "lora", kNoAdapters},
        {"model.apply_lora_to_*", Import::Refused, "lora", kNoAdapters},
        {"load_in_8bit", Import::Refused, "", "weights are trained in full precision"},
        {"load_in_4bit", Import::Refused, "", "weights are trained in full precision"},
        {"distill", Import::Refused, "distill", "there is no distillation in this build"},
        {"teacher_model", Import::Refused, "distill", "there is no distillation in this build"},
        {"kd_*", Import::Refused, "distill", "there is no distillation in this build"},
        {"profiler.*", Import::Refused, "telemetry.profile"},
        {"profiler_steps", Import::Refused, "telemetry.profile"},
        {"deepspeed", Import::Refused, "distributed", kOneProcess},
        {"fsdp", Import::Refused, "distributed", kOneProcess},
        {"fsdp_*", Import::Refused, "distributed", kOneProcess},
        {"dp_shard_size", Import::Refused, "distributed", kOneProcess},
        {"data_parallel_*", Import::Refused, "distributed", kOneProcess},
        {"tensor_parallel_*", Import::Refused, "distributed", kOneProcess},
        {"context_parallel_*", Import::Refused, "distributed", kOneProcess},
        {"custom_sharded_layers", Import::Refused, "distributed", kOneProcess},
        {"ddp_*", Import::Refused, "distributed", kOneProcess},
    };
}

} // namespace

const std::vector<ImportRule>& importRules() {
    static const std::vector<ImportRule> rules = [] {
        std::vector<ImportRule> all;
        for (const auto& part : {training(), memoryAndSaving(), dataAndModel(), schemesAndOthers()})
            all.insert(all.end(), part.begin(), part.end());
        return all;
    }();
    return rules;
}

const ImportRule* findRule(const std::string& key) {
    const auto fits = [&](const ImportRule& rule) {
        const std::string_view pattern = rule.key;
        return pattern.ends_with('*') ? key.starts_with(pattern.substr(0, pattern.size() - 1)) : key == pattern;
    };
    const auto& rules = importRules();
    const auto exact = std::ranges::find_if(rules, [&](const ImportRule& rule) { return key == rule.key; });
    if (exact != rules.end()) return &*exact;
    const auto at = std::ranges::find_if(rules, fits);
    return at == rules.end() ? nullptr : &*at;
}

const std::vector<PeerDefault>& peerDefaults(const std::string& peer) {
    static const std::vector<PeerDefault> none;
    static const std::vector<PeerDefault> torchtune{
        {"batch_size", "train.micro_batch", "2"},      {"lr_scheduler", "schedule.name", "constant"},
        {"clip_grad_norm", "optim.clip_norm", "null"}, {"optimizer.weight_decay", "optim.weight_decay", "0.01"},
        {"dataset.packed", "data.packing", "none"},
    };
    static const std::vector<PeerDefault> hf{
        {"per_device_train_batch_size", "train.micro_batch", "8"},
        {"num_train_epochs", "train.epochs", "3"},
        {"learning_rate", "optim.lr", "5.0e-5"},
        {"lr_scheduler_type", "schedule.name", "linear"},
        {"warmup_ratio", "schedule.warmup_ratio", "0"},
        {"bf16", "precision.mode", "fp32"},
        {"gradient_checkpointing", "memory.activation_checkpointing", "none"},
        {"packing", "data.packing", "none"},
    };
    static const std::vector<PeerDefault> axolotl{
        {"sequence_len", "data.seq_len", "512"},
        {"sample_packing", "data.packing", "none"},
        {"gradient_checkpointing", "memory.activation_checkpointing", "none"},
    };
    return peer == "torchtune" ? torchtune : peer == "Hugging Face" ? hf : peer == "axolotl" ? axolotl : none;
}

} // namespace qw::config
