"""Tracking: identities kept on simulated moving crowds with true identities, and the time a frame takes.

``python -m benchmarks.tracking [--json FILE]``: IDF1 (Ristani et al., 2016) and identity switches a track, at 20, 200 and 1,000 people
and 5, 10 and 25 frames a second. Positions are drawn, not photographed: people walk on a ground plane, half of them
each way, keep apart, and are seen in perspective. Heads are shifted by noise, 8 % are missed, 2 % are false.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from crowdscale.zones.linking import Linker
from research.moving_page import simulated_table

SIZE = (1280, 720)
SECONDS = 12
MISSED, FALSE, NOISE = 0.08, 0.02, 0.06
STEP = 1 / 50


def walk(people: int, rate: float, seed: int) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """Yield (time, ids, (n, 2) true pixels) of people in a hall of 2 m² each, some 30 % of the time in view."""
    rng = np.random.default_rng(seed)
    depth = width = np.sqrt(2.0 * people)
    place = rng.uniform(0, 1, (people, 2)) * (width, depth)
    wish = np.column_stack(
        [
            np.where(rng.random(people) < 0.5, 1, -1) * rng.normal(1.2, 0.25, people),
            rng.normal(0, 0.25, people),
        ]
    )
    every = round(1 / rate / STEP)
    for step in range(int(SECONDS / STEP)):
        if step % every == 0:
            yield step * STEP, np.arange(people), project(place, width, depth)
        push = np.zeros_like(place)
        pairs = cKDTree(place).query_pairs(0.8, output_type="ndarray")
        gap = place[pairs[:, 0]] - place[pairs[:, 1]]
        far = np.maximum(np.hypot(*gap.T), 0.05)[:, None]
        force = np.clip(0.8 - far, 0, None) * gap / far * 3.0
        np.add.at(push, pairs[:, 0], force)
        np.add.at(push, pairs[:, 1], -force)
        place = place + STEP * (wish + push)
        turn = (place < 0) | (place > (width, depth))
        wish = np.where(turn, np.where(place < 0, np.abs(wish), -np.abs(wish)), wish)
        place = np.clip(place, 0, (width, depth))


def project(place: np.ndarray, width: float, depth: float) -> np.ndarray:
    """Return pixels of ground places: a camera above the near edge, the far edge three times as far."""
    away = 0.5 * depth + place[:, 1]
    x = SIZE[0] / 2 + (place[:, 0] - width / 2) / away * 0.5 * depth / width * SIZE[0] * 0.95
    y = SIZE[1] * (0.02 + 0.96 * (0.5 * depth / away - 1 / 3) * 1.5)
    return np.column_stack([x, y])


def seen(true: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy heads and the index of each one's person, -1 for a false one."""
    near = cKDTree(true).query(true, 2)[0][:, 1] if len(true) > 1 else np.full(len(true), 50.0)
    noise = rng.normal(0, 1, true.shape) * np.clip(NOISE * near, 0.3, 3)[:, None]
    kept = np.flatnonzero(rng.random(len(true)) > MISSED)
    wrong = rng.uniform(0, 1, (rng.poisson(FALSE * len(true)), 2)) * SIZE
    return np.vstack([(true + noise)[kept], wrong]), np.concatenate([kept, np.full(len(wrong), -1)])


def measure(people: int, rate: float, seed: int = 0) -> dict[str, float]:
    """Return IDF1, switches a person and milliseconds a frame."""
    rng, linker, spent = np.random.default_rng(seed + 1), Linker(), []
    together: dict[tuple[int, int], int] = {}
    last: dict[int, int] = {}
    heads = truths = switches = 0
    for at, ids, true in walk(people, rate, seed):
        xy, who = seen(true, rng)
        begin = time.perf_counter()
        tracks = linker.update(xy, at, float(np.hypot(*SIZE)))
        spent.append(time.perf_counter() - begin)
        heads, truths = heads + len(xy), truths + len(ids)
        for person, track in zip(who.tolist(), tracks.tolist(), strict=True):
            if person >= 0:
                together[person, track] = together.get((person, track), 0) + 1
                switches += person in last and last[person] != track
                last[person] = track
    persons, tracks_ = sorted({p for p, _ in together}), sorted({t for _, t in together})
    table = np.zeros((len(persons), len(tracks_)))
    for (person, track), number in together.items():
        table[persons.index(person), np.searchsorted(tracks_, track)] = number
    right = table[linear_sum_assignment(-table)].sum()
    return {
        "people": people, "frames a second": rate, "IDF1": 2 * right / (heads + truths),
        "most": 2 * (1 - MISSED) / (2 - MISSED + FALSE), "switches a person": switches / people,
        "ms a frame": 1000 * float(np.median(spent)),
    }  # fmt: skip


def main() -> None:
    """Print the table; ``--json FILE`` writes it."""
    rows = [measure(people, rate) for people in (20, 200, 1000) for rate in (5, 10, 25)]
    print(simulated_table(rows))
    if "--json" in sys.argv:
        with Path(sys.argv[sys.argv.index("--json") + 1]).open("w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
