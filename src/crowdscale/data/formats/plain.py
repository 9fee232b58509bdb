"""JSON of points: NAME.json beside each photo."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from crowdscale.data.areas import Area
from crowdscale.data.formats.label import NONE, Entry, Format, Label, Mark, Size, read_size
from crowdscale.errors import DataError
from crowdscale.files.documents import Number, read_json, shaped

__all__ = ["JSON", "read_points_json"]

PASSED = ("boxes", "comment", "note", "notes", "version")
"""Keys beside the points that say nothing else about them; NWPU's boxes are around the same heads."""

Pair = tuple[Number, Number]


class _Sides(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    left: Number
    top: Number
    right: Number
    bottom: Number


class _Points(msgspec.Struct):
    points: list[Pair]
    sizes: list[Pair] | None = None
    labels: list[str] | None = None
    photo_size: Pair | None = None
    ignore: list[list[Any]] = []
    only: list[list[Any]] = []
    image: str | None = None
    img_id: str | None = None
    file_name: str | None = None
    filename: str | None = None
    human_num: Number | None = None
    number: Number | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """The photo's names."""
        return tuple(filter(None, (self.image, self.img_id, self.file_name, self.filename)))


def read_points_json(path: Path, photo_size: Callable[[], Size] | None = None) -> Entry:
    """Return the entry of NAME.json: [[x, y], …] or {"points": [[x, y], …], "sizes": [[width, height], …]}.

    Beside the points ``"labels"`` may give the class of each, ``"photo_size"`` may give the photo's width and height, ``"ignore"`` areas that are not annotated,
    and ``"only"`` the areas that are. An area is a box [left, top, right, bottom] of the pixels from left and top to
    below right and bottom, or a polygon [[x, y], …] in the same measure.

    Raises:
        DataError: The file holds something else, or not a size or a class for each point.
    """
    del photo_size
    content = read_json(path)
    if isinstance(content, list):
        content = {"points": content}
    expected = f'expected [[x, y], …] or {{"points": [[x, y], …]}} in {path}'
    if not isinstance(content, dict):
        raise DataError(expected, "something else", "Correct the file")
    if "points" not in content:
        raise DataError(expected, "an object without 'points'")
    label = shaped(content, _Points, "JSON [[x, y], …]", path)
    left = sorted(content.keys() - {*_Points.__struct_fields__, *PASSED})
    return Entry(
        _marks(label, path),
        None if label.photo_size is None else read_size(*label.photo_size),
        also=label.named,
        notes=(f"keys that are not read: {', '.join(left)[:200]}",) if left else (),
        ignored=[_area(values, path) for values in label.ignore],
        only=[_area(values, path) for values in label.only],
    )


def _marks(label: _Points, path: Path) -> list[Mark]:
    number = len(label.points)
    for stated in (label.human_num, label.number):
        if stated is not None and stated != number:
            raise DataError(
                f"expected {stated:g} points in {path}, as it says", f"{number}", "Correct the file"
            )
    for what, values in (("size", label.sizes), ("class", label.labels)):
        if values is not None and len(values) != number:
            raise DataError(f"expected a {what} for each point in {path}", f"{len(values)} for {number}")
    sizes, kinds = label.sizes or [(NONE, NONE)] * number, label.labels or [""] * number
    return [Mark(*xy, *size, kind) for xy, size, kind in zip(label.points, sizes, kinds, strict=True)]


def _area(values: list[Any], path: Path) -> Area:
    """Return the area of 4 numbers or of 3 and more pairs."""
    if any(isinstance(value, list) for value in values):
        return Area.of_polygon(shaped(values, list[Pair], "list of corners [[x, y], …]", path))
    sides = shaped(values, _Sides, "area [left, top, right, bottom]", path)
    if sides.right <= sides.left or sides.bottom <= sides.top:
        raise DataError(f"expected left < right and top < bottom of the areas in {path}", str(values))
    return Area.of_box(sides.left, sides.top, sides.right, sides.bottom)


def _write(name: str, label: Label) -> str:
    content = {"image": name, "points": label.points.xy.tolist()}
    if label.sizes is not None:
        content["sizes"] = label.sizes.tolist()
    for key, areas in (("ignore", label.ignored), ("only", label.only)):
        if areas:
            content[key] = [area.to_list() for area in areas]
    return json.dumps(content) + "\n"


JSON = Format(
    "json", 'NAME.json beside each photo: {"points": [[x, y], …]}', ".json", False, True, True,
    read_one=read_points_json, write_one=_write, areas=True,
)  # fmt: skip
