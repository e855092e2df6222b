# SPDX-License-Identifier: GPL-3.0-or-later
"""GPTQ v1 exports, read by a decoder written from export.md 7 alone."""
import json
import shutil

import numpy
import pytest
import safetensors.torch
import torch

from common import run_qatw
from exported import flip, native_codes, random_llama


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """group -> (native folder, GPTQ folder); 0 is per channel, 1 one scale for the matrix, -32 groups of 32 beside 8-bit activations."""
    work = tmp_path_factory.mktemp("gptq")
    model, made = random_llama(work / "llama"), {}
    for group in (32, 128, 256, 0, 1, -32):
        size = {0: ["--set", "weight.granularity=per_channel"], 1: ["--set", "weight.granularity=per_tensor"]}.get(
            group, ["--set", f"weight.group_size={abs(group)}"])
        native, out = work / f"native{group}", work / f"gptq{group}"
        scheme = "int8_intx" if group < 0 else "intx_weight_only"
        run_qatw(["ptq", model, "--scheme", scheme, "--set", "weight.dtype=int4", *size, "--dtype", "bf16", "--out", native,
                  "--project", work / "project"])
        sheet = json.loads(run_qatw(["export", native, "--format", "gptq", "--out", out, "--json"]).stdout)
        assert sheet["verified"] and sheet["verdict"]["fidelity"] == "exact", sheet
        made[group] = native, out
    return made


def decode(folder):
    """module -> signed codes [out, in], scales [out, groups] by the layout of version 1; refuses another order of the columns."""
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())["quantization_config"]
    assert (config["quant_method"], config["bits"], config["checkpoint_format"], config["desc_act"]) == ("gptq", 4, "gptq", False)
    shifts, out = 4 * numpy.arange(8, dtype=numpy.uint32), {}
    for key in [key for key in tensors if key.endswith(".qweight")]:
        name = key.removesuffix(".qweight")
        words, zeros = (tensors[f"{name}.{part}"].numpy().view(numpy.uint32) for part in ("qweight", "qzeros"))
        codes = ((words[:, None, :] >> shifts[None, :, None]) & 15).reshape(-1, words.shape[1]).astype(numpy.int64)
        zero = ((zeros[:, :, None] >> shifts) & 15).reshape(zeros.shape[0], -1).astype(numpy.int64) + 1
        group = config["group_size"] if config["group_size"] > 0 else codes.shape[0]
        order = tensors[f"{name}.g_idx"].numpy()
        assert (order == numpy.arange(codes.shape[0]) // group).all(), f"{name}: order"
        out[name] = torch.from_numpy((codes - zero[order]).T.copy()), tensors[f"{name}.scales"].T
    return out


def compare(native, folder):
    ours, theirs = native_codes(native), decode(folder)
    assert ours.keys() == theirs.keys()
    for name, (codes, scale, _, _) in ours.items():
        assert torch.equal(theirs[name][0], codes), f"{name}: codes"
        scales = theirs[name][1].float()
        assert torch.equal(scales, scale.float().repeat_interleave(scales.shape[1] // scale.shape[1], 1)), f"{name}: scales"


@pytest.mark.parametrize("group", [32, 128, 256, 0, 1, -32])
def test_the_decoder_reads_our_codes(exports, group):
    compare(*exports[group])


def test_groups_of_256_are_written_as_128(exports):
    """Kernels have no wider groups (export.md 1): both halves carry the group's scale."""
    _, out = exports[256]
    assert json.loads((out / "config.json").read_text())["quantization_config"]["group_size"] == 128
    scales = safetensors.torch.load_file(out / "model.safetensors")["model.layers.0.mlp.down_proj.scales"]
    assert scales.shape[0] == 4 and torch.equal(scales[::2], scales[1::2]) and not torch.equal(scales[0], scales[2])


@pytest.mark.parametrize("part", ["qweight", "qzeros", "scales", "g_idx"])
def test_a_flipped_bit_is_noticed(exports, part, tmp_path):
    native, out = exports[32]
    copy = tmp_path / "flipped"
    shutil.copytree(out, copy)
    flip(copy / "model.safetensors", f"model.layers.1.mlp.down_proj.{part}")
    with pytest.raises(AssertionError):
        compare(native, copy)


@pytest.mark.parametrize("said", ['"bits": 4', '"checkpoint_format": "gptq"', '"group_size": 32', '"quant_method": "gptq"', '"sym": true'])
def test_a_flipped_bit_of_the_config_is_noticed(exports, said, tmp_path):
    """By the decoder, which needs all but sym, and by our reader."""
    native, out = exports[32]
    copy = tmp_path / "flipped"
    shutil.copytree(out, copy)
    text = (copy / "config.json").read_text()
    at = text.index(said) + len(said.rstrip('"')) - 1
    assert text.count(said) == 1
    (copy / "config.json").write_text(text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :])
    if "sym" not in said:
        with pytest.raises(AssertionError):
            compare(native, copy)
    (tmp_path / "ids.json").write_text("[[1, 2, 3]]")
    done = run_qatw(["logits", copy, "--ids", tmp_path / "ids.json", "--out", tmp_path / "logits.safetensors"], check=False)
    assert done.returncode == 4, done.stderr


def test_a_model_from_gptq_can_go_on(exports, tmp_path):
    """It opens as MODEL, and its codes leave in another format unchanged."""
    native, out = exports[128]
    assert json.loads(run_qatw(["inspect", out, "--json"]).stdout)["quantized_by"] == "gptq"
    run_qatw(["export", out, "--format", "compressed-tensors", "--out", tmp_path / "a"])
    run_qatw(["export", native, "--format", "compressed-tensors", "--out", tmp_path / "b"])
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()


def test_scales_outside_fp16_are_refused(exports, tmp_path):
    """A bf16 scale of 2^100: the sentence names the layer."""
    native, _ = exports[32]
    copy = tmp_path / "large"
    shutil.copytree(native, copy)
    path, name = copy / "model.safetensors", "model.layers.0.mlp.up_proj"
    with safetensors.safe_open(path, "pt") as opened:
        metadata = opened.metadata()
    tensors = safetensors.torch.load_file(path)
    tensors[f"{name}.weight.scale"][0, 0] = 2.0**100
    safetensors.torch.save_file(tensors, path, metadata)
    done = run_qatw(["export", copy, "--format", "gptq", "--out", tmp_path / "x", "--json"], check=False)
    assert done.returncode == 2 and f"{name} has scales outside fp16" in json.loads(done.stdout)["error"]["msg"], done.stdout
