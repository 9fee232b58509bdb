"""Counted frames a second of a film, and an hour of it in a loop: does the memory stay flat?

    python benchmarks/video.py vtest.avi [--counts 40]
    python benchmarks/video.py vtest.avi --soak 1h [--every 1s] [--out research/results/soak.csv]

The film is OpenCV's vtest.avi (768×576, 10 frames a second, 79.5 s; Debian: opencv-doc). The soak runs
``crowdscale watch --loop`` with rows, video, plot and zones as a user would, and reads its resident memory
from /proc every five seconds.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import crowdscale
from crowdscale.counting.predictor import PredictOptions
from crowdscale.video.sources import open_source
from crowdscale.video.watch import WatchOptions, watch

ZONES = {
    "zones": [
        {"name": "left", "points": [[0.02, 0.2], [0.5, 0.2], [0.5, 0.98], [0.02, 0.98]], "relative": True},
        {"name": "gate", "points": [[0.5, 0.2], [0.5, 0.98]], "kind": "line", "relative": True},
    ]
}
PAUSE = 5.0


def speed(film: Path, counts: int) -> None:
    started = time.perf_counter()
    shapes = [frame.pixels.shape for frame in open_source(str(film))]
    number, (height, width, _) = len(shapes), shapes[0]
    decoding = number / (time.perf_counter() - started)
    print(f"{film.name}: {number} frames of {width}×{height}; decoded alone {decoding:.0f} a second\n")
    print(
        "| every frame counted, one thread | frames a second | CPU s a frame | people, mean |\n|---|---|---|---|"
    )
    for name, options in (
        ("both looks", PredictOptions(keep_map=False)),
        ("first look (--no-refine)", PredictOptions(refine=False, keep_map=False)),
    ):
        predictor = crowdscale.load(threads=1, options=options)
        predictor.predict(next(iter(open_source(str(film)))).pixels)  # warms up
        started, used = time.perf_counter(), time.process_time()
        rows = watch(open_source(str(film)), predictor, WatchOptions(every=0, frames=counts))
        people = [seen.row.people for seen in rows]
        rate, cpu = (
            len(people) / (time.perf_counter() - started),
            (time.process_time() - used) / len(people),
        )
        print(f"| {name} | {rate:.2f} | {cpu:.3f} | {np.mean(people):.1f} |", flush=True)


def resident(process: int) -> float | None:
    """Resident MiB of a process."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    found = [line for line in text.splitlines() if line.startswith("VmRSS:")]
    return int(found[0].split()[1]) / 1024 if found else None


def soak(film: Path, duration: str, every: str, out: Path | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        zones = Path(folder) / "zones.json"
        zones.write_text(json.dumps(ZONES))
        command = [
            sys.executable, "-m", "crowdscale", "watch", str(film), "--loop", "--duration", duration,
            "--every", every, "--threads", "1", "--zones", str(zones), "--smooth", "--rows", f"{folder}/rows.csv",
            "--video", f"{folder}/film.mp4", "--plot", f"{folder}/plot.png",
        ]  # fmt: skip
        started, samples = time.monotonic(), list[tuple[float, float]]()
        process = subprocess.Popen(command)
        while process.poll() is None:
            time.sleep(PAUSE)
            memory = resident(process.pid)
            if memory is not None:
                samples.append((time.monotonic() - started, memory))
        counted = sum(1 for _ in csv.DictReader((Path(folder) / "rows.csv").open()))
        size = (Path(folder) / "film.mp4").stat().st_size / 2**20
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        lines = ["seconds,resident_mib", *(f"{at:.0f},{memory:.1f}" for at, memory in samples)]
        out.write_text("\n".join(lines) + "\n")
    report(samples, counted, size, process.returncode)


def report(samples: list[tuple[float, float]], counted: int, size: float, code: int | None) -> None:
    at, memory = np.array(samples).T
    late = at > 0.1 * at[-1]  # the first tenth loads the model and fills caches
    slope = np.polyfit(at[late] / 3600, memory[late], 1)[0]
    tenths = [f"{part.mean():.0f}" for part in np.array_split(memory, 10)]
    print(f"exit code {code}; {counted:,} counts in {at[-1]:.0f} s; film written: {size:.0f} MiB")
    print(f"resident MiB, mean of each tenth: {', '.join(tenths)}; peak {memory.max():.0f}")
    print(f"slope after the first tenth: {slope:+.1f} MiB an hour of work")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("film", type=Path)
    parser.add_argument("--counts", type=int, default=40)
    parser.add_argument("--soak", metavar="DURATION")
    parser.add_argument("--every", default="1s")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.soak:
        soak(options.film, options.soak, options.every, options.out)
    else:
        speed(options.film, options.counts)


if __name__ == "__main__":
    main()
