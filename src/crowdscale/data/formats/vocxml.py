"""Boxes of Pascal VOC's XML, which public sets use as well."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from crowdscale.data.formats.shapes import turned_box
from crowdscale.errors import DataError
from crowdscale.files.documents import FARTHEST, parse_number, read_xml

__all__ = ["read_voc_boxes", "voc_boxes", "voc_objects"]

SIDES = ("xmin", "ymin", "xmax", "ymax")

TURNED = ("cx", "cy", "w", "h", "angle")
"""Numbers of a turned box of roLabelImg; the angle in radians."""


def read_voc_boxes(path: Path, one_based: bool = False) -> NDArray[np.float64]:
    """Return the (n, 4) boxes (left, top, width, height) of a Pascal VOC file: width = xmax - xmin, as tools write it.

    Args:
        path: The file.
        one_based: Whether its first pixel is 1, as in Pascal VOC itself; many tools write 0.

    Raises:
        DataError: The file cannot be read, or an object has no box of four numbers.
    """
    return voc_boxes(read_xml(path), path, one_based)


def voc_boxes(root: ElementTree.Element, path: Path, one_based: bool = False) -> NDArray[np.float64]:
    """Return the (n, 4) boxes (left, top, width, height) of a Pascal VOC tree. Raises DataError."""
    boxes = []
    for index, each in enumerate(voc_objects(root), 1):
        sound = _numbers(each, "bndbox", SIDES)
        turned = _numbers(each, "robndbox", TURNED) if len(sound) < len(SIDES) else []
        if len(turned) == len(TURNED):
            boxes.append(_around(turned))
            continue
        if len(sound) < len(SIDES):
            kind = "a polygon" if each.find("polygon") is not None else "something else"
            raise DataError(
                f"expected a bndbox with xmin, ymin, xmax, ymax in object {index} of {path}", kind
            )
        left, top, right, bottom = sound
        boxes.append((left - one_based, top - one_based, right - left, bottom - top))
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def voc_objects(root: ElementTree.Element) -> list[ElementTree.Element]:
    """Return the objects and their parts, such as the head of a person, in order."""
    return [each for each in root.iter() if each.tag in ("object", "part")]


def _numbers(each: ElementTree.Element, box: str, names: Sequence[str]) -> list[float]:
    """Return the sound numbers of a box; fewer than names where some are missing."""
    numbers = [parse_number(each.findtext(f"{box}/{name}", "").strip()) for name in names]
    return [number for number in numbers if number is not None and abs(number) <= FARTHEST]


def _around(turned: Sequence[float]) -> tuple[float, float, float, float]:
    """Return left, top, width, height of the upright box around a turned one."""
    x, y, width, height, angle = turned
    mark = turned_box(x, y, width, height, math.degrees(angle))
    return mark.x - (mark.width - 1) / 2, mark.y - (mark.height - 1) / 2, mark.width, mark.height
