"""The page of moving crowds: what was measured of tracks, lines and marches, written from the JSON files beside it.

``python -m research.moving_page`` writes ``docs/moving-crowds.md``. A test compares it with the files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from research.march_simulation import table as march_table

__all__ = ["PAGE", "drawn_table", "lines_table", "page"]

FOLDER = Path(__file__).parent / "results" / "moving"
PAGE = Path(__file__).parents[1] / "docs" / "moving-crowds.md"

HEAD = """# Moving crowds

This page is written from the files in `research/results/moving` by `python -m research.moving_page`. Edit nothing here.
All of these crowds are simulated or drawn: a real camera may miss more. Check some minutes by hand
([marches](guides/marches.md)).

"""


def page() -> str:
    """Return the page as Markdown."""
    drawn, lines, march = (_read(name) for name in ("drawn", "lines", "march"))
    return HEAD + "\n".join(
        [
            "## Tracks in drawn frames",
            "",
            f"People are drawn with true identities, walk, and are located by `{drawn['model']}` in each frame. IDF1 is that of Ristani",
            "et al. (2016). At most: with the same heads and no switch at all. CPU time of one thread.",
            "",
            drawn_table(drawn["rows"]),
            "",
            "`python -m benchmarks.tracking_drawn --json research/results/moving/drawn.json`",
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
        ]
    )


def lines_table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    lines = [
        "| people | frames a second | true crossings | counted | error | error of the net, over the crossings |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['people']:,} | {row['frames_a_second']} | {row['crossings']:,} | {row['counted']:,} | {100 * row['error']:+.1f} % | "
            f"{100 * row['net_error']:.1f} % |"
        )
    return "\n".join(lines)


def drawn_table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    lines = [
        "| people in a frame | frames a second | frames | recall, precision of heads | IDF1 (at most) | switches a person | linking, counting a frame (CPU ms) |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['people']:,.0f} | {row['frames_a_second']:g} | {row['frames']} | {row['recall']:.2f}, {row['precision']:.2f} | "
            f"{row['IDF1']:.3f} ({row['IDF1_at_most']:.3f}) | {row['switches_a_person']:.2f} | {row['link_ms']:.1f}, {row['count_ms']:,.0f} |"
        )
    return "\n".join(lines)


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}")
