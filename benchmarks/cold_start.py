"""Seconds from starting a process to its answer on one photo, as a user types it.

    python benchmarks/cold_start.py [--rounds 7] [--model lite] [--backend onnx] [--size 1024x768] [PHOTO]

Also the processor time of the process (all threads), which another program on the machine does not stretch,
and, for comparison, of an interpreter that does nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from crowdscale.files.images import read_image, resize_image, write_image

PHOTO = Path(__file__).parents[1] / "examples" / "auditorium.jpg"


def measure(command: list[str]) -> tuple[float, float]:
    """Wall and processor seconds of one run of a command."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - started, os.times()
    children = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, children


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("photo", nargs="?", default=str(PHOTO))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--backend", default="onnx")
    parser.add_argument("--size", help="WIDTHxHEIGHT to which the photo is resized first")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if options.size:
            width, height = map(int, options.size.split("x"))
            small = Path(scratch) / "photo.jpg"
            write_image(small, resize_image(read_image(options.photo).pixels, width, height))
            options.photo = str(small)
        compare(options)


def compare(options: argparse.Namespace) -> None:
    chosen = ["--model", options.model, "--backend", options.backend]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "crowdscale --help": [sys.executable, "-m", "crowdscale", "--help"],
        "crowdscale count": [sys.executable, "-m", "crowdscale", "count", options.photo, *chosen],
        "crowdscale count --no-second-pass": [
            *(sys.executable, "-m", "crowdscale", "count", options.photo, "--no-second-pass"), *chosen,
        ],
    }  # fmt: skip
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(options.rounds + 1):
        for name, command in commands.items():
            seconds = measure(command)
            if number:  # the first round fills the file cache
                runs[name].append(seconds)
    print("| process start to end | median s | fastest s | processor s |\n|---|---|---|---|")
    for name, values in runs.items():
        wall, used = zip(*values, strict=True)
        print(f"| {name} | {statistics.median(wall):.2f} | {min(wall):.2f} | {statistics.median(used):.2f} |")


if __name__ == "__main__":
    main()
