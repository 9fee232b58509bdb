"""Annotation formats: each reads a file to labels and writes labels to text."""

from crowdscale.data.formats.coco import COCO, is_coco
from crowdscale.data.formats.cvat import CVAT
from crowdscale.data.formats.label import Format, Label
from crowdscale.data.formats.labelstudio import LABELSTUDIO, is_labelstudio
from crowdscale.data.formats.plain import JSON, load_json
from crowdscale.data.formats.tables import CSV, TABLE
from crowdscale.data.formats.voc import VOC
from crowdscale.data.formats.yolo import YOLO

__all__ = ["FORMATS", "Format", "Label", "is_coco", "is_labelstudio", "load_json"]

FORMATS: dict[str, Format] = {
    each.name: each for each in (CSV, TABLE, JSON, COCO, YOLO, VOC, LABELSTUDIO, CVAT)
}
"""The formats by name."""
