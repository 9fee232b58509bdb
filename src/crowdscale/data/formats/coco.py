"""COCO: one JSON with images and annotations; a keypoint is a head, or a box around one.

Considered for run lengths: pycocotools. Its C code trusts the lengths, and a wheel for 20 lines is too much.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from crowdscale.arrays import Integers
from crowdscale.data.areas import Area, run_areas
from crowdscale.data.formats.attributes import CROWD, classed, is_true
from crowdscale.data.formats.keypoints import KeyPoint, head_of, is_head
from crowdscale.data.formats.label import Entry, Format, Label, Mark, boxes_of, read_size
from crowdscale.data.formats.shapes import box, box_of, polygon, refusal
from crowdscale.errors import DataError
from crowdscale.files.documents import Number, Whole, read_json, shaped

__all__ = ["COCO", "coco_content", "is_coco"]

Key = Whole | str | float

ALIKE = 0.01
"""Share by which an area may differ from that of its box: numbers are rounded."""

MOST_VISIBLE = 2.0
"""Third number of a keypoint that is visible; models write a confidence up to 1."""


class _Extra(msgspec.Struct):
    name: str | None = None


class _Image(msgspec.Struct):
    id: Key
    file_name: str
    width: Number | None = None
    height: Number | None = None
    extra: _Extra | None = None


class _Runs(msgspec.Struct):
    size: tuple[Whole, Whole]
    counts: str | list[Whole]


class _Annotation(msgspec.Struct):
    image_id: Key
    id: Key | None = None
    category_id: Key | None = None
    iscrowd: Whole | bool | None = 0
    ignore: Whole | bool | None = 0
    bbox: list[Number] | None = None
    keypoints: list[Number] | None = None
    segmentation: _Runs | list[list[Number]] | None = None
    attributes: dict[str, Any] | None = None
    area: Number | None = None
    score: Number | None = None

    @property
    def crowd(self) -> bool:
        """Whether it is a region of many people, by ``iscrowd`` or by an attribute ``is_crowd``."""
        given = (self.attributes or {}).items()
        return bool(self.iscrowd) or any(name.lower() in CROWD and is_true(value) for name, value in given)


class _Category(msgspec.Struct):
    id: Key
    name: str = ""
    keypoints: list[str] | None = None


class _Coco(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation] | None
    categories: list[_Category] | None = None


def is_coco(content: Any) -> bool:
    """Return whether JSON looks like COCO."""
    return isinstance(content, dict) and {"images", "annotations"} <= content.keys()


def read_coco(path: Path) -> dict[str, Entry]:
    """Return entries by file name: the head's keypoint of each annotation, or its box's centre.

    The head's is the first labelled one with a name such as head or nose, or the first labelled one where the
    category gives no names. A keypoint whose third number is 0 is not labelled. Annotations without either give
    the box around their polygons or run lengths. Regions with ``iscrowd``, an attribute ``is_crowd``,
    or ``ignore`` are areas to ignore.

    Raises:
        DataError: The file is no COCO, an image stands in it twice, or an annotation has no image or no position.
    """
    content = read_json(path)
    if not is_coco(content):
        raise DataError("expected COCO with images and annotations", f"something else in {path}")
    coco = shaped(content, _Coco, "COCO", path)
    keys = _identities(coco, path)
    categories = {_text(each.id): each for each in coco.categories or ()}
    own: dict[Key, list[_Annotation]] = {key: [] for key in keys}
    for each in coco.annotations or ():
        key = each.image_id if each.image_id in own else _same(each.image_id, own)
        if key is None:
            raise DataError(
                f"expected annotations of known images in {path}", f"one of image_id {each.image_id}"
            )
        own[key].append(each)
    return {
        keys[key].file_name: _entry(keys[key], annotations, categories, path)
        for key, annotations in own.items()
    }


def _identities(coco: _Coco, path: Path) -> dict[Key, _Image]:
    """Return images by id, each id and each name once."""
    keys: dict[Key, _Image] = {}
    names: dict[str, Key] = {}
    for each in coco.images:
        if each.id in keys:
            raise DataError(f"expected each image id once in {path}", f"{each.id} again")
        if each.file_name in names:
            raise DataError(
                f"expected each photo once in {path}",
                f"{each.file_name} as image {names[each.file_name]} and {each.id}",
                "Join the two images or remove one",
            )
        keys[each.id], names[each.file_name] = each, each.id
    return keys


def _text(key: Key | None) -> str:
    return f"{key:g}" if isinstance(key, float) else str(key)


def _same(key: Key, keys: Mapping[Key, object]) -> Key | None:
    """Return the known id that reads the same: some tools write 1 in one place and "1" in the other."""
    return next((each for each in keys if _text(each) == _text(key)), None)


def _entry(
    image: _Image, annotations: Sequence[_Annotation], categories: Mapping[str, _Category], path: Path
) -> Entry:
    marks: list[Mark] = []
    ignored: list[Area] = []
    for each in annotations:
        key = _text(each.category_id)
        category = categories.get(key) or _Category(0, key if each.category_id is not None else "")
        if each.crowd or each.ignore:
            ignored += _areas(each, category.name, path)
        else:
            marks.append(classed(_mark(each, category, path), each.attributes or {}))
    also = (image.extra.name,) if image.extra and image.extra.name else ()
    size = read_size(image.width, image.height)
    return Entry(marks, size, also=also, notes=tuple(_notes(annotations, categories)), ignored=ignored)


def _notes(annotations: Sequence[_Annotation], categories: Mapping[str, _Category]) -> Iterator[str]:
    """Yield a sentence for each kind of annotation of a photo that is ignored, or needs a word on how it is read."""
    crowds = sum(each.crowd for each in annotations)
    regions = sum(bool(each.ignore) and not each.crowd for each in annotations)
    for what, key, n in (("crowd region", "iscrowd", crowds), ("region", "ignore", regions)):
        if n:
            yield f"{n} {what}{'s' * (n > 1)} ({key}) ignored"
    headless = sum(_is_headless(each, categories.get(_text(each.category_id))) for each in annotations)
    if headless:
        yield f"{headless} without a labelled keypoint of the head: their first labelled one is taken"
    scores = [each.score for each in annotations if each.score is not None]
    if scores:
        yield f"{len(scores)} annotations have a score, down to {min(scores):g}: all of them are read"


def _areas(each: _Annotation, label: str, path: Path) -> Iterator[Area]:
    """Yield the areas of a region: its mask, its polygons, or its box."""
    where = f"id {each.id} of {path}"
    if isinstance(each.segmentation, _Runs):
        yield from run_areas(*_runs(each.segmentation, where), each.segmentation.size[0], label)
    elif each.segmentation:
        for ring in each.segmentation:
            yield Area.of_polygon(_corners(ring, where), label)
    elif each.bbox and each.bbox[2:] != [0, 0]:
        left, top, width, height = _four(each.bbox, where)
        if min(width, height) > 0:
            yield Area.of_box(left, top, left + width, top + height, label)


def _corners(flat: Sequence[float], where: str) -> list[tuple[float, float]]:
    """Return the corners of a ring x, y, x, y and so on."""
    if len(flat) % 2:
        raise DataError(f"expected pairs of numbers in the polygon of {where}", f"{len(flat)} numbers")
    return list(zip(flat[::2], flat[1::2], strict=True))


def _four(numbers: Sequence[float], where: str) -> Sequence[float]:
    if len(numbers) != 4:
        raise DataError(f"expected a bbox of 4 numbers in {where}", f"{len(numbers)}")
    return numbers


def _sides(each: _Annotation, numbers: Sequence[float], where: str) -> Sequence[float]:
    """Return left, top, width, height. Raises DataError where the area says that they are two corners."""
    x, y, width, height = numbers
    area = each.area or 0.0
    own, other = width * height, (width - x) * (height - y)
    bare = not each.segmentation and area > 0 and width > x and height > y
    if bare and abs(area - other) <= ALIKE * area < abs(area - own):
        raise DataError(
            f"expected a bbox as left, top, width, height in {where}", "two corners, as its area says",
            "Write the width and the height in place of the right and the bottom",
        )  # fmt: skip
    return numbers


def _mark(each: _Annotation, category: _Category, path: Path) -> Mark:
    where = f"id {each.id} of {path}"
    bounds = _bounds(each, where)
    head = head_of(_labelled(each.keypoints or [], category.keypoints or [], where))
    if head is not None:
        sides = (bounds.width, bounds.height) if bounds else (math.nan, math.nan)
        return Mark(head.x, head.y, *sides, category.name)
    if bounds is None:
        raise DataError(f"expected a keypoint or a bbox in {where}", "neither")
    return bounds._replace(label=category.name)


def _is_headless(each: _Annotation, category: _Category | None) -> bool:
    """Return whether an annotation has labelled keypoints, none of them one of the head that its category names."""
    names, numbers = (category.keypoints if category else None) or [], each.keypoints or []
    if each.crowd or each.ignore or len(names) * 3 != len(numbers) or not any(map(is_head, names)):
        return False
    labelled = [name for name, visible in zip(names, numbers[2::3], strict=True) if visible > 0]
    return bool(labelled) and not any(map(is_head, labelled))


def _labelled(numbers: Sequence[float], names: Sequence[str], where: str) -> list[KeyPoint]:
    """Return the labelled keypoints. Raises DataError where the numbers are no triples x, y, visibility."""
    if len(numbers) == 2:
        return [KeyPoint(numbers[0], numbers[1])]
    expected = f"expected keypoints as x, y, visibility in {where}"
    if len(numbers) % 3:
        raise DataError(expected, f"{len(numbers)} numbers")
    if any(not 0 <= visible <= MOST_VISIBLE for visible in numbers[2::3]):
        raise DataError(expected, "a third number that is not 0, 1 or 2", "Export them with their visibility")
    triples = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    known = len(names) * 3 == len(numbers)
    return [
        KeyPoint(x, y, names[index] if known else "")
        for index, (x, y, visible) in enumerate(triples)
        if visible > 0
    ]


def _bounds(each: _Annotation, where: str) -> Mark | None:
    """Return the mark of an annotation's box, or of the box around its segmentation; None without either."""
    if each.bbox and each.bbox[2:] != [0, 0]:
        return box_of(_sides(each, _four(each.bbox, where), where))
    if isinstance(each.segmentation, _Runs):
        return _runs_box(each.segmentation, where)
    if each.segmentation:
        return polygon(_corners([number for ring in each.segmentation for number in ring], where), "", where)
    return None


