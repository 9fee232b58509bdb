"""VGG Image Annotator (VIA): one JSON or CSV of regions by photo; points, boxes, circles, ellipses, polygons."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from crowdscale.data.formats.attributes import CLASS_KEYS, joined
from crowdscale.data.formats.label import Entry, Format, Label, Mark, boxes_of, mark_of
from crowdscale.data.formats.shapes import box_of, ellipse, polygon, refusal
from crowdscale.data.formats.tables import columns_of
from crowdscale.errors import DataError
from crowdscale.files.documents import Number, parse_json, read_json, read_table, shaped

__all__ = ["RECT", "VIA", "VIA_CSV", "ViaShape", "is_via", "is_via_csv", "via_photos"]

RECT = ("x", "y", "width", "height")
"""Sides of a box."""

COLUMNS = ("filename", "region_count", "region_shape_attributes", "region_attributes")
"""Columns of VIA's CSV that are read."""


class ViaShape(msgspec.Struct):
    """The shape of a region."""

    name: str
    x: Number | None = None
    y: Number | None = None
    width: Number | None = None
    height: Number | None = None
    cx: Number | None = None
    cy: Number | None = None
    r: Number | None = None
    rx: Number | None = None
    ry: Number | None = None
    theta: Number | None = None
    all_points_x: list[Number] = []
    all_points_y: list[Number] = []

    def numbers(self, names: Sequence[str], where: object) -> list[float]:
        """Return some of its numbers. Raises DataError where one is missing."""
        missing = [name for name in names if getattr(self, name) is None]
        if missing:
            raise DataError(f"expected {', '.join(missing)} of a {self.name} in {where}", "none")
        return [float(getattr(self, name)) for name in names]


class ViaRegion(msgspec.Struct):
    """A region: its shape and its attributes."""

    shape_attributes: ViaShape
    region_attributes: dict[str, Any] | None = None


class ViaPhoto(msgspec.Struct):
    """A photo with its regions; versions 1 have them by number."""

    filename: str
    regions: list[ViaRegion] | dict[str, ViaRegion]

    @property
    def marked(self) -> list[ViaRegion]:
        """The regions in order."""
        return list(self.regions.values()) if isinstance(self.regions, dict) else self.regions


def is_via(content: Any) -> bool:
    """Return whether JSON looks like regions or a project of VIA 1 or 2."""
    if isinstance(content, dict) and isinstance(content.get("_via_img_metadata"), dict):
        return True
    first = next(iter(content.values()), None) if isinstance(content, dict) else None
    return isinstance(first, dict) and {"filename", "regions"} <= first.keys()


def is_via_csv(first: Sequence[str]) -> bool:
    """Return whether a first row is the header of VIA's CSV."""
    return {cell.lower().lstrip("#") for cell in first}.issuperset(COLUMNS)


def via_photos(content: Any, path: Path) -> list[ViaPhoto]:
    """Return the photos of VIA's JSON. Raises DataError where it is not sound."""
    photos = content.get("_via_img_metadata", content) if isinstance(content, dict) else content
    return list(shaped(photos, dict[str, ViaPhoto], "VIA", path).values())


def read_via(path: Path) -> dict[str, Entry]:
    """Return entries by file name.

    Raises:
        DataError: The file is not sound, or a photo stands in it twice.
    """
    entries: dict[str, Entry] = {}
    for photo in via_photos(read_json(path), path):
        if photo.filename in entries:
            raise DataError(f"expected each photo once in {path}", f"{photo.filename} again")
        entries[photo.filename] = Entry([_mark(each, f"{photo.filename} in {path}") for each in photo.marked])
    return entries


def read_via_csv(path: Path) -> dict[str, Entry]:
    """Return entries by file name; a row without a region says that nobody is there.

    Raises:
        DataError: Columns are missing, a region is not sound, or a photo has fewer regions than the file says.
    """
    rows = read_table(path)
    header = [cell.lstrip("#") for cell in rows[0][1]] if rows else []
    places = columns_of(path, header, [(name,) for name in COLUMNS])
    photos: dict[str, tuple[list[Mark], str, int]] = {}
    for line, row in rows[1:]:
        if len(row) <= max(places):
            raise DataError(f"expected {len(header)} cells in {path}, line {line}", f"{len(row)}")
        name, count, shape, attributes = (row[place] for place in places)
        marks, _, _ = photos.setdefault(name, ([], count, line))
        where = f"line {line} of {path}"
        marks.extend(_marks_of_cells(shape, attributes, where))
    for name, (marks, count, _) in photos.items():
        _check_count(name, count, marks, path)
    return {name: Entry(marks, where=f", line {line}") for name, (marks, _, line) in photos.items()}


