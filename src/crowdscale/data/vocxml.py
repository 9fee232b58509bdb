"""Pascal VOC annotations: the boxes of one XML file, read with care for what a stranger may have put in it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError

__all__ = ["parse_xml", "read_voc_boxes"]


def parse_xml(path: Path) -> ElementTree.Element:
    """Return the root of an XML file; one that declares entities is refused, as they can grow without bound.

    Raises:
        DataError: The file cannot be read, is no XML or has a DOCTYPE.
    """
    try:
        data = path.read_bytes()
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise DataError("expected XML without a DOCTYPE", f"one in {path}", "Remove the declaration")
        return ElementTree.fromstring(data)
    except (OSError, ElementTree.ParseError, ValueError) as error:
        raise DataError("expected an XML file", f"{path}, which cannot be read ({error})") from error


def read_voc_boxes(path: Path, one_based: bool = False) -> NDArray[np.float64]:
    """Return the (n, 4) boxes (left, top, width, height) of a Pascal VOC file; xmax, ymax are inclusive.

    Args:
        path: The file.
        one_based: Whether its first pixel is 1, as in Pascal VOC itself; many tools write 0.

    Raises:
        DataError: An object has no box of four numbers.
    """
    boxes = []
    for number, each in enumerate(parse_xml(path).iter("object"), 1):
        try:
            corners = [
                float(each.findtext(f"bndbox/{name}", "")) for name in ("xmin", "ymin", "xmax", "ymax")
            ]
        except ValueError:
            kind = "a polygon" if each.find("polygon") is not None else "something else"
            raise DataError(
                f"expected a bndbox with xmin, ymin, xmax, ymax in object {number} of {path}", kind
            ) from None
        left, top, right, bottom = corners
        boxes.append((left - one_based, top - one_based, right - left, bottom - top))
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)
