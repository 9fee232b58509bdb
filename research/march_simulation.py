"""Simulated marches: whether the estimates of ``crowdscale.zones.march`` are unbiased and their intervals hold.

``python -m research.march_simulation [--marches 2000] [--json FILE]``, or ``--rows FOLDER`` for files to try ``zones flow`` with

A march passes a line for three hours: a rise, a plateau with waves, a long end. People come alone (Poisson) or in blocks with gaps
between them, as behind banners. One minute in five is observed, from a random begin on. At a second line some have left and
others have joined. People are asked there at random. The camera misses a tenth, more in dense blocks; twelve of the observed
minutes are counted by hand. The table gives the bias over the true number and the share of 90 % intervals that hold it.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdscale.arrays import Pixels
from crowdscale.drawing.charts import plot_counts
from crowdscale.files.images import write_image
from crowdscale.zones.march import Estimated, Survey, correction, flow, joiners, total
from crowdscale.zones.passages import Passages

STEP = 10.0
"""Seconds of a row."""
HOURS = 3


def march(people: int, blocks: bool, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the people who pass in each step."""
    share = np.linspace(0, 1, int(3600 * HOURS / STEP))
    rise, fall = (np.clip(part, 0, 1) for part in (share / 0.2, (1 - share) / 0.5))
    rate = np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2 * (1 + 0.2 * np.sin(14 * share))
    if blocks:
        size = 2  # of a block or a gap, in steps
        weights = rng.gamma(2, 0.5, -(-len(rate) // size))
        rate = rate * np.repeat(weights, size)[: len(rate)]
    return np.asarray(rng.poisson(people * rate / rate.sum()), np.float64)


def observed(
    counts: NDArray[np.float64], rng: np.random.Generator, one_in: int = 5, minute: float = 60.0
) -> Passages:
    """Return the steps of one minute in ``one_in``, from a random begin on."""
    starts = np.asarray(STEP * np.arange(len(counts)), np.float64)
    begin = rng.integers(0, int(one_in * minute / STEP)) * STEP
    kept = (starts - begin) % (one_in * minute) < minute - 1e-6
    return Passages("line", "forward", starts[kept], starts[kept] + STEP, counts[kept])


def one(
    people: int, blocks: bool, asked: int, rng: np.random.Generator
) -> dict[str, tuple[Estimated, float]]:
    """Return the estimate and the true number of each estimator for one march."""
    first = march(people, blocks, rng)
    stayed = rng.binomial(first.astype(int), 0.85)  # the others leave before the second line
    joined = march(people // 4, blocks, rng)
    second = stayed + joined
    a, b = total(observed(first, rng)), total(observed(second, rng))
    of_second = np.repeat([True, False], [int(stayed.sum()), int(joined.sum())])
    survey = Survey(asked, int(rng.choice(of_second, asked, replace=False).sum()))
    both = joiners(a, b, survey)
    camera = observed(rng.binomial(first.astype(int), 0.92 - 0.04 * first / first.max()).astype(float), rng)
    runs = camera.runs()
    chosen = rng.choice(np.arange(1, len(runs) - 1), 12, replace=False)
    checked = []
    for run in chosen.tolist():
        start, end = camera.starts[runs[run]][0], camera.ends[runs[run]][-1]
        checked.append((start, end, float(first[int(start / STEP) : round(end / STEP)].sum())))
    by_hand = total(camera, None, correction(camera, checked))
    return {
        "one line": (a, float(first.sum())),
        "two lines": (both, float(first.sum() + joined.sum())),
        "one line, 12 minutes by hand": (by_hand, float(first.sum())),
    }  # fmt: skip


def simulate(marches: int, people: int, blocks: bool, asked: int, seed: int) -> dict[str, dict[str, float]]:
    """Return bias, root mean square error, half-width and coverage of each estimator."""
    rng = np.random.default_rng(seed)
    runs = [one(people, blocks, asked, rng) for _ in range(marches)]
    scores_of = {}
    for name in runs[0]:
        rows = [(run[name][0].people, run[name][0].low, run[name][0].high, run[name][1]) for run in runs]
        estimate, low, high, truth = np.array(rows, float).T
        error = (estimate - truth) / truth
        scores_of[name] = {
            "bias": float(error.mean()),
            "bias_error": float(error.std() / marches**0.5),
            "rmse": float((error**2).mean() ** 0.5),
            "half_width": float(((high - low) / 2 / truth).mean()),
            "coverage": float(((low <= truth) & (truth <= high)).mean()),
        }
    return scores_of


def table(cases: list[tuple[int, bool, int, dict[str, dict[str, float]]]]) -> str:
    """Return the scores of (people, in blocks, asked, scores by estimator) as Markdown."""
    lines = [
        "| people | come | asked | estimator | bias | RMSE | half-width | 90 % intervals that hold |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for people, blocks, asked, scores in cases:
        for name, row in scores.items():
            lines.append(
                f"| {people:,} | {'in blocks' if blocks else 'alone'} | {asked} | {name} | {100 * row['bias']:+.2f} ± "
                f"{164.5 * row['bias_error']:.2f} % | {100 * row['rmse']:.1f} % | {100 * row['half_width']:.1f} % | "
                f"{100 * row['coverage']:.1f} % |"
            )
    return "\n".join(lines)


def picture() -> Pixels:
    """Return the flow of a march of 20,000 people in ten-minute blocks: the true one, and the estimate with its interval."""
    rng = np.random.default_rng(7)
    counts = march(20_000, True, rng)
    starts = np.asarray(STEP * np.arange(len(counts)), np.float64)
    truth = flow(Passages("line", "forward", starts, starts + STEP, counts), 600)
    estimate = flow(observed(counts, rng), 600)[: len(truth)]
    times = [(block.start + block.end) / 2 for block in estimate]
    rates = {
        "estimate from one minute in five": [block.per_minute for block in estimate],
        "true": [block.per_minute for block in truth[: len(estimate)]],
    }
    ends = [[getattr(block, end) for block in estimate] for end in ("low", "high")]
    title = "People a minute over a line, with the 90 % interval"
    return plot_counts(times, rates, title, bands={"estimate from one minute in five": (ends[0], ends[1])})  # type: ignore[arg-type]


def write_rows(folder: Path, people: int = 20_000, seed: int = 7) -> int:
    """Write one march as files of a user, and return the people who passed either line.

    ``gate.csv`` and ``bridge.csv`` are rows of two cameras, ``checked.csv`` twelve minutes at the gate that were counted by hand.
    """
    rng = np.random.default_rng(seed)
    first = march(people, False, rng)
    joined = march(people // 4, False, rng)
    second = rng.binomial(first.astype(int), 0.85) + joined
    folder.mkdir(parents=True, exist_ok=True)
    cameras = [("gate", rng.binomial(first.astype(int), 0.92).astype(float)), ("bridge", second)]
    for name, counts in cameras:
        seen = observed(counts, rng)
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["time", f"{name} forward", f"{name} backward"])
            passed = 0
            for run in seen.runs():
                writer.writerow([f"{seen.starts[run][0]:.0f}", passed, 0])
                for end, more in zip(seen.ends[run], seen.people[run], strict=True):
                    passed += int(more)
                    writer.writerow([f"{end:.0f}", passed, 0])
        if name == "gate":
            _write_checked(folder / "checked.csv", seen, first, rng)
    return int(first.sum() + joined.sum())


def _write_checked(path: Path, seen: Passages, truth: NDArray[np.float64], rng: np.random.Generator) -> None:
    runs = seen.runs()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["start", "end", "people"])
        for run in sorted(rng.choice(len(runs), 12, replace=False).tolist()):
            start, end = seen.starts[runs[run]][0], seen.ends[runs[run]][-1]
            people = truth[int(start / STEP) : round(end / STEP)].sum()
            writer.writerow([f"{start:.0f}", f"{end:.0f}", f"{people:.0f}"])


def main() -> None:
    """Print the table; ``--json FILE`` writes it, too."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--marches", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path, help="draw the flow of one march and stop")
    parser.add_argument("--rows", type=Path, help="write the files of one march into this folder and stop")
    chosen = parser.parse_args()
    if chosen.rows is not None:
        print(f"{write_rows(chosen.rows):,} people passed the gate or the bridge")
        return
    if chosen.picture is not None:
        write_image(chosen.picture, picture())
        return
    cases = ((3000, False, 100), (50_000, False, 400), (50_000, True, 400))
    scores_of = [(*case, simulate(chosen.marches, *case, 1)) for case in cases]
    print(table(scores_of))
    if chosen.json is not None:
        chosen.json.write_text(
            json.dumps({"marches": chosen.marches, "seed": 1, "cases": scores_of}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
