# SPDX-License-Identifier: GPL-3.0-or-later
"""Peer of the bench step_overhead: the same models in transformers, AdamW of torch, plain and prepared by torchao (8da4w, groups of
32). See pairs.py

Per shape and type "plain" and "qat" in ms a step (medians), "plain_bytes" and "qat_bytes": peak memory of a process of its own, since an
allocator that keeps what it has would hide the second's.
"""
import json
import subprocess
import sys
import time
import warnings

import torch
import torchao
import transformers
from torchao.quantization import quantize_
from torchao.quantization.granularity import PerGroup, PerToken
from torchao.quantization.qat import IntxFakeQuantizeConfig, QATConfig
from transformers import LlamaConfig, LlamaForCausalLM

import pairs

warnings.filterwarnings("ignore")
SHAPES = {  # hidden, kv, ffn, layers, vocabulary, sequence, batch
    "S": (512, 128, 1536, 4, 8192, 256, 4),
    "XS": (256, 64, 1024, 4, 4096, 128, 4),
}
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
STEPS, WARM = 8, 2


def train(name, dtype, qat):
    hidden, kv, ffn, layers, vocab, seq, batch = SHAPES[name]
    before = pairs.resident()
    pairs.peak_reset()
    torch.manual_seed(1)
    config = LlamaConfig(hidden_size=hidden, intermediate_size=ffn, vocab_size=vocab, num_hidden_layers=layers,
                         num_attention_heads=hidden // 64, num_key_value_heads=kv // 64, max_position_embeddings=seq,
                         tie_word_embeddings=False, use_cache=False)
    model = LlamaForCausalLM(config).to(TYPES[dtype])
    if qat:
        keep_head = lambda module, path: isinstance(module, torch.nn.Linear) and path != "lm_head"
        activation = IntxFakeQuantizeConfig(torch.int8, PerToken(), is_symmetric=False)
        weight = IntxFakeQuantizeConfig(torch.int4, PerGroup(32))
        quantize_(model, QATConfig(activation_config=activation, weight_config=weight, step="prepare"), keep_head)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.0)
    ids = torch.randint(0, 26, (STEPS, batch, seq))
    times = []
    for step in range(STEPS):
        begin = time.perf_counter()
        loss = model(input_ids=ids[step], labels=ids[step]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
        times.append((time.perf_counter() - begin) * 1e3)
    return pairs.median(times[WARM:]), pairs.resident("VmHWM") - before


def measure():
    answer = {"version": f"transformers {transformers.__version__}, torchao {torchao.__version__}, torch {torch.__version__}"}
    for name in ["XS"] if quick else SHAPES:
        for dtype in TYPES:
            answer[f"{name} {dtype}"] = one = {}
            for kind in ("plain", "qat"):
                command = [sys.executable, sys.argv[0], "one", name, dtype, kind, str(threads)]
                done = subprocess.run(command, capture_output=True, check=True, text=True)
                one[kind], one[f"{kind}_bytes"] = json.loads(done.stdout.splitlines()[-1])
    return answer


if sys.argv[1] == "one":
    torch.set_num_threads(int(sys.argv[5]))
    print(json.dumps(train(sys.argv[2], sys.argv[3], sys.argv[4] == "qat")))
else:
    threads, _, _, quick = pairs.arguments()
    pairs.serve(measure)
