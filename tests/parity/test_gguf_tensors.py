# SPDX-License-Identifier: GPL-3.0-or-later
"""GGUF exports: the gguf package reads our numbers bit for bit, transformers computes what we compute."""
import re
import shutil

import gguf
import pytest
import safetensors.torch
import torch
import transformers

from common import run_qatw
from exported import random_llama
from gguf_files import (ASYMMETRIC, CHANNEL, EMBEDDING, GROUP32, KINDS, SAMPLE, bits, check_tokens, compare_with_native, export, gguf_in, in_half,
                        our_logits, ptq, scalar, tensors_of, wide_exports)

# name: preset, settings, T, verdict, block type of the linear layers
CASES = {
    "int4 g32 bf16": ("intx_weight_only", bits(4) + GROUP32, "bf16", "exact", "Q4_0"),
    "int4 g64 bf16": ("intx_weight_only", bits(4) + ["--set", "weight.group_size=64"], "bf16", "exact", "Q4_0"),
    "int4 g256 bf16": ("intx_weight_only", bits(4) + ["--set", "weight.group_size=256"], "bf16", "exact", "Q4_0"),
    "int3 channel bf16": ("intx_weight_only", bits(3) + CHANNEL, "bf16", "exact", "Q4_0"),
    "int8 channel bf16": ("intx_weight_only", bits(8) + CHANNEL, "bf16", "exact", "Q8_0"),
    "int6 g64 bf16": ("intx_weight_only", bits(6) + ["--set", "weight.group_size=64"], "bf16", "exact", "Q8_0"),
    "8da8w bf16": ("8da8w", [], "bf16", "exact", "Q8_0"),
    "int4 zero points bf16": ("intx_weight_only", bits(4) + GROUP32 + ASYMMETRIC, "bf16", "near-exact", "Q4_1"),
    "int4 g128 bf16": ("intx_weight_only", bits(4) + ["--set", "weight.group_size=128"], "bf16", "exact", "Q4_0"),
    "W8A8 bf16": ("int8_int8", [], "bf16", "exact", "Q8_0"),
    "int2 g32 bf16": ("intx_weight_only", bits(2) + GROUP32, "bf16", "exact", "Q4_0"),
    "int4 one scale bf16": ("intx_weight_only", bits(4) + ["--set", "weight.granularity=per_tensor"], "bf16", "exact", "Q4_0"),
    "int4 embedding bf16": ("intx_weight_only", bits(4) + GROUP32 + EMBEDDING + ["embedding.dtype=int4"], "bf16", "exact", "Q4_0"),
    "int8 embedding bf16": ("intx_weight_only", bits(4) + GROUP32 + EMBEDDING + ["embedding.dtype=int8"], "bf16", "exact", "Q4_0"),
    "tinygemm bf16": ("4w_tinygemm", [], "bf16", "near-exact", "Q4_1"),
    "int4_zp bf16": ("int4_weight_only", [], "bf16", "near-exact", "Q4_1"),
    "int4_zp fp32": ("int4_weight_only", GROUP32, "fp32", "near-exact", "Q4_1"),
    "int4 g32 on F16": ("intx_weight_only", bits(4) + GROUP32, None, "exact", "Q4_0"),
    "int4 g32 fp32": ("intx_weight_only", bits(4) + GROUP32, "fp32", "near-exact", "Q4_0"),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return random_llama(tmp_path_factory.mktemp("random") / "llama")


@pytest.fixture(scope="module")
def half_model(model, tmp_path_factory):
    """The same model stored in fp16."""
    return in_half(model, tmp_path_factory.mktemp("half") / "llama")


@pytest.fixture(scope="module")
def exported(model, half_model, tmp_path_factory):
    """name -> (native folder, exported folder, sheet), made when first asked for."""
    work, made = tmp_path_factory.mktemp("gguf"), {}

    def get(name):
        if name not in made:
            preset, settings, dtype, *_ = CASES[name]
            native = ptq(half_model if dtype is None else model, work / f"{len(made)}-native", preset, settings, dtype)
            out = work / f"{len(made)}-out"
            made[name] = native, out, export(native, out)
        return made[name]

    return get


@pytest.mark.parametrize("name", CASES)
def test_the_package_reads_our_numbers(exported, name):
    *_, verdict, kind = CASES[name]
    native, out, sheet = exported(name)
    assert sheet["verified"] and all(c["ok"] for c in sheet["checks"]) and sheet["verdict"]["fidelity"] == verdict, sheet
    reader = gguf.GGUFReader(gguf_in(out))
    kinds = {t.name: t.tensor_type.name for t in reader.tensors}
    assert kinds["blk.1.ffn_down.weight"] == kind and kinds["blk.1.ffn_norm.weight"] == "F32"
    plain = "F16" if "F16" in name else "BF16" if "bf16" in name else "F32"
    assert kinds["token_embd.weight"] == {"int4 embedding bf16": "Q4_0", "int8 embedding bf16": "Q8_0"}.get(name, plain)
    assert kinds["output.weight"] == plain
    moves = re.search(r"more than (\S+) of a step", sheet["verdict"]["why"])
    different = compare_with_native(native, gguf_in(out), verdict == "exact", 1.05 * float(moves[1]) if moves else 0)  # it has two digits
    if verdict == "exact":
        assert different == 0
    else:
        assert 0 < different <= sheet["verdict"]["inexact"] <= sheet["verdict"]["groups"]
    assert sheet["verdict"]["bytes"] == gguf_in(out).stat().st_size


def test_fp16_weights_stay_fp16(half_model, tmp_path):
    """A float model stored in fp16: matrices as F16, vectors widened."""
    assert export(half_model, tmp_path / "out")["verified"]
    stored = safetensors.torch.load_file(half_model / "model.safetensors")
    read = tensors_of(gguf.GGUFReader(gguf_in(tmp_path / "out")))
    assert read.keys() == stored.keys()
    for name, (values, tensor) in read.items():
        assert stored[name].dtype == torch.float16 and tensor.tensor_type.name == ("F16" if stored[name].dim() > 1 else "F32"), name
        assert torch.equal(torch.from_numpy(values.copy()), stored[name].float()), name


@pytest.mark.parametrize("name, parts", {
    "int4 g32 bf16": ("d", "codes"), "int8 channel bf16": ("d", "codes"), "int4 zero points bf16": ("d", "m", "codes"),
    "tinygemm bf16": ("d", "m", "codes"), "int4_zp bf16": ("d", "m", "codes")}.items())
def test_a_flipped_bit_of_a_block_is_noticed(exported, name, parts, tmp_path):
    """The lowest bit of a scale, of an offset and of a code."""
    native, out, sheet = exported(name)
    path = shutil.copy(gguf_in(out), tmp_path / "flipped.gguf")
    tensor = next(t for t in gguf.GGUFReader(path).tensors if t.name == "blk.1.ffn_up.weight")
    exact, good = sheet["verdict"]["fidelity"] == "exact", path.read_bytes()
    compare_with_native(native, path, exact, 0.1)
    for i in range(len(parts)):
        bad = bytearray(good)
        bad[tensor.data_offset + 2 * i] ^= 1
        path.write_bytes(bad)
        with pytest.raises(AssertionError):
            compare_with_native(native, path, exact, 0.1)


def test_flipped_bits_of_metadata_are_noticed(exported, tmp_path):
    """In a token, its type and the ids of first and last: by the tokenizer's files. In each of the architecture's numbers: by our own reader."""
    _, out, _ = exported("int4 g32 bf16")
    shutil.copytree(out, tmp_path / "out")
    path = gguf_in(tmp_path / "out")
    good = path.read_bytes()
    bad = bytearray(good)
    longest = max(scalar(gguf.GGUFReader(path), "tokenizer.ggml.tokens"), key=len)
    bad[good.index(longest.encode()) + len(longest.encode()) - 1] ^= 1
    path.write_bytes(bad)
    with pytest.raises(AssertionError):
        check_tokens(path, SAMPLE)
    path.write_bytes(good)
    check_tokens(path, SAMPLE)
    fields = gguf.GGUFReader(path).fields
    for key, field in fields.items():
        ids = key.startswith("tokenizer.ggml.") and (key.endswith("_id") or ".add_" in key or key.endswith("token_type"))
        if not ids and not key.startswith("llama."):
            continue
        bad[:] = good
        bad[field.offset + sum(part.nbytes for part in field.parts[: field.data[0]])] ^= 1
        path.write_bytes(bad)
        if ids:
            with pytest.raises(AssertionError):
                check_tokens(path, SAMPLE)
            continue
        done = run_qatw(["inspect", tmp_path / "out", "--json"], check=False)
        said = b" rows, which " if "head_count" in key else key.encode()
        assert done.returncode != 0 and said in done.stdout, (key, done.stdout)
    assert len([key for key in fields if key.startswith("llama.")]) == 12


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    return wide_exports(tmp_path_factory.mktemp("wide"))


@pytest.mark.parametrize("kind", KINDS)
def test_architectures_in_the_package(wide, kind):
    source, out = wide(kind)
    reader = gguf.GGUFReader(gguf_in(out))
    assert scalar(reader, "general.architecture") == {"mistral": "llama"}.get(kind, kind.split()[0])
    stored = safetensors.torch.load_file(source / "model.safetensors")
    read = tensors_of(reader)
    assert read.keys() == stored.keys()
    for name, (values, tensor) in read.items():
        assert tensor.tensor_type.name == "F32" and torch.equal(torch.from_numpy(values.copy()), stored[name]), name
    check_tokens(gguf_in(out), SAMPLE)


@pytest.mark.parametrize("kind", ["mistral", "qwen2", "qwen3"])
def test_transformers_loads_the_f32_file(wide, kind, tmp_path):
    source, out = wide(kind)
    model = transformers.AutoModelForCausalLM.from_pretrained(out, gguf_file=gguf_in(out).name, dtype=torch.float32)
    ids = [0, *range(40, 100)]
    with torch.no_grad():
        theirs = model(torch.tensor([ids])).logits[0]
    ours = our_logits(source, ids, tmp_path)
    assert (ours - theirs).abs().max() <= 2e-5 * ours.abs().max()
