# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of GGUF exports share: models, exports, and tensors, tokens and numbers read without any reader of ours."""
import json
import shutil

import gguf
import numpy as np
import safetensors.torch
import torch
import transformers
from tokenizers import Tokenizer

from common import DATA, ROOT, json_lines, needs_data, run_qatw
from exported import native_codes

transformers.logging.set_verbosity_error()

SAMPLE = ROOT / "resources/sample/model"
GROUP32 = ["--set", "weight.group_size=32"]
CHANNEL = ["--set", "weight.granularity=per_channel"]
ASYMMETRIC = ["--set", "weight.mapping=asymmetric"]
EMBEDDING = ["--set", "embedding.granularity=per_group", "--set", "embedding.group_size=32", "--set"]


def bits(n):
    return ["--set", f"weight.dtype=int{n}"]


def ptq(model, out, preset, settings, dtype):
    """dtype None: as the model is stored."""
    asked = ["--dtype", dtype] if dtype else []
    run_qatw(["ptq", model, "--scheme", preset, *settings, *asked, "--out", out, "--project", out.parent / "project"])
    return out


def export(folder, out, form="gguf"):
    return json.loads(run_qatw(["export", folder, "--format", form, "--out", out, "--json"]).stdout)


def gguf_in(folder):
    return next(folder.glob("*.gguf"))


NAMES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
         "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}


def our_name(name):
    stem, suffix = name.rsplit(".", 1)
    if stem.startswith("blk."):
        _, layer, part = stem.split(".")
        return f"model.layers.{layer}.{NAMES[part]}.{suffix}"
    return {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}[stem] + "." + suffix


def scalar(reader, key):
    return reader.fields[key].contents()


def in_our_order(reader, name, values):
    """Undoes the order of q and k rows in files of the llama family."""
    part = name.split(".")[2] if name.startswith("blk.") else ""
    if scalar(reader, "general.architecture") != "llama" or part not in ("attn_q", "attn_k"):
        return values
    heads = scalar(reader, "llama.attention.head_count" + ("_kv" if part == "attn_k" else ""))
    return values.reshape(heads, values.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(values.shape)


def tensors_of(reader):
    """name as in a Hugging Face folder -> fp32 values through the gguf package, and the tensor."""
    out = {}
    for t in reader.tensors:
        if t.name == "rope_freqs.weight":
            continue
        data = gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32)
        out[our_name(t.name)] = in_our_order(reader, t.name, data), t
    return out


def by_hand(tensor):
    """Values from the bytes by the page's table (export.md 5.2), fp32."""
    raw, kind = np.asarray(tensor.data), tensor.tensor_type.name
    width = {"Q4_0": 18, "Q4_1": 20, "Q8_0": 34}[kind]
    blocks = raw.reshape(-1, width)
    d = blocks[:, 0:2].copy().view(np.float16).astype(np.float32)
    if kind == "Q8_0":
        return d, d * blocks[:, 2:].copy().view(np.int8).astype(np.float32)
    packed = blocks[:, width - 16 :]
    n = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)
    if kind == "Q4_0":
        return d, d * (n - 8)
    return d, d * n + blocks[:, 2:4].copy().view(np.float16).astype(np.float32)


