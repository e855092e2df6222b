# SPDX-License-Identifier: GPL-3.0-or-later
"""Peer of fq_w_fwd, fq_w_fwdbwd and fq_act: torchao's fake quantizers on the same numbers. fake_quant.py fwd|fwdbwd|act [threads] [quick]

Prints one JSON object: "<shape> eager" and "<shape> compiled tuned" (allocator tuned), "<shape> compiled" (allocator as it comes) in ms
(medians), "<shape> checksum" of eager's result.
"""
import json
import os
import subprocess
import sys
import time
import warnings

TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "268435456"}
# glibc gives large blocks back and faults their pages in again on every pass; the peer is measured without that.
if "plain" not in sys.argv and os.environ.get("MALLOC_MMAP_MAX_") != "0":
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **TUNED})

import numpy as np
import torch
from torchao.quantization.granularity import PerGroup, PerToken
from torchao.quantization.qat import IntxFakeQuantizeConfig
from torchao.quantization.qat.fake_quantizer import IntxFakeQuantizer

warnings.filterwarnings("ignore")
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def numbers(rows, cols, dtype):
    i = np.arange(rows * cols, dtype=np.uint32)
    h = ((i * np.uint32(2654435761)) >> np.uint32(8)).astype(np.int32) - (1 << 23)
    x = h.astype(np.float32) * np.float32(2.0**-23) * np.float32(0.05)
    return torch.from_numpy(x).reshape(rows, cols).to(dtype)


def checksum(y):
    words = y.flatten()[: 1 << 20].contiguous()
    bits = words.view(torch.int32).numpy().view(np.uint32) if y.dtype == torch.float32 else words.view(torch.int16).numpy().view(np.uint16)
    weights = (np.arange(bits.size, dtype=np.uint64) % np.uint64(251)) + np.uint64(1)
    return int((bits.astype(np.uint64) * weights).sum() & np.uint64((1 << 53) - 1))


def median_ms(work, runs):
    for _ in range(2):
        work()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append((time.perf_counter() - begin) * 1e3)
    return sorted(times)[len(times) // 2]


def quantizer(group):
    if group:
        return IntxFakeQuantizer(IntxFakeQuantizeConfig(torch.int4, PerGroup(group)))
    return IntxFakeQuantizer(IntxFakeQuantizeConfig(torch.int8, PerToken(), is_symmetric=False))


def shapes(kind, quick):
    if kind == "act":
        return [(512, 2048, 0)] if quick else [(512, 2048, 0), (512, 8192, 0)]
    rows = 512 if quick else 8192
    return [(rows, 2048, g) for g in (32, 128, 256)] + ([(14336, 4096, 32)] if kind == "fwd" and not quick else [])


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "fwd"
    torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 2)
    quick, plain = "quick" in sys.argv, "plain" in sys.argv
    answer = {}
    for name, dtype in DTYPES.items():
        for rows, cols, group in shapes(kind, quick):
            label = f"{name} {rows}x{cols} " + (f"g{group}" if group else "token")
            x = numbers(rows, cols, dtype)
            fq = quantizer(group)
            gradient = torch.ones_like(x)

            def run(module):
                if kind != "fwdbwd":
                    with torch.no_grad():
                        return module(x)
                x.grad = None
                x.requires_grad_(True)
                y = module(x)
                y.backward(gradient)
                return y.detach()

            if not plain:
                answer[f"{label} checksum"] = checksum(run(fq))
                answer[f"{label} eager"] = median_ms(lambda: run(fq), 3 if rows > 8192 else 5)
            # One group size is compiled: a compilation takes longer than all measurements.
            if kind == "fwd" and group == 32 and rows <= 8192 and not quick:
                compiled = torch.compile(fq, dynamic=False)
                answer[f"{label} compiled" + ("" if plain else " tuned")] = median_ms(lambda: run(compiled), 5)
    if kind == "fwd" and not quick and not plain:
        environment = {k: v for k, v in os.environ.items() if k not in TUNED}
        done = subprocess.run([sys.executable, *sys.argv, "plain"], env=environment, capture_output=True, check=True, text=True)
        answer.update(json.loads(done.stdout.splitlines()[-1]))
    print(json.dumps(answer))


main()
