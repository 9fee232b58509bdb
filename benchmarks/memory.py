"""Peak memory of photos of extreme shapes, each in a child process: ``python -m benchmarks.memory``.

A child reads a plain PNG of the shape, grey or with ``--colour``, of 8 bits or with ``--deep`` of 16, and, where ``--count`` is given, counts it. Printed are the largest memory of the
child, its seconds, and the sentence of a refusal.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from crowdscale.counting.options import PredictOptions
from crowdscale.counting.predictor import load
from crowdscale.errors import CrowdscaleError
from crowdscale.files.images import read_image

SHAPES = ((1_000_000, 1), (1, 1_000_000), (65_535, 1), (65_535, 200), (200, 65_535), (20_000, 20_000))
"""(width, height) in pixels."""

SECONDS = 500


def child(path: Path, model: str) -> int:
    """Read or count a photo and print the outcome."""
    started = time.perf_counter()
    try:
        if model:
            outcome = f"{load(model, threads=1).predict(path).count:.1f} people"
        else:
            outcome = "read as {}×{}".format(
                *read_image(path, PredictOptions().max_pixels).pixels.shape[1::-1]
            )
    except CrowdscaleError as error:
        outcome = str(error).replace(str(path), path.name)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{peak:6.0f} MB {time.perf_counter() - started:6.1f} s  {outcome}")
    return 0


def main() -> int:
    """Print a line a shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", default="", metavar="MODEL", help="count with this model")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--colour", action="store_true", help="three values a pixel")
    parser.add_argument("--deep", action="store_true", help="16 bits a value")
    options = parser.parse_args()
    if options.child:
        return child(options.child, options.count)
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SHAPES:
            path = Path(folder) / f"{width}x{height}.png"
            values = (height, width, 3) if options.colour else (height, width)
            plain = np.full(
                values, 120 * 257 if options.deep else 120, np.uint16 if options.deep else np.uint8
            )
            cv2.imwrite(str(path), plain)
            del plain
            command = [
                sys.executable,
                "-m",
                "benchmarks.memory",
                "--child",
                str(path),
                "--count",
                options.count,
            ]
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            print(f"{width:>9,}×{height:<9,} {done.stdout.strip() or done.stderr.strip()[-300:]}", flush=True)
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
