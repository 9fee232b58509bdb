"""Photos of one size: a batch of several in one call of the network, or a thread for each photo?

    python -m benchmarks.batches [--model lite] [--rounds 9] [--threads 2] [--size 1024x768]

First passes alone: a second pass reads regions of its own size, so two photos share no batch there. Ways take turns within
one run. Printed are milliseconds a photo, the median and the fastest, the median of processor time over all threads, and the
largest difference of a map's sum from one after the other. Processor time compares ways on a machine that is busy, too. The photos are crops of ``examples/auditorium.jpg``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.speed import PHOTO
from crowdscale.arrays import Pixels
from crowdscale.backends import Backend, NetworkOutput, open_backend
from crowdscale.files.images import read_image
from crowdscale.models.description import read_config
from crowdscale.models.finding import find_model

BATCHES = (2, 4, 8)


def photos_of(width: int, height: int, number: int) -> list[Pixels]:
    """Return crops of one size, each a little further right and down."""
    pixels = read_image(PHOTO).pixels
    room = (pixels.shape[1] - width, pixels.shape[0] - height)
    if min(room) < 0:
        raise SystemExit(f"expected at most {pixels.shape[1]}x{pixels.shape[0]}")
    corners = [tuple(space * step // max(1, number - 1) for space in room) for step in range(number)]
    return [np.ascontiguousarray(pixels[y : y + height, x : x + width]) for x, y in corners]


def sums(outputs: list[NetworkOutput]) -> list[float]:
    """Return a number of each photo by which ways are compared: the sum of its first map."""
    return [float(each.output.sum(dtype=np.float64)) for each in outputs]


def ways(
    whole: Backend, single: Backend, photos: list[Pixels], threads: int
) -> dict[str, Callable[[], list[float]]]:
    """Return each way by its name."""

    def in_batches(size: int) -> list[float]:
        groups = [photos[start : start + size] for start in range(0, len(photos), size)]
        return sums([output for group in groups for output in whole.predict_batch(group)])

    def in_threads() -> list[float]:
        with ThreadPoolExecutor(threads) as pool:
            return sums(list(pool.map(single.predict, photos)))

    return {
        "one after the other": lambda: sums([whole.predict(photo) for photo in photos]),
        **{f"batches of {size}": lambda size=size: in_batches(size) for size in BATCHES},  # type: ignore[misc]
        f"{threads} photos at a time, one thread each": in_threads,
    }


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="lite")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", default="1024x768")
    options = parser.parse_args()
    folder = find_model(options.model)
    config = read_config(folder)
    whole, single = (open_backend("onnx", folder, config, threads=count) for count in (options.threads, 1))
    photos = photos_of(*map(int, options.size.split("x")), max(BATCHES))
    all_ways = ways(whole, single, photos, options.threads)
    expected = next(iter(all_ways.values()))()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in all_ways}
    apart = dict.fromkeys(all_ways, 0.0)
    for _ in range(options.rounds):
        for name, way in all_ways.items():
            started, worked = time.perf_counter(), time.process_time()
            got = way()
            ended = time.perf_counter() - started, time.process_time() - worked
            times[name].append((ended[0] / len(photos) * 1000, ended[1] / len(photos) * 1000))
            apart[name] = max(apart[name], *(abs(a / b - 1) for a, b in zip(got, expected, strict=True)))
    for name, each in times.items():
        wall, processor = zip(*each, strict=True)
        print(
            f"{name:42} {statistics.median(wall):7.1f} {min(wall):7.1f} ms, processor {statistics.median(processor):7.1f} ms"
            f" a photo, apart {apart[name]:.1e}"
        )


if __name__ == "__main__":
    main()
