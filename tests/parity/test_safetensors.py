# SPDX-License-Identifier: GPL-3.0-or-later
"""The safetensors package reads what qatw writes, and qatw reads what the package and transformers write."""
import json
import random
import struct

import safetensors
import safetensors.torch
import torch
import transformers

from common import needs_data, run_qatw

DTYPES = {
    torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16", torch.float64: "F64", torch.int8: "I8", torch.uint8: "U8",
    torch.int16: "I16", torch.int32: "I32", torch.int64: "I64", torch.bool: "BOOL", torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2",
}


def tiny(model_type, **changes):
    """A random model of two layers as transformers builds it."""
    torch.manual_seed(3)
    config = transformers.AutoConfig.for_model(
        model_type, vocab_size=128, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        head_dim=16, max_position_embeddings=64, **changes)
    return transformers.AutoModelForCausalLM.from_config(config)


def inspect(folder, *flags):
    return json.loads(run_qatw(["inspect", folder, "--json", *flags]).stdout)


def all_tensors(folder):
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safetensors.safe_open(path, framework="pt") as file:
            for name in file.keys():
                found[name] = file.get_tensor(name)
    return found


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and torch.equal(
        a.contiguous().view(torch.uint8) if a.dim() else a.reshape(1).view(torch.uint8),
        b.contiguous().view(torch.uint8) if b.dim() else b.reshape(1).view(torch.uint8))


def test_our_reader_takes_every_dtype_of_the_package(tmp_path):
    tensors = {f"extra.{name}": torch.ones(3, 2).to(dtype) for dtype, name in DTYPES.items()}
    tensors["extra.scalar"] = torch.tensor(2.5)
    tensors["extra.empty"] = torch.zeros(0, 7)
    model = tiny("llama", tie_word_embeddings=True)
    model.save_pretrained(tmp_path)
    weights = all_tensors(tmp_path)
    safetensors.torch.save_file({**weights, **tensors}, tmp_path / "model.safetensors", metadata={"format": "pt", "note": "ä \" \n"})
    shown = {t["name"]: t for t in inspect(tmp_path, "--tensors")["tensors"]}
    assert set(shown) == set(weights) | set(tensors)
    for name, tensor in {**weights, **tensors}.items():
        assert shown[name]["dtype"] == DTYPES[tensor.dtype], name
        assert shown[name]["shape"] == list(tensor.shape), name


def test_folders_of_transformers_in_all_rows(tmp_path):
    for model_type in ("llama", "mistral", "qwen2", "qwen3"):
        for tied in (False, True):
            for shard in ("60KB", "5GB"):
                folder = tmp_path / f"{model_type}-{tied}-{shard}"
                model = tiny(model_type, tie_word_embeddings=tied).to(torch.bfloat16)
                model.save_pretrained(folder, max_shard_size=shard)
                shown = inspect(folder)
                assert shown["architecture"] == model_type
                assert shown["tied"] == tied
                assert shown["dtype"] == "bfloat16"
                assert shown["parameters"]["total"] == sum(p.numel() for p in model.parameters())
                assert (len(shown["shards"]) > 1) == (shard == "60KB")
                assert [p for p in shown["problems"] if "tokenizer" not in p["msg"]] == []


def test_the_package_reads_what_fake_quantize_writes(tmp_path):
    torch.manual_seed(1)
    for dtype in (torch.float32, torch.bfloat16):
        source = {"b.weight": torch.randn(8, 64).to(dtype), "a.weight": torch.randn(4, 32).to(dtype)}
        safetensors.torch.save_file(source, tmp_path / "in.safetensors")
        (tmp_path / "out.safetensors").unlink(missing_ok=True)
        run_qatw(["fake-quantize", tmp_path / "in.safetensors", tmp_path / "out.safetensors", "--scheme", "intx_weight_only",
                  "--set", "weight.dtype=int4", "--set", "weight.granularity=per_channel"])
        written = safetensors.torch.load_file(tmp_path / "out.safetensors")
        assert {n: (t.dtype, t.shape) for n, t in written.items()} == {n: (t.dtype, t.shape) for n, t in source.items()}
        for name, tensor in written.items():
            assert not torch.equal(tensor, source[name])
            assert all(len(row.unique()) <= 16 for row in tensor)


def unpack(packed, bits, cols, signed):
    """The little-endian bit stream of a row: column c takes bits [c*bits, (c+1)*bits)."""
    stream = ((packed.to(torch.int64).unsqueeze(-1) >> torch.arange(8)) & 1).flatten(1)[:, : cols * bits].reshape(-1, cols, bits)
    values = (stream << torch.arange(bits)).sum(-1)
    return torch.where(values >= 2 ** (bits - 1), values - 2**bits, values) if signed else values


