"""Recognises the format of annotation files by name and content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crowdscale.data.formats import (
    FORMATS,
    Format,
    is_coco,
    is_labelme,
    is_labelstudio,
    is_supervisely,
    is_via,
)
from crowdscale.data.formats.tool_tables import is_box_table, is_makesense
from crowdscale.data.formats.via import is_via_csv
from crowdscale.errors import DataError
from crowdscale.files.documents import read_json, read_table, read_xml
from crowdscale.files.finding import IMAGE_SUFFIXES

__all__ = ["TABLE_NAME", "beside_format", "shared_format"]

HEADLESS = 6
"""Cells of a row of boxes as RetinaNet's tools write them."""

TABLE_NAME = "points.csv"
"""The one table for all photos, in the root."""


def shared_format(path: Path, named: bool = False) -> Format | None:
    """Return the format of a file that labels many photos; None for other files.

    A CSV of image,x,y is such a table only where the user named it, or under its own name: predictions look alike.

    Args:
        path: The file.
        named: Whether the user named it.

    Raises:
        DataError: It is of a format that is known and not read.
    """
    suffix = path.suffix.lower()
    if path.name == TABLE_NAME:
        return FORMATS["table"]
    if suffix == ".csv":
        return _table_format(path, named)
    if suffix == ".xml":
        return FORMATS["cvat"] if _root_tag(path) != "annotation" else None
    if suffix == ".pnt":
        return FORMATS["dotdotgoose"]
    return _json_format(path) if suffix == ".json" else None


def _table_format(path: Path, named: bool) -> Format | None:
    try:
        rows = read_table(path)
    except DataError:
        return FORMATS["table"] if named else None  # whose reader has the sentence on the fault
    first: Sequence[str] = rows[0][1] if rows else ()
    for name, fits in (("via-csv", is_via_csv), ("boxes", is_box_table), ("makesense", is_makesense)):
        if fits(first):
            return FORMATS[name]
    unread = _unread_table(first)
    if unread:
        raise _not_read(path, unread)
    return FORMATS["table"] if named else None


def _not_read(path: Path, kind: str) -> DataError:
    return DataError(f"{path} is of {kind}, which is not read", "", "Export COCO, VOC or CSV from it")


def _unread_table(first: Sequence[str]) -> str | None:
    """Return the name of a table that is known and not read."""
    header = {name.lower() for name in first}
    boxes = len(first) == HEADLESS and first[0].lower().endswith(IMAGE_SUFFIXES)
    kinds = {
        "VIA 3 (VGG Image Annotator)": bool(first) and first[0].startswith("# Exported using VGG"),
        "Label Studio as CSV": {"annotation_id", "annotator"} <= header
        or {"id", "label", "annotator"} <= header,
        "Open Images": {"imageid", "xmin", "ymin"} <= header,
        "boxes without a header (image,x1,y1,x2,y2,class)": boxes,
    }
    return next((name for name, fits in kinds.items() if fits), None)


def _root_tag(path: Path) -> str:
    try:
        return str(read_xml(path).tag)
    except DataError:
        return ""  # the reader of CVAT has the sentence on the fault


def _json_format(path: Path) -> Format | None:
    try:
        content = read_json(path)
    except DataError:
        return FORMATS["coco"]  # whose reader has the sentence on the fault
    for name, fits in (("coco", is_coco), ("labelstudio", is_labelstudio), ("via", is_via)):
        if fits(content):
            return FORMATS[name]
    unread = _unread(content)
    if unread:
        raise _not_read(path, unread)
    return None


def _unread(content: Any) -> str | None:
    """Return the name of a format that is known and not read."""
    keys = content.keys() if isinstance(content, dict) else set()
    first = content[0] if isinstance(content, list) and content and isinstance(content[0], dict) else {}
    kinds = {
        "VIA 3 (VGG Image Annotator)": {"project", "metadata", "view", "file"} <= keys,
        "Labelbox": "Labeled Data" in first or {"data_row", "projects"} <= first.keys(),
        "GeoJSON": "features" in keys,
        "Datumaro": {"items", "categories"} <= keys,
        "COCO's results (what a model found)": {"image_id", "score"} <= first.keys(),
        "COCO without annotations": {"images", "categories"} <= keys,
    }
    return next((name for name, fits in kinds.items() if fits), None)


def beside_format(path: Path) -> Format:
    """Return the format of a file beside a photo: JSON by its content, others by suffix.

    It may be one for many photos, of which this is the only one.
    """
    suffix = path.suffix.lower()
    if suffix != ".json":
        return FORMATS[{".csv": "csv", ".xml": "voc", ".txt": "yolo", ".mat": "mat"}[suffix]]
    try:
        content = read_json(path)
    except DataError:
        return FORMATS["json"]  # whose reader has the sentence on the fault
    kinds = {
        "labelme": is_labelme, "supervisely": is_supervisely, "coco": is_coco, "labelstudio": is_labelstudio,
        "via": is_via,
    }  # fmt: skip
    return FORMATS[next((name for name, fits in kinds.items() if fits(content)), "json")]
