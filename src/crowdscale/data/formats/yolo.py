"""YOLO: a text file a photo, a line a box: class, centre x, centre y, width, height as shares of the photo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from crowdscale.data.formats.label import Format, Label, Size, boxes_of, photo_size_of
from crowdscale.data.sets.layout import boxes_to_points, read_rows
from crowdscale.errors import DataError

__all__ = ["YOLO"]


def read_yolo(path: Path, photo_size: Callable[[], Size]) -> Label:
    """Return the label of NAME.txt; every class counts.

    Raises:
        DataError: A value lies outside 0…1, a box has no size, or a line is a polygon.
    """
    rows = read_rows(path, 5)
    if rows.shape[1] > 6:
        raise DataError(f"expected boxes (5 numbers a line) in {path}", "polygons", "Export boxes")
    shares = rows[:, 1:5]
    beyond = np.flatnonzero(((shares < 0) | (shares > 1)).any(axis=1))
    if len(beyond):
        raise DataError(
            f"expected shares of the photo from 0 to 1 in {path}",
            f"{shares[beyond[0]].tolist()} in box {beyond[0] + 1}",
            "Divide by the photo's width and height",
        )
    if not len(rows):
        return Label(boxes_to_points(np.zeros((0, 4)), path)[0])
    width, height = photo_size()
    pixels = shares * (width, height, width, height)
    boxes = np.hstack([pixels[:, :2] - pixels[:, 2:] / 2, pixels[:, 2:]])
    return Label(*boxes_to_points(boxes, path), (width, height))


def _write(name: str, label: Label) -> str:
    boxes = boxes_of(label, name, "YOLO")
    width, height = photo_size_of(label, name) if len(boxes) else (1, 1)
    centres = (boxes[:, :2] + boxes[:, 2:] / 2) / (width, height)
    shares = np.hstack([centres, boxes[:, 2:] / (width, height)])
    if ((shares < 0) | (shares > 1)).any():
        raise DataError(f"expected heads inside {name}", "some outside, which YOLO cannot say")
    return "".join("0 " + " ".join(f"{value:.8f}" for value in row) + "\n" for row in shares)


YOLO = Format(
    "yolo", "NAME.txt a photo: class and box as shares of the photo", ".txt", False, False, True,
    read_one=read_yolo, write_one=_write,
)  # fmt: skip
