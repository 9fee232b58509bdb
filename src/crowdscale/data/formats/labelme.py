"""LabelMe: a JSON file a photo, with points, rectangles, circles and polygons.

Considered: the package labelme. Its reader needs Qt, and decodes the photo inside the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from crowdscale.data.formats.attributes import classed, grouped
from crowdscale.data.formats.label import Entry, Format, Label, Mark, Size, boxes_of, read_size
from crowdscale.data.formats.shapes import box, corners, polygon, refusal
from crowdscale.errors import DataError
from crowdscale.files.documents import Number, read_json, shaped

__all__ = ["LABELME", "LabelMe", "is_labelme"]


NEEDED = {
    "point": 1,
    "rectangle": 2,
    "circle": 2,
    "mask": 2,
    "polygon": 3,
    "rotation": 4,
    "oriented_rectangle": 4,
}
"""Points of each shape that is read, at least; turned rectangles are those of X-AnyLabeling and of newer versions."""


class _Shape(msgspec.Struct):
    points: list[tuple[Number, Number]]
    label: str | None = ""
    shape_type: str | None = "polygon"
    flags: dict[str, Any] | None = None
    attributes: dict[str, Any] | None = None
    group_id: Any = None
    difficult: bool | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """Its flags and attributes by name; ``difficult`` where a tool writes it."""
        own = {} if self.difficult is None else {"difficult": self.difficult}
        return {**own, **(self.flags or {}), **(self.attributes or {})}


class LabelMe(msgspec.Struct):
    """The content of a file of LabelMe."""

    shapes: list[_Shape]
    imagePath: str | None = None
    imageWidth: Number | None = None
    imageHeight: Number | None = None


def is_labelme(content: Any) -> bool:
    """Return whether JSON looks like a file of LabelMe."""
    return isinstance(content, dict) and isinstance(content.get("shapes"), list)


def read_labelme(path: Path, photo_size: Callable[[], Size] | None = None) -> Entry:
    """Return the entry of NAME.json: points, and the centres of rectangles, circles and polygons.

    Raises:
        DataError: The file is not sound, or a shape has too few corners.
    """
    del photo_size
    content = shaped(read_json(path), LabelMe, "LabelMe", path)
    marks = [
        classed(_mark(each, f"shape {number} of {path}"), each.facts)
        for number, each in enumerate(content.shapes, 1)
    ]
    size = read_size(content.imageWidth, content.imageHeight)
    also = (content.imagePath,) if content.imagePath else ()
    groups = ((each.label or "", each.group_id) for each in content.shapes if each.group_id is not None)
    return Entry(marks, size, also=also, notes=grouped(groups))


def _mark(shape: _Shape, where: str) -> Mark:
    kind, label, xy = shape.shape_type or "polygon", shape.label or "", shape.points
    needed = NEEDED
    if kind not in needed:
        return refusal(kind, label)
    if len(xy) < needed[kind]:
        raise DataError(f"expected {needed[kind]} points of a {kind} in {where}", f"{len(xy)}")
    if kind == "point":
        return Mark(*xy[0], label=label)
    if kind == "circle":
        (x, y), edge = xy[0], xy[1]
        radius = math.dist((x, y), edge)
        return corners(x - radius, y - radius, x + radius, y + radius, label)
    if kind in ("rectangle", "mask") and len(xy) == 2:
        (x1, y1), (x2, y2) = xy
        if kind == "mask":  # both corners are pixels of the mask
            return box(min(x1, x2), min(y1, y2), abs(x2 - x1) + 1, abs(y2 - y1) + 1, label)
        return corners(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2), label)
    return polygon(xy, label, where)  # rectangles of four corners, too


def _write(name: str, label: Label) -> str:
    shapes: list[dict[str, Any]] = []
    common: dict[str, Any] = {"label": "head", "group_id": None, "description": "", "flags": {}}
    if label.sizes is None:
        shapes += [{**common, "points": [xy], "shape_type": "point"} for xy in label.points.xy.tolist()]
    else:
        for left, top, width, height in boxes_of(label, name, "LabelMe").tolist():
            ends = [[left, top], [left + width, top + height]]
            shapes.append({**common, "points": ends, "shape_type": "rectangle"})
    width, height = label.size or (None, None)
    content: dict[str, Any] = {
        "version": "5.2.1",
        "flags": {},
        "shapes": shapes,
        "imagePath": name,
        "imageData": None,
    }
    return json.dumps({**content, "imageHeight": height, "imageWidth": width}, indent=1) + "\n"


LABELME = Format(
    "labelme", "NAME.json a photo (LabelMe): points, rectangles, circles, polygons", ".json", False, True,
    True, read_one=read_labelme, write_one=_write,
)  # fmt: skip
