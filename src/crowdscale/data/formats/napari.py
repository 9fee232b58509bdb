"""napari: CSV of a points layer or of a shapes layer, in rows and columns of the photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crowdscale.data.formats.cells import cell, row_numbers
from crowdscale.data.formats.label import Mark, mark_of
from crowdscale.data.formats.shapes import refusal
from crowdscale.errors import DataError

__all__ = ["is_napari", "napari_marks"]

AXES = ("axis-0", "axis-1")
"""Headers of the row and the column."""

SHAPE, VERTEX = "shape-type", "vertex-index"
"""Headers of a shapes layer, which has a row a corner."""

AREAS = ("rectangle", "ellipse", "polygon")
"""Shapes with a centre; the corners of an ellipse are those of the box around it."""


def is_napari(header: Sequence[str]) -> bool:
    """Return whether a lower-case header is one of napari."""
    return set(AXES) <= set(header)


def napari_marks(
    path: Path, rows: Sequence[tuple[int, list[str]]], header: Sequence[str], kind: int | None = None
) -> list[Mark]:
    """Return a mark a point, or a mark a shape.

    Args:
        path: The file, for errors.
        rows: (line, cells) of each row, the header first.
        header: The header in lower case.
        kind: The column of the class.

    Raises:
        DataError: The layer is one of a stack, or a cell is no number.
    """
    if "axis-2" in header:
        what = "shapes" if SHAPE in header else "points"
        raise DataError(
            f"{path} holds napari's {what} of a stack (axis-0, axis-1, axis-2)",
            "",
            f"Save a {what} layer a photo",
        )
    columns = [header.index(name) for name in reversed(AXES)]
    places = [row_numbers(path, line, row, columns) for line, row in rows[1:]]
    if SHAPE not in header:
        kinds = ["" if kind is None else cell(row, kind) for _, row in rows[1:]]
        return [mark_of(place, label) for place, label in zip(places, kinds, strict=True)]
    shapes: dict[str, tuple[str, list[list[float]]]] = {}
    for (_, row), place in zip(rows[1:], places, strict=True):
        shape = cell(row, header.index(SHAPE))
        shapes.setdefault(cell(row, 0), (shape, []))[1].append(place)
    return [_shape_mark(shape, corners) for shape, corners in shapes.values()]


def _shape_mark(kind: str, corners: Sequence[Sequence[float]]) -> Mark:
    """Return the mark of a shape: the box around its corners, which are centres of pixels."""
    if kind not in AREAS:
        return refusal(kind or "shape without a type")
    (left, right), (top, bottom) = ((min(side), max(side)) for side in zip(*corners, strict=True))
    return Mark((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
