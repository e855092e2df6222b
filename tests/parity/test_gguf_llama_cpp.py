# SPDX-License-Identifier: GPL-3.0-or-later
"""GGUF exports: llama.cpp computes what we compute and says what we say."""
import json

import pytest
import torch

from common import json_lines, run_qatw
from gguf_files import ASYMMETRIC, EMBEDDING, GROUP32, KINDS, bits, export, gguf_in, in_half, our_logits, ptq, trained, wide_exports
from llama_cpp_peer import LlamaCpp, agreement


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    return wide_exports(tmp_path_factory.mktemp("wide"))


@pytest.mark.parametrize("kind", KINDS)
def test_llama_cpp_computes_the_f32_file(wide, kind, tmp_path):
    source, out = wide(kind)
    ids = [0, *[(7 * i * i + 3 * i) % 1000 + 5 for i in range(120)]]
    kl, same, worst = agreement(gguf_in(out), our_logits(source, ids, tmp_path), ids, range(0, len(ids), 10))
    print(f"{kind}: KL {kl:.1e}, top {same:.3f}, |d log p| {worst:.1e}")
    assert abs(kl) <= 1e-5 and same == 1 and worst <= 1e-3


# preset, settings, T (None: a copy in fp16), largest mean KL, smallest share of equal top tokens
QUANTIZED = {
    "float": (None, [], "fp32", 1e-5, 1.0),
    "Q4_0": ("intx_weight_only", bits(4) + GROUP32, "bf16", 7e-3, 0.96),
    "Q4_0 of 8da4w": ("8da4w", [], "fp32", 7e-3, 0.96),
    "Q8_0": ("intx_weight_only", bits(8) + GROUP32, "bf16", 7e-3, 0.96),
    "Q4_1": ("intx_weight_only", bits(4) + GROUP32 + ASYMMETRIC, "fp32", 7e-3, 0.96),
    "Q4_1 of tinygemm": ("4w_tinygemm", GROUP32, "bf16", 7e-3, 0.96),
    "Q4_1 of int4_zp": ("int4_weight_only", GROUP32, "bf16", 7e-3, 0.96),
    "Q4_0 embedding": ("intx_weight_only", bits(4) + GROUP32 + EMBEDDING + ["embedding.dtype=int4"], "bf16", 7e-3, 0.96),
    "Q8_0 embedding": ("intx_weight_only", bits(8) + GROUP32 + EMBEDDING + ["embedding.dtype=int8"], "bf16", 7e-3, 0.96),
    "F16": (None, [], None, 5e-4, 0.98),
    "Q4_0 on F16": ("intx_weight_only", bits(4) + GROUP32, None, 7e-3, 0.96),
}


@pytest.mark.parametrize("case", QUANTIZED)
@pytest.mark.parametrize("name", ["sample", "stories260K"])
def test_llama_cpp_computes_our_probabilities(name, case, tmp_path):
    preset, settings, dtype, most, least = QUANTIZED[case]
    folder, ids = trained(name)
    folder = folder if dtype else in_half(folder, tmp_path / "half")
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
