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
    """module -> codes as numbers, scales, zero points (or None), bits."""
    file = folder / "model.safetensors"
    tensors = safetensors.torch.load_file(file)
    with safetensors.safe_open(file, "pt") as opened:
        facts = json.loads(opened.metadata()["qat_workbench"])
    out = {}
    for name, module in facts["modules"].items():
        block = facts["schemes"][module["scheme"]]["embedding" if name == "model.embed_tokens" else "weight"]
        signed, width = block["dtype"].startswith("int") or block.get("format") == "int4_zp", int(block["dtype"][-1])
        stored, cols = tensors[f"{name}.weight.codes"], module["cols"]
        if module["packed"]:
            stream = ((stored.unsqueeze(-1).to(torch.int32) >> torch.arange(8)) & 1).flatten(1)[:, : cols * width]
            codes = (stream.view(-1, cols, width) << torch.arange(width)).sum(-1)
            codes = torch.where(codes >= 1 << (width - 1), codes - (1 << width), codes) if signed else codes
        else:
            codes = stored.to(torch.int64)
        params = [tensors.get(f"{name}.weight.{part}") for part in ("scale", "zero")]
        scale, zero = (p.view(1, 1).expand(len(codes), 1) if p is not None and p.dim() == 1 else p for p in params)  # one for all rows
        out[name] = codes, scale, zero, width
    return out


def compare_codes(native, folder, unpack):
    """Raises where compressed-tensors, whose function unpack is, reads other codes, scales or zero points than the native folder holds."""
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    for name, (codes, scale, zero, width) in native_codes(native).items():
        shape = torch.Size(codes.shape)
        if f"{name}.weight_packed" in tensors:
            assert torch.equal(tensors[f"{name}.weight_shape"], torch.tensor(codes.shape)), name
            theirs = unpack(tensors[f"{name}.weight_packed"], width, shape)
        else:
            theirs = tensors[f"{name}.weight"]
        assert torch.equal(theirs.to(torch.int64), codes), f"{name}: codes"
        written = tensors[f"{name}.weight_scale"]
        repeat = written.shape[1] // scale.shape[1]
        assert torch.equal(written.float(), scale.float().repeat_interleave(repeat, 1)), f"{name}: scales"
        assert (zero is None) == (f"{name}.weight_zero_point" not in tensors), name
        if zero is not None:
            packed = tensors[f"{name}.weight_zero_point"]
            theirs = unpack(packed, width, torch.Size(zero.shape), packed_dim=0)
            assert torch.equal(theirs.to(torch.int64), zero.to(torch.int64)), f"{name}: zero points"


def flip(path, key, byte=0):
    """One bit of one byte of a tensor."""
    raw = bytearray(path.read_bytes())
    size = int.from_bytes(raw[:8], "little")
    raw[8 + size + json.loads(raw[8 : 8 + size])[key]["data_offsets"][0] + byte] ^= 1
    path.write_bytes(raw)
