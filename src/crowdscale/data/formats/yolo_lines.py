"""Lines of YOLO's files: which are boxes, polygons or poses, where their numbers leave it open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError
from crowdscale.files.documents import read_text

__all__ = ["BOX", "MOST_EXTRA", "YAMLS", "pose_width"]

BOX, MOST_EXTRA = 5, 2
"""Numbers of a box, and of a confidence and a track's number behind them."""

VISIBLE = (0.0, 1.0, 2.0)
"""Third numbers of a pose's key points: 0 not labelled, 1 hidden, 2 visible."""

YAMLS = ("data.yaml", "dataset.yaml", "data.yml")
"""Names of the file that describes a set of YOLO."""

ABOVE = 4
"""Folders above an annotation in which that file is searched: ROOT/train/labels/a.txt."""

KEY_POINTS = re.compile(
    r"^kpt_shape:\s*(?:\[\s*(\d{1,4})\s*,\s*([23])\s*\]|\n\s*-\s*(\d{1,4})\s*\n\s*-\s*([23]))", re.M
)

SLACK = 0.01
"""Share of the photo by which a key point may lie outside its box."""

ALIKE = 0.004
"""Share of the photo by which opposite sides of a turned box may differ."""


def pose_width(rows: Sequence[Sequence[float]], path: Path) -> int:
    """Return the numbers of a key point, 2 or 3, where lines are poses; 0 where they are boxes and polygons.

    ``kpt_shape`` of a data.yaml decides. Without it, thirds that are all 0, 1 or 2 are visibilities. Other lines
    that may be a pose as well as a polygon are refused.

    Args:
        rows: The numbers of each line, the class first.
        path: The file.

    Raises:
        DataError: The lines contradict ``kpt_shape``, or may be read in two ways.
    """
    length = len(rows[0])
    if all(len(row) <= BOX + MOST_EXTRA - 1 for row in rows):
        return 0
    shape = _described(path)
    if shape is not None:
        return _by_shape(rows, shape, path)
    if length <= BOX + 1 or any(len(row) != length for row in rows):
        return 0
    if length > BOX + MOST_EXTRA and (length - BOX) % 3 == 0 and _thirds_are_visibilities(rows):
        return 3
    table = np.array(rows, dtype=np.float64)[:, 1:]
    widths = [width for width in (2, 3) if (length - BOX) % width == 0 and _may_be_pose(table, width)]
    if not widths or length % 2 == 0 or _is_track(table) or _are_polygons(table):
        return 0
    raise DataError(
        f"the lines of {length} numbers in {path} may be poses with {widths[0]} numbers a key point or polygons", "",
        f"Put a data.yaml with kpt_shape: [{(length - BOX) // widths[0]}, {widths[0]}] above it, "
        "or export boxes",
    )  # fmt: skip


def _described(path: Path) -> tuple[int, int] | None:
    """Return (key points, numbers of each) of the nearest data.yaml; None without one, or one that has none."""
    for folder in list(path.absolute().parents)[:ABOVE]:
        for name in YAMLS:
            if (folder / name).is_file():
                match = KEY_POINTS.search(read_text(folder / name))
                numbers = [int(group) for group in match.groups() if group] if match else []
                return (numbers[0], numbers[1]) if numbers else None
    return None


def _by_shape(rows: Sequence[Sequence[float]], shape: tuple[int, int], path: Path) -> int:
    points, width = shape
    strange = next((row for row in rows if len(row) != BOX + points * width), None)
    if strange is not None:
        raise DataError(
            f"expected lines of {BOX + points * width} numbers in {path}, as kpt_shape [{points}, {width}] says",
            f"one of {len(strange)}",
        )
    return width


def _thirds_are_visibilities(rows: Sequence[Sequence[float]]) -> bool:
    """A polygon has an odd number of values too, but shares of a photo are hardly ever whole at each third place."""
    return all(third in VISIBLE for row in rows for third in row[BOX + 2 :: 3])


def _may_be_pose(table: NDArray[np.float64], width: int) -> bool:
    """Return whether the first four numbers of each line are a box in the photo that holds the points behind it."""
    centre, half = table[:, :2], table[:, 2:4] / 2
    if ((centre - half < -SLACK) | (centre + half > 1 + SLACK)).any():
        return False
    points = table[:, 4:].reshape(len(table), -1, width)[..., :2]
    inside = (np.abs(points - centre[:, None]) <= half[:, None] + SLACK).all(axis=2)
    return bool((inside | (points == 0).all(axis=2)).all())


def _is_track(table: NDArray[np.float64]) -> bool:
    """Return whether lines are boxes with a confidence and a track's number, which is whole."""
    return table.shape[1] == BOX + MOST_EXTRA - 1 and bool((table[:, -1] == np.round(table[:, -1])).all())


def _are_polygons(table: NDArray[np.float64]) -> bool:
    """Return whether each line is a turned box, or its first two corners lie as near as the others do.

    Of a pose these two would be a box's centre and its sides, which are no place near its key points.
    """
    corners = table.reshape(len(table), -1, 2)
    if corners.shape[1] == 4:
        opposite = corners[:, 0] + corners[:, 2] - corners[:, 1] - corners[:, 3]
        if (np.abs(opposite) <= ALIKE).all():
            return True
    if corners.shape[1] < 4:
        return False
    low, high = corners[:, 2:].min(axis=1), corners[:, 2:].max(axis=1)
    reach = (high - low).max(axis=1, keepdims=True)
    near = (corners[:, :2] >= (low - reach)[:, None]) & (corners[:, :2] <= (high + reach)[:, None])
    return bool(near.all() and (high - low <= corners[:, 1] / 2).all())
