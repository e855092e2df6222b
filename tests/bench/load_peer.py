# SPDX-License-Identifier: GPL-3.0-or-later
"""Peer of the bench load_8b_shape: safetensors.torch.load_file of SCRATCH/part, every tensor summed, since loading maps and reads
nothing. See pairs.py

"seconds" and peak "bytes"; the first answer is empty: the file is made by the other side's first measurement.
"""
import pathlib
import time

import safetensors
import torch
from safetensors.torch import load_file

import pairs

threads, _, scratch, _ = pairs.arguments()
torch.set_num_threads(threads)
file = pathlib.Path(scratch) / "part/model.safetensors"


def measure():
    if not file.exists():
        return {}
    before = pairs.resident()
    pairs.peak_reset()
    begin = time.perf_counter()
    tensors = load_file(str(file))
    total = sum(int(tensor.view(torch.int64).sum()) for tensor in tensors.values())
    seconds = time.perf_counter() - begin
    assert total == 0
    return {"seconds": seconds, "bytes": pairs.resident("VmHWM") - before, "version": safetensors.__version__}


pairs.serve(measure)