def _marks_of_cells(shape: str, attributes: str, where: str) -> list[Mark]:
    """Return the mark in a row of VIA's CSV, none without a region. Raises DataError where it is not sound."""
    if not parse_json(shape or "{}", where):
        return []
    plain = {
        "shape_attributes": parse_json(shape, where),
        "region_attributes": parse_json(attributes or "{}", where),
    }
    return [_mark(shaped(plain, ViaRegion, "VIA", where), where)]


def _check_count(name: str, count: str, marks: Sequence[Mark], path: Path) -> None:
    """Raise DataError where a photo has another number of regions than VIA's CSV says."""
    if count.isdecimal() and len(count) < 10 and int(count) != len(marks):
        raise DataError(f"expected {count} regions of {name} in {path}", f"{len(marks)}", "Export it again")


def _mark(region: ViaRegion, where: str) -> Mark:
    return joined(_placed(region.shape_attributes, where), _classes(region.region_attributes or {}))


def _placed(shape: ViaShape, where: str) -> Mark:
    """Return the mark of a shape, without a class."""
    if shape.name == "point":
        return mark_of(shape.numbers(("cx", "cy"), where))
    if shape.name == "rect":
        return box_of(shape.numbers(RECT, where))
    if shape.name == "circle":
        cx, cy, r = shape.numbers(("cx", "cy", "r"), where)
        return ellipse(cx, cy, r, r)
    if shape.name == "ellipse":
        cx, cy, rx, ry = shape.numbers(("cx", "cy", "rx", "ry"), where)
        return ellipse(cx, cy, rx, ry, math.degrees(shape.theta or 0.0))
    if shape.name != "polygon":
        return refusal(shape.name)
    if len(shape.all_points_x) != len(shape.all_points_y):
        raise DataError(f"expected as many x as y of a polygon for {where}", "more of one")
    return polygon(list(zip(shape.all_points_x, shape.all_points_y, strict=True)), "", where)


def _classes(attributes: Mapping[str, Any]) -> list[str]:
    """Return a region's classes: of the attribute that is named so, or of all; those of check boxes each."""
    key = next((key for key in CLASS_KEYS if key in attributes), None)
    if key is not None:
        return _chosen(attributes[key])
    if len(attributes) == 1:
        return _chosen(next(iter(attributes.values())))
    return [
        f"{name}={'+'.join(chosen)}"
        for name, value in sorted(attributes.items())
        if (chosen := _chosen(value))
    ]


def _chosen(value: Any) -> list[str]:
    """Return the text of an attribute, or the chosen ones of check boxes: {"head": true}."""
    if isinstance(value, dict):
        return sorted(str(name) for name, chosen in value.items() if chosen)
    return [value.strip()] if isinstance(value, str) and value.strip() else []


def _write(labels: Mapping[str, Label]) -> str:
    photos = {}
    for name, label in labels.items():
        if label.sizes is None:
            shapes = [{"name": "point", "cx": x, "cy": y} for x, y in label.points.xy.tolist()]
        else:
            shapes = [
                {"name": "rect", **dict(zip(RECT, row, strict=True))}
                for row in boxes_of(label, name, "VIA").tolist()
            ]
        regions = [{"shape_attributes": shape, "region_attributes": {"class": "head"}} for shape in shapes]
        photos[f"{name}-1"] = {"filename": name, "size": -1, "regions": regions, "file_attributes": {}}
    return json.dumps(photos) + "\n"


VIA = Format(
    "via", "one JSON (VIA): points, boxes, circles, ellipses, polygons", ".json", True, True, True,
    read=read_via, write=_write,
)  # fmt: skip
VIA_CSV = Format("via-csv", "one CSV (VIA): the same", ".csv", True, True, True, read=read_via_csv)
