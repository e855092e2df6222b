# SPDX-License-Identifier: GPL-3.0-or-later
"""llama.cpp as the other reader of our GGUF files."""
import json
import urllib.request

import torch
import xllamacpp


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
