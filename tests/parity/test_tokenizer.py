# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids and decoded text of `qatw tokenize` against the tokenizers package, one small trained tokenizer per pipeline of tokenizers.md 7.1."""
import json
import random
import unicodedata

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from common import ROOT, json_lines, needs_data, run_qatw

GPT2 = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
LLAMA3 = r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
QWEN35 = r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
CL100K = r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
WORD1 = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
WORD2 = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
SHORT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
O200K = WORD1 + SHORT + "|" + WORD2 + SHORT + r"|\p{N}{1,3}" + TAIL
TEKKEN = WORD1 + "|" + WORD2 + r"|\p{N}" + TAIL


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def byte_level(**flags):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, **flags)


# name: (normalizer, pre-tokenizer, ignore_merges)
BYTE_ROWS = {
    "gpt2": (None, byte_level(), False),
    "gpt2_prefix": (None, pre_tokenizers.ByteLevel(add_prefix_space=True), False),
    "neox": (normalizers.NFC(), byte_level(), False),
    "smollm": (None, pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level()]), False),
    "llama3": (None, split(LLAMA3), True),
    "qwen2": (normalizers.NFC(), split(QWEN2), False),
    "qwen35": (normalizers.NFC(), split(QWEN35), False),
    "cl100k": (None, split(CL100K), False),
    "o200k": (None, split(O200K), False),
    "tekken": (None, split(TEKKEN), True),
    "falcon": (
        None,
        pre_tokenizers.Sequence([
            pre_tokenizers.Punctuation("contiguous"), byte_level(), pre_tokenizers.Digits(individual_digits=False),
            pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")]),
        False,
    ),
    "lower_strip": (normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Strip()]), byte_level(), False),
    "accents": (normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]), byte_level(), False),
    "split_next": (
        None,
        pre_tokenizers.Sequence([
            pre_tokenizers.Split(" ", "merged_with_next"), pre_tokenizers.Split(Regex(r"[aeiou]+"), "contiguous", invert=True),
            pre_tokenizers.Split(Regex(r"\n"), "merged_with_previous"), byte_level(use_regex=False)]),
        False,
    ),
    "words": (None, pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), byte_level(use_regex=False)]), False),
}
ADDED = [
    AddedToken("<|end|>", special=True, normalized=False),
    AddedToken("<|end|><|x", special=True, normalized=False),
    AddedToken("<l>", lstrip=True, special=True, normalized=False),
    AddedToken("<r>", rstrip=True, special=False, normalized=False),
    AddedToken("cat", single_word=True, special=False, normalized=False),
    AddedToken("Zürich", special=False, normalized=True),
    AddedToken("two words", lstrip=True, rstrip=True, special=False, normalized=True),
]
SPECIAL_TEXTS = [
    "<|end|>", "a<|end|>b", "<|end|><|end|>", "<|end|><|x", "x <l> y", " \u00a0\u3000<l>z", "q\u200b<l>", "a<r> \n b", "<l> <r>", "<r> <l>", "cat", "a cat.",
    "cats", "xcat", "cat\u0301", "cat\u203f", "cat\u00b2", "cat\u200d", "\u24b6cat", "cat_cat cat", "Zürich", "Zu\u0308rich!", "in ZürichZürich",
    "a two words b", "two words", "two  words", "<|end", "<s>hello</s>", "<s> hello", "<unk>", "<0x41>", "▁a", "a▁b", " ", "", "\u001c<l>", "\u0085<l>\u0085",
]


def lines(path, limit=None):
    with open(path, encoding="utf-8", newline="\n") as file:
        rows = [line.rstrip("\n") for line in file]
    return rows[:limit]


@pytest.fixture(scope="module")
def corpus():
    return [line for line in lines(needs_data("wikitext-2-raw", "wiki.test.raw"), 1500) if line]


@pytest.fixture(scope="module")
def texts():
    """Fixtures, special-token strings, random Unicode (code points known to Unicode 14 only: tokenizers.md 8), HellaSwag contexts, wiki.valid."""
    fixtures = [json.loads(line) for line in lines(ROOT / "tests/data/tokenizer/splits.jsonl")]
    out = [row["t"] for row in fixtures if row["id"] != "D4"] + SPECIAL_TEXTS
    rng = random.Random(20240611)
    known = [c for c in range(0x3400) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    known += [c for c in range(0xA000, 0x1FB00) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    alphabet = [known, list(range(32, 127)), [ord(c) for c in " \t\r\n'0123456789aA"], list(range(0x250))[1:]]
    for _ in range(1500):
        pool = rng.choice(alphabet)
        out.append("".join(chr(rng.choice(pool if rng.random() < 0.8 else rng.choice(alphabet))) for _ in range(rng.randint(1, 60))))
    with open(needs_data("hellaswag", "hellaswag_val.jsonl"), encoding="utf-8") as file:
        out += [json.loads(line)["ctx"] for _, line in zip(range(500), file)]
    return out + lines(needs_data("wikitext-2-raw", "wiki.valid.raw"))


def post_processor(tokenizer):
    bos = tokenizer.token_to_id("<s>")
    return processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", bos)])


def make_byte_level(row, corpus):
    normalizer, pre_tokenizer, ignore_merges = BYTE_ROWS[row]
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=1200, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), post_processor(tokenizer)])
    tokenizer.add_tokens(ADDED)
    return tokenizer


