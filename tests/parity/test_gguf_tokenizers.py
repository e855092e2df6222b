# SPDX-License-Identifier: GPL-3.0-or-later
"""GGUF exports: llama.cpp tokenizes as we do, by every pre-tokenizer name that we write, and knows the chat template."""
import json

import gguf
import pytest
import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from common import ROOT, json_lines, run_qatw
from gguf_files import check_tokens, export, gguf_in, scalar, trained
from llama_cpp_peer import LlamaCpp

TEXTS = ["", " ", "a", "Once upon a time, there was a little girl.", "  two  spaces ", "line\nbreak\n\n", "3 x 14 = 42; 1234567",
         "don't WE'LL I'm", "caf\u00e9 \u4f60\u597d \U0001f44d\U0001f3fd", "tab\there \u2581 \u00a0", "<s> </s> <unk> <0x41>", "e\u0301", "\u0928\u092e\u0938\u094d\u0924\u0947",
         "https://ex.am/ple?q=1&r=two#frag_3", "'90s rock'n'roll", "...!!!\n\n---"]


def same_ids(folder, path, texts=TEXTS):
    """llama.cpp and we give the same ids for every text."""
    engine = LlamaCpp(path)
    lines = "\n".join(json.dumps({"text": t}) for t in texts)
    ours = json_lines(run_qatw(["tokenize", folder, "--jsonl", "-", "--no-match-special"], input=lines.encode()).stdout.decode())
    for text, line in zip(texts, ours):
        assert engine.tokenize(text) == line["ids"], text

@pytest.mark.parametrize("name", ["sample", "stories260K"])
def test_llama_cpp_tokenizes_as_we_do(name, tmp_path):
    folder, _ = trained(name)
    export(folder, tmp_path / "out", "gguf")
    check_tokens(gguf_in(tmp_path / "out"), folder)
    same_ids(folder, gguf_in(tmp_path / "out"))


WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# tokenizer.ggml.pre: what is split first, whether whole pieces are looked up before merging, NFC (which llama.cpp leaves out)
PRE = {
    "gpt-2": (None, False, False),
    "smollm": (pre_tokenizers.Digits(individual_digits=True), False, False),
    "llama-bpe": (pre_tokenizers.Split(Regex(WORDS % r"\p{N}{1,3}"), "isolated"), True, False),
    "qwen2": (pre_tokenizers.Split(Regex(WORDS % r"\p{N}"), "isolated"), False, True),
}
CHAT = ("{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def made_model(pre, folder):
    """A random model whose byte-level tokenizer of that kind has learnt the sample's text and the test's own."""
    first, ignore_merges, composes = PRE[pre]
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if composes:
        tokenizer.normalizer = normalizers.NFC()
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pre in ("gpt-2", "smollm"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([first, level]) if first else level
    tokenizer.decoder = decoders.ByteLevel()
    lines = [row["text"] for row in json_lines((ROOT / "resources/sample/text/valid.jsonl").read_text())]
    tokenizer.train_from_iterator(lines + TEXTS * 20, trainers.BpeTrainer(
        vocab_size=900, special_tokens=["<|end|>", "<|im_start|>", "<|im_end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    torch.manual_seed(1)
    rows = tokenizer.get_vocab_size() + 8  # some rows of the embedding belong to no token
    transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=rows, hidden_size=64, intermediate_size=96, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=256, bos_token_id=0, eos_token_id=0)).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "chat_template": CHAT}))
    return folder


@pytest.mark.parametrize("pre", PRE)
def test_every_pre_tokenizer_name(pre, tmp_path):
    folder = made_model(pre, tmp_path / "model")
    sheet = export(folder, tmp_path / "out")
    reader = gguf.GGUFReader(gguf_in(tmp_path / "out"))
    assert scalar(reader, "tokenizer.ggml.model") == "gpt2" and scalar(reader, "tokenizer.ggml.pre") == pre
    assert any("NFC" in note for note in sheet["verdict"]["notes"]) == PRE[pre][2], sheet["verdict"]
    check_tokens(gguf_in(tmp_path / "out"), folder)
    same_ids(folder, gguf_in(tmp_path / "out"), [t for t in TEXTS if t != "e\u0301" or not PRE[pre][2]])  # the note: NFC is left out


def test_a_pre_tokenizer_that_llama_cpp_has_not_is_refused(tmp_path):
    """Another regex than any it knows: a wrong name would silently change ids."""
    folder = made_model("llama-bpe", tmp_path / "model")
    text = (folder / "tokenizer.json").read_text()
    assert text.count("{1,3}") == 1
    (folder / "tokenizer.json").write_text(text.replace("{1,3}", "{1,4}"))
    row = json.loads(run_qatw(["export", folder, "--check", "--format", "gguf", "--json"]).stdout)[0]
    assert row["fidelity"] == "unsupported" and "pre-tokenizer" in row["why"], row


def test_the_chat_template_is_known(tmp_path):
    folder = made_model("smollm", tmp_path / "model")
    export(folder, tmp_path / "out")
    assert scalar(gguf.GGUFReader(gguf_in(tmp_path / "out")), "tokenizer.chat_template") == CHAT
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who are you?"}]
    theirs = LlamaCpp(gguf_in(tmp_path / "out")).post("/apply-template", {"messages": talk})["prompt"]
    known = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), chat_template=CHAT)
    assert theirs == known.apply_chat_template(talk, tokenize=False, add_generation_prompt=True)
