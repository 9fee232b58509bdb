"""Label Studio: its JSON export, with key points or rectangles in percent of the photo."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlparse

import numpy as np

from crowdscale.data.formats.label import Format, Label, boxes_of, photo_size_of
from crowdscale.data.formats.plain import load_json
from crowdscale.data.sets.layout import boxes_to_points
from crowdscale.errors import DataError
from crowdscale.points import Points

__all__ = ["LABELSTUDIO", "is_labelstudio", "plain_name"]

UPLOAD = re.compile(r"^[0-9a-f]{8}-")
"""What Label Studio puts before the name of an uploaded photo."""


def is_labelstudio(content: Any) -> bool:
    """Return whether JSON looks like an export of Label Studio."""
    return (
        isinstance(content, list) and bool(content) and isinstance(content[0], dict) and "data" in content[0]
    )


def plain_name(address: str) -> str:
    """Return the photo's file name from the address that an export has for it."""
    name = PurePosixPath(unquote(urlparse(address).path)).name
    return UPLOAD.sub("", name)


def read_labelstudio(path: Path) -> dict[str, Label]:
    """Return labels by file name; of several annotations of a photo the last that was not cancelled counts.

    Raises:
        DataError: The file is no such export, or something other than key points or rectangles is marked.
    """
    content = load_json(path)
    if not is_labelstudio(content):
        raise DataError("expected the JSON export of Label Studio", f"something else in {path}")
    labels: dict[str, Label] = {}
    try:
        for task in content:
            valid = [each for each in task.get("annotations", []) if not each.get("was_cancelled")]
            if not valid:
                continue
            address = task["data"].get("image") or next(iter(task["data"].values()))
            name = plain_name(str(address))
            if name in labels:
                raise DataError(f"expected each photo once in {path}", f"{name} again")
            labels[name] = _label(valid[-1]["result"], f"{name} in {path}")
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise DataError("expected the JSON export of Label Studio", f"{path} ({error!r})") from error
    return labels


def _label(results: list[dict[str, Any]], where: str) -> Label:
    shapes: dict[str, list[list[float]]] = {"keypointlabels": [], "rectanglelabels": []}
    size = None
    for each in results:
        kind = each.get("type")
        if kind not in shapes:
            raise DataError(
                f"expected key points or rectangles for {where}", f"{kind}", "Mark heads with one of the two"
            )
        size = (int(each["original_width"]), int(each["original_height"]))
        sides = ("x", "y") if kind == "keypointlabels" else ("x", "y", "width", "height")
        # A share of 0 is the photo's edge, which lies half a pixel before the first pixel's centre.
        shapes[kind].append([each["value"][side] / 100 * size[i % 2] for i, side in enumerate(sides)])
    points, boxes = (np.array(shapes[k], float) for k in ("keypointlabels", "rectanglelabels"))
    if len(points) and len(boxes):
        raise DataError(f"expected either key points or rectangles for {where}", "both")
    if len(boxes):
        return Label(*boxes_to_points(boxes, where), size)
    return Label(Points(points.reshape(-1, 2) - 0.5), None, size)


def _write(labels: Mapping[str, Label]) -> str:
    return json.dumps([_task(name, label) for name, label in labels.items()]) + "\n"


def _task(name: str, label: Label) -> dict[str, Any]:
    results = []
    if len(label.points):
        width, height = photo_size_of(label, name)
        boxed = label.sizes is not None
        kind, sides = ("rectanglelabels", 4) if boxed else ("keypointlabels", 2)
        table = boxes_of(label, name, "Label Studio") if boxed else label.points.xy + 0.5
        scale = 100 / np.array([width, height] * (sides // 2))
        for row in (table * scale).tolist():
            value = dict(zip(("x", "y", "width", "height"), row, strict=False))
            value |= {kind: ["head"]} if boxed else {"width": 0.5, kind: ["head"]}
            results.append(
                {"type": kind, "from_name": "label", "to_name": "image", "original_width": width,
                 "original_height": height, "value": value}
            )  # fmt: skip
    return {"data": {"image": name}, "annotations": [{"was_cancelled": False, "result": results}]}


LABELSTUDIO = Format(
    "labelstudio", "one JSON (export of Label Studio): key points or rectangles", ".json", True, True, True,
    read=read_labelstudio, write=_write,
)  # fmt: skip
