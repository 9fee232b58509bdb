"""Target maps of a huge photo: 12,865 heads on 6000×4000, labels and densities, time and memory.

    python benchmarks/maps.py [--rounds 3]

Density by accumulating small kernels (ours) against filtering the whole frame of impulses with a
Gaussian, once in all (SciPy). Each is measured in a process of its own; medians, peaks, ratios.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys

CODE = """
import json, resource, time
import numpy as np
from scipy.ndimage import gaussian_filter
from crowdscale.maps import Density, DistanceLabels
from crowdscale.points import Points

points = Points(np.random.default_rng(0).uniform(0, 1, (12865, 2)) * (5999, 3999))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def filtered():
    frame = np.zeros((4000, 6000), np.float32)
    columns, rows = np.rint(points.xy).astype(int).T
    np.add.at(frame, (rows, columns), 1)
    return gaussian_filter(frame, 4.0, mode="constant", truncate=4.0)

work = {
    "labels": lambda: DistanceLabels().encode(points, 6000, 4000),
    "density, small kernels": lambda: Density(4.0).encode(points, 6000, 4000),
    "density, adaptive kernels": lambda: Density(4.0, adaptive=True).encode(points, 6000, 4000),
    "density, whole frame filtered": filtered,
}[NAME]
start = time.perf_counter()
work()
taken = time.perf_counter() - start
print(json.dumps([taken, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))
"""

NAMES = ("labels", "density, small kernels", "density, adaptive kernels", "density, whole frame filtered")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    found: dict[str, list[list[float]]] = {name: [] for name in NAMES}
    for _ in range(rounds):
        for name in NAMES:
            code = CODE.replace("[NAME]", f"[{name!r}]")
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            found[name].append(json.loads(done.stdout))
    base = statistics.median(row[0] for row in found["density, small kernels"])
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
    print("| map | seconds | ratio | peak above the libraries, MiB |\n|---|---|---|---|")
    for name, rows in found.items():
        taken, memory = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"| {name} | {taken:.2f} | {taken / base:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
