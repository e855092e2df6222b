# SPDX-License-Identifier: GPL-3.0-or-later
"""How `qatw bench` talks to a peer: SCRIPT [KIND] THREADS DATA SCRATCH quick|full; each line on standard input asks for one
measurement, each answer is one line with a JSON object of numbers. By hand: echo | python SCRIPT …"""
import json
import sys
import time


def arguments():
    """threads, data folder, scratch folder, quick"""
    threads, data, scratch, size = sys.argv[-4:]
    return int(threads), data, scratch, size == "quick"


def serve(measure):
    for _ in sys.stdin:
        print(json.dumps(measure()), flush=True)


def median(values):
    return sorted(values)[len(values) // 2]


def timed(work, runs, warm=1):
    """Median seconds."""
    for _ in range(warm):
        work()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return median(times)


def peak_reset():
    """Starts a new peak of resident memory (Linux: VmHWM)."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def resident(key="VmRSS"):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    return 0
