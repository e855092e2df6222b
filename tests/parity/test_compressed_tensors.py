# SPDX-License-Identifier: GPL-3.0-or-later
"""compressed-tensors exports: the package accepts the config and unpacks our codes, transformers computes our logits."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import safetensors.torch
import torch
import transformers
from compressed_tensors.compressors.pack_quantized.base import PackedQuantizationCompressor
from compressed_tensors.compressors.pack_quantized.helpers import unpack_from_int32
from compressed_tensors.quantization import QuantizationConfig

from common import ROOT, run_qatw
from exported import compare_codes, flip, random_llama

transformers.logging.set_verbosity_error()

GROUP32 = ["--set", "weight.group_size=32"]
CHANNEL = ["--set", "weight.granularity=per_channel"]
ASYMMETRIC = ["--set", "weight.mapping=asymmetric"]


def bits(n):
    return ["--set", f"weight.dtype=int{n}"]


# name: preset, settings, type, export format, storage in the file
CASES = {
    "int4 g32 bf16": ("intx_weight_only", bits(4) + GROUP32, "bf16", "compressed-tensors", "pack-quantized"),
    "int4 g64 bf16": ("intx_weight_only", bits(4) + ["--set", "weight.group_size=64"], "bf16", "compressed-tensors", "pack-quantized"),
    "int4 one scale bf16": ("intx_weight_only", bits(4) + ["--set", "weight.granularity=per_tensor"], "bf16", "compressed-tensors", "pack-quantized"),
    "int4 g128 fp32": ("intx_weight_only", bits(4) + ["--set", "weight.group_size=128"], "fp32", "compressed-tensors", "pack-quantized"),
    "int4 g256 bf16": ("intx_weight_only", bits(4) + ["--set", "weight.group_size=256"], "bf16", "compressed-tensors", "pack-quantized"),
    "int4 channel bf16": ("intx_weight_only", bits(4) + CHANNEL, "bf16", "compressed-tensors", "pack-quantized"),
    "int4 asymmetric bf16": ("intx_weight_only", bits(4) + GROUP32 + ASYMMETRIC, "bf16", "compressed-tensors", "pack-quantized"),
    "int2 bf16": ("intx_weight_only", bits(2) + GROUP32, "bf16", "compressed-tensors", "pack-quantized"),
    "int3 asymmetric fp32": ("intx_weight_only", bits(3) + GROUP32 + ASYMMETRIC, "fp32", "compressed-tensors", "pack-quantized"),
    "int8 channel bf16": ("intx_weight_only", bits(8) + CHANNEL, "bf16", "compressed-tensors", "pack-quantized"),
    "W8A8 bf16": ("int8_int8", [], "bf16", "compressed-tensors", "int-quantized"),
    "W8A8 fp32": ("int8_int8", [], "fp32", "compressed-tensors", "int-quantized"),
    "W4A16 of 8da4w bf16": ("8da4w", GROUP32, "bf16", "compressed-tensors", "pack-quantized"),
    "W4A8 packed fp32": ("8da4w", GROUP32, "fp32", "compressed-tensors-w4a8", "pack-quantized"),
    "W4A8 bytes bf16": ("8da4w", GROUP32, "bf16", "compressed-tensors-w4a8-int8", "int-quantized"),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return random_llama(tmp_path_factory.mktemp("random") / "llama")


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """name -> (native folder, exported folder, sheet), made when first asked for."""
    work, made = tmp_path_factory.mktemp("compressed"), {}

    def get(name):
        if name not in made:
            preset, settings, dtype, form, _ = CASES[name]
            native, out = work / f"{len(made)}-native", work / f"{len(made)}-out"
            run_qatw(["ptq", model, "--scheme", preset, *settings, "--dtype", dtype, "--out", native, "--project", work / "project"])
            sheet = json.loads(run_qatw(["export", native, "--format", form, "--out", out, "--json"]).stdout)
            made[name] = native, out, sheet
        return made[name]

    return get


def config_of_the_page(native, form, storage):
    """quantization_config by export.md 4.1, from the scheme in the native folder; readers act on every word of it."""
    with safetensors.safe_open(native / "model.safetensors", "pt") as opened:
        (scheme,) = json.loads(opened.metadata()["qat_workbench"])["schemes"]
    args = lambda block, **own: {"num_bits": int(block["dtype"][3:]), "type": "int", "symmetric": block["mapping"] == "symmetric",
                                 "group_size": None, "block_structure": None, "dynamic": False, "actorder": None, "observer": "minmax",
                                 "observer_kwargs": {}} | own
    weight, size = scheme["weight"], scheme["weight"].get("group_size")
    group = {"group_size": min(size, 128), "strategy": "group"} if weight["granularity"] == "per_group" else {"strategy": "channel"}
    told = form != "compressed-tensors" or storage == "int-quantized"
    inputs = args(scheme["activation"], strategy="token", dynamic=True, observer=None) if told else None
    return {"quant_method": "compressed-tensors", "version": "0.12.2" if 32 % int(weight["dtype"][3:]) == 0 else "0.20.0", "format": storage,
            "quantization_status": "compressed",
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": args(weight, **group), "input_activations": inputs,
                                          "output_activations": None, "format": storage}},
            "ignore": ["lm_head"], "kv_cache_scheme": None, "global_compression_ratio": None, "sparsity_config": {}, "transform_config": {}}


@pytest.mark.parametrize("name", CASES)
def test_package_reads_our_codes(exported, name):
    native, out, sheet = exported(name)
    assert sheet["verified"] and sheet["verdict"]["fidelity"] == "exact", sheet
    config = json.loads((out / "config.json").read_text())["quantization_config"]
    QuantizationConfig.model_validate(config)
    assert config == config_of_the_page(native, *CASES[name][3:])
    compare_codes(native, out, unpack_from_int32)


# compressed-tensors 0.20 gives transformers 5.23 zero points of the unpacked shape, so such folders are read by its decompressor below.
LOADABLE = [name for name in CASES if "asymmetric" not in name]


def limit_of(name):
    """Of max |logit|. Activations: the package divides by the scale, torchao multiplies by its inverse, and ties round otherwise."""
    if name.startswith(("W8A8", "W4A8 bytes")):
        return 3e-2
    return 1e-2 if CASES[name][2] == "bf16" else 2e-5


@pytest.mark.parametrize("name", LOADABLE)
def test_transformers_computes_our_logits(exported, name, tmp_path):
    _, out, _ = exported(name)
    loaded, info = transformers.AutoModelForCausalLM.from_pretrained(out, output_loading_info=True)
    assert not any(info.values()), info
    ids = [torch.randint(0, 1043, (100,), generator=torch.Generator().manual_seed(7)).tolist()]
    (tmp_path / "ids.json").write_text(json.dumps(ids))
    run_qatw(["logits", out, "--ids", tmp_path / "ids.json", "--out", tmp_path / "logits.safetensors"])
    ours = safetensors.torch.load_file(tmp_path / "logits.safetensors")["logits.0"]
    with torch.no_grad():
        theirs = loaded(torch.tensor(ids)).logits[0].float()
    limit = limit_of(name) * theirs.abs().max()
    assert (ours - theirs).abs().max() <= limit, (ours - theirs).abs().max() / theirs.abs().max()
    first, second = theirs.topk(2).values.unbind(-1)
    clear = first - second > 2 * limit  # a random model has near ties
    assert clear.any() and torch.equal(ours.argmax(-1)[clear], theirs.argmax(-1)[clear])


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name][4] == "pack-quantized"])
def test_the_package_decompresses_our_values(exported, name, tmp_path):
    """Its weights are the values of our codes in the model's type, bit for bit."""
    native, out, _ = exported(name)
    run_qatw(["export", native, "--format", "hf", "--out", tmp_path / "hf"])
    plain = safetensors.torch.load_file(tmp_path / "hf" / "model.safetensors")
    packed = safetensors.torch.load_file(out / "model.safetensors")
    config = QuantizationConfig.model_validate(json.loads((out / "config.json").read_text())["quantization_config"])
    scheme = config.config_groups["group_0"]
    for key in [key for key in packed if key.endswith(".weight_packed")]:
        module = key.removesuffix(".weight_packed")
        state = {part: packed[f"{module}.{part}"] for part in ("weight_packed", "weight_scale", "weight_zero_point") if f"{module}.{part}" in packed}
        state["weight_shape"] = torch.Size(packed[f"{module}.weight_shape"].tolist())
        weight = PackedQuantizationCompressor.decompress(state, scheme)["weight"]
        assert torch.equal(weight.to(plain[f"{module}.weight"].dtype), plain[f"{module}.weight"]), module


