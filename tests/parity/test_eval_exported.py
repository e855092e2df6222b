# SPDX-License-Identifier: GPL-3.0-or-later
"""`qatw eval DIR --of RUN` with the real engine: the folder that ships has a row of its own in compare, with the run's own score."""
import json

import pytest

from common import ROOT, run_qatw

SAMPLE = ROOT / "resources/sample"
ROWS = 24


def quantized_run(work, scheme, settings, dtype):
    """A PTQ run of the sample that was measured on a few rows and a page: project, uid."""
    project = work / "project"
    run_qatw(["ptq", SAMPLE / "model", "--scheme", scheme, *settings, "--dtype", dtype, "--out", work / "native", "--project", project, "--device", "cpu",
              "--task", f"hellaswag={SAMPLE / 'tasks/people.jsonl'}", "--task", f"wikitext={SAMPLE / 'tasks/pages.raw'}", "--limit", ROWS])
    return project, json.loads(run_qatw(["runs", "--project", project, "--json"]).stdout)["runs"][-1]["uid"]


def shipped(project, run, form, out):
    """Exports, evaluates as the run was, and gives both rows of compare by role."""
    sheet = json.loads(run_qatw(["export", run, "--format", form, "--out", out, "--project", project, "--json"]).stdout)
    assert sheet["verified"] and sheet["verdict"]["fidelity"] == "exact", sheet
    result = json.loads(run_qatw(["eval", out, "--of", run, "--project", project, "--json"]).stdout)
    assert result["tasks"].keys() == {"hellaswag", "wikitext"} and result["tasks"]["hellaswag"]["n"] == ROWS, result
    own = next(r for r in json.loads(run_qatw(["runs", "--project", project, "--json"]).stdout)["runs"] if r["name"].endswith(f"· {form}"))
    compared = json.loads(run_qatw(["compare", run, own["uid"], "--project", project, "--json"]).stdout)
    rows = {row["role"]: row for row in compared["rows"]}
    assert len(compared["rows"]) == 2 and rows.keys() == {"ptq", "exported"}, compared["rows"]
    assert compared["rows"][rows["exported"]["source"]]["role"] == "ptq"
    return rows, result


CASES = {
    "compressed-tensors": ("intx_weight_only", ["--set", "weight.dtype=int4", "--set", "weight.group_size=32"], "bf16"),
    "gguf": ("intx_weight_only", ["--set", "weight.dtype=int4", "--set", "weight.group_size=32"], "bf16"),
    "compressed-tensors-w4a8": ("8da4w", [], "fp32"),
}


@pytest.mark.parametrize("form", CASES)
def test_what_ships_has_the_score_of_its_run(form, tmp_path):
    project, run = quantized_run(tmp_path, *CASES[form])
    rows, result = shipped(project, run, form, tmp_path / "out")
    values = [cell["value"] for cell in rows["ptq"]["cells"]]
    assert len(values) >= 4 and all(v is not None for v in values), rows
    assert [cell["value"] for cell in rows["exported"]["cells"]] == values, rows
    measured = {v for task in result["tasks"].values() for v in task.values()}
    assert set(values) <= measured, (values, result)


def test_a_changed_folder_has_another_score(tmp_path):
    """The row is measured, not copied: one scale of every block times eight shows."""
    project, run = quantized_run(tmp_path, *CASES["compressed-tensors"])
    out = tmp_path / "out"
    run_qatw(["export", run, "--format", "compressed-tensors", "--out", out, "--project", project])
    import safetensors.torch

    tensors = safetensors.torch.load_file(out / "model.safetensors")
    for name in tensors:
        if name.endswith("down_proj.weight_scale"):
            tensors[name] *= 8
    safetensors.torch.save_file(tensors, out / "model.safetensors", {"format": "pt"})
    result = json.loads(run_qatw(["eval", out, "--of", run, "--project", project, "--json"]).stdout)
    shown = json.loads(run_qatw(["show", run, "--project", project, "--json"]).stdout)
    assert json.dumps(result["tasks"]["wikitext"]["word_perplexity"]) not in json.dumps(shown)


def test_a_quantized_folder_is_neither_trained_nor_quantized(tmp_path):
    """A GGUF says so only in itself: the recipe's check and the engine look into the files."""
    project, run = quantized_run(tmp_path, *CASES["gguf"])
    out = tmp_path / "out"
    run_qatw(["export", run, "--format", "gguf", "--out", out, "--project", project])
    recipe = tmp_path / "train.yaml"
    for model in (out, next(out.glob("*.gguf"))):
        recipe.write_text(f"recipe: 1\nname: x\nmodel: {{path: {model}}}\ndevice: cpu\ndata: {{train: [{{path: {SAMPLE / 'text/train.jsonl'}}}]}}\n")
        done = run_qatw(["run", recipe, "--project", project, "--json"], check=False)
        assert done.returncode == 3 and b"quantized already (gguf)" in done.stdout, done.stdout
    done = run_qatw(["ptq", out, "--scheme", "8da4w", "--out", tmp_path / "again", "--project", project, "--json"], check=False)
    assert done.returncode == 3 and b"quantized already (gguf)" in done.stdout, done.stdout
    assert not (tmp_path / "again").exists()
