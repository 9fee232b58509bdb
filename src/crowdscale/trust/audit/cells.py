"""Cells of an audit: photos cut into boxes of about equal predicted people, each small enough to be counted by hand.

The share of a box mixes predicted people and area, so that an area without predicted people still has a chance to be
drawn: share = (1 - a)·people/total + a·area/total area. A k-d tree (Bentley, 1975) halves the share of each box along
its longer side. Its leaves are the cells, its nodes are the strata of the draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError, OptionError
from crowdscale.points import Box

__all__ = ["AuditOptions", "AuditPhoto", "Cell", "PeopleMap", "cut_cells"]

Floats = NDArray[np.float64]

SHARES = 1_000_000_000
"""Sizes are whole parts of this, so that every language sums them alike."""

BLOCK = 16
"""Side in pixels of the cells in which heads are counted for a map."""


@dataclass(frozen=True)
class AuditOptions:
    """How cells are cut."""

    heads: float = 40.0
    """Most predicted people in a cell."""
    fewest: float = 5.0
    """Least predicted people in a cell, where there are more than ``cells`` such cells."""
    cells: int = 24
    """Least number of cells."""
    area_share: float = 0.3
    """Weight of the area in the chance of a cell, from 0.01 to 1: 1 ignores the model."""
    side: int = 16
    """Least side of a cell in pixels."""
    unseen_photos: bool = True
    """Whether the interval's upper end leaves room for people whom the model missed in photos without a counted cell.
    Audits of earlier versions do not."""

    def __post_init__(self) -> None:
        if not 1 <= self.fewest <= self.heads:
            raise OptionError(
                "expected 1 <= fewest <= heads people in a cell", f"{self.fewest:g}, {self.heads:g}"
            )
        if not 0.01 <= self.area_share <= 1:
            raise OptionError("expected an area share from 0.01 to 1", f"{self.area_share:g}")
        if self.cells < 1 or self.side < 1:
            raise OptionError("expected cells >= 1 and side >= 1", f"{self.cells}, {self.side}")

    def number_of_cells(self, people: float) -> int:
        """Return the number of cells for a predicted total: at most about √people in each, within the limits.

        A cell whose share is all people holds 1/(1 - area share) of the mean: so many cells more are cut.
        """
        most = min(max(float(np.sqrt(people)), self.fewest), self.heads)
        return max(self.cells, math.ceil(people / (most * max(1 - self.area_share, 0.5))))


@dataclass(frozen=True, eq=False)
class PeopleMap:
    """Predicted people of one photo in the cells of a grid.

    Raises:
        DataError: Shapes do not fit, or a value is negative or not finite.
    """

    name: str
    """Name of the photo, or of a frame."""
    size: tuple[int, int]
    """(width, height) of the upright photo in pixels."""
    people: Floats
    """(rows, columns) of people."""
    x_edges: Floats
    """(columns + 1,) borders of the columns in pixels."""
    y_edges: Floats
    """(rows + 1,) borders of the rows in pixels."""
    sha256: str = ""
    """Of the photo's file."""

    def __post_init__(self) -> None:
        for key in ("people", "x_edges", "y_edges"):
            object.__setattr__(self, key, np.asarray(getattr(self, key), np.float64))
        if self.people.shape != (len(self.y_edges) - 1, len(self.x_edges) - 1):
            raise DataError("expected a border more than rows and columns", f"people {self.people.shape}")
        if not np.isfinite(self.people).all() or (self.people < 0).any():
            raise DataError(f"expected people of 0 or more in each cell of {self.name}", "other values")
        if min(self.size) < 1:
            raise DataError("expected a photo with pixels", f"{self.size}")

    @classmethod
    def from_points(cls, name: str, size: tuple[int, int], xy: Floats, sha256: str = "") -> PeopleMap:
        """Return the map of (n, 2) located heads, those outside moved onto the border."""
        edges = [np.append(np.arange(0, length, BLOCK), length) for length in size]
        inside = np.clip(np.floor(xy + 0.5), 0, np.array(size) - 1)
        people = np.histogram2d(inside[:, 1], inside[:, 0], bins=(edges[1], edges[0]))[0]
        return cls(name, size, people, edges[0], edges[1], sha256)

    @property
    def total(self) -> float:
        """Predicted people in the photo."""
        return float(self.people.sum())

    def profile(self, box: Box, axis: int) -> Floats:
        """Return the people of a box left of each whole pixel (axis 0), or above it (axis 1), cumulated from 0."""
        spans = ((box.left, box.right, self.x_edges), (box.top, box.bottom, self.y_edges))
        low, high, edges = spans[axis]
        begin, end, across = spans[1 - axis]
        cells = self.people if axis == 0 else self.people.T
        lengths = np.maximum(np.diff(across), 1e-12)
        weights = np.maximum(np.minimum(end, across[1:]) - np.maximum(begin, across[:-1]), 0) / lengths
        used = np.flatnonzero(weights)
        sums = weights[used] @ cells[used]
        places = np.arange(low, high + 1)
        cumulated = np.interp(places, edges, np.append(0.0, np.cumsum(sums)))
        return np.asarray(cumulated - cumulated[0], np.float64)


