"""What an annotation holds: marks as their file has them, and the label of one photo that they become."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdscale.data.areas import Area, Areas
from crowdscale.data.checks import check_points
from crowdscale.errors import DataError
from crowdscale.points import Points

__all__ = [
    "NONE",
    "Entry",
    "Format",
    "Label",
    "Mark",
    "Size",
    "boxes_of",
    "label_of",
    "mark_of",
    "photo_size_of",
    "read_size",
]

Size = tuple[int, int]

NONE = math.nan
"""The sides of a point."""


class Mark(NamedTuple):
    """One marked object of a photo.

    Args:
        x, y: The head's position in pixels of the photo; of a box its centre.
        width, height: The box's sides in pixels; NaN for a point.
        label: The object's class; empty without one.
        refused: The shape's name, where it gives no position; such a mark is an error unless its class is left out.
        also: Other names by which its class may be chosen, such as each of several.
        attributes: ``NAME=VALUE`` of its attributes, tags and flags, by which it may be chosen as well.
    """

    x: float
    y: float
    width: float = NONE
    height: float = NONE
    label: str = ""
    refused: str = ""
    also: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Entry:
    """The marks of one photo as an annotation file has them."""

    marks: Sequence[Mark]
    size: Size | None = None
    """(width, height) of the photo by the file."""
    where: str = ""
    """Place in the file, for errors: ``, line 3``."""
    also: tuple[str, ...] = ()
    """Other names by which the photo may be found."""
    notes: tuple[str, ...] = ()
    """Sentences about marks that were left out."""
    optional: bool = False
    """Whether the photo may be missing: a frame of a film that was not saved."""
    ignored: Sequence[Area] = ()
    """Areas whose people are not marked one by one."""
    only: Sequence[Area] = ()
    """Where there are any, nothing outside them is marked."""


@dataclass(frozen=True, eq=False)
class Label:
    """The heads of one photo.

    Args:
        points: The heads in pixels of the photo.
        sizes: (n, 2) width and height of their boxes in pixels; None where there are points alone.
        size: (width, height) of the photo, where the annotation or its writer has it.
        ignored: Areas whose people are not marked one by one.
        only: Where there are any, nothing outside them is marked.
    """

    points: Points
    sizes: NDArray[np.float64] | None = None
    size: Size | None = None
    ignored: tuple[Area, ...] = ()
    only: tuple[Area, ...] = ()

    def areas(self, size: Size | Path) -> Areas | None:
        """Return what of a photo of this size, or of this file, is annotated; None where all of it is."""
        return Areas(size, self.ignored, self.only) if self.ignored or self.only else None

    def moved(self, move: Callable[[Points], Points], size: Size, sizes: NDArray[np.float64] | None) -> Label:
        """Return the label with heads and areas moved, of a photo of another size with other sizes of heads."""
        ignored, only = (tuple(area.moved(move) for area in part) for part in (self.ignored, self.only))
        return Label(move(self.points), sizes, size, ignored, only)


@dataclass(frozen=True)
class Format:
    """A format of annotations: one file for all photos, or one beside each.

    Args:
        name: Its short name.
        what: Its description, in a few words.
        suffix: Of its files.
        one_file: Whether a single file holds all photos.
        points: Whether it carries points of their own (otherwise they are the boxes' centres).
        boxes: Whether it carries boxes.
        read: ``one_file``: a file → entries by the photo's name in the file.
        read_one: Otherwise: a file and a function that returns the photo's size → the entry.
        write: ``one_file``: labels by file name → text.
        write_one: Otherwise: a photo's file name and label → content of its file.
        target: The path of a photo's own file from the photo's, both from the root; its suffix is replaced
            where this is None.
        areas: Whether it is written with ignored areas.
    """

    name: str
    what: str
    suffix: str
    one_file: bool
    points: bool
    boxes: bool
    read: Callable[[Path], dict[str, Entry]] | None = None
    read_one: Callable[[Path, Callable[[], Size]], Entry] | None = None
    write: Callable[[Mapping[str, Label]], str] | None = None
    write_one: Callable[[str, Label], str | bytes] | None = None
    target: Callable[[str], str] | None = None
    areas: bool = False

    @property
    def written(self) -> bool:
        """Whether annotations can be converted to it."""
        return self.write is not None or self.write_one is not None

    @property
    def readable(self) -> bool:
        """Whether annotations can be read from it."""
        return self.read is not None or self.read_one is not None


def label_of(marks: Iterable[Mark], size: Size | None, where: object) -> Label:
    """Return the label that marks of one photo become.

    Args:
        marks: The marks, those of other classes left out.
        size: (width, height) of the photo by the file.
        where: The file and the place in it, for errors.

    Raises:
        DataError: A mark is of a shape without a position, a box has no area, a coordinate is no finite
            number, or a point lies in a box.
    """
    marks = list(marks)
    refused = next((mark.refused for mark in marks if mark.refused), None)
    if refused is not None:
        raise DataError(f"expected points or boxes in {where}", refused, "Mark heads with points or boxes")
    table = np.array([mark[:4] for mark in marks], dtype=np.float64).reshape(-1, 4)
    points = check_points(table[:, :2], None, where)
    boxed = ~np.isnan(table[:, 2:]).all(axis=1)
    _check_boxes(table[boxed], where)
    if boxed.all() and len(table):
        return Label(points, table[:, 2:].copy(), size)
    _check_apart(table[~boxed], table[boxed], where)
    return Label(points, None, size)


def _check_apart(points: NDArray[np.float64], boxes: NDArray[np.float64], where: object) -> None:
    """Refuse a point inside a box: it may be the same head, marked twice."""
    for x, y, width, height in boxes.tolist():
        inside = (np.abs(points[:, :2] - (x, y)) <= (width / 2, height / 2)).all(axis=1)
        if inside.any():
            px, py = points[inside][0, :2].tolist()
            raise DataError(
                f"expected either a point or a box for each head in {where}",
                f"the point ({px:g}, {py:g}) inside a box, perhaps the same head twice",
                "Name the class that is meant (--class), or mark each head in one way",
            )


def _check_boxes(table: NDArray[np.float64], where: object) -> None:
    flat = np.flatnonzero(~(table[:, 2:] > 0).all(axis=1) | ~np.isfinite(table[:, 2:]).all(axis=1))
    if len(flat):
        _, _, width, height = table[flat[0]].tolist()
        raise DataError(
            f"expected boxes with a width and a height in {where}",
            f"{len(flat)} without, the first is box {flat[0] + 1}: {width:g} × {height:g}",
            "Correct or remove it",
        )


def mark_of(numbers: Sequence[float], label: str = "") -> Mark:
    """Return the mark of x, y and, where there are, width and height."""
    x, y, *sides = numbers
    width, height = sides or (NONE, NONE)
    return Mark(x, y, width, height, label)


def read_size(width: float | None, height: float | None) -> Size | None:
    """Return a photo's size from a file; None where it is missing or 0, as some tools write."""
    if not width or not height or min(width, height) < 1:
        return None
    return int(width), int(height)


def boxes_of(label: Label, name: str, what: str) -> NDArray[np.float64]:
    """Return the (n, 4) boxes left, top, width, height. Raises DataError for points alone."""
    if label.sizes is None:
        if not len(label.points):
            return np.zeros((0, 4))
        raise DataError(
            f"expected head boxes, which {what} needs",
            f"points alone in {name}",
            "Give --box PIXELS to draw a square of this side around each point",
        )
    return np.hstack([label.points.xy - (label.sizes - 1) / 2, label.sizes])


def photo_size_of(label: Label, name: str) -> Size:
    """Return the photo's size, which relative formats need."""
    if label.size is None:
        raise DataError(f"expected the size of {name}", "none", "Keep the photo beside its annotation")
    return label.size
