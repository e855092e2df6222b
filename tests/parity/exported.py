# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of exports share: a small random model, and a native folder's codes decoded from export.md 6.1."""
import json
import shutil

import safetensors.torch
import torch
import transformers

from common import ROOT


def random_llama(folder):
    """Every matrix has columns that all usual group sizes divide; with the sample's tokenizer."""
    torch.manual_seed(3)
    config = transformers.LlamaConfig(vocab_size=1043, hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4,
                                      num_key_value_heads=2, max_position_embeddings=128, tie_word_embeddings=False)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(ROOT / "resources/sample/model" / name, folder / name)
    return folder


def native_codes(folder):
    """module -> signed codes, scales, zero points (or None), bits."""
    file = folder / "model.safetensors"
    tensors = safetensors.torch.load_file(file)
    with safetensors.safe_open(file, "pt") as opened:
        facts = json.loads(opened.metadata()["qat_workbench"])
    out = {}
    for name, module in facts["modules"].items():
        width = int(facts["schemes"][module["scheme"]]["weight"]["dtype"].removeprefix("int"))
        stored, cols = tensors[f"{name}.weight.codes"], module["cols"]
        if module["packed"]:
            stream = ((stored.unsqueeze(-1).to(torch.int32) >> torch.arange(8)) & 1).flatten(1)[:, : cols * width]
            codes = (stream.view(-1, cols, width) << torch.arange(width)).sum(-1)
            codes = torch.where(codes >= 1 << (width - 1), codes - (1 << width), codes)
        else:
            codes = stored.to(torch.int64)
        out[name] = codes, tensors[f"{name}.weight.scale"], tensors.get(f"{name}.weight.zero"), width
    return out


def flip(path, key, byte=0):
    """One bit of one byte of a tensor."""
    raw = bytearray(path.read_bytes())
    size = int.from_bytes(raw[:8], "little")
    raw[8 + size + json.loads(raw[8 : 8 + size])[key]["data_offsets"][0] + byte] ^= 1
    path.write_bytes(raw)