def check_q4_1(reader, tensor, n, s, m, group):
    """Bit for bit what a Q4_1 tensor holds: n, and d = s and m, each rounded to fp16 once, for each group."""
    blocks = np.asarray(tensor.data).reshape(-1, 20)
    half = lambda at: in_our_order(reader, tensor.name, blocks[:, at : at + 2].copy().view(np.uint16).reshape(len(n), -1))
    nibbles = np.concatenate([blocks[:, 4:] & 15, blocks[:, 4:] >> 4], axis=1).reshape(len(n), -1)
    assert np.array_equal(in_our_order(reader, tensor.name, nibbles), n.numpy()), f"{tensor.name}: n"
    for part, at, exact in (("d", 0, s), ("m", 2, m)):
        wanted = exact.repeat_interleave(group // 32, 1).numpy().astype(np.float32).astype(np.float16)
        assert np.array_equal(half(at), wanted.view(np.uint16)), f"{tensor.name}: {part}"


def groups_off_their_real_zero(reader, tensor, codes, scale, zero, kind, most):
    """Q4_1 of zero points that are real numbers (export.md 5.4): n from the codes, d = s, m = zp - 8 s, each rounded to fp16 once. The
    number of groups whose values in T, kind, are other ones than those of training (quantization.md 2.4, 2.5); most: in steps."""
    rows, group = codes.shape[0], codes.shape[1] // scale.shape[1]
    signed = bool((codes < 0).any())  # int4_zp counts its codes from -8
    check_q4_1(reader, tensor, codes + 8 if signed else codes, scale.double(), zero.double() - 8 * scale.double(), group)
    wide, offset = scale.repeat_interleave(group, 1), zero.repeat_interleave(group, 1)
    ours = (codes.float() * wide + offset).to(kind) if signed else ((codes - 8).to(kind) * wide).to(kind) + offset
    values = in_our_order(reader, tensor.name, gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32))
    read = torch.from_numpy(values.copy()).to(kind)
    assert ours.dtype == kind and ((read.float() - ours.float()).abs() <= most * wide.float().abs()).all(), "error"
    return int((read != ours).view(rows, -1, group).any(-1).sum())


def compare_with_native(native, path, exact, most=0.0):
    """Raises where the gguf package reads other values than the native folder's codes say; the number of groups that differ.
    most: of real zero points, what the verdict says that a value moves by, in steps."""
    reader = gguf.GGUFReader(path)  # takes its time: once
    theirs, different = tensors_of(reader), 0
    plain = safetensors.torch.load_file(native / "model.safetensors")
    for name, (codes, scale, zero, width) in native_codes(native).items():
        values, tensor = theirs.pop(f"{name}.weight")
        d, product = by_hand(tensor)
        raw = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        assert np.array_equal(raw.reshape(product.shape).view(np.uint32), product.view(np.uint32)), f"{name}: q*s with the file's own d, m"
        if zero is not None and zero.is_floating_point():
            different += groups_off_their_real_zero(reader, tensor, codes, scale, zero, plain["model.norm.weight"].dtype, most)
            continue
        group = codes.shape[1] // scale.shape[1]
        if exact:  # every bit of d, also those that rounding to T would swallow
            stored = in_our_order(reader, tensor.name, d.reshape(codes.shape[0], -1))
            wanted = torch.where((codes == 0).view(*scale.shape, group).all(-1), 0, scale.float()).repeat_interleave(group // 32, 1)
            assert np.array_equal(stored, wanted.numpy()), f"{name}: d"
        if zero is not None:  # no group of a random model is all zero, which would be written as d = m = 0
            lowest = -(1 << (width - 1))
            check_q4_1(reader, tensor, codes - lowest, scale.double(), (lowest - zero) * scale.double(), group)
        whole = codes if zero is None else codes - zero.repeat_interleave(group, 1)
        ours = (whole.float() * scale.float().repeat_interleave(group, 1)).to(scale.dtype)
        read = torch.from_numpy(values.copy()).to(scale.dtype)
        unequal = (read != ours).view(codes.shape[0], -1, group).any(-1)
        different += int(unequal.sum())
        limit = 0.0073 * scale.float().abs() if unequal.any() else 0 * scale.float()
        worst = (read.float() - ours.float()).abs().view(codes.shape[0], -1, group).amax(-1)
        assert (worst <= limit + 2.0**-7 * ours.float().abs().view(codes.shape[0], -1, group).amax(-1) * unequal).all(), name
    for name, (values, _) in theirs.items():
        assert torch.equal(torch.from_numpy(values.copy()), plain[name].float()), name
    return different


def check_tokens(path, folder):
    """The tokenizer's own files say the same tokens, types, merges, first and last token."""
    reader = gguf.GGUFReader(path)
    file = json.loads((folder / "tokenizer.json").read_text())
    tokens = scalar(reader, "tokenizer.ggml.tokens")
    kinds = scalar(reader, "tokenizer.ggml.token_type")
    want = {i: t for t, i in file["model"]["vocab"].items()}
    special = {t["id"]: t for t in file["added_tokens"]}
    want.update({i: t["content"] for i, t in special.items()})
    assert len(set(tokens)) == len(tokens) >= len(want)
    unk = file["model"].get("unk_token")
    for i, token in enumerate(tokens):
        assert token == want.get(i, f"[PAD{i}]"), i
        if i not in want:
            assert kinds[i] == 5
        elif token == unk:
            assert kinds[i] == 2
        elif i in special:
            assert kinds[i] == (3 if special[i]["special"] else 4)
        else:
            assert kinds[i] == (6 if file["model"].get("byte_fallback") and token.startswith("<0x") and len(token) == 6 else 1)
    merges = [m if isinstance(m, str) else " ".join(m) for m in file["model"]["merges"]]
    if scalar(reader, "tokenizer.ggml.model") == "gpt2":
        assert scalar(reader, "tokenizer.ggml.merges") == merges
    config, ids = json.loads((folder / "tokenizer_config.json").read_text()), Tokenizer.from_file(str(folder / "tokenizer.json")).encode("a").ids
    for part, at in (("bos", 0), ("eos", -1)):
        said, known = scalar(reader, f"tokenizer.ggml.{part}_token_id"), config.get(f"{part}_token")
        assert known is None or tokens[said] == (known if isinstance(known, str) else known["content"]), part
        assert scalar(reader, f"tokenizer.ggml.add_{part}_token") == (ids[at] == said), part


def tiny(kind, folder):
    """A random model of an architecture, with the sample's tokenizer and biases where the architecture has them."""
    torch.manual_seed(5)
    shape = dict(vocab_size=1056, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                 max_position_embeddings=256, bos_token_id=0, eos_token_id=1, tie_word_embeddings=kind in ("qwen2", "llama linear"))
    if kind == "mistral":
        built = transformers.MistralForCausalLM(transformers.MistralConfig(**shape, head_dim=32, sliding_window=None))
    elif kind == "qwen2":
        built = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**shape))
    elif kind == "qwen3":  # transformers reads no head width of qwen3 from GGUF: its default
        built = transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**shape, head_dim=128))
    elif kind == "llama biased":
        built = transformers.LlamaForCausalLM(transformers.LlamaConfig(**shape, attention_bias=True, mlp_bias=True))
    else:
        scaling = {"llama3": {"rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                              "original_max_position_embeddings": 32},
                   "linear": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0},
                   "yarn": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 64}}[kind.split()[1]]
        built = transformers.LlamaForCausalLM(transformers.LlamaConfig(**shape, rope_parameters=scaling))
    with torch.no_grad():
        for name, p in built.named_parameters():  # biases begin as zeros, norms as ones: both would hide mistakes
            p += torch.randn_like(p) * (0.3 if name.endswith("norm.weight") or name.endswith("bias") else 0.05)
    built.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(SAMPLE / name, folder / name)
    return folder