@pytest.mark.parametrize("name", CASES)
def test_our_own_reader_gives_the_same_folder_again(exported, name, tmp_path):
    """An imported export has codes: writing it once more gives the same bytes."""
    _, out, _ = exported(name)
    run_qatw(["export", out, "--format", CASES[name][3], "--out", tmp_path / "again"])
    for file in ("model.safetensors", "config.json"):
        assert (out / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file


@pytest.mark.parametrize("name, part", [
    *(("int4 asymmetric bf16", part) for part in ("weight_packed", "weight_scale", "weight_zero_point", "weight_shape")),
    ("int3 asymmetric fp32", "weight_zero_point"), ("W8A8 bf16", "weight"), ("W8A8 bf16", "weight_scale")])
def test_a_flipped_bit_is_noticed(exported, name, part, tmp_path):
    native, out, _ = exported(name)
    copy = tmp_path / "flipped"
    shutil.copytree(out, copy)
    flip(copy / "model.safetensors", f"model.layers.1.mlp.up_proj.{part}")
    with pytest.raises(AssertionError):
        compare_codes(native, copy, unpack_from_int32)


@pytest.mark.parametrize("name, key, value, said", [
    ("int4 asymmetric bf16", "num_bits", 5, b".weight_packed: expected I32"),
    ("int4 asymmetric bf16", "group_size", 33, b"group_size 33 does not divide"),
    ("int4 asymmetric bf16", "type", "inu", b"type 'inu' is not read"),
    ("int4 asymmetric bf16", "strategy", "grouq", b"strategy 'grouq'"),
    ("int4 asymmetric bf16", "symmetric", True, b"but quantization_config says symmetric"),
    ("int4 g32 bf16", "symmetric", False, b".weight_zero_point is missing"),
    ("W8A8 bf16", "symmetric", False, b".weight_zero_point is missing"),
    ("W8A8 bf16", "num_bits", 9, b"num_bits 9"),
])
def test_a_lie_in_the_metadata_is_noticed(exported, name, key, value, said, tmp_path):
    """By our reader, before a number is computed; the test above compares every other word of the config."""
    native, out, _ = exported(name)
    copy = tmp_path / "lie"
    shutil.copytree(out, copy)
    config = json.loads((copy / "config.json").read_text())
    config["quantization_config"]["config_groups"]["group_0"]["weights"][key] = value
    assert config["quantization_config"] != config_of_the_page(native, *CASES[name][3:])
    (copy / "config.json").write_text(json.dumps(config))
    (tmp_path / "ids.json").write_text("[[1, 2, 3]]")
    done = run_qatw(["logits", copy, "--ids", tmp_path / "ids.json", "--out", tmp_path / "logits.safetensors"], check=False)
    assert done.returncode == 4 and said in done.stderr and not (tmp_path / "logits.safetensors").exists(), done.stderr


def test_stored_zeros_of_symmetric_weights_are_no_lie(exported, tmp_path):
    """Some writers keep them; ours reads such folders as before."""
    _, out, _ = exported("W8A8 bf16")
    copy = tmp_path / "zeros"
    shutil.copytree(out, copy)
    tensors = safetensors.torch.load_file(copy / "model.safetensors")
    for key in [key for key in tensors if key.endswith(".weight_scale")]:
        tensors[key.replace("weight_scale", "weight_zero_point")] = torch.zeros(tensors[key].shape, dtype=torch.int8)
    safetensors.torch.save_file(tensors, copy / "model.safetensors", {"format": "pt"})
    (tmp_path / "ids.json").write_text("[[1, 2, 3]]")
    said = []
    for folder in (out, copy):
        run_qatw(["logits", folder, "--ids", tmp_path / "ids.json", "--out", tmp_path / "logits.safetensors"])
        said.append((tmp_path / "logits.safetensors").read_bytes())
    assert said[0] == said[1]


def test_what_the_format_cannot_hold_is_said(model, tmp_path):
    run_qatw(["ptq", model, "--scheme", "4w_tinygemm", "--out", tmp_path / "native", "--dtype", "bf16", "--project", tmp_path / "project"])
    rows = {row["format"]: row for row in json.loads(run_qatw(["export", tmp_path / "native", "--check", "--json"]).stdout)}
    assert rows["compressed-tensors"]["fidelity"] == "unsupported" and "real numbers" in rows["compressed-tensors"]["why"]
    assert rows["native"]["fidelity"] == rows["hf"]["fidelity"] == "exact"
    done = run_qatw(["export", tmp_path / "native", "--format", "compressed-tensors", "--out", tmp_path / "x", "--json"], check=False)
    assert done.returncode == 2 and "real numbers" in json.loads(done.stdout)["error"]["msg"]
    assert not (tmp_path / "x").exists()


OLDER = """
import json, pathlib, sys
import compressed_tensors, safetensors.torch, torch
from compressed_tensors.compressors.quantized_compressors.pack_quantized import unpack_from_int32
from compressed_tensors.quantization import QuantizationConfig
sys.path.insert(0, sys.argv[1])
import exported
assert compressed_tensors.__version__ == "0.12.2", compressed_tensors.__version__
for native, out in zip(sys.argv[2::2], sys.argv[3::2]):
    QuantizationConfig.model_validate(json.loads((pathlib.Path(out) / "config.json").read_text())["quantization_config"])
    exported.compare_codes(pathlib.Path(native), pathlib.Path(out), unpack_from_int32)
    print("read", out)
"""


def test_the_release_of_the_schema_reads_our_codes(exported):
    """Where config.json says 0.12.2, that release takes the config and unpacks the same codes."""
    version = lambda out: json.loads((out / "config.json").read_text())["quantization_config"]["version"]
    cases = [exported(name)[:2] for name in CASES]
    assert [name for name, (_, out) in zip(CASES, cases) if version(out) != "0.12.2"] == ["int3 asymmetric fp32"]
    folders = [str(folder) for pair in cases if version(pair[1]) == "0.12.2" for folder in pair]
    here = pathlib.Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": str(ROOT / "build/deps/older/compressed-tensors-0.12.2")}
    done = subprocess.run([sys.executable, "-c", OLDER, here, *folders], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.count("read ") == len(folders) // 2, done.stdout + done.stderr
