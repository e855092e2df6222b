# SPDX-License-Identifier: GPL-3.0-or-later
"""qatw eval against lm-evaluation-harness 0.4.13 on the same rows and pages of stories260K."""
import json
import math
import sys

from common import ROOT, json_lines, needs_data, run_qatw

sys.path.insert(0, str(ROOT / "tests/bench"))
ROWS, PAGES = 50, 5
METRICS = ("word_perplexity", "byte_perplexity", "bits_per_byte")


def ours(tmp_path, *options):
    items = tmp_path / "items.jsonl"
    done = run_qatw(["eval", needs_data("stories260K"), "--task", f"hellaswag={needs_data('hellaswag/hellaswag_val_200.jsonl')}",
                     "--limit", ROWS, "--dtype", "fp32", "--device", "cpu", "--project", tmp_path / "project", "--items", items, "--json", *options])
    return json.loads(done.stdout), json_lines(items.read_text())


def our_pages(tmp_path, *options):
    done = run_qatw(["eval", needs_data("stories260K"), "--task", f"wikitext={needs_data('wikitext-2-raw/wiki.test.raw')}", "--limit", PAGES,
                     "--dtype", "fp32", "--device", "cpu", "--project", tmp_path / "project", "--json", *options])
    return json.loads(done.stdout)


def harness(**options):
    import lm_eval_peer as peer

    return peer, peer.model(str(needs_data("stories260K")), **options)


def check_hellaswag(have, want):
    for name in ("acc", "acc_norm"):
        assert have["tasks"]["hellaswag"][name] == want["results"]["hellaswag"][f"{name},none"]
        assert math.isclose(have["tasks"]["hellaswag"][f"{name}_stderr"], want["results"]["hellaswag"][f"{name}_stderr,none"], rel_tol=1e-12)
    assert have["tasks"]["hellaswag"]["n"] == ROWS


def check_wikitext(have, want):
    for name in METRICS:
        assert math.isclose(have["tasks"]["wikitext"][name], want["results"]["wikitext"][f"{name},none"], rel_tol=1e-5), name
    assert have["tasks"]["wikitext"]["n"] == PAGES


def test_hellaswag(tmp_path):
    peer, lm = harness()
    want = peer.evaluate(lm, [peer.hellaswag(peer.rows_of(needs_data("hellaswag/hellaswag_val_200.jsonl"), ROWS))], samples=True)
    have, items = ours(tmp_path)
    check_hellaswag(have, want)
    assert have["settings"]
    samples = sorted(want["samples"]["hellaswag"], key=lambda sample: sample["doc_id"])
    assert len(items) == len(samples) == ROWS
    for item, sample in zip(items, samples):
        scores = [float(response[0]) for response in sample["filtered_resps"]]
        assert max(abs(a - b) for a, b in zip(item["ll"], scores, strict=True)) < 2e-3


def test_hellaswag_without_bos_and_truncated(tmp_path):
    peer, lm = harness(add_bos_token=False, max_length=256)
    want = peer.evaluate(lm, [peer.hellaswag(peer.rows_of(needs_data("hellaswag/hellaswag_val_200.jsonl"), ROWS))])
    have, _ = ours(tmp_path, "--bos", "off", "--max-length", 256)
    for name in ("acc", "acc_norm"):
        assert have["tasks"]["hellaswag"][name] == want["results"]["hellaswag"][f"{name},none"]


def test_wikitext(tmp_path):
    peer, lm = harness()
    want = peer.evaluate(lm, [peer.wikitext(peer.pages_of(needs_data("wikitext-2-raw/wiki.test.raw"), PAGES))])
    check_wikitext(our_pages(tmp_path), want)


def test_wikitext_without_bos_in_short_windows(tmp_path):
    peer, lm = harness(add_bos_token=False, max_length=128)
    want = peer.evaluate(lm, [peer.wikitext(peer.pages_of(needs_data("wikitext-2-raw/wiki.test.raw"), PAGES))])
    check_wikitext(our_pages(tmp_path, "--bos", "off", "--max-length", 128), want)
