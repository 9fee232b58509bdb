"""Large photos: seconds a megapixel and peak resident memory from 1 to 54 megapixels; tiles against the whole.

    python benchmarks/tiling.py --data ShanghaiTech [--base 1]      # a fresh process a size
    python benchmarks/tiling.py --data ShanghaiTech --agree 12      # mosaics of test images, tiled and in one piece

Large photos are mosaics of photos at their own size: crowds everywhere, the most work there can be. Sizes are
made of training images; CPU seconds are those of one thread, so that other work on the machine does not count.
The agreement is measured on test images, by which nothing is chosen.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np

import crowdscale
from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import PredictOptions
from crowdscale.counting.tiles import TileOptions
from crowdscale.files.images import Pixels, read_image, write_image
from crowdscale.metrics.matching import match_points

SIZES = {1: (1224, 816), 6: (3000, 2000), 24: (6000, 4000), 54: (9000, 6000)}
WHOLE = TileOptions(whole=400_000_000)
NEAR = 2.0
"""Pixels at which a dot of the tiled photo is taken for one of the whole."""


def images(root: Path, part: str) -> list[Path]:
    folder = root / "part_A" / part / "images"
    return sorted(folder.glob("IMG_*.jpg"), key=lambda path: int(path.stem.split("_")[1]))


def mosaic(photos: Iterator[Path], width: int, height: int) -> Pixels:
    """Return a (height, width, 3) picture filled with photos at their own size, in shelves from the top left."""
    canvas = np.zeros((height, width, 3), np.uint8)
    top = 0
    while top < height:
        left, shelf = 0, height - top
        while left < width:
            pixels = read_image(next(photos)).pixels[:shelf, : width - left]
            canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
            left += pixels.shape[1]
            shelf = pixels.shape[0] if left == pixels.shape[1] else min(shelf, pixels.shape[0])
        canvas[top + shelf :] = 0
        top += shelf
    return canvas


def peak() -> float:
    """Largest resident MiB of this process so far; ru_maxrss would begin with its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(photo: Path, base: float | None, refine: bool, threads: int) -> dict[str, float]:
    """Count one photo, file to answer, in this process; with its peak of resident memory."""
    predictor = crowdscale.load(threads=threads, options=PredictOptions(refine=refine, read_scale=base))
    small = np.zeros((256, 256, 3), np.uint8)
    predictor.predict(small)  # the first call prepares the engine
    started, used = time.perf_counter(), time.process_time()
    found = predictor.predict(photo)
    return {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - used,
        "peak_mib": peak(),
        "people": found.count,
        "base": found.read_scale,
        "tiles": found.tiles,
        "regions": len(found.regions),
    }


def sizes(root: Path, base: float | None, refine: bool, threads: int) -> None:
    print("| megapixels | base | tiles | regions | seconds | CPU s / MP | peak MiB | people |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for megapixels, (width, height) in SIZES.items():
            photo = Path(folder) / f"{megapixels}.jpg"
            write_image(photo, mosaic(cycle(images(root, "train_data")), width, height))
            command = [sys.executable, __file__, "--one", str(photo)]
            command += [
                *(["--read-scale", str(base)] if base else []),
                *([] if refine else ["--no-second-pass"]),
                "--threads",
                str(threads),
            ]
            row = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            print(
                f"| {width * height / 1e6:.1f} | {row['base']:.3g} | {row['tiles']} | {row['regions']} | {row['seconds']:.2f} | "
                f"{row['cpu'] / (width * height / 1e6):.3f} | {row['peak_mib']:.0f} | {row['people']:.0f} |",
                flush=True,
            )


class Both:
    """Tiled and in one piece, at the photo's own size."""

    def __init__(self, refine: bool) -> None:
        options = PredictOptions(refine=refine, read_scale=1.0)
        self.tiled = crowdscale.load(options=replace(options, tiles=TileOptions(whole=1024)))
        self.whole = self.tiled.with_options(tiles=WHOLE)

    def predict(self, pixels: Pixels) -> tuple[Prediction, Prediction]:
        return self.tiled.predict(pixels), self.whole.predict(pixels)


def agree(root: Path, number: int) -> None:
    """Print counts and dots of mosaics of test images, tiled and in one piece."""
    print("| look | mosaic | whole | tiled | difference | dots within 2 px |\n|---|---|---|---|---|---|")
    for name, refine in (("first", False), ("both", True)):
        both, photos = Both(refine), cycle(images(root, "test_data"))
        sums, matched, dots = np.zeros(2), 0, 0
        for index in range(number):
            tiled, whole = both.predict(mosaic(photos, 2304, 1792))
            assert tiled.points is not None
            assert whole.points is not None
            pairs = len(match_points(tiled.points.xy, whole.points.xy, NEAR).pairs)
            sums += whole.count, tiled.count
            matched, dots = matched + 2 * pairs, dots + len(tiled.points) + len(whole.points)
            share = 2 * pairs / (len(tiled.points) + len(whole.points))
            print(
                f"| {name} | {index + 1} | {whole.count:.1f} | {tiled.count:.1f} | "
                f"{tiled.count / whole.count - 1:+.2%} | {share:.2%} |",
                flush=True,
            )
        print(
            f"| {name} | all | {sums[0]:.1f} | {sums[1]:.1f} | {sums[1] / sums[0] - 1:+.2%} | {matched / dots:.2%} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, help="ShanghaiTech")
    parser.add_argument("--base", type=float)
    parser.add_argument("--no-refine", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--agree", type=int, metavar="MOSAICS")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.base, not options.no_refine, options.threads)))
    elif options.agree:
        agree(options.data, options.agree)
    else:
        sizes(options.data, options.base, not options.no_refine, options.threads)


if __name__ == "__main__":
    main()
