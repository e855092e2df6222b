# SPDX-License-Identifier: GPL-3.0-or-later
"""`qatw export`: transformers loads the Hugging Face folder and computes what our engine computes from the stored codes."""
import json
import pathlib
import signal
import subprocess
import time

import pytest
import safetensors.torch
import torch
import transformers

from common import BIN, ROOT, run_qatw

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


def test_only_exports_are_replaced(quantized, tmp_path):
    """--overwrite takes an earlier export away, and nothing else: not other files, not the folder that is exported."""
    project, run = quantized
    mine, out = tmp_path / "mine", tmp_path / "out"
    mine.mkdir()
    (mine / "thesis.txt").write_text("keep")

    def export(source, form, folder):
        return run_qatw(["export", source, "--format", form, "--out", folder, "--overwrite", "--project", project, "--json"], check=False)

    done = export(run, "native", mine)
    error = json.loads(done.stdout)["error"]
    assert done.returncode != 0 and error["code"] == "file.unsafe" and str(mine) in error["msg"] and "remove" in error["hint"], error
    assert [p.name for p in mine.iterdir()] == ["thesis.txt"]
    assert export(run, "native", out).returncode == 0
    assert json.loads(export(out, "hf", out).stdout)["error"]["code"] == "file.unsafe"
    assert (out / "model.safetensors").exists() and json.loads((out / "qat_workbench_export.json").read_text())["format"] == "native"
    assert export(run, "hf", out).returncode == 0
    assert json.loads((out / "qat_workbench_export.json").read_text())["format"] == "hf"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "out"]


def test_a_cancel_while_logits_are_compared_writes_nothing(quantized, tmp_path):
    """The engine compares before the folder is in sight."""
    project, run = quantized
    tool = subprocess.Popen([BIN / "qatw", "export", run, "--format", "native", "--out", tmp_path / "out", "--project", project, "--json"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    children = pathlib.Path(f"/proc/{tool.pid}/task/{tool.pid}/children")
    deadline = time.monotonic() + 60
    while not children.read_text().strip():
        assert tool.poll() is None and time.monotonic() < deadline
    assert not (tmp_path / "out").exists()
    tool.send_signal(signal.SIGINT)
    answer, _ = tool.communicate(timeout=60)
    assert tool.returncode != 0 and json.loads(answer)["error"]["code"] == "engine.cancelled", answer
    assert list(tmp_path.iterdir()) == []
    shown = json.loads(run_qatw(["show", run, "--project", project, "--json"]).stdout)
    assert not any(a["path"] == str(tmp_path / "out") for a in shown["artifacts"])


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


STUDY = """recipe: 1
name: shipped
model: {path: SAMPLE/model}
device: cpu
data:
  train: [{path: SAMPLE/text/train.jsonl}]
  seq_len: 64
train: {max_steps: 2, micro_batch: 2}
optim: {lr: 1.0e-4}
eval:
  tasks: [{name: pages, path: SAMPLE/tasks/pages.raw, mode: wikitext, limit: 1}]
schemes:
  - {name: int4, preset: intx_weight_only, weight: {dtype: int4, granularity: per_channel}}
precision: {mode: fp32, export_dtype: bf16}
export: [{scheme: int4, format: compressed-tensors}, {scheme: all, format: native}, {scheme: int4, format: compressed-tensors-w4a8}]
"""


def test_a_study_ends_in_its_exports(tmp_path):
    """The recipe's list is written once, verified, and kept with its runs; what cannot be written is a sentence."""
    recipe = tmp_path / "shipped.yaml"
    recipe.write_text(STUDY.replace("SAMPLE", str(ROOT / "resources/sample")))
    first = json.loads(run_qatw(["run", recipe, "--project", tmp_path / "project", "--json"]).stdout)
    folder = tmp_path / "project/exports/shipped"
    names = sorted(p.name for p in folder.iterdir())
    assert len([n for n in names if n.endswith("compressed-tensors")]) == 2 and len(names) == 4, names
    for out in folder.glob("*compressed-tensors"):
        _, info = transformers.AutoModelForCausalLM.from_pretrained(out, output_loading_info=True)
        assert not any(info.values()), info
    assert sum("was not exported as compressed-tensors-w4a8" in sentence for sentence in first["exports"]) == 2, first["exports"]
    again = json.loads(run_qatw(["run", recipe, "--project", tmp_path / "project", "--json"]).stdout)
    assert sum("is up to date" in sentence for sentence in again["exports"]) == 4, again["exports"]
    runs = json.loads(run_qatw(["runs", "--project", tmp_path / "project", "--json"]).stdout)["runs"]
    sheets = []
    for run in runs:
        shown = json.loads(run_qatw(["show", run["uid"], "--project", tmp_path / "project", "--json"]).stdout)
        sheets += [a for a in shown["artifacts"] if a["kind"] == "export"]
    assert len(sheets) == 2 and all(a["info"]["verified"] for a in sheets), sheets


@pytest.mark.parametrize("form", ["gguf", "compressed-tensors", "gptq", "hf"])
def test_an_unknown_architecture_is_named(form, tmp_path):
    """By its name and with those that are known; nothing is written, not even a part."""
    model = transformers.GPTNeoXConfig(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2)
    transformers.GPTNeoXForCausalLM(model).save_pretrained(tmp_path / "neox")
    before = sorted(tmp_path.iterdir())
    done = run_qatw(["export", tmp_path / "neox", "--format", form, "--out", tmp_path / "out", "--json"], check=False)
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 4 and error["code"] == "model.unsupported_arch" and '"gpt_neox" is not supported' in error["msg"], done.stdout
    assert all(known in error["hint"] for known in ("llama", "mistral", "qwen2", "qwen3")), error
    (row,) = json.loads(run_qatw(["export", tmp_path / "neox", "--format", form, "--check", "--json"]).stdout)
    assert row["fidelity"] == "unsupported" and '"gpt_neox" is not supported' in row["why"], row
    assert sorted(tmp_path.iterdir()) == before


def test_a_damaged_source_is_not_shipped(tmp_path):
    """One bit of a run's own quantized folder: the export names the folder and writes nothing."""
    run_qatw(["ptq", SAMPLE, "--scheme", "intx_weight_only", "--set", "weight.dtype=int4", "--out", tmp_path / "native",
              "--project", tmp_path / "project"])
    file = next((tmp_path / "project/runs").glob("*/exports/native/model.safetensors"))
    raw = bytearray(file.read_bytes())
    raw[-9] ^= 1
    file.write_bytes(raw)
    run = json.loads(run_qatw(["runs", "--project", tmp_path / "project", "--json"]).stdout)["runs"][-1]["uid"]
    done = run_qatw(["export", run, "--format", "compressed-tensors", "--out", tmp_path / "x", "--project", tmp_path / "project", "--json"],
                    check=False)
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 4 and error["code"] == "file.corrupt" and "digest has changed" in error["msg"], done.stdout
    assert not (tmp_path / "x").exists()