KINDS = ["mistral", "qwen2", "qwen3", "llama biased", "llama llama3", "llama linear", "llama yarn"]


def in_half(model, folder):
    """A Llama's folder with every weight rounded to fp16."""
    built = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=torch.float16)
    built.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(model / name, folder / name)
    return folder


def wide_exports(work):
    """kind -> (source, folder of its F32 GGUF), made when first asked for."""
    made = {}

    def get(kind):
        if kind not in made:
            source = tiny(kind, work / kind.replace(" ", "-"))
            out = work / (kind.replace(" ", "-") + "-gguf")
            assert export(source, out, "gguf-f32")["verified"]
            made[kind] = source, out
        return made[kind]

    return get


def our_logits(folder, ids, tmp_path):
    (tmp_path / "ids.json").write_text(json.dumps([ids]))
    run_qatw(["logits", folder, "--ids", tmp_path / "ids.json", "--out", tmp_path / "logits.safetensors"])
    return safetensors.torch.load_file(tmp_path / "logits.safetensors")["logits.0"].float()


def trained(name):
    """A trained model's folder and one text that it knows, as ids of at least 200 positions."""
    if name == "sample":
        folder = SAMPLE
        text = "\n".join(page["text"] for page in json_lines((ROOT / "resources/sample/text/valid.jsonl").read_text()))
    else:
        folder = needs_data("stories260K")
        text = json_lines((DATA / "stories260K/sampled/valid.jsonl").read_text())[0]["text"]
    line = json.dumps({"text": text[:4000]})
    ids = json.loads(run_qatw(["tokenize", folder, "--jsonl", "-"], input=line.encode()).stdout)["ids"]
    return folder, ids[:201]
