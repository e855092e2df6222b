# SPDX-License-Identifier: GPL-3.0-or-later
"""GGUF exports: the gguf package reads our numbers bit for bit, transformers and llama.cpp compute what we compute."""
import json
import shutil
import urllib.request

import gguf
import numpy as np
import pytest
import safetensors.torch
import torch
import transformers
import xllamacpp

from common import DATA, ROOT, json_lines, needs_data, run_qatw
from exported import native_codes, random_llama

transformers.logging.set_verbosity_error()

SAMPLE = ROOT / "resources/sample/model"
GROUP32 = ["--set", "weight.group_size=32"]
CHANNEL = ["--set", "weight.granularity=per_channel"]
ASYMMETRIC = ["--set", "weight.mapping=asymmetric"]


def bits(n):
    return ["--set", f"weight.dtype=int{n}"]


# name: preset, settings, T, verdict, block type of the linear layers
CASES = {
    "int4 g32 bf16": ("intx_weight_only", bits(4) + GROUP32, "bf16", "exact", "Q4_0"),
    "int4 g256 bf16": ("intx_weight_only", bits(4) + ["--set", "weight.group_size=256"], "bf16", "exact", "Q4_0"),
    "int3 channel bf16": ("intx_weight_only", bits(3) + CHANNEL, "bf16", "exact", "Q4_0"),
    "int8 channel bf16": ("intx_weight_only", bits(8) + CHANNEL, "bf16", "exact", "Q8_0"),
    "int6 g64 bf16": ("intx_weight_only", bits(6) + ["--set", "weight.group_size=64"], "bf16", "exact", "Q8_0"),
    "8da8w bf16": ("8da8w", [], "bf16", "exact", "Q8_0"),
    "int4 zero points bf16": ("intx_weight_only", bits(4) + GROUP32 + ASYMMETRIC, "bf16", "near-exact", "Q4_1"),
    "int4 g32 fp32": ("intx_weight_only", bits(4) + GROUP32, "fp32", "near-exact", "Q4_0"),
}


def ptq(model, out, preset, settings, dtype):
    run_qatw(["ptq", model, "--scheme", preset, *settings, "--dtype", dtype, "--out", out, "--project", out.parent / "project"])
    return out


def export(folder, out, form="gguf"):
    return json.loads(run_qatw(["export", folder, "--format", form, "--out", out, "--json"]).stdout)


