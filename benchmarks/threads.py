"""Many threads on one predictor: equal counts and flat memory. ``python -m benchmarks.threads``.

Threads share a predictor and count small crops of the example photo, in an order of their own. Each count and each head
must equal that of a single thread. Printed is the memory of the process as the predictions go on; it must not grow
from the first tenth to the end by more than ``--grow`` MB.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import threading
import time
from pathlib import Path

import numpy as np

from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import Predictor, load
from crowdscale.files.images import Pixels, read_image

PHOTO = Path(__file__).parents[1] / "examples" / "auditorium.jpg"
PAGE = os.sysconf("SC_PAGE_SIZE")
STEPS = 10


def crops(side: int, number: int) -> list[Pixels]:
    """Return square crops of the example, each from another place."""
    pixels = read_image(PHOTO).pixels
    rng = np.random.default_rng(0)
    corners = rng.integers(0, (pixels.shape[0] - side, pixels.shape[1] - side), (number, 2)).tolist()
    return [np.ascontiguousarray(pixels[top : top + side, left : left + side]) for top, left in corners]


def megabytes() -> float:
    """Return the memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def same(one: Prediction, other: Prediction) -> bool:
    """Return whether two predictions have the same count and the same heads."""
    if one.points is None or other.points is None:
        return one.count == other.count
    return one.count == other.count and np.array_equal(one.points.xy, other.points.xy)


class Work:
    """The predictions of all threads."""

    def __init__(self, predictor: Predictor, photos: list[Pixels], each: int) -> None:
        self.predictor, self.photos, self.each = predictor, photos, each
        self.right = [predictor.predict(photo) for photo in photos]
        self.done = self.different = 0
        self.faults: list[str] = []
        self.lock = threading.Lock()

    def run(self, seed: int) -> None:
        """Count photos in a random order."""
        rng = random.Random(seed)
        for _ in range(self.each):
            index = rng.randrange(len(self.photos))
            try:
                equal = same(self.predictor.predict(self.photos[index]), self.right[index])
            except Exception as error:
                self.faults.append(repr(error))
                return
            with self.lock:
                self.done += 1
                self.different += not equal


def main() -> int:
    """Print the memory at each tenth, and the predictions that differ; return 1 for any, or for growth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--each", type=int, default=500, help="predictions of each thread")
    parser.add_argument("--side", type=int, default=64, help="pixels of a crop's side")
    parser.add_argument("--grow", type=float, default=20.0, help="MB by which the memory may grow")
    options = parser.parse_args()
    work = Work(load(options.model, threads=1), crops(options.side, 12), options.each)
    threads = [threading.Thread(target=work.run, args=(seed,)) for seed in range(options.threads)]
    total, started, sizes = options.threads * options.each, time.monotonic(), list[float]()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.02)
        if work.done >= total * (len(sizes) + 1) / STEPS:
            sizes.append(megabytes())
            print(
                f"{work.done:6,} predictions {sizes[-1]:7.1f} MB {time.monotonic() - started:6.1f} s",
                flush=True,
            )
    grown = (sizes[-1] - sizes[0]) if sizes else 0.0
    print(f"{work.done:,} of {total:,} predictions by {options.threads} threads: {work.different} differ")
    print(f"memory from the first tenth to the last: {grown:+.1f} MB")
    for fault in work.faults:
        print(fault, file=sys.stderr)
    return 1 if work.faults or work.different or grown > options.grow else 0


if __name__ == "__main__":
    sys.exit(main())
