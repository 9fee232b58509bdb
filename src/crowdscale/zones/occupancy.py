"""Occupancy: the people of each zone over time, read from the rows of ``watch``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdscale.counting.columns import columns
from crowdscale.counting.frame_table import CrowdColumns, FrameRow, LineColumns, StayColumns
from crowdscale.errors import DataError
from crowdscale.zones.passages import read_columns

__all__ = ["Occupancy", "read_occupancy"]

Floats = NDArray[np.float64]

OWN = {each.name for each in columns(FrameRow)} | {
    former for each in columns(FrameRow) for former in each.former
}
ADDED = [
    *(
        each.name.replace("_", " ")
        for table in (LineColumns, StayColumns, CrowdColumns)
        for each in columns(table)
    ),
    "per m2",
    "level",
]
"""What a zone adds to a row after its name."""
STAYS = tuple(each.name.replace("_", " ") for each in columns(StayColumns))


@dataclass(frozen=True, eq=False)
class Occupancy:
    """People of zones over time."""

    times: Floats
    """(n,) seconds, ascending."""
    people: dict[str, Floats]
    """(n,) by zone."""
    stays: dict[str, tuple[float | None, ...]]
    """Different people, entered, left, median and 90th percentile of the stay at the end; None where heads were not followed."""


def read_occupancy(path: Path, only: Sequence[str] | None = None) -> Occupancy:
    """Return the people of each zone in a file of rows.

    Args:
        path: Rows of ``watch --zones``, .csv or .jsonl.
        only: Zones; None for all areas.

    Raises:
        DataError: No zones, an unknown one, or values that are no numbers.
    """
    table = read_columns(path)
    chosen = _chosen(table, only, path)
    try:
        times = np.array([float(value) for value in table["time"]])
        people = {name: np.array([float(value) for value in table[name]]) for name in chosen}
    except (TypeError, ValueError):
        raise DataError("expected numbers of people", f"other values in {path}") from None
    falls = np.flatnonzero(np.diff(times) < 0) + 1
    if len(falls):  # the watch began again: what came last
        times, people = times[falls[-1] :], {name: counts[falls[-1] :] for name, counts in people.items()}
    return Occupancy(times, people, {name: _last_stays(name, table) for name in chosen})


def _chosen(table: Mapping[str, object], only: Sequence[str] | None, path: Path) -> list[str]:
    """Return the names of the zones to read: ``only``, or all areas where none is chosen. Raises DataError."""
    names = [name for name in table if name not in OWN and not _is_added(name, table)]
    if not names:
        raise DataError(f"expected rows with zones in {path}", "none", "Watch with --zones")
    chosen = list(only or (name for name in names if f"{name} forward" not in table))
    strange = ", ".join(name for name in chosen if name not in names)
    if strange:
        raise DataError(f"expected a zone out of {', '.join(names)}", strange, "Watch with --zones")
    if not chosen:
        raise DataError(f"expected rows with areas in {path}", "lines alone", "Name a line: --zone NAME")
    return chosen


def _is_added(name: str, table: Mapping[str, object]) -> bool:
    return any(name.endswith(f" {end}") and name.removesuffix(f" {end}") in table for end in ADDED)


def _last_stays(name: str, table: dict[str, list[object]]) -> tuple[float | None, ...]:
    values = [table.get(f"{name} {column}", [None])[-1] for column in STAYS]
    return tuple(None if value in (None, "") else float(str(value)) for value in values)