SENTENCEPIECE_ROWS = {
    "llama2": {"normalizer": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}], "pre": None, "strip": True},
    "llama2_first": {
        "normalizer": None,
        "pre": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False},
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False},
    },
    "metaspace_always": {
        "normalizer": None,
        "pre": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True, "prepend_scheme": "always"},
        "decoder": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True, "prepend_scheme": "always"},
    },
    "metaspace_never": {
        "normalizer": None,
        "pre": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": True},
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": True},
    },
    "gemma": {
        "normalizer": [{"type": "Replace", "pattern": {"String": " "}, "content": "▁"}],
        "pre": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
        "strip": False,
    },
    "no_fallback": {
        "normalizer": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"Regex": " "}, "content": "▁"}],
        "pre": None, "strip": True, "byte_fallback": False,
    },
    "no_fallback_no_fuse": {
        "normalizer": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}],
        "pre": None, "strip": True, "byte_fallback": False, "fuse_unk": False,
    },
    "dropping": {"normalizer": [{"type": "Replace", "pattern": {"String": " "}, "content": "▁"}], "pre": None, "strip": False, "byte_fallback": False, "unk": None},
}


def make_sentencepiece(row, corpus):
    spec = SENTENCEPIECE_ROWS[row]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    names = ["<unk>", "<s>", "</s>"]
    tokens = [f"<0x{b:02X}>" for b in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=1500, special_tokens=names + tokens, limit_alphabet=90, show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    file = json.loads(tokenizer.to_str())
    file["added_tokens"] = file["added_tokens"][:3]
    file["normalizer"] = {"type": "Sequence", "normalizers": spec["normalizer"]} if spec["normalizer"] else None
    file["pre_tokenizer"] = spec["pre"]
    file["model"].update(byte_fallback=spec.get("byte_fallback", True), fuse_unk=spec.get("fuse_unk", True), unk_token=spec.get("unk", "<unk>"))
    steps = [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
    if spec.get("strip"):
        steps.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    file["decoder"] = spec.get("decoder") or {"type": "Sequence", "decoders": steps}
    tokenizer = Tokenizer.from_str(json.dumps(file))
    tokenizer.post_processor = post_processor(tokenizer)
    tokenizer.add_tokens(ADDED)
    return tokenizer


def qatw_lines(folder, key, values, *flags):
    body = "".join(json.dumps({key: value}) + "\n" for value in values)
    return json_lines(run_qatw(["tokenize", folder, "--jsonl", "-", *flags], input=body.encode()).stdout.decode())


def compare(folder, tokenizer, texts):
    def differences(expected, got, values):
        return [(v, e, g) for v, e, g in zip(values, expected, got) if e != g][:3]

    expected = [e.ids for e in tokenizer.encode_batch(texts)]
    got = [row["ids"] for row in qatw_lines(folder, "text", texts)]
    assert len(got) == len(texts)
    assert differences(expected, got, texts) == []
    plain = [row["ids"] for row in qatw_lines(folder, "text", texts[:300], "--no-special")]
    assert differences([tokenizer.encode(t, add_special_tokens=False).ids for t in texts[:300]], plain, texts) == []
    tokenizer.encode_special_tokens = True
    unmatched = [row["ids"] for row in qatw_lines(folder, "text", texts[:300], "--no-match-special")]
    assert differences([tokenizer.encode(t).ids for t in texts[:300]], unmatched, texts) == []
    tokenizer.encode_special_tokens = False
    for flags, skip in (([], False), (["--skip-special"], True)):
        decoded = [row["text"] for row in qatw_lines(folder, "ids", expected, "--decode", *flags)]
        assert differences(tokenizer.decode_batch(expected, skip_special_tokens=skip), decoded, expected) == []
    rng = random.Random(7)
    size = tokenizer.get_vocab_size()
    noise = [[rng.randrange(size + 20) for _ in range(rng.randint(1, 12))] for _ in range(500)]
    decoded = [row["text"] for row in qatw_lines(folder, "ids", noise, "--decode")]
    assert differences([tokenizer.decode(ids, skip_special_tokens=False) for ids in noise], decoded, noise) == []


# The compatibility and accent tables of tokenizers are those of an older Unicode (U+32FF of version 12.1 is unknown to them).
OLD_TABLES = ("lower_strip", "accents")
# These see every line of wiki.valid, the others the first thousand.
IN_FULL = ("gpt2", "llama3", "qwen2", "smollm", "llama2")


def sample(row, texts):
    return texts if row in IN_FULL else texts[:3200]


@pytest.mark.parametrize("row", BYTE_ROWS)
def test_byte_level(row, corpus, texts, tmp_path):
    tokenizer = make_byte_level(row, corpus)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    if row in OLD_TABLES:
        texts = [t for t in texts if all(unicodedata.ucd_3_2_0.category(c) != "Cn" for c in t)]
    compare(tmp_path, tokenizer, sample(row, texts))


@pytest.mark.parametrize("row", SENTENCEPIECE_ROWS)
def test_sentencepiece_style(row, corpus, texts, tmp_path):
    tokenizer = make_sentencepiece(row, corpus)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    compare(tmp_path, tokenizer, sample(row, texts))


def test_stories260k(texts):
    folder = needs_data("stories260K")
    compare(folder, Tokenizer.from_file(str(folder / "tokenizer.json")), texts)


def test_gpt2_files(corpus, texts, tmp_path):
    """vocab.json + merges.txt read like ByteLevelBPETokenizer does."""
    tokenizer = make_byte_level("gpt2", corpus)
    tokenizer.model.save(str(tmp_path))
    loaded = Tokenizer(models.BPE.from_file(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt")))
    loaded.pre_tokenizer, loaded.decoder = byte_level(), decoders.ByteLevel()
    sample = texts[:2000]
    assert [row["ids"] for row in qatw_lines(tmp_path, "text", sample)] == [e.ids for e in loaded.encode_batch(sample)]
