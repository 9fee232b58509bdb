"""Boxes of Pascal VOC's XML, which public sets use as well."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError
from crowdscale.files.documents import FARTHEST, parse_number, read_xml

__all__ = ["read_voc_boxes", "voc_boxes"]

SIDES = ("xmin", "ymin", "xmax", "ymax")


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
    for index, each in enumerate(root.iter("object"), 1):
        corners = [parse_number(each.findtext(f"bndbox/{name}", "").strip()) for name in SIDES]
        sound = [corner for corner in corners if corner is not None and abs(corner) <= FARTHEST]
        if len(sound) < len(SIDES):
            kind = "a polygon" if each.find("polygon") is not None else "something else"
            raise DataError(
                f"expected a bndbox with xmin, ymin, xmax, ymax in object {index} of {path}", kind
            )
        left, top, right, bottom = sound
        boxes.append((left - one_based, top - one_based, right - left, bottom - top))
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)
