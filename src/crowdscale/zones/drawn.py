"""Zones drawn in annotation tools: polygons, turned boxes and lines of Label Studio, CVAT, LabelMe, VIA and COCO."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple
from xml.etree import ElementTree as Tree

import msgspec

from crowdscale.data.formats import is_coco, is_labelme, is_labelstudio, is_via
from crowdscale.data.formats.cvat_shapes import number, pairs
from crowdscale.data.formats.labelme import LabelMe
from crowdscale.data.formats.labelstudio import valid_results
from crowdscale.data.formats.labelstudio_regions import Region, centre_of_rectangle
from crowdscale.data.formats.via import RECT, ViaShape, via_photos
from crowdscale.errors import DataError
from crowdscale.files.documents import Number, read_xml, shaped
from crowdscale.zones.zone import Zone, Zones

__all__ = ["zones_from_cvat", "zones_from_tool"]

Corners = tuple[tuple[float, float], ...]


class Shape(NamedTuple):
    """A shape of a tool."""

    label: str
    kind: str
    """``area`` or ``line``."""
    corners: Corners
    more: tuple[Corners, ...] = ()
    """Corners of further parts."""


class _Image(msgspec.Struct):
    width: Number | None = None
    height: Number | None = None


class _Annotation(msgspec.Struct):
    category_id: int | str | None = None
    segmentation: list[list[Number]] | dict[str, Any] | None = None
    bbox: list[Number] | None = None


class _Coco(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[dict[str, Any]] | None = None


def zones_from_tool(content: Any, path: Path) -> Zones | None:
    """Return the zones in a tool's JSON; None where it is of no known tool.

    Raises:
        DataError: The file is not sound, or holds no shape for a zone.
    """
    if is_labelstudio(content):
        return _from_labelstudio(content, path)
    if is_labelme(content):
        drawing = shaped(content, LabelMe, "LabelMe", path)
        return _zones(_labelme_shapes(drawing), _size(drawing.imageWidth, drawing.imageHeight), path)
    if is_via(content):
        photo = next((each for each in via_photos(content, path) if each.marked), None)
        regions = photo.marked if photo else []
        return _zones((_via_shape(each.shape_attributes, path) for each in regions), None, path)
    if is_coco(content):
        coco = shaped(content, _Coco, "COCO", path)
        first = coco.images[0] if coco.images else _Image()
        return _zones(_coco_shapes(coco, path), _size(first.width, first.height), path)
    return None


def _size(width: float | None, height: float | None) -> tuple[int, int] | None:
    return (int(width), int(height)) if width and height and min(width, height) >= 1 else None


def _zones(shapes: Iterator[Shape | None], size: tuple[int, int] | None, path: Path) -> Zones:
    """Return zones of shapes, named by their labels. Raises DataError where there is none."""
    zones: list[Zone] = []
    for shape in filter(None, shapes):
        kind: Literal["area", "line"] = "line" if shape.kind == "line" else "area"
        zones.append(Zone(_free(shape.label or "zone", zones), shape.corners, kind, more=shape.more))
    if not zones:
        raise DataError(f"expected polygons, boxes or lines in {path}", "none")
    return Zones(tuple(zones), None, size)


def _rectangle(left: float, top: float, right: float, bottom: float) -> Corners:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _turned(corners: Corners, centre: tuple[float, float], degrees: float) -> Corners:
    """Return corners turned clockwise about a centre."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    moved = [(x - centre[0], y - centre[1]) for x, y in corners]
    return tuple((centre[0] + x * cosine - y * sine, centre[1] + x * sine + y * cosine) for x, y in moved)


def _from_labelstudio(content: Any, path: Path) -> Zones:
    """Return polygons and rectangles of the first annotated task, as shares of its photo."""
    _, regions, _ = next(valid_results(content, path), ("", [], 0))
    labels = _labels_by_id(regions)
    zones: list[Zone] = []
    size = None
    for each in regions:
        corners = _region_corners(each, path)
        if corners is None:
            continue
        size = _size(each.original_width, each.original_height)
        zones.append(Zone(_free(_region_name(each, labels), zones), corners, relative=True))
    if not zones:
        raise DataError(f"expected polygons or rectangles in {path}", "none")
    return Zones(tuple(zones), None, size)


def _labels_by_id(regions: Sequence[Region]) -> dict[str | int, list[str] | None]:
    """Return the labels that were given to regions on their own, by the region's id."""
    return {each.id: each.value.labels for each in regions if each.type == "labels" and each.id is not None}


def _region_name(region: Region, labels: Mapping[str | int, list[str] | None]) -> str:
    """Return a region's first label, its own before those of its id; ``zone`` without any."""
    kind = region.type.removesuffix("labels")
    names = getattr(region.value, f"{kind}labels", None) or region.value.labels or labels.get(region.id or "")
    return next(iter(names or ()), "zone")


