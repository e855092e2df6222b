# SPDX-License-Identifier: GPL-3.0-or-later
"""What ships says what we say: greedy text of the sample's exports, by `qatw generate` and by the programs that load them."""
import json

import pytest
import torch
import transformers
from tokenizers import Tokenizer

from common import ROOT, json_lines, run_qatw

SAMPLE = ROOT / "resources/sample/model"
PROMPTS = ["Selma Thorne: She keeps a", "Tomas Whitlock: By trade he is", "Berit Ivory: Her favourite colour is"]
TOKENS = 48

transformers.logging.set_verbosity_error()


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    """The sample in the scheme that its study recommends."""
    work = tmp_path_factory.mktemp("shipped")
    run_qatw(["ptq", SAMPLE, "--scheme", "8da4w", "--out", work / "native", "--project", work / "project"])
    return work / "native"


def ours(model, folder):
    (folder / "prompts.jsonl").write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in PROMPTS))
    done = run_qatw(["generate", model, "--jsonl", folder / "prompts.jsonl", "--max-new-tokens", TOKENS])
    return [row["ids"] for row in json_lines(done.stdout.decode())]


# Only the first says to its readers that activations are rounded, as ours does; the others are compared with ours of the same folder.
@pytest.mark.parametrize("form", ["compressed-tensors-w4a8", "compressed-tensors", "hf"])
def test_transformers_says_what_we_say(native, form, tmp_path):
    out = tmp_path / "out"
    run_qatw(["export", native, "--format", form, "--out", out])
    model = transformers.AutoModelForCausalLM.from_pretrained(out).eval()
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    answers = ours(out, tmp_path)
    if form == "compressed-tensors-w4a8":
        assert answers == ours(native, tmp_path)
    for prompt, answer in zip(PROMPTS, answers):
        ids = torch.tensor([tokenizer.encode(prompt).ids])
        with torch.no_grad():
            said = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=TOKENS, do_sample=False, pad_token_id=0)
        assert answer == said[0, ids.shape[1]:].tolist(), prompt
