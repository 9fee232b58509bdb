"""Passages: the people who crossed a line, read from the rows of ``watch``, with the time that was observed."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError, OptionError

__all__ = ["DIRECTIONS", "Direction", "Passages", "read_columns", "read_passages"]

Floats = NDArray[np.float64]
Direction = Literal["forward", "backward", "net"]
DIRECTIONS = ("forward", "backward", "net")

LONGEST_STEP = 3.0
"""Times of the usual step between two rows, and …"""
LEAST_GAP = 2.0
"""… seconds, beyond both of which nothing was observed between them."""


@dataclass(frozen=True, eq=False)
class Passages:
    """Observed steps of time, each with the people who crossed."""

    line: str
    direction: str
    starts: Floats
    """(n,) seconds."""
    ends: Floats
    """(n,) seconds, each after its start."""
    people: Floats
    """(n,) crossings in each step."""

    @property
    def observed(self) -> float:
        """Seconds in all."""
        return float((self.ends - self.starts).sum())

    def between(self, start: float, end: float) -> Passages:
        """Return the steps that lie between two times."""
        kept = (self.starts >= start - 1e-6) & (self.ends <= end + 1e-6)
        return Passages(self.line, self.direction, self.starts[kept], self.ends[kept], self.people[kept])

    def runs(self) -> list[slice]:
        """Return the steps of each time that was observed without a gap."""
        breaks = np.flatnonzero(self.starts[1:] - self.ends[:-1] > 1e-6) + 1
        edges = [0, *breaks.tolist(), len(self.starts)]
        return [slice(a, b) for a, b in itertools.pairwise(edges) if b > a]


def read_columns(path: Path) -> dict[str, list[Any]]:
    """Return the columns of a .csv or .jsonl file of rows.

    Raises:
        DataError: No file, no rows, or rows without ``time``.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(_rows(stream, path))
    except (OSError, UnicodeDecodeError, ValueError, csv.Error, RecursionError) as error:
        raise DataError("expected rows of `crowdscale watch`", f"{path} ({error})") from None
    if not rows:
        raise DataError("expected rows of `crowdscale watch`", f"no row in {path}")
    names = list(dict.fromkeys(name for row in rows for name in row))
    if "time" not in names:
        raise DataError(
            "expected rows of `crowdscale watch` with a column time", f"{', '.join(names[:6])} in {path}"
        )
    return {name: [row.get(name) for row in rows] for name in names}


def _rows(stream: Any, path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix.lower() == ".jsonl":
        for line in stream:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("a line that is no object")
            yield row
    else:
        yield from csv.DictReader(stream)


def read_passages(path: Path, line: str | None = None, direction: str | None = None) -> Passages:
    """Return the crossings of a line.

    Times that fall back, and crossings that fall back, are those of a watch that began again.

    Args:
        path: Rows of ``watch`` with a line, .csv or .jsonl.
        line: Name of the line; not needed where there is one alone.
        direction: ``forward``, ``backward`` or ``net``; None takes the way that more people went.

    Raises:
        DataError: No such file or line, or values that are no numbers.
        OptionError: An unknown direction, or several lines without a name.
    """
    if direction not in (None, *DIRECTIONS):
        raise OptionError(f"expected a direction out of {', '.join(DIRECTIONS)}", str(direction))
    columns = read_columns(path)
    name = _line_name(columns, line, path)
    time = _numbers(columns, "time", path)
    ways = {way: _numbers(columns, f"{name} {way}", path) for way in DIRECTIONS[:2]}
    times, begins = _continued(time)
    steps = {way: _steps(total, begins) for way, total in ways.items()}
    if direction is None:
        direction = max(steps, key=lambda way: float(steps[way].sum()))
    people = steps["forward"] - steps["backward"] if direction == "net" else steps[direction]
    length = np.diff(times)
    usual = float(np.median(length)) if len(length) else 0.0
    near = (length > 0) & (length <= max(LEAST_GAP, LONGEST_STEP * usual)) & ~begins[1:]
    return Passages(name, direction, times[:-1][near], times[1:][near], people[near])


def _line_name(columns: Mapping[str, Any], line: str | None, path: Path) -> str:
    names = [
        each.removesuffix(" forward")
        for each in columns
        if each.endswith(" forward") and f"{each.removesuffix(' forward')} backward" in columns
    ]
    if line is None and len(names) > 1:
        raise OptionError("expected the name of a line", "none", f"Choose --line out of {', '.join(names)}")
    if not names or (line is not None and line not in names):
        listed = ", ".join(names) or "none"
        raise DataError(f"expected crossings of {line or 'a line'} in {path}", f"lines: {listed}")
    return line or names[0]


def _numbers(columns: Mapping[str, list[Any]], name: str, path: Path) -> Floats:
    try:
        return np.array([float(value) for value in columns[name]], float)
    except (TypeError, ValueError):
        raise DataError(f"expected numbers as {name}", f"other values in {path}") from None


def _continued(time: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return times that never fall, and where a watch begins: one that began again at 0 follows the one before."""
    falls = np.append(True, np.diff(time) < 0)
    shift = np.zeros(len(time))
    for place in np.flatnonzero(falls)[1:].tolist():
        shift[place:] += time[place - 1] - time[place] + LEAST_GAP
    return time + shift, falls


def _steps(total: Floats, begins: NDArray[np.bool_]) -> Floats:
    """Return the growth from row to row; a total that falls began again at 0."""
    grown = np.diff(total)
    fell = (grown < 0) | begins[1:]
    return np.where(fell, total[1:], grown)
