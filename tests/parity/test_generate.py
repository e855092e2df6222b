# SPDX-License-Identifier: GPL-3.0-or-later
"""`qatw generate` against transformers: greedy ids, the distribution of sampled tokens; and what only a whole program can show."""
import json
import signal
import subprocess

import pytest
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM
from transformers.generation import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from common import BIN, json_lines, needs_data, run_qatw
from test_logits import make_model

TOKENS = 64


def generate(model, lines, folder, *options, tokens=TOKENS):
    (folder / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run_qatw(["generate", model, "--jsonl", folder / "prompts.jsonl", "--max-new-tokens", tokens, *options])
    out = json_lines(done.stdout.decode())
    assert [row["prompt"] for row in out] == list(range(len(lines)))
    return out


def theirs(model, ids, tokens=TOKENS):
    with torch.no_grad():
        row = torch.tensor([ids])
        out = model.generate(row, attention_mask=torch.ones_like(row), max_new_tokens=tokens, do_sample=False, pad_token_id=0)
    return out[0, len(ids):].tolist()


@pytest.mark.parametrize("case", ["llama", "llama-rope-llama3", "mistral", "mistral-window", "qwen2", "qwen3", "qwen3-tied-window"])
def test_greedy_ids(case, tmp_path):
    model = make_model(tmp_path / "model", case)
    generator = torch.Generator().manual_seed(len(case))
    prompts = [torch.randint(3, 128, (n,), generator=generator).tolist() for n in (1, 5, 12, 23)]
    ours = generate(tmp_path / "model", [{"ids": ids} for ids in prompts], tmp_path)
    for ids, row in zip(prompts, ours):
        want = theirs(model, ids)
        assert row["ids"] == want
        assert row["finish"] == ("eos" if want[-1] == 2 else "length") and row["prompt_tokens"] == len(ids)


def test_greedy_stories(tmp_path):
    folder = needs_data("stories260K")
    model = LlamaForCausalLM.from_pretrained(folder).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    prompts = ["Once upon a time", "The dog was", "Lily said: \"", "One day, Tom and Zoë", ""]
    for prompt, row in zip(prompts, generate(folder, [{"prompt": p} for p in prompts], tmp_path)):
        ids = tokenizer.encode(prompt).ids
        assert row["ids"] == theirs(model, ids)
        assert tokenizer.decode(ids) + row["text"] == tokenizer.decode(ids + row["ids"])


def warped(logits, temperature, top_k, top_p):
    chain = LogitsProcessorList([TemperatureLogitsWarper(temperature)])
    if top_k:
        chain.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        chain.append(TopPLogitsWarper(top_p))
    return torch.softmax(chain(None, logits.unsqueeze(0).double())[0], -1)


@pytest.mark.parametrize("temperature, top_k, top_p", [(1.0, 0, 1.0), (0.5, 10, 1.0), (1.5, 0, 0.7), (0.8, 40, 0.9)])
def test_sampled_tokens_follow_the_warped_distribution(temperature, top_k, top_p, tmp_path):
    model = make_model(tmp_path / "model", "llama-tied")
    ids, draws = [5, 17, 99], 3000
    with torch.no_grad():
        want = warped(model(torch.tensor([ids])).logits[0, -1], temperature, top_k, top_p)
    options = ["--temperature", temperature, "--top-k", top_k, "--top-p", top_p, "--seed", 3]
    drawn = [row["ids"][0] for row in generate(tmp_path / "model", [{"ids": ids}] * draws, tmp_path, *options, tokens=1)]
    seen = torch.bincount(torch.tensor(drawn), minlength=128).double()
    assert seen[want == 0].sum() == 0, "a token that the filters remove was drawn"
    # Chi-square over the tokens that are expected at least five times, the others together.
    expected = want * draws
    often = expected >= 5
    cells = torch.cat([expected[often], expected[~often].sum().clamp(min=1e-9)[None]])
    counts = torch.cat([seen[often], seen[~often].sum()[None]])
    cells, counts = (cells, counts) if expected[~often].sum() >= 5 else (cells[:-1], counts[:-1])
    degrees = len(cells) - 1
    assert degrees >= 3
    assert ((counts - cells) ** 2 / cells).sum() < degrees + 4 * (2 * degrees) ** 0.5 + 4


def test_same_seed_same_text_on_any_thread_count(tmp_path):
    folder = needs_data("stories260K")
    options = ["--temperature", "1.0", "--top-k", "0"]
    lines = [{"prompt": "Once upon a time"}, {"prompt": "Once upon a time"}, {"prompt": "The cat"}]
    one, two, other = (
        [row["ids"] for row in generate(folder, lines, tmp_path, *options, "--seed", seed, "--threads", threads)]
        for seed, threads in ((7, 1), (7, 2), (8, 1)))
    assert one == two
    assert one[0] != one[1] and one[0] != other[0]


def test_quantized_folder_says_what_its_scheme_says(tmp_path):
    folder = needs_data("stories260K")
    scheme = ["--scheme", "8da4w", "--set", "weight.group_size=32"]
    run_qatw(["ptq", folder, *scheme, "--out", tmp_path / "native", "--project", tmp_path / "project"])
    line = [{"prompt": "Once upon a time, there was a"}]
    native, faked, plain = (
        generate(*args)[0] for args in ((tmp_path / "native", line, tmp_path), (folder, line, tmp_path, *scheme), (folder, line, tmp_path)))
    assert native["ids"] == faked["ids"] and native["text"] == faked["text"]
    assert native["ids"] != plain["ids"]


def test_one_prompt_streams_text(tmp_path):
    folder = needs_data("stories260K")
    (tmp_path / "prompt.txt").write_text("Once upon a time")
    row = json.loads(run_qatw(["generate", folder, "--prompt", "Once upon a time", "--max-new-tokens", 40, "--json"]).stdout)
    shown = run_qatw(["generate", folder, "--prompt-file", tmp_path / "prompt.txt", "--max-new-tokens", 40, "--greedy"])
    assert shown.stdout.decode() == row["text"] + "\n"
    assert "40 tokens" in shown.stderr.decode() and "tokens/s" in shown.stderr.decode()
    stop = row["text"][20:26]
    cut = json.loads(run_qatw(["generate", folder, "--prompt", "Once upon a time", "--max-new-tokens", 40, "--stop", stop, "--json"]).stdout)
    assert cut["finish"] == "stop" and cut["text"] == row["text"][:row["text"].index(stop)]
    assert row["ids"][:len(cut["ids"])] == cut["ids"]


def test_interrupt_keeps_the_text():
    folder = needs_data("stories260K")
    command = [BIN / "qatw", "generate", folder, "--prompt", "Once", "--max-new-tokens", "1000000", "--temperature", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        first = process.stdout.read(20)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (first + out).endswith(b"\n") and b"ended by: cancelled" in errors


@pytest.mark.parametrize("lines, code, said", [
    ('{"prompt": 3}\n', 4, "prompts.jsonl:1"),
    ('{"ids": [1, 128]}\n', 4, "no token id below 128"),
    ('{"ids": [1]}\nnonsense\n', 4, "prompts.jsonl:2"),
    ('{"ids": []}\n', 4, "has no token"),
    ('{"prompt": "no tokenizer here"}\n', 4, "tokenizer"),
    ("", 4, "holds no prompt"),
])
def test_bad_prompts_are_named(lines, code, said, tmp_path):
    make_model(tmp_path / "model", "llama")
    (tmp_path / "prompts.jsonl").write_text(lines)
    done = run_qatw(["generate", tmp_path / "model", "--jsonl", tmp_path / "prompts.jsonl"], check=False)
    assert done.returncode == code and said in done.stderr.decode() and not done.stdout


@pytest.mark.parametrize("options, said", [
    (["--prompt", "a", "--jsonl", "b"], "give one of"),
    (["--prompt", "a", "--temperature", "-1"], "--temperature"),
    (["--prompt", "a", "--top-p", "0", "--temperature", "1"], "--top-p"),
    (["--prompt", "a", "--top-k", "5"], "greedy"),
    (["--prompt", "a", "--greedy", "--temperature", "1"], "--greedy"),
    (["--prompt", "a", "--set", "weight.group_size=32"], "--scheme"),
])
def test_usage_errors(options, said):
    done = run_qatw(["generate", "nowhere", *options], check=False)
    assert done.returncode == 2 and said in done.stderr.decode()
