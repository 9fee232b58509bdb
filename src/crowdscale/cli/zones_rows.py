"""``crowdscale zones flow`` and ``zones occupancy``: people over time from the rows of a watch."""

from __future__ import annotations

import csv
import itertools
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdscale.cli.options import INPUT, OUTPUT, option, seconds_of
from crowdscale.errors import DataError, OptionError

if TYPE_CHECKING:
    from crowdscale.zones.march import Block, Correction, Estimated, Survey
    from crowdscale.zones.passages import Passages

__all__ = ["flow", "occupancy"]

SURVEY = "Two lines"
MOST_BLOCKS = 24
"""Blocks of the table, where the user chooses none."""
EXACT = "All time was observed, so the number has no sampling error. What the camera misses is in it: check some minutes by hand (--checked)."
SAMPLED = "The interval covers the sampling of time{survey}. What the camera misses is not in it: check some minutes by hand (--checked)."
CHECKED = "The interval covers the sampling of time{survey} and the hand counts of {checked} stretches, by which {ratio:.3f} people passed for each one counted."
IRREGULAR = "Warning: {line} was not observed for {missing:.0%} of the time, in gaps without a pattern. The number assumes that as many passed then."

RowsFile = Annotated[
    Path, typer.Argument(metavar="ROWS", help="Rows of `crowdscale watch --zones`, .csv or .jsonl.")
]
Plot = Annotated[Path | None, option("--plot", panel=OUTPUT, metavar="FILE", help="Draw it over time: .png.")]


def flow(
    rows: RowsFile,
    second: Annotated[
        Path | None,
        typer.Argument(metavar="[SECOND]", help="Rows of a second line, further along the march."),
    ] = None,
    line: Annotated[
        str | None,
        option("--line", panel=INPUT, metavar="NAME", help="The line, where the rows have several."),
    ] = None,
    direction: Annotated[
        str | None,
        option(
            "--direction",
            panel=INPUT,
            metavar="WAY",
            help="forward, backward or net; else the way of most people.",
        ),
    ] = None,
    begin: Annotated[
        str | None, option("--from", panel=INPUT, metavar="TIME", help="Begin of the march, such as 12m.")
    ] = None,
    end: Annotated[
        str | None, option("--to", panel=INPUT, metavar="TIME", help="End of the march, such as 3h.")
    ] = None,
    checked: Annotated[
        Path | None,
        option(
            "--checked",
            panel=INPUT,
            metavar="FILE",
            help="Hand counts: .csv with start, end (seconds), people.",
        ),
    ] = None,
    second_line: Annotated[
        str | None,
        option(
            "--second-line", panel=SURVEY, metavar="NAME", help="The second line, where there are several."
        ),
    ] = None,
    asked: Annotated[
        int | None,
        option("--asked", panel=SURVEY, metavar="N", help="People asked, or recognised, at the second line."),
    ] = None,
    passed: Annotated[
        int | None,
        option("--passed", panel=SURVEY, metavar="N", help="Of them, those who had passed the first line."),
    ] = None,
    design_effect: Annotated[
        float,
        option(
            "--design-effect", panel=SURVEY, metavar="N", help="Above 1 where groups were asked together."
        ),
    ] = 1.0,
    every: Annotated[
        str | None,
        option("--every", panel=OUTPUT, metavar="TIME", help="Time of a row of the table, such as 10m."),
    ] = None,
    plot: Plot = None,
    as_json: Annotated[bool, option("--json", panel=OUTPUT, help="Print JSON.")] = False,
) -> None:
    """Print the people who passed a line, in all and a minute, each with its 90 % interval.

    With a second line and a survey there: all who took part in a march.
    """
    from crowdscale.zones.march import flow as flow_of
    from crowdscale.zones.march import joiners, total
    from crowdscale.zones.passages import read_passages

    survey = _survey(second, second_line, asked, passed, design_effect)
    passages, span = _within(read_passages(rows, line, direction), begin, end)
    by_hand = _correction(passages, checked)
    estimate = total(passages, span, by_hand)
    blocks = flow_of(passages, seconds_of(every) if every else _block_length(passages), by_hand)
    results = {passages.line: estimate}
    everyone = None
    if survey is not None:
        other, other_span = _within(read_passages(second or rows, second_line, direction), begin, end)
        name = other.line if other.line != passages.line else f"{other.line} of {Path(second or rows).name}"
        results[name] = total(other, other_span)
        everyone = joiners(estimate, results[name], survey)
    if as_json:
        print(json.dumps(_plain(passages, results, everyone, blocks), indent=1))
    else:
        _print(passages, results, everyone, survey, by_hand, blocks)
    if plot is not None:
        _draw_flow(plot, passages, blocks)


