"""CVAT 1.1: one XML, for images with an element a photo, for video with an element a track."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as Tree

from crowdscale.data.areas import Area
from crowdscale.data.formats.attributes import grouped
from crowdscale.data.formats.cvat_shapes import is_crowd, number, shape_area, shape_marks
from crowdscale.data.formats.cvat_tracks import read_tracks
from crowdscale.data.formats.label import Entry, Format, Label, Mark, Size, boxes_of, read_size
from crowdscale.errors import DataError
from crowdscale.files.documents import read_xml

__all__ = ["CVAT"]


def read_cvat(path: Path) -> dict[str, Entry]:
    """Return entries by the image's name; ``points`` elements may hold one head or many.

    Of skeletons the first visible point is the head. Shapes with the attribute ``is_crowd`` are ignored areas. Tracks of a film give ``frame_NNNNNN``.

    Raises:
        DataError: The file is no CVAT, or an image stands in it twice.
    """
    root = read_xml(path)
    if root.tag != "annotations":
        raise DataError("expected CVAT for images (<annotations>)", f"another kind of XML in {path}")
    if root.find("track") is not None:
        return read_tracks(root, path)
    entries: dict[str, Entry] = {}
    for image in root.iter("image"):
        name = image.get("name", "")
        if name in entries:
            raise DataError(f"expected each photo once in {path}", f"{name} again")
        where = f"{name} in {path}"
        size = read_size(*(number(image, side, where, 0.0) for side in ("width", "height")))
        entries[name] = _entry(image, where, size)
    return entries


def _entry(image: Tree.Element, where: str, size: Size | None) -> Entry:
    """Return the entry of an image: shapes with the attribute ``is_crowd`` are areas to ignore."""
    marks: list[Mark] = []
    ignored: list[Area] = []
    for shape in image:
        label = shape.get("label", "")
        if is_crowd(shape):
            ignored += shape_area(shape, label, where)
        else:
            marks += shape_marks(shape, label, where)
    groups = ((each.get("label", ""), each.get("group_id")) for each in image if each.get("group_id"))
    return Entry(marks, size, ignored=ignored, notes=grouped(groups))


def _write(labels: Mapping[str, Label]) -> str:
    root = Tree.Element("annotations")
    Tree.SubElement(root, "version").text = "1.1"
    for index, (name, label) in enumerate(labels.items()):
        image = Tree.SubElement(root, "image", id=str(index), name=name)
        if label.size is not None:
            image.set("width", str(label.size[0]))
            image.set("height", str(label.size[1]))
        if label.sizes is None:
            for x, y in label.points.xy.tolist():
                Tree.SubElement(image, "points", label="head", points=f"{x:.10g},{y:.10g}")
            continue
        for left, top, width, height in boxes_of(label, name, "CVAT").tolist():
            corners = {"xtl": left, "ytl": top, "xbr": left + width, "ybr": top + height}
            Tree.SubElement(image, "box", {"label": "head", **{k: f"{v:.10g}" for k, v in corners.items()}})
    Tree.indent(root)
    return Tree.tostring(root, encoding="unicode") + "\n"


CVAT = Format(
    "cvat",
    "one XML (CVAT 1.1, images or video): points, boxes, ellipses, skeletons",
    ".xml",
    True,
    True,
    True,
    read=read_cvat,
    write=_write,
)
