"""Matching many heads: ours against a dense assignment, and one huge pair at a hundred thresholds.

    python benchmarks/matching.py [--rounds 5]

The dense method is SciPy's linear_sum_assignment on the whole matrix of pairs within the radius, which has
the same cardinality. Both take turns within one run; medians and ratios are printed. The huge pair has
12,865 true heads (the most crowded image of UCF-QNRF) and 13,000 predictions on 6000×4000 pixels.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from crowdscale.metrics import match_counts, match_points

RADIUS = 8.0


def crowd(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """True heads 12 px apart on average and predictions: four in five near a head, the rest anywhere."""
    random = np.random.default_rng(seed)
    side = 24.0 * count**0.5
    truth = random.uniform(0, side, (count, 2))
    near = truth[: 4 * count // 5] + random.normal(0, 4, (4 * count // 5, 2))
    return np.concatenate([near, random.uniform(0, side, (count - len(near), 2))]), truth


def dense(ours: np.ndarray, theirs: np.ndarray) -> int:
    within = cdist(ours, theirs) <= RADIUS
    rows, columns = linear_sum_assignment(within, maximize=True)
    return int(within[rows, columns].sum())


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
    print("| heads | ours, seconds | dense, seconds | dense / ours |\n|---|---|---|---|")
    for count in (500, 2000, 8000):
        ours, theirs = crowd(count, 0)
        assert len(match_points(ours, theirs, RADIUS)) == dense(ours, theirs)
        times = [
            (
                seconds(lambda o=ours, t=theirs: match_points(o, t, RADIUS)),
                seconds(lambda o=ours, t=theirs: dense(o, t)),
            )
            for _ in range(rounds if count < 8000 else min(rounds, 3))
        ]
        a, b = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"| {count:,} | {a:.4f} | {b:.3f} | {b / a:.0f} |")
    random = np.random.default_rng(0)
    truth = random.uniform(0, 1, (12_865, 2)) * (6000, 4000)
    near = truth[:10_000] + random.normal(0, 4, (10_000, 2))
    ours = np.concatenate([near, random.uniform(0, 1, (3_000, 2)) * (6000, 4000)])
    taken = statistics.median(seconds(lambda: match_counts(ours, truth, np.arange(1, 101))) for _ in range(3))
    print(f"\n12,865 and 13,000 points at 100 thresholds: {taken:.2f} s")
    # The peak of a process of its own: the dense method above takes much more.
    import subprocess
    import sys

    code = (
        "import numpy as np; from crowdscale.metrics import match_counts; r = np.random.default_rng(0);"
        "t = r.uniform(0, 1, (12865, 2)) * (6000, 4000);"
        "p = np.concatenate([t[:10000] + r.normal(0, 4, (10000, 2)), r.uniform(0, 1, (3000, 2)) * (6000, 4000)]);"
        "match_counts(p, t, np.arange(1, 101));"
        "print([int(x.split()[1]) / 1024 for x in open('/proc/self/status') if x.startswith('VmHWM')][0])"
    )
    peak = float(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    )
    print(f"peak resident memory of that alone: {peak:.0f} MiB (libraries included)")


if __name__ == "__main__":
    main()
