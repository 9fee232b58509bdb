"""Tracking on rendered crowds: frames of drawn people who walk, counted by a model, linked, and compared with true identities.

    python -m benchmarks.tracking_drawn [--json FILE]

IDF1 (Ristani et al., 2016) and switches a person as in ``benchmarks/tracking.py``. Here heads are located by the model in
drawn frames (``research.synthetic.moving``), so that misses and false heads are the model's own. A head and a person match
within half of the head's height. Frames are few, since each is drawn and counted on a CPU.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from crowdscale.counting.predictor import PredictOptions, load
from crowdscale.zones.linking import Linker
from research.moving_page import drawn_table
from research.synthetic.moving import moving_frames
from research.synthetic.options import SceneOptions

CASES = ((20, 5, 12), (20, 10, 12), (20, 25, 12), (200, 10, 6), (1000, 10, 3))
"""People, frames a second, frames."""
SIZES = {20: (768, 576), 200: (1024, 768), 1000: (1280, 960)}
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


def measure(people: int, rate: float, frames: int, model: str) -> dict[str, float]:
    """Return identities kept on one drawn crowd, and the cost of linking and of counting a frame."""
    width, height = SIZES[people]
    predictor = load(model, threads=1, options=PredictOptions(keep_map=False))
    scene = SceneOptions(width=width, height=height, people=(people, people), seed=5, heads=(9.0, 60.0))
    linker, together, last = Linker(), {}, {}
    heads = truths = paired = switches = 0
    linking, counting = [], []
    for frame in moving_frames(scene, rate, frames):
        begin = time.process_time()
        located = predictor.predict(frame.pixels).points.xy
        counting.append(time.process_time() - begin)
        begin = time.process_time()
        tracks = linker.update(located, frame.time, float(np.hypot(width, height)))
        linking.append(time.process_time() - begin)
        who = pair(located, frame.points.xy)
        heads, truths, paired = (
            heads + len(located),
            truths + len(frame.points),
            paired + int((who >= 0).sum()),
        )
        for person, track in zip(who.tolist(), tracks.tolist(), strict=True):
            if person < 0:
                continue
            identity = int(frame.identities[person])
            together[identity, track] = together.get((identity, track), 0) + 1
            switches += identity in last and last[identity] != track
            last[identity] = track
    persons, numbers = sorted({a for a, _ in together}), sorted({b for _, b in together})
    table = np.zeros((len(persons), len(numbers)))
    for (identity, track), number in together.items():
        table[persons.index(identity), numbers.index(track)] = number
    right = table[linear_sum_assignment(-table)].sum()
    return {
        "people": truths / frames, "frames_a_second": rate, "frames": frames,
        "located": heads / frames, "recall": paired / truths, "precision": paired / max(1, heads),
        "IDF1": 2 * right / (heads + truths), "IDF1_at_most": 2 * paired / (heads + truths),
        "switches_a_person": switches / max(1, len(persons)),
        "link_ms": 1000 * float(np.median(linking)), "count_ms": 1000 * float(np.median(counting)),
    }  # fmt: skip


def main() -> None:
    """Print the table; ``--json FILE`` writes it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="lite")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rows = []
    for case in CASES:
        rows.append(measure(*case, chosen.model))
        print(rows[-1], flush=True)
        if chosen.json is not None:
            chosen.json.write_text(
                json.dumps({"model": chosen.model, "rows": rows}, indent=1) + "\n", encoding="utf-8"
            )
    print(drawn_table(rows))


if __name__ == "__main__":
    main()
