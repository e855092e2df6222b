# SPDX-License-Identifier: GPL-3.0-or-later
"""Peer of the benches hellaswag and wikitext: lm-evaluation-harness at batch 8. eval_peer.py hellaswag|wikitext …, see pairs.py

"seconds" (and seconds of "cpu") of the requests, tokenising included and model loading not, and the "sum" of their scores.
"""
import pathlib
import sys
import time

import torch

import lm_eval_peer as peer
import pairs
from lm_eval.api.instance import Instance

kind = sys.argv[1]
threads, data, _, quick = pairs.arguments()
data = pathlib.Path(data)
torch.set_num_threads(threads)
lm = peer.model(str(data / "stories260K"))
if kind == "hellaswag":
    clean = peer.module(peer.TASKS / "hellaswag/utils.py").preprocess
    requests = []
    for row in peer.rows_of(data / "hellaswag/hellaswag_val.jsonl", 20 if quick else 500):
        query = clean(row["activity_label"] + ": " + row["ctx_a"] + " " + row["ctx_b"].capitalize())
        requests += [Instance("loglikelihood", row, (query, " " + clean(ending)), i) for i, ending in enumerate(row["endings"])]
else:
    rules = peer.module(peer.TASKS / "wikitext/preprocess_wikitext.py")
    pages = peer.pages_of(data / "wikitext-2-raw/wiki.test.raw", 1 if quick else 10)
    requests = [Instance("loglikelihood_rolling", {}, (rules.wikitext_detokenizer({"page": page}),), 0) for page in pages]


def measure():
    begin, cpu = time.perf_counter(), time.process_time()
    if kind == "hellaswag":
        total = sum(float(score[0]) for score in lm.loglikelihood(requests, disable_tqdm=True))
    else:
        total = float(sum(lm.loglikelihood_rolling(requests, disable_tqdm=True)))
    return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu, "sum": total, "version": peer.lm_eval.__version__}


pairs.serve(measure)
