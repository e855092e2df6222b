# SPDX-License-Identifier: GPL-3.0-or-later
"""Peer of fq_w_fwd, fq_w_fwdbwd and fq_act: torchao's fake quantizers on the same numbers. fake_quant.py fwd|fwdbwd|act …, see pairs.py

Answers: "<shape> eager" and "<shape> compiled tuned" (allocator tuned), "<shape> compiled" (allocator as it comes) in ms
(medians), "<shape> checksum" of eager's result.
"""
import json
import os
import subprocess
import sys
import warnings

TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "268435456"}
# glibc gives large blocks back and faults their pages in again on every pass; the peer is measured without that.
if "plain" not in sys.argv and os.environ.get("MALLOC_MMAP_MAX_") != "0":
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **TUNED})

import numpy as np
import torch

import pairs
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


def quantizer(group):
    if group:
        return IntxFakeQuantizer(IntxFakeQuantizeConfig(torch.int4, PerGroup(group)))
    return IntxFakeQuantizer(IntxFakeQuantizeConfig(torch.int8, PerToken(), is_symmetric=False))


def shapes(kind, quick):
    if kind == "act":
        return [(512, 2048, 0)] if quick else [(512, 2048, 0), (512, 8192, 0)]
    rows = 512 if quick else 8192
    return [(rows, 2048, g) for g in (32, 128, 256)] + ([(14336, 4096, 32)] if kind == "fwd" and not quick else [])


class Case:
    """One shape and type; the quantizer is compiled once, for one group size: compiling takes longer than all measurements."""

    def __init__(self, kind, name, shape, quick):
        rows, cols, group = shape
        self.kind, self.slow = kind, rows > 8192
        self.label = f"{name} {rows}x{cols} " + (f"g{group}" if group else "token")
        self.x = numbers(rows, cols, DTYPES[name])
        self.gradient = torch.ones_like(self.x)
        self.fq = quantizer(group)
        self.compiled = torch.compile(self.fq, dynamic=False) if kind == "fwd" and group == 32 and not self.slow and not quick else None
        self.checksum = checksum(self.run(self.fq))

    def run(self, module):
        if self.kind != "fwdbwd":
            with torch.no_grad():
                return module(self.x)
        self.x.grad = None
        self.x.requires_grad_(True)
        y = module(self.x)
        y.backward(self.gradient)
        return y.detach()

    def ms(self, module):
        return pairs.timed(lambda: self.run(module), 1 if self.slow else 3) * 1e3


def main():
    kind = sys.argv[1]
    threads, _, _, quick = pairs.arguments()
    torch.set_num_threads(threads)
    plain = "plain" in sys.argv
    cases = [Case(kind, name, shape, quick) for name in DTYPES for shape in shapes(kind, quick)]
    if plain:
        cases = [case for case in cases if case.compiled is not None]
    untuned = None
    if kind == "fwd" and not quick and not plain:
        environment = {k: v for k, v in os.environ.items() if k not in TUNED}
        command = [sys.executable, sys.argv[0], kind, "plain", *sys.argv[2:]]
        untuned = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure():
        answer = {}
        for case in cases:
            if not plain:
                answer[f"{case.label} checksum"] = case.checksum
                answer[f"{case.label} eager"] = case.ms(case.fq)
            if case.compiled is not None:
                answer[f"{case.label} compiled" + ("" if plain else " tuned")] = case.ms(case.compiled)
        if untuned:
            untuned.stdin.write("go\n")
            untuned.stdin.flush()
            answer.update(json.loads(untuned.stdout.readline()))
        return answer

    pairs.serve(measure)
    if untuned:
        untuned.stdin.close()
        untuned.wait()


main()
