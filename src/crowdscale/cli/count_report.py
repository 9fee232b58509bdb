"""What ``crowdscale count`` says of photos: tables on the terminal, CSV, JSON and point files."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crowdscale.cli.result_files import write_each

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction
    from crowdscale.counting.table import PhotoRow
    from crowdscale.zones.zone import ZoneCount

__all__ = ["Files", "Outcome", "picture_names", "report"]


@dataclass(frozen=True)
class Outcome:
    """What became of one photo: a prediction, or the sentence that says what is wrong with it or its pictures."""

    photo: Path
    prediction: Prediction | None = None
    error: str = ""
    zones: tuple[ZoneCount, ...] = ()


@dataclass(frozen=True)
class Files:
    """Where results are written; None for those that are not wanted."""

    csv: Path | None = None
    json: Path | None = None
    points: Path | None = None
    decimals: int = 2
    """Of the coordinates in ``points``."""


def report(outcomes: list[Outcome], files: Files, quiet: bool) -> bool:
    """Print the table, write the files, then a sentence for each photo and file that failed; whether files did."""
    done = [outcome for outcome in outcomes if outcome.prediction is not None]
    if done and not quiet:
        _print_table(done)
        _print_zones(done)
    unwritten = write_each(
        [
            (files.csv, lambda path: _write(path, _csv_text(outcomes))),
            (files.json, lambda path: _write(path, _json_text(outcomes))),
            (files.points, lambda path: _write_points(path, outcomes, files.decimals)),
        ]
    )
    for outcome in () if quiet else done:
        for sentence in outcome.prediction.warnings if outcome.prediction else ():
            print(f"Warning: {outcome.photo}: {sentence}", file=sys.stderr)
    for sentence in [*(outcome.error for outcome in outcomes if outcome.error), *unwritten]:
        print(f"Error: {sentence}", file=sys.stderr)
    return bool(unwritten)


def _print_table(done: list[Outcome]) -> None:
    from rich.markup import escape

    from crowdscale.cli.tables import new_table, print_table

    predictions = [each.prediction for each in done if each.prediction is not None]
    known = any(prediction.calibration is not None for prediction in predictions)
    names = "people", *(("90 %",) if known else ()), "first_pass", "region", "zoom", "seconds"
    table = new_table(photo="left", **dict.fromkeys(names, "right"), note="left")
    for outcome, prediction in zip(done, predictions, strict=True):
        shown, *rest = _cells(prediction)
        interval = [str(prediction.interval() or "")] if known else []
        table.add_row(escape(str(outcome.photo)), shown, *interval, *rest)
    if len(done) > 1:
        people = sum(prediction.count for prediction in predictions)
        first = sum(prediction.first_pass_count for prediction in predictions)
        seconds = sum(prediction.seconds for prediction in predictions)
        table.add_section()
        total = f"{len(done)} photos", f"{people:.0f}", *(("",) if known else ()), f"{first:.0f}"
        table.add_row(*total, "", "", f"{seconds:.2f}", "")
    print_table(table)


def _print_zones(done: list[Outcome]) -> None:
    from rich.markup import escape

    from crowdscale.cli.tables import new_table, print_table

    if not any(outcome.zones for outcome in done):
        return
    sides = dict.fromkeys(("people", "dots", "capacity", "m2", "per_m2"), "right")
    table = new_table(photo="left", zone="left", **sides, level="left")
    for outcome in done:
        for zone in outcome.zones:
            numbers = (zone.dots, zone.capacity), (zone.square_metres, zone.per_square_metre)
            whole = ["" if number is None else f"{number:,}" for number in numbers[0]]
            broken = ["" if number is None else f"{number:,.3g}" for number in numbers[1]]
            name = escape(str(outcome.photo)), escape(zone.name)
            table.add_row(*name, f"{zone.people:,.0f}", *whole, *broken, zone.level or "")
    print()
    print_table(table)


def _cells(prediction: Prediction) -> list[str]:
    """The cells of a photo after its name; a line for each region."""
    regions = prediction.regions
    notes = []
    if prediction.read_scale < 1:
        width, height = prediction.size
        notes.append(f"reduced to {width * height * prediction.read_scale**2 / 1e6:.1f} MP")
    if any(region.capped for region in regions):
        notes.append("zoom capped")
    if prediction.warnings:
        notes.append("see warning")
    return [
        f"{prediction.count:.0f}",
        f"{prediction.first_pass_count:.0f}",
        "\n".join("{},{} – {},{}".format(*region.box.as_tuple()) for region in regions) or "none",
        "\n".join(f"×{region.zoom:.2f}" for region in regions),
        f"{prediction.seconds:.2f}",
        ", ".join(notes),
    ]


def _write(path: Path, text: str) -> None:
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
    from crowdscale.counting.encoding import csv_text
    from crowdscale.counting.table import PhotoRow, columns, rounded

    names = [each.name for each in columns(PhotoRow) if each.name not in ("heads", "intervals")]
    zones = dict.fromkeys(zone.name for outcome in outcomes for zone in outcome.zones)
    own = {zone: f"zone {zone}" if zone in names else zone for zone in zones}
    rows = []
    for row in map(rounded, _rows(outcomes)):
        rows.append({**{own[zone["name"]]: zone["count"] for zone in row["zones"]}, **row})
    return csv_text(rows, [*names, *own.values()])


def _json_text(outcomes: list[Outcome]) -> str:
    return json.dumps([row.to_dict() for row in _rows(outcomes)], indent=1) + "\n"


def _write_points(path: Path, outcomes: list[Outcome], decimals: int) -> None:
    """Write the heads of each photo that was counted as a point file of the field, by the photo's name."""
    from crowdscale.metrics import Entry, write_entries

    done = [(each.photo, each.prediction) for each in outcomes if each.prediction is not None]
    names = {photo: name.as_posix() for photo, name in picture_names([photo for photo, _ in done]).items()}
    write_entries(path, {names[photo]: Entry(p.count, p.points) for photo, p in done}, decimals)


def picture_names(photos: list[Path]) -> dict[Path, Path]:
    """Return for each photo a name without suffix, below the folder they share; equal ones are numbered."""
    whole = [photo.absolute() for photo in photos]
    try:
        base = os.path.commonpath([photo.parent for photo in whole])
        names = [photo.relative_to(base).with_suffix("") for photo in whole]
    except ValueError:  # drives of Windows share no folder
        names = [Path(photo.stem) for photo in whole]
    taken: set[str] = set()
    for index, name in enumerate(names):
        number, free = 2, name
        while str(free).casefold() in taken:
            free, number = name.with_name(f"{name.name}_{number}"), number + 1
        taken.add(str(free).casefold())
        names[index] = free
    return dict(zip(photos, names, strict=True))
