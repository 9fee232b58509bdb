"""Tracking on rendered crowds: frames of drawn people who walk, counted by a model, linked, and compared with true identities.

    python -m benchmarks.tracking_drawn --json FILE --kept FOLDER [--people 200] [--rate 5] [--seconds 2]

IDF1 (Ristani et al., 2016) and switches a person as in ``benchmarks/tracking.py``. Here heads are located by the model in
drawn frames (``research.synthetic.moving``), so that misses and false heads are the model's own. A head and a person match
within half of the head's height. Five upright lines cut the frame in six: the true crossings are those of the true heads, the
hidden ones too. Following is all that a watch does with heads: tracks, lines, stays in an area, density and flow on the ground.

The rates show the same film (``benchmarks.drawn_counts``), which is drawn and counted once: ``--kept`` keeps the heads of each
frame, so that a run that was stopped goes on. Each case is written into the file as it ends, in the place of an earlier one.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from benchmarks.drawn_counts import CountedFrame, Film, counted_frames, sampled_numbers
from crowdscale.counting.prediction import Prediction
from crowdscale.video.following import Followed
from crowdscale.zones.crossings import Crossings
from crowdscale.zones.ground import Ground
from crowdscale.zones.zone import Zone, Zones
from research.moving_page import drawn_lines_table, drawn_table

SIZES = {20: (768, 576), 200: (1024, 768), 1000: (1600, 1200)}
ASKED = {20: 20, 200: 200, 1000: 1500}
"""People in the scene: of 1,500 some 1,080 have a head that shows."""
SECONDS = {
    20: {5: 4.0, 10: 2.0, 25: 2.0},
    200: {5: 3.2, 10: 1.6, 25: 1.0},
    1000: {5: 4.0, 10: 2.0, 25: 1.0},
}
"""Length of a film by people and frames a second. Frames are few, since each is drawn and counted on a CPU."""
RATES = (5, 10, 25)
LINES = 5
REACH = 0.5
"""Largest distance of a head from its person, over the distance of the person to the nearest other one or 12 pixels."""


def pair(located: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return the index of each located head's person, -1 for a false head."""
    who = np.full(len(located), -1)
    if not len(located) or not len(true):
        return who
    near = cKDTree(true).query(true, 2)[0][:, 1] if len(true) > 1 else np.full(1, 24.0)
    reach = np.clip(REACH * near, 4, 12)
    apart = np.hypot(*(located[:, None] - true[None]).transpose(2, 0, 1))
    cost = np.where(apart <= reach[None], apart, 1e6)
    rows, columns = linear_sum_assignment(cost)
    good = cost[rows, columns] < 1e6
    who[rows[good]] = columns[good]
    return who


@dataclass
class Identities:
    """Who was followed by which track."""

    heads: int = 0
    people: int = 0
    paired: int = 0
    switches: int = 0
    together: dict[tuple[int, int], int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)

    def take(self, located: np.ndarray, tracks: np.ndarray, frame: CountedFrame) -> None:
        """Take in a frame."""
        who = pair(located, frame.true.xy)
        self.heads, self.people = self.heads + len(located), self.people + len(frame.true)
        self.paired += int((who >= 0).sum())
        for person, track in zip(who.tolist(), tracks.tolist(), strict=True):
            if person >= 0:
                identity = int(frame.identities[person])
                self.together[identity, track] = self.together.get((identity, track), 0) + 1
                self.switches += identity in self.last and self.last[identity] != track
                self.last[identity] = track

    def measures(self) -> dict[str, float]:
        """Return what was kept."""
        persons, numbers = sorted({a for a, _ in self.together}), sorted({b for _, b in self.together})
        table = np.zeros((len(persons), len(numbers)))
        for (identity, track), number in self.together.items():
            table[np.searchsorted(persons, identity), np.searchsorted(numbers, track)] = number
        right = table[linear_sum_assignment(-table)].sum()
        total = self.heads + self.people
        return {
            "recall": self.paired / self.people, "precision": self.paired / max(1, self.heads),
            "IDF1": 2 * right / total, "IDF1_at_most": 2 * self.paired / total,
            "switches_a_person": self.switches / max(1, len(persons)),
        }  # fmt: skip


def upright_lines(width: int, height: int) -> Zones:
    """Return lines that cut the frame in equal parts, an area, and a ground of 20 × 15 m."""
    places = [width * part / (LINES + 1) for part in range(1, LINES + 1)]
    lines = tuple(Zone(f"{x:.0f}", ((x, 0), (x, height)), "line") for x in places)
    x, y = width / 4, height / 4
    area = Zone("middle", ((x, y), (3 * x, y), (3 * x, 3 * y), (x, 3 * y)))
    ground = Ground(((0, 0), (width, 0), (width, height), (0, height)), ((0, 0), (20, 0), (20, 15), (0, 15)))
    return Zones((*lines, area), ground)


def measure(people: int, rate: float, seconds: float, model: str, folder: Path) -> dict[str, Any]:
    """Return identities and crossings kept on one drawn crowd, and the cost of following and of counting a frame."""
    size, numbers = SIZES[people], sampled_numbers(rate, seconds)
    zones, identities = upright_lines(*size), Identities()
    followed, true = Followed(zones, True), Crossings(zones)
    following, counting = [], []
    crossed: dict[str, tuple[int, int]] = {}
    for frame in counted_frames(Film(ASKED[people], size), numbers, model, folder):
        counting.append(frame.count_ms)
        heads = Prediction(float(len(frame.located)), frame.located, None, (), 0.0, None, size, model)
        begin = time.process_time()
        movement = followed.take(heads, frame.time, size)
        following.append(time.process_time() - begin)
        assert movement.tracks is not None
        crossed = movement.crossed
        identities.take(frame.located.xy, movement.tracks, frame)
        true.update(frame.everyone, size, frame.time, frame.everyone_identities)
    return {
        "asked": people, "size": size, "people": identities.people / len(numbers), "frames_a_second": rate,
        "frames": len(numbers), "seconds": seconds,
        **identities.measures(),
        "true": np.sum(list(true.counts.values()), axis=0).tolist(),
        "counted": np.sum(list(crossed.values()), axis=0).tolist(),
        "follow_ms": 1000 * float(np.median(following)), "count_ms": float(np.median(counting)),
    }  # fmt: skip


def written(path: Path, model: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Write a case into the file, in the place of an earlier one, and return all."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"model": model, "rows": []}
    if known["model"] != model:
        raise SystemExit(f"{path} holds cases of {known['model']}: choose another file")
    cases = {(each["asked"], each["frames_a_second"]): each for each in [*known["rows"], row]}
    rows = [cases[case] for case in sorted(cases)]
    path.write_text(json.dumps({"model": model, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    return rows


def main() -> None:
    """Print the tables; ``--json FILE`` writes them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="lite")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--kept", type=Path, required=True, help="folder of located heads")
    parser.add_argument("--seconds", type=float, help="length of the film")
    parser.add_argument("--people", type=int, choices=SIZES, help="these alone")
    parser.add_argument("--rate", type=int, choices=RATES, help="this one alone")
    chosen = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for people in [chosen.people] if chosen.people else SIZES:
        for rate in [chosen.rate] if chosen.rate else RATES:
            row = measure(people, rate, chosen.seconds or SECONDS[people][rate], chosen.model, chosen.kept)
            print(row, flush=True)
            rows = written(chosen.json, chosen.model, row)
    print(drawn_table(rows), drawn_lines_table(rows), sep="\n\n")


if __name__ == "__main__":
    main()