def gguf_in(folder):
    return next(folder.glob("*.gguf"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return random_llama(tmp_path_factory.mktemp("random") / "llama")


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """name -> (native folder, exported folder, sheet), made when first asked for."""
    work, made = tmp_path_factory.mktemp("gguf"), {}

    def get(name):
        if name not in made:
            preset, settings, dtype, *_ = CASES[name]
            native = ptq(model, work / f"{len(made)}-native", preset, settings, dtype)
            out = work / f"{len(made)}-out"
            made[name] = native, out, export(native, out)
        return made[name]

    return get


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


def tensors_of(path):
    """name as in a Hugging Face folder -> fp32 values through the gguf package, and the tensor."""
    reader = gguf.GGUFReader(path)
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


def compare_with_native(native, path, exact):
    """Raises where the gguf package reads other values than the native folder's codes say; the number of groups that differ."""
    theirs, different = tensors_of(path), 0
    plain = safetensors.torch.load_file(native / "model.safetensors")
    for name, (codes, scale, zero, _) in native_codes(native).items():
        values, tensor = theirs.pop(f"{name}.weight")
        d, product = by_hand(tensor)
        raw = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        assert np.array_equal(raw.reshape(product.shape).view(np.uint32), product.view(np.uint32)), f"{name}: q*s with the file's own d, m"
        group = codes.shape[1] // scale.shape[1]
        if exact:  # every bit of d, also those that rounding to T would swallow
            reader = gguf.GGUFReader(path)
            stored = in_our_order(reader, tensor.name, d.reshape(codes.shape[0], -1))
            wanted = torch.where((codes == 0).view(*scale.shape, group).all(-1), 0, scale.float()).repeat_interleave(group // 32, 1)
            assert np.array_equal(stored, wanted.numpy()), f"{name}: d"
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


@pytest.mark.parametrize("name", CASES)
def test_the_package_reads_our_numbers(exported, name):
    *_, verdict, kind = CASES[name]
    native, out, sheet = exported(name)
    assert sheet["verified"] and all(c["ok"] for c in sheet["checks"]) and sheet["verdict"]["fidelity"] == verdict, sheet
    reader = gguf.GGUFReader(gguf_in(out))
    kinds = {t.name: t.tensor_type.name for t in reader.tensors}
    assert kinds["blk.1.ffn_down.weight"] == kind and kinds["blk.1.ffn_norm.weight"] == "F32"
    assert kinds["token_embd.weight"] == ("BF16" if "bf16" in name else "F32")
    different = compare_with_native(native, gguf_in(out), verdict == "exact")
    if verdict == "exact":
        assert different == 0
    else:
        assert 0 < different <= sheet["verdict"]["inexact"] <= sheet["verdict"]["groups"]
    assert sheet["verdict"]["bytes"] == gguf_in(out).stat().st_size


def test_flipped_bits_are_noticed(exported, tmp_path):
    """In codes, in a scale and in a token: by the package's numbers, by our own reader and by the tokenizer's file."""
    native, out, _ = exported("int4 g32 bf16")
    shutil.copytree(out, tmp_path / "out")
    path = gguf_in(tmp_path / "out")
    good = path.read_bytes()
    tensor = next(t for t in gguf.GGUFReader(path).tensors if t.name == "blk.1.ffn_up.weight")
    for at in (tensor.data_offset, tensor.data_offset + 2):
        bad = bytearray(good)
        bad[at] ^= 1
        path.write_bytes(bad)
        with pytest.raises(AssertionError):
            assert compare_with_native(native, path, True) == 0
    bad = bytearray(good)
    longest = max(scalar(gguf.GGUFReader(path), "tokenizer.ggml.tokens"), key=len)
    bad[good.index(longest.encode()) + len(longest.encode()) - 1] ^= 1
    path.write_bytes(bad)
    with pytest.raises(AssertionError):
        check_tokens(path, SAMPLE)
    path.write_bytes(good)
    check_tokens(path, SAMPLE)
    bad[:] = good
    bad[good.index(b"llama.rope.freq_base") + 20 + 4] ^= 1
    path.write_bytes(bad)
    done = run_qatw(["inspect", tmp_path / "out", "--json"], check=False)
    assert done.returncode != 0 and b"rope.freq_base" in done.stdout, done.stdout


def check_tokens(path, folder):
    """The tokenizer's own file says the same tokens, types, merges and end token."""
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
    eos = json.loads((folder / "tokenizer_config.json").read_text())["eos_token"]
    assert tokens[scalar(reader, "tokenizer.ggml.eos_token_id")] == (eos if isinstance(eos, str) else eos["content"])


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


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """kind -> (source, folder of its F32 GGUF)."""
    work, made = tmp_path_factory.mktemp("wide"), {}

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


@pytest.mark.parametrize("kind", KINDS)
def test_architectures_in_the_package(wide, kind):
    source, out = wide(kind)
    reader = gguf.GGUFReader(gguf_in(out))
    assert scalar(reader, "general.architecture") == {"mistral": "llama"}.get(kind, kind.split()[0])
    stored = safetensors.torch.load_file(source / "model.safetensors")
    read = tensors_of(gguf_in(out))
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


class LlamaCpp:
    """llama.cpp in this process, with an F32 cache, so that only its weights and kernels decide."""

    def __init__(self, path):
        p = xllamacpp.CommonParams()
        p.model.path = str(path)
        p.n_ctx, p.n_parallel, p.warmup, p.verbosity = 256, 1, False, -1
        p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
        p.cache_type_k = p.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        p.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.server = xllamacpp.Server(p)

    def post(self, path, body):
        request = urllib.request.Request(self.server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=60))

    def tokenize(self, text):
        return self.post("/tokenize", {"content": text, "add_special": True, "parse_special": False})["tokens"]

    def next_token(self, ids, vocab):
        """Log probabilities of every token behind the prefix."""
        out = self.post("/completion", {"prompt": ids, "n_predict": 1, "temperature": 0, "n_probs": vocab, "cache_prompt": True, "ignore_eos": True})
        logs = torch.full((vocab,), -100.0)
        for one in out["completion_probabilities"][0]["top_logprobs"]:
            logs[one["id"]] = max(one["logprob"], -100.0)
        return logs

    def greedy(self, ids, count):
        return self.post("/completion", {"prompt": ids, "n_predict": count, "temperature": 0, "return_tokens": True, "cache_prompt": False})["tokens"]


def agreement(path, ours, ids, positions):
    """Mean KL from our distribution to llama.cpp's, share of equal top tokens, largest difference of log probabilities above e^-10."""
    engine, want = LlamaCpp(path), torch.log_softmax(ours, -1)
    kl, same, worst = 0.0, 0, 0.0
    for i in positions:
        have = engine.next_token(ids[: i + 1], ours.shape[1])
        p = want[i].exp()
        kl += float((p * (want[i] - have)).sum())
        same += int(have.argmax() == want[i].argmax())
        likely = want[i] > -10
        worst = max(worst, float((have - want[i])[likely].abs().max()))
    return kl / len(positions), same / len(positions), worst


@pytest.mark.parametrize("kind", KINDS)
def test_llama_cpp_computes_the_f32_file(wide, kind, tmp_path):
    source, out = wide(kind)
    ids = [0, *[(7 * i * i + 3 * i) % 1000 + 5 for i in range(120)]]
    kl, same, worst = agreement(gguf_in(out), our_logits(source, ids, tmp_path), ids, range(0, len(ids), 10))
    print(f"{kind}: KL {kl:.1e}, top {same:.3f}, |d log p| {worst:.1e}")
    assert abs(kl) <= 1e-5 and same == 1 and worst <= 1e-3


TEXTS = ["", " ", "a", "Once upon a time, there was a little girl.", "  two  spaces ", "line\nbreak\n\n", "3 x 14 = 42; 1234567",
         "don't WE'LL I'm", "caf\u00e9 \u4f60\u597d \U0001f44d\U0001f3fd", "tab\there \u2581 \u00a0", "<s> </s> <unk> <0x41>", "e\u0301", "\u0928\u092e\u0938\u094d\u0924\u0947",
         "https://ex.am/ple?q=1&r=two#frag_3", "'90s rock'n'roll", "...!!!\n\n---"]


def trained(name):
    """A trained model's folder and one text that it knows, as ids of at least 200 positions."""
    if name == "sample":
        folder = SAMPLE
        pages = json_lines((ROOT / "resources/sample/text/valid.jsonl").read_text()) if (ROOT / "resources/sample/text/valid.jsonl").exists() else []
        text = "\n".join(p["text"] for p in pages) or "Mara Lindt was born in 1912."
    else:
        folder = needs_data("stories260K")
        text = json_lines((DATA / "stories260K/sampled/valid.jsonl").read_text())[0]["text"]
    line = json.dumps({"text": text[:4000]})
    ids = json.loads(run_qatw(["tokenize", folder, "--jsonl", "-"], input=line.encode()).stdout)["ids"]
    return folder, ids[:201]


@pytest.mark.parametrize("name", ["sample", "stories260K"])
def test_llama_cpp_tokenizes_as_we_do(name, tmp_path):
    folder, _ = trained(name)
    export(folder, tmp_path / "out", "gguf")
    check_tokens(gguf_in(tmp_path / "out"), folder)
    engine = LlamaCpp(gguf_in(tmp_path / "out"))
    lines = "\n".join(json.dumps({"text": t}) for t in TEXTS)
    ours = json_lines(run_qatw(["tokenize", folder, "--jsonl", "-", "--no-match-special"], input=lines.encode()).stdout.decode())
    for text, line in zip(TEXTS, ours):
        assert engine.tokenize(text) == line["ids"], text


# preset, settings, T, largest mean KL, smallest share of equal top tokens
QUANTIZED = {
    "float": (None, [], "fp32", 1e-5, 1.0),
    "Q4_0": ("intx_weight_only", bits(4) + GROUP32, "bf16", 7e-3, 0.96),
    "Q4_0 of 8da4w": ("8da4w", [], "fp32", 7e-3, 0.96),
    "Q8_0": ("intx_weight_only", bits(8) + GROUP32, "bf16", 7e-3, 0.96),
    "Q4_1": ("intx_weight_only", bits(4) + GROUP32 + ASYMMETRIC, "fp32", 7e-3, 0.96),
}


@pytest.mark.parametrize("case", QUANTIZED)
@pytest.mark.parametrize("name", ["sample", "stories260K"])
def test_llama_cpp_computes_our_probabilities(name, case, tmp_path):
    preset, settings, dtype, most, least = QUANTIZED[case]
    folder, ids = trained(name)
    source = ptq(folder, tmp_path / "native", preset, settings, dtype) if preset else folder
    assert export(source, tmp_path / "out")["verified"]
    kl, same, worst = agreement(gguf_in(tmp_path / "out"), our_logits(source, ids, tmp_path), ids, range(min(200, len(ids))))
    print(f"{name} {case}: {min(200, len(ids))} positions, KL {kl:.2e}, top {same:.3f}, |d log p| {worst:.1e}")
    assert abs(kl) <= most and same >= least


PROMPTS = {"sample": ["Selma Thorne: She keeps a", "Tomas Whitlock: By trade he is"], "stories260K": ["Once upon a time", "Lily and Tom"]}
CLOSE = 0.5  # log probability: nearer than this the two may choose differently, because llama.cpp rounds activations


@pytest.mark.parametrize("case", ["float", "Q4_0 of 8da4w", "Q8_0"])
@pytest.mark.parametrize("name", ["sample", "stories260K"])
def test_llama_cpp_says_what_we_say(name, case, tmp_path):
    preset, settings, dtype, *_ = QUANTIZED[case]
    folder, _ = trained(name)
    source = ptq(folder, tmp_path / "native", preset, settings, dtype) if preset else folder
    export(source, tmp_path / "out")
    engine = LlamaCpp(gguf_in(tmp_path / "out"))
    for prompt in PROMPTS[name]:
        (tmp_path / "prompt.jsonl").write_text(json.dumps({"prompt": prompt}) + "\n")
        ours = json_lines(run_qatw(["generate", gguf_in(tmp_path / "out"), "--jsonl", tmp_path / "prompt.jsonl", "--max-new-tokens", 48])
                          .stdout.decode())[0]["ids"]
        ids = engine.tokenize(prompt)
        theirs = engine.greedy(ids, len(ours))
        split = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), None)
        print(f"{name} {case} {prompt!r}: {'all' if split is None else split} of {len(ours)} tokens equal")
        if split is None:
            continue
        assert case != "float"
        top = torch.log_softmax(our_logits(tmp_path / "out", ids + ours[:split], tmp_path)[-1], -1).topk(2).values
        assert float(top[0] - top[1]) < CLOSE, (prompt, split)
