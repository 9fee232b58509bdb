"""Lines: people counted over a line on simulated moving crowds, against the true crossings.

    python -m benchmarks.lines [--json FILE]

The crowds are those of ``benchmarks/tracking.py``: people walk on a ground plane, half of them each way; heads are shifted by
noise, 8 % are missed, 2 % are false. The line runs down the middle of the picture. The truth comes from the true paths, 50 times a
second: who was clear of the line on one side and is then clear of it on the other has crossed it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.tracking import SECONDS, SIZE, seen, walk
from crowdscale.points import Points
from crowdscale.zones.crossings import CLEAR, Crossings
from crowdscale.zones.zone import Zone, Zones
from research.moving_page import lines_table

MIDDLE = SIZE[0] / 2
LINE = Zones((Zone("line", ((MIDDLE, 0), (MIDDLE, SIZE[1])), "line"),))
SEEDS = {20: 6, 200: 2, 1000: 1}
RATES = (5, 10, 25)


def true_crossings(x: np.ndarray) -> tuple[int, int]:
    """Return the crossings to the left and to the right of (times, people) paths."""
    sides = np.where(np.abs(x - MIDDLE) > CLEAR * np.hypot(*SIZE), np.sign(x - MIDDLE), 0)
    to_left = to_right = 0
    for path in sides.T:
        clear = path[path != 0]
        steps = np.diff(clear)
        to_left, to_right = to_left + int((steps < 0).sum()), to_right + int((steps > 0).sum())
    return to_left, to_right


def crossings(people: int, rate: int, seed: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the true and the counted crossings, (forward, backward)."""
    rng, counter, paths = np.random.default_rng(seed + 1), Crossings(LINE), []
    counted = (0, 0)
    for step, (time, _, true) in enumerate(walk(people, 50, seed)):
        paths.append(true[:, 0])
        if step % (50 // rate) == 0:
            xy, _ = seen(true, rng)
            inside = ((xy >= 0) & (xy < SIZE)).all(axis=1)
            counted = counter.update(Points(xy[inside] - 0.5), SIZE, time)["line"]
    return true_crossings(np.array(paths)), counted


def measure(people: int, rate: int) -> dict[str, float]:
    """Return the errors over all seeds of a size."""
    runs = np.array([crossings(people, rate, seed) for seed in range(SEEDS[people])], float)
    true, counted = runs[:, 0], runs[:, 1]
    error, net = counted - true, (counted[:, 0] - counted[:, 1]) - (true[:, 0] - true[:, 1])
    minutes = SEEDS[people] * SECONDS / 60
    return {
        "people": people, "frames_a_second": rate, "crossings": int(true.sum()), "per_minute": true.sum() / minutes,
        "counted": int(counted.sum()), "error": float(error.sum() / true.sum()),
        "rmse": float(np.sqrt((error**2).sum() / true.sum())), "net_error": float(np.abs(net).sum() / true.sum()),
    }  # fmt: skip


def main() -> None:
    """Print the table; ``--json FILE`` writes it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rows = [measure(people, rate) for people in SEEDS for rate in RATES]
    print(lines_table(rows))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
