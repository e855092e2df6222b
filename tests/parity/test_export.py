# SPDX-License-Identifier: GPL-3.0-or-later
"""`qatw export`: transformers loads the Hugging Face folder and computes what our engine computes from the stored codes."""
import json
import pathlib

import pytest
import safetensors.torch
import torch
import transformers

from common import ROOT, run_qatw

SAMPLE = ROOT / "resources/sample/model"


@pytest.fixture(scope="module")
def quantized(tmp_path_factory):
    """A project with one PTQ run of the sample model at 3 bits, and that run's id."""
    work = tmp_path_factory.mktemp("export")
    run_qatw(["ptq", SAMPLE, "--scheme", "intx_weight_only", "--set", "weight.dtype=int3", "--out", work / "native",
              "--project", work / "project", "--json"])
    runs = json.loads(run_qatw(["runs", "--project", work / "project", "--json"]).stdout)
    return work / "project", runs["runs"][-1]["uid"] if isinstance(runs, dict) else runs[-1]["uid"]


def logits_of(folder, ids, tmp_path):
    (tmp_path / "ids.json").write_text(json.dumps(ids))
    run_qatw(["logits", folder, "--ids", tmp_path / "ids.json", "--out", tmp_path / "logits.safetensors"])
    return safetensors.torch.load_file(tmp_path / "logits.safetensors")


def test_transformers_computes_the_quantized_model(quantized, tmp_path):
    project, run = quantized
    sheet = json.loads(run_qatw(["export", run, "--format", "hf", "--out", tmp_path / "hf", "--project", project, "--json"]).stdout)
    assert sheet["verified"] and all(check["ok"] for check in sheet["checks"]), sheet
    model, info = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "hf", output_loading_info=True, dtype=torch.float32)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    run_qatw(["export", run, "--format", "native", "--out", tmp_path / "native", "--project", project])
    ids = [list(range(3, 60)), [7, 8, 9, 200, 31]]
    ours = logits_of(tmp_path / "native", ids, tmp_path)
    for i, row in enumerate(ids):
        with torch.no_grad():
            theirs = model(torch.tensor([row])).logits[0]
        assert (ours[f"logits.{i}"] - theirs).abs().max() <= 2e-5 * theirs.abs().max()


def test_a_full_folder_is_left_alone(quantized, tmp_path):
    project, run = quantized
    out = tmp_path / "full"
    out.mkdir()
    (out / "mine.txt").write_text("keep")
    for kind in ("hf", "native"):
        done = run_qatw(["export", run, "--format", kind, "--out", out, "--project", project, "--json"], check=False)
        assert done.returncode != 0 and json.loads(done.stdout)["error"]["code"] == "file.unsafe", done.stdout
        assert [p.name for p in out.iterdir()] == ["mine.txt"]


def test_a_flipped_byte_is_noticed(quantized, tmp_path):
    """The check reads the files again: a changed weight in an exported folder differs from the run's."""
    project, run = quantized
    run_qatw(["export", run, "--format", "hf", "--out", tmp_path / "a", "--project", project])
    file = next(pathlib.Path(tmp_path / "a").glob("*.safetensors"))
    raw = bytearray(file.read_bytes())
    raw[-9] ^= 0x40
    file.write_bytes(raw)
    ids = [list(range(3, 60))]
    run_qatw(["export", run, "--format", "native", "--out", tmp_path / "native", "--project", project])
    a, b = logits_of(tmp_path / "a", ids, tmp_path)["logits.0"].clone(), logits_of(tmp_path / "native", ids, tmp_path)["logits.0"]
    assert not torch.equal(a, b)


def test_a_run_without_trained_weights_has_no_latent_ones(quantized, tmp_path):
    project, run = quantized
    done = run_qatw(["export", run, "--format", "hf-latent", "--out", tmp_path / "x", "--project", project, "--json"], check=False)
    assert done.returncode == 2 and "no trained weights" in json.loads(done.stdout)["error"]["msg"], done.stdout
    assert not (tmp_path / "x").exists()
