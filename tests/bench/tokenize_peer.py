# SPDX-License-Identifier: GPL-3.0-or-later
"""Peer of the bench tokenize: the tokenizers package on one thread, line by line. See pairs.py

Per kind of tokenizer "MB/s" and a "checksum" of the ids. Trains the byte-level tokenizer and leaves it in SCRATCH/byte-level.
"""
import os
import pathlib
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import pairs

_, data, scratch, quick = pairs.arguments()
data, folder = pathlib.Path(data), pathlib.Path(scratch) / "byte-level"
text = (data / "wikitext-2-raw/wiki.valid.raw").read_text(encoding="utf-8")
lines = text.removesuffix("\n").split("\n")[: 200 if quick else None]

folder.mkdir()
byte_level = Tokenizer(models.BPE())
byte_level.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
byte_level.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(vocab_size=1000 if quick else 16000, special_tokens=["<|endoftext|>"],
                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
byte_level.train_from_iterator(lines, trainer)
byte_level.save(str(folder / "tokenizer.json"))
kinds = {"byte-fallback": Tokenizer.from_file(str(data / "stories260K/tokenizer.json")), "byte-level": byte_level}


def measure():
    answer = {"version": tokenizers.__version__}
    size = sum(len(line.encode()) for line in lines)
    for name, tokenizer in kinds.items():
        begin = time.perf_counter()
        encoded = [tokenizer.encode(line, add_special_tokens=False) for line in lines]
        seconds = time.perf_counter() - begin
        total = sum(id * (i + 1) for one in encoded for i, id in enumerate(one.ids))
        answer[name] = {"MB/s": size / seconds * 1e-6, "checksum": total & ((1 << 53) - 1)}
    return answer


pairs.serve(measure)
