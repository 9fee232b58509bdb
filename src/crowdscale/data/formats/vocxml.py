"""Pascal VOC annotations: the boxes of one XML file, read with care for what a stranger may have put in it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError

__all__ = ["parse_xml", "read_voc_boxes"]


class _NoDoctype(ElementTree.TreeBuilder):
    """Builds the tree of a file that declares nothing."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:  # noqa: ARG002
        """Refuse a declaration before its entities are read, in whatever encoding it stands."""
        raise ValueError(f"the DOCTYPE {name}")


def parse_xml(path: Path) -> ElementTree.Element:
    """Return the root of an XML file; one with a DOCTYPE is refused, as its entities can grow without bound.

    Raises:
        DataError: The file cannot be read, is no XML or has a DOCTYPE.
    """
    try:
        return ElementTree.fromstring(path.read_bytes(), ElementTree.XMLParser(target=_NoDoctype()))
    except (OSError, ElementTree.ParseError, ValueError) as error:
        raise DataError(
            "expected an XML file without a DOCTYPE", f"{path}, which cannot be read ({error})"
        ) from error


def read_voc_boxes(path: Path, one_based: bool = False) -> NDArray[np.float64]:
    """Return the (n, 4) boxes (left, top, width, height) of a Pascal VOC file: width = xmax - xmin, as tools write it.

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
