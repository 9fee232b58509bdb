"""The page of moving crowds: what was measured of tracks, lines and marches, written from the JSON files beside it.

``python -m research.moving_page`` writes ``docs/moving-crowds.md``. A test compares it with the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from research.march_simulation import table as march_table

__all__ = ["PAGE", "drawn_lines_table", "drawn_table", "lines_table", "page", "simulated_table", "soak_text"]

FOLDER = Path(__file__).parent / "results" / "moving"
PAGE = Path(__file__).parents[1] / "docs" / "moving-crowds.md"

FEWEST = 20
"""True crossings below which no error is given as a share."""
SETTLED = 600.0
"""Seconds after which caches are full."""

HEAD = """# Moving crowds

This page is written from the files in `research/results/moving` by `python -m research.moving_page`. Edit nothing here.
All of these crowds are simulated or drawn: a real camera may miss more. Check some minutes by hand
([marches](guides/marches.md)).

"""


def page() -> str:
    """Return the page as Markdown."""
    drawn, simulated, lines, march, soak = (
        _read(name) for name in ("drawn", "simulated", "lines", "march", "soak")
    )
    return HEAD + "\n".join(
        [
            "## Tracks in drawn frames",
            "",
            f"People are drawn with true identities, walk, and are located by `{drawn['model']}` in each frame. IDF1 is that of Ristani",
            "et al. (2016). At most: with the same heads and no switch at all. CPU time of one thread, on a machine with other work. Following",
            "is all that a watch does with heads: tracks, lines, stays, density and flow on the ground. The rates show the same film, as",
            "`watch --every` takes its frames.",
            "",
            drawn_table(drawn["rows"]),
            "",
            "Five upright lines cut the frame in six. The true crossings are those of the true heads, hidden ones too.",
            "",
            drawn_lines_table(drawn["rows"]),
            "",
            "`python -m benchmarks.tracking_drawn --kept heads --json research/results/moving/drawn.json`",
            "",
            "## Tracks of simulated positions",
            "",
            "People on a simulated ground plane, half of them each way, for 12 seconds. Heads have noise, 8 % are missed, 2 % are false.",
            "",
            simulated_table(simulated),
            "",
            "`python -m benchmarks.tracking --json research/results/moving/simulated.json`",
            "",
            "## Lines",
            "",
            "People on a simulated ground plane, half of them each way. Heads have noise, 8 % are missed, 2 % are false. The line runs",
            "down the middle of the picture.",
            "",
            lines_table(lines["rows"]),
            "",
            "`python -m benchmarks.lines --json research/results/moving/lines.json`",
            "",
            "## Marches",
            "",
            f"{march['marches']:,} simulated marches of three hours a line; one minute in five is observed. Bias and RMSE over the true",
            "number; the bias with the 90 % error of the simulation. Blocks last 20 seconds.",
            "",
            march_table(march["cases"]),
            "",
            f"`python -m research.march_simulation --marches {march['marches']} --json research/results/moving/march.json`",
            "",
            "## An hour of a camera",
            "",
            soak_text(soak),
            "",
            f"`python -m benchmarks.cameras --film vtest.avi --duration 62m --every {soak['every']} --out research/results/moving/soak.json`",
            "",
        ]
    )


def lines_table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    return markdown(
        "people | frames a second | true crossings | counted | error | error of the net, over the crossings",
        (
            f"{row['people']:,} | {row['frames_a_second']} | {row['crossings']:,} | {row['counted']:,} | {100 * row['error']:+.1f} % | "
            f"{100 * row['net_error']:.1f} %"
            for row in rows
        ),
    )


def drawn_table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    return markdown(
        "people in a frame | frame | frames a second | frames | recall, precision of heads | IDF1 (at most) | switches a person | following, counting a frame (CPU ms)",
        (
            f"{row['people']:,.0f} | {row['size'][0]}×{row['size'][1]} | {row['frames_a_second']:g} | {row['frames']} | {row['recall']:.2f}, {row['precision']:.2f} | "
            f"{row['IDF1']:.3f} ({row['IDF1_at_most']:.3f}) | {row['switches_a_person']:.2f} | {row['follow_ms']:.1f}, {row['count_ms']:,.0f}"
            for row in rows
        ),
    )


def simulated_table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    return markdown(
        "people | frames a second | IDF1 (at most) | switches a person in 12 s",
        (
            f"{row['people']:,} | {row['frames a second']} | {row['IDF1']:.3f} ({row['most']:.3f}) | {row['switches a person']:.2f}"
            for row in rows
        ),
    )


def markdown(columns: str, rows: Iterable[str]) -> str:
    """Return a table of these columns and rows, whose cells stand between bars."""
    rule = "|".join("---" for _ in columns.split(" | "))
    return "\n".join([f"| {columns} |", f"|{rule}|", *(f"| {row} |" for row in rows)])


def soak_text(soak: dict[str, Any]) -> str:
    """Return the memory of a long watch in words: at the start, after ten minutes, at the end, and its slope."""
    at, memory = np.array(soak["seconds_and_resident_mib"], float).T
    late = at >= SETTLED
    slope = np.polyfit(at[late] / 3600, memory[late], 1)[0]
    return (
        f"OpenCV's vtest.avi as an endless MJPEG camera: tracks, a zone, a line and rows, the model `nano`, one thread. In "
        f"{at[-1] / 60:.0f}\nminutes {soak['counts']:,} frames were counted. Resident memory: {memory[at >= 60][0]:.0f} MiB after a minute, "
        f"{memory[late][0]:.0f} MiB after ten, {memory[-1]:.0f} MiB at\nthe end, {memory.max():.0f} MiB at most. Slope after ten minutes: "
        f"{slope:+.1f} MiB an hour."
    )


def drawn_lines_table(rows: list[dict[str, Any]]) -> str:
    """Return the crossings of drawn crowds as Markdown."""
    lines = [
        "| people in a frame | frames a second | seconds | forward: true, counted | backward: true, counted | error of all | error of the net, over all |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        (forward, backward), (counted, back) = row["true"], row["counted"]
        whole, all_counted = forward + backward, counted + back
        shares = ["too few", "too few"]
        if whole >= FEWEST:
            net = (counted - back) - (forward - backward)
            shares = [f"{100 * each / whole:+.1f} %" for each in (all_counted - whole, net)]
        lines.append(
            f"| {row['people']:,.0f} | {row['frames_a_second']:g} | {row['seconds']:g} | {forward}, {counted} | "
            f"{backward}, {back} | {shares[0]} | {shares[1]} |"
        )
    return "\n".join(lines)


def _read(name: str) -> Any:
    content: Any = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}")