def _region_corners(region: Region, path: Path) -> Corners | None:
    """Return a region's corners as shares; None for other regions than polygons and rectangles."""
    value, kind = region.value, region.type.removesuffix("labels")
    if kind == "polygon" and value.points:
        return tuple((x / 100, y / 100) for x, y in value.points)
    return _rectangle_corners(region, path) if kind == "rectangle" else None


def _rectangle_corners(region: Region, path: Path) -> Corners | None:
    """Return a rectangle's corners as shares; turning needs the photo's pixels. None where a side is missing."""
    value = region.value
    sides = [value.x, value.y, value.width, value.height]
    if None in sides:
        return None
    x, y, width, height = (each or 0.0 for each in sides)
    degrees = value.rotation or 0.0
    if degrees % 360 == 0:
        return _rectangle(x / 100, y / 100, (x + width) / 100, (y + height) / 100)
    size = _size(region.original_width, region.original_height)
    if size is None:
        raise DataError(f"expected original_width and original_height in {path}", "none", "Export it again")
    left, top, wide, high = (each * size[index % 2] / 100 for index, each in enumerate((x, y, width, height)))
    centre = centre_of_rectangle(left, top, wide, high, degrees)
    upright = _rectangle(
        centre[0] - wide / 2, centre[1] - high / 2, centre[0] + wide / 2, centre[1] + high / 2
    )
    return tuple((px / size[0], py / size[1]) for px, py in _turned(upright, centre, degrees))


def _labelme_shapes(content: LabelMe) -> Iterator[Shape | None]:
    for each in content.shapes:
        kind, xy = each.shape_type or "polygon", tuple(each.points)
        if kind == "rectangle" and len(xy) == 2:
            (x1, y1), (x2, y2) = xy
            yield Shape(
                each.label or "", "area", _rectangle(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
            )
        elif kind in ("polygon", "rectangle", "line", "linestrip"):
            yield Shape(each.label or "", "line" if kind.startswith("line") else "area", xy)


def _via_shape(shape: ViaShape, path: Path) -> Shape | None:
    if shape.name == "rect":
        left, top, width, height = shape.numbers(RECT, path)
        return Shape("", "area", _rectangle(left, top, left + width, top + height))
    if shape.name in ("polygon", "polyline"):
        kind = "line" if shape.name == "polyline" else "area"
        return Shape("", kind, tuple(zip(shape.all_points_x, shape.all_points_y, strict=False)))
    return None


def _coco_shapes(coco: _Coco, path: Path) -> Iterator[Shape | None]:
    names = {str(each.get("id")): str(each.get("name", "")) for each in coco.categories or ()}
    for each in coco.annotations:
        label = names.get(str(each.category_id), "")
        if isinstance(each.segmentation, list) and each.segmentation:
            first, *more = (_flat_pairs(ring, path) for ring in each.segmentation)
            yield Shape(label, "area", first, tuple(more))
        elif each.bbox and len(each.bbox) == 4:
            left, top, width, height = each.bbox
            yield Shape(label, "area", _rectangle(left, top, left + width, top + height))


def _flat_pairs(values: Sequence[float], path: Path) -> Corners:
    if len(values) % 2:
        raise DataError(f"expected polygons as x, y, x, y, … in {path}", f"{len(values)} numbers")
    return tuple(zip(values[::2], values[1::2], strict=True))


def zones_from_cvat(path: Path) -> Zones:
    """Return polygons, boxes (turned ones as well) and polylines of the first image that has any.

    Raises:
        DataError: The file is no XML, a number is none, or there is no shape.
    """
    for image in read_xml(path).iter("image"):
        shapes = [shape for each in image if (shape := _cvat_shape(each, str(path))) is not None]
        if shapes:
            size = _size(*(number(image, side, str(path), 0.0) for side in ("width", "height")))
            return _zones(iter(shapes), size, path)
    raise DataError(f"expected polygons, boxes or polylines in {path}", "none")


def _cvat_shape(shape: Tree.Element, where: str) -> Shape | None:
    label = shape.get("label", "")
    if shape.tag in ("polygon", "polyline"):
        return Shape(label, "line" if shape.tag == "polyline" else "area", tuple(pairs(shape, where)))
    if shape.tag != "box":
        return None
    left, top, right, bottom = (number(shape, name, where) for name in ("xtl", "ytl", "xbr", "ybr"))
    corners = _rectangle(left, top, right, bottom)
    degrees = number(shape, "rotation", where, 0.0)
    if degrees % 360:
        corners = _turned(corners, ((left + right) / 2, (top + bottom) / 2), degrees)
    return Shape(label, "area", corners)


def _free(name: str, zones: Sequence[Zone]) -> str:
    """Return the name, numbered where zones before it have it: labels are no names."""
    taken = {zone.name for zone in zones}
    return next(
        each for each in (name, *(f"{name} {n}" for n in range(2, len(zones) + 3))) if each not in taken
    )
