"""Pascal VOC: an XML file a photo, a bndbox an object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as Tree

from crowdscale.data.formats.label import Format, Label, Size, boxes_of
from crowdscale.data.formats.vocxml import parse_xml, read_voc_boxes
from crowdscale.data.sets.layout import boxes_to_points
from crowdscale.errors import DataError

__all__ = ["VOC"]


def read_voc(path: Path, photo_size: Callable[[], Size] | None = None) -> Label:
    """Return the label of NAME.xml, its first pixel counted as 0.

    Raises:
        DataError: The file is no VOC, an object has no box, or one of no size.
    """
    del photo_size
    if parse_xml(path).tag != "annotation":
        raise DataError("expected Pascal VOC (<annotation>)", f"another kind of XML in {path}")
    return Label(*boxes_to_points(read_voc_boxes(path), path))


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
        box = Tree.SubElement(each, "bndbox")
        corners = {"xmin": left, "ymin": top, "xmax": left + width, "ymax": top + height}
        for key, value in corners.items():
            Tree.SubElement(box, key).text = f"{value:.10g}"
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
