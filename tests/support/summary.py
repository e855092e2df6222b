# SPDX-License-Identifier: GPL-3.0-or-later
"""One closing line over ctest's Qt Test programs and pytest's report: 'N passed, N failed, N skipped'. Exit 1 on any failure or no test."""
import pathlib
import re
import sys
import xml.etree.ElementTree as xml


def qt_counts(log, junit):
    """Functions counted by Qt Test itself, less initTestCase and cleanupTestCase; a program that died without totals is one failure."""
    passed = failed = skipped = 0
    text = pathlib.Path(log).read_text(encoding="utf-8", errors="replace")
    for p, f, s in re.findall(r"^Totals: (\d+) passed, (\d+) failed, (\d+) skipped", text, re.M):
        passed, failed, skipped = passed + max(int(p) - 2, 0), failed + int(f), skipped + int(s)
    broken = [case.get("name") for case in xml.parse(junit).getroot().iter("testcase") if case.get("status") == "fail"]
    if len(broken) > failed:
        failed = len(broken)
    return passed, failed, skipped, broken


def pytest_counts(report):
    passed = failed = skipped = 0
    broken = []
    for case in xml.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
            broken.append(f"{case.get('classname')}.{case.get('name')}")
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped, broken


def main(log, junit, parity=None):
    passed, failed, skipped, broken = qt_counts(log, junit)
    if parity:
        if pathlib.Path(parity).exists():
            more = pytest_counts(parity)
            passed, failed, skipped, broken = passed + more[0], failed + more[1], skipped + more[2], broken + more[3]
        else:
            failed += 1
            broken.append("parity (no report was written)")
    for name in broken:
        print(f"failed: {name}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