def _survey(
    second: Path | None, second_line: str | None, asked: int | None, passed: int | None, design_effect: float
) -> Survey | None:
    """Return the survey at the second line; None without one. Raises OptionError where a part is missing."""
    from crowdscale.zones.march import Survey

    parts = second is not None or second_line is not None, asked is not None, passed is not None
    if not any(parts):
        return None
    if not all(parts) or asked is None or passed is None:
        raise OptionError(
            "expected a second line, --asked and --passed together",
            "a part of them",
            "Ask people at the second line whether they passed the first one",
        )
    return Survey(asked, passed, design_effect)


def _within(passages: Passages, begin: str | None, end: str | None) -> tuple[Passages, float | None]:
    """Return the passages between two times and the seconds between them, where both are given."""
    if begin is None and end is None:
        return passages, None
    start = seconds_of(begin) if begin else 0.0
    stop = seconds_of(end) if end else float(passages.ends[-1]) if len(passages.ends) else start
    if not stop > start:
        raise OptionError("expected --to after --from", f"{start:g} and {stop:g} s")
    return passages.between(start, stop), stop - start


def _correction(passages: Passages, checked: Path | None) -> Correction | None:
    """Return the correction by the file of hand counts. Raises DataError where it cannot be read."""
    from crowdscale.zones.march import correction

    if checked is None:
        return None
    try:
        with checked.open(encoding="utf-8-sig", newline="") as stream:
            rows = [
                (float(row["start"]), float(row["end"]), float(row["people"]))
                for row in csv.DictReader(stream)
                if row.get("line") in (None, "", passages.line)
            ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            "expected hand counts with the columns start, end, people", f"{checked} ({error})"
        ) from None
    return correction(passages, rows)


def _block_length(passages: Passages) -> float:
    """Return the shortest step of a clock that gives at most ``MOST_BLOCKS`` blocks."""
    from crowdscale.drawing.charts import STEPS

    if not len(passages.ends):
        return 60.0
    span = float(passages.ends[-1] - passages.starts[0])
    runs = passages.runs()
    apart = [float(passages.starts[b.start] - passages.starts[a.start]) for a, b in itertools.pairwise(runs)]
    least = max(span / MOST_BLOCKS, *(apart or [0.0]), 10.0)
    return float(next((step for step in STEPS if step >= least), STEPS[-1]))


def _interval(estimate: Estimated | Block, number: str = ",.0f") -> str:
    if estimate.low is None or estimate.high is None:
        return "no interval: too few stretches of time"
    return f"90 %: {estimate.low:{number}}–{estimate.high:{number}}"


