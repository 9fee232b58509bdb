"""COCO: one JSON with images and annotations; a keypoint is a head, or a box around one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from crowdscale.data.checks import check_points
from crowdscale.data.formats.label import Format, Label, boxes_of
from crowdscale.data.formats.plain import load_json
from crowdscale.data.sets.layout import boxes_to_points
from crowdscale.errors import DataError

__all__ = ["COCO", "coco_content", "is_coco"]


def is_coco(content: Any) -> bool:
    """Return whether JSON looks like COCO."""
    return isinstance(content, dict) and {"images", "annotations"} <= content.keys()


def read_coco(path: Path) -> dict[str, Label]:
    """Return labels by file name: the first keypoint of each annotation, or the centre of its box.

    Raises:
        DataError: The file is no COCO, an annotation names an unknown image, or has neither.
    """
    content = load_json(path)
    if not is_coco(content):
        raise DataError("expected COCO with images and annotations", f"something else in {path}")
    try:
        images = {each["id"]: each for each in content["images"]}
        own: dict[Any, list[dict[str, Any]]] = {key: [] for key in images}
        for each in content["annotations"]:
            if each["image_id"] not in own:
                raise DataError(
                    f"expected annotations of known images in {path}", f"one of image_id {each['image_id']}"
                )
            own[each["image_id"]].append(each)
        return {str(images[key]["file_name"]): _label(found, images[key], path) for key, found in own.items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError("expected COCO with images and annotations", f"{path} ({error!r})") from error


def _label(found: list[dict[str, Any]], image: dict[str, Any], path: Path) -> Label:
    size = (int(image["width"]), int(image["height"])) if "width" in image and "height" in image else None
    boxes = [each["bbox"] for each in found if each.get("bbox") and each["bbox"][2:] != [0, 0]]
    points = [each["keypoints"][:2] for each in found if each.get("keypoints")]
    if found and not (len(points) == len(found) or len(boxes) == len(found)):
        lone = next(each for each in found if not (each.get("keypoints") or each.get("bbox")))
        kind = "a polygon" if lone.get("segmentation") else "neither"
        raise DataError(
            f"expected a keypoint or a bbox in each annotation of {path}", f"{kind} in id {lone.get('id')}"
        )
    sizes = None
    if found and len(boxes) == len(found):
        centres, sizes = boxes_to_points(np.array(boxes, float), path)
        if len(points) != len(found):
            return Label(centres, sizes, size)
    return Label(check_points(np.array(points, float).reshape(-1, 2), None, path), sizes, size)


def coco_content(labels: Mapping[str, Label]) -> dict[str, Any]:
    """Return labels by file name as COCO: a keypoint a head, and its box where sizes are known."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (name, label) in enumerate(labels.items(), 1):
        image: dict[str, Any] = {"id": number, "file_name": name}
        if label.size is not None:
            image |= {"width": label.size[0], "height": label.size[1]}
        images.append(image)
        boxes = None if label.sizes is None else boxes_of(label, name, "COCO").tolist()
        for index, (x, y) in enumerate(label.points.xy.tolist()):
            each: dict[str, Any] = {
                "id": len(annotations) + 1,
                "image_id": number,
                "category_id": 1,
                "iscrowd": 0,
            }
            each |= {"keypoints": [x, y, 2], "num_keypoints": 1}
            if boxes is not None:
                each |= {"bbox": boxes[index], "area": boxes[index][2] * boxes[index][3]}
            annotations.append(each)
    categories = [{"id": 1, "name": "person", "keypoints": ["head"], "skeleton": []}]
    return {"images": images, "annotations": annotations, "categories": categories}


def _write(labels: Mapping[str, Label]) -> str:
    return json.dumps(coco_content(labels)) + "\n"


COCO = Format("coco", "one JSON: keypoints or boxes", ".json", True, True, True, read=read_coco, write=_write)