def native_matches_fake_quantize(tmp_path, scheme, sets, bits):
    model = needs_data("stories260K")
    out = tmp_path / "native"
    run_qatw(["ptq", model, "--scheme", scheme, *sets, "--out", out, "--project", tmp_path / "project"])
    run_qatw(["fake-quantize", model / "model.safetensors", tmp_path / "fq.safetensors", "--scheme", scheme, *sets])
    want = safetensors.torch.load_file(tmp_path / "fq.safetensors")
    source = safetensors.torch.load_file(model / "model.safetensors")
    stored = all_tensors(out)
    with safetensors.safe_open(out / "model.safetensors", framework="pt") as file:
        facts = json.loads(file.metadata()["qat_workbench"])
        assert file.metadata()["format"] == "pt"
    assert facts["format"] == 1 and facts["dtype"] == "float32"
    assert json.loads((out / "config.json").read_text())["quantization_config"] == {"quant_method": "qat_workbench", "format": 1}
    assert (out / "tokenizer.json").read_bytes() == (model / "tokenizer.json").read_bytes()
    assert len(facts["modules"]) + len(facts["skipped"]) == 35
    assert len(facts["modules"]) >= 30
    for name, module in facts["modules"].items():
        codes, scale = stored.pop(f"{name}.weight.codes"), stored.pop(f"{name}.weight.scale")
        assert module["packed"] == (bits < 8)
        q = unpack(codes, bits, module["cols"], True) if module["packed"] else codes.to(torch.int64)
        group = module["cols"] // scale.shape[1]
        y = q.to(torch.float32) * scale.repeat_interleave(group, dim=1)
        assert same_bits(y, want[f"{name}.weight"]), name
    for name, tensor in stored.items():  # everything else is as it was
        assert same_bits(tensor, source[name]), name
    shown = inspect(out)
    assert shown["quantized_by"] == "qat_workbench" and len(shown["quantized"]["modules"]) == len(facts["modules"])
    return out


def test_native_folders_hold_the_fake_quantized_weights(tmp_path):
    channel = ["--set", "weight.granularity=per_channel"]
    for bits in (2, 3, 4, 8):
        native_matches_fake_quantize(tmp_path / str(bits), "intx_weight_only", ["--set", f"weight.dtype=int{bits}", *channel], bits)


def test_transformers_does_not_take_codes_for_weights(tmp_path):
    """transformers 5 only warns about an unknown quant_method; what matters is that no matrix is read from codes."""
    out = native_matches_fake_quantize(tmp_path, "intx_weight_only", ["--set", "weight.dtype=int4", "--set", "weight.granularity=per_channel"], 4)
    _, info = transformers.AutoModelForCausalLM.from_pretrained(out, output_loading_info=True)
    modules = inspect(out)["quantized"]["modules"]
    assert set(info["missing_keys"]) == {f"{m['name']}.weight" for m in modules}


def test_what_we_accept_the_package_accepts(tmp_path):
    """Seeded mutations of a header: our reader is never laxer than the reference implementation."""
    torch.manual_seed(2)
    tensors = {"a": torch.randn(2, 32), "b": torch.randn(3, 32).to(torch.bfloat16), "c": torch.zeros(0, 4)}
    good = safetensors.torch.save(tensors, metadata={"format": "pt"})
    length = struct.unpack("<Q", good[:8])[0]
    rng = random.Random(5)
    interesting = b'{}[]",:0123456789-eE. \x00\xff'
    ours = theirs = 0
    for round_ in range(150):
        data = bytearray(good)
        for _ in range(rng.randint(1, 2)):
            at = 8 + rng.randrange(length)
            data[at] = rng.choice(interesting) if round_ % 3 else rng.randrange(256)
        path = tmp_path / "m.safetensors"
        path.write_bytes(data)
        (tmp_path / "o.safetensors").unlink(missing_ok=True)
        done = run_qatw(["fake-quantize", path, tmp_path / "o.safetensors", "--scheme", "intx_weight_only", "--set", "weight.dtype=int4",
                         "--set", "weight.granularity=per_channel"], check=False)
        try:
            safetensors.torch.load(bytes(data))
            accepted = True
        except Exception:
            accepted = False
        theirs += accepted
        assert done.returncode in (0, 3, 4), done.stderr
        if done.returncode == 0:
            ours += 1
            assert accepted, bytes(data[8 : 8 + length])
        else:
            assert b"error:" in done.stderr
    assert 0 < ours <= theirs < 150
