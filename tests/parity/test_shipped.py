# SPDX-License-Identifier: GPL-3.0-or-later
"""What ships says what we say: the sample study's winning run, exported, in the programs that load it; greedy text against `qatw generate`."""
import json
import pathlib
import shutil

import pytest
import safetensors.torch
import torch
import transformers
from tokenizers import Tokenizer

from common import ROOT, json_lines, run_qatw
from gguf_files import gguf_in, our_logits
from llama_cpp_peer import LlamaCpp

PROMPTS = ["Selma Thorne: She keeps a", "Tomas Whitlock: By trade he is", "Berit Ivory: Her favourite colour is"]
TOKENS = 48
CLOSE = 0.5  # log probability: nearer than this llama.cpp may choose differently, because it rounds activations in its own way

# The sample's study, shorter: two of its schemes, 20 of 150 steps, and a bound that so few steps can meet.
SHORTER = {"train.max_steps": 20, "checkpoint.every": 20, "eval.every": 0, "baseline.float": "start", "baseline.ptq": "[]", "verdict.max_loss": 6,
           "schemes": "[{name: 8da4w, preset: 8da4w}, {name: int2, preset: intx_weight_only, weight: {dtype: int2, group_size: 32}}]", "export": "[]"}

transformers.logging.set_verbosity_error()


class Winner:
    """The run that the study's verdict names, its quantized folder, and what it says."""

    def __init__(self, work):
        self.project, self.work = work / "project", work
        changed = [part for key, value in SHORTER.items() for part in ("--set", f"{key}={value}")]
        done = json.loads(run_qatw(["run", ROOT / "resources/sample/study.yaml", *changed, "--project", self.project, "--json"]).stdout)
        verdict = done["table"]["verdict"]
        assert verdict["row"] >= 0, verdict
        label = done["table"]["rows"][verdict["row"]]["label"]
        (row,) = [row for row in done["rows"] if row["name"] == label]
        (run,) = [run for run in json.loads(run_qatw(["runs", "--project", self.project, "--json"]).stdout)["runs"] if run["uid"] == row["run"]]
        assert (run["role"], run["state"], run["step"]) == ("qat", "completed", SHORTER["train.max_steps"]), run
        self.run, self.native = run["uid"], pathlib.Path(run["dir"]) / "exports/native"
        self.says = said_by_us(self.native, work)
        self.made = {}

    def exported(self, form):
        """The folder that `qatw export RUN` writes, once."""
        if form not in self.made:
            out = self.work / form
            sheet = json.loads(run_qatw(["export", self.run, "--format", form, "--out", out, "--project", self.project, "--json"]).stdout)
            assert sheet["verified"] and all(check["ok"] for check in sheet["checks"]), sheet
            self.made[form] = out
        return self.made[form]


def said_by_us(model, folder):
    (folder / "prompts.jsonl").write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in PROMPTS))
    done = run_qatw(["generate", model, "--jsonl", folder / "prompts.jsonl", "--max-new-tokens", TOKENS])
    return [row["ids"] for row in json_lines(done.stdout.decode())]


def said_by_transformers(folder):
    model, info = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(info.values()), info
    tokenizer, said = Tokenizer.from_file(str(folder / "tokenizer.json")), []
    for prompt in PROMPTS:
        ids = torch.tensor([tokenizer.encode(prompt).ids])
        with torch.no_grad():
            out = model.eval().generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=TOKENS, do_sample=False, pad_token_id=0)
        said.append(out[0, ids.shape[1] :].tolist())
    return said


@pytest.fixture(scope="module")
def winner(tmp_path_factory):
    return Winner(tmp_path_factory.mktemp("shipped"))


def test_other_weights_say_something_else(winner, tmp_path):
    """The model before training in the run's scheme, and the run's export with the scales of one layer halved: the texts tell them apart."""
    run_qatw(["ptq", ROOT / "resources/sample/model", "--scheme", "8da4w", "--out", tmp_path / "ptq", "--project", tmp_path / "project"])
    assert said_by_us(tmp_path / "ptq", tmp_path) != winner.says
    copy = shutil.copytree(winner.exported("compressed-tensors-w4a8"), tmp_path / "halved")
    tensors = safetensors.torch.load_file(copy / "model.safetensors")
    tensors["model.layers.1.mlp.down_proj.weight_scale"] /= 2
    safetensors.torch.save_file(tensors, copy / "model.safetensors", {"format": "pt"})
    assert said_by_transformers(copy) != winner.says


# Only the first says to its readers that activations are rounded, as the run does; the others are compared with ours of the same folder.
@pytest.mark.parametrize("form", ["compressed-tensors-w4a8", "compressed-tensors", "hf"])
def test_transformers_says_what_we_say(winner, form, tmp_path):
    out = winner.exported(form)
    said = said_by_us(out, tmp_path)
    if form == "compressed-tensors-w4a8":
        assert said == winner.says
    assert said_by_transformers(out) == said


def test_llama_cpp_says_what_we_say(winner, tmp_path):
    out = winner.exported("gguf")
    engine = LlamaCpp(gguf_in(out))
    tokenizer = Tokenizer.from_file(str(winner.native / "tokenizer.json"))
    for prompt, ours in zip(PROMPTS, winner.says):
        ids = engine.tokenize(prompt)
        assert ids == tokenizer.encode(prompt).ids
        theirs = engine.greedy(ids, len(ours))
        split = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), None)
        print(f"{prompt!r}: {'all' if split is None else split} of {len(ours)} tokens equal")
        if split is None:
            continue
        top = torch.log_softmax(our_logits(winner.native, ids + ours[:split], tmp_path)[-1], -1).topk(2).values
        assert float(top[0] - top[1]) < CLOSE, (prompt, split)
