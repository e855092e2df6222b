# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole job on real files: stories260K, four schemes, HellaSwag and WikiText; once undisturbed and once with its engine killed."""
import hashlib
import json
import math
import os
import pathlib
import signal
import subprocess
import time

import pytest

from common import BIN, needs_data, run_qatw

RECIPE = """recipe: 1
name: four-schemes
model: {path: STORIES}
device: cpu
threads: 1
seed: 42
data:
  train: [{path: STORIES/sampled/train.jsonl}]
  eval: [{path: STORIES/sampled/valid.jsonl}]
  seq_len: 128
train: {max_steps: 60, micro_batch: 8}
optim: {name: adamw, lr: 3.0e-4}
schedule: {name: cosine, warmup_ratio: 0.03}
precision: {mode: fp32}
memory: {activation_checkpointing: none}
schemes:
  - {name: 8da4w-g32, preset: 8da4w, weight: {group_size: 32}}
  - {name: int4, preset: intx_weight_only, weight: {dtype: int4}}
  - {name: int3, preset: intx_weight_only, weight: {dtype: int3}}
  - {name: int2, preset: intx_weight_only, weight: {dtype: int2}}
eval:
  every: 20
  tasks:
    - {name: hellaswag, path: HELLASWAG}
    - {name: wikitext, path: pages.raw}
checkpoint: {every: 10, keep: 1}
log: {layer_every: 10}
verdict: {metric: loss.loss, max_loss: 10.0}
"""
SCHEMES = ("8da4w-g32", "int4", "int3", "int2")
# Whose engine is killed, and when: in training between two checkpoints, and while a task is evaluated (training has reached its last step).
KILLS = [("float_trained", "", 25), ("qat", "int3", 37), ("qat", "int2", 60)]
MEASURED = ("perf.", "time.", "mem.")  # times, rates and memory are the machine's


def golden():
    return json.loads(needs_data("stories260K/golden.json").read_text())


def write_recipe(folder):
    """The three pages that golden.json lists, cut out of the real file."""
    pages, lines = [], needs_data("wikitext-2-raw/wiki.test.raw").read_text().split("\n")
    for line in lines:
        if line.startswith(" = ") and line.endswith(" = ") and "= =" not in line:
            pages.append([])
        if pages:
            pages[-1].append(line)
    assert len(pages) == golden()["wikitext"]["documents"]
    (folder / "pages.raw").write_text("\n".join("\n".join(pages[i]) for i in golden()["wikitext"]["picked"]))
    recipe = RECIPE.replace("STORIES", str(needs_data("stories260K"))).replace("HELLASWAG", str(needs_data("hellaswag/hellaswag_val_200.jsonl")))
    (folder / "study.yaml").write_text(recipe)
    return folder / "study.yaml"


def runs_of(project):
    done = run_qatw(["runs", "--project", project, "--json"], check=False)
    return json.loads(done.stdout)["runs"] if done.returncode == 0 else []


def kill_engine(project, role, scheme, step, supervisor):
    """Sends SIGKILL to the engine that holds the run's lock, once the run has got so far."""
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        assert supervisor.poll() is None, f"the study ended before {role} {scheme} reached step {step}"
        for run in runs_of(project):
            if (run["role"], run["scheme"], run["state"]) != (role, scheme, "running") or run["step"] < step:
                continue
            pid = json.loads((pathlib.Path(run["dir"]) / "run.lock").read_text())["pid"]
            assert pathlib.Path(f"/proc/{pid}/exe").resolve().name.startswith("qat-engine")
            os.kill(pid, signal.SIGKILL)
            return run["uid"]
        time.sleep(0.02)
    raise AssertionError(f"{role} {scheme} never reached step {step}")


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """Both projects at once, one core each: (undisturbed, disturbed, uids of the runs that lost their engine)."""
    folder = tmp_path_factory.mktemp("study")
    recipe = write_recipe(folder)
    calm, stormy = folder / "calm", folder / "stormy"
    first, second = start(recipe, calm), start(recipe, stormy)
    try:
        killed = [kill_engine(stormy, *kill, second) for kill in KILLS]
        second.communicate()
        table, problems = first.communicate()
    finally:
        for supervisor in (first, second):
            supervisor.terminate()  # does nothing to one that has ended
    assert first.returncode == 0, problems
    assert second.returncode != 0, "a lost engine is a failure of the study"
    again = json.loads(run_qatw(["run", recipe, "--project", stormy, "--json"]).stdout)
    return calm, stormy, killed, json.loads(table)["table"], again["table"]


def start(recipe, project):
    return subprocess.Popen([BIN / "qatw", "run", recipe, "--project", project, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def value(table, label, task, metric):
    (column,) = [i for i, c in enumerate(table["columns"]) if (c["task"], c["metric"]) == (task, metric)]
    (row,) = [row for row in table["rows"] if row["label"] == label]
    return row["cells"][column]


def test_float_row_is_golden(studies):
    table, want = studies[3], golden()
    few = want["hellaswag"]["bos_on"]["val_200"]
    for name in ("acc", "acc_norm"):
        cell = value(table, "float", "hellaswag", name)
        assert cell["n"] == few["n"] and cell["value"] == few[name]
        assert abs(cell["stderr"] - few[name + "_stderr"]) <= 1e-6
    pages = want["wikitext"]["three_docs_bos_on"]
    shown = [c["metric"] for c in table["columns"] if c["task"] == "wikitext"]
    assert "word_perplexity" in shown
    for name in shown:
        assert math.isclose(value(table, "float", "wikitext", name)["value"], pages[name], rel_tol=1e-5), name


def test_training_wins_back_what_quantizing_costs(studies):
    for scheme in SCHEMES:
        ptq, qat = (value(studies[3], f"{scheme} {kind}", "loss", "loss") for kind in ("PTQ", "QAT"))
        assert qat["value"] < ptq["value"] and qat["beats_ptq"], scheme
        assert qat["value"] > value(studies[3], "float trained", "loss", "loss")["value"], scheme


def test_a_killed_engine_changes_nothing_in_the_table(studies):
    _, _, _, calm, stormy = studies
    for table in (calm, stormy):
        for row in table["rows"]:
            del row["tokens_per_s"]
            assert not row["problem"]
    assert calm == stormy


def facts(project):
    """Everything that was not measured by a clock: per run its series and the digests of its weights."""
    out = {}
    for run in runs_of(project):
        assert run["state"] == "completed", run
        names = json.loads(run_qatw(["series", run["uid"], "--project", project, "--json"]).stdout)["available"]
        names = [entry["name"] for entry in names if not entry["name"].startswith(MEASURED)]
        series = json.loads(run_qatw(["series", run["uid"], *names, "--project", project, "--json"]).stdout)["series"] if names else {}
        weights = {str(file.relative_to(run["dir"])): hashlib.sha256(file.read_bytes()).hexdigest()
                   for file in sorted(pathlib.Path(run["dir"]).rglob("*.safetensors"))}
        out[run["role"], run["scheme"]] = {"series": series, "weights": weights, "steps": run["step"]}
    return out


def test_a_killed_engine_changes_no_series_and_no_weight(studies):
    calm, stormy, killed, _, _ = studies
    a, b = facts(calm), facts(stormy)
    assert a.keys() == b.keys() and len(a) == 10
    assert {run["uid"] for run in runs_of(stormy)} >= set(killed)  # continued, not started anew
    for key in a:
        assert a[key] == b[key], key
        assert a[key]["weights"] or key[0] == "float", key
