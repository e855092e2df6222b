# SPDX-License-Identifier: GPL-3.0-or-later
"""Logits of tiny random models of every architecture row and variant against transformers (models.md 8): max |d| <= 2e-5 * max |logit| in fp32."""
import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

from common import run_qatw

SIZE = dict(vocab_size=128, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            max_position_embeddings=64, bos_token_id=1, eos_token_id=2)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16)
LONG = dict(rope_type="longrope", rope_theta=10000.0, short_factor=[1.0, 1.1, 1.2, 1.3], long_factor=[1.0, 2.0, 3.0, 4.0], factor=4.0,
            original_max_position_embeddings=16)

CASES = {
    "llama": (LlamaConfig, LlamaForCausalLM, {}),
    "llama-mha": (LlamaConfig, LlamaForCausalLM, dict(num_key_value_heads=4)),
    "llama-mqa": (LlamaConfig, LlamaForCausalLM, dict(num_key_value_heads=1)),
    "llama-tied": (LlamaConfig, LlamaForCausalLM, dict(tie_word_embeddings=True)),
    "llama-attention-bias": (LlamaConfig, LlamaForCausalLM, dict(attention_bias=True)),
    "llama-mlp-bias": (LlamaConfig, LlamaForCausalLM, dict(mlp_bias=True)),
    "llama-head-dim": (LlamaConfig, LlamaForCausalLM, dict(head_dim=16)),
    "llama-gelu": (LlamaConfig, LlamaForCausalLM, dict(hidden_act="gelu_pytorch_tanh")),
    "llama-theta": (LlamaConfig, LlamaForCausalLM, dict(rope_parameters=dict(rope_type="default", rope_theta=500000.0))),
    "llama-rope-linear": (LlamaConfig, LlamaForCausalLM, dict(rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=4.0))),
    "llama-rope-dynamic": (LlamaConfig, LlamaForCausalLM,
                           dict(max_position_embeddings=16, rope_parameters=dict(rope_type="dynamic", rope_theta=10000.0, factor=2.0))),
    "llama-rope-llama3": (LlamaConfig, LlamaForCausalLM, dict(rope_parameters=LLAMA3)),
    "llama-rope-yarn": (LlamaConfig, LlamaForCausalLM, dict(rope_parameters=YARN)),
    "llama-rope-yarn-no-truncate": (LlamaConfig, LlamaForCausalLM, dict(rope_parameters=YARN | dict(truncate=False, beta_fast=16.0, beta_slow=2.0))),
    "llama-rope-yarn-mscale": (LlamaConfig, LlamaForCausalLM, dict(rope_parameters=YARN | dict(mscale=1.0, mscale_all_dim=0.8))),
    "llama-rope-yarn-factor": (LlamaConfig, LlamaForCausalLM, dict(rope_parameters=YARN | dict(attention_factor=0.9))),
    "llama-rope-longrope": (LlamaConfig, LlamaForCausalLM, dict(rope_parameters=LONG)),
    "mistral": (MistralConfig, MistralForCausalLM, dict(sliding_window=None)),
    "mistral-window": (MistralConfig, MistralForCausalLM, dict(sliding_window=8)),
    "mistral-head-dim": (MistralConfig, MistralForCausalLM, dict(sliding_window=None, head_dim=12)),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, {}),
    "qwen2-tied": (Qwen2Config, Qwen2ForCausalLM, dict(tie_word_embeddings=True)),
    "qwen2-window": (Qwen2Config, Qwen2ForCausalLM, dict(use_sliding_window=True, sliding_window=8, max_window_layers=1)),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM, dict(head_dim=16)),
    "qwen3-bias": (Qwen3Config, Qwen3ForCausalLM, dict(head_dim=16, attention_bias=True)),
    "qwen3-tied-window": (Qwen3Config, Qwen3ForCausalLM,
                          dict(head_dim=8, tie_word_embeddings=True, use_sliding_window=True, sliding_window=8, max_window_layers=1)),
}


def make_model(folder, case, seed=3):
    config_class, model_class, options = CASES[case]
    torch.manual_seed(seed)
    model = model_class(config_class(**(SIZE | options), attn_implementation="eager")).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():  # biases and norms start at 0 and 1: move them, or nothing would notice them
            parameter.add_(0.3 * torch.randn_like(parameter) if parameter.dim() == 1 else 0.05 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    return model


def our_logits(model, ids, folder, *options):
    (folder / "ids.json").write_text(json.dumps(ids))
    run_qatw(["logits", model, "--ids", folder / "ids.json", "--out", folder / "out.safetensors", *options])
    out = load_file(folder / "out.safetensors")
    return [out[f"logits.{i}"] for i in range(len(ids))]


def some_ids(case, lengths=(40, 7, 1)):
    generator = torch.Generator().manual_seed(len(case))
    return [torch.randint(0, 128, (n,), generator=generator).tolist() for n in lengths]


@pytest.mark.parametrize("case", CASES)
def test_fp32(case, tmp_path):
    model = make_model(tmp_path / "model", case)
    ids = some_ids(case)
    for row, ours in zip(ids, our_logits(tmp_path / "model", ids, tmp_path)):
        fresh = type(model).from_pretrained(tmp_path / "model", attn_implementation="eager").eval()  # dynamic rope remembers earlier calls
        with torch.no_grad():
            theirs = fresh(torch.tensor([row])).logits[0]
        assert ours.dtype == torch.float32 and ours.shape == theirs.shape
        assert (ours - theirs).abs().max() <= 2e-5 * theirs.abs().max()


@pytest.mark.parametrize("case", ["llama-rope-llama3", "llama-rope-yarn", "mistral-window", "qwen2", "qwen3"])
def test_older_config_dialect(case, tmp_path):
    """The same folder with config.json as transformers 4.x writes it gives the same bits."""
    make_model(tmp_path / "model", case)
    ids = some_ids(case)
    new = our_logits(tmp_path / "model", ids, tmp_path)
    path = tmp_path / "model" / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters", None) or {}
    if "rope_theta" in rope:
        config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = rope if rope.get("rope_type", "default") != "default" else None
    config["torch_dtype"] = config.pop("dtype", "float32")
    path.write_text(json.dumps(config))
    for a, b in zip(new, our_logits(tmp_path / "model", ids, tmp_path)):
        assert torch.equal(a, b)


@pytest.mark.parametrize("case", ["llama", "qwen3"])
def test_bf16(case, tmp_path):
    model = make_model(tmp_path / "model", case).to(torch.bfloat16)
    ids = some_ids(case, (48, 32))
    for row, ours in zip(ids, our_logits(tmp_path / "model", ids, tmp_path, "--dtype", "bf16")):
        with torch.no_grad():
            theirs = model(torch.tensor([row])).logits[0].float()
        cosine = torch.nn.functional.cosine_similarity(ours, theirs, dim=-1)
        assert cosine.min() >= 0.9995


def test_sharded_tied_checkpoint(tmp_path):
    model = make_model(tmp_path / "model", "llama-tied")
    model.save_pretrained(tmp_path / "sharded", max_shard_size="20KB")
    assert (tmp_path / "sharded" / "model.safetensors.index.json").exists()
    ids = some_ids("sharded")
    for a, b in zip(our_logits(tmp_path / "model", ids, tmp_path), our_logits(tmp_path / "sharded", ids, tmp_path)):
        assert torch.equal(a, b)