@dataclass(frozen=True)
class AuditPhoto:
    """A photo of an audit, or a frame of a video."""

    name: str
    width: int
    height: int
    predicted: float
    """People by the model."""
    sha256: str = ""
    """Of the file."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> AuditPhoto:
        """Return the photo that ``dataclasses.asdict`` took apart."""
        return cls(**values)


@dataclass(frozen=True)
class Cell:
    """A part of a photo that is counted as one."""

    photo: int
    """Index of its photo."""
    box: Box
    """Half-open, in pixels of the upright photo: a head belongs to it by the rule of ``Box.contains``."""
    predicted: float
    """People by the model, rounded to 4 decimals."""
    size: int
    """Its chance in parts of the sum of all sizes."""
    path: str
    """Place in the tree: 0 and 1 for each turn from the root."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**vars(self), "box": list(self.box.as_tuple())}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Cell:
        """Return the cell that ``to_dict`` took apart."""
        return cls(**{**values, "box": Box(*values["box"])})


@dataclass(frozen=True)
class _Cutter:
    """Cuts one photo."""

    people: PeopleMap
    photo: int
    total: float
    """People in all photos."""
    area_part: float
    """Share of a pixel by its area."""
    options: AuditOptions
    cells: list[Cell] = field(default_factory=list)

    @property
    def _people_part(self) -> float:
        """Share of a person."""
        return (1 - self.options.area_share) / self.total if self.total > 0 else 0.0

    def cut(self, box: Box, cells: int, path: str) -> None:
        """Append the cells of a box: ``cells``, more where people are too many for one, fewer where it is small."""
        axis = 0 if box.width >= box.height else 1
        length, across = (box.width, box.height) if axis == 0 else (box.height, box.width)
        people = self.people.profile(box, axis)
        shares = self._people_part * people + self.area_part * across * np.arange(length + 1)
        side = self.options.side
        cells = max(cells, 2 if people[-1] > self.options.heads else 1)
        if cells < 2 or length < 2 * side:
            size = max(1, round(SHARES * float(shares[-1])))
            self.cells.append(Cell(self.photo, box, round(float(people[-1]), 4), size, path))
            return
        first = cells // 2
        goal = shares[-1] * first / cells
        at = side + int(np.argmin(np.abs(shares[side : length - side + 1] - goal)))
        if axis == 0:
            parts = box.left + at, box.top, box.left + at, box.bottom
        else:
            parts = box.left, box.top + at, box.right, box.top + at
        self.cut(Box(box.left, box.top, parts[2], parts[3]), first, f"{path}0")
        self.cut(Box(parts[0], parts[1], box.right, box.bottom), cells - first, f"{path}1")


def cut_cells(maps: Sequence[PeopleMap], options: AuditOptions) -> list[Cell]:
    """Return the cells of all photos, in the order of the tree.

    The photos, in their order, are the upper part of the tree. Each photo has one cell or more.

    Raises:
        DataError: There is no photo.
    """
    if not maps:
        raise DataError("expected a photo to audit", "none")
    total = float(sum(each.total for each in maps))
    people_share = 1 - options.area_share if total > 0 else 0.0
    shares = np.array([people_share * (m.total / total if total else 0) for m in maps])
    shares += (1 - people_share) / len(maps)
    wanted, cells = options.number_of_cells(total), list[Cell]()
    for index, path in enumerate(_photo_paths(shares)):
        width, height = maps[index].size
        area_part = (1 - people_share) / (len(maps) * width * height)
        cutter = _Cutter(maps[index], index, total, area_part, options)
        cutter.cut(Box(0, 0, width, height), max(1, round(wanted * float(shares[index]))), path)
        cells += cutter.cells
    return cells


def _photo_paths(shares: Floats) -> list[str]:
    """Return a path for each photo: their list halved by shares again and again."""
    paths = [""] * len(shares)
    waiting = [(0, len(shares), "")]
    while waiting:
        begin, end, path = waiting.pop()
        if end - begin == 1:
            paths[begin] = path
            continue
        cumulated = np.cumsum(shares[begin:end])
        middle = begin + 1 + int(np.argmin(np.abs(cumulated[:-1] - cumulated[-1] / 2)))
        waiting += [(begin, middle, f"{path}0"), (middle, end, f"{path}1")]
    return paths
