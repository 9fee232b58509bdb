"""Results of ``crowdscale count``: tables on the terminal, CSV, JSON and point files."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crowdscale.cli.answer import print_answer, print_meaning, sentence
from crowdscale.cli.errors import print_errors
from crowdscale.cli.picture_names import picture_names
from crowdscale.cli.result_files import STDOUT, write_each
from crowdscale.cli.tables import counted
from crowdscale.counting.hints import with_hint

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction
    from crowdscale.counting.table import PhotoRow
    from crowdscale.zones.zone import ZoneCount

__all__ = ["Files", "Outcome", "report"]


@dataclass(frozen=True)
class Outcome:
    """The result of one photo: a prediction, or the sentence of an error of the photo or its pictures."""

    photo: str | Path
    prediction: Prediction | None = None
    error: str = ""
    zones: tuple[ZoneCount, ...] = ()
    pictures: tuple[Path, ...] = ()
    """The pictures that were written."""


@dataclass(frozen=True)
class Files:
    """Result files; None for none."""

    csv: Path | None = None
    json: Path | None = None
    points: Path | None = None
    decimals: int = 2
    """Decimals of the coordinates in ``points``."""


def report(outcomes: list[Outcome], files: Files, quiet: bool, verbose: bool = False) -> bool:
    """Print the answer, write the files, print warnings and errors; return whether a file could not be written.

    Quiet prints the bare number of each photo; nothing if a file goes to stdout.
    """
    done = [(outcome, outcome.prediction) for outcome in outcomes if outcome.prediction is not None]
    if STDOUT not in (files.csv, files.json, files.points):
        _print_counts(done, outcomes, quiet, verbose)
    unwritten = write_each(
        [
            (files.csv, lambda path: _write(path, _csv_text(outcomes))),
            (files.json, lambda path: _write(path, _json_text(outcomes))),
            (files.points, lambda path: _write_points(path, outcomes, files.decimals)),
        ]
    )
    for outcome, prediction in done:
        # Quiet leaves out warnings, but a number that must not be used never stands alone.
        for warning in prediction.warnings[: int(not prediction.usable)] if quiet else prediction.warnings:
            print(f"Warning: {outcome.photo}: {with_hint(warning)}", file=sys.stderr)
        for note in () if quiet else prediction.notes:
            print(f"Note: {outcome.photo}: {with_hint(note)}", file=sys.stderr)
    print_errors([*(outcome.error for outcome in outcomes if outcome.error), *unwritten])
    return bool(unwritten)


def _print_counts(
    done: list[tuple[Outcome, Prediction]], outcomes: list[Outcome], quiet: bool, verbose: bool
) -> None:
    if quiet:
        print(*(f"{prediction.count:.0f}" for _, prediction in done), sep="\n", end="\n" if done else "")
        return
    if not done:
        return
    if len(outcomes) == 1:
        print(sentence(done[0][1]))
        if done[0][1].turn:
            print(f"Turned by {done[0][1].turn}° clockwise before counting.")
    else:
        print_answer([(outcome.photo, prediction) for outcome, prediction in done])
    if verbose:
        for outcome, prediction in done:
            _print_details(None if len(outcomes) == 1 else outcome.photo, prediction)
    print_meaning([prediction for _, prediction in done])
    _print_zones(outcomes)
    _print_pictures(outcomes)


def _print_pictures(outcomes: list[Outcome]) -> None:
    pictures = [str(picture) for outcome in outcomes for picture in outcome.pictures]
    if pictures and len(outcomes) == 1:
        print(f"Pictures: {', '.join(pictures)}")
    elif pictures:
        print(f"Pictures: {counted(len(pictures), 'file')} in {Path(pictures[0]).parent}")


def _print_details(name: str | Path | None, prediction: Prediction) -> None:
    """Print both passes of a photo, with a line for each region."""
    if name is not None:
        print(f"\n{name}")
    size = "at its own size"
    if prediction.read_scale != 1:
        width, height = prediction.size
        change = "reduced" if prediction.read_scale < 1 else "enlarged"
        size = f"{change} to {width * height * prediction.read_scale**2 / 1e6:.1f} MP"
    print(f"  first pass   {prediction.first_pass_count:,.0f} people, {size}")
    for region in prediction.regions:
        left, top, right, bottom = region.box.as_tuple()
        capped = ", the most allowed" if region.capped else ""
        print(f"  second pass  from {left},{top} to {right},{bottom} at ×{region.zoom:.2f}{capped}")
    if not prediction.regions:
        print("  second pass  none")
    print(f"  time         {prediction.seconds:.2f} s")


def _print_zones(outcomes: list[Outcome]) -> None:
    """Print a line for each zone; columns without any value are left out."""
    from crowdscale.cli.tables import print_filled

    rows = [
        (str(outcome.photo), zone.name, *_zone_cells(zone)) for outcome in outcomes for zone in outcome.zones
    ]
    if not rows:
        return
    names = ("photo", "zone", "people", "heads", "capacity", "m2", "per_m2", "level")
    print()
    print_filled({name: "left" if name in ("photo", "zone", "level") else "right" for name in names}, rows)


def _zone_cells(zone: ZoneCount) -> list[str]:
    """Return the cells of a zone after its name; empty without a number."""
    whole = ["" if number is None else f"{number:,}" for number in (zone.dots, zone.capacity)]
    areas = zone.square_metres, zone.per_square_metre
    return [
        f"{zone.people:,.0f}",
        *whole,
        *("" if number is None else f"{number:,.3g}" for number in areas),
        zone.level or "",
    ]


def _write(path: Path, text: str) -> None:
    if path == STDOUT:
        sys.stdout.write(text)
        return
    from crowdscale.files.writing import write_atomic

    write_atomic(path, lambda stream: stream.write(text.encode("utf-8", "surrogateescape")))


def _rows(outcomes: list[Outcome]) -> list[PhotoRow]:
    from crowdscale.counting.table import PhotoRow, photo_row

    return [
        PhotoRow(str(each.photo), error=each.error)
        if each.prediction is None
        else photo_row(str(each.photo), each.prediction, each.zones, each.error)
        for each in outcomes
    ]


def _csv_text(outcomes: list[Outcome]) -> str:
    """Return the columns of the schema without heads, and the people of each zone in a column of its name."""
    from crowdscale.counting.columns import columns, rounded
    from crowdscale.counting.encoding import csv_text
    from crowdscale.counting.table import PhotoRow

    names = [
        each.name for each in columns(PhotoRow) if each.name not in ("heads", "intervals", "interval_of")
    ]
    zones = dict.fromkeys(zone.name for outcome in outcomes for zone in outcome.zones)
    own = {zone: f"zone {zone}" if zone in names else zone for zone in zones}
    rows = []
    for row in map(rounded, _rows(outcomes)):
        rows.append({**{own[zone["name"]]: zone["count"] for zone in row["zones"]}, **row})
    return csv_text(rows, [*names, *own.values()])


def _json_text(outcomes: list[Outcome]) -> str:
    return json.dumps([row.to_dict() for row in _rows(outcomes)], indent=1) + "\n"


def _write_points(path: Path, outcomes: list[Outcome], decimals: int) -> None:
    """Write the heads of each counted photo into a point file, by the photo's name."""
    from crowdscale.metrics import Entry, write_entries

    done = [(each.photo, each.prediction) for each in outcomes if each.prediction is not None]
    names = {photo: name.as_posix() for photo, name in picture_names([photo for photo, _ in done]).items()}
    write_entries(path, {names[photo]: Entry(p.count, p.points) for photo, p in done}, decimals)
