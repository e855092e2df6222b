# SPDX-License-Identifier: GPL-3.0-or-later
"""lm-evaluation-harness on local files: its own task definitions and its own model class, without a network."""
import importlib.util
import json
import os
import pathlib
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
SCRATCH = tempfile.TemporaryDirectory(prefix="qatw-lm-eval-")
os.environ["HF_DATASETS_CACHE"] = SCRATCH.name
os.environ["HF_HOME"] = SCRATCH.name

import lm_eval
import torch
from lm_eval.models.huggingface import HFLM
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

TASKS = pathlib.Path(lm_eval.__file__).parent / "tasks"


def module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def model(folder, batch=8, **options):
    """HFLM in fp32 on the CPU; the tokenizer is tokenizer.json as it stands."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    weights = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return HFLM(pretrained=weights, tokenizer=tokenizer, batch_size=batch, device="cpu", **options)


def rows_of(path, count):
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    return rows[:count] if count else rows


def pages_of(path, count):
    """Pages of a wikitext file, cut as the dataset EleutherAI/wikitext_document_level is."""
    pages, lines = [], []
    for line in pathlib.Path(path).read_text(encoding="utf-8").split("\n"):
        probe = line.replace("= = =", "===").replace("= =", "==").strip()
        if probe.startswith("= ") and probe.endswith(" ="):
            if "\n".join(lines).strip():
                pages.append("\n".join(lines))
            lines = []
        lines.append(line)
    pages.append("\n".join(lines))
    return pages[:count] if count else pages


def local(records, name):
    path = pathlib.Path(SCRATCH.name) / f"{name}.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return {"dataset_path": "json", "dataset_kwargs": {"data_files": {"validation": str(path)}}, "validation_split": "validation"}


def hellaswag(rows):
    keep = [{key: row[key] for key in ("activity_label", "ctx_a", "ctx_b", "endings", "label")} for row in rows]
    return {
        "task": "hellaswag", **local(keep, "hellaswag"), "output_type": "multiple_choice",
        "process_docs": module(TASKS / "hellaswag/utils.py").process_docs,
        "doc_to_text": "{{query}}", "doc_to_target": "{{label}}", "doc_to_choice": "choices",
        "metric_list": [{"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")],
        "metadata": {"version": 1.0},
    }


def wikitext(pages):
    rules = module(TASKS / "wikitext/preprocess_wikitext.py")
    return {
        "task": "wikitext", **local([{"page": page} for page in pages], "wikitext"), "output_type": "loglikelihood_rolling",
        "doc_to_text": "", "doc_to_target": rules.wikitext_detokenizer, "process_results": rules.process_results,
        "metric_list": [{"metric": name} for name in ("word_perplexity", "byte_perplexity", "bits_per_byte")],
        "metadata": {"version": 2.0},
    }


def evaluate(lm, tasks, samples=False):
    return lm_eval.simple_evaluate(model=lm, tasks=tasks, num_fewshot=0, log_samples=samples, bootstrap_iters=0 if not samples else 100000)
