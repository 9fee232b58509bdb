"""CVAT for images 1.1: one XML with an element a photo, points or boxes in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as Tree

import numpy as np

from crowdscale.data.checks import check_points
from crowdscale.data.formats.label import Format, Label, boxes_of
from crowdscale.data.formats.vocxml import parse_xml
from crowdscale.data.sets.layout import boxes_to_points
from crowdscale.errors import DataError

__all__ = ["CVAT"]

OTHERS = ("polygon", "polyline", "ellipse", "mask", "cuboid", "skeleton")


def read_cvat(path: Path) -> dict[str, Label]:
    """Return labels by the image's name; ``points`` elements may hold one head or many.

    Raises:
        DataError: The file is no CVAT, or something other than points or boxes is marked.
    """
    root = parse_xml(path)
    if root.tag != "annotations":
        raise DataError("expected CVAT for images (<annotations>)", f"another kind of XML in {path}")
    labels: dict[str, Label] = {}
    for image in root.iter("image"):
        name = image.get("name", "")
        if name in labels:
            raise DataError(f"expected each photo once in {path}", f"{name} again")
        labels[name] = _label(image, f"{name} in {path}")
    return labels


def _label(image: Tree.Element, where: str) -> Label:
    other = next((kind for kind in OTHERS if image.find(kind) is not None), None)
    if other:
        raise DataError(
            f"expected points or boxes for {where}", f"a {other}", "Mark heads with one of the two"
        )
    try:
        size = (int(image.get("width", "")), int(image.get("height", "")))
        pairs = [pair for each in image.iter("points") for pair in each.get("points", "").split(";") if pair]
        points = np.array([[float(v) for v in pair.split(",")] for pair in pairs]).reshape(-1, 2)
        corners = np.array([[float(each.get(k, "")) for k in ("xtl", "ytl", "xbr", "ybr")]
                            for each in image.iter("box")]).reshape(-1, 4)  # fmt: skip
    except ValueError as error:
        raise DataError(f"expected numbers for {where}", f"something else ({error})") from None
    if len(points) and len(corners):
        raise DataError(f"expected either points or boxes for {where}", "both")
    if len(corners):
        boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        return Label(*boxes_to_points(boxes, where), size)
    return Label(check_points(points, None, where), None, size)


def _write(labels: Mapping[str, Label]) -> str:
    root = Tree.Element("annotations")
    Tree.SubElement(root, "version").text = "1.1"
    for number, (name, label) in enumerate(labels.items()):
        image = Tree.SubElement(root, "image", id=str(number), name=name)
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
    "one XML (CVAT for images 1.1): points or boxes",
    ".xml",
    True,
    True,
    True,
    read=read_cvat,
    write=_write,
)
