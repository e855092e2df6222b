# SPDX-License-Identifier: GPL-3.0-or-later
"""Where parity tests find the tool and the reference data."""
import json
import os
import pathlib
import subprocess

os.environ.setdefault("HF_HUB_OFFLINE", "1")

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("QATW_BIN") or ROOT / "build/release/bin")
DATA = pathlib.Path(os.environ.get("QATW_TEST_DATA") or ROOT / "../shared/data").resolve()


def run_qatw(args, check=True, **options):
    """Runs `qatw ARGS`; with check a failure shows what the tool said."""
    done = subprocess.run([str(BIN / "qatw"), *map(str, args)], capture_output=True, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"qatw {args} -> {done.returncode}\n{done.stdout!r}\n{done.stderr!r}")
    return done


def needs_data(*parts):
    """Path below the reference data; skips the test when it is not at hand."""
    import pytest

    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference data not found: {path}")
    return path


def json_lines(text):
    return [json.loads(line) for line in text.split("\n") if line]
