"""Pascal VOC: an XML file a photo, a bndbox an object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as Tree

from crowdscale.data.formats.attributes import classed
from crowdscale.data.formats.label import Entry, Format, Label, Size, boxes_of, read_size
from crowdscale.data.formats.shapes import box_of
from crowdscale.data.formats.vocxml import voc_boxes, voc_objects
from crowdscale.errors import DataError
from crowdscale.files.documents import FARTHEST, parse_number, read_xml

__all__ = ["VOC"]

FLAGS = ("difficult", "truncated", "occluded")
"""Facts on an object that Pascal VOC writes as 0 or 1."""


def read_voc(path: Path, photo_size: Callable[[], Size] | None = None) -> Entry:
    """Return the entry of NAME.xml, its first pixel counted as 0.

    Raises:
        DataError: The file is no VOC, or an object has no box.
    """
    del photo_size
    root = read_xml(path)
    if root.tag != "annotation":
        raise DataError("expected Pascal VOC (<annotation>)", f"another kind of XML in {path}")
    boxes = voc_boxes(root, path).tolist()
    marks = [
        classed(box_of(sides, each.findtext("name", "").strip()), _facts(each))
        for sides, each in zip(boxes, voc_objects(root), strict=True)
    ]
    size, name = read_size(_side(root, "width"), _side(root, "height")), root.findtext("filename", "").strip()
    return Entry(marks, size, also=(name,) if name else ())


def _facts(each: Tree.Element) -> dict[str, str]:
    """Return ``difficult``, ``truncated`` and ``occluded`` of an object, and the attributes that CVAT writes."""
    facts = {name: each.findtext(name, "").strip() for name in FLAGS}
    facts |= {a.findtext("name", "").strip(): a.findtext("value", "").strip() for a in each.iter("attribute")}
    return {name: value for name, value in facts.items() if name and value}


def _side(root: Tree.Element, name: str) -> float:
    """Return a side of the photo by the file; 0 where it has none, as some tools write."""
    value = parse_number(root.findtext(f"size/{name}", "").strip() or "0")
    return value if value is not None and 0 <= value <= FARTHEST else 0.0


def _write(name: str, label: Label) -> str:
    root = Tree.Element("annotation")
    Tree.SubElement(root, "filename").text = name
    if label.size is not None:
        size = Tree.SubElement(root, "size")
        for key, value in zip(("width", "height", "depth"), (*label.size, 3), strict=True):
            Tree.SubElement(size, key).text = str(value)
    for left, top, width, height in boxes_of(label, name, "Pascal VOC").tolist():
        each = Tree.SubElement(root, "object")
        Tree.SubElement(each, "name").text = "head"
        bounds = Tree.SubElement(each, "bndbox")
        corners = {"xmin": left, "ymin": top, "xmax": left + width, "ymax": top + height}
        for key, value in corners.items():
            Tree.SubElement(bounds, key).text = f"{value:.10g}"
    Tree.indent(root)
    return Tree.tostring(root, encoding="unicode") + "\n"


VOC = Format(
    "voc",
    "NAME.xml a photo (Pascal VOC): boxes",
    ".xml",
    False,
    False,
    True,
    read_one=read_voc,
    write_one=_write,
)