def _runs(runs: _Runs, where: str) -> tuple[Integers, Integers]:
    """Return starts and ends of the foreground of a mask in run lengths, which go down the columns."""
    height, width = runs.size
    counts = _counts(runs.counts, where) if isinstance(runs.counts, str) else runs.counts
    if min(height, width, *counts, 0) < 0 or height == 0 or sum(counts) != height * width:
        raise DataError(
            f"expected run lengths of {width}×{height} pixels in {where}", f"{sum(counts)} pixels"
        )
    lengths = np.array(counts, np.int64)
    ends = np.asarray(np.cumsum(lengths), np.int64)
    starts, ends = (ends - lengths)[1::2], ends[1::2]  # they begin with background
    return starts[ends > starts], ends[ends > starts]


def _runs_box(runs: _Runs, where: str) -> Mark:
    """Return the box around a mask in run lengths."""
    starts, ends = _runs(runs, where)
    if not len(starts):
        return refusal("empty mask")
    height = runs.size[0]
    left, right = int(starts.min()) // height, int(ends.max() - 1) // height
    whole = bool((starts // height != (ends - 1) // height).any())  # a run over two columns meets both edges
    top = 0 if whole else int((starts % height).min())
    bottom = height - 1 if whole else int(((ends - 1) % height).max())
    return box(left, top, right - left + 1, bottom - top + 1)


def _counts(text: str, where: str) -> list[int]:
    """Return run lengths from COCO's text: 5 bits a character from 48, after the third each as a difference."""
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 50:
            raise DataError(f"expected run lengths (RLE) in {where}", repr(character))
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (1 << shift) if bits & 16 else 0
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    return counts


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
        crowd = _crowd_runs(label)
        if crowd is not None:
            about = {"id": len(annotations) + 1, "image_id": number, "category_id": 1, "iscrowd": 1}
            annotations.append({**about, **crowd})
    categories = [{"id": 1, "name": "person", "keypoints": ["head"], "skeleton": []}]
    return {"images": images, "annotations": annotations, "categories": categories}


def _crowd_runs(label: Label) -> dict[str, Any] | None:
    """Return the ignored pixels as a region in run lengths; None where all of the photo counts."""
    areas = None if label.size is None else label.areas(label.size)
    if areas is None:
        return None
    ignored = ~areas.read()
    columns = ignored.ravel(order="F")
    steps = np.flatnonzero(np.diff(columns, prepend=False)).tolist()
    edges = [0, *steps, columns.size]
    counts = [end - start for start, end in pairwise(edges)]
    left, top, width, height = cv2.boundingRect(ignored.astype(np.uint8))
    return {
        "segmentation": {"size": list(ignored.shape), "counts": counts},
        "bbox": [left, top, width, height],
        "area": int(ignored.sum()),
    }


def _write(labels: Mapping[str, Label]) -> str:
    return json.dumps(coco_content(labels)) + "\n"


COCO = Format(
    "coco",
    "one JSON: keypoints or boxes",
    ".json",
    True,
    True,
    True,
    read=read_coco,
    write=_write,
    areas=True,
)