def _print(
    passages: Passages,
    results: dict[str, Estimated],
    everyone: Estimated | None,
    survey: Survey | None,
    by_hand: Correction | None,
    blocks: list[Block],
) -> None:
    from crowdscale.cli.tables import new_table, print_table
    from crowdscale.drawing.charts import time_label

    table = new_table(time="left", people_a_minute="right", low="right", high="right")
    for block in blocks:
        cells = ["" if each is None else f"{each:,.1f}" for each in (block.per_minute, block.low, block.high)]
        table.add_row(
            f"{time_label(block.start, blocks[-1].end)}–{time_label(block.end, blocks[-1].end)}", *cells
        )
    print_table(table)
    print()
    for name, estimate in results.items():
        exact = estimate.observed > 0.999 and by_hand is None
        print(
            f"{estimate.people:,.0f} people passed {name}, {passages.direction}"
            f"{'' if exact else f' ({_interval(estimate)})'}; {estimate.observed:.0%} of the time observed."
        )
    if everyone is not None and survey is not None:
        first, second = results
        print(
            f"{everyone.people:,.0f} people passed {first} or {second} ({_interval(everyone)}): {survey.passed:,} of "
            f"{survey.asked:,} people asked at {second} had passed {first}."
        )
    print(_covered(results, survey, by_hand))
    for name, estimate in results.items():
        if estimate.irregular:
            print(IRREGULAR.format(line=name, missing=1 - estimate.observed), file=sys.stderr)


def _covered(results: dict[str, Estimated], survey: Survey | None, by_hand: Correction | None) -> str:
    """Return the sentence on what the interval covers."""
    words = " and the survey" if survey is not None else ""
    if by_hand is not None:
        return CHECKED.format(survey=words, checked=by_hand.checked, ratio=by_hand.ratio)
    exact = survey is None and all(estimate.observed > 0.999 for estimate in results.values())
    return EXACT if exact else SAMPLED.format(survey=words)


def _plain(
    passages: Passages, results: dict[str, Estimated], everyone: Estimated | None, blocks: list[Block]
) -> dict[str, Any]:
    return {
        "direction": passages.direction,
        "lines": {name: asdict(estimate) for name, estimate in results.items()},
        "everyone": None if everyone is None else asdict(everyone),
        "flow": [asdict(block) for block in blocks],
    }


def _draw_flow(path: Path, passages: Passages, blocks: list[Block]) -> None:
    import numpy as np

    from crowdscale.drawing.charts import plot_counts
    from crowdscale.files.images import write_image

    if path.suffix.lower() != ".png":
        raise OptionError("expected --plot as .png", str(path))

    def line(name: str) -> Any:
        return np.array([np.nan if getattr(each, name) is None else getattr(each, name) for each in blocks])

    times = np.array([(each.start + each.end) / 2 for each in blocks])
    name = f"{passages.line}, {passages.direction}: people a minute"
    bands = {name: (line("low"), line("high"))}
    title = f"{passages.line}: people a minute with the 90 % interval"
    write_image(path, plot_counts(times, {name: line("per_minute")}, title, bands=bands))
    print(f"Written: {path}", file=sys.stderr)


def occupancy(
    rows: RowsFile,
    zone: Annotated[
        list[str] | None,
        option("--zone", panel=INPUT, metavar="NAME", help="Only this zone; repeat for several."),
    ] = None,
    plot: Plot = None,
) -> None:
    """Print how full each zone was, and how long people stayed; draw its people over time."""
    from crowdscale.cli.tables import print_filled
    from crowdscale.drawing.charts import plot_counts, time_label
    from crowdscale.files.images import write_image
    from crowdscale.zones.occupancy import read_occupancy

    if plot is not None and plot.suffix.lower() != ".png":
        raise OptionError("expected --plot as .png", str(plot))
    estimate = read_occupancy(rows, zone)
    sides = dict.fromkeys(
        ("zone", "mean", "most", "at", "different", "entered", "left", "median_stay", "stay_90th_percentile"),
        "right",
    )
    cells = []
    for name, counts in estimate.people.items():
        stays = ["" if value is None else f"{value:,g}" for value in estimate.stays[name]]
        most = int(counts.argmax())
        at = time_label(float(estimate.times[most]), float(estimate.times[-1]))
        cells.append([name, f"{counts.mean():,.1f}", f"{counts[most]:,.1f}", at, *stays])
    print_filled({**sides, "zone": "left"}, cells)
    if plot is not None:
        title = f"{rows.name}: people of each zone over time"
        write_image(plot, plot_counts(estimate.times, estimate.people, title))
        print(f"Written: {plot}", file=sys.stderr)
