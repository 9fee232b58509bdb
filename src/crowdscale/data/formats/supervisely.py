"""Supervisely: ``ds0/ann/NAME.jpg.json`` for ``ds0/img/NAME.jpg``, with points and rectangles in whole pixels.

Considered: the package supervisely. It takes hundreds of MB, to read one JSON a photo.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from crowdscale.data.formats.attributes import classed
from crowdscale.data.formats.label import Entry, Format, Mark, Size, read_size
from crowdscale.data.formats.shapes import box, polygon, refusal
from crowdscale.errors import DataError
from crowdscale.files.documents import Number, read_json, shaped

__all__ = ["SUPERVISELY", "is_supervisely"]


class _Places(msgspec.Struct):
    exterior: list[tuple[Number, Number]] = []


class _Tag(msgspec.Struct):
    name: str = ""
    value: Any = None


class _Object(msgspec.Struct):
    geometryType: str
    classTitle: str = ""
    tags: list[_Tag] | None = None
    points: _Places = msgspec.field(default_factory=_Places)


class _Sides(msgspec.Struct):
    width: Number
    height: Number


class _Photo(msgspec.Struct):
    objects: list[_Object]
    size: _Sides


def is_supervisely(content: Any) -> bool:
    """Return whether JSON looks like an annotation of Supervisely."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("objects"), list)
        and isinstance(content.get("size"), dict)
    )


def read_supervisely(path: Path, photo_size: Callable[[], Size] | None = None) -> Entry:
    """Return the entry of NAME.jpg.json.

    Raises:
        DataError: The file is not sound, or an object has too few points.
    """
    del photo_size
    content = shaped(read_json(path), _Photo, "Supervisely", path)
    marks = [
        classed(_mark(each, f"object {number} of {path}"), {tag.name: tag.value for tag in each.tags or ()})
        for number, each in enumerate(content.objects, 1)
    ]
    return Entry(marks, read_size(content.size.width, content.size.height))


def _mark(each: _Object, where: str) -> Mark:
    xy, label = each.points.exterior, each.classTitle
    if each.geometryType not in ("point", "rectangle", "polygon"):
        return refusal(each.geometryType, label)
    if len(xy) < (2 if each.geometryType == "rectangle" else 1):
        raise DataError(f"expected the corners of a {each.geometryType} in {where}", f"{len(xy)}")
    if each.geometryType == "point":
        return Mark(*xy[0], label=label)
    if each.geometryType == "polygon":
        return polygon(xy, label, where)
    (x1, y1), (x2, y2) = xy[:2]  # both corners are pixels of the box
    return box(min(x1, x2), min(y1, y2), abs(x2 - x1) + 1, abs(y2 - y1) + 1, label)


SUPERVISELY = Format(
    "supervisely", "ann/NAME.jpg.json (Supervisely): points, rectangles, polygons", ".json", False, True,
    True, read_one=read_supervisely,
)  # fmt: skip
