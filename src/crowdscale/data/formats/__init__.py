"""Annotation formats: each reads a file to entries and writes labels to text."""

from crowdscale.data.formats.coco import COCO, is_coco
from crowdscale.data.formats.cvat import CVAT
from crowdscale.data.formats.dotdotgoose import DOTDOTGOOSE
from crowdscale.data.formats.label import Entry, Format, Label, Mark, label_of
from crowdscale.data.formats.labelme import LABELME, is_labelme
from crowdscale.data.formats.labelstudio import LABELSTUDIO, LABELSTUDIO_PREDICTIONS, is_labelstudio
from crowdscale.data.formats.mat import MAT
from crowdscale.data.formats.plain import JSON
from crowdscale.data.formats.supervisely import SUPERVISELY, is_supervisely
from crowdscale.data.formats.tables import CSV, TABLE
from crowdscale.data.formats.tool_tables import BOXES, MAKESENSE
from crowdscale.data.formats.via import VIA, VIA_CSV, is_via
from crowdscale.data.formats.voc import VOC
from crowdscale.data.formats.yolo import YOLO, yolo_names

__all__ = [
    "FORMATS",
    "Entry",
    "Format",
    "Label",
    "Mark",
    "is_coco",
    "is_labelme",
    "is_labelstudio",
    "is_supervisely",
    "is_via",
    "label_of",
    "yolo_names",
]

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        CSV, TABLE, JSON, COCO, YOLO, VOC, LABELSTUDIO, LABELSTUDIO_PREDICTIONS, CVAT, LABELME, VIA, VIA_CSV,
        SUPERVISELY, DOTDOTGOOSE, MAKESENSE, BOXES, MAT,
    )
}  # fmt: skip
"""The formats by name."""
