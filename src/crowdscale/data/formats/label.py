"""Label: what an annotation says of one photo, in whatever format it stood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError
from crowdscale.points import Points

__all__ = ["Format", "Label", "boxes_of", "photo_size_of", "read_text"]

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Label:
    """The heads of one photo.

    Args:
        points: The heads in pixels of the photo.
        sizes: (n, 2) width and height of their boxes in pixels; None where there are points alone.
        size: (width, height) of the photo, where the annotation or its writer knows it.
    """

    points: Points
    sizes: NDArray[np.float64] | None = None
    size: Size | None = None
    where: str = ""
    """Where in its file it stood, for errors."""


@dataclass(frozen=True)
class Format:
    """How annotations are written: one file for all photos, or one beside each.

    Args:
        name: Its short name.
        what: What it is, in a few words.
        suffix: Of its files.
        one_file: Whether a single file holds all photos.
        points: Whether it carries points of their own (otherwise they are the boxes' centres).
        boxes: Whether it carries boxes.
        read: ``one_file``: a file → labels by the photo's name as the file has it.
        read_one: Otherwise: a file and how to learn the photo's size → the label.
        write: ``one_file``: labels by file name → text.
        write_one: Otherwise: a photo's file name and label → text.
    """

    name: str
    what: str
    suffix: str
    one_file: bool
    points: bool
    boxes: bool
    read: Callable[[Path], dict[str, Label]] | None = None
    read_one: Callable[[Path, Callable[[], Size]], Label] | None = None
    write: Callable[[Mapping[str, Label]], str] | None = None
    write_one: Callable[[str, Label], str] | None = None


def read_text(path: Path) -> str:
    """Return a text file's content. Raises DataError where it cannot be read as UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")  # Excel begins UTF-8 with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("expected a text file of points", f"{path} ({error})", "Save it as UTF-8") from error


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
