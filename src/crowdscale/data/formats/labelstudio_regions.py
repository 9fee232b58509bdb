"""Regions of Label Studio → marks: percent of the photo to pixels, turned shapes to the boxes around them."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from crowdscale.data.formats.attributes import joined
from crowdscale.data.formats.label import Mark, Size
from crowdscale.data.formats.shapes import box, ellipse, polygon, refusal, turned_box
from crowdscale.errors import DataError
from crowdscale.files.documents import Number, Whole, shaped

__all__ = ["Region", "Value", "centre_of_rectangle", "region_mark", "region_of_value"]


class Value(msgspec.Struct):
    """The place of a region, in percent of the photo, and its classes."""

    x: Number | None = None
    y: Number | None = None
    width: Number | None = None
    height: Number | None = None
    rotation: Number | None = 0.0
    radiusX: Number | None = None
    radiusY: Number | None = None
    points: list[tuple[Number, Number]] | None = None
    keypointlabels: list[str] | None = None
    rectanglelabels: list[str] | None = None
    ellipselabels: list[str] | None = None
    polygonlabels: list[str] | None = None
    brushlabels: list[str] | None = None
    labels: list[str] | None = None
    choices: list[str] | str | None = None

    @property
    def place(self) -> str:
        """The numbers of the place as text, which two results on one region share."""
        numbers = (self.x, self.y, self.width, self.height, self.rotation, self.radiusX, self.radiusY)
        return str((numbers, self.points))


class Region(msgspec.Struct):
    """One result of an annotation."""

    value: Value = msgspec.field(default_factory=Value)
    type: str = ""
    id: str | Whole | None = None
    original_width: Number | None = None
    original_height: Number | None = None
    image_rotation: Number | None = 0.0
    to_name: str | None = None
    from_name: str | None = None
    item_index: Whole | None = None


def region_of_value(value: Any, where: str) -> Region:
    """Return a region of JSON-MIN, which has no type: its numbers give it away. Raises DataError."""
    place = shaped(value, Value, "Label Studio", where)
    sizes = {key: value.get(key) for key in ("original_width", "original_height", "image_rotation")}
    if "rle" in value or place.brushlabels:
        kind = "brush"
    elif place.points is not None:
        kind = "polygon"
    elif place.radiusX is not None:
        kind = "ellipse"
    else:
        kind = "rectangle" if place.height is not None and not place.keypointlabels else "keypoint"
    return shaped({"type": kind, "value": value, **sizes}, Region, "Label Studio", where)


def region_mark(region: Region, size: Size | None, labels: list[str] | None, where: str) -> Mark:
    """Return the mark of a region.

    Args:
        region: The region.
        size: (width, height) of the photo by the region.
        labels: Its classes, where a result of their own has them.
        where: The photo and the file, for errors.

    Raises:
        DataError: Numbers are missing, or the photo was turned in Label Studio.
    """
    kind = region.type.removesuffix("labels")
    names = getattr(region.value, f"{kind}labels", None) or labels or region.value.labels or ()
    return joined(_mark(region, kind, size, where), names)


def _mark(region: Region, kind: str, size: Size | None, where: str) -> Mark:
    """Return the mark of a region, without a class."""
    if kind not in ("keypoint", "rectangle", "ellipse", "polygon"):
        return refusal(region.type or "result without a type")
    if size is None:
        raise DataError(f"expected original_width and original_height for {where}", "none", "Export it again")
    if (region.image_rotation or 0) % 360:
        raise DataError(
            f"expected an upright photo for {where}",
            f"one turned by {region.image_rotation:g}° in Label Studio",
            "Turn the photo itself, or turn it back there and export again",
        )
    return _placed(kind, region.value, size, where)


def _placed(kind: str, value: Value, size: Size, where: str) -> Mark:
    """A share of 0 is the photo's edge, which lies half a pixel before the first pixel's centre."""
    across, down = size[0] / 100, size[1] / 100
    if kind == "polygon":
        return polygon([(x * across, y * down) for x, y in value.points or ()], "", where)
    x, y = _needed(value.x, "x", where) * across, _needed(value.y, "y", where) * down
    if kind == "keypoint":
        return Mark(x - 0.5, y - 0.5)
    degrees = value.rotation or 0.0
    if kind == "ellipse":
        radii = (
            _needed(value.radiusX, "radiusX", where) * across,
            _needed(value.radiusY, "radiusY", where) * down,
        )
        return ellipse(x, y, *radii, degrees)
    width, height = (
        _needed(value.width, "width", where) * across,
        _needed(value.height, "height", where) * down,
    )
    if degrees % 360 == 0:
        return box(x, y, width, height)
    return turned_box(*centre_of_rectangle(x, y, width, height, degrees), width, height, degrees)


def centre_of_rectangle(
    x: float, y: float, width: float, height: float, degrees: float
) -> tuple[float, float]:
    """Return the centre of a rectangle that is turned clockwise about its top-left corner."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return x + width / 2 * cosine - height / 2 * sine, y + width / 2 * sine + height / 2 * cosine


def _needed(value: float | None, name: str, where: str) -> float:
    if value is None:
        raise DataError(f"expected {name} of each region for {where}", "none")
    return value
