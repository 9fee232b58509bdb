"""Folders of photos: images a second by engine and workers, what an engine costs, and rows after kill -9.

    python benchmarks/bulk.py --data ShanghaiTech [--photos 40] [--engines local,ray]
    python benchmarks/bulk.py --data ShanghaiTech --kills 20

The baseline is a plain loop over the same photos in one process with one thread; a worker has one thread. CPU
seconds are those of the process and of all that it started, so that other work on the machine does not count; an
engine's overhead is what a photo costs more than in the loop. A fifth of the photos and all of them are counted:
the difference is what a photo costs, the rest what starting the engine does (models, Ray).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import crowdscale
from crowdscale.bulk import Job, ResultFolder, count_photo, run_job
from crowdscale.counting.predictor import PredictOptions
from crowdscale.files.images import read_image, write_image

OPTIONS = PredictOptions(keep_map=False)


def photos_of(root: Path, number: int) -> list[Path]:
    return sorted((root / "part_A" / "train_data" / "images").glob("IMG_*.jpg"))[:number]


def speed(root: Path, number: int, engines: list[str], workers: list[int]) -> None:
    chosen = photos_of(root, number)
    predictor = crowdscale.load(threads=1, options=OPTIONS)
    count_photo(predictor, str(chosen[0]))  # warms up
    started, used = time.perf_counter(), time.process_time()
    for photo in chosen:
        count_photo(predictor, str(photo))
    plain = len(chosen) / (time.perf_counter() - started)
    used = (time.process_time() - used) / len(chosen)
    print(f"{len(chosen)} photos of {root.name} A; a plain loop takes {used:.2f} CPU seconds a photo\n")
    print("| engine | workers | start, CPU s | CPU s a photo | over the loop | images a second |")
    print("|---|---|---|---|---|---|")
    print(f"| plain loop | 1 | | {used:.3f} | | {plain:.2f} |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "photos"
        source.mkdir()
        for photo in chosen:
            shutil.copy(photo, source / photo.name)
        for engine in engines:
            for count in workers:
                few = run(source, f"{folder}/{engine}{count}few", engine, count, max(1, number // 5))
                many = run(source, f"{folder}/{engine}{count}", engine, count, number)
                each, rate = (many[0] - few[0]) / (many[2] - few[2]), (many[2] - few[2]) / (many[1] - few[1])
                start, over = few[0] - few[2] * each, each / used - 1
                print(
                    f"| {engine} | {count} | {start:.1f} | {each:.3f} | {over:+.1%} | {rate:.2f} |",
                    flush=True,
                )


def run(source: Path, out: str, engine: str, workers: int, number: int) -> tuple[float, float, int]:
    """Return the CPU seconds of a job until its last row, the seconds, and the number of photos."""
    ends: list[tuple[float, float]] = []
    begun, started = tree_seconds(), time.perf_counter()
    photos = tuple(str(photo) for photo in sorted(source.iterdir())[:number])
    job = Job(photos, options=OPTIONS, runner=engine, workers=workers, threads=1)
    summary = run_job(
        job, ResultFolder(out), lambda _: ends.append((tree_seconds() - begun, time.perf_counter() - started))
    )
    assert summary.photos == number, summary
    return (*ends[-1], number)


def tree_seconds() -> float:
    """CPU seconds so far of this process and of all its descendants."""
    parents: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks = sum(int(each) for each in fields[11:15])  # its own and those of children that ended
        parents[int(entry.parent.name)] = int(fields[1]), ticks / os.sysconf("SC_CLK_TCK")
    total, wanted = 0.0, {os.getpid()}
    while wanted:
        total += sum(parents[each][1] for each in wanted if each in parents)
        wanted = {each for each, (parent, _) in parents.items() if parent in wanted}
    return total


def kills(root: Path, rounds: int) -> None:
    """Kill the command at random moments, restart it each time, and compare with a run that nobody stopped."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "photos", Path(folder) / "out"
        source.mkdir()
        number = 0
        for photo in photos_of(root, 60):
            pixels = read_image(photo).pixels
            for top in range(0, pixels.shape[0] - 119, 160):
                for left in range(0, pixels.shape[1] - 159, 240):
                    write_image(source / f"{number:05d}.jpg", pixels[top : top + 120, left : left + 160])
                    number += 1
        stopped = 0
        luck = random.Random(0)
        for _ in range(rounds):
            before = len(list(out.glob("counts/part-*")))
            process = start(source, out, "5")
            wanted = before + luck.randint(1, max(1, number // 5 // rounds))
            while process.poll() is None and len(list(out.glob("counts/part-*"))) < wanted:
                time.sleep(0.002)
            time.sleep(luck.random() * 0.3)
            process.send_signal(signal.SIGKILL)
            process.wait()
            stopped += process.returncode == -signal.SIGKILL
        left = number - len(rows_of(out))
        assert start(source, out, "5").wait() == 0
        assert start(source, Path(folder) / "whole", "1000").wait() == 0
        rows, whole = rows_of(out), dict(rows_of(Path(folder) / "whole"))
        lost, doubled = set(whole) - {name for name, _ in rows}, len(rows) - len(dict(rows))
        other = sum(whole.get(name) != people for name, people in rows)
        print(
            f"{number} photos, {stopped} of {rounds} runs killed, {left} photos left for the last one: "
            f"{len(lost)} rows lost, {doubled} doubled, {other} other than in a run that was not stopped"
        )


def start(source: Path, out: Path, part: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "crowdscale", "count", str(source), "--out", str(out), "--part", part]
    return subprocess.Popen([*command, "--threads", "1", "--quiet"])


def rows_of(out: Path) -> list[tuple[str, float]]:
    from pyarrow import parquet

    parts = sorted(out.glob("counts/part-*.parquet"))
    return [(row["photo"], row["count"]) for part in parts for row in parquet.read_table(part).to_pylist()]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True, help="ShanghaiTech")
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--engines", default="local,ray")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--kills", type=int, metavar="ROUNDS")
    options = parser.parse_args()
    if options.kills:
        kills(options.data, options.kills)
    else:
        workers = [int(each) for each in options.workers.split(",")]
        speed(options.data, options.photos, options.engines.split(","), workers)


if __name__ == "__main__":
    main()
