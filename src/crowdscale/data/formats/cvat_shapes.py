"""Shapes of CVAT's XML → marks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree as Tree

import numpy as np

from crowdscale.data.areas import Area, run_areas
from crowdscale.data.formats.attributes import CROWD, classed, is_true
from crowdscale.data.formats.keypoints import KeyPoint, head_of
from crowdscale.data.formats.label import Mark
from crowdscale.data.formats.shapes import box, corners, ellipse, polygon, refusal, turned_box
from crowdscale.errors import DataError
from crowdscale.files.documents import FARTHEST, parse_number

__all__ = ["is_crowd", "number", "pairs", "shape_area", "shape_marks"]

PASSED_OVER = ("tag", "attribute")
"""Elements of an image that mark no place: labels of the whole photo."""


def shape_marks(
    shape: Tree.Element, label: str, where: str, more: Tree.Element | None = None
) -> Iterator[Mark]:
    """Return the marks of one element: one a point of ``points``, none of a shape outside its frame.

    Args:
        shape: The element.
        label: Its class.
        where: The photo and the file, for errors.
        more: The track of the shape, which may have attributes, too.

    Raises:
        DataError: A number is missing or none.
    """
    facts = {name: value for each in (more, shape) if each is not None for name, value in _attributes(each)}
    yield from (classed(mark, facts) for mark in _shape_marks(shape, label, where))


def _attributes(element: Tree.Element) -> Iterator[tuple[str, str]]:
    """Yield name and value of the attributes of an element, not of those in it."""
    yield from ((each.get("name", ""), (each.text or "").strip()) for each in element.findall("attribute"))


def _shape_marks(shape: Tree.Element, label: str, where: str) -> Iterator[Mark]:
    if shape.tag in PASSED_OVER or shape.get("outside") == "1":
        return
    if shape.tag == "points":
        yield from (Mark(x, y, label=label) for x, y in pairs(shape, where))
    elif shape.tag == "skeleton":
        yield _skeleton(shape, label, where)
    elif shape.tag == "polygon":
        yield polygon(list(pairs(shape, where)), label, where)
    elif shape.tag in ("box", "ellipse", "mask"):
        yield _bounds(shape, label, where)
    else:
        yield refusal(shape.tag, label)


def is_crowd(shape: Tree.Element) -> bool:
    """Whether a shape holds many people: CVAT's attribute ``is_crowd``, which it exports as COCO's ``iscrowd``."""
    return any(name.lower() in CROWD and is_true(value) for name, value in _attributes(shape))


def shape_area(shape: Tree.Element, label: str, where: str) -> Iterator[Area]:
    """Yield the areas of one element: a polygon or a mask as it is, of another shape the box around it.

    Raises:
        DataError: A number is missing or none, or the shape has no extent.
    """
    if shape.tag == "polygon":
        yield Area.of_polygon(list(pairs(shape, where)), label)
    elif shape.tag == "mask" and shape.get("rle"):
        yield from _mask_areas(shape, label, where)
    else:
        for mark in shape_marks(shape, label, where):
            if mark.refused or not mark.width > 0:
                raise DataError(f"expected an area with is_crowd in {where}", f"a {shape.tag}")
            left, top = mark.x - (mark.width - 1) / 2, mark.y - (mark.height - 1) / 2
            yield Area.of_box(left, top, left + mark.width, top + mark.height, label)


def _mask_areas(shape: Tree.Element, label: str, where: str) -> Iterator[Area]:
    """Yield the rows of a mask: run lengths along the rows of its box, which begin with background."""
    left, top, width = (int(number(shape, name, where)) for name in ("left", "top", "width"))
    counts = [_number(text, f"rle of {where}") for text in shape.get("rle", "").split(",")]
    if width < 1 or min(counts) < 0:
        raise DataError(f"expected run lengths of a mask in {where}", "negative ones or no width")
    lengths = np.array(counts, np.int64)
    ends = np.cumsum(lengths)
    for area in run_areas((ends - lengths)[1::2].tolist(), ends[1::2].tolist(), width, label):
        yield replace(area, corners=area.corners[:, ::-1] + (left, top))  # rows for columns


def _bounds(shape: Tree.Element, label: str, where: str) -> Mark:
    degrees = number(shape, "rotation", where, 0.0)
    if shape.tag == "ellipse":
        cx, cy, rx, ry = (number(shape, name, where) for name in ("cx", "cy", "rx", "ry"))
        return ellipse(cx, cy, rx, ry, degrees, label)
    if shape.tag == "mask":
        left, top, width, height = (number(shape, name, where) for name in ("left", "top", "width", "height"))
        return box(left, top, width, height, label)
    left, top, right, bottom = (number(shape, name, where) for name in ("xtl", "ytl", "xbr", "ybr"))
    if degrees % 180 == 0:
        return corners(left, top, right, bottom, label)
    return turned_box((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, degrees, label)


def _skeleton(shape: Tree.Element, label: str, where: str) -> Mark:
    """Return the mark of a skeleton: its point named like a head, or its first one, in the frame."""
    visible = [
        KeyPoint(*place, point.get("label", ""))
        for point in shape.iter("points")
        if point.get("outside") != "1"
        for place in [next(pairs(point, where), None)]
        if place is not None
    ]
    head = head_of(visible)
    return (
        refusal("skeleton without a visible point", label)
        if head is None
        else Mark(head.x, head.y, label=label)
    )


def pairs(shape: Tree.Element, where: str) -> Iterator[tuple[float, float]]:
    """Return the (x, y) of ``points="x,y;x,y"``. Raises DataError for what is no pair of numbers."""
    for text in shape.get("points", "").split(";"):
        if text.strip():
            x, comma, y = text.partition(",")
            if not comma:
                raise DataError(f"expected points as x,y;x,y for {where}", repr(text[:40]))
            yield _number(x, where), _number(y, where)


def number(shape: Tree.Element, name: str, where: str, missing: float | None = None) -> float:
    """Return an attribute's number. Raises DataError where it is missing without a default, or none."""
    text = shape.get(name)
    if text is None and missing is not None:
        return missing
    return _number(text or "", f"{name} of {where}")


def _number(text: str, where: str) -> float:
    value = parse_number(text)
    if value is None or not abs(value) <= FARTHEST:
        raise DataError(f"expected numbers for {where}", f"something else ({text[:40]!r})")
    return value
